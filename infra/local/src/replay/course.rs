//! What a run makes of one account, in figures that two policies can be compared by.

use chrono::{DateTime, NaiveDate};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::Zone;
use duewatch_domain::kernel::{business_date, days_between, end_of_day, plus_days};
use duewatch_domain::{Account, Policy, owed};

/// What a run made of one account. A figure more is a field here, and a line in the
/// tables of `against.rs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// Whether it ever stood on a stage.
    pub(super) flagged: bool,
    /// Whether anything was ever restricted.
    pub(super) restricted: bool,
    /// At the end of how many days something was.
    pub(super) restricted_days: i64,
    /// Changes of stage or restrictions.
    pub(super) decisions: i64,
    /// Reminders that were planned, each once.
    pub(super) reminders: i64,
    /// The late fees that were charged by the last day, since the first due date, as the facts
    /// then stood: paid and waived ones too.
    pub(super) late_fees: Money,
    restricted_from: Option<NaiveDate>,
}

impl Course {
    /// Takes in what the account's newest revision says; its days count from `first_day` on.
    pub(super) fn judged(&mut self, account: &Account, first_day: NaiveDate) {
        self.reminders += i64::try_from(account.intents.len()).unwrap_or(i64::MAX);
        let Some(decision) = account.decision_of_this_revision() else { return };
        self.decisions += 1;
        self.flagged |= !decision.to.is_current();
        let day = ends_after(account.time_zone, decision.at).max(first_day);
        if account.standing.restrictions.is_empty() {
            self.ended(plus_days(day, -1));
        } else {
            self.restricted = true;
            self.restricted_from.get_or_insert(day);
        }
    }

    /// Takes in how the account stands at the end of the last day.
    pub(super) fn closed(&mut self, account: &Account, policy: &Policy, last_day: NaiveDate) {
        self.ended(last_day);
        if policy.late_fee.is_some() {
            self.late_fees = owed(account, policy).late_fee_charged_on(last_day, account.currency);
        }
    }

    /// Says that nothing follows the end of `last_day`, or nothing restricted.
    fn ended(&mut self, last_day: NaiveDate) {
        if let Some(from) = self.restricted_from.take() {
            self.restricted_days += (days_between(from, last_day) + 1).max(0);
        }
    }
}

/// The first day at whose end the instant has come.
fn ends_after(zone: Zone, at: DateTime<chrono::Utc>) -> NaiveDate {
    let day = business_date(zone, at);
    if at <= end_of_day(zone, day) { day } else { plus_days(day, 1) }
}
