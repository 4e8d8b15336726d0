//! Measures the peak memory of a process of `detect-overdue` while it sweeps a portfolio that is all due at
//! once.
//!
//! ```sh
//! cargo build --release -p detect-overdue
//! cargo run --release -p duewatch-tests --example sweep-memory
//! ```
//!
//! The real binary runs against a Lambda Runtime API and the embedded DynamoDB, both on loopback in this
//! process, so that neither counts. It has no queue of shards: one process sweeps everything, where on Lambda
//! it would hand over all beyond 500 accounts a shard. After its deadline it is invoked again, until no
//! account is due.

use std::error::Error;
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use clap::Parser;
use duewatch_cli::import::{Portfolio, import};
use duewatch_cli::input::NumberedLine;
use duewatch_cli::policies::PolicyPublisher;
use duewatch_handlers::{LOCAL_REGION, scheduled_event};
use duewatch_stack::template::FunctionSpec;
use duewatch_stack::{Ports, Stack, StackClock, Transport};
use duewatch_tests::loopback;
use duewatch_tests::scale::Failure;
use duewatch_tests::scale::book::{BenchmarkInstants, Book};
use duewatch_tests::scale::measure::peak_resident_kib;
use serde_json::Value;

/// The memory limit: 64 MB.
const GOAL_KIB: u64 = 64_000_000 / 1024;
const MAX_INVOCATIONS: u32 = 100;
/// The time that the process may take beyond its deadline to answer, or to start.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);

/// Measures the memory of a sweep.
#[derive(Debug, Parser)]
struct SweepMemoryArguments {
    /// The number of due accounts
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// The binary of the function
    #[arg(long, default_value = "target/release/detect-overdue")]
    binary: PathBuf,
}

/// A request of the function's process.
enum ProcessEvent {
    /// The process waits for an event.
    Ready,
    Answer(String),
    Failed(String),
}

