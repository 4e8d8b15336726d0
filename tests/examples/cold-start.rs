//! Measures how long each function takes from the start of its process to its first request for an event, and
//! how large its binary is. Fails where a function exceeds its limit.
//!
//! ```sh
//! cargo build --profile function -p detect-overdue -p intake -p post-payment -p record-delivery -p record-history \
//!     -p send-reminders -p reconcile-accounts -p anchor-history -p serve-borrower
//! cargo build --profile function -p duewatch-runtime --example empty-function
//! cargo run --release -p duewatch-tests --example cold-start
//! ```
//!
//! The real binaries run against a Lambda Runtime API and a DynamoDB on loopback, which answers the one call
//! that a function warms up with. That call is measured apart. With `--endpoint` the call goes to another
//! DynamoDB, over TLS for instance; `SSL_CERT_FILE` is passed on.
//!
//! Every pass starts each binary once, so that other load of the machine affects all of them alike; the first
//! pass, which reads the binaries from disk, does not count.

use std::error::Error;
use std::io::{BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use clap::Parser;
use duewatch_runtime::{ANCHOR_KEY, PAGE_KEY, POLICY_KEYS, REFERENCE_KEYS, SETTINGS, TOMBSTONE_KEY};
use duewatch_tests::loopback;
use serde_json::Value;

const EMPTY: &str = "empty-function";
/// The time that a function may take beyond the empty one.
const GOAL: Duration = Duration::from_millis(7);
/// The size limit of a function's binary, in bytes.
const LARGEST: u64 = 8_000_000;
/// A function that has not requested an event by then never will.
const AT_MOST: Duration = Duration::from_secs(30);

/// Measures how long the functions take to start.
#[derive(Debug, Parser)]
struct ColdStartArguments {
    /// The number of starts of each function
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// The directory of the binaries
    #[arg(long, default_value = "target/function")]
    binaries: PathBuf,
    /// The functions to start
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "detect-overdue,intake,post-payment,record-delivery,record-history,send-reminders,reconcile-accounts,anchor-history,serve-borrower"
    )]
    functions: Vec<String>,
    /// Another DynamoDB for the warm-up call
    #[arg(long)]
    endpoint: Option<String>,
}

/// A request of the started process.
enum StartEvent {
    /// The process requests its first event.
    Next(Instant),
    /// The process reports that it cannot start.
    InitError(String),
}

/// The durations of one start.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// Until the process requested an event.
    until_ready: Duration,
    /// The part of `until_ready` in the warm-up call.
    warming_up: Duration,
}

fn main() -> ExitCode {
    match act(&ColdStartArguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cold-start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &ColdStartArguments) -> Result<(), Box<dyn Error>> {
    let mut binaries = vec![arguments.binaries.join("examples").join(EMPTY)];
    binaries.extend(arguments.functions.iter().map(|function| arguments.binaries.join(function)));
    for binary in &binaries {
        if !binary.is_file() {
            return Err(
                format!("{} is not built; the commands stand in this example", binary.display()).into()
            );
        }
    }
    let (heard, hears) = channel();
    let runtime_api = serve(heard)?;
    let endpoint = arguments.endpoint.clone().unwrap_or_else(|| format!("http://{runtime_api}"));

    let mut starts = vec![Vec::new(); binaries.len()];
    for round in 0..=arguments.runs {
        for (binary, starts) in binaries.iter().zip(&mut starts) {
            let start = start(binary, &runtime_api, &endpoint, &hears)?;
            if round > 0 {
                starts.push(start);
            }
        }
    }
    report(&binaries, &starts)
}

/// Serves a Runtime API without events, and an empty DynamoDB.
fn serve(heard: Sender<StartEvent>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = heard.clone();
            std::thread::spawn(move || answer(&stream, &heard));
        }
    });
    Ok(address)
}

