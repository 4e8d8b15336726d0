//! The command line.

mod policy;
mod verify;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aws_config::{BehaviorVersion, SdkConfig};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::{Account, Decision, Policy, permit_for};
use duewatch_runtime::{Clock, Services, Settings, SystemClock, https_client, reference_keys_from_env};
use duewatch_store::{Store, Transitions};

use self::policy::PolicyCommand;
use self::verify::VerifyArgs;
use crate::audit::audit;
use crate::contacts;
use crate::customer::{self, Erased};
use crate::demo::{self, Demo};
use crate::explain::story;
use crate::import::{ImportError, Imported, import};
use crate::input::{BookFormat, read_book, read_policy, read_policy_and_texts, read_whole_book};
use crate::progress::Progress;
use crate::replay::{Case, CaseFiles, Engine, Outputs, Walked, replay, replay_against, walk_account};
use crate::requeue::{Requeue, Requeued};
use crate::schema::{Format, schema};
use crate::serve::{Serve, Stock};
use crate::stack::{Handlers, sweep_every};

/// Watches credit accounts: flags overdue ones, restricts in proportion, lifts when the payment arrives,
/// reminds in time, and explains every decision.
///
/// Without a command it runs the demo.
#[derive(Debug, Parser)]
#[command(name = "duewatch", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Run the main job, end to end, on the embedded stack with a sample portfolio.
    Demo(DemoArgs),
    /// Run a policy over recorded facts: a portfolio file and its events, day by day.
    Replay(ReplayArgs),
    /// Load a portfolio file into the tables that the environment names.
    Import(ImportArgs),
    /// Explain an account: each decision, its reasons and figures, and the next action.
    Explain(ExplainArgs),
    /// Check whether an account may do something now, and why: draw, transfer, pay_wages, ... Ends with exit
    /// code 3 where it may not.
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
    /// Hand quarantined records back to the functions, in the tables that the environment names.
    Requeue(RequeueArgs),
    /// The local stack, long-running: DynamoDB, SNS, streams and schedules.
    Serve(ServeArgs),
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
}

#[derive(Args, Debug)]
struct DemoArgs {
    /// The number of accounts.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: u32,
    /// The number of days, from 2025-01-01 on.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// The seed of the sample portfolio: equal seeds give equal portfolios.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the portfolio file, its events and its policy.
    #[arg(long, value_name = "DIR", default_value_os_t = demo::default_out())]
    out: PathBuf,
}

#[derive(Args, Debug)]
struct ReplayArgs {
    #[command(flatten)]
    files: FileArgs,
    /// The first day, such as 2023-10-01. Events before it are applied first.
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
    /// The engine: the domain alone, or the functions over the embedded DynamoDB.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Another policy, run over the same facts by the domain alone: prints the differences, in numbers and
    /// for the accounts that differ most. The outputs stay those of --policy.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The policy, as TOML. It assesses every account, whatever policy the portfolio file names.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
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
    fn into_files(self) -> CaseFiles {
        CaseFiles { policy: self.policy, book: self.book, format: self.format, events: self.events }
    }
}

