//! One account's chain beside the anchors: whether the history is still what they say that it was.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use duewatch_domain::kernel::{AccountId, Revision};

use super::Anchor;
use super::parts::{entry_of, is_root_of};
use crate::history::Verifier;
use crate::{Store, StoreError, VerifyingKey, keys};

/// The days after which the latest anchor is late: it is made within a day and a half of its day's end.
const LATE_AFTER: Days = Days::new(3);

/// A contradiction among the anchors, or between them and a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorBreak {
    /// A key was named, so there must be anchors.
    #[error("there is no anchor")]
    NoAnchors,
    /// An anchor between is missing, or was made anew.
    #[error("the anchor of {0} is not the one that follows the anchor before it")]
    OutOfLine(NaiveDate),
    #[error("the anchor of {0} is not signed by the key, or is not what was signed")]
    NotGenuine(NaiveDate),
    /// The lines of the account's shard are not those that were signed.
    #[error("the anchor of {0} does not list the chains that were signed")]
    LinesDiffer(NaiveDate),
    #[error("there is no anchor since that of {0}")]
    Late(NaiveDate),
    /// An anchor went out with that digest: it was removed, or made anew.
    #[error("no anchor has the digest {0}, which went out")]
    Unwitnessed(String),
    #[error("revision {revision}: the entry is not the one that was anchored on {day}")]
    EntryDiffers { revision: Revision, day: NaiveDate },
    #[error("revision {revision} was anchored on {day} and is missing")]
    Gone { revision: Revision, day: NaiveDate },
    #[error("the history ends at revision {newest}; revision {revision} was anchored on {day}")]
    CutOff { newest: Revision, revision: Revision, day: NaiveDate },
    /// The entry is old enough to be in an anchor, and is in none.
    #[error("revision {revision}: no anchor up to {last} vouches for the entry")]
    NotAnchored { revision: Revision, last: NaiveDate },
    #[error("revisions {from} to {to} are missing; no anchor vouches that they have expired")]
    ExpiredByItself { from: Revision, to: Revision },
}

/// The entries of one account's chain that the anchors list.
#[derive(Clone, Debug, Default)]
pub struct AnchoredChain {
    /// The days of the first and of the last anchor.
    days: Option<(NaiveDate, NaiveDate)>,
    /// The public key that the last anchor names.
    pub public_key: Option<String>,
    /// The anchored entries, by day.
    entries: Vec<(NaiveDate, Revision, String)>,
    /// The contradictions among the anchors.
    breaks: Vec<AnchorBreak>,
}

/// Keys and digests that are known from outside the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnchorWitness {
    /// The public keys that sign anchors. Without one, the key that the first anchor names is believed.
    pub keys: Vec<VerifyingKey>,
    /// Digests of anchors that went out.
    pub digests: Vec<String>,
}

/// The part of a chain that the anchors vouch for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vouched {
    /// The day of the chain's first anchor; none: it is in no anchor yet.
    pub since: Option<NaiveDate>,
    /// The greatest revision that is in an anchor.
    pub up_to: Revision,
    /// Whether entries have expired for which no anchor vouches, for they are older than the first.
    pub expired_before: bool,
}

/// Reads the entries of an account's chain from the anchors, and verifies the anchors by the witness from outside.
///
/// # Errors
/// When a call fails or an anchor cannot be read.
pub async fn read_anchored_chain(
    store: &Store,
    account_id: &AccountId,
    witness: &AnchorWitness,
) -> Result<AnchoredChain, StoreError> {
    let anchors = store.anchors().await?;
    let mut chain = AnchoredChain {
        days: anchors.first().zip(anchors.last()).map(|(first, last)| (first.day, last.day)),
        public_key: anchors.last().map(|last| last.public_key.clone()),
        ..AnchoredChain::default()
    };
    if anchors.is_empty() && !witness.keys.is_empty() {
        chain.breaks.push(AnchorBreak::NoAnchors);
    }
    let named: Vec<VerifyingKey> =
        anchors.first().and_then(|first| first.public_key.parse().ok()).into_iter().collect();
    let keys = if witness.keys.is_empty() { &named } else { &witness.keys };
    let there: BTreeSet<String> = anchors.iter().map(Anchor::digest).collect();
    let unseen = witness.digests.iter().filter(|digest| !there.contains(*digest));
    chain.breaks.extend(unseen.cloned().map(AnchorBreak::Unwitnessed));
    let mut before: Option<&Anchor> = None;
    for anchor in &anchors {
        if !anchor.follows(before) {
            chain.breaks.push(AnchorBreak::OutOfLine(anchor.day));
        }
        if !anchor.is_genuine(keys) {
            chain.breaks.push(AnchorBreak::NotGenuine(anchor.day));
        }
        chain.read_lines(store, account_id, anchor).await?;
        before = Some(anchor);
    }
    Ok(chain)
}

