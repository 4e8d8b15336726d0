//! The course of one account in a run, in figures that compare two policies.

use chrono::{DateTime, NaiveDate};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::Zone;
use duewatch_domain::kernel::{business_date, days_between, end_of_day, plus_days};
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, allocate_at};

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
    /// Whether the account is on a stage now.
    is_flagged: bool,
}

impl AccountCourse {
    /// Adds the account's newest revision; its days count from `first_day` on. A revision from before the run counts
    /// only as far as it lasts.
    pub(super) fn assessed(&mut self, account: &Account, first_day: NaiveDate, in_run: bool) {
        if in_run {
            self.lasts();
            self.reminders += i64::try_from(account.contact_requests.len()).unwrap_or(i64::MAX);
        }
        let Some(decision) = account.decision_of_this_revision() else { return };
        self.decisions += i64::from(in_run);
        self.is_flagged = !decision.to.is_current();
        let day = ends_after(account.time_zone, decision.at).max(first_day);
        if account.status.restrictions.is_empty() {
            self.ended(plus_days(day, -1));
        } else {
            self.restricted_from.get_or_insert(day);
        }
        if in_run {
            self.lasts();
        }
    }

    /// Counts the present stage and restrictions as seen in the run.
    fn lasts(&mut self) {
        self.flagged |= self.is_flagged;
        self.restricted |= self.restricted_from.is_some();
    }

    /// Adds the account's status at the end of the last day.
    pub(super) fn closed(&mut self, account: &Account, versions: &Versions, last_day: NaiveDate) {
        self.lasts();
        self.ended(last_day);
        if versions.iter().any(|policy| policy.late_fee.is_some()) {
            let timeline = versions.timeline(account, end_of_day(account.time_zone, last_day));
            let allocation = allocate_at(account, &timeline);
            self.late_fees =
                allocation.late_fee_charged_on(last_day, account.currency, timeline.current().day_count);
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
