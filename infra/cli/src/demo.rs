//! `demo`: the main job, end to end, on the embedded stack.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use duewatch_domain::commands::event_line;
use duewatch_domain::formats::book_line;

use crate::firings::SWEEP_EVERY;
use crate::output::{NamedPath, OutputError, check_outputs, write_file};
use crate::replay::{ReplayCase, ReplayError, StackReport, run_stack};
use crate::sample::Sample;

/// The option that names the folder.
const OUT: &str = "--out";
/// The policy, the portfolio file and its events.
const FILES: [&str; 3] = ["policy.toml", "book.jsonl", "events.jsonl"];

/// The settings of the demo.
#[derive(Clone, Debug)]
pub struct Demo {
    pub accounts: u32,
    pub days: u32,
    /// The seed of the sample portfolio.
    pub seed: u64,
    /// The folder for the portfolio file, its events and its policy.
    pub out: PathBuf,
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The folder or a file in it cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The shipped policy is invalid.
    #[error("the sample's policy: {0}")]
    Policy(#[from] duewatch_domain::policy::PolicyError),
}

impl Demo {
    /// Runs the demo, and returns its report.
    ///
    /// # Errors
    /// When the stack fails or the files cannot be written.
    pub fn run(&self) -> Result<String, DemoError> {
        let begun = Instant::now();
        self.check_files()?;
        let sample = Sample::new(self.accounts, self.days, self.seed)?;
        self.leave_files(&sample)?;
        let (from, to) = (sample.from, sample.to);
        let case = ReplayCase::new(
            vec![sample.policy],
            &sample.book,
            sample.events,
            Sample::events_path(),
            from,
            to,
            SWEEP_EVERY,
        )?;
        let report = run_stack(&case, None, "demo")?;
        Ok(self.summary(&case, &report, begun.elapsed()))
    }

    /// Makes the folder, and checks that the files in it may be written.
    fn check_files(&self) -> Result<(), DemoError> {
        fs::create_dir_all(&self.out).map_err(|source| OutputError::Failed {
            option: OUT,
            path: self.out.clone(),
            source,
        })?;
        let paths = FILES.map(|name| self.out.join(name));
        let outputs = paths.each_ref().map(|path| NamedPath::new(OUT, path));
        Ok(check_outputs(&outputs, &[])?)
    }

    fn leave_files(&self, sample: &Sample) -> Result<(), DemoError> {
        let book: Vec<String> = sample.book.iter().map(|line| book_line(&line.value)).collect();
        let events: Vec<String> = sample.events.iter().map(|line| event_line(&line.value)).collect();
        let texts = [sample.policy.text.clone(), book.join("\n") + "\n", events.join("\n") + "\n"];
        for (name, text) in FILES.into_iter().zip(texts) {
            write_file(OUT, &self.out.join(name), &text)?;
        }
        Ok(())
    }

    fn summary(&self, case: &ReplayCase, report: &StackReport, took: Duration) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        line(format!(
            "{} accounts, {} events, {} to {}, through the embedded DynamoDB, its streams, the functions and SNS: {:.1} s",
            case.openings.len(),
            case.steps.len(),
            case.from,
            case.to,
            took.as_secs_f64(),
        ));
        line(String::new());
        line("Where the accounts stand".to_owned());
        for (stage, count) in by_stage(case, report) {
            line(format!("  {stage:<14} {count:>5}"));
        }
        line(String::new());
        line("What happened".to_owned());
        line(format!("  {:<28} {:>6}", "changes of standing", report.tally.decisions));
        line(format!("  {:<28} {:>6}", "restrictions applied", report.tally.restricted));
        line(format!("  {:<28} {:>6}", "restrictions lifted", report.tally.lifted));
        for (channel, count) in &report.reminders {
            line(format!("  {:<28} {count:>6}", format!("messages by {channel}")));
        }
        line(format!("  {:<28} {:>6}", "contacts sent", report.contacts.sent));
        line(format!("  {:<28} {:>6}", "contacts deferred", report.contacts.deferred));
        line(format!("  {:<28} {:>6}", "contacts suppressed", report.contacts.suppressed));
        line(format!("  {:<28} {:>6}", "contacts withdrawn", report.contacts.withdrawn));
        line(String::new());
        if let Some((half, most)) = percentiles(&report.lift_times) {
            line(format!(
                "From payment to lift: p50 {half:.1} ms, p99 {most:.1} ms, over {} lifts by payment",
                report.lift_times.len()
            ));
        }
        line(units(report));
        line(String::new());
        line("Where to look next".to_owned());
        let out = self.out.display();
        if let Some(account) = an_account_with_a_story(report) {
            line(format!("  cargo run --release -- explain {account} --case {out}"));
        }
        line(format!("  the book, its events and its policy: {out}"));
        line(format!(
            "  cargo run --release -- replay --policy {out}/policy.toml --book {out}/book.jsonl --events {out}/events.jsonl \\\n    --from {} --to {} --daily - | less",
            case.from, case.to
        ));
        text
    }
}

fn by_stage(case: &ReplayCase, report: &StackReport) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for account in &report.accounts {
        *counts.entry(account.status.stage.as_str()).or_default() += 1;
    }
    let ladder = case.policy.policy.stages.iter().map(|stage| stage.name.as_str());
    std::iter::once("current")
        .chain(ladder)
        .map(|stage| (stage.to_owned(), counts.get(stage).copied().unwrap_or_default()))
        .collect()
}

/// The account with the richest story.
fn an_account_with_a_story(report: &StackReport) -> Option<&str> {
    report
        .accounts
        .iter()
        .max_by_key(|account| {
            (account.recent_decisions().iter().filter(|one| !one.lifted.is_empty()).count(), account.revision)
        })
        .map(|account| account.account_id.as_str())
}

/// The median and the maximum, in milliseconds.
fn percentiles(times: &[Duration]) -> Option<(f64, f64)> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| {
        let place = (sorted.len().saturating_sub(1) * percent).div_ceil(100);
        sorted.get(place).map(|time| milliseconds(*time))
    };
    Some((at(50)?, at(99)?))
}

#[expect(clippy::float_arithmetic, reason = "a measured time, for people to read")]
fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The accounts table's capacity units per transition.
fn units(report: &StackReport) -> String {
    let sum = |operations: &[&str]| {
        report
            .charged
            .iter()
            .filter(|((operation, table), _)| {
                operations.contains(operation) && *table == report.tables.accounts
            })
            .map(|(_, consumed)| consumed.half_units)
            .sum::<u64>()
    };
    let per_transition = |half_units: u64| {
        let hundredths = half_units * 50 / report.transitions.max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    format!(
        "DynamoDB, accounts table, a transition: {} write units, {} read units, over {} transitions",
        per_transition(sum(&["PutItem", "UpdateItem"])),
        per_transition(sum(&["GetItem", "Query"])),
        report.transitions,
    )
}

/// The default folder for the demo's files.
#[must_use]
pub fn default_out() -> PathBuf {
    Path::new("target").join("demo")
}