impl AnchoredChain {
    /// Reads the lines of the account's shard of a day.
    async fn read_lines(
        &mut self,
        store: &Store,
        account_id: &AccountId,
        anchor: &Anchor,
    ) -> Result<(), StoreError> {
        let shard = keys::anchor_shard_of(account_id);
        let stored = store.stored_shard(&keys::anchored_shard(anchor.day, shard)).await?;
        // Of an empty shard nothing is stored.
        let lines = stored.map(|(_, lines)| lines).unwrap_or_default();
        let root = usize::try_from(shard).ok().and_then(|shard| anchor.shards.get(shard));
        if !root.is_some_and(|root| is_root_of(root, &lines)) {
            self.breaks.push(AnchorBreak::LinesDiffer(anchor.day));
        }
        let entries = lines.iter().filter_map(|line| entry_of(line, account_id.as_str()));
        self.entries.extend(entries.map(|(revision, hash)| (anchor.day, revision, hash)));
        Ok(())
    }

    /// Compares a history, which the verifier has taken whole, with the anchors.
    #[must_use]
    pub fn compare(&self, history: &Verifier, now: DateTime<Utc>) -> (Vec<AnchorBreak>, Vouched) {
        let mut breaks = self.breaks.clone();
        let Some((first, last)) = self.days else {
            let expired_before = history.expired().next().is_some();
            return (breaks, Vouched { expired_before, ..Vouched::default() });
        };
        if last.checked_add_days(LATE_AFTER).is_some_and(|late| late < now.date_naive()) {
            breaks.push(AnchorBreak::Late(last));
        }
        let covered = self.covered(history);
        let mut vouched = Vouched {
            since: self.entries.first().map(|(day, _, _)| *day),
            up_to: covered.last().copied().unwrap_or_default(),
            expired_before: false,
        };
        let before_the_first =
            |revision: Revision| history.written_on(revision).is_some_and(|written| written <= first);
        let mut expired = Vec::new();
        for (from, to, above) in history.expired() {
            if covered.contains(&above) {
                expired.push((from, to));
            } else if before_the_first(above) {
                vouched.expired_before = true;
            } else {
                breaks.push(AnchorBreak::ExpiredByItself { from, to });
            }
        }
        let has_expired =
            |revision: Revision| expired.iter().any(|(from, to)| (*from..=*to).contains(&revision));
        for (day, revision, hash) in &self.entries {
            let (day, revision, newest) = (*day, *revision, history.newest());
            match history.hash(revision) {
                Some(there) if there == hash => {}
                Some(_) => breaks.push(AnchorBreak::EntryDiffers { revision, day }),
                None if revision > newest => breaks.push(AnchorBreak::CutOff { newest, revision, day }),
                None if has_expired(revision) => {}
                None => breaks.push(AnchorBreak::Gone { revision, day }),
            }
        }
        let oldest = self.entries.iter().map(|(_, revision, _)| *revision).min();
        let is_early = |revision| before_the_first(revision) && oldest.is_none_or(|oldest| revision < oldest);
        let is_new = |revision| {
            let recorded = history.recorded_on(revision);
            recorded.is_some_and(|recorded| last < recorded && recorded <= now.date_naive())
        };
        for revision in history.revisions().filter(|revision| !covered.contains(revision)) {
            if !is_early(revision) && !is_new(revision) {
                breaks.push(AnchorBreak::NotAnchored { revision, last });
            }
        }
        (breaks, vouched)
    }

    /// The revisions that an anchored entry vouches for: itself, and all that it follows.
    fn covered(&self, history: &Verifier) -> BTreeSet<Revision> {
        let mut covered = BTreeSet::new();
        for (_, revision, hash) in &self.entries {
            let mut at = Some(*revision).filter(|revision| history.hash(*revision) == Some(hash));
            while let Some(revision) = at.filter(|revision| covered.insert(*revision)) {
                at = history.follows(revision);
            }
        }
        covered
    }
}