#[derive(Args, Debug)]
struct ImportArgs {
    /// The accounts, as JSON Lines or CSV.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The format of the portfolio file; by default, as its name says.
    #[arg(long, value_enum)]
    format: Option<BookFormat>,
    /// A policy to publish first.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Load the rest when a line is refused.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Args, Debug)]
struct ExplainArgs {
    /// The account.
    account: AccountId,
    /// A folder with policy.toml, book.jsonl and events.jsonl. By default, the tables that the environment
    /// names, or else the demo's folder.
    #[arg(long, value_name = "DIR")]
    case: Option<PathBuf>,
    /// With a folder: the first day. By default, that of the first event.
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// With a folder: the last day. By default, that of the last event.
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
}

#[derive(Args, Debug)]
struct PermitsArgs {
    #[command(flatten)]
    of: ExplainArgs,
    /// The operation, by its name in the lender's systems. `draw` is drawing on the credit line, `repay`
    /// paying back.
    operation: String,
}

#[derive(Args, Debug)]
struct AuditArgs {
    /// The account, in the tables that the environment names.
    account: AccountId,
}

#[derive(Args, Debug)]
struct ContactsArgs {
    /// The customer, in the tables that the environment names; by default, all customers.
    customer: Option<CustomerId>,
    /// Over all customers: the first day (UTC); by default, the last 30 days.
    #[arg(long, value_name = "DATE", conflicts_with = "customer")]
    since: Option<NaiveDate>,
}

#[derive(Args, Debug)]
struct ExportArgs {
    /// The customer.
    customer: CustomerId,
    /// Who exports the data; recorded with the export.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: String,
    /// An account of the customer to export with its history; may be repeated.
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<AccountId>,
    /// Search the whole accounts table for the customer's accounts.
    #[arg(long)]
    scan: bool,
}

#[derive(Args, Debug)]
struct EraseArgs {
    /// The customer.
    customer: CustomerId,
    /// Who erases the data; recorded with the erasure.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: String,
    /// Confirm the erasure, which cannot be undone.
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
struct RequeueArgs {
    /// The first day of quarantine (UTC); by default, the last 30 days.
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// Only the records that this function quarantined, such as post-payment.
    #[arg(long, value_name = "FUNCTION")]
    source: Option<String>,
    /// A batch that a stream mapping gave up on, as a file from its bucket; may be repeated. The quarantine
    /// then stays as it is.
    #[arg(long = "batch", value_name = "FILE", conflicts_with_all = ["since", "source"])]
    batches: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct ServeArgs {
    /// The port of DynamoDB on this machine.
    #[arg(long, default_value_t = 8000)]
    dynamodb_port: u16,
    /// The port of SNS on this machine.
    #[arg(long, default_value_t = 8001)]
    sns_port: u16,
    /// The port of SQS on this machine.
    #[arg(long, default_value_t = 8002)]
    sqs_port: u16,
    /// A Lambda runtime that runs the functions, such as http://127.0.0.1:9000 for `cargo lambda watch`; by
    /// default, this process.
    #[arg(long, value_name = "URL")]
    lambda: Option<String>,
    /// The file for the functions' environment, for `cargo lambda watch --env-file`.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// A portfolio file to load at the start.
    #[arg(long, value_name = "FILE", requires = "policy")]
    book: Option<PathBuf>,
    /// The policy to publish at the start.
    #[arg(long, value_name = "FILE", requires = "book")]
    policy: Option<PathBuf>,
}

/// Runs the command of the command line.
///
/// # Errors
/// The first failure, worded for the person who typed the command.
pub fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command {
        None => run(Cli::parse_from(["duewatch", "demo"])),
        Some(CliCommand::Demo(args)) => run_demo(args),
        Some(CliCommand::Replay(args)) => run_replay(args),
        Some(CliCommand::Import(args)) => runtime()?.block_on(run_import(args)),
        Some(CliCommand::Explain(args)) => run_explain(&args),
        Some(CliCommand::Permits(args)) => run_permits(&args),
        Some(CliCommand::Audit(args)) => runtime()?.block_on(run_audit(&args.account)),
        Some(CliCommand::Contacts(args)) => runtime()?.block_on(run_contacts(args)),
        Some(CliCommand::Export(args)) => runtime()?.block_on(run_export(args)),
        Some(CliCommand::Erase(args)) => runtime()?.block_on(run_erase(args)),
        Some(CliCommand::Requeue(args)) => runtime()?.block_on(run_requeue(args)),
        Some(CliCommand::Serve(args)) => runtime()?.block_on(run_serve(args)),
        Some(CliCommand::Policy(command)) => policy::run(command),
        Some(CliCommand::Verify(args)) => verify::run(&args),
        Some(CliCommand::Schema { format }) => run_schema(format),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn run_demo(args: DemoArgs) -> Result<(), Box<dyn Error>> {
    let demo = Demo { accounts: args.accounts, days: args.days, seed: args.seed, out: args.out };
    print!("{}", demo.run()?);
    Ok(())
}

fn run_replay(args: ReplayArgs) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    if args.against.is_some() {
        if args.engine == Engine::Stack {
            return Err("--against compares by the domain alone; leave --engine stack out".into());
        }
        if [&args.daily, &args.decisions].into_iter().flatten().any(|one| one == Path::new("-")) {
            return Err("--against prints on standard output; let --daily and --decisions name files".into());
        }
    }
    let mut case = Case::read(&args.files.into_files(), args.from, args.to, sweep_every()?)?;
    let outputs = Outputs { daily: args.daily, decisions: args.decisions };
    let (summary, comparison) = match &args.against {
        None => (replay(&case, args.engine, &outputs)?, None),
        Some(other) => {
            let (summary, comparison) = replay_against(&mut case, read_policy(other)?, &outputs)?;
            (summary, Some(comparison))
        }
    };
    if let Some(comparison) = comparison {
        print!("{comparison}");
    }
    eprintln!(
        "{} accounts, {} events, {} days: {} changes of standing, {} of them restricted, {} lifted. {:.1} s{}",
        summary.accounts,
        summary.events,
        summary.days,
        summary.tally.decisions,
        summary.tally.restricted,
        summary.tally.lifted,
        begun.elapsed().as_secs_f64(),
        peak_memory().map_or_else(String::new, |megabytes| format!(", {megabytes} MB at most")),
    );
    Ok(())
}

/// The peak memory of this process, where the system reports it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}

/// Region, credentials and endpoints of the caller, profiles included.
async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https_client()).load().await
}

/// The store of the environment's tables, through clients that the environment configures.
async fn configured() -> Result<Transitions, ImportError> {
    let settings = Settings::from_env()?;
    let config = sdk_config().await;
    let client = aws_sdk_dynamodb::Client::new(&config);
    Ok(Transitions::new(Store::new(client, settings.tables, settings.due_shards)))
}

async fn run_requeue(args: RequeueArgs) -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env().map_err(ImportError::from)?;
    let config = sdk_config().await;
    let (dynamodb, sns) = (aws_sdk_dynamodb::Client::new(&config), aws_sdk_sns::Client::new(&config));
    let clock = || Arc::new(SystemClock);
    // Without keys no message could be verified, so none leaves.
    let keys = reference_keys_from_env()?;
    let requeue = Requeue::new(Handlers::over(keys, |function| {
        Services::new(function, &settings, dynamodb.clone(), sns.clone(), clock())
    }));
    let mut all = Requeued::default();
    for path in &args.batches {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let Requeued { taken, left } = requeue.failed_batch(path, &text).await?;
        println!("{}: {taken} records taken, {left} left", path.display());
        all = Requeued { taken: all.taken + taken, left: all.left + left };
    }
    if args.batches.is_empty() {
        let since = args.since.unwrap_or_else(|| SystemClock.now().date_naive() - Days::new(30));
        all = requeue.quarantine(since, args.source.as_deref(), |line| println!("{line}")).await?;
    }
    println!("{} records taken, {} left", all.taken, all.left);
    if all.left > 0 { Err("something is left; mend the cause and do it again".into()) } else { Ok(()) }
}

