//! The `duewatch` command.

use std::process::ExitCode;

use clap::Parser;
use duewatch_local::cli::{self, Cli};

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("duewatch: {error}");
            ExitCode::FAILURE
        }
    }
}
