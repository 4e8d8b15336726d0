//! Runs seeds of the simulation; `--help` lists the options, and the README of `tests/src/simulation`
//! explains the simulator.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use clap::Parser;
use duewatch_tests::simulation::{
    Broken, Fault, Scenario, SimulationPlan, SimulationReport, Without, every_fault, every_order, run,
    scenarios, shrink,
};

/// The command that repeats a run.
const COMMAND: &str = "cargo run --release -p duewatch-tests --example simulate --";

/// Simulates a lender for a month from each seed, with everything that can go wrong.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct SimulateArguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// The number of seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// One seed alone; its plan is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the small scenarios too, in every order of requests and with every fault at each request; the
    /// value bounds the orders of one scenario.
    #[arg(long, value_name = "ORDERS")]
    exhaustive: Option<usize>,
    /// Leaves out the small scenarios without these words in their names
    #[arg(long, requires = "exhaustive")]
    scenario: Option<String>,
    /// Threads; each runs seeds of its own.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Stops at the first seed that breaks a promise, and leaves out the small scenarios then.
    #[arg(long)]
    first: bool,
    /// Does not shrink a failing seed.
    #[arg(long)]
    no_shrink: bool,
    /// Accounts to leave out, by their place in the portfolio.
    #[arg(long, value_delimiter = ',')]
    without_accounts: Vec<usize>,
    /// Happenings to leave out: numbers, and ranges such as 3-7.
    #[arg(long, value_delimiter = ',')]
    without_happenings: Vec<String>,
    /// Faults to leave out.
    #[arg(long, value_delimiter = ',')]
    without_faults: Vec<Fault>,
    /// Outages to leave out, by their place.
    #[arg(long, value_delimiter = ',')]
    without_outages: Vec<usize>,
    /// Days to leave out at the end.
    #[arg(long, default_value_t = 0)]
    without_days: u32,
}

impl SimulateArguments {
    fn without(&self) -> Result<Without, String> {
        Ok(Without {
            accounts: self.without_accounts.iter().copied().collect(),
            happenings: numbers(&self.without_happenings)?,
            faults: self.without_faults.iter().copied().collect(),
            outages: self.without_outages.iter().copied().collect(),
            days: self.without_days,
        })
    }
}

/// `1`, `3-7`, ... as numbers.
fn numbers(texts: &[String]) -> Result<BTreeSet<usize>, String> {
    let mut all = BTreeSet::new();
    for text in texts {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) if last - first.min(last) < 10_000 => all.extend(first..=last),
            _ => return Err(format!("--without-happenings: \"{text}\" is no number and no range")),
        }
    }
    Ok(all)
}

fn main() -> ExitCode {
    let arguments = SimulateArguments::parse();
    let without = match arguments.without() {
        Ok(without) => without,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let mut failed = match arguments.seed {
        Some(seed) => u64::from(!one(seed, &without, arguments.no_shrink)),
        None => many(&arguments),
    };
    let is_enough = arguments.first && failed > 0;
    if let Some(orders) = arguments.exhaustive.filter(|_| !is_enough) {
        failed += exhaustive(orders, arguments.scenario.as_deref(), arguments.threads);
    }
    ExitCode::from(u8::from(failed > 0))
}

/// Runs one seed, and shows its plan.
fn one(seed: u64, without: &Without, no_shrink: bool) -> bool {
    let plan = SimulationPlan::of(seed).without(without);
    println!("seed {seed}: {} to {}, {} accounts", plan.begin, plan.end, plan.book.len());
    for contract in &plan.book {
        println!("  {contract:?}");
    }
    for (place, outage) in plan.outages.iter().enumerate() {
        println!("  outage {place}: {outage}");
    }
    println!("  faults, of ten thousand chances: {:?}", plan.faults);
    for happening in &plan.happenings {
        println!("{happening}");
    }
    match run(plan) {
        Ok(report) => {
            println!("{report}");
            true
        }
        Err(broken) => {
            tell(seed, without, &broken, no_shrink);
            false
        }
    }
}

fn many(arguments: &SimulateArguments) -> u64 {
    let begun = Instant::now();
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = Mutex::new(SimulationReport::default());
    let told = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let enough = arguments.first && failed.load(Ordering::Relaxed) > 0;
                    if place >= arguments.seeds || enough {
                        break;
                    }
                    let seed = arguments.from + place;
                    match run(SimulationPlan::of(seed)) {
                        Ok(report) => total.lock().unwrap_or_else(PoisonError::into_inner).add(&report),
                        Err(broken) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            // Only the first failing seed is shrunk; the others are only listed.
                            let quick = arguments.no_shrink || told.swap(true, Ordering::Relaxed);
                            tell(seed, &Without::default(), &broken, quick);
                        }
                    }
                    if (place + 1) % 100 == 0 {
                        eprintln!(
                            "{} of {} seeds, {} s",
                            place + 1,
                            arguments.seeds,
                            begun.elapsed().as_secs()
                        );
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    print!("{}", total.into_inner().unwrap_or_else(PoisonError::into_inner));
    println!(
        "{} seeds from {}, {failed} of them broke a promise, {} s",
        arguments.seeds,
        arguments.from,
        begun.elapsed().as_secs()
    );
    failed
}

fn tell(seed: u64, without: &Without, broken: &Broken, no_shrink: bool) {
    if no_shrink {
        println!("seed {seed}: {broken}\n  {COMMAND} --seed {seed}{without}");
        return;
    }
    let shrunk = shrink(seed, without, broken);
    println!(
        "seed {seed}: {broken}\n  {COMMAND} --seed {seed}{without}\n  after {} runs: {}\n  {COMMAND} --seed {seed}{} --no-shrink",
        shrunk.runs, shrunk.broken, shrunk.without
    );
}

/// Tries every order and every fault of the small scenarios.
fn exhaustive(orders: usize, words: Option<&str>, threads: usize) -> u64 {
    let mut scenarios = scenarios();
    scenarios.retain(|scenario| words.is_none_or(|words| scenario.name.contains(words)));
    let (next, failed) = (AtomicUsize::new(0), AtomicU64::new(0));
    let total = Mutex::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let (in_orders, with_faults) = tried(scenario, orders);
                    let (ordered, struck) = (in_orders.unwrap_or_default(), with_faults.unwrap_or_default());
                    let broken = u64::from(in_orders.is_none()) + u64::from(with_faults.is_none());
                    failed.fetch_add(broken, Ordering::Relaxed);
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    (total.0, total.1) = (total.0 + ordered, total.1 + struck);
                    let seconds = begun.elapsed().as_secs();
                    println!("{}: {ordered} orders, {struck} faults, {seconds} s", scenario.name);
                }
            });
        }
    });
    let (ordered, struck) = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} scenarios in {ordered} orders, and with {struck} single faults", scenarios.len());
    failed.into_inner()
}

/// The number of orders and of faults for which a scenario was tried; none: one of them broke a promise,
/// which was printed.
fn tried(scenario: &Scenario, orders: usize) -> (Option<usize>, Option<usize>) {
    let in_orders = every_order(scenario, orders).map_err(|(order, broken)| {
        println!("{}: in the order {order:?}: {broken}", scenario.name);
    });
    let with_faults = every_fault(scenario).map_err(|((fault, request), broken)| {
        println!("{}: {fault} at request {request}: {broken}", scenario.name);
    });
    (in_orders.ok().map(|tried| tried.ways), with_faults.ok().map(|tried| tried.ways))
}