async fn run_import(args: ImportArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let policy = args.policy.as_deref().map(read_policy_and_texts).transpose()?;
    let (accounts, faults) = read_book(&args.book, BookFormat::of(&args.book, args.format))?;
    let faulty = faults.len() as u64;
    for (place, fault) in faults.into_iter().enumerate() {
        if !args.keep_going {
            return Err(fault.into());
        }
        eprintln!("duewatch: {fault} ({} refused so far)", place + 1);
    }
    let now = SystemClock.now();
    let Imported { opened, known, refused } =
        import(&transitions, &args.book, accounts, policy.as_ref(), now, args.keep_going).await?;
    println!("{opened} accounts opened, {known} known already, {} lines refused", refused + faulty);
    if refused + faulty > 0 {
        return Err(ImportError::SomeRefused { refused: refused + faulty, loaded: opened + known }.into());
    }
    Ok(())
}

async fn run_contacts(args: ContactsArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let store = transitions.store();
    let mut out = std::io::stdout().lock();
    match args.customer {
        Some(customer_id) => contacts::of_customer(store, &customer_id, &mut out).await?,
        None => {
            let since = args.since.unwrap_or_else(|| SystemClock.now().date_naive() - Days::new(30));
            let since = since.and_time(NaiveTime::MIN).and_utc();
            let mut progress = Progress::new("records", store.records_about().await?);
            contacts::over_all(store, since, |looked_at| progress.set(looked_at), &mut out).await?;
        }
    }
    Ok(())
}

fn run_explain(args: &ExplainArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, decisions, others, policy, now } = locate(args)?;
    print!("{}", story(&account, &decisions, &others, &policy, now));
    Ok(())
}

fn run_permits(args: &PermitsArgs) -> Result<(), Box<dyn Error>> {
    let LocatedAccount { account, policy, .. } = locate(&args.of)?;
    let permit = permit_for(&account, &policy, &args.operation);
    println!("{permit}");
    println!("Account {} is {}.", account.account_id, account.status.stage);
    if permit.is_allowed() { Ok(()) } else { Err(Box::new(Answered { code: 3 })) }
}

/// An answer other than yes: printed already, and returned as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no")]
pub struct Answered {
    /// The exit code, for scripts.
    pub code: u8,
}

/// An account, as known to the command's source.
struct LocatedAccount {
    account: Account,
    decisions: Vec<Decision>,
    /// The customer's other accounts, where one can restrict another.
    others: Vec<Account>,
    policy: Arc<Policy>,
    now: DateTime<Utc>,
}