/// Answers the requests of a connection, until its end or until an event is requested.
fn answer(stream: &TcpStream, heard: &Sender<StartEvent>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = loopback::read(&mut reader)? {
        let asked_at = Instant::now();
        if request.line.contains("/runtime/invocation/next") {
            // The receiver is gone after the pass.
            let _ = heard.send(StartEvent::Next(asked_at));
            // Waits for the end of the connection, as a function waits for an event.
            reader.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
        if request.line.contains("/runtime/init/error") {
            let _ = heard.send(StartEvent::InitError(String::from_utf8_lossy(&request.body).into_owned()));
        }
        let empty = r#"{"Count":0,"ScannedCount":0}"#;
        loopback::answer(&mut &*stream, "content-type: application/x-amz-json-1.0\r\n", empty)?;
    }
    Ok(())
}

/// Starts a binary as Lambda would, and ends it as soon as it requests an event.
fn start(
    binary: &Path,
    runtime_api: &str,
    endpoint: &str,
    hears: &Receiver<StartEvent>,
) -> Result<Start, Box<dyn Error>> {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs(std::env::var_os("SSL_CERT_FILE").map(|file| ("SSL_CERT_FILE", file)))
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "cold-start")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_ENDPOINT_URL", endpoint)
        // An empty table needs no real names.
        .envs(SETTINGS.map(|name| (name, if name == POLICY_KEYS { "none" } else { "4" })))
        .env("SWEEP_QUEUE_URL", "http://127.0.0.1/sweeps")
        // The function signs no reference either.
        .env(REFERENCE_KEYS, format!("1={}", "07".repeat(32)))
        .env(ANCHOR_KEY, "07".repeat(32))
        .env(TOMBSTONE_KEY, "07".repeat(32))
        .env(PAGE_KEY, "07".repeat(32))
        // Logs the duration of the warm-up.
        .env("RUST_LOG", "warn,duewatch_runtime::start=info")
        .stdout(Stdio::piped());
    let began = Instant::now();
    let mut process = command.spawn()?;
    let heard = hears.recv_timeout(AT_MOST);
    process.kill()?;
    let said = process.wait_with_output()?.stdout;
    let said = String::from_utf8_lossy(&said);
    match heard {
        Ok(StartEvent::Next(asked_at)) => {
            Ok(Start { until_ready: asked_at.duration_since(began), warming_up: warming_up(&said) })
        }
        Ok(StartEvent::InitError(error)) => Err(format!("{}: {error}", binary.display()).into()),
        Err(_) => Err(format!("{} asked for no event: {said}", binary.display()).into()),
    }
}

/// The duration of the warm-up, as the function logs it; zero: no warm-up.
fn warming_up(said: &str) -> Duration {
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| line["fields"]["elapsed_us"].as_u64())
        .map(Duration::from_micros)
        .sum()
}

fn report(binaries: &[PathBuf], starts: &[Vec<Start>]) -> Result<(), Box<dyn Error>> {
    println!(
        "{:16} {:>9} {:>9} {:>9} {:>9} {:>12} {:>9} {:>10}",
        "ms", "min", "median", "max", "more", "warm-up min", "median", "size"
    );
    let mut empty = None;
    let mut missed = Vec::new();
    for (binary, starts) in binaries.iter().zip(starts) {
        let apart = sorted(starts.iter().map(|start| start.until_ready.saturating_sub(start.warming_up)));
        let warm_up = sorted(starts.iter().map(|start| start.warming_up));
        let median = middle(&apart);
        let more = median.saturating_sub(*empty.get_or_insert(median));
        let name = binary.file_name().unwrap_or_default().to_string_lossy();
        let bytes = binary.metadata()?.len();
        println!(
            "{name:16} {:>9} {:>9} {:>9} {:>9} {:>12} {:>9} {:>7} KB",
            ms(apart[0]),
            ms(median),
            ms(apart[apart.len() - 1]),
            ms(more),
            ms(warm_up[0]),
            ms(middle(&warm_up)),
            bytes / 1000,
        );
        if more > GOAL || bytes > LARGEST {
            missed.push(name);
        }
    }
    println!(
        "{} starts of each; more: than the empty function, by the medians; goal: at most {} ms and {} KB",
        starts[0].len(),
        ms(GOAL),
        LARGEST / 1000
    );
    if missed.is_empty() { Ok(()) } else { Err(format!("missed by {}", missed.join(", ")).into()) }
}

fn sorted(durations: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut durations: Vec<_> = durations.collect();
    durations.sort_unstable();
    durations
}

fn middle(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

fn ms(duration: Duration) -> String {
    let us = duration.as_micros();
    format!("{}.{:02}", us / 1000, us % 1000 / 10)
}
