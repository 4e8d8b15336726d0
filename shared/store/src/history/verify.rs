//! Whether a history is whole and unchanged.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::Revision;

use super::entry::{hash_of, image_digest};
use super::{HistoryEntry, NO_HASH};
use crate::StoreError;

/// Where a history is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryBreak {
    /// There are no entries of these revisions, and they have not had their time: they never
    /// came, or were taken away.
    #[error("revisions {from} to {to} are missing")]
    Missing {
        /// The first of them.
        from: Revision,
        /// The last of them.
        to: Revision,
    },
    /// The entry's own hash is not that of what it says.
    #[error("revision {0}: the entry is not what its hash was taken of")]
    HashDiffers(Revision),
    /// The entry that it follows is not the one that it followed when it was written.
    #[error("revision {revision}: the entry of revision {follows} is not the one that it followed")]
    PreviousDiffers {
        /// Whose entry.
        revision: Revision,
        /// Which one it names.
        follows: Revision,
    },
    /// It says that it is of another account or revision, or says nothing that can be read.
    #[error("revision {0}: the entry is not of this account and revision")]
    Misplaced(Revision),
    /// The account stands at this revision, and is not what the entry says.
    #[error("revision {0}: the account is not the one that the entry was made of")]
    ImageDiffers(Revision),
    /// The newest revisions have no entries: they are not recorded yet, or were taken away.
    #[error(
        "the account stands at revision {account}, the history ends at {history}: not recorded yet, or taken away"
    )]
    Behind {
        /// The newest entry's; 0: there is none.
        history: Revision,
        /// The account's.
        account: Revision,
    },
    /// The history goes on although the account has not come that far: it was put back.
    #[error("the history has revision {history}, the account stands at {account}")]
    Ahead {
        /// The newest entry's.
        history: Revision,
        /// The account's.
        account: Revision,
    },
}

/// Verifies a history entry by entry, oldest first, however long it is.
#[derive(Debug)]
pub struct Verifier {
    now: DateTime<Utc>,
    known_from: Revision,
    hashes: BTreeMap<Revision, String>,
    newest_image: Option<String>,
}

impl Verifier {
    /// A verifier that takes what has had its time by `now` for expired.
    #[must_use]
    pub const fn new(now: DateTime<Utc>) -> Self {
        Self { now, known_from: Revision(1), hashes: BTreeMap::new(), newest_image: None }
    }

    /// From which revision on the history is known: 1, unless what lay below has expired. A
    /// few entries from below may still be there.
    #[must_use]
    pub const fn known_from(&self) -> Revision {
        self.known_from
    }

    /// The greatest revision so far; 0: none.
    fn newest(&self) -> Revision {
        self.hashes.last_key_value().map_or(Revision(0), |(revision, _)| *revision)
    }

    /// Takes the next entry, and says where it breaks.
    pub fn take(&mut self, entry: &HistoryEntry) -> Vec<HistoryBreak> {
        let revision = entry.revision;
        let mut breaks = Vec::new();
        let told = entry.told();
        let expected = self.newest().next();
        if expected < revision {
            let until = told.as_ref().and_then(|told| told.kept_below_until);
            if until.is_some_and(|until| until <= self.now) {
                self.known_from = revision;
            } else {
                breaks.push(HistoryBreak::Missing { from: expected, to: Revision(revision.0 - 1) });
            }
        }
        if hash_of(&entry.previous, &entry.entry) != entry.hash {
            breaks.push(HistoryBreak::HashDiffers(revision));
        }
        let is_previous = match self.hashes.get(&entry.follows) {
            Some(hash) => *hash == entry.previous,
            None if entry.follows == Revision(0) => entry.previous == NO_HASH,
            // It is missing, and was said to be or has expired.
            None => entry.follows < revision,
        };
        if !is_previous {
            breaks.push(HistoryBreak::PreviousDiffers { revision, follows: entry.follows });
        }
        if told.as_ref().is_none_or(|told| told.account_id != entry.account_id || told.revision != revision) {
            breaks.push(HistoryBreak::Misplaced(revision));
        }
        self.hashes.insert(revision, entry.hash.clone());
        self.newest_image = told.map(|told| told.image);
        breaks
    }

    /// There are no more entries; the account stands like this. Says where that breaks.
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

/// Verifies a whole history, oldest entry first, against the account as it stands: each
/// hash is that of its entry, each entry follows the one it names, no revision is missing,
/// but what had its time by `now`, and the newest is what the account is. None: it is whole
/// and unchanged.
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
