//! `audit`: prints an account's history, entry by entry, and verifies that it is complete and unchanged.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_store::{HistoryBreak, HistoryEntry, Store, StoreError, Verifier};

/// The digits of a hash that are printed, enough to tell two entries apart.
const HASH_SHOWN: usize = 12;

/// Why an audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// The history is incomplete, or was changed.
    #[error("the history of account {account_id} does not verify:{}", lines(breaks))]
    Broken {
        account_id: AccountId,
        /// Every break, oldest first.
        breaks: Vec<HistoryBreak>,
    },
    /// The store failed, or an entry cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

fn lines(breaks: &[HistoryBreak]) -> String {
    breaks.iter().map(|one| format!("\n  {one}")).collect()
}

/// Prints an account's history, a line an entry, and verifies it: the chain of hashes, that no revision is
/// missing but those expired by `now`, and that the newest entry matches the account.
///
/// # Errors
/// [`AuditError::Broken`] with every break where it does not verify.
pub async fn audit(
    store: &Store,
    account_id: &AccountId,
    now: DateTime<Utc>,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    let mut verifier = Verifier::new(now);
    let mut breaks = Vec::new();
    let mut stage = None;
    let mut above = Revision(0);
    loop {
        let page = store.history_above(account_id, above).await?;
        for entry in &page {
            breaks.extend(verifier.take(entry));
            writeln!(out, "{}", line(entry, &mut stage))?;
            above = entry.revision;
        }
        if page.is_empty() {
            break;
        }
    }
    // The account is read last: a write in between leaves the history behind, never ahead.
    let stored = store.account(account_id).await?;
    let account = stored.ok_or_else(|| AuditError::NoAccount(account_id.clone()))?.account;
    breaks.extend(verifier.end(&account)?);
    if !breaks.is_empty() {
        return Err(AuditError::Broken { account_id: account_id.clone(), breaks });
    }
    let (known_from, newest) = (verifier.known_from(), account.revision);
    let there = if known_from == Revision(1) {
        format!("{newest} of {newest} revisions are there, unchanged")
    } else {
        format!("revisions {known_from} to {newest} are there, unchanged; what lay below has expired")
    };
    writeln!(out, "{there}; the account is what the last one says")?;
    Ok(())
}

/// An entry's line. `stage` is the stage of the entry before, and becomes that of this one.
fn line(entry: &HistoryEntry, stage: &mut Option<String>) -> String {
    let hash = entry.hash.get(..HASH_SHOWN).unwrap_or(&entry.hash);
    let Some(content) = entry.content() else {
        return format!("{:>8}  it cannot be read  {hash}", entry.revision);
    };
    let to = content.stage.to_string();
    let change = match stage.as_ref().filter(|from| **from != to) {
        Some(from) => format!("{from} -> {to}"),
        None => to.clone(),
    };
    *stage = Some(to);
    let at = content.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{:>8}  {at}  {change:<28}  {hash}", entry.revision)
}
