//! `duewatch demo` and `serve`: the local stack.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::demo::{self, Demo};
use crate::input::{BookFormat, read_policy_and_texts, read_whole_book};
use crate::output::{NamedPath, check_outputs};
use crate::screen;
use crate::serve::{ENV_FILE, Serve, Stock};

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
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
pub(super) struct ServeArgs {
    /// The port of DynamoDB on this machine.
    #[arg(long, default_value_t = 8000)]
    dynamodb_port: u16,
    /// The port of SNS on this machine.
    #[arg(long, default_value_t = 8001)]
    sns_port: u16,
    /// The port of SQS on this machine.
    #[arg(long, default_value_t = 8002)]
    sqs_port: u16,
    /// The port of the borrower's pages on this machine.
    #[arg(long, default_value_t = 8003)]
    pages_port: u16,
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

pub(super) fn run_demo(args: DemoArgs) -> Result<(), Box<dyn Error>> {
    let demo = Demo { accounts: args.accounts, days: args.days, seed: args.seed, out: args.out };
    Ok(write!(screen::people(), "{}", demo.run()?)?)
}

pub(super) async fn run_serve(args: ServeArgs) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = args.env_file.as_deref().and_then(Path::parent) {
        fs::create_dir_all(folder)?;
    }
    let inputs = [("--book", args.book.as_deref()), ("--policy", args.policy.as_deref())];
    let inputs = inputs.into_iter().filter_map(|(option, path)| Some(NamedPath::new(option, path?)));
    let outputs = args.env_file.as_deref().map(|path| NamedPath::new(ENV_FILE, path));
    check_outputs(outputs.as_slice(), &inputs.collect::<Vec<_>>())?;
    let stock = match (args.book, args.policy) {
        (Some(book), Some(policy)) => Some(Stock {
            policy: read_policy_and_texts(&policy)?,
            accounts: read_whole_book(&book, BookFormat::of(&book, None))?,
            book,
        }),
        _ => None,
    };
    let serve = Serve {
        dynamodb_port: args.dynamodb_port,
        sns_port: args.sns_port,
        sqs_port: args.sqs_port,
        pages_port: args.pages_port,
        lambda: args.lambda,
        env_file: args.env_file,
    };
    Ok(Box::pin(serve.run(stock)).await?)
}
