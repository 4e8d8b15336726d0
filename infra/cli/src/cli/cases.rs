//! `duewatch cases`: questions of borrowers that a person answers by a date.

use std::error::Error;
use std::io::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use duewatch_app::{CaseError, Clock, Services, SystemClock, act_on_case, case_deadlines, open_case};
use duewatch_domain::cases::{
    Case, CaseAction, CaseAssessment, DeadlineKind, DeadlineState, EffectState, NewCase,
};
use duewatch_domain::escaped;
use duewatch_domain::kernel::{AccountId, Actor, ActorKind, CaseId};
use duewatch_domain::policy::CaseKind;
use serde_json::{Value, json};

use super::environment::{sdk_config, services_of};
use super::policy_life::reason;
use crate::caller::person;
use crate::screen;

/// Pages of the table of cases that a list reads at most, of 1 MB each.
const MAX_PAGES: usize = 10_000;

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "For example: duewatch cases open A-1 appeal --statement 'I paid at a branch'"
)]
pub(super) struct CasesArgs {
    /// Show the timeline of this case. Without one: the open cases, soonest deadline first.
    #[arg(value_name = "CASE")]
    case_id: Option<CaseId>,
    /// For scripts: a line of JSON for each case.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<CaseCommand>,
}

#[derive(Debug, Subcommand)]
enum CaseCommand {
    /// Open a case for a borrower. The account learns of it at once.
    #[command(
        after_help = "For example: duewatch cases open A-1 appeal --event-on 2026-11-02 --statement 'not late'"
    )]
    Open(OpenArgs),
    /// Add a text to a case.
    #[command(after_help = "For example: duewatch cases add A-1/1 'the receipt is of 3 November'")]
    Add { case_id: CaseId, text: String },
    /// Withdraw a case for a borrower who no longer pursues it.
    #[command(after_help = "For example: duewatch cases withdraw A-1/1 --reason 'paid meanwhile'")]
    Withdraw(ReasonArgs),
    /// Record that the borrower was told that the case has arrived.
    #[command(after_help = "For example: duewatch cases acknowledge A-1/1")]
    Acknowledge { case_id: CaseId },
    /// Decide a case. Whoever opened it, or added to it, does not.
    #[command(
        after_help = "For example: duewatch cases decide A-1/1 --uphold --reason 'the receipt is genuine'"
    )]
    Decide(DecideArgs),
    /// Give the answer the policy's next longer term.
    #[command(after_help = "For example: duewatch cases extend A-1/1")]
    Extend { case_id: CaseId },
    /// Stop the clock of the answer, for one of the policy's reasons.
    #[command(after_help = "For example: duewatch cases stop-clock A-1/1 --reason waiting_for_borrower")]
    StopClock(ReasonArgs),
    /// Let the clock of the answer go on, from now or from an instant that lies back.
    #[command(after_help = "For example: duewatch cases restart-clock A-1/1 --at 2026-11-20T08:00:00Z")]
    RestartClock {
        case_id: CaseId,
        #[arg(long, value_name = "INSTANT")]
        at: Option<DateTime<Utc>>,
    },
}

#[derive(Args, Debug)]
struct OpenArgs {
    account_id: AccountId,
    #[arg(value_parser = kind)]
    kind: CaseKind,
    /// In the borrower's words.
    #[arg(long)]
    statement: String,
    /// The date of the decision, or of another event, that the case is about.
    #[arg(long, value_name = "DATE")]
    event_on: Option<NaiveDate>,
    /// An id of the request: repeated, it opens no second case. Left out: a new one each time.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
}

#[derive(Args, Debug)]
struct ReasonArgs {
    case_id: CaseId,
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,
}

#[derive(Args, Debug)]
struct DecideArgs {
    case_id: CaseId,
    /// For the borrower.
    #[arg(long, required_unless_present = "reject", conflicts_with = "reject")]
    uphold: bool,
    /// Against the borrower.
    #[arg(long)]
    reject: bool,
    /// Why; recorded with the caller and the time, and told to the borrower by whoever answers.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,
}

