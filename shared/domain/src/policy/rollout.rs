//! The rollout of a stricter version: it binds the accounts by cohorts, one after the other.

use rust_decimal::Decimal;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::document::shares;
use crate::kernel::AccountId;

/// The slots over which accounts are spread; the finest share is one of them.
pub const ROLLOUT_SLOTS: u32 = 10_000;

/// The most cohorts of a rollout.
pub const MAX_COHORTS: usize = 10;

/// How a version reaches the accounts for which it is stricter. An account's cohort follows from its id alone, so
/// that it is the same under every version and on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// The share of all accounts that a cohort makes up together with those before it, rising to 1.
    #[serde(deserialize_with = "shares")]
    pub shares: Vec<Decimal>,
    /// Days from the first date of a cohort to that of the next.
    pub pause_days: u32,
}

impl Rollout {
    /// The cohort of an account, from 0 on.
    #[must_use]
    pub fn cohort_of(&self, account_id: &AccountId) -> usize {
        let slot = Decimal::from(rollout_slot(account_id));
        let ends_behind = |share: &Decimal| slots(*share).is_none_or(|end| slot < end);
        self.shares.iter().position(ends_behind).unwrap_or(self.shares.len())
    }

    /// The days by which the version binds an account later than those of the first cohort.
    #[must_use]
    pub fn days_until(&self, account_id: &AccountId) -> i64 {
        i64::try_from(self.cohort_of(account_id)).unwrap_or(i64::MAX).saturating_mul(self.pause_days.into())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=MAX_COHORTS).contains(&self.shares.len()) {
            return Err(format!("shares: {} cohorts, not 1 to {MAX_COHORTS}", self.shares.len()));
        }
        let is_whole = |share: &Decimal| slots(*share).is_some_and(|slots| slots.is_integer());
        if let Some(share) = self.shares.iter().find(|share| !is_whole(share)) {
            return Err(format!("shares: {share} is no multiple of 0.0001"));
        }
        let rises = [Decimal::ZERO].iter().chain(&self.shares).is_sorted_by(|one, next| one < next);
        if !rises || self.shares.last() != Some(&Decimal::ONE) {
            return Err("shares: they rise from more than 0 to 1".to_owned());
        }
        Ok(())
    }
}

fn slots(share: Decimal) -> Option<Decimal> {
    share.checked_mul(ROLLOUT_SLOTS.into())
}

/// The slot of an account: the first eight bytes of the SHA-256 digest of its id in UTF-8, the most significant
/// first, modulo [`ROLLOUT_SLOTS`].
fn rollout_slot(account_id: &AccountId) -> u64 {
    let digest = Sha256::digest(account_id.as_str());
    let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    first % u64::from(ROLLOUT_SLOTS)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // Worked out with sha256sum.
    #[rstest]
    #[case("A-1", 5500)]
    #[case("A-7", 375)]
    #[case("A-535", 0)]
    #[case::other_letters("客户-1", 5299)]
    fn a_slot_follows_from_the_id(#[case] account_id: &str, #[case] slot: u64) {
        assert_eq!(rollout_slot(&account_id.parse().unwrap()), slot);
    }
}
