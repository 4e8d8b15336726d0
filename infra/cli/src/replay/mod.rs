//! `replay`: runs a policy over recorded facts.

mod against;
mod case;
mod course;
mod group;
mod moments;
mod pure;
#[cfg(feature = "local")]
mod stack;
mod walk;

use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::ValueEnum;
use duewatch_domain::Refusal;
use duewatch_domain::account::ContactRequest;
use duewatch_domain::formats::ContactLine;
use duewatch_domain::kernel::{AccountId, CustomerId, Revision};
use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE};

use self::course::AccountCourse;

pub use self::against::{Comparison, replay_against};
pub use self::case::{CaseFiles, EventStep, Opening, ReplayCase};
pub use self::pure::{ReplayedAccount, walk_account, walk_accounts};
#[cfg(feature = "local")]
pub use self::stack::{StackReport, run_stack};

use crate::input::InputError;
use crate::output::{NamedPath, Output, OutputError};

/// The engine of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The domain alone.
    #[default]
    Pure,
    /// The embedded DynamoDB, its streams and the functions.
    #[cfg(feature = "local")]
    Stack,
}

/// The outputs of a run.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    pub daily: Option<PathBuf>,
    pub decisions: Option<PathBuf>,
    /// The contact requests, each when it would leave.
    pub contacts: Option<PathBuf>,
}

impl Outputs {
    /// The options that name the outputs.
    const OPTIONS: [&'static str; 3] = ["--daily", "--decisions", "--contacts"];

    /// The outputs that are asked for.
    pub fn named(&self) -> impl Iterator<Item = NamedPath<'_>> {
        let paths = [&self.daily, &self.decisions, &self.contacts];
        let named = Self::OPTIONS.into_iter().zip(paths);
        named.filter_map(|(option, path)| Some(NamedPath::new(option, path.as_deref()?)))
    }

    /// Begins each output, so that one that cannot be written is refused before the run.
    fn create(&self) -> Result<[Option<Output>; 3], OutputError> {
        let create = |option, path: &Option<PathBuf>| {
            path.as_deref().map(|path| Output::create(option, path)).transpose()
        };
        let [daily, decisions, contacts] = Self::OPTIONS;
        Ok([
            create(daily, &self.daily)?,
            create(decisions, &self.decisions)?,
            create(contacts, &self.contacts)?,
        ])
    }
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accounts of the portfolio or opened by an event.
    pub accounts: usize,
    /// Applied events.
    pub events: usize,
    /// Days from the first to the last.
    pub days: i64,
    pub tally: Tally,
}

/// Counts of decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Changes of stage or restrictions.
    pub decisions: usize,
    /// Changes that added a restriction.
    pub restricted: usize,
    /// Changes that lifted one.
    pub lifted: usize,
}

impl Tally {
    fn of(restricted: bool, lifted: bool) -> Self {
        Self { decisions: 1, restricted: usize::from(restricted), lifted: usize::from(lifted) }
    }

