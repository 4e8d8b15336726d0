//! The days of a delinquency episode on which holds keep restrictions back, counted one by one.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::calendar;
use super::course::ModelCourse;

/// The count as the last evaluation left it.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelHolds {
    /// The days that were held back before that evaluation.
    used: u32,
    /// The days that are held back from then on, if no fact changes.
    ahead: BTreeSet<NaiveDate>,
    /// The first day without any hold.
    pub(super) over_on: Option<NaiveDate>,
}

impl ModelCourse<'_> {
    /// The count on a day: the remembered days that have gone by, and those to come by the facts as they are.
    pub(super) fn holds_on(&self, today: NaiveDate) -> ModelHolds {
        let Some(most) = self.policy.holds.as_ref().and_then(|holds| holds.at_most_days) else {
            return ModelHolds::default();
        };
        let goes_on = self.is_delinquent(today) || self.is_delinquent_on_hold(today);
        let known = if goes_on { self.memory.holds.clone() } else { ModelHolds::default() };
        let mut holds = ModelHolds { ahead: BTreeSet::new(), ..known };
        for date in known.ahead.iter().filter(|date| **date < today) {
            if holds.over_on.is_none() {
                holds.used += 1;
                holds.over_on = (holds.used >= most).then(|| calendar::next(*date));
            }
        }
        if holds.over_on.is_none() && holds.used >= most {
            holds.over_on = Some(today);
        }
        if holds.over_on.is_some() || !self.enforced {
            return holds;
        }
        let left = usize::try_from(most - holds.used).unwrap_or(usize::MAX);
        holds.ahead = self.kept_back_from(today, left);
        holds
    }

    /// The first day without any hold, as it is seen on a day.
    pub(super) fn holds_over_on(&self, today: NaiveDate) -> Option<NaiveDate> {
        let most = self.policy.holds.as_ref()?.at_most_days?;
        let holds = self.holds_on(today);
        let ahead = u32::try_from(holds.ahead.len()).unwrap_or(u32::MAX);
        let last = holds.ahead.last().filter(|_| holds.used + ahead >= most);
        holds.over_on.or(last.map(|last| calendar::next(*last)))
    }
}
