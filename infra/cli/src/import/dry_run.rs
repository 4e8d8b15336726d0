//! `import --dry-run`: what a takeover would do to restrictions, without writing anything.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duewatch_app::{TransitionError, Transitions};
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Policy};
use duewatch_store::StoreError;

use super::past::{TakeOverError, Takeover, with_past};
use super::{AccountFault, ImportError, Portfolio};
use crate::progress::Progress;

/// What would become of one kind of restriction, in accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestrictionCounts {
    /// In force at the lender, and afterwards.
    pub kept: u64,
    /// In force at the lender, and not afterwards.
    pub eased: u64,
    /// In force afterwards alone.
    pub applied: u64,
}

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryRun {
    pub opened: u64,
    /// Accounts that exist already, and stay as they are.
    pub known: u64,
    /// By the restriction, its percent included.
    pub restrictions: BTreeMap<String, RestrictionCounts>,
}

/// Takes over every account in memory.
///
/// # Errors
/// The first account that cannot be taken over; when a call fails.
pub async fn dry_run(
    transitions: &Transitions,
    book: Portfolio<'_>,
    policy: Option<&Policy>,
    now: DateTime<Utc>,
) -> Result<DryRun, ImportError> {
    let Portfolio { path, accounts, mut past, takeover } = book;
    let mut progress = Progress::new("dry run", accounts.len() as u64);
    let (mut run, mut rules): (DryRun, HashMap<PolicyId, Arc<Versions>>) = Default::default();
    if let Some(policy) = policy
        && let Some(versions) = Versions::new(vec![policy.clone()])
    {
        rules.insert(policy.id.clone(), Arc::new(versions));
    }
    for (done, account) in accounts.into_iter().enumerate() {
        progress.set(done as u64);
        let (line, contract) = (account.line, account.value);
        let events = past.take(&contract.account_id);
        if transitions.store().account(&contract.account_id).await?.is_some() {
            run.known += 1;
            continue;
        }
        let fault = |TakeOverError { event, error }| {
            let (path, line) = event.map_or((path, line), |event| (past.path.as_path(), event));
            Box::new(AccountFault { path: path.display().to_string(), line, error })
        };
        let opened =
            Account::open(&contract).map_err(|refusal| fault(TransitionError::from(refusal).into()))?;
        let versions = match rules.get(&contract.policy_id) {
            Some(known) => known.clone(),
            None => match transitions.rules_of(&opened, now).await {
                Ok(found) => rules.entry(contract.policy_id.clone()).or_insert(found).clone(),
                Err(StoreError::UnknownPolicy(id)) => return Err(ImportError::NoPolicy(id)),
                Err(error) => return Err(error.into()),
            },
        };
        let (mut account, _) = with_past(&versions, opened, &events).map_err(fault)?;
        account.take_over(&contract.restrictions, takeover == Takeover::Keep);
        let taken =
            transitions.preview(account, &versions, now).await.map_err(|error| fault(error.into()))?;
        run.opened += 1;
        let (before, after) = (&contract.restrictions, &taken.status.restrictions);
        for restriction in before {
            let counts = run.restrictions.entry(restriction.to_string()).or_default();
            if after.contains(restriction) { counts.kept += 1 } else { counts.eased += 1 }
        }
        for restriction in after.iter().filter(|one| !before.contains(one)) {
            run.restrictions.entry(restriction.to_string()).or_default().applied += 1;
        }
    }
    Ok(run)
}

/// A line for each restriction.
impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (restriction, RestrictionCounts { kept, eased, applied }) in &self.restrictions {
            writeln!(f, "{restriction}: {kept} kept, {eased} eased, {applied} applied")?;
        }
        let Self { opened, known, .. } = self;
        write!(f, "{opened} accounts to be opened, {known} known already; nothing was written")
    }
}
