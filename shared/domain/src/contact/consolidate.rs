//! One message per borrower and channel out of all contact requests that may leave.

use chrono::{DateTime, Utc};

use super::attempt::ContactAttempt;
use super::gate::{GateRequest, gate_beside};
use super::gate_decision::GateDecision;
use super::profile::{ContactProfile, MAX_CONTACTED_ACCOUNTS};
use crate::kernel::ContactId;
use crate::policy::{Channel, ContactRules};

/// The gate decisions and messages for several contact requests of one borrower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consolidated {
    /// One gate decision per contact request, in their order.
    pub decisions: Vec<GateDecision>,
    /// The messages that leave: the attempt that each counts as, and the places of its contact requests. A
    /// message bears the id of its first request, or the id under which that request was counted already on
    /// the channel.
    pub messages: Vec<(ContactAttempt, Vec<usize>)>,
}

/// Passes the contact requests through the gate in turn, each under the rules of its account's policy. A
/// request joins a message that already leaves on its channel; the message counts once. Only requests for the
/// same third-party contact share a message to that contact. A request that was counted already joins only
/// those counted with it.
#[must_use]
pub fn consolidate(
    profile: &ContactProfile,
    gate_requests: &[(GateRequest, &ContactRules)],
    now: DateTime<Utc>,
) -> Consolidated {
    let mut messages: Vec<(ContactAttempt, Vec<usize>)> = Vec::new();
    let mut decisions = Vec::with_capacity(gate_requests.len());
    for (place, (gate_request, rules)) in gate_requests.iter().enumerate() {
        // The message that the request would join does not count against it.
        let joined = messages.iter().position(|(message, spoken_for)| {
            let first = spoken_for.first().and_then(|first| gate_requests.get(*first));
            let is_same = first.is_some_and(|(first, _)| first.reserved_as == gate_request.reserved_as);
            let has_room = message.accounts.contains(&gate_request.account_id)
                || message.accounts.len() < MAX_CONTACTED_ACCOUNTS;
            is_same
                && has_room
                && message.third_party.as_ref() == gate_request.third_party()
                && gate_beside(profile, &beside(&messages, Some(message)), gate_request, rules, now)
                    == GateDecision::Send { channel: message.channel }
        });
        if let Some((message, spoken_for)) = joined.and_then(|joined| messages.get_mut(joined)) {
            message.accounts.push(gate_request.account_id.clone());
            message.accounts.sort();
            message.accounts.dedup();
            spoken_for.push(place);
            decisions.push(GateDecision::Send { channel: message.channel });
            continue;
        }
        let decision = gate_beside(profile, &beside(&messages, None), gate_request, rules, now);
        if let GateDecision::Send { channel } = decision {
            let message_id = message_id(profile, &messages, gate_request, channel);
            let accounts = vec![gate_request.account_id.clone()];
            let third_party = gate_request.third_party().cloned();
            let attempt = ContactAttempt::reserved(message_id, channel, accounts, third_party, now);
            messages.push((attempt, vec![place]));
        }
        decisions.push(decision);
    }
    Consolidated { decisions, messages }
}

fn beside<'a>(
    messages: &'a [(ContactAttempt, Vec<usize>)],
    but: Option<&ContactAttempt>,
) -> Vec<&'a ContactAttempt> {
    let but = but.map(|message| &message.contact_id);
    messages.iter().map(|(other, _)| other).filter(|other| Some(&other.contact_id) != but).collect()
}

/// The id under which the request was counted, if it would be the same message again. A message counted on
/// another channel may have left there, and its receipts must not apply to this one.
fn message_id(
    profile: &ContactProfile,
    messages: &[(ContactAttempt, Vec<usize>)],
    gate_request: &GateRequest,
    channel: Channel,
) -> ContactId {
    let known =
        profile.attempts().iter().find(|one| Some(&one.contact_id) == gate_request.reserved_as.as_ref());
    let again = known.filter(|known| {
        known.channel == channel && messages.iter().all(|(other, _)| other.contact_id != known.contact_id)
    });
    match again {
        Some(known) => known.contact_id.clone(),
        None if gate_request.reserved_as.is_some() => gate_request.contact_id.by(channel),
        None => gate_request.contact_id.clone(),
    }
}
