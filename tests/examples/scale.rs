//! Measures a portfolio of any size on this machine, and calculates its cost on AWS.
//!
//! ```sh
//! cargo run --release -p duewatch-tests --example scale -- --accounts 10000 --accounts 100000
//! cargo run --release -p duewatch-tests --example scale -- --accounts 1000000 --peak-percent 5 --on-disk engine.db
//! cargo run --release -p duewatch-tests --example scale -- cost     # the tables of infra/cost.md
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use duewatch_tests::scale::book::Book;
use duewatch_tests::scale::measure::Heap;
use duewatch_tests::scale::{BenchmarkPlan, Failure, run};
use peak_alloc::PeakAlloc;

/// Counts the live heap.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Measures a portfolio of a chosen size.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct ScaleArguments {
    /// The number of accounts; several sizes are measured one after another
    #[arg(long, default_values_t = [10_000])]
    accounts: Vec<u32>,
    /// The percentage of accounts that are due at the month's end
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    peak_percent: u32,
    /// The most lifts that are timed one by one
    #[arg(long, default_value_t = 1_000)]
    lifts: usize,
    /// The file that holds the engine's pages, in memory otherwise; the file must not exist yet
    #[arg(long)]
    on_disk: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<ScaleCommand>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum ScaleCommand {
    /// Prints the tables of infra/cost.md
    Cost,
}

fn main() -> ExitCode {
    match act(&ScaleArguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scale: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_cost() {
    for table in duewatch_tests::cost::tables::all() {
        println!("<!-- {} -->\n{}", table.name, table.text);
    }
    for fact in duewatch_tests::cost::facts::facts() {
        println!("{fact}");
    }
}

fn act(arguments: &ScaleArguments) -> Result<(), Failure> {
    if let Some(ScaleCommand::Cost) = arguments.command {
        print_cost();
        return Ok(());
    }
    if arguments.on_disk.is_some() && arguments.accounts.len() > 1 {
        return Err("a file holds one book: give --accounts once".into());
    }
    let heap = Heap {
        live: || ALLOCATOR.current_usage(),
        peak: || ALLOCATOR.peak_usage(),
        reset: || ALLOCATOR.reset_peak_usage(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for accounts in &arguments.accounts {
        let plan = BenchmarkPlan {
            book: Book { accounts: *accounts, peak_percent: arguments.peak_percent },
            on_disk: arguments.on_disk.clone(),
            lifts: arguments.lifts,
        };
        println!("{}", runtime.block_on(run(&plan, heap))?);
    }
    Ok(())
}
