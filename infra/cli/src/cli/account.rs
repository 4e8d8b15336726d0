//! `duewatch explain`, `permits` and `audit`: one account.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::assessment::{HeldRestriction, held_restriction};
use duewatch_domain::kernel::{AccountId, business_date, end_of_day, start_of_day};
use duewatch_domain::policy::{Restriction, Versions};
use duewatch_domain::{Account, Decision, Permit, escaped, permit_for};
use duewatch_store::{AnchorWitness, HoldScope, VerifyingKey};
use duewatch_views::{AccountView, MessageView};
use serde::Serialize;

use super::environment::{configured, runtime};
use super::exit::{Answered, NO};
use crate::audit::audit;
use crate::contacts::messages_of;
use crate::explain::story;
use crate::firings::SWEEP_EVERY;
use crate::import::ImportError;
use crate::input::{BookFormat, read_whole_book};
use crate::replay::{CaseFiles, ReplayCase, ReplayedAccount, walk_account};
use crate::screen;

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    of: LocatedArgs,
    /// For scripts: one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct PermitsArgs {
    #[command(flatten)]
    of: LocatedArgs,
    /// The operation: repay, draw, transfer, pay_wages, receive, or one that the account's policy names. Upper and
    /// lower case differ. Another one is an error with exit code 2, never an answer.
    operation: String,
    /// For scripts: one JSON object.
    #[arg(long)]
    json: bool,
}

/// An account, and where it is read.
#[derive(Args, Debug)]
pub(super) struct LocatedArgs {
    /// The account.
    account: AccountId,
    /// A folder with policy.toml, book.jsonl and events.jsonl, such as the demo's. By default, the tables that the
    /// environment names.
    #[arg(long, value_name = "DIR")]
    case: Option<PathBuf>,
    /// With a folder: the first day. By default, that of the first event.
    #[arg(long, value_name = "DATE", requires = "case")]
    from: Option<NaiveDate>,
    /// With a folder: the last day. By default, that of the last event.
    #[arg(long, value_name = "DATE", requires = "case")]
    to: Option<NaiveDate>,
}

#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    /// The account, in the tables that the environment names.
    account: AccountId,
    /// A public key that signs anchors, as `operations` received it; more than one after the key was replaced.
    /// Without one, the key that the first anchor names is believed.
    #[arg(long, value_name = "HEX")]
    anchor_key: Vec<VerifyingKey>,
    /// The digest of an anchor, as `operations` received it: it must be among the anchors.
    #[arg(long, value_name = "HEX")]
    anchor_digest: Vec<String>,
}

/// An account, as known to the command's source.
struct LocatedAccount {
    account: Account,
    decisions: Vec<Decision>,
    /// The customer's other accounts, where one can restrict another.
    others: Vec<Account>,
    /// The versions of its policy.
    versions: Arc<Versions>,
    /// None: the files of a case know no messages.
    messages: Option<Vec<MessageView>>,
    now: DateTime<Utc>,
    /// The hold that keeps a restriction back.
    held: Option<HeldRestriction>,
}

pub(super) fn run_explain(args: &ExplainArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, decisions, others, versions, messages, now, held } = locate(&args.of)?;
    let view = AccountView::new(&account, &decisions, &versions, now).with_messages(messages).with_held(held);
    if args.json {
        return Ok(print_json(&view)?);
    }
    let mut out = screen::people();
    match not_opened(&account, now) {
        Some(sentence) => writeln!(out, "{sentence}")?,
        None => {
            write!(out, "{}", story(&account, &decisions, &others, &versions, &view))?;
            if let Some(held) = &view.held {
                writeln!(out, "  {}", held_back(held))?;
            }
        }
    }
    Ok(())
}

/// The answer about an operation, for scripts.
#[derive(Serialize)]
struct PermitAnswer<'a> {
    at: DateTime<Utc>,
    account_id: &'a AccountId,
    operation: &'a str,
    /// `allowed`, `excepted`, `within`, `blocked` or `not_opened`.
    answer: &'static str,
    allowed: bool,
    /// The percent of the credit line within which the operation may go through.
    percent: Option<u32>,
    restriction: Option<&'a Restriction>,
    /// As decided last; none before the account is opened.
    stage: Option<&'a str>,
    /// The hold that keeps a further restriction back; none: none does.
    held: Option<HeldRestriction>,
    sentence: String,
}

