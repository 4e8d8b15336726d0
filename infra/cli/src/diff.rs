//! `policy diff`: the accounts that another policy would treat differently, by name and in numbers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use chrono::NaiveDate;
use duewatch_domain::account::{CrossRestriction, ImposedBy};
use duewatch_domain::assessment::{PolicyComparison, TreatmentChange};
use duewatch_domain::kernel::Currency;
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::kernel::{business_date, end_of_day};
use duewatch_domain::policy::Restriction;
use duewatch_domain::{Account, Assessment, Command, Contract, Event, Policy, assess};
use serde::Serialize;

use crate::firings::SWEEP_EVERY;
use crate::input::{NumberedLine, PolicyFile};
use crate::replay::{Case, ReplayError};
use crate::table::TextTable;

/// Two policies, and the accounts that both are applied to.
#[derive(Debug)]
pub struct Diff {
    case: Case,
    other: PolicyFile,
    accounts: Vec<Account>,
    /// The cross-restrictions among each customer's accounts, under both policies.
    imposed: [ImposedByCustomer; 2],
}

type ImposedByCustomer = HashMap<CustomerId, Vec<ImposedBy>>;

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
        events: Vec<NumberedLine<Event>>,
        events_path: PathBuf,
        on: NaiveDate,
    ) -> Result<Self, ReplayError> {
        let [policy, other] = policies;
        let case = Case::new(policy, book, events, events_path, on, on, SWEEP_EVERY)?;
        let mut accounts: Vec<Account> =
            case.openings.iter().map(|opening| opening.account.clone()).collect();
        for step in &case.steps {
            accounts[step.account]
                .apply(&step.command, step.received_at)
                .map_err(|refusal| case.refused(step, &refusal))?;
        }
        let open = case.openings.iter().map(|one| one.first_day <= on && one.opens_at < one.closes_before);
        let accounts: Vec<Account> =
            accounts.into_iter().zip(open).filter(|(_, open)| *open).map(|(one, _)| one).collect();
        let imposed = [&case.policy.policy, &other.policy].map(|policy| imposed_under(policy, &accounts, on));
        Ok(Self { case, other, accounts, imposed })
    }

    /// Each account, by id, assessed at the last second of the day under both policies.
    fn compared(&self) -> impl Iterator<Item = (&Account, PolicyComparison<'_>)> {
        self.accounts.iter().map(|account| {
            let now = end_of_day(account.time_zone, self.case.to);
            let [from, to] = self.imposed.each_ref().map(|imposed| with_cross_restrictions(account, imposed));
            let from = assess(&from, &self.case.policy.policy, now);
            (account, PolicyComparison { from, to: assess(&to, &self.other.policy, now) })
        })
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
                    date: self.case.to,
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
            self.other.policy.reference(),
            self.case.policy.policy.reference(),
            self.case.to,
            changes.len(),
            counts.join(", "),
        )
    }
}

/// The cross-restrictions that each account imposes at the end of a day.
fn imposed_under(policy: &Policy, accounts: &[Account], on: NaiveDate) -> ImposedByCustomer {
    let mut imposed = ImposedByCustomer::new();
    for account in accounts.iter().filter(|_| policy.customer.is_some()) {
        let now = end_of_day(account.time_zone, on);
        let assessment = assess(account, policy, now);
        let Some(stage) = assessment.restricting.filter(|_| !assessment.imposes.is_empty()) else {
            continue;
        };
        let restriction = CrossRestriction {
            restrictions: assessment.imposes.to_vec(),
            stage: stage.name.clone(),
            since: now,
            revision: account.revision,
        };
        let asking = ImposedBy { account_id: account.account_id.clone(), restriction };
        imposed.entry(account.customer_id.clone()).or_default().push(asking);
    }
    imposed
}

/// The account with the cross-restrictions that the customer's others impose.
fn with_cross_restrictions<'a>(account: &'a Account, imposed: &ImposedByCustomer) -> Cow<'a, Account> {
    let Some(others) = imposed.get(&account.customer_id) else { return Cow::Borrowed(account) };
    let mut with_imposed = account.clone();
    match with_imposed.replace_imposed_by(others.clone()) {
        Ok(_) => Cow::Owned(with_imposed),
        // A customer with too many accounts has each assessed on its own.
        Err(_) => Cow::Borrowed(account),
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
