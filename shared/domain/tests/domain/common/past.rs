//! An account as its money stood on a day of the past.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::Payment;
use duewatch_domain::kernel::business_date;

/// The day on which a payment takes effect: its value date, but no day after its receipt.
pub(crate) fn effective_on(account: &Account, payment: &Payment) -> NaiveDate {
    payment.value_date.min(business_date(account.time_zone, payment.received_at))
}

/// The account without the payments and waivers that take effect after a day.
pub(crate) fn as_of(account: &Account, day: NaiveDate) -> Account {
    let waived_on = |at: DateTime<Utc>| business_date(account.time_zone, at);
    let payments = account.payments().iter().map(|one| effective_on(account, one) <= day);
    let waivers = account.waivers().iter().map(|one| waived_on(one.at) <= day);
    let mut stored = serde_json::to_value(account).unwrap();
    keep(&mut stored, "payments", payments);
    keep(&mut stored, "waivers", waivers);
    serde_json::from_value(stored).unwrap()
}

fn keep(stored: &mut serde_json::Value, list: &str, mut is_kept: impl Iterator<Item = bool>) {
    if let Some(facts) = stored.get_mut(list) {
        facts.as_array_mut().unwrap().retain(|_| is_kept.next() == Some(true));
    }
}
