//! `duewatch approve`: commands that two different people must agree to.

use std::error::Error;
use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use duewatch_app::{
    ApprovalOutcome, Clock, SystemClock, approvals_needed, approve_proposal, refuse_proposal,
};
use duewatch_domain::escaped;
use duewatch_domain::formats::message_line;
use duewatch_store::{Proposal, ProposalEnd};
use serde_json::{Value, json};

use super::environment::{sdk_config, services_of};
use super::policy_life::reason;
use crate::caller::person;
use crate::screen;

#[derive(Args, Debug)]
#[command(after_help = "For example: duewatch approve --list")]
pub(super) struct ApproveProposalArgs {
    /// The digest of exactly the command, as the list shows it.
    #[arg(value_name = "DIGEST", required_unless_present_any = ["list", "refuse"], conflicts_with_all = ["list", "refuse"])]
    digest: Option<String>,
    /// List the commands that wait and those that have ended lately, with their digests.
    #[arg(long, conflicts_with = "refuse")]
    list: bool,
    /// With the list, for scripts: a line of JSON for each command.
    #[arg(long, requires = "list")]
    json: bool,
    /// Refuse the command of that digest: it is never taken.
    #[arg(long, value_name = "DIGEST", requires = "reason")]
    refuse: Option<String>,
    /// Why it is refused; recorded with the caller and the time.
    #[arg(long, value_name = "REASON", requires = "refuse", value_parser = reason)]
    reason: Option<String>,
}

pub(super) async fn run_approve(args: ApproveProposalArgs) -> Result<(), Box<dyn Error>> {
    let services = services_of("approve").await?;
    let now = SystemClock.now();
    let mut out = screen::people();
    if let Some(digest) = &args.digest {
        let by = person(&sdk_config().await).await?;
        let answer = match Box::pin(approve_proposal(&services, digest, &by, now)).await? {
            ApprovalOutcome::Taken => "the account has taken the command",
            ApprovalOutcome::NeedsAnother => "the command names no officer: one more person must approve it",
        };
        writeln!(out, "{}", escaped(&format!("approved by {}; {answer}", by.name)))?;
        return Ok(());
    }
    if let Some(digest) = &args.refuse {
        let by = person(&sdk_config().await).await?;
        let reason = args.reason.unwrap_or_default();
        refuse_proposal(services.store(), digest, &by, &reason, now).await?;
        writeln!(out, "{}", escaped(&format!("refused by {}", by.name)))?;
        return Ok(());
    }
    let mut proposals = services.store().proposals().await?;
    proposals.sort_by(|one, other| (one.proposed_at, &one.digest).cmp(&(other.proposed_at, &other.digest)));
    if args.json {
        let mut out = screen::json();
        for proposal in &proposals {
            writeln!(out, "{}", as_json(proposal, now))?;
        }
        return Ok(());
    }
    for proposal in &proposals {
        for line in lines(proposal, now) {
            writeln!(out, "{}", escaped(&line))?;
        }
    }
    let waiting = proposals.iter().filter(|one| state(one, now) == "waiting").count();
    writeln!(out, "{waiting} commands wait for an approval")?;
    Ok(())
}

fn state(proposal: &Proposal, now: DateTime<Utc>) -> &'static str {
    match &proposal.end {
        Some(ProposalEnd::Taken(_)) => "taken",
        Some(ProposalEnd::Refused { .. }) => "refused",
        Some(ProposalEnd::Failed(_)) => "failed",
        None if proposal.approval.is_some() => "approved",
        None if proposal.is_expired(now) => "expired",
        None => "waiting",
    }
}

/// The lines about a proposal, for people.
fn lines(proposal: &Proposal, now: DateTime<Utc>) -> Vec<String> {
    let message = &proposal.message;
    let sender = message.sender_id.as_ref().map_or_else(String::new, |sender| format!(", sent by {sender}"));
    let mut lines = vec![
        format!(
            "{}  {}  {} of account {}: {}",
            proposal.digest,
            proposal.proposed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            message.event.command.name(),
            message.event.account_id,
            state(proposal, now),
        ),
        format!("    by {} through {}{sender}", message.actor.id, message.source),
        format!("    {}", message_line(message)),
        format!("    {}", proposal.problem),
    ];
    for answer in &proposal.approvals {
        let needed = approvals_needed(message);
        lines.push(format!("    approved by {}, of {needed} who must", answer.by.name));
    }
    match &proposal.end {
        Some(ProposalEnd::Refused { answer, reason }) => {
            lines.push(format!("    refused by {}: {reason}", answer.by.name));
        }
        Some(ProposalEnd::Failed(reason)) => lines.push(format!("    the account refused it: {reason}")),
        Some(ProposalEnd::Taken(_)) | None => {}
    }
    lines
}

fn as_json(proposal: &Proposal, now: DateTime<Utc>) -> Value {
    let message: Value = serde_json::from_str(&message_line(&proposal.message)).unwrap_or_default();
    let approved_by: Vec<&str> = proposal.approvals.iter().map(|one| one.by.name.as_str()).collect();
    json!({
        "digest": proposal.digest,
        "state": state(proposal, now),
        "proposed_at": proposal.proposed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "message": message,
        "sender_id": proposal.message.sender_id,
        "problem": proposal.problem,
        "approved_by": approved_by,
        "approvals_needed": approvals_needed(&proposal.message),
    })
}
