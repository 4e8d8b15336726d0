//! `audit`: prints an account's history, entry by entry, and verifies that it is complete, unchanged, and what the
//! anchors say that it was.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_store::{
    AnchorBreak, AnchorWitness, HistoryBreak, HistoryEntry, Store, StoreError, Verifier, Vouched,
    read_anchored_chain,
};

/// The digits of a hash that are printed, enough to tell two entries apart.
const HASH_SHOWN: usize = 12;

/// Why an audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// The history is incomplete, was changed, or is not what was anchored.
    #[error("the history of account {account_id} does not verify:{}{}", lines(breaks), lines(anchors))]
    Broken {
        account_id: AccountId,
        /// Every break, oldest first.
        breaks: Vec<HistoryBreak>,
        /// Every contradiction to the anchors, and among them.
        anchors: Vec<AnchorBreak>,
    },
    /// The store failed, or an entry cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

fn lines(breaks: &[impl std::fmt::Display]) -> String {
    breaks.iter().map(|one| format!("\n  {one}")).collect()
}

/// Prints an account's history, a line an entry, and verifies it: the chain of hashes, that no revision is
/// missing but those expired by `now`, that the newest entry matches the account, and that it is what the anchors say
/// that it was. The anchors are verified by what the caller knows of them from outside.
///
/// # Errors
/// [`AuditError::Broken`] with every break where it does not verify.
pub async fn audit(
    store: &Store,
    account_id: &AccountId,
    witness: &AnchorWitness,
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
    let chain = read_anchored_chain(store, account_id, witness).await?;
    let (anchors, vouched) = chain.compare(&verifier, now);
    if !breaks.is_empty() || !anchors.is_empty() {
        return Err(AuditError::Broken { account_id: account_id.clone(), breaks, anchors });
    }
    let (known_from, newest) = (verifier.known_from(), account.revision);
    let there = if known_from == Revision(1) {
        format!("{newest} of {newest} revisions are there, unchanged")
    } else {
        format!("revisions {known_from} to {newest} are there, unchanged; what lay below has expired")
    };
    writeln!(out, "{there}; the account is what the last one says")?;
    writeln!(out, "{}", anchored(&vouched, newest))?;
    if let Some(key) = chain.public_key.filter(|_| witness.keys.is_empty()) {
        writeln!(out, "the anchors name the key {key}; compare it with what `operations` received")?;
    }
    Ok(())
}

/// The sentence about what the anchors vouch for.
fn anchored(vouched: &Vouched, newest: Revision) -> String {
    let until = match vouched.since {
        None => "no anchor vouches for the history yet".to_owned(),
        Some(since) if vouched.up_to < newest => {
            format!("anchored since {since}, up to revision {}; the rest is not anchored yet", vouched.up_to)
        }
        Some(since) => format!("anchored since {since}"),
    };
    if vouched.expired_before { format!("{until}; no anchor vouches for what has expired") } else { until }
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
