//! `replay`: a policy over recorded facts.

mod against;
mod case;
mod course;
mod group;
mod moments;
mod pure;
mod stack;
mod walk;

use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::ValueEnum;
use duewatch_domain::Refusal;
use duewatch_domain::kernel::{AccountId, CustomerId, Revision};
use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE};

use self::course::Course;

pub use self::against::{Comparison, replay_against};
pub use self::case::{Case, CaseFiles, Opening, Step};
pub use self::pure::{Walked, walk_account};
pub use self::stack::{StackReport, run_stack};

use crate::input::InputError;
use crate::output::Output;

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The domain alone.
    #[default]
    Pure,
    /// The embedded DynamoDB, its streams and the functions.
    Stack,
}

/// Where the results go.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// The daily lines.
    pub daily: Option<PathBuf>,
    /// The decisions.
    pub decisions: Option<PathBuf>,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accounts in the book or opened on the way.
    pub accounts: usize,
    /// Events that were applied.
    pub events: usize,
    /// Days from the first to the last.
    pub days: i64,
    /// What was decided.
    pub tally: Tally,
}

/// Decisions, counted.
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

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file cannot be taken.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An event was refused. Nothing after it was applied.
    #[error("{}:{line}: {command}: {refusal}", path.display())]
    Refused {
        /// The events file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The event's type.
        command: &'static str,
        /// Why.
        refusal: String,
    },
    /// An account of the book cannot be opened.
    #[error("account {account_id}: {refusal}")]
    Unopened {
        /// The account.
        account_id: AccountId,
        /// Why.
        refusal: Refusal,
    },
    /// A record was given up: nothing is dropped quietly, so the run ends.
    #[error("{mapping}: {reason}")]
    GivenUp {
        /// The stream mapping.
        mapping: String,
        /// Why.
        reason: String,
    },
    /// A customer has more accounts than are judged together.
    #[error("customer {customer_id}: {refusal}")]
    TooManyAccounts {
        /// The customer.
        customer_id: CustomerId,
        /// Why.
        refusal: Refusal,
    },
    /// The local stack failed.
    #[error(transparent)]
    Stack(#[from] crate::stack::StackError),
    /// The dates are the wrong way round.
    #[error("--to: {to} is before --from, {from}")]
    NoDays {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// A day is beyond what any fact may bear.
    #[error("--from {from}, --to {to}: days lie between {FIRST_DATE} and {LAST_DATE}")]
    DaysOutOfRange {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// A result cannot be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
    /// A stored standing is not the one that the rules give.
    #[error(
        "{account_id} stands on {stored}, but the rules say {assessed} at the end of {day}: this is a bug"
    )]
    Unconfirmed {
        /// The account.
        account_id: AccountId,
        /// The stage in the table.
        stored: String,
        /// The stage that `assess` gives.
        assessed: String,
        /// The day.
        day: NaiveDate,
    },
}

/// Runs a case and writes what it gives.
///
/// # Errors
/// A [`ReplayError`]; then nothing is written.
pub fn replay(case: &Case, engine: Engine, outputs: &Outputs) -> Result<Summary, ReplayError> {
    run(case, engine, outputs).map(|(summary, _)| summary)
}

/// The same, with what the domain alone also tells: the course of each account.
fn run(case: &Case, engine: Engine, outputs: &Outputs) -> Result<(Summary, Vec<Course>), ReplayError> {
    let mut daily = outputs.daily.as_deref().map(Output::create).transpose()?;
    let sink = daily.as_mut().map(|output| output as &mut (dyn Write + Send));
    let keep = outputs.decisions.is_some();
    case.check_customers()?;
    let (tally, taken, courses) = match engine {
        Engine::Pure => {
            let ran = pure::run(case, sink, keep)?;
            (ran.tally, ran.taken, ran.courses)
        }
        Engine::Stack => {
            let report = run_stack(case, sink, "replay")?;
            (report.tally, report.taken, Vec::new())
        }
    };
    let mut decisions = outputs.decisions.as_deref().map(Output::create).transpose()?;
    if let Some(output) = &mut decisions {
        for taken in in_order(taken) {
            writeln!(output, "{}", taken.line)?;
        }
    }
    daily.map(Output::finish).transpose()?;
    decisions.map(Output::finish).transpose()?;
    let summary = Summary {
        accounts: case.openings.len(),
        events: case.steps.len() + case.openings.iter().map(|opening| opening.facts).sum::<usize>(),
        days: (case.to - case.from).num_days() + 1,
        tally,
    };
    Ok((summary, courses))
}

/// A decision as it is written, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    at: DateTime<Utc>,
    account_id: AccountId,
    revision: Revision,
    line: String,
}

/// By instant, then account, then revision.
fn in_order(mut taken: Vec<Taken>) -> Vec<Taken> {
    taken.sort_by(|one, other| {
        (one.at, &one.account_id, one.revision).cmp(&(other.at, &other.account_id, other.revision))
    });
    taken
}
