//! `duewatch explain`, `permits` and `audit`: one account.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::{business_date, end_of_day, start_of_day};
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Decision, permit_for};
use duewatch_runtime::Settings;

use super::environment::{configured, runtime};
use super::exit::Answered;
use crate::audit::audit;
use crate::explain::story;
use crate::firings::SWEEP_EVERY;
use crate::input::{BookFormat, read_whole_book};
use crate::replay::{Case, CaseFiles, ReplayedAccount, walk_account};

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The account.
    account: AccountId,
    /// A folder with policy.toml, book.jsonl and events.jsonl. By default, the tables that the environment
    #[cfg_attr(feature = "local", doc = " names, or else the demo's folder.")]
    #[cfg_attr(not(feature = "local"), doc = " names.")]
    #[arg(long, value_name = "DIR")]
    case: Option<PathBuf>,
    /// With a folder: the first day. By default, that of the first event.
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// With a folder: the last day. By default, that of the last event.
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
}

#[derive(Args, Debug)]
pub(super) struct PermitsArgs {
    #[command(flatten)]
    of: ExplainArgs,
    /// The operation, by its name in the lender's systems. `draw` is drawing on the credit line, `repay`
    /// paying back.
    operation: String,
}

#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    /// The account, in the tables that the environment names.
    account: AccountId,
}

/// An account, as known to the command's source.
struct LocatedAccount {
    account: Account,
    decisions: Vec<Decision>,
    /// The customer's other accounts, where one can restrict another.
    others: Vec<Account>,
    /// The versions of its policy.
    versions: Arc<Versions>,
    now: DateTime<Utc>,
}

pub(super) fn run_explain(args: &ExplainArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, decisions, others, versions, now } = locate(args)?;
    match not_opened(&account, now) {
        Some(sentence) => println!("{sentence}"),
        None => print!("{}", story(&account, &decisions, &others, &versions, now)),
    }
    Ok(())
}

pub(super) fn run_permits(args: &PermitsArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, versions, now, .. } = locate(&args.of)?;
    if let Some(sentence) = not_opened(&account, now) {
        println!("{sentence}");
        return Err(Box::new(Answered { code: 3 }));
    }
    let permit = permit_for(&account, versions.in_force(&account, now), &args.operation);
    println!("{permit}");
    println!("Account {} is {}.", account.account_id, account.status.stage);
    if permit.is_allowed() { Ok(()) } else { Err(Box::new(Answered { code: 3 })) }
}

/// The answer about an account that is not opened yet.
fn not_opened(account: &Account, now: DateTime<Utc>) -> Option<String> {
    let is_opened = business_date(account.time_zone, now) >= account.opened_on;
    (!is_opened).then(|| format!("Account {}: not opened before {}.", account.account_id, account.opened_on))
}

pub(super) async fn run_audit(args: &AuditArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    Ok(audit(transitions.store(), &args.account, SystemClock.now(), &mut std::io::stdout().lock()).await?)
}

/// Finds an account: in a folder's case, in the tables that the environment names, or in the demo's folder.
fn locate(args: &ExplainArgs) -> Result<LocatedAccount, Box<dyn Error>> {
    if args.case.is_none() && Settings::from_env().is_ok() {
        return runtime()?.block_on(stored(&args.account));
    }
    let Some(folder) = args.case.clone().or_else(demo_folder) else {
        return Err("name a folder with --case, or set the environment that names the tables".into());
    };
    let files = CaseFiles {
        policies: vec![folder.join("policy.toml")],
        book: folder.join("book.jsonl"),
        format: None,
        events: folder.join("events.jsonl"),
    };
    if !files.book.exists() {
        return Err(format!(
            "{}: no case there. Run `duewatch demo` first, name a folder with --case, \
             or set the environment that names the tables (`duewatch serve` prints it)",
            folder.display()
        )
        .into());
    }
    let (first, last) = span(&files)?;
    let (from, to) = (args.from.unwrap_or(first), args.to.unwrap_or(last));
    let case = Case::read(&files, from, to, SWEEP_EVERY)?;
    let ReplayedAccount { account, decisions, others } = walk_account(&case, &args.account)?
        .ok_or_else(|| format!("{}: the book has no account {}", files.book.display(), args.account))?;
    let now = end_of_day(account.time_zone, to).max(start_of_day(account.time_zone, from));
    Ok(LocatedAccount { account, decisions, others, versions: Arc::new(case.versions), now })
}

/// The folder of the demo, which only a build with the local stack runs.
#[cfg(feature = "local")]
fn demo_folder() -> Option<PathBuf> {
    Some(crate::demo::default_out())
}

#[cfg(not(feature = "local"))]
const fn demo_folder() -> Option<PathBuf> {
    None
}

async fn stored(account_id: &AccountId) -> Result<LocatedAccount, Box<dyn Error>> {
    let transitions = configured().await?;
    let now = SystemClock.now();
    let stored = transitions.store().account(account_id).await?;
    let account = stored.ok_or_else(|| format!("there is no account {account_id}"))?.account;
    let versions = transitions.rules_of(&account, now).await?;
    let others = transitions.others_of(&account).await?;
    Ok(LocatedAccount { decisions: account.recent_decisions().to_vec(), account, others, versions, now })
}

/// The days from the first event to the last.
fn span(files: &CaseFiles) -> Result<(NaiveDate, NaiveDate), Box<dyn Error>> {
    let events = crate::input::read_events(&files.events)?;
    let days = events.iter().map(|event| event.value.at.date_naive());
    let book = read_whole_book(&files.book, BookFormat::of(&files.book, files.format))?;
    let dues = book.iter().flat_map(|line| line.value.installments.iter().map(|one| one.due_on));
    let first = days.clone().chain(dues.clone()).min();
    let last = days.max().or_else(|| dues.max());
    first.zip(last).ok_or_else(|| "the case is empty".into())
}
