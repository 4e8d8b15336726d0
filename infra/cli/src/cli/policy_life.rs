//! `duewatch policy publish`, `approve`, `rollback`, `sign`, `list`, `hold` and `release`: a policy in the tables that
//! the environment names.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use clap::Args;
use duewatch_app::{Clock, FRESH_FOR, NewVersion, SystemClock, Transitions, check_signing_key};
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::canonical_text;
use duewatch_domain::{Policy, escaped};
use duewatch_store::{HoldScope, OperatorHold, PolicyApproval, policy_digest};

use super::environment::{SigningKeyArgs, configured, read_signing_key, sdk_config};
use crate::caller::caller;
use crate::diff::last_day;
use crate::input::{BookFormat, InputError, read_events, read_policy_and_texts, read_whole_book};
use crate::policies::{self, Brake, JudgedBook, PolicyPublisher, PublicationOutcome};
use crate::publish::queue_accounts;
use crate::screen;

/// The most bytes of a reason.
const MAX_REASON_BYTES: usize = 500;

#[derive(Args, Debug)]
pub(super) struct PublishArgs {
    /// The policy, as TOML, with the number that follows the latest version's.
    policy: PathBuf,
    /// Why the effective date has passed. The version binds from its publication all the same.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    backdate: Option<String>,
    /// Judge the accounts of a portfolio file, as JSON Lines or CSV, in place of the accounts table.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum, requires = "book")]
    format: Option<BookFormat>,
    /// The events of its accounts, as JSON Lines; by default, none.
    #[arg(long, value_name = "FILE", requires = "book")]
    events: Option<PathBuf>,
    /// The day at whose end its accounts are compared. By default, the local day of the last event, or without
    /// events today (UTC).
    #[arg(long, value_name = "DATE", requires = "book")]
    on: Option<NaiveDate>,
    #[command(flatten)]
    brake: BrakeArgs,
    #[command(flatten)]
    key: SigningKeyArgs,
}

#[derive(Args, Clone, Copy, Debug)]
struct BrakeArgs {
    /// The percentage of accounts that the version may newly restrict, compared with the version before.
    #[arg(long, value_name = "PERCENT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100))]
    restricting_at_most: u32,
    /// Publish a version that restricts more, which are exactly so many accounts.
    #[arg(long, value_name = "ACCOUNTS")]
    accept_restricting: Option<u64>,
}

impl BrakeArgs {
    const fn brake(self) -> Brake {
        Brake { at_most_percent: self.restricting_at_most, accepted: self.accept_restricting }
    }
}

#[derive(Args, Debug)]
pub(super) struct ApproveArgs {
    /// The policy, as TOML, before another person publishes it.
    policy: PathBuf,
    #[command(flatten)]
    key: SigningKeyArgs,
}

#[derive(Args, Debug)]
pub(super) struct RollbackArgs {
    /// The id of the policy.
    policy_id: PolicyId,
    #[command(flatten)]
    brake: BrakeArgs,
    #[command(flatten)]
    key: SigningKeyArgs,
}

#[derive(Args, Debug)]
pub(super) struct SignArgs {
    /// The id of the policy.
    policy_id: PolicyId,
    /// The publisher's key: a file with 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// The publisher's key: a file with 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// The id of the policy.
    policy_id: PolicyId,
    /// For scripts: a line of JSON for each version.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct HoldArgs {
    /// Why; recorded with the caller and the time.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,
}

/// A reason that can be stored and printed.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_REASON_BYTES || text.chars().any(char::is_control) {
        return Err(format!("a reason is a line of 1 to {MAX_REASON_BYTES} bytes"));
    }
    Ok(text.to_owned())
}

pub(super) async fn run_publish(args: PublishArgs) -> Result<(), Box<dyn Error>> {
    let file = read_policy_and_texts(&args.policy)?;
    let book = args.book().map_err(Box::new)?;
    let transitions = configured().await?;
    let by = caller(&sdk_config().await).await?;
    let (backdated, key) = (args.backdate.as_deref(), args.key.read()?);
    let new = NewVersion { policy: &file.policy, text: &file.text, by: &by, backdated, key: key.as_ref() };
    let published =
        policies::publish(transitions.store(), &new, book.as_ref(), args.brake.brake(), SystemClock.now())
            .await?;
    report_and_queue(&transitions, &published).await
}

impl PublishArgs {
    /// The portfolio file, where one is named.
    fn book(&self) -> Result<Option<JudgedBook>, InputError> {
        let Some(path) = &self.book else { return Ok(None) };
        let accounts = read_whole_book(path, BookFormat::of(path, self.format))?;
        let events = self.events.as_deref().map(read_events).transpose()?.unwrap_or_default();
        let on = self.on.or_else(|| last_day(&accounts, &events));
        let on = on.unwrap_or_else(|| SystemClock.now().date_naive());
        let events_path = self.events.clone().unwrap_or_else(|| path.clone());
        Ok(Some(JudgedBook { accounts, events, events_path, on }))
    }
}