pub(super) fn run_permits(args: &PermitsArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, versions, now, held, .. } = locate(&args.of)?;
    let permit = permit_for(&account, versions.in_force(&account, now), &args.operation)?;
    let unopened = not_opened(&account, now);
    let is_opened = unopened.is_none();
    let answer = PermitAnswer {
        at: now,
        account_id: &account.account_id,
        operation: &args.operation,
        answer: if is_opened { permit.name() } else { "not_opened" },
        allowed: is_opened && permit.is_allowed(),
        percent: match permit {
            Permit::Within(_, percent) => Some(percent),
            _ => None,
        },
        restriction: permit.restriction(),
        stage: is_opened.then(|| account.status.stage.as_str()),
        held: held.filter(|_| is_opened),
        sentence: unopened.unwrap_or_else(|| permit.to_string()),
    };
    if args.json {
        print_json(&answer)?;
    } else {
        let mut out = screen::people();
        writeln!(out, "{}", escaped(&answer.sentence))?;
        if let Some(stage) = answer.stage {
            writeln!(out, "{}", escaped(&format!("Account {} is {stage}.", account.account_id)))?;
        }
        if let Some(held) = &answer.held {
            writeln!(out, "{}", held_back(held))?;
        }
    }
    if answer.allowed { Ok(()) } else { Err(Box::new(Answered { code: NO })) }
}

/// A hold in words.
fn held_back(held: &HeldRestriction) -> String {
    let by = match held.kind {
        "dispute" => "a dispute",
        "case" => "an open case",
        "temporary_cause" => "a temporary cause",
        "payment_in_process" => "a payment in process",
        "pause" => "a pause",
        "money" => "money that cannot be posted",
        _ => "the lender's hold on new restrictions",
    };
    let since = held.since.map_or_else(String::new, |since| format!(", since {since}"));
    let until = held.until.map_or_else(String::new, |until| format!(", until {until}"));
    format!("A further restriction is kept back by {by}{since}{until}.")
}

/// Prints one JSON object on a line.
fn print_json(value: &impl Serialize) -> std::io::Result<()> {
    let mut out = screen::json();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)
}

/// The answer about an account that is not opened yet.
fn not_opened(account: &Account, now: DateTime<Utc>) -> Option<String> {
    let is_opened = business_date(account.time_zone, now) >= account.opened_on;
    (!is_opened).then(|| format!("Account {}: not opened before {}.", account.account_id, account.opened_on))
}

pub(super) async fn run_audit(args: &AuditArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let (store, now) = (transitions.store(), SystemClock.now());
    let witness = AnchorWitness { keys: args.anchor_key.clone(), digests: args.anchor_digest.clone() };
    Ok(audit(store, &args.account, &witness, now, &mut screen::people()).await?)
}

/// Finds an account: in a folder's case where one is named, else in the tables that the environment names. Neither
/// stands in for the other: an answer from a sample would be taken for one about a borrower.
fn locate(args: &LocatedArgs) -> Result<LocatedAccount, Box<dyn Error>> {
    let Some(folder) = &args.case else {
        return runtime()?.block_on(stored(&args.account));
    };
    let files = CaseFiles {
        policies: vec![folder.join("policy.toml")],
        book: folder.join("book.jsonl"),
        format: None,
        events: folder.join("events.jsonl"),
    };
    if !files.book.exists() {
        return Err(format!("--case {}: no case there; it has no book.jsonl", folder.display()).into());
    }
    let (first, last) = span(&files)?;
    let (from, to) = (args.from.unwrap_or(first), args.to.unwrap_or(last));
    let case = ReplayCase::read(&files, from, to, SWEEP_EVERY)?;
    let ReplayedAccount { account, decisions, others } = walk_account(&case, &args.account)?
        .ok_or_else(|| format!("{}: the book has no account {}", files.book.display(), args.account))?;
    let now = end_of_day(account.time_zone, to).max(start_of_day(account.time_zone, from));
    let versions = Arc::new(case.versions);
    let held = held_restriction(&account, &versions.timeline(&account, now), now);
    Ok(LocatedAccount { account, decisions, others, versions, messages: None, now, held })
}

async fn stored(account_id: &AccountId) -> Result<LocatedAccount, Box<dyn Error>> {
    let transitions = configured().await.map_err(|error| match error {
        ImportError::Unconfigured(_) => {
            format!("{error}. For the files of a case, name their folder with --case")
        }
        other => other.to_string(),
    })?;
    let now = SystemClock.now();
    let stored = transitions.store().account(account_id).await?;
    let account = stored.ok_or_else(|| format!("there is no account {account_id}"))?.account;
    let versions = transitions.rules_of(&account, now).await?;
    let others = transitions.others_of(&account).await?;
    let mut held = held_restriction(&account, &versions.timeline(&account, now), now);
    if held.is_none() && account.assess_by(&versions, now).restricts(&account) {
        let hold = transitions.store().hold(HoldScope::Restrictions).await?.filter(|hold| hold.is_on);
        held = hold.map(|hold| HeldRestriction {
            kind: "hold",
            since: Some(business_date(account.time_zone, hold.at)),
            until: None,
        });
    }
    let messages = Some(messages_of(transitions.store(), &account).await?);
    let decisions = account.recent_decisions().to_vec();
    Ok(LocatedAccount { account, decisions, others, versions, messages, now, held })
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
