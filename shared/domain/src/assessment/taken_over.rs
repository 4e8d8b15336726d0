//! The restrictions of a book that was taken over: they stay while the account's stage gets no milder.

use std::borrow::Cow;

use crate::account::Account;
use crate::policy::{Policy, Restriction, Stage};

impl Account {
    /// Whether the restrictions that were taken over are in force on a stage.
    pub(super) fn keeps_taken_over(&self, policy: &Policy, stage: Option<&Stage>) -> bool {
        let Some(stage) = stage else { return false };
        let index = |name: &str| policy.stages.iter().position(|one| one.name.as_str() == name);
        index(stage.name.as_str()) >= index(self.status.stage.as_str())
    }
}

/// The restrictions of an account on a stage, then those that it keeps.
pub(super) fn beside_kept<'p>(
    restrictions: Cow<'p, [Restriction]>,
    account: &Account,
    policy: &Policy,
    stage: Option<&Stage>,
) -> Cow<'p, [Restriction]> {
    if account.taken_over.is_empty() || !account.keeps_taken_over(policy, stage) {
        return restrictions;
    }
    let mut all = restrictions.into_owned();
    for kept in &account.taken_over {
        if !all.contains(kept) {
            all.push(kept.clone());
        }
    }
    Cow::Owned(all)
}