pub(super) async fn run_rollback(args: RollbackArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let by = caller(&sdk_config().await).await?;
    let (store, brake, key) = (transitions.store(), args.brake.brake(), args.key.read()?);
    let publisher = PolicyPublisher { by: &by, key: key.as_ref() };
    let published = policies::rollback(store, &args.policy_id, publisher, brake, SystemClock.now()).await?;
    report_and_queue(&transitions, &published).await
}

/// Says what was published, and queues the accounts under a policy that had a version before.
async fn report_and_queue(
    transitions: &Transitions,
    published: &PublicationOutcome,
) -> Result<(), Box<dyn Error>> {
    let PublicationOutcome { policy, is_new, judgement } = published;
    let known = if *is_new { "" } else { " already" };
    if let Some(judgement) = judgement {
        writeln!(screen::people(), "{}", judgement.summary())?;
    }
    writeln!(
        screen::people(),
        "policy {} is published{known}, binding from {}",
        policy.reference(),
        policy.effective_on
    )?;
    if policy.version == 1 {
        return Ok(());
    }
    queue(transitions, policy).await
}

async fn queue(transitions: &Transitions, policy: &Policy) -> Result<(), Box<dyn Error>> {
    let wait = FRESH_FOR + TimeDelta::seconds(10);
    screen::note(format_args!(
        "in {} s everybody judges by it; then the accounts are queued",
        wait.num_seconds()
    ));
    tokio::time::sleep(wait.to_std()?).await;
    let queued = queue_accounts(transitions.store(), policy, SystemClock.now()).await?;
    writeln!(
        screen::people(),
        "{} accounts under it, {} of them queued to be looked at over the next {} hours",
        queued.accounts,
        queued.queued,
        queued.spread.num_hours()
    )?;
    Ok(())
}

pub(super) async fn run_approve(args: ApproveArgs) -> Result<(), Box<dyn Error>> {
    let file = read_policy_and_texts(&args.policy)?;
    let transitions = configured().await?;
    let by = caller(&sdk_config().await).await?;
    let digest = policy_digest(&canonical_text(&file.text));
    let approval = PolicyApproval { by, at: SystemClock.now() };
    let key = args.key.read()?;
    check_signing_key(transitions.store(), key.as_ref())?;
    transitions.store().approve_policy(&file.policy.id, &digest, &approval, key.as_ref()).await?;
    writeln!(screen::people(), "{} is approved by {}: {digest}", file.policy.reference(), approval.by)?;
    Ok(())
}

pub(super) async fn run_sign(args: SignArgs) -> Result<(), Box<dyn Error>> {
    let key = read_signing_key(&args.signing_key)?;
    let transitions = configured().await?;
    check_signing_key(transitions.store(), Some(&key))?;
    for version in transitions.store().sign_policy(&args.policy_id, &key).await? {
        let by = version.publication.map_or_else(|| "an earlier release".to_owned(), |one| one.by);
        let line = format!("{} is signed: {}, published by {by}", version.policy.reference(), version.digest);
        writeln!(screen::people(), "{}", escaped(&line))?;
    }
    Ok(())
}

/// Prints the public half of a key.
pub(super) fn run_key(args: &KeyArgs) -> Result<(), Box<dyn Error>> {
    let key = read_signing_key(&args.file)?;
    writeln!(screen::people(), "{}", key.public_key())?;
    Ok(())
}

pub(super) async fn run_list(args: ListArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let list = policies::list(transitions.store(), &args.policy_id).await?;
    if args.json {
        list.write_json(&mut screen::json())?;
    } else {
        list.write_table(&mut screen::people())?;
    }
    Ok(())
}

pub(super) async fn run_hold(args: HoldArgs) -> Result<(), Box<dyn Error>> {
    set_hold(true, args.reason).await?;
    writeln!(
        screen::people(),
        "new restrictions are on hold within {} s; `duewatch policy release` ends it",
        FRESH_FOR.num_seconds()
    )?;
    Ok(())
}

pub(super) async fn run_release(args: HoldArgs) -> Result<(), Box<dyn Error>> {
    set_hold(false, args.reason).await?;
    writeln!(
        screen::people(),
        "restrictions begin again within {} s; those that were deferred, within an hour",
        FRESH_FOR.num_seconds()
    )?;
    Ok(())
}

async fn set_hold(is_on: bool, reason: String) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let store = transitions.store();
    let known = store.hold(HoldScope::Restrictions).await?;
    if known.as_ref().map_or(!is_on, |known| known.is_on == is_on) {
        let since = known.map(|known| known.at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let state = if is_on { "on hold already" } else { "not on hold" };
        return Err(match since {
            Some(since) => format!("new restrictions are {state}, since {since}").into(),
            None => format!("new restrictions are {state}").into(),
        });
    }
    let by = caller(&sdk_config().await).await?;
    let hold = OperatorHold { is_on, at: SystemClock.now(), by, reason };
    store.set_hold(HoldScope::Restrictions, &hold).await?;
    Ok(())
}
