//! The versions of a policy: who published each, from when on it binds, and how many accounts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::MAX_VERSIONS;
use duewatch_store::{HoldScope, OperatorHold, PublishedPolicy, Store, StoreError};
use serde::Serialize;

use super::{TableSample, each_account};
use crate::table::TextTable;

/// The newest versions of a policy.
#[derive(Clone, Debug)]
pub struct PolicyList {
    /// Newest first.
    versions: Vec<PublishedPolicy>,
    /// The accounts that each version assessed last.
    binds: BTreeMap<u32, u64>,
    sample: TableSample,
    hold: Option<OperatorHold>,
}

/// Lists the newest versions of a policy, and counts the accounts under each in the table or in a sample of it.
///
/// # Errors
/// [`StoreError::UnknownPolicy`] when it was never published; or when a call fails.
pub async fn list(store: &Store, id: &PolicyId) -> Result<PolicyList, StoreError> {
    let versions = store.published_policies(id, MAX_VERSIONS).await?;
    if versions.is_empty() {
        return Err(StoreError::UnknownPolicy(id.to_string()));
    }
    let mut binds: BTreeMap<u32, u64> = BTreeMap::new();
    let sample = each_account(store, id, |account| {
        if let Some(policy) = &account.status.policy {
            *binds.entry(policy.version).or_default() += 1;
        }
    });
    let sample = sample.await?;
    let hold = store.hold(HoldScope::Restrictions).await?;
    Ok(PolicyList { versions, binds, sample, hold })
}

#[derive(Serialize)]
struct VersionLine<'a> {
    version: u32,
    effective_on: NaiveDate,
    published_at: Option<DateTime<Utc>>,
    published_by: Option<&'a str>,
    approved_by: Option<&'a str>,
    backdated: Option<&'a str>,
    digest: &'a str,
    accounts: u64,
    /// Whether all accounts were counted.
    counted_all: bool,
}

impl PolicyList {
    fn lines(&self) -> impl Iterator<Item = VersionLine<'_>> {
        self.versions.iter().map(|published| {
            let publication = published.publication.as_ref();
            VersionLine {
                version: published.policy.version,
                effective_on: published.policy.effective_on,
                published_at: publication.map(|one| one.at),
                published_by: publication.map(|one| one.by.as_str()),
                approved_by: publication.and_then(|one| one.approved_by.as_deref()),
                backdated: publication.and_then(|one| one.backdated.as_deref()),
                digest: &published.digest,
                accounts: self.binds.get(&published.policy.version).copied().unwrap_or_default(),
                counted_all: self.sample.is_whole,
            }
        })
    }

    /// Writes a line of JSON for each version, for scripts.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        for line in self.lines() {
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// Writes the versions as a table, for people.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let headings =
            ["version", "effective on", "published at", "published by", "approved by", "digest", "accounts"];
        let mut table = TextTable::new(&headings).figures_from(headings.len() - 1);
        let none = || "-".to_owned();
        for line in self.lines() {
            let at = line.published_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
            table.row([
                line.version.to_string(),
                line.effective_on.to_string(),
                at.unwrap_or_else(none),
                line.published_by.map_or_else(none, printed),
                line.approved_by.map_or_else(none, printed),
                line.digest.chars().take(12).collect(),
                line.accounts.to_string(),
            ]);
        }
        write!(out, "{table}")?;
        if !self.sample.is_whole {
            writeln!(out, "Accounts are counted among the first {} of the table.", self.sample.looked_at)?;
        }
        if let Some(hold) = self.hold.as_ref().filter(|hold| hold.is_on) {
            let at = hold.at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let (by, reason) = (printed(&hold.by), printed(&hold.reason));
            writeln!(out, "New restrictions are on hold since {at}, by {by}: {reason}")?;
        }
        Ok(())
    }
}

/// Items may hold any text.
fn printed(text: &str) -> String {
    text.chars().filter(|mark| !mark.is_control()).collect()
}
