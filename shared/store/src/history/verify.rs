//! Verification of a history: complete and unchanged.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::Revision;

use super::entry::{hash_of, image_digest};
use super::{HistoryEntry, NO_HASH};
use crate::StoreError;

/// A break in a history's chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryBreak {
    /// These revisions have no entries, and none has expired: they were never recorded, or were removed.
    #[error("revisions {from} to {to} are missing")]
    Missing { from: Revision, to: Revision },
    /// The entry's hash does not match its text.
    #[error("revision {0}: the entry is not what its hash was taken of")]
    HashDiffers(Revision),
    /// The preceding entry is not the one that the entry followed at its writing.
    #[error("revision {revision}: the entry of revision {follows} is not the one that it followed")]
    PreviousDiffers {
        /// The revision of the entry.
        revision: Revision,
        /// The revision of the preceding entry that it names.
        follows: Revision,
    },
    /// The entry's text names another account or revision, or is malformed.
    #[error("revision {0}: the entry is not of this account and revision")]
    Misplaced(Revision),
    /// The account at this revision does not match the entry's digest.
    #[error("revision {0}: the account is not the one that the entry was made of")]
    ImageDiffers(Revision),
    /// The newest revisions have no entries: they are not recorded yet, or were removed.
    #[error(
        "the account stands at revision {account}, the history ends at {history}: not recorded yet, or taken away"
    )]
    Behind {
        /// The revision of the newest entry; 0 where there is none.
        history: Revision,
        /// The account's revision.
        account: Revision,
    },
    /// The history is ahead of the account: the account was restored to an older state.
    #[error("the history has revision {history}, the account stands at {account}")]
    Ahead {
        /// The revision of the newest entry.
        history: Revision,
        /// The account's revision.
        account: Revision,
    },
}

/// Verifies a history of any length entry by entry, oldest first.
#[derive(Debug)]
pub struct Verifier {
    now: DateTime<Utc>,
    known_from: Revision,
    known: BTreeMap<Revision, KnownEntry>,
    /// The first and the last missing revision that an entry above them states to have expired, and that entry.
    expired: Vec<(Revision, Revision, Revision)>,
    newest_image: Option<String>,
}

/// What is remembered of an entry.
#[derive(Debug)]
struct KnownEntry {
    hash: String,
    follows: Revision,
    written_on: Option<NaiveDate>,
    recorded_on: Option<NaiveDate>,
}

impl Verifier {
    /// A verifier that accepts as expired the entries whose retention ended by `now`.
    #[must_use]
    pub const fn new(now: DateTime<Utc>) -> Self {
        Self { now, known_from: Revision(1), known: BTreeMap::new(), expired: Vec::new(), newest_image: None }
    }

    /// The revision from which the history is known: 1, unless entries below have expired. A few entries
    /// further below may still be there.
    #[must_use]
    pub const fn known_from(&self) -> Revision {
        self.known_from
    }

    /// The greatest revision so far; 0 before the first entry.
    pub(crate) fn newest(&self) -> Revision {
        self.known.last_key_value().map_or(Revision(0), |(revision, _)| *revision)
    }

    /// The revisions that have entries.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = Revision> + '_ {
        self.known.keys().copied()
    }

    /// The hash of an entry.
    pub(crate) fn hash(&self, revision: Revision) -> Option<&String> {
        self.known.get(&revision).map(|entry| &entry.hash)
    }

    /// The revision whose entry an entry follows; none where that is missing.
    pub(crate) fn follows(&self, revision: Revision) -> Option<Revision> {
        let follows = self.known.get(&revision)?.follows;
        self.known.contains_key(&follows).then_some(follows)
    }

    /// The date (UTC) on which the text of an entry says that its revision was written.
    pub(crate) fn written_on(&self, revision: Revision) -> Option<NaiveDate> {
        self.known.get(&revision)?.written_on
    }

    /// The date (UTC) in whose index an entry stands.
    pub(crate) fn recorded_on(&self, revision: Revision) -> Option<NaiveDate> {
        self.known.get(&revision)?.recorded_on
    }

    /// The stretches of missing revisions, each with the entry above that states them to have expired.
    pub(crate) fn expired(&self) -> impl Iterator<Item = (Revision, Revision, Revision)> + '_ {
        self.expired.iter().copied()
    }

    /// Takes the next entry, and returns the breaks it reveals.
    pub fn take(&mut self, entry: &HistoryEntry) -> Vec<HistoryBreak> {
        let revision = entry.revision;
        let mut breaks = Vec::new();
        let content = entry.content();
        let expected = self.newest().next();
        if expected < revision {
            let until = content.as_ref().and_then(|content| content.kept_below_until);
            if until.is_some_and(|until| until <= self.now) {
                self.known_from = revision;
                self.expired.push((expected, Revision(revision.0 - 1), revision));
            } else {
                breaks.push(HistoryBreak::Missing { from: expected, to: Revision(revision.0 - 1) });
            }
        }
        if hash_of(&entry.previous, &entry.entry) != entry.hash {
            breaks.push(HistoryBreak::HashDiffers(revision));
        }
        let is_previous = match self.known.get(&entry.follows) {
            Some(followed) => followed.hash == entry.previous,
            None if entry.follows == Revision(0) => entry.previous == NO_HASH,
            // The followed entry is missing: reported above as a gap, or expired.
            None => entry.follows < revision,
        };
        if !is_previous {
            breaks.push(HistoryBreak::PreviousDiffers { revision, follows: entry.follows });
        }
        if content
            .as_ref()
            .is_none_or(|content| content.account_id != entry.account_id || content.revision != revision)
        {
            breaks.push(HistoryBreak::Misplaced(revision));
        }
        let known = KnownEntry {
            hash: entry.hash.clone(),
            follows: entry.follows,
            written_on: content.as_ref().map(|content| content.at.date_naive()),
            recorded_on: entry.recorded_on,
        };
        self.known.insert(revision, known);
        self.newest_image = content.map(|content| content.image);
        breaks
    }

    /// Takes the end of the history and the account's current state. Returns the break between the two, if
    /// any.
    ///
    /// # Errors
    /// When the account cannot be written as JSON, which would be a bug.
    pub fn end(&self, account: &Account) -> Result<Option<HistoryBreak>, StoreError> {
        let (history, revision) = (self.newest(), account.revision);
        Ok(match history.cmp(&revision) {
            Ordering::Less => Some(HistoryBreak::Behind { history, account: revision }),
            Ordering::Greater => Some(HistoryBreak::Ahead { history, account: revision }),
            Ordering::Equal => {
                let is_same = self.newest_image.as_ref() == Some(&image_digest(account)?);
                (!is_same).then_some(HistoryBreak::ImageDiffers(revision))
            }
        })
    }
}

/// Verifies a whole history, oldest entry first, against the current account. Each hash must match its entry,
/// and each entry must follow the one it names. No revision may be missing except those expired by `now`, and
/// the newest entry must match the account. Empty where the history is complete and unchanged.
///
/// # Errors
/// When the account cannot be written as JSON, which would be a bug.
pub fn verify_history(
    entries: &[HistoryEntry],
    account: &Account,
    now: DateTime<Utc>,
) -> Result<Vec<HistoryBreak>, StoreError> {
    let mut verifier = Verifier::new(now);
    let mut breaks: Vec<HistoryBreak> = entries.iter().flat_map(|entry| verifier.take(entry)).collect();
    breaks.extend(verifier.end(account)?);
    Ok(breaks)
}
