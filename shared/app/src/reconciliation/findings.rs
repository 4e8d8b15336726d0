//! Discrepancies found, and their alerts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use duewatch_domain::printable;
use duewatch_notify::{OperationsKind, OutboundMessage, operations_today};

/// The most ids in one message.
const NAMED: usize = 5;

/// A kind of discrepancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discrepancy {
    /// No sweep has evaluated a due account in time.
    Late,
    /// An account with a next action is not in the due index.
    NotDue,
    /// `assess` contradicts an account's status, or the account cannot be assessed.
    Unconfirmed,
    /// The payments table holds a payment that the account lacks.
    Unposted,
    /// An account holds a payment that is not in the payments table, or differs from its item.
    Unproven,
    /// The history lacks an account's revision.
    HistoryBehind,
    /// A publication of an account's revisions has not left.
    Unpublished,
    /// One of the customer's other accounts has not applied the restrictions that an account imposes.
    Unpropagated,
    /// A message to the account's customer has no receipt in time.
    Unreported,
    /// A suspense payment has waited long for its account.
    InSuspense,
}

impl Discrepancy {
    /// The name in alerts and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::NotDue => "not_due",
            Self::Unconfirmed => "unconfirmed",
            Self::Unposted => "unposted",
            Self::Unproven => "unproven",
            Self::HistoryBehind => "history_behind",
            Self::Unpublished => "unpublished",
            Self::Unpropagated => "unheeded",
            Self::Unreported => "unreported",
            Self::InSuspense => "parked",
        }
    }
}

type Subjects = BTreeMap<Discrepancy, BTreeSet<String>>;

/// The findings of a firing: accounts, or suspense payments.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    repaired: Subjects,
    open: Subjects,
}

impl Findings {
    pub(crate) fn add(&mut self, discrepancy: Discrepancy, subject: &str, is_repaired: bool) {
        let subjects = if is_repaired { &mut self.repaired } else { &mut self.open };
        subjects.entry(discrepancy).or_default().insert(printable(subject.to_owned()));
    }

    pub(crate) fn count(&self, discrepancy: Discrepancy) -> usize {
        [&self.repaired, &self.open]
            .into_iter()
            .filter_map(|all| all.get(&discrepancy))
            .map(BTreeSet::len)
            .sum()
    }

    pub(crate) fn repaired(&self) -> usize {
        self.repaired.values().map(BTreeSet::len).sum()
    }

    pub(crate) fn open(&self) -> usize {
        self.open.values().map(BTreeSet::len).sum()
    }

    /// Whether any finding could not be repaired.
    pub(crate) fn alerts(&self) -> bool {
        !self.open.is_empty()
    }

    /// One alert for each kind with unrepaired findings, and one for all repaired ones. The same findings on
    /// the same day have the same id.
    pub(crate) fn messages(&self, function: &'static str, now: DateTime<Utc>) -> Vec<OutboundMessage> {
        let mut messages = Vec::new();
        for (discrepancy, subjects) in &self.open {
            let told = summary(subjects);
            let subject = discrepancy.as_str();
            messages.push(operations_today(
                OperationsKind::DiscrepancyFound,
                function,
                subject,
                &key([(discrepancy, subjects)]),
                &told,
                now,
            ));
        }
        if !self.repaired.is_empty() {
            let told: Vec<String> = self
                .repaired
                .iter()
                .map(|(discrepancy, subjects)| format!("{} {}", discrepancy.as_str(), summary(subjects)))
                .collect();
            messages.push(operations_today(
                OperationsKind::DiscrepanciesRepaired,
                function,
                "repaired",
                &key(&self.repaired),
                &told.join("; "),
                now,
            ));
        }
        messages
    }
}

/// The number of ids, and the first few of them.
fn summary(subjects: &BTreeSet<String>) -> String {
    let named: Vec<&str> = subjects.iter().take(NAMED).map(String::as_str).collect();
    let more = if subjects.len() > NAMED { ", ..." } else { "" };
    format!("{}: {}{more}", subjects.len(), named.join(", "))
}

/// A checksum of the findings.
fn key<'a>(found: impl IntoIterator<Item = (&'a Discrepancy, &'a BTreeSet<String>)>) -> String {
    let mut all = String::new();
    for (discrepancy, subjects) in found {
        for subject in subjects {
            all.extend([discrepancy.as_str(), "\n", subject, "\n"]);
        }
    }
    format!("{:08x}", crc32fast::hash(all.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(found: &Findings, now: &str) -> Vec<serde_json::Value> {
        let messages = found.messages("reconcile-accounts", now.parse().unwrap());
        messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    #[test]
    fn each_kind_alerts_once_with_its_count_and_a_few_ids_and_again_only_when_it_differs() {
        let mut found = Findings::default();
        for account in 1..=7 {
            found.add(Discrepancy::Unposted, &format!("A-{account}"), false);
        }
        found.add(Discrepancy::Late, "A-1", true);
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
        found.add(Discrepancy::Unposted, "A-8", false);
        assert_ne!(told[0]["id"], bodies(&found, "2023-10-17T00:00:00Z")[0]["id"]);
    }
}
