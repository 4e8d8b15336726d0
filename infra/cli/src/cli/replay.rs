//! `duewatch replay`: a policy over recorded facts.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use chrono::NaiveDate;
use clap::Args;

use crate::firings::SWEEP_EVERY;
use crate::input::{BookFormat, read_policy};
use crate::output::{NamedPath, check_outputs, is_stdout};
use crate::replay::{CaseFiles, Engine, Outputs, ReplayCase, replay, replay_against};
use crate::screen;

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    files: FileArgs,
    /// The first day, such as 2023-10-01. The days before it are judged in silence.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// The last day. Events after it are not applied.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// The file for the daily lines; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    daily: Option<PathBuf>,
    /// The file for the decisions; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// The file for the contact requests, each when it would leave if the contact gate agreed; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
    /// The engine: the domain alone, or the functions over the embedded DynamoDB.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Another policy, run over the same facts by the domain alone: prints the differences, in numbers and
    /// for the accounts that differ most. The outputs stay those of --policy.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct FileArgs {
    /// The policy, as TOML. It assesses every account, whatever policy the portfolio file names. May be repeated: the
    /// versions of one policy, each followed from the date on which it binds.
    #[arg(long, value_name = "FILE", required = true)]
    policy: Vec<PathBuf>,
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// The events, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
}

impl FileArgs {
    fn named(&self) -> impl Iterator<Item = NamedPath<'_>> {
        let policies = self.policy.iter().map(|path| NamedPath::new("--policy", path));
        policies.chain([NamedPath::new("--book", &self.book), NamedPath::new("--events", &self.events)])
    }

    fn into_files(self) -> CaseFiles {
        CaseFiles { policies: self.policy, book: self.book, format: self.format, events: self.events }
    }
}

pub(super) fn run_replay(args: ReplayArgs) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    if args.against.is_some() {
        #[cfg(feature = "local")]
        if args.engine == Engine::Stack {
            return Err("--against compares by the domain alone; leave --engine stack out".into());
        }
        if [&args.daily, &args.decisions, &args.contacts].into_iter().flatten().any(|one| is_stdout(one)) {
            return Err(
                "--against prints on standard output; let --daily, --decisions and --contacts name files"
                    .into(),
            );
        }
    }
    let outputs = Outputs { daily: args.daily, decisions: args.decisions, contacts: args.contacts };
    let inputs: Vec<NamedPath<'_>> = args
        .files
        .named()
        .chain(args.against.as_deref().map(|path| NamedPath::new("--against", path)))
        .collect();
    check_outputs(&outputs.named().collect::<Vec<_>>(), &inputs)?;
    let mut case = ReplayCase::read(&args.files.into_files(), args.from, args.to, SWEEP_EVERY)?;
    let (summary, comparison) = match &args.against {
        None => (replay(&case, args.engine, &outputs)?, None),
        Some(other) => {
            let (summary, comparison) = replay_against(&mut case, read_policy(other)?, &outputs)?;
            (summary, Some(comparison))
        }
    };
    if let Some(comparison) = comparison {
        write!(screen::people(), "{comparison}")?;
    }
    screen::note(format_args!(
        "{} accounts, {} events, {} days: {} changes of standing, {} of them restricted, {} lifted. {:.1} s{}",
        summary.accounts,
        summary.events,
        summary.days,
        summary.tally.decisions,
        summary.tally.restricted,
        summary.tally.lifted,
        begun.elapsed().as_secs_f64(),
        peak_memory().map_or_else(String::new, |megabytes| format!(", {megabytes} MB at most")),
    ));
    Ok(())
}

/// The peak memory of this process, where the system reports it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}
