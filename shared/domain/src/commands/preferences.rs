//! A customer's contact preferences, with the reminder days and times that a borrower chooses.

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::definition::{CommandDefinition, command};
use super::shape::{Shape, Shaped, WireField};
use crate::account::{Account, ReminderPreference};
use crate::kernel::{MAX_AGREED_HOURS, MAX_LEAD_DAYS, MAX_LEADS, Refusal, Zone, business_date, written_time};
use crate::policy::Language;

command! {
    /// A customer's contact preferences. A field that is left out keeps its value.
    ///
    /// `remind_days_before` and `remind_at` are facts of the account that the event is addressed to: they decide
    /// when its reminders are planned. The other fields belong to the contact profile.
    #[derive(Default)]
    pub struct PreferencesChanged as "preferences_changed" {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub language: Option<Language>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub time_zone: Option<Zone>,
        /// The days before a due date on which to remind, 0 for the day itself; empty: as the policy says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub remind_days_before: Option<Vec<u32>> => shaped(LEADS),
        /// The local time of reminders.
        #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
        pub remind_at: Option<NaiveTime>,
        /// Quiet hours in which the borrower welcomes contact; empty: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub agreed_hours: Option<Vec<AgreedHours>> => shaped(HOURS),
    }
    example: r#"{
        "language": "zh", "time_zone": "Asia/Urumqi", "remind_days_before": [7, 1], "remind_at": "19:30",
        "agreed_hours": [{ "from": "22:00", "until": "23:00" }]
    }"#
}

/// Local hours, `[from, until)`; they may run past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedHours {
    #[serde(with = "written_time")]
    pub from: NaiveTime,
    #[serde(with = "written_time")]
    pub until: NaiveTime,
}

/// The days before a due date.
const LEADS: Shape =
    Shape::Nullable(&Shape::List { of: &Shape::Count { at_most: MAX_LEAD_DAYS }, at_most: Some(MAX_LEADS) });

const HOURS: Shape =
    Shape::Nullable(&Shape::List { of: &AgreedHours::SHAPE, at_most: Some(MAX_AGREED_HOURS) });

impl Shaped for AgreedHours {
    const SHAPE: Shape =
        Shape::Object(&[WireField::of::<NaiveTime>("from"), WireField::of::<NaiveTime>("until")]);
}

impl CommandDefinition for PreferencesChanged {
    fn check(&self) -> Result<(), Refusal> {
        let leads = self.remind_days_before.as_deref().unwrap_or_default();
        if leads.len() > MAX_LEADS || leads.iter().any(|days| *days > MAX_LEAD_DAYS) {
            let problem = "at most 5 leads, each of at most 31 days";
            return Err(Refusal::unfit("remind_days_before", problem));
        }
        let hours = self.agreed_hours.as_deref().unwrap_or_default();
        if hours.len() > MAX_AGREED_HOURS {
            return Err(Refusal::unfit("agreed_hours", "at most 4 stretches of hours"));
        }
        if hours.iter().any(|hours| hours.from == hours.until) {
            let problem = "hours that end when they begin are none";
            return Err(Refusal::unfit("agreed_hours", problem));
        }
        Ok(())
    }

    /// The account takes its reminder days and time. The contact profile takes the rest.
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        self.check()?;
        let before = account.reminder_preference.clone();
        let (mut days_before, mut time) =
            before.clone().map_or((Vec::new(), None), |known| (known.days_before, known.at));
        if let Some(days) = &self.remind_days_before {
            days_before.clone_from(days);
            days_before.sort_unstable();
            days_before.dedup();
        }
        time = self.remind_at.or(time);
        let is_same = before.is_some_and(|known| known.days_before == days_before && known.at == time);
        if is_same || !self.plans() {
            return Ok(Applied::Unchanged);
        }
        let since = business_date(account.time_zone, at);
        account.reminder_preference = Some(ReminderPreference { days_before, at: time, since });
        Ok(Applied::Changed)
    }
}

impl PreferencesChanged {
    /// Whether the preferences decide when the account's reminders leave.
    #[must_use]
    pub const fn plans(&self) -> bool {
        self.remind_days_before.is_some() || self.remind_at.is_some()
    }
}
