//! The command line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

use crate::input::BookFormat;
use crate::replay::{Case, CaseFiles, Engine, Outputs, replay};
use crate::stack::sweep_every;

/// Watches credit accounts: flags what is overdue, restricts in proportion, lifts
/// when the money arrives, reminds in time, and can say why.
#[derive(Debug, Parser)]
#[command(name = "duewatch", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a policy over recorded facts: a book and its events, day by day.
    Replay(ReplayArgs),
}

#[derive(Args, Debug)]
struct ReplayArgs {
    /// The policy, as TOML. It judges every account, whatever policy the book names.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// How the book is written; left out: as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// What happened, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The first day, such as 2023-10-01. Events before it are applied first.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// The last day. Events after it are not applied.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// Where the daily lines go; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    daily: Option<PathBuf>,
    /// Where the decisions go; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// What computes: the domain alone, or the functions over the embedded DynamoDB.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
}

/// Runs what the command line asks for.
///
/// # Errors
/// Whatever stopped it, worded for the person who typed the command.
pub fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command {
        Some(Command::Replay(args)) => run_replay(args),
        None => Ok(()),
    }
}

fn run_replay(args: ReplayArgs) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let files = CaseFiles { policy: args.policy, book: args.book, format: args.format, events: args.events };
    let case = Case::read(&files, args.from, args.to, sweep_every()?)?;
    let outputs = Outputs { daily: args.daily, decisions: args.decisions };
    let summary = replay(&case, args.engine, &outputs)?;
    eprintln!(
        "{} accounts, {} events, {} days: {} changes of standing, {} of them restricted, {} lifted. {:.1} s",
        summary.accounts,
        summary.events,
        summary.days,
        summary.tally.decisions,
        summary.tally.restricted,
        summary.tally.lifted,
        begun.elapsed().as_secs_f64(),
    );
    Ok(())
}
