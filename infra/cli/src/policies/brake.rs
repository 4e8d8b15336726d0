//! The brake: how many accounts a version would newly restrict, before it is published.

use chrono::{DateTime, Utc};
use duewatch_domain::assessment::{PolicyComparison, TreatmentChange, compare};
use duewatch_domain::kernel::{AccountId, start_of_day};
use duewatch_domain::{Account, Policy};
use duewatch_store::{Store, StoreError};

use super::each_account;

/// The examples that a judgement names.
const MAX_EXAMPLES: usize = 5;

/// The share of accounts that a version may newly restrict, and what the publisher accepts beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// In percent of the judged accounts.
    pub at_most_percent: u32,
    /// The exact number of accounts that the publisher accepts to restrict.
    pub accepted: Option<u64>,
}

impl Default for Brake {
    fn default() -> Self {
        Self { at_most_percent: 1, accepted: None }
    }
}

/// The accounts that a version would newly restrict, compared with the version before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The judged accounts.
    pub accounts: u64,
    /// Those under a new or stricter restriction.
    pub restricted: u64,
    /// Some of them, with their stages before and after.
    pub examples: Vec<String>,
    /// Whether other accounts were not judged.
    pub is_sample: bool,
}

/// Why a version stops before its publication.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrakeError {
    #[error(
        "{}, more than {percent} %: nothing is published. To publish all the same, say --accept-restricting {}",
        judgement.summary(), judgement.restricted
    )]
    TooMany { judgement: Judgement, percent: u32 },
    #[error("{}, and --accept-restricting names {accepted}: nothing is published", judgement.summary())]
    OtherNumber { judgement: Judgement, accepted: u64 },
    #[error(
        "none of the accounts that were looked at is under the policy: nothing is published. Judge a portfolio file \
         with --book, or say --accept-restricting 0"
    )]
    NothingJudged,
}

impl Judgement {
    /// The accounts under a policy in the table, or a sample of them, each at `now` or when the version takes
    /// effect.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn of_table(
        store: &Store,
        before: &Policy,
        next: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let (before, next) = (noticed(before), noticed(next));
        let mut judgement = Self::default();
        let sample = each_account(store, &next.id, |account| {
            let at = start_of_day(account.time_zone, next.effective_on).max(now);
            judgement.add(account, &compare(account, &before, &next, at));
        });
        let sample = sample.await?;
        judgement.is_sample = !sample.is_whole;
        Ok(judgement)
    }

    /// Judges one account more.
    pub fn add(&mut self, account: &Account, compared: &PolicyComparison<'_>) {
        self.accounts += 1;
        if compared.change() != TreatmentChange::Restricted {
            return;
        }
        self.restricted += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(example(&account.account_id, compared));
        }
    }

    /// The numbers and the examples, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let of = if self.is_sample { "a sample of " } else { "" };
        let examples = self.examples.join(", ");
        let colon = if examples.is_empty() { "" } else { ": " };
        let more = if self.restricted > self.examples.len() as u64 { ", ..." } else { "" };
        format!(
            "{} of {of}{} accounts would be newly restricted{colon}{examples}{more}",
            self.restricted, self.accounts
        )
    }

    /// Whether the version may be published.
    ///
    /// # Errors
    /// When it would newly restrict more accounts than the brake lets through.
    pub fn check(&self, brake: Brake) -> Result<(), BrakeError> {
        match brake.accepted {
            Some(accepted) if accepted == self.restricted => Ok(()),
            _ if self.accounts == 0 && self.is_sample => Err(BrakeError::NothingJudged),
            _ if self.restricted * 100 <= self.accounts * u64::from(brake.at_most_percent) => Ok(()),
            Some(accepted) => Err(BrakeError::OtherNumber { judgement: self.clone(), accepted }),
            None => Err(BrakeError::TooMany { judgement: self.clone(), percent: brake.at_most_percent }),
        }
    }
}

fn example(account_id: &AccountId, compared: &PolicyComparison<'_>) -> String {
    let (from, to) = (compared.from.stage_name(), compared.to.stage_name());
    let restrictions: Vec<String> = compared.to.restrictions().iter().map(ToString::to_string).collect();
    format!("{account_id} ({from} -> {to}: {})", restrictions.join(", "))
}

/// The policy with every notice sent long ago: a restriction that waits for its notice counts as one.
pub(super) fn noticed(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    let imposed = policy.customer.iter_mut().flat_map(|rule| &mut rule.restrictions);
    let restrictions = policy.stages.iter_mut().flat_map(|stage| &mut stage.restrictions).chain(imposed);
    restrictions.for_each(|restriction| restriction.notice_days = None);
    policy
}
