//! `duewatch import` and `requeue`: the tables of an installation.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::escaped;
use duewatch_handlers::Handlers;
use duewatch_runtime::{Settings, reference_keys_from_env, tombstone_key_from_env};

use super::environment::{configured, read_signing_key, sdk_config};
use crate::caller::caller;
use crate::import::dry_run::dry_run;
use crate::import::past::{PastEvents, Takeover};
use crate::import::{ImportError, Imported, Portfolio, import};
use crate::input::{BookFormat, read_book, read_policy_and_texts};
use crate::policies::PolicyPublisher;
use crate::requeue::{QuarantineScope, Requeue, Requeued};
use crate::screen;

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// What the accounts have lived through before the import: payments, pauses, promises, notices and the like, as
    /// JSON Lines. Payments go into the payments table; nothing is sent or decided for the time before.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// A policy to publish first, in its first version; a later one is published by `policy publish`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The publisher's key, for the policy: a file with 64 hexadecimal digits.
    #[arg(long, value_name = "FILE", requires = "policy")]
    signing_key: Option<PathBuf>,
    /// What becomes of the restrictions that the lines of the portfolio file name as in force already: they are kept
    /// until the account's stage gets milder, or the policy alone is applied at once.
    #[arg(long, value_enum)]
    takeover: Option<Takeover>,
    /// Count, for each restriction, on how many accounts it would be kept, eased or applied. Nothing is written.
    #[arg(long)]
    dry_run: bool,
    /// Load the rest when a line is refused.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Args, Debug)]
pub(super) struct RequeueArgs {
    /// The first day of quarantine (UTC); by default, the last 30 days.
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// Only the records that this function quarantined, such as post-payment.
    #[arg(long, value_name = "FUNCTION")]
    source: Option<String>,
    /// A batch that a stream mapping gave up on, as a file from its bucket; may be repeated. The quarantine
    /// then stays as it is.
    #[arg(long = "batch", value_name = "FILE", conflicts_with_all = ["since", "source"])]
    batches: Vec<PathBuf>,
    /// List the quarantined records, a line each: date, function, id, account, reason. Nothing is requeued.
    #[arg(long, conflicts_with_all = ["batches", "drops"])]
    list: bool,
    /// Drop the record of that id from quarantine for good; may be repeated.
    #[arg(long = "drop", value_name = "ID", requires = "reason", conflicts_with = "batches")]
    drops: Vec<String>,
    /// Why records are dropped.
    #[arg(long, value_name = "TEXT", requires = "drops", value_parser = NonEmptyStringValueParser::new())]
    reason: Option<String>,
}

pub(super) async fn run_import(args: ImportArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let by = match &args.policy {
        Some(_) if !args.dry_run => caller(&sdk_config().await).await?,
        _ => String::new(),
    };
    let policy = args.policy.as_deref().map(read_policy_and_texts).transpose()?;
    let (accounts, mut faults) = read_book(&args.book, BookFormat::of(&args.book, args.format))?;
    let faulty = faults.len() as u64;
    if faulty > 0 && !args.keep_going {
        return Err(ImportError::Refused { fault: faults.swap_remove(0), refused: faulty }.into());
    }
    for (fault, place) in faults.into_iter().zip(1_u64..) {
        screen::note(format_args!("duewatch: {fault} ({place} refused so far)"));
    }
    if args.takeover.is_none()
        && let Some(line) = accounts.iter().find(|line| !line.value.restrictions.is_empty())
    {
        let path = args.book.display().to_string();
        return Err(ImportError::NoTakeover { path, line: line.line }.into());
    }
    let takeover = args.takeover.unwrap_or(Takeover::Keep);
    let now = SystemClock.now();
    let key = args.signing_key.as_deref().map(read_signing_key).transpose()?;
    let publisher = PolicyPublisher { by: &by, key: key.as_ref() };
    let policy = policy.as_ref().map(|policy| (policy, publisher));
    let past = args.events.as_deref().map(|events| PastEvents::read(events, &accounts, now)).transpose()?;
    let book = Portfolio { past: past.unwrap_or_default(), takeover, ..Portfolio::new(&args.book, accounts) };
    if args.dry_run {
        let run = dry_run(&transitions, book, policy.map(|(file, _)| &file.policy), now).await?;
        for line in run.to_string().lines() {
            print_line(line)?;
        }
        return Ok(());
    }
    let Imported { opened, known, refused } =
        import(&transitions, book, policy, now, args.keep_going).await?;
    let refused = refused + faulty;
    print_line(&format!("{opened} accounts opened, {known} known already, {refused} lines refused"))?;
    if refused > 0 {
        return Err(ImportError::SomeRefused { refused, loaded: opened + known }.into());
    }
    Ok(())
}

pub(super) async fn run_requeue(args: RequeueArgs) -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env().map_err(ImportError::from)?;
    let config = sdk_config().await;
    let (dynamodb, sns) = (aws_sdk_dynamodb::Client::new(&config), aws_sdk_sns::Client::new(&config));
    let clock = || Arc::new(SystemClock);
    // Without keys no message could be verified, so none leaves.
    let keys = reference_keys_from_env()?;
    let tombstone_key = tombstone_key_from_env()?;
    let requeue = Requeue::new(Handlers::over(keys, |function| {
        duewatch_runtime::services(function, &settings, dynamodb.clone(), sns.clone(), clock())
            .with_tombstone_key(tombstone_key.clone())
    }));
    let since = args.since.unwrap_or_else(|| SystemClock.now().date_naive() - Days::new(30));
    let scope = QuarantineScope { since, source: args.source.as_deref() };
    // A terminal that is closed must not end the requeue half-way.
    let tell = |line: String| print_line(&line).unwrap_or_default();
    if args.list {
        let listed = requeue.list(scope, tell).await?;
        return Ok(print_line(&format!("{listed} records are in quarantine"))?);
    }
    if let Some(reason) = &args.reason {
        let dropped = requeue.drop_records(scope, &args.drops, reason, tell).await?;
        return Ok(print_line(&format!("{dropped} records dropped"))?);
    }
    let mut all = Requeued::default();
    for path in &args.batches {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let requeued = requeue.failed_batch(path, &text, tell).await?;
        let (path, Requeued { taken, left, .. }) = (path.display(), requeued);
        print_line(&format!("{path}: {taken} records taken, {left} left"))?;
        all = all.and(requeued);
    }
    if args.batches.is_empty() {
        all = requeue.quarantine(scope, tell).await?;
    }
    print_line(&format!("{} records taken, {} left", all.taken, all.left))?;
    if all.left > 0 { Err("something is left; mend the cause and do it again".into()) } else { Ok(()) }
}

/// Prints one line: the ids and reasons in it come from outside.
fn print_line(line: &str) -> std::io::Result<()> {
    writeln!(screen::people(), "{}", escaped(line))
}