fn kind(text: &str) -> Result<CaseKind, String> {
    let found = CaseKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| format!("a kind is one of {}", CaseKind::NAMES.join(", ")))
}

pub(super) async fn run_cases(args: CasesArgs) -> Result<(), Box<dyn Error>> {
    let services = services_of("cases").await?;
    let now = SystemClock.now();
    match (args.command, args.case_id) {
        (Some(command), _) => act(&services, command, now).await,
        (None, Some(case_id)) => show(&services, &case_id, args.json, now).await,
        (None, None) => list(&services, args.json, now).await,
    }
}

async fn act(services: &Services, command: CaseCommand, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let by = person(&sdk_config().await).await?;
    let actor = Actor { kind: ActorKind::Officer, id: by.name.parse()? };
    let (case_id, action) = match command {
        CaseCommand::Open(args) => {
            let given = args.request_id.unwrap_or_else(|| {
                format!("cli:{}:{}", args.account_id, now.to_rfc3339_opts(SecondsFormat::Nanos, true))
            });
            let request = NewCase {
                request_id: given.parse()?,
                kind: args.kind,
                event_on: args.event_on,
                statement: args.statement,
                by: actor,
            };
            let case = Box::pin(open_case(services, &args.account_id, &request, now)).await?;
            return told(services, &case, "opened", &by.name, now).await;
        }
        CaseCommand::Add { case_id, text } => (case_id, CaseAction::Add(text)),
        CaseCommand::Withdraw(ReasonArgs { case_id, reason }) => (case_id, CaseAction::Withdraw { reason }),
        CaseCommand::Acknowledge { case_id } => (case_id, CaseAction::Acknowledge),
        CaseCommand::Decide(DecideArgs { case_id, uphold: true, reason, .. }) => {
            (case_id, CaseAction::Uphold { reason })
        }
        CaseCommand::Decide(DecideArgs { case_id, reason, .. }) => (case_id, CaseAction::Reject { reason }),
        CaseCommand::Extend { case_id } => (case_id, CaseAction::Extend),
        CaseCommand::StopClock(ReasonArgs { case_id, reason }) => (case_id, CaseAction::StopClock(reason)),
        CaseCommand::RestartClock { case_id, at } => (case_id, CaseAction::RestartClock(at.unwrap_or(now))),
    };
    let case = Box::pin(act_on_case(services, &case_id, &action, &actor, now)).await?;
    told(services, &case, "changed", &by.name, now).await
}

