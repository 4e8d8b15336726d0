//! The publication of a policy version.
//!
//! The version is written first. Once every function assesses by it, every account under the policy is queued
//! for evaluation: only then does each account know when the version binds it, and announce it where that is
//! owed. The evaluations are spread over the remaining time, so that neither the sweep nor the delivery
//! providers bear all of them at once.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::{MAX_DAYS, Policy};
use duewatch_store::{AccountsOf, Store, StoreError};

use crate::progress::Progress;

/// No zone's date begins earlier than this before that of UTC.
const EARLIEST_ZONE: TimeDelta = TimeDelta::hours(14);
/// The shortest time over which accounts are spread.
const AT_LEAST: TimeDelta = TimeDelta::hours(1);

/// The queued accounts under a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    pub accounts: u64,
    /// Accounts whose next evaluation was too late, and is now in time.
    pub queued: u64,
    /// The time over which they are spread.
    pub spread: TimeDelta,
}

/// The time over which the accounts under a version are evaluated for the first time: until it takes effect
/// or, where it is announced, until the announcement must have left.
#[must_use]
pub fn spread(policy: &Policy, now: DateTime<Utc>) -> TimeDelta {
    let days = policy.announcement.as_ref().map_or(0, |announcement| announcement.days.min(MAX_DAYS));
    let effective = policy.effective_on.and_time(NaiveTime::MIN).and_utc() - EARLIEST_ZONE;
    (effective - TimeDelta::days(i64::from(days)) - now).max(AT_LEAST)
}

/// Queues every account under the version's policy for evaluation. A repeated call does no harm.
///
/// # Errors
/// When a call fails; the caller then calls again.
pub async fn queue_accounts(
    store: &Store,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Queued, StoreError> {
    store.check_due_shards().await?;
    let spread = spread(policy, now);
    let mut progress = Progress::new("queue", store.accounts_about().await?);
    let mut done = Queued { spread, ..Queued::default() };
    let (mut from, mut looked_at) = (None, 0);
    loop {
        let page = store.find_accounts(AccountsOf::Policy(&policy.id), from).await?;
        for account_id in page.account_ids.iter().filter_map(|id| id.parse::<AccountId>().ok()) {
            done.accounts += 1;
            let queued = store.evaluate_by(&account_id, now + share_of(spread, &account_id)).await?;
            done.queued += u64::from(queued);
        }
        looked_at += page.scanned;
        progress.set(looked_at);
        from = page.next;
        if from.is_none() {
            return Ok(done);
        }
    }
}

/// The account's offset within a time, by a hash of its id.
fn share_of(spread: TimeDelta, account_id: &AccountId) -> TimeDelta {
    let hash = i64::from(crc32fast::hash(account_id.as_str().as_bytes()));
    let seconds = i128::from(spread.num_seconds()) * i128::from(hash) / (i128::from(u32::MAX) + 1);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use duewatch_domain::policy;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::until_it_takes_effect("2023-12-01", "", "2023-11-30T10:00:00Z")]
    #[case::until_the_letter_must_have_left(
        "2023-12-01",
        "announcement = { days = 30, channel = \"sms\", template = \"t\" }",
        "2023-10-31T10:00:00Z"
    )]
    #[case::too_late("2023-10-01", "", "2023-10-01T01:00:00Z")]
    fn accounts_are_spread_over_the_time_that_is_left(
        #[case] effective_on: &str,
        #[case] table: &str,
        #[case] until: DateTime<Utc>,
    ) {
        let now: DateTime<Utc> = "2023-10-01T00:00:00Z".parse().unwrap();
        let text = format!("id = \"p\"\nversion = 2\neffective_on = {effective_on}\n{table}\n");
        let spread = spread(&policy::parse(&text).unwrap(), now);
        assert_eq!(now + spread, until);
        let shares: Vec<TimeDelta> =
            (0..1_000).map(|n| share_of(spread, &format!("A-{n}").parse().unwrap())).collect();
        assert!(shares.iter().all(|share| (TimeDelta::zero()..spread).contains(share)));
        let early = shares.iter().filter(|share| **share < spread / 2).count();
        assert!((400..600).contains(&early), "{early} of 1,000 in the first half");
    }
}
