//! `serve`: runs the local stack until interrupted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::Contract;
use duewatch_handlers::LOCAL_REGION;
use duewatch_stack::sns::Delivered;
use duewatch_stack::{
    Functions, LOCAL_POLICY_KEY, Ports, Remote, Stack, StackClock, StackError, Transport, local_policy_key,
};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};

use crate::import::{ImportError, Portfolio, import};
use crate::input::{NumberedLine, PolicyFile};
use crate::output::{OutputError, write_file};
use crate::policies::PolicyPublisher;
use crate::screen;

/// How often the streams are read.
const POLL: Duration = Duration::from_millis(200);
/// The longest answer time of a Lambda runtime, a first build included.
const INVOKE_TIMEOUT: Duration = Duration::from_secs(900);

/// The option that names the file for the functions' environment.
pub const ENV_FILE: &str = "--env-file";

/// The settings of the served stack.
#[derive(Clone, Debug)]
pub struct Serve {
    pub dynamodb_port: u16,
    pub sns_port: u16,
    pub sqs_port: u16,
    /// The port of the borrower's pages.
    pub pages_port: u16,
    /// The Lambda runtime that runs the functions; `None` for this process.
    pub lambda: Option<String>,
    /// The file for the functions' environment, for `cargo lambda watch --env-file`.
    pub env_file: Option<PathBuf>,
}

/// The initial content of the tables.
#[derive(Clone, Debug)]
pub struct Stock {
    pub policy: PolicyFile,
    pub accounts: Vec<NumberedLine<Contract>>,
    /// The portfolio file of the accounts.
    pub book: PathBuf,
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The stack failed.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The initial content cannot be loaded.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The environment file cannot be written.
    #[error(transparent)]
    EnvFile(#[from] OutputError),
    /// The client for the Lambda runtime cannot be made.
    #[error("client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Serve {
    /// Serves until the process is interrupted.
    ///
    /// # Errors
    /// When the stack cannot be started. A failed function is reported and invoked again, as on Lambda.
    pub async fn run(&self, stock: Option<Stock>) -> Result<(), ServeError> {
        let transport = Transport::Loopback(Ports {
            dynamodb: self.dynamodb_port,
            sns: self.sns_port,
            sqs: self.sqs_port,
        });
        let mut stack = Stack::start(StackClock::System, transport).await?;
        if let Some(url) = &self.lambda {
            let http = reqwest::Client::builder().timeout(INVOKE_TIMEOUT).build()?;
            stack = stack.with_functions(Functions::Remote(Remote { url: url.clone(), http }));
        }
        let environment = environment(&stack)?;
        if let Some(path) = &self.env_file {
            write_env_file(path, &environment)?;
        }
        let pages = stack.listen_for_pages(self.pages_port).await?;
        print(format_args!("{}\n", self.greeting(&stack, &pages.url, &environment)));
        if let Some(stock) = stock {
            let now = stack.clock().now();
            let book = Portfolio::new(&stock.book, stock.accounts);
            let key = local_policy_key().map_err(StackError::from)?;
            let publisher = PolicyPublisher { by: "local", key: Some(&key) };
            let imported =
                import(stack.transitions(), book, Some((&stock.policy, publisher)), now, false).await?;
            print(format_args!("{} accounts opened, {} known already\n", imported.opened, imported.known));
        }
        let messages = stack.services().sns.subscribe();
        tokio::select! {
            () = show(messages) => Ok(()),
            () = Box::pin(pages.run()) => Ok(()),
            result = pump(&mut stack) => result.map_err(ServeError::from),
            _ = tokio::signal::ctrl_c() => {
                print(format_args!("\nstopped\n"));
                Ok(())
            }
        }
    }

    fn greeting(&self, stack: &Stack, pages: &str, environment: &[(String, String)]) -> String {
        let mut text = String::new();
        let services = stack.services();
        let functions = self.lambda.as_deref().unwrap_or("in this process");
        // Writing to a `String` never fails.
        let _ = writeln!(text, "DynamoDB   {}", services.dynamodb_url);
        let _ = writeln!(text, "SNS        {}", services.sns_url);
        let _ = writeln!(text, "SQS        {}", services.sqs_url);
        let _ = writeln!(text, "pages      {pages}");
        let _ = writeln!(text, "functions  {functions}");
        for schedule in stack.schedules() {
            let _ =
                writeln!(text, "schedule   {} every {} minutes", schedule.name, schedule.every.num_minutes());
        }
        for (queue, function) in stack.fed_by_queues() {
            let _ = writeln!(text, "queue      {queue} to {function}");
        }
        let _ = writeln!(text, "\nFor import, explain and the functions:\n");
        for (name, value) in environment {
            let _ = writeln!(text, "export {name}={value}");
        }
        let _ = writeln!(
            text,
            "\nPolicies are signed with this machine's key, for --signing-key: {LOCAL_POLICY_KEY}"
        );
        let _ = writeln!(text, "\nMessages are shown as they leave. Ctrl-C ends it; nothing is kept.");
        text
    }
}

/// The environment variables with which functions and commands work on this stack.
fn environment(stack: &Stack) -> Result<Vec<(String, String)>, StackError> {
    let services = stack.services();
    let mut environment = vec![
        ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), services.dynamodb_url.clone()),
        ("AWS_ENDPOINT_URL_SNS".to_owned(), services.sns_url.clone()),
        ("AWS_ENDPOINT_URL_SQS".to_owned(), services.sqs_url.clone()),
        ("AWS_REGION".to_owned(), LOCAL_REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "local".to_owned()),
    ];
    for function in stack.declared_functions() {
        for (name, value) in stack.environment(function)? {
            if environment.iter().all(|(known, _)| *known != name) {
                environment.push((name, value));
            }
        }
    }
    Ok(environment)
}