    fn add(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.restricted += other.restricted;
        self.lifted += other.lifted;
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file is unusable.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An event was refused. No later event was applied.
    #[error("{}:{line}: {command}: {refusal}", path.display())]
    Refused {
        /// The events file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// The event's type.
        command: &'static str,
        refusal: String,
    },
    /// An account of the portfolio cannot be opened.
    #[error("account {account_id}: {refusal}")]
    Unopened { account_id: AccountId, refusal: Refusal },
    /// A mapping gave up on a record. No record is dropped quietly, so the run ends.
    #[error("{mapping}: {reason}")]
    GivenUp { mapping: String, reason: String },
    /// A customer has more accounts than can be assessed together.
    #[error("customer {customer_id}: {refusal}")]
    TooManyAccounts { customer_id: CustomerId, refusal: Refusal },
    /// The local stack failed.
    #[cfg(feature = "local")]
    #[error(transparent)]
    Stack(#[from] duewatch_stack::StackError),
    /// The last day is before the first.
    #[error("--to: {to} is before --from, {from}")]
    NoDays { from: NaiveDate, to: NaiveDate },
    /// The policies are no versions of one.
    #[error("--policy: {problem}")]
    Versions { problem: String },
    /// A day is out of the range of all facts.
    #[error("--from {from}, --to {to}: days lie between {FIRST_DATE} and {LAST_DATE}")]
    DaysOutOfRange { from: NaiveDate, to: NaiveDate },
    /// An output cannot be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
    /// An output has a path that it may not take, or cannot be moved there.
    #[error(transparent)]
    OutputFile(#[from] OutputError),
    /// A stored account status contradicts the rules.
    #[error(
        "{account_id} is stored as {stored}, the rules give {assessed} at the end of {day}: this is a bug"
    )]
    Unconfirmed {
        account_id: AccountId,
        /// The stage in the table.
        stored: String,
        /// The stage that `assess` gives.
        assessed: String,
        day: NaiveDate,
    },
}

/// Runs a case and writes its outputs.
///
/// # Errors
/// A [`ReplayError`]; then nothing is written.
pub fn replay(case: &ReplayCase, engine: Engine, outputs: &Outputs) -> Result<Summary, ReplayError> {
    run(case, engine, outputs).map(|(summary, _)| summary)
}

/// Like [`replay`], with the course of each account, which the domain alone provides.
fn run(
    case: &ReplayCase,
    engine: Engine,
    outputs: &Outputs,
) -> Result<(Summary, Vec<AccountCourse>), ReplayError> {
    let [mut daily, mut decisions, mut contacts] = outputs.create()?;
    let sink = daily.as_mut().map(|output| output as &mut (dyn Write + Send));
    let keep = Keep {
        decisions: outputs.decisions.is_some(),
        contacts: outputs.contacts.is_some(),
        ..Keep::default()
    };
    case.check_customers()?;
    let (tally, decided, requested, courses) = match engine {
        Engine::Pure => {
            let ran = pure::run(case, sink, keep)?;
            (ran.tally, ran.decisions, ran.contacts, ran.courses)
        }
        #[cfg(feature = "local")]
        Engine::Stack => {
            let report = run_stack(case, sink, "replay")?;
            (report.tally, report.decisions, report.requests, Vec::new())
        }
    };
    write_in_order(decisions.as_mut(), decided)?;
    write_in_order(contacts.as_mut(), requested)?;
    for output in [daily, decisions, contacts].into_iter().flatten() {
        output.finish()?;
    }
    let summary = Summary {
        accounts: case.openings.len(),
        events: case.steps.len() + case.openings.iter().map(|opening| opening.facts).sum::<usize>(),
        days: (case.to - case.from).num_days() + 1,
        tally,
    };
    Ok((summary, courses))
}

/// What a run keeps beside the daily lines.
#[derive(Clone, Copy, Debug, Default)]
struct Keep {
    decisions: bool,
    contacts: bool,
    /// Each account as its own last day ends.
    accounts: bool,
}

/// A line of an output, with its sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LineRecord {
    at: DateTime<Utc>,
    account_id: AccountId,
    revision: Revision,
    line: String,
}

impl LineRecord {
    /// The line of a contact request, where it is to leave within the run.
    fn of_request(
        case: &ReplayCase,
        account_id: &AccountId,
        revision: Revision,
        request: &ContactRequest,
    ) -> Option<Self> {
        let opening = case.opening_of(account_id)?;
        let at = request.due_at();
        let is_in_run = case.begins(opening.account.time_zone) <= at && at < opening.closes_before;
        let line = serde_json::to_string(&ContactLine::new(account_id, revision, request)).ok()?;
        is_in_run.then(|| Self { at, account_id: account_id.clone(), revision, line })
    }
}

/// Writes lines by instant, then account, then revision.
fn write_in_order(output: Option<&mut Output>, mut lines: Vec<LineRecord>) -> Result<(), ReplayError> {
    let Some(output) = output else { return Ok(()) };
    lines.sort();
    for record in lines {
        writeln!(output, "{}", record.line)?;
    }
    Ok(())
}