async fn told(
    services: &Services,
    case: &Case,
    verb: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Box<dyn Error>> {
    let assessed = case_deadlines(services, case, now).await?;
    let mut out = screen::people();
    writeln!(
        out,
        "{}",
        escaped(&format!("case {} {verb} by {by}; {}", case.case_id, state(case, &assessed)))
    )?;
    Ok(())
}

/// Whether a case is open, and by when it is answered.
fn state(case: &Case, assessed: &CaseAssessment) -> String {
    if let Some(closed) = case.closed() {
        return format!("{} by {}: {}", closed.outcome.as_str(), closed.by.id, closed.reason);
    }
    let answer = assessed.deadlines.iter().find(|deadline| deadline.kind == DeadlineKind::Answer);
    let answer = answer.map_or_else(String::new, |answer| match answer.state {
        DeadlineState::Missed => format!(", the answer was due on {}", answer.due_on),
        DeadlineState::Met | DeadlineState::Open => format!(", the answer is due on {}", answer.due_on),
    });
    let escalated = if case.escalated_at.is_some() { ", escalated" } else { "" };
    format!("open{answer}{escalated}")
}

async fn list(services: &Services, as_lines: bool, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let (mut open, mut from) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let page = services.store().open_cases(from).await?;
        for case in page.cases {
            let assessed = case_deadlines(services, &case, now).await?;
            open.push((case, assessed));
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let soonest = |assessed: &CaseAssessment| {
        let waits = assessed.deadlines.iter().filter(|one| one.state != DeadlineState::Met);
        waits.map(|one| one.due_on).min()
    };
    open.sort_by_cached_key(|(case, assessed)| (soonest(assessed), case.case_id.clone()));
    if as_lines {
        let mut out = screen::json();
        for (case, assessed) in &open {
            writeln!(out, "{}", as_json(case, assessed)?)?;
        }
        return Ok(());
    }
    let mut out = screen::people();
    for (case, assessed) in &open {
        let line = format!("{}  {}  {}", case.case_id, case.kind, state(case, assessed));
        writeln!(out, "{}", escaped(&line))?;
    }
    writeln!(out, "{} cases are open", open.len())?;
    Ok(())
}

async fn show(
    services: &Services,
    case_id: &CaseId,
    is_json: bool,
    now: DateTime<Utc>,
) -> Result<(), Box<dyn Error>> {
    let case = services.store().case(case_id).await?.ok_or_else(|| CaseError::NoCase(case_id.clone()))?;
    let assessed = case_deadlines(services, &case, now).await?;
    if is_json {
        writeln!(screen::json(), "{}", as_json(&case, &assessed)?)?;
        return Ok(());
    }
    let mut out = screen::people();
    let about = format!(
        "case {}, {} of account {}: {}",
        case.case_id,
        case.kind,
        case.account_id,
        state(&case, &assessed)
    );
    writeln!(out, "{}", escaped(&about))?;
    for (at, line) in timeline(&case) {
        let line = format!("{}  {line}", at.to_rfc3339_opts(SecondsFormat::Secs, true));
        writeln!(out, "{}", escaped(&line))?;
    }
    for deadline in &assessed.deadlines {
        let state = match deadline.state {
            DeadlineState::Met => "met",
            DeadlineState::Open => "open",
            DeadlineState::Missed => "missed",
        };
        writeln!(out, "{} by {}: {state}", deadline.kind, deadline.due_on)?;
    }
    Ok(())
}

/// The facts of a case with their instants, in order.
fn timeline(case: &Case) -> Vec<(DateTime<Utc>, String)> {
    let mut lines = vec![(case.opened_at, format!("opened by {}: {}", case.opened_by.id, case.statement))];
    lines.extend(case.acknowledged_at.map(|at| (at, "acknowledged".to_owned())));
    lines.extend(case.additions.iter().map(|one| (one.at, format!("added by {}: {}", one.by.id, one.text))));
    for stop in &case.stops {
        lines.push((stop.from, format!("the clock stops: {}", stop.reason)));
        lines.extend(stop.until.map(|until| (until, "the clock goes on".to_owned())));
    }
    lines.extend(
        case.missed.iter().map(|one| (one.found_at, format!("{} of {} was missed", one.kind, one.due_on))),
    );
    lines.extend(case.escalated_at.map(|at| (at, "escalated".to_owned())));
    lines.extend(case.closed().map(|closed| {
        (closed.at, format!("{} by {}: {}", closed.outcome.as_str(), closed.by.id, closed.reason))
    }));
    for effect in &case.effects {
        let what = effect.outcome.map_or("of the case", |_| "of its end");
        match &effect.state {
            EffectState::Pending => lines.push((effect.at, format!("the account does not know {what} yet"))),
            EffectState::Applied(at) => lines.push((*at, format!("the account knows {what}"))),
            EffectState::Refused(why) => {
                lines.push((effect.at, format!("the account refuses to know {what}: {why}")))
            }
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    lines
}

fn as_json(case: &Case, assessed: &CaseAssessment) -> Result<Value, serde_json::Error> {
    let deadlines = assessed.deadlines.iter().map(|deadline| {
        let state = match deadline.state {
            DeadlineState::Met => "met",
            DeadlineState::Open => "open",
            DeadlineState::Missed => "missed",
        };
        json!({ "kind": deadline.kind.as_str(), "due_on": deadline.due_on, "state": state })
    });
    let mut value = serde_json::to_value(case)?;
    value["deadlines"] = deadlines.collect();
    Ok(value)
}