fn write_env_file(path: &Path, environment: &[(String, String)]) -> Result<(), ServeError> {
    // An equals sign ends an unquoted value.
    let line = |(name, value): &(String, String)| {
        let quote = if value.contains('=') { "\"" } else { "" };
        format!("{name}={quote}{value}{quote}\n")
    };
    let lines: Vec<String> = environment.iter().map(line).collect();
    Ok(write_file(ENV_FILE, path, &lines.concat())?)
}

/// Pumps the streams, and fires the schedules as time goes by; each once at the start.
async fn pump(stack: &mut Stack) -> Result<(), StackError> {
    let mut tick = interval(POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let schedules = stack.schedules().to_vec();
    let mut next: Vec<DateTime<Utc>> = vec![stack.clock().now(); schedules.len()];
    loop {
        tick.tick().await;
        stack.drain().await?;
        let now = stack.clock().now();
        for (schedule, next) in schedules.iter().zip(&mut next) {
            if *next <= now {
                *next = now + schedule.every;
                match stack.fire(schedule).await {
                    Ok(answer) => print(format_args!("{} {}: {answer}\n", time(now), schedule.name)),
                    Err(error) => screen::note(format_args!("{} {}: {error}", time(now), schedule.name)),
                }
            }
        }
    }
}

/// Prints while the stack runs. It goes on where its terminal is closed.
fn print(text: impl std::fmt::Display) {
    let _ = write!(screen::people(), "{text}");
}

async fn show(mut messages: broadcast::Receiver<Delivered>) {
    loop {
        match messages.recv().await {
            Ok(message) => {
                let topic = message.topic_arn.rsplit(':').next().unwrap_or_default();
                let words = words(&message.message).unwrap_or_default();
                print(format_args!("{} {topic}: {}\n{words}", time(SystemClock.now()), message.message));
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                print(format_args!("({missed} messages not shown)\n"));
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// The text of a message as a borrower reads it, line by line; `None` for a message to systems.
fn words(message: &str) -> Option<String> {
    let body: Value = serde_json::from_str(message).ok()?;
    let data = &body["data"];
    let (channel, text) = (data["channel"].as_str()?, data["text"].as_str()?);
    let to = match data["contact_person"].as_str() {
        Some(person) => format!("contact person {person} of {}", data["customer_id"].as_str()?),
        None => data["customer_id"].as_str()?.to_owned(),
    };
    let segments = data["segments"].as_u64().map(|count| format!(", {count} segments"));
    let head = format!("by {channel} to {to}{}:", segments.unwrap_or_default());
    let lines = std::iter::once(head.as_str()).chain(data["subject"].as_str()).chain(text.lines());
    Some(lines.map(|line| format!("         {line}\n")).collect())
}

fn time(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%H:%M:%S")
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_message_to_a_borrower_is_shown_as_it_is_read() {
        let sms = r#"{"data":{"customer_id":"C-1","channel":"sms","segments":2,"text":"Yours.\nLate."}}"#;
        assert_eq!(
            words(sms).unwrap(),
            "         by sms to C-1, 2 segments:\n         Yours.\n         Late.\n"
        );
        let letter = r#"{"data":{"customer_id":"C-1","contact_person":"R-1","channel":"email","subject":"A","text":"B"}}"#;
        let read = "by email to contact person R-1 of C-1:\n         A\n         B\n";
        assert_eq!(words(letter).unwrap().trim_start(), read);
        assert_eq!(words(r#"{"data":{"account_id":"A-1"}}"#), None);
        assert_eq!(words("no JSON"), None);
    }
}
