//! The `duewatch` command.

use std::process::ExitCode;

use clap::Parser;
use duewatch_cli::audit::AuditError;
use duewatch_cli::cli::{self, Answered, Cli};
use duewatch_cli::screen;
use duewatch_domain::escaped;
use duewatch_runtime::{EscapeStyle, Escaping};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    let log = || Escaping::new(std::io::stderr().lock(), EscapeStyle::Text);
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log).init();
    let parsed = match Cli::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error),
    };
    match cli::run(parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Answered>() {
            // The answer is printed already; a script reads the exit code.
            Some(answered) => ExitCode::from(answered.code),
            // Whoever reads the output has seen enough.
            None if cli::is_closed_pipe(&*error) => ExitCode::SUCCESS,
            None => {
                // The breaks of a history are a line each.
                if error.downcast_ref::<AuditError>().is_some() {
                    screen::notes(format_args!("duewatch: {error}"));
                } else {
                    screen::note(format_args!("duewatch: {error}"));
                }
                ExitCode::from(cli::code_of(&*error))
            }
        },
    }
}

/// Prints help, or why the command line is refused. An argument in that message can be a text from outside.
fn refused(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    if text.lines().all(|line| escaped(line) == line) {
        // As ever, in colours.
        let _ = error.print();
    } else {
        screen::notes(text.trim_end());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
