//! What was found, and how it is told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use duewatch_domain::shown;
use duewatch_notify::{Message, OperationsKind, operations_today};

use crate::NAME;

/// How many ids a message names.
const NAMED: usize = 5;

/// What can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// No sweep has looked at an account in time.
    Late,
    /// An account waits for something and is not in the due index.
    NotDue,
    /// An account does not stand as `assess` says, or cannot be judged at all.
    Unconfirmed,
    /// An account does not know of money that came in for it.
    Unposted,
    /// The history lacks an account's revision.
    HistoryBehind,
    /// Something that an account's revisions say was not sent.
    Unpublished,
    /// One of the customer's other accounts does not know what an account asks of them.
    Unheeded,
    /// A payment has waited for its account for long.
    Parked,
}

impl Gap {
    /// The name by which it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::NotDue => "not_due",
            Self::Unconfirmed => "unconfirmed",
            Self::Unposted => "unposted",
            Self::HistoryBehind => "history_behind",
            Self::Unpublished => "unpublished",
            Self::Unheeded => "unheeded",
            Self::Parked => "parked",
        }
    }
}

type Subjects = BTreeMap<Gap, BTreeSet<String>>;

/// What a firing has found: accounts, or payments that are parked.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    repaired: Subjects,
    open: Subjects,
}

impl Findings {
    pub(crate) fn add(&mut self, gap: Gap, subject: &str, is_repaired: bool) {
        let subjects = if is_repaired { &mut self.repaired } else { &mut self.open };
        subjects.entry(gap).or_default().insert(shown(subject.to_owned()));
    }

    pub(crate) fn count(&self, gap: Gap) -> usize {
        [&self.repaired, &self.open].into_iter().filter_map(|all| all.get(&gap)).map(BTreeSet::len).sum()
    }

    pub(crate) fn repaired(&self) -> usize {
        self.repaired.values().map(BTreeSet::len).sum()
    }

    pub(crate) fn open(&self) -> usize {
        self.open.values().map(BTreeSet::len).sum()
    }

    /// Whether anything could not be made good.
    pub(crate) fn rings(&self) -> bool {
        !self.open.is_empty()
    }

    /// One message for each kind that could not be made good, and one for all that was. The
    /// same again on the same day has the same id.
    pub(crate) fn messages(&self, now: DateTime<Utc>) -> Vec<Message> {
        let mut messages = Vec::new();
        for (gap, subjects) in &self.open {
            let told = told(subjects);
            let subject = gap.as_str();
            messages.push(operations_today(
                OperationsKind::GapFound,
                NAME,
                subject,
                &key([(gap, subjects)]),
                &told,
                now,
            ));
        }
        if !self.repaired.is_empty() {
            let told: Vec<String> = self
                .repaired
                .iter()
                .map(|(gap, subjects)| format!("{} {}", gap.as_str(), told(subjects)))
                .collect();
            messages.push(operations_today(
                OperationsKind::GapsRepaired,
                NAME,
                "repaired",
                &key(&self.repaired),
                &told.join("; "),
                now,
            ));
        }
        messages
    }
}

/// How many, and which: at most the first few.
fn told(subjects: &BTreeSet<String>) -> String {
    let named: Vec<&str> = subjects.iter().take(NAMED).map(String::as_str).collect();
    let more = if subjects.len() > NAMED { ", ..." } else { "" };
    format!("{}: {}{more}", subjects.len(), named.join(", "))
}

/// A checksum of what was found.
fn key<'a>(found: impl IntoIterator<Item = (&'a Gap, &'a BTreeSet<String>)>) -> String {
    let mut all = String::new();
    for (gap, subjects) in found {
        for subject in subjects {
            all.extend([gap.as_str(), "\n", subject, "\n"]);
        }
    }
    format!("{:08x}", crc32fast::hash(all.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(found: &Findings, now: &str) -> Vec<serde_json::Value> {
        let messages = found.messages(now.parse().unwrap());
        messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    #[test]
    fn each_kind_rings_once_with_its_count_and_a_few_ids_and_again_only_when_it_differs() {
        let mut found = Findings::default();
        for account in 1..=7 {
            found.add(Gap::Unposted, &format!("A-{account}"), false);
        }
        found.add(Gap::Late, "A-1", true);
        let told = bodies(&found, "2023-10-17T00:00:00Z");
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["subject"], "unposted");
        assert_eq!(told[0]["data"]["kind"], "gap_found");
        assert_eq!(told[0]["data"]["reason"], "7: A-1, A-2, A-3, A-4, A-5, ...");
        assert_eq!(told[1]["data"]["kind"], "gaps_repaired");
        assert_eq!(told[1]["data"]["reason"], "late 1: A-1");
        let later = bodies(&found, "2023-10-17T23:00:00Z");
        assert_eq!(told[0]["id"], later[0]["id"]);
        assert_ne!(told[0]["id"], bodies(&found, "2023-10-18T00:00:00Z")[0]["id"]);
        found.add(Gap::Unposted, "A-8", false);
        assert_ne!(told[0]["id"], bodies(&found, "2023-10-17T00:00:00Z")[0]["id"]);
    }
}
