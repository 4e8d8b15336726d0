//! Proposals: commands that a policy takes from two different people alone.
//!
//! `intake` keeps such a command as a proposal, and the account stays as it is. An approval by another person, or by
//! two where the command names no officer, lets the account take exactly that command.
//!
//! # Twice, or cut off
//! The approval is written before the account, and the account remembers the last approval that it used. So a
//! repeated approval completes what was cut off, and applies nothing twice.

use chrono::{DateTime, Utc};
use duewatch_domain::account::Approval;
use duewatch_domain::kernel::{ActorKind, person_in};
use duewatch_domain::{InboundMessage, Refusal};
use duewatch_store::{Person, Proposal, ProposalAnswer, ProposalEnd, Store, StoreError};

use crate::archive::archive_command;
use crate::{Authority, Services, TransitionError, TransitionOutcome};

/// The result of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalOutcome {
    /// The account took the command, or it changes nothing any more.
    Taken,
    /// The command names no officer, so one more person must approve it.
    NeedsAnother,
}

/// Why a proposal was not approved or refused.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    #[error("no command of that digest waits for an approval; `duewatch approve --list` shows those that do")]
    Unknown,
    #[error("{0} proposed it: another person must approve it")]
    SamePerson(String),
    #[error("{0} approved it already: another person must approve it too")]
    ApprovedAlready(String),
    #[error("its time is over; the sender has to send it anew, under another event_id")]
    Expired,
    #[error("it was approved already, and cannot be refused any more")]
    Approved,
    #[error("it has ended: {0}")]
    Ended(String),
    #[error("somebody answered it at the same time; look at it again")]
    Changed,
    /// The account refused the approved command.
    #[error("it is approved, but the account refuses it now: {0}")]
    Failed(String),
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The account has taken the command; approving it once more completes the rest.
    #[error("the account has taken it, but {0}; approve it once more")]
    NotArchived(String),
}

impl From<StoreError> for ProposalError {
    fn from(error: StoreError) -> Self {
        TransitionError::from(error).into()
    }
}

/// How many people must approve a command: one beside the officer who acts; two where it names none.
#[must_use]
pub fn approvals_needed(message: &InboundMessage) -> usize {
    if message.actor.kind == ActorKind::Officer { 1 } else { 2 }
}

/// Approves a proposal. Once enough people have, the account takes its command.
///
/// # Errors
/// [`ProposalError`]; of a refusal by the account it is on record.
pub async fn approve_proposal(
    services: &Services,
    digest: &str,
    by: &Person,
    now: DateTime<Utc>,
) -> Result<ApprovalOutcome, ProposalError> {
    let store = services.store();
    let mut proposal = open_proposal(store, digest).await?;
    if proposal.approval.is_none() {
        if proposal.is_expired(now) {
            return Err(ProposalError::Expired);
        }
        if is_proposer(by, &proposal.message) {
            return Err(ProposalError::SamePerson(by.name.clone()));
        }
        if proposal.approvals.iter().any(|one| is_same(&one.by, by)) {
            return Err(ProposalError::ApprovedAlready(by.name.clone()));
        }
        proposal.approvals.push(ProposalAnswer { by: by.clone(), at: now });
        if proposal.approvals.len() >= approvals_needed(&proposal.message) {
            let names = proposal.approvals.iter().map(|one| one.by.name.clone()).collect();
            proposal.approval = Some(Approval { proposal: digest.to_owned(), by: names, at: now });
        }
        write(store, &proposal).await?;
        proposal = open_proposal(store, digest).await?;
    }
    let Some(approval) = proposal.approval.clone() else { return Ok(ApprovalOutcome::NeedsAnother) };
    let authority = Authority::Approved(&approval);
    let refusal = match services.transitions.command(&proposal.message, authority, now).await {
        Ok(TransitionOutcome::NoAccount) => {
            Some(Refusal::UnknownAccount(proposal.message.event.account_id.clone()))
        }
        Ok(_) => None,
        Err(TransitionError::Refused(refusal)) => Some(refusal),
        Err(error) => return Err(error.into()),
    };
    if refusal.is_none() {
        let archived = archive_command(services, &proposal.message, now).await;
        archived.map_err(|error| ProposalError::NotArchived(error.reason().to_owned()))?;
    }
    let failed = refusal.map(|refusal| refusal.to_string());
    proposal.end = Some(failed.clone().map_or(ProposalEnd::Taken(now), ProposalEnd::Failed));
    write(store, &proposal).await?;
    failed.map_or(Ok(ApprovalOutcome::Taken), |reason| Err(ProposalError::Failed(reason)))
}

