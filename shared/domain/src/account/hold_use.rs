//! The days of a delinquency episode on which holds keep restrictions back, and how many of them are used.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::plus_days;

/// Days on which a hold keeps a restriction back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldDays {
    pub from: NaiveDate,
    /// The first day after them.
    pub until: NaiveDate,
}

impl HeldDays {
    fn count(self) -> u32 {
        u32::try_from((self.until - self.from).num_days()).unwrap_or_default()
    }
}

/// The use that holds have made of the days that a policy allows them in one delinquency episode, over all kinds and
/// items together. A day counts where a hold kept a restriction back that would have been in force without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldUse {
    /// Days used before those of `held`, money's apart. Counted where the policy bounds all holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: u32,
    /// The days from the last assessment on, in order, if no fact changes; none overlaps another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldDays>,
    /// The first day on which nothing is held any more in this episode; none: days are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_on: Option<NaiveDate>,
    /// Days on which money that could not be posted kept a restriction back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub money_days: u32,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money_on: Option<NaiveDate>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(days: &u32) -> bool {
    *days == 0
}

impl HoldUse {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The days used before a day.
    #[must_use]
    pub fn used_by(&self, day: NaiveDate) -> u32 {
        let gone = self.held.iter().filter(|held| held.from < day);
        let gone = gone.map(|held| HeldDays { until: held.until.min(day), ..*held }.count());
        self.days.saturating_add(self.money_days).saturating_add(gone.sum())
    }

    /// The first day before which `most` days are used, if no fact changes; none: fewer will be. Where they were used
    /// before those of `held`, that is `since`.
    pub(crate) fn used_up_on(&self, most: u32, since: NaiveDate) -> Option<NaiveDate> {
        let mut left = most.saturating_sub(self.days).saturating_sub(self.money_days);
        if left == 0 {
            return Some(since);
        }
        for held in &self.held {
            if held.count() >= left {
                return Some(plus_days(held.from, i64::from(left)));
            }
            left -= held.count();
        }
        None
    }

    /// The use as of a day, without the days that were to come.
    pub(crate) fn on(&self, day: NaiveDate) -> Self {
        let days = self.used_by(day).saturating_sub(self.money_days);
        Self { days, held: Vec::new(), ..self.clone() }
    }

    /// The use once money that cannot be posted keeps a restriction back on a day.
    pub(crate) fn with_money_on(&self, day: NaiveDate) -> Self {
        if self.money_on == Some(day) {
            return self.clone();
        }
        // The day counts once, whatever holds on it.
        let next = plus_days(day, 1);
        let later = self.held.iter().map(|held| HeldDays { from: held.from.max(next), ..*held });
        Self {
            held: later.filter(|held| held.from < held.until).collect(),
            money_days: self.money_days.saturating_add(1),
            money_on: Some(day),
            ..self.clone()
        }
    }
}
