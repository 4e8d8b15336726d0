//! The course of one account in a run, in figures that compare two policies.

use chrono::{DateTime, NaiveDate};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::Zone;
use duewatch_domain::kernel::{business_date, days_between, end_of_day, plus_days};
use duewatch_domain::{Account, Policy, allocate_at};

/// The figures of one account. A further figure is a field here, and a line in the tables of `against.rs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccountCourse {
    /// Whether the account was ever on a stage.
    pub(super) flagged: bool,
    /// Whether a restriction was ever in force.
    pub(super) restricted: bool,
    /// The days at whose end a restriction was in force.
    pub(super) restricted_days: i64,
    /// Changes of stage or restrictions.
    pub(super) decisions: i64,
    /// Planned reminders, each counted once.
    pub(super) reminders: i64,
    /// The late fees charged by the last day, since the first due date, by the facts known then: paid and
    /// waived ones included.
    pub(super) late_fees: Money,
    restricted_from: Option<NaiveDate>,
}

impl AccountCourse {
    /// Adds the account's newest revision; its days count from `first_day` on.
    pub(super) fn assessed(&mut self, account: &Account, first_day: NaiveDate) {
        self.reminders += i64::try_from(account.contact_requests.len()).unwrap_or(i64::MAX);
        let Some(decision) = account.decision_of_this_revision() else { return };
        self.decisions += 1;
        self.flagged |= !decision.to.is_current();
        let day = ends_after(account.time_zone, decision.at).max(first_day);
        if account.status.restrictions.is_empty() {
            self.ended(plus_days(day, -1));
        } else {
            self.restricted = true;
            self.restricted_from.get_or_insert(day);
        }
    }

    /// Adds the account's status at the end of the last day.
    pub(super) fn closed(&mut self, account: &Account, policy: &Policy, last_day: NaiveDate) {
        self.ended(last_day);
        if policy.late_fee.is_some() {
            self.late_fees = allocate_at(account, policy).late_fee_charged_on(last_day, account.currency);
        }
    }

    /// Closes an open stretch of restricted days at the end of `last_day`.
    fn ended(&mut self, last_day: NaiveDate) {
        if let Some(from) = self.restricted_from.take() {
            self.restricted_days += (days_between(from, last_day) + 1).max(0);
        }
    }
}

/// The first day that ends at or after the instant.
fn ends_after(zone: Zone, at: DateTime<chrono::Utc>) -> NaiveDate {
    let day = business_date(zone, at);
    if at <= end_of_day(zone, day) { day } else { plus_days(day, 1) }
}