/// Refuses a proposal: its command is never taken. The one who proposed it may do so too.
///
/// # Errors
/// [`ProposalError`].
pub async fn refuse_proposal(
    store: &Store,
    digest: &str,
    by: &Person,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), ProposalError> {
    let mut proposal = open_proposal(store, digest).await?;
    if proposal.approval.is_some() {
        return Err(ProposalError::Approved);
    }
    let answer = ProposalAnswer { by: by.clone(), at: now };
    proposal.end = Some(ProposalEnd::Refused { answer, reason: reason.to_owned() });
    write(store, &proposal).await
}

/// A proposal that has not ended.
async fn open_proposal(store: &Store, digest: &str) -> Result<Proposal, ProposalError> {
    let proposal = store.proposal(digest).await?.ok_or(ProposalError::Unknown)?;
    match &proposal.end {
        None => Ok(proposal),
        Some(ProposalEnd::Taken(at)) => Err(ProposalError::Ended(format!("the account took it at {at}"))),
        Some(ProposalEnd::Refused { answer, reason }) => {
            Err(ProposalError::Ended(format!("{} refused it: {reason}", answer.by.name)))
        }
        Some(ProposalEnd::Failed(reason)) => {
            Err(ProposalError::Ended(format!("the account refused it: {reason}")))
        }
    }
}

async fn write(store: &Store, proposal: &Proposal) -> Result<(), ProposalError> {
    if store.update_proposal(proposal).await? { Ok(()) } else { Err(ProposalError::Changed) }
}

/// Whether a person is the one who acts by a command, or the one who sent it: by the platform's id, or by the name
/// under which they act or log in. Of two people with one name neither can approve the other's command.
fn is_proposer(by: &Person, message: &InboundMessage) -> bool {
    let sender = message.sender_id.as_ref().map(|sender| sender.as_str());
    let names = [Some(message.actor.id.as_str()), sender];
    by.user_id.is_some() && by.user_id.as_deref() == sender
        || names.into_iter().flatten().any(|name| person_in(name) == person_in(&by.name))
}

fn is_same(one: &Person, other: &Person) -> bool {
    one.user_id.is_some() && one.user_id == other.user_id || person_in(&one.name) == person_in(&other.name)
}

#[cfg(test)]
mod tests {
    use duewatch_domain::formats::parse_message;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_officer("arn:aws:sts::1:assumed-role/desk/anna", "AROAX:anna", "anna", "AROACORE:core", true)]
    #[case::another_role(
        "arn:aws:sts::1:assumed-role/operator/Anna@bank.example",
        "AROAY:x",
        "anna",
        "AROACORE:core",
        true
    )]
    #[case::the_sender("arn:aws:iam::1:user/eve", "AIDAEVE", "bob", "AIDAEVE", true)]
    #[case::the_senders_session(
        "arn:aws:sts::1:assumed-role/operator/eve",
        "AROAY:eve",
        "bob",
        "AROACORE:eve",
        true
    )]
    #[case::another("arn:aws:sts::1:assumed-role/operator/eve", "AROAY:eve", "bob", "AROACORE:core", false)]
    fn the_one_who_acts_and_the_one_who_sends_are_the_proposer(
        #[case] name: &str,
        #[case] user_id: &str,
        #[case] actor: &str,
        #[case] sender: &str,
        #[case] expected: bool,
    ) {
        let line = format!(
            r#"{{"event_id":"E-1","at":"2023-10-01T00:00:00Z","type":"written_off","account_id":"A-1","reason":"x",
                "actor":{{"kind":"officer","id":"{actor}"}}}}"#
        );
        let message = parse_message(&line.replace('\n', " ")).unwrap();
        let message = InboundMessage { sender_id: Some(sender.parse().unwrap()), ..message };
        let person = Person { name: name.to_owned(), user_id: Some(user_id.to_owned()) };
        assert_eq!(is_proposer(&person, &message), expected);
    }
}
