//! `duewatch policy`: a policy before it binds any account.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, TimeDelta};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::describe::describe;
use duewatch_domain::policy::presets::PRESETS;
use duewatch_domain::policy::{self, Retention};

use duewatch_app::FRESH_FOR;
use duewatch_store::StoreError;

use super::environment::{configured, runtime};
use crate::diff::{Diff, last_day};
use crate::input::{BookFormat, read_events, read_policy, read_policy_and_texts, read_whole_book};
use crate::publish::queue_accounts;

/// The `policy` commands.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check that a policy and its texts are valid, print its rules, and warn of doubtful ones.
    ///
    /// Warnings go to standard error, each with line and column, and fail nothing: a ladder that jumps,
    /// restricts within grace or unannounced, or eases later arrears.
    Check {
        /// The policy, as TOML.
        policy: PathBuf,
    },
    /// Publish a version into the tables that the environment names, and queue every account under the policy
    /// for evaluation, spread over the time until the version takes effect.
    Publish {
        /// The policy, as TOML, with a version that is not published yet.
        policy: PathBuf,
    },
    /// Compare two policies: the same accounts and facts, assessed twice at the end of a day.
    Diff(DiffArgs),
    /// Print a policy to begin with, each number with its source. Not legal advice: check the sources before
    /// relying on them.
    Preset {
        /// The name of the preset.
        #[arg(required_unless_present = "list", value_parser = PossibleValuesParser::new(PRESETS.map(|one| one.name)))]
        name: Option<String>,
        /// List the names of all presets.
        #[arg(long, conflicts_with = "name")]
        list: bool,
    },
    /// Print a policy as a page that a borrower can read, in Markdown.
    Describe {
        /// The policy, as TOML.
        policy: PathBuf,
        /// The language of the page.
        #[arg(long, value_enum, default_value_t = LanguageArg::En)]
        language: LanguageArg,
    },
}

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LanguageArg {
    /// Chinese.
    Zh,
    /// English.
    En,
}

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The first policy, as TOML.
    policy: PathBuf,
    /// The second policy, as TOML.
    other: PathBuf,
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// The events of the accounts, as JSON Lines; by default, none.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// The day at whose end the accounts are assessed; later events are left out. By default, the local day
    /// of the last event, or without events today (UTC).
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// For scripts: a line of JSON for each account that differs; the numbers go to standard error.
    #[arg(long)]
    json: bool,
}

/// Runs a `policy` command.
pub(super) fn run(command: PolicyCommand) -> Result<(), Box<dyn Error>> {
    match command {
        PolicyCommand::Check { policy } => check(&policy),
        PolicyCommand::Publish { policy } => runtime()?.block_on(publish(&policy)),
        PolicyCommand::Diff(args) => diff(&args),
        PolicyCommand::Preset { name, .. } => Ok(preset(name.as_deref())?),
        PolicyCommand::Describe { policy, language } => {
            let language = match language {
                LanguageArg::Zh => duewatch_domain::policy::Language::Zh,
                LanguageArg::En => duewatch_domain::policy::Language::En,
            };
            let page = describe(&read_policy(&policy)?.policy, language);
            Ok(std::io::stdout().lock().write_all(page.as_bytes())?)
        }
    }
}

/// Prints the named preset, or without a name the names of all.
fn preset(name: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for preset in PRESETS {
        match name {
            None => writeln!(out, "{}  {}", preset.name, preset.region)?,
            Some(name) if name == preset.name => out.write_all(preset.text.as_bytes())?,
            Some(_) => {}
        }
    }
    Ok(())
}

fn check(path: &Path) -> Result<(), Box<dyn Error>> {
    let file = read_policy_and_texts(path)?;
    let policy = file.policy;
    println!(
        "{}: valid: policy {}, binding from {}",
        path.display(),
        policy.reference(),
        policy.effective_on
    );
    for stage in &policy.stages {
        let restrictions: Vec<String> = stage.restrictions.iter().map(ToString::to_string).collect();
        let brings =
            if restrictions.is_empty() { "no restriction".to_owned() } else { restrictions.join(", ") };
        println!("  {}: {brings}", stage.name);
    }
    let Retention { history_days, contact_log_days } = policy.retention;
    for (what, days) in [("history", history_days), ("contact log", contact_log_days)] {
        if let Some(days) = days {
            println!("  {what}: kept for {days} days");
        }
    }
    for warning in policy::review(&file.text)?.1 {
        eprintln!("duewatch: {}: {warning}", path.display());
    }
    Ok(())
}

async fn publish(path: &Path) -> Result<(), Box<dyn Error>> {
    let file = read_policy_and_texts(path)?;
    let policy = &file.policy;
    let transitions = configured().await?;
    let store = transitions.store();
    let is_first = match store.policy_versions(&policy.id).await {
        Ok(_) => false,
        Err(StoreError::UnknownPolicy(_)) => true,
        Err(error) => return Err(error.into()),
    };
    store.publish_policy(policy, &file.text).await?;
    println!("policy {} is published, binding from {}", policy.reference(), policy.effective_on);
    if is_first {
        return Ok(());
    }
    let wait = FRESH_FOR + TimeDelta::seconds(10);
    eprintln!("in {} s everybody judges by it; then the accounts are queued", wait.num_seconds());
    tokio::time::sleep(wait.to_std()?).await;
    let queued = queue_accounts(store, policy, SystemClock.now()).await?;
    println!(
        "{} accounts under it, {} of them queued to be looked at over the next {} hours",
        queued.accounts,
        queued.queued,
        queued.spread.num_hours()
    );
    Ok(())
}

fn diff(args: &DiffArgs) -> Result<(), Box<dyn Error>> {
    let policies = [read_policy(&args.policy)?, read_policy(&args.other)?];
    let book = read_whole_book(&args.book, BookFormat::of(&args.book, args.format))?;
    let events = args.events.as_deref().map(read_events).transpose()?.unwrap_or_default();
    let on = args.on.or_else(|| last_day(&book, &events));
    let on = on.unwrap_or_else(|| SystemClock.now().date_naive());
    let path = args.events.as_ref().unwrap_or(&args.book);
    let diff = Diff::new(policies, &book, &events, path, on)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        diff.write_json(&mut out)?;
        eprintln!("{}", diff.summary());
    } else {
        diff.write_table(&mut out)?;
        writeln!(out, "\n{}", diff.summary())?;
    }
    Ok(())
}