/// Finds an account: in a folder's case, in the tables that the environment names, or in the demo's folder.
fn locate(args: &ExplainArgs) -> Result<LocatedAccount, Box<dyn Error>> {
    if args.case.is_none() && Settings::from_env().is_ok() {
        return runtime()?.block_on(stored(&args.account));
    }
    let folder = args.case.clone().unwrap_or_else(demo::default_out);
    let files = CaseFiles {
        policy: folder.join("policy.toml"),
        book: folder.join("book.jsonl"),
        format: None,
        events: folder.join("events.jsonl"),
    };
    if !files.book.exists() {
        return Err(format!(
            "{}: no case there. Run `duewatch demo` first, name a folder with --case, \
             or set the environment that names the tables (`duewatch serve` prints it)",
            folder.display()
        )
        .into());
    }
    let (first, last) = span(&files)?;
    let (from, to) = (args.from.unwrap_or(first), args.to.unwrap_or(last));
    let case = Case::read(&files, from, to, sweep_every()?)?;
    let Walked { account, decisions, others } = walk_account(&case, &args.account)?
        .ok_or_else(|| format!("{}: the book has no account {}", files.book.display(), args.account))?;
    let now = end_of_day(account.time_zone, to).max(start_of_day(account.time_zone, from));
    Ok(LocatedAccount { account, decisions, others, policy: Arc::new(case.policy.policy), now })
}

async fn stored(account_id: &AccountId) -> Result<LocatedAccount, Box<dyn Error>> {
    let transitions = configured().await?;
    let now = SystemClock.now();
    let stored = transitions.store().account(account_id).await?;
    let account = stored.ok_or_else(|| format!("there is no account {account_id}"))?.account;
    let versions = transitions.rules_of(&account, now).await?;
    let policy = Arc::new(versions.in_force(&account, now).clone());
    let others = transitions.others_of(&account).await?;
    Ok(LocatedAccount { decisions: account.recent_decisions().to_vec(), account, others, policy, now })
}

/// The days from the first event to the last.
fn span(files: &CaseFiles) -> Result<(NaiveDate, NaiveDate), Box<dyn Error>> {
    let events = crate::input::read_events(&files.events)?;
    let days = events.iter().map(|event| event.value.at.date_naive());
    let book = read_whole_book(&files.book, BookFormat::of(&files.book, files.format))?;
    let dues = book.iter().flat_map(|line| line.value.installments.iter().map(|one| one.due_on));
    let first = days.clone().chain(dues.clone()).min();
    let last = days.max().or_else(|| dues.max());
    first.zip(last).ok_or_else(|| "the case is empty".into())
}

async fn run_audit(account_id: &AccountId) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    Ok(audit(transitions.store(), account_id, SystemClock.now(), &mut std::io::stdout().lock()).await?)
}

async fn run_export(args: ExportArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let store = transitions.store();
    let mut accounts: BTreeSet<AccountId> = args.accounts.into_iter().collect();
    if args.scan {
        accounts.extend(customer::accounts_of(store, &args.customer).await?);
    }
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    let now = SystemClock.now();
    let export = customer::export(store, &args.customer, &accounts, &args.by, now).await?;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &export)?;
    writeln!(out)?;
    Ok(())
}

async fn run_erase(args: EraseArgs) -> Result<(), Box<dyn Error>> {
    if !args.yes {
        return Err(format!(
            "this erases the contact points and names of customer {} for good; say --yes to do it",
            args.customer
        )
        .into());
    }
    let transitions = configured().await?;
    let now = SystemClock.now();
    let Erased { deleted, emptied, kept } =
        customer::erase(transitions.store(), &args.customer, &args.by, now).await?;
    println!(
        "{deleted} items deleted, the values of {emptied} log entries erased, {kept} records of access kept"
    );
    Ok(())
}

async fn run_serve(args: ServeArgs) -> Result<(), Box<dyn Error>> {
    let stock = match (args.book, args.policy) {
        (Some(book), Some(policy)) => Some(Stock {
            policy: read_policy_and_texts(&policy)?,
            accounts: read_whole_book(&book, BookFormat::of(&book, None))?,
            book,
        }),
        _ => None,
    };
    if let Some(folder) = args.env_file.as_deref().and_then(Path::parent) {
        fs::create_dir_all(folder)?;
    }
    let serve = Serve {
        dynamodb_port: args.dynamodb_port,
        sns_port: args.sns_port,
        sqs_port: args.sqs_port,
        lambda: args.lambda,
        env_file: args.env_file,
    };
    Ok(Box::pin(serve.run(stock)).await?)
}

fn run_schema(format: Format) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema(format))?;
    writeln!(out)?;
    Ok(())
}