fn main() -> ExitCode {
    match act(&SweepMemoryArguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sweep-memory: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether the peak is below the limit.
fn act(arguments: &SweepMemoryArguments) -> Result<bool, Failure> {
    let binary = &arguments.binary;
    if !binary.is_file() {
        let problem = "is not built; the commands stand in this example";
        return Err(format!("{} {problem}", binary.display()).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stack = runtime.block_on(all_due(arguments.accounts))?;
    let declared = stack.declared_functions().iter().find(|one| one.directory == detect_overdue::NAME);
    let declared = declared.ok_or("the template has no such function")?;
    let (heard, hears) = channel();
    let (events, next) = channel();
    let runtime_api = serve(declared.timeout, next, heard)?;
    let mut process = start(arguments, &stack, declared, &runtime_api)?;
    let measured = measure(&process, declared.timeout, &hears, &events);
    process.kill()?;
    process.wait()?;
    let SweepMemory { swept, invocations, took, kib_before, kib } = measured?;
    if swept != u64::from(arguments.accounts) {
        return Err(format!("{swept} accounts were swept instead of {}", arguments.accounts).into());
    }
    println!(
        "{swept} due accounts, {invocations} invocations, {} s: {} resident at most, {} before the first; \
         goal: at most {}",
        took.as_secs(),
        mb(kib),
        mb(kib_before),
        mb(GOAL_KIB),
    );
    Ok(kib <= GOAL_KIB)
}

/// A stack whose accounts are all long due.
async fn all_due(accounts: u32) -> Result<Stack, Failure> {
    let opened_at = BenchmarkInstants::new()?.import;
    let loopback = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
    let stack = Stack::start(StackClock::simulated(opened_at), loopback).await?;
    let book = Book { accounts, peak_percent: 20 };
    let contracts = (0..accounts)
        .map(|number| Ok(NumberedLine { line: u64::from(number) + 1, value: book.contract(number)? }))
        .collect::<Result<_, Failure>>()?;
    let (path, policy) = (std::path::Path::new("book"), Book::policy()?);
    let book = Portfolio::new(path, contracts);
    let key = duewatch_stack::local_policy_key()?;
    let publisher = PolicyPublisher { by: "local", key: Some(&key) };
    import(stack.transitions(), book, Some((&policy, publisher)), opened_at, false).await?;
    Ok(stack)
}

/// Serves a Runtime API that hands out events and receives their results.
fn serve(timeout: TimeDelta, next: Receiver<String>, heard: Sender<ProcessEvent>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let next = Arc::new(Mutex::new(next));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (next, heard) = (Arc::clone(&next), heard.clone());
            std::thread::spawn(move || answer(&stream, timeout, &next, &heard));
        }
    });
    Ok(address)
}

/// Answers the requests of a connection, until its end.
fn answer(
    stream: &TcpStream,
    timeout: TimeDelta,
    next: &Mutex<Receiver<String>>,
    heard: &Sender<ProcessEvent>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = loopback::read(&mut reader)? {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        // The receiver is gone once all accounts are swept.
        if request.line.contains("/runtime/invocation/next") {
            let _ = heard.send(ProcessEvent::Ready);
            let Ok(event) = next.lock().unwrap_or_else(PoisonError::into_inner).recv() else { return Ok(()) };
            let deadline = (Utc::now() + timeout).timestamp_millis();
            let headers = format!(
                "lambda-runtime-aws-request-id: sweep\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:{LOCAL_REGION}:123456789012:function:sweep\r\n"
            );
            loopback::answer(&mut &*stream, &headers, &event)?;
            continue;
        }
        let _ = heard.send(if request.line.contains("/response") {
            ProcessEvent::Answer(body)
        } else {
            ProcessEvent::Failed(body)
        });
        loopback::answer(&mut &*stream, "", "")?;
    }
    Ok(())
}

/// Starts the function as Lambda would, but without its queue.
fn start(
    arguments: &SweepMemoryArguments,
    stack: &Stack,
    declared: &FunctionSpec,
    runtime_api: &str,
) -> Result<Child, Failure> {
    let environment = stack.environment(declared)?;
    let environment = environment.into_iter().filter(|(name, _)| name != detect_overdue::SWEEP_QUEUE_URL);
    let process = Command::new(&arguments.binary)
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "sweep-memory")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_REGION", LOCAL_REGION)
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", &stack.services().dynamodb_url)
        .env("AWS_ENDPOINT_URL_SNS", &stack.services().sns_url)
        .stdout(Stdio::null())
        .spawn()?;
    Ok(process)
}

/// The results of a sweep.
struct SweepMemory {
    swept: u64,
    invocations: u32,
    took: Duration,
    kib_before: u64,
    kib: u64,
}

fn measure(
    process: &Child,
    timeout: TimeDelta,
    hears: &Receiver<ProcessEvent>,
    events: &Sender<String>,
) -> Result<SweepMemory, Box<dyn Error>> {
    let patience = (timeout + PATIENCE).to_std()?;
    let hear = || match hears.recv_timeout(patience)? {
        ProcessEvent::Failed(how) => Err(Failure::from(how)),
        heard => Ok(heard),
    };
    let resident = || {
        peak_resident_kib(&process.id().to_string())
            .ok_or("this system does not tell how much memory a process holds")
    };
    hear()?;
    let kib_before = resident()?;
    let (begun, mut swept) = (Instant::now(), 0);
    for invocations in 1..=MAX_INVOCATIONS {
        events.send(scheduled_event("sweep", Utc::now()).to_string())?;
        let ProcessEvent::Answer(answer) = hear()? else { return Err("it did not answer".into()) };
        let answer: Value = serde_json::from_str(&answer)?;
        hear()?;
        swept += answer["written"].as_u64().unwrap_or_default();
        eprintln!("{answer}");
        if answer["cut_short"] == false {
            let (took, kib) = (begun.elapsed(), resident()?);
            return Ok(SweepMemory { swept, invocations, took, kib_before, kib });
        }
    }
    Err("it never came to its end".into())
}

fn mb(kib: u64) -> String {
    let tenths = kib * 1024 / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
