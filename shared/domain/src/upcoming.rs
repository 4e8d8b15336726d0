//! What happens to an account next, if nothing else happens: what a borrower is told of it.

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::Account;
use crate::allocation::owed;
use crate::ladder::outlook;
use crate::policy::{Policy, Stage};

/// A step up the ladder that comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upcoming<'p> {
    /// The stage that is reached, or whose restrictions take effect.
    pub stage: &'p Stage,
    /// On which date.
    pub on: NaiveDate,
}

/// The next step up the ladder; none: nothing gets worse by itself, or not before something else
/// becomes known.
///
/// It goes from change to change of the ladder's timetable; there are few of them.
#[must_use]
pub fn upcoming<'p>(account: &Account, policy: &'p Policy, now: DateTime<Utc>) -> Option<Upcoming<'p>> {
    let allocation = owed(account, policy);
    let rung = |stage: Option<&Stage>| policy.stages.iter().position(|one| Some(one) == stage);
    let today = policy.day_count.judged_day(account.time_zone, now);
    let stands = outlook(account, &allocation, policy, today);
    let mut day = stands.changes_on?;
    // Each stage begins, ends and takes effect at most once.
    for _ in 0..=3 * policy.stages.len() {
        let then = outlook(account, &allocation, policy, day);
        for (before, after) in [(stands.restricting, then.restricting), (stands.stage, then.stage)] {
            if let Some(stage) = after.filter(|_| rung(after) > rung(before)) {
                return Some(Upcoming { stage, on: day });
            }
        }
        day = then.changes_on.filter(|next| *next > day)?;
    }
    None
}
