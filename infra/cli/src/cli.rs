//! The command line.

mod account;
mod approve;
mod cases;
mod customer;
mod environment;
mod exit;
mod holds;
#[cfg(feature = "local")]
mod local;
mod operations;
mod policy;
mod policy_life;
mod replay;
mod restore;
mod verify;

use std::error::Error;
use std::io::Write;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::{Shell, generate};

use self::account::{AuditArgs, ExplainArgs, PermitsArgs, run_audit, run_explain, run_permits};
use self::approve::{ApproveProposalArgs, run_approve};
use self::cases::{CasesArgs, run_cases};
use self::customer::{ContactsArgs, EraseArgs, ExportArgs, run_contacts, run_erase, run_export};
use self::environment::runtime;
pub use self::exit::{Answered, code_of, is_closed_pipe};
use self::holds::{StartArgs, StopArgs, run_start, run_stop};
#[cfg(feature = "local")]
use self::local::{DemoArgs, ServeArgs, run_demo, run_serve};
use self::operations::{ImportArgs, RequeueArgs, run_import, run_requeue};
use self::policy::PolicyCommand;
use self::replay::{ReplayArgs, run_replay};
use self::restore::{RestoreArgs, run_restore};
use self::verify::VerifyArgs;
use crate::schema::{Format, schema};
use crate::screen;

/// The answer to a command that needs the local stack.
#[cfg(not(feature = "local"))]
const WITHOUT_STACK: &str = "`demo` and `serve` need the local stack, which this build leaves out: it works on AWS \
     alone. The feature `local`, on by default, brings it";

/// Watches credit accounts: flags overdue ones, restricts in proportion, lifts when the payment arrives,
/// reminds in time, and explains every decision.
#[cfg_attr(feature = "local", doc = "\nWithout a command it runs the demo.")]
#[derive(Debug, Parser)]
#[command(name = "duewatch", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Run the main job, end to end, on the embedded stack with a sample portfolio.
    #[cfg(feature = "local")]
    Demo(DemoArgs),
    /// Run a policy over recorded facts: a portfolio file and its events, day by day.
    Replay(ReplayArgs),
    /// Load a portfolio file into the tables that the environment names.
    Import(ImportArgs),
    /// Explain an account: each decision, its reasons and figures, and the next action.
    Explain(ExplainArgs),
    /// Check whether an account may do an operation now, and why. Ends with exit code 3 where it may not, and with
    /// 2 where the operation is no known one.
    Permits(PermitsArgs),
    /// Print an account's history, entry by entry, and verify that it is complete and unchanged.
    Audit(AuditArgs),
    /// Show a customer's messages, the requests that wait for the contact gate, and the suppressed ones with
    /// the reasons. Without a customer, over all customers: receipts by policy, template and channel.
    Contacts(ContactsArgs),
    /// Export the data of a customer, as JSON. The export itself is recorded.
    Export(ExportArgs),
    /// Erase the personal data of a customer that may be erased: contact points, names, the values of the
    /// contact log. Accounts, payments and history stay. The erasure itself is recorded.
    Erase(EraseArgs),
    /// Stop all that leaves, or new restrictions, on all accounts within a minute. Nothing is lost: it waits.
    ///
    /// Repeated, it changes nothing. Each change is recorded with the caller, the time and the reason.
    Stop(StopArgs),
    /// Start again what was stopped.
    Start(StartArgs),
    /// Hand quarantined records back to the functions, in the tables that the environment names.
    Requeue(RequeueArgs),
    /// Approve a command that forgives or defers more than one person alone may, named by its digest; the account then
    /// takes it. Or list such commands, or refuse one.
    Approve(ApproveProposalArgs),
    /// Show the open cases with their deadlines, or one case; open, change and decide cases.
    Cases(CasesArgs),
    /// Replay the archive of accepted commands into restored tables, while sending is stopped.
    ///
    /// Erasures come first, then commands in their order. It may be repeated: a known command changes nothing.
    Restore(RestoreArgs),
    /// The local stack, long-running: DynamoDB, SNS, streams and schedules.
    #[cfg(feature = "local")]
    Serve(ServeArgs),
    /// The commands that this build leaves out, so that they are answered with the reason.
    #[cfg(not(feature = "local"))]
    #[command(name = "demo", alias = "serve", hide = true, disable_help_flag = true)]
    LeftOut {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check, publish, compare and describe policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Verify the reference of a message: genuine and until when, expired, or not one of ours. The answer
    /// never reveals the recipient. Ends with exit code 3 where the reference has expired, and 4 where it is
    /// not one of ours.
    Verify(VerifyArgs),
    /// Print the JSON Schema (draft 2020-12) of a format.
    Schema {
        /// The format.
        #[arg(value_enum)]
        format: Format,
    },
    /// Print a script that completes this command in a shell, for that shell to load.
    ///
    /// For example: duewatch completions bash > ~/.local/share/bash-completion/completions/duewatch
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Runs the command of the command line.
///
/// # Errors
/// The first failure, worded for the person who typed the command.
pub fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command {
        #[cfg(feature = "local")]
        None => run(Cli::parse_from(["duewatch", "demo"])),
        #[cfg(not(feature = "local"))]
        None => Ok(Cli::command().print_help()?),
        #[cfg(feature = "local")]
        Some(CliCommand::Demo(args)) => run_demo(args),
        #[cfg(not(feature = "local"))]
        Some(CliCommand::LeftOut { .. }) => Err(WITHOUT_STACK.into()),
        Some(CliCommand::Replay(args)) => run_replay(args),
        Some(CliCommand::Import(args)) => runtime()?.block_on(run_import(args)),
        Some(CliCommand::Explain(args)) => run_explain(&args),
        Some(CliCommand::Permits(args)) => run_permits(&args),
        Some(CliCommand::Audit(args)) => runtime()?.block_on(run_audit(&args)),
        Some(CliCommand::Contacts(args)) => runtime()?.block_on(run_contacts(args)),
        Some(CliCommand::Export(args)) => runtime()?.block_on(run_export(args)),
        Some(CliCommand::Erase(args)) => runtime()?.block_on(run_erase(args)),
        Some(CliCommand::Stop(args)) => runtime()?.block_on(run_stop(args)),
        Some(CliCommand::Start(args)) => runtime()?.block_on(run_start(args)),
        Some(CliCommand::Approve(args)) => runtime()?.block_on(run_approve(args)),
        Some(CliCommand::Cases(args)) => runtime()?.block_on(run_cases(args)),
        Some(CliCommand::Requeue(args)) => runtime()?.block_on(run_requeue(args)),
        Some(CliCommand::Restore(args)) => runtime()?.block_on(run_restore(args)),
        #[cfg(feature = "local")]
        Some(CliCommand::Serve(args)) => runtime()?.block_on(run_serve(args)),
        Some(CliCommand::Policy(command)) => policy::run(command),
        Some(CliCommand::Verify(args)) => verify::run(&args),
        Some(CliCommand::Schema { format }) => run_schema(format),
        Some(CliCommand::Completions { shell }) => run_completions(shell),
    }
}

fn run_completions(shell: Shell) -> Result<(), Box<dyn Error>> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "duewatch", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

fn run_schema(format: Format) -> Result<(), Box<dyn Error>> {
    let mut out = screen::json();
    serde_json::to_writer_pretty(&mut out, &schema(format))?;
    writeln!(out)?;
    Ok(())
}
