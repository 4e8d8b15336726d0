//! `duewatch policy`: a policy before it binds any account.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::describe::describe;
use duewatch_domain::policy::presets::PRESETS;
use duewatch_domain::policy::{self, Retention};
use duewatch_domain::{Policy, escaped};

use super::environment::runtime;
use super::exit::{Answered, FINDINGS};
use super::policy_life::{
    ApproveArgs, HoldArgs, KeyArgs, ListArgs, PublishArgs, RollbackArgs, SignArgs, run_approve, run_hold,
    run_key, run_list, run_publish, run_release, run_rollback, run_sign,
};
use crate::diff::{Diff, last_day};
use crate::input::{BookFormat, read_events, read_policy, read_policy_and_texts, read_whole_book};
use crate::screen;

/// The `policy` commands.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check that a policy and its texts are valid, print its rules, and warn of doubtful ones.
    ///
    /// Warnings go to standard error, each with line and column, and fail nothing unless --strict is given: a
    /// ladder that jumps, restricts within grace or unannounced, or eases later arrears.
    Check {
        /// The policy, as TOML.
        policy: PathBuf,
        /// End with exit code 5 where there is a warning.
        #[arg(long)]
        strict: bool,
    },
    /// Publish the next version into the tables that the environment names, and queue every account under the
    /// policy for evaluation, spread over the time until the version takes effect.
    ///
    /// The version is first compared with the one before, on the accounts of the table or of a portfolio file. It
    /// stops where it would newly restrict too many of them.
    Publish(PublishArgs),
    /// Approve a policy before another person publishes it. The publication bears the approver.
    Approve(ApproveArgs),
    /// Publish the text of the version before the latest one as the next version. It binds from its publication.
    Rollback(RollbackArgs),
    /// Sign all versions of a policy as they lie there: unsigned ones, those of an earlier release, and those of a key
    /// that was given up. Compare the digests that it prints with those of your own files.
    Sign(SignArgs),
    /// Print the public half of a publisher's key, for the setting POLICY_KEYS.
    Key(KeyArgs),
    /// List the versions of a policy: who published each, when, and how many accounts it binds.
    List(ListArgs),
    /// Put new restrictions on hold for all accounts, within a minute. Flags, lifts and reminders go on.
    Hold(HoldArgs),
    /// End the hold on new restrictions. Those that it deferred begin from then on.
    Release(HoldArgs),
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
        PolicyCommand::Check { policy, strict } => check(&policy, strict),
        PolicyCommand::Publish(args) => runtime()?.block_on(run_publish(args)),
        PolicyCommand::Approve(args) => runtime()?.block_on(run_approve(args)),
        PolicyCommand::Rollback(args) => runtime()?.block_on(run_rollback(args)),
        PolicyCommand::Sign(args) => runtime()?.block_on(run_sign(args)),
        PolicyCommand::Key(args) => run_key(&args),
        PolicyCommand::List(args) => runtime()?.block_on(run_list(args)),
        PolicyCommand::Hold(args) => runtime()?.block_on(run_hold(args)),
        PolicyCommand::Release(args) => runtime()?.block_on(run_release(args)),
        PolicyCommand::Diff(args) => diff(&args),
        PolicyCommand::Preset { name, .. } => Ok(preset(name.as_deref())?),
        PolicyCommand::Describe { policy, language } => {
            let language = match language {
                LanguageArg::Zh => duewatch_domain::policy::Language::Zh,
                LanguageArg::En => duewatch_domain::policy::Language::En,
            };
            let page = describe(&read_policy(&policy)?.policy, language);
            Ok(screen::people().write_all(page.as_bytes())?)
        }
    }
}

/// Prints the named preset, or without a name the names of all.
fn preset(name: Option<&str>) -> std::io::Result<()> {
    let mut out = screen::people();
    for preset in PRESETS {
        match name {
            None => writeln!(out, "{}  {}", preset.name, preset.region)?,
            Some(name) if name == preset.name => out.write_all(preset.text.as_bytes())?,
            Some(_) => {}
        }
    }
    Ok(())
}

fn check(path: &Path, strict: bool) -> Result<(), Box<dyn Error>> {
    let file = read_policy_and_texts(path)?;
    let mut out = screen::people();
    for line in rules_of(&file.policy, path) {
        writeln!(out, "{}", escaped(&line))?;
    }
    let warnings = policy::review(&file.text)?.1;
    for warning in &warnings {
        screen::note(format_args!("duewatch: {}: {warning}", path.display()));
    }
    if strict && !warnings.is_empty() { Err(Box::new(Answered { code: FINDINGS })) } else { Ok(()) }
}

/// The rules of a valid policy, a line each.
fn rules_of(policy: &Policy, path: &Path) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: valid: policy {}, binding from {}",
        path.display(),
        policy.reference(),
        policy.effective_on
    )];
    for stage in &policy.stages {
        let restrictions: Vec<String> = stage.restrictions.iter().map(ToString::to_string).collect();
        let brings =
            if restrictions.is_empty() { "no restriction".to_owned() } else { restrictions.join(", ") };
        lines.push(format!("  {}: {brings}", stage.name));
    }
    let Retention { history_days, contact_log_days } = policy.retention;
    for (what, days) in [("history", history_days), ("contact log", contact_log_days)] {
        lines.extend(days.map(|days| format!("  {what}: kept for {days} days")));
    }
    lines
}

fn diff(args: &DiffArgs) -> Result<(), Box<dyn Error>> {
    let policies = [read_policy(&args.policy)?, read_policy(&args.other)?];
    let book = read_whole_book(&args.book, BookFormat::of(&args.book, args.format))?;
    let events = args.events.as_deref().map(read_events).transpose()?.unwrap_or_default();
    let on = args.on.or_else(|| last_day(&book, &events));
    let on = on.unwrap_or_else(|| SystemClock.now().date_naive());
    let path = args.events.as_ref().unwrap_or(&args.book);
    let diff = Diff::new(policies, &book, &events, path, on)?;
    if args.json {
        diff.write_json(&mut screen::json())?;
        screen::note(diff.summary());
    } else {
        let mut out = screen::people();
        diff.write_table(&mut out)?;
        writeln!(out, "\n{}", diff.summary())?;
    }
    Ok(())
}
