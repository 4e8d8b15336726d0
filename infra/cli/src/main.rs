//! The `duewatch` command.

use std::process::ExitCode;

use clap::Parser;
use duewatch_cli::cli::{self, Answered, Cli};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Answered>() {
            // The answer is printed already; a script reads the exit code.
            Some(answered) => ExitCode::from(answered.code),
            // Whoever reads the output has seen enough.
            None if cli::is_closed_pipe(&*error) => ExitCode::SUCCESS,
            None => {
                eprintln!("duewatch: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
