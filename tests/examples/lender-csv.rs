//! Imports a CSV that a lender exported, and prints how to replay it.
//!
//! ```sh
//! cargo run --release -p duewatch-tests --example lender-csv -- loans.csv OUT_DIR [TIME_ZONE] [CURRENCY]
//! ```
//!
//! The arguments after the file state its missing terms: the zone in which the loans' days begin
//! [Asia/Shanghai], and the currency of the amounts [CNY]. `tests/src/lender_csv.rs` reads the file; copy and
//! change it for a file of your own.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use duewatch_tests::lender_csv::{LenderTerms, read_file, write};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lender-csv: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(csv), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err("give the CSV and a directory: LOANS.csv OUT_DIR [TIME_ZONE] [CURRENCY]".into());
    };
    let zone = arguments.next().unwrap_or_else(|| "Asia/Shanghai".to_owned());
    let currency = arguments.next().unwrap_or_else(|| "CNY".to_owned());
    let terms = LenderTerms {
        time_zone: zone.parse().map_err(|_| format!("\"{zone}\" is no IANA time zone"))?,
        currency: currency.parse()?,
    };
    let written = write(&read_file(Path::new(&csv), &terms)?, &terms, Path::new(&directory))?;
    println!("{}: {} loans", written.book.display(), written.loans);
    println!("{}: {} payments", written.events.display(), written.payments);
    println!("{}: the rules", written.policy.display());
    println!("\nNow replay them:\n");
    println!(
        "cargo run --release -- replay --engine stack --policy {} --book {} --events {} --from {} --to {} \
         --daily {directory}/daily.jsonl --decisions {directory}/decisions.jsonl",
        written.policy.display(),
        written.book.display(),
        written.events.display(),
        written.from,
        written.to,
    );
    Ok(())
}
