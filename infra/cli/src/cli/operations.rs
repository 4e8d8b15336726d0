//! `duewatch import` and `requeue`: the tables of an installation.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use clap::Args;
use duewatch_app::{Clock, SystemClock};
use duewatch_handlers::Handlers;
use duewatch_runtime::{Settings, reference_keys_from_env};

use super::environment::{configured, sdk_config};
use crate::caller::caller;
use crate::import::{ImportError, Imported, import};
use crate::input::{BookFormat, read_book, read_policy_and_texts};
use crate::requeue::{Requeue, Requeued};

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// A policy to publish first, in its first version; a later one is published by `policy publish`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
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
}

pub(super) async fn run_import(args: ImportArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let by = match &args.policy {
        Some(_) => caller(&sdk_config().await).await?,
        None => String::new(),
    };
    let policy = args.policy.as_deref().map(read_policy_and_texts).transpose()?;
    let (accounts, faults) = read_book(&args.book, BookFormat::of(&args.book, args.format))?;
    let faulty = faults.len() as u64;
    for (place, fault) in faults.into_iter().enumerate() {
        if !args.keep_going {
            return Err(fault.into());
        }
        eprintln!("duewatch: {fault} ({} refused so far)", place + 1);
    }
    let now = SystemClock.now();
    let policy = policy.as_ref().map(|policy| (policy, by.as_str()));
    let Imported { opened, known, refused } =
        import(&transitions, &args.book, accounts, policy, now, args.keep_going).await?;
    println!("{opened} accounts opened, {known} known already, {} lines refused", refused + faulty);
    if refused + faulty > 0 {
        return Err(ImportError::SomeRefused { refused: refused + faulty, loaded: opened + known }.into());
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
    let requeue = Requeue::new(Handlers::over(keys, |function| {
        duewatch_runtime::services(function, &settings, dynamodb.clone(), sns.clone(), clock())
    }));
    let mut all = Requeued::default();
    for path in &args.batches {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let Requeued { taken, left } = requeue.failed_batch(path, &text).await?;
        println!("{}: {taken} records taken, {left} left", path.display());
        all = Requeued { taken: all.taken + taken, left: all.left + left };
    }
    if args.batches.is_empty() {
        let since = args.since.unwrap_or_else(|| SystemClock.now().date_naive() - Days::new(30));
        all = requeue.quarantine(since, args.source.as_deref(), |line| println!("{line}")).await?;
    }
    println!("{} records taken, {} left", all.taken, all.left);
    if all.left > 0 { Err("something is left; mend the cause and do it again".into()) } else { Ok(()) }
}
