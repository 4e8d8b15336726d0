//! The amount that clears an account, today and tomorrow.

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::{Money, business_date, end_of_day, plus_days};
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, assess};
use serde::Serialize;

use crate::account::amount;

/// The amounts that leave nothing overdue, late fees included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clearing {
    /// Paid today.
    pub today: String,
    /// Paid by the end of tomorrow, if no fact changes until then: an installment may fall due, a late fee grows,
    /// and a version of the policy may begin to bind.
    pub tomorrow: String,
}

impl Clearing {
    /// The amounts as of an instant.
    pub(crate) fn on(account: &Account, versions: &Versions, overdue: Money, at: DateTime<Utc>) -> Self {
        let tomorrow = plus_days(business_date(account.time_zone, at), 1);
        let end = end_of_day(account.time_zone, tomorrow).max(at);
        let then = assess(account, versions.timeline(account, end), end);
        Self { today: amount(account, overdue), tomorrow: amount(account, then.figures.overdue) }
    }
}
