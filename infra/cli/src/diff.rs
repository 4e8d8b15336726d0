//! `policy diff`: the accounts that another policy would treat differently, by name and in numbers.

use std::io::{self, Write};
use std::path::Path;

use chrono::NaiveDate;
use duewatch_domain::assessment::{PolicyComparison, TreatmentChange};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::Currency;
use duewatch_domain::kernel::{business_date, end_of_day};
use duewatch_domain::policy::Restriction;
use duewatch_domain::{Account, Assessment, Command, Contract, Event, assess};
use serde::Serialize;

use crate::firings::SWEEP_EVERY;
use crate::input::{NumberedLine, PolicyFile};
use crate::policies::Judgement;
use crate::replay::{ReplayCase, ReplayError, walk_accounts};
use crate::table::TextTable;

/// Two policies, and the accounts as each leaves them at the end of a day.
#[derive(Debug)]
pub struct Diff {
    cases: [ReplayCase; 2],
    /// The same account under both policies, walked day by day as in a replay.
    accounts: Vec<[Account; 2]>,
}

/// The local date of the last event; `None` without events.
#[must_use]
pub fn last_day(book: &[NumberedLine<Contract>], events: &[NumberedLine<Event>]) -> Option<NaiveDate> {
    let last = &events.iter().max_by_key(|event| event.value.at)?.value;
    let opened = events.iter().filter_map(|event| match &event.value.command {
        Command::AccountOpened(opened) => Some(&opened.account),
        _ => None,
    });
    let mut contracts = book.iter().map(|line| &line.value).chain(opened);
    let zone = contracts.find(|one| one.account_id == last.account_id).map(|one| one.time_zone);
    Some(zone.map_or(last.at.date_naive(), |zone| business_date(zone, last.at)))
}

impl Diff {
    /// The accounts of a portfolio and its events, at the end of a day.
    ///
    /// # Errors
    /// When an event is refused, or the day is out of range.
    pub fn new(
        policies: [PolicyFile; 2],
        book: &[NumberedLine<Contract>],
        events: &[NumberedLine<Event>],
        events_path: &Path,
        on: NaiveDate,
    ) -> Result<Self, ReplayError> {
        let [policy, other] = policies;
        let case = |policy| {
            ReplayCase::new(vec![policy], book, events.to_vec(), events_path.to_owned(), on, on, SWEEP_EVERY)
        };
        let cases = [case(policy)?, case(other)?];
        let [from, to] = [walk_accounts(&cases[0])?, walk_accounts(&cases[1])?];
        // Both cases open the same accounts, in the order of their ids.
        let accounts = from.into_iter().zip(to).filter_map(|(from, to)| Some([from?, to?])).collect();
        Ok(Self { cases, accounts })
    }

    /// Each account, by id, assessed at the last second of the day under both policies.
    fn compared(&self) -> impl Iterator<Item = (&Account, PolicyComparison<'_>)> {
        let [case, other] = &self.cases;
        self.accounts.iter().map(move |[from, to]| {
            let now = end_of_day(from.time_zone, case.to);
            let compared = PolicyComparison {
                from: assess(from, &case.policy.policy, now),
                to: assess(to, &other.policy.policy, now),
            };
            (from, compared)
        })
    }

    /// The accounts that the second policy would newly restrict.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let mut judgement = Judgement::default();
        self.compared().for_each(|(account, compared)| judgement.add(account, &compared));
        judgement
    }

    /// Writes a line of JSON for each account that differs, for scripts.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        for (account, compared) in self.compared() {
            let change = compared.change();
            if change != TreatmentChange::Unchanged {
                let line = DiffLine {
                    date: self.cases[0].to,
                    account_id: &account.account_id,
                    change,
                    from: Side::new(&compared.from, account.currency),
                    to: Side::new(&compared.to, account.currency),
                };
                serde_json::to_writer(&mut *out, &line)?;
                writeln!(out)?;
            }
        }
        Ok(())
    }

    /// Writes the differing accounts as a table, for people.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = TextTable::new(&["account", "change", "stage", "restrictions"]);
        for (account, compared) in self.compared() {
            let change = compared.change();
            if change != TreatmentChange::Unchanged {
                let PolicyComparison { from, to } = &compared;
                table.row([
                    account.account_id.to_string(),
                    change.as_str().to_owned(),
                    from_to(from.stage_name(), to.stage_name()),
                    from_to(&list(from.restrictions()), &list(to.restrictions())),
                ]);
            }
        }
        if table.is_empty() {
            writeln!(out, "Nobody would be treated differently.")
        } else {
            write!(out, "{table}")
        }
    }

    /// The numbers: accounts in all, and those that differ, by kind.
    #[must_use]
    pub fn summary(&self) -> String {
        let changes: Vec<TreatmentChange> = self.compared().map(|(_, compared)| compared.change()).collect();
        let counts: Vec<String> = TreatmentChange::ALL
            .iter()
            .map(|change| (changes.iter().filter(|one| *one == change).count(), change))
            .map(|(count, change)| format!("{count} {}", change.as_str()))
            .collect();
        format!(
            "{} instead of {}, at the end of {}: {} accounts, {}",
            self.cases[1].policy.policy.reference(),
            self.cases[0].policy.policy.reference(),
            self.cases[0].to,
            changes.len(),
            counts.join(", "),
        )
    }
}

fn from_to(from: &str, to: &str) -> String {
    if from == to { from.to_owned() } else { format!("{from} -> {to}") }
}

fn list(restrictions: &[Restriction]) -> String {
    let words: Vec<String> = restrictions.iter().map(ToString::to_string).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[derive(Serialize)]
struct DiffLine<'a> {
    date: NaiveDate,
    account_id: &'a AccountId,
    change: TreatmentChange,
    from: Side<'a>,
    to: Side<'a>,
}

#[derive(Serialize)]
struct Side<'a> {
    stage: &'a str,
    restrictions: &'a [Restriction],
    days_past_due: u32,
    delinquent_days: u32,
    overdue: String,
    /// The late-fee part of the amount, where the policy has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_fee: Option<String>,
}

impl<'a> Side<'a> {
    fn new(assessment: &'a Assessment<'_>, currency: Currency) -> Self {
        let figures = &assessment.figures;
        Self {
            stage: assessment.stage_name(),
            restrictions: assessment.restrictions(),
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            overdue: currency.text(figures.overdue),
            late_fee: figures.late_fee.map(|fee| currency.text(fee)),
        }
    }
}
