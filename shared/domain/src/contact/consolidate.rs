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
    person: &ContactProfile,
    wishes: &[(GateRequest, &ContactRules)],
    now: DateTime<Utc>,
) -> Consolidated {
    let mut messages: Vec<(ContactAttempt, Vec<usize>)> = Vec::new();
    let mut verdicts = Vec::with_capacity(wishes.len());
    for (place, (wish, rules)) in wishes.iter().enumerate() {
        // The message that the request would join does not count against it.
        let joined = messages.iter().position(|(message, spoken_for)| {
            let first = spoken_for.first().and_then(|first| wishes.get(*first));
            let is_same = first.is_some_and(|(first, _)| first.reserved_as == wish.reserved_as);
            let has_room = message.accounts.contains(&wish.account_id)
                || message.accounts.len() < MAX_CONTACTED_ACCOUNTS;
            is_same
                && has_room
                && message.third_party.as_ref() == wish.third_party()
                && gate_beside(person, &beside(&messages, Some(message)), wish, rules, now)
                    == GateDecision::Send { channel: message.channel }
        });
        if let Some((message, spoken_for)) = joined.and_then(|joined| messages.get_mut(joined)) {
            message.accounts.push(wish.account_id.clone());
            message.accounts.sort();
            message.accounts.dedup();
            spoken_for.push(place);
            verdicts.push(GateDecision::Send { channel: message.channel });
            continue;
        }
        let verdict = gate_beside(person, &beside(&messages, None), wish, rules, now);
        if let GateDecision::Send { channel } = verdict {
            let message_id = message_id(person, &messages, wish, channel);
            let accounts = vec![wish.account_id.clone()];
            let contact_person = wish.third_party().cloned();
            let attempt = ContactAttempt::reserved(message_id, channel, accounts, contact_person, now);
            messages.push((attempt, vec![place]));
        }
        verdicts.push(verdict);
    }
    Consolidated { decisions: verdicts, messages }
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
    person: &ContactProfile,
    messages: &[(ContactAttempt, Vec<usize>)],
    wish: &GateRequest,
    channel: Channel,
) -> ContactId {
    let known = person.attempts().iter().find(|one| Some(&one.contact_id) == wish.reserved_as.as_ref());
    let again = known.filter(|known| {
        known.channel == channel && messages.iter().all(|(other, _)| other.contact_id != known.contact_id)
    });
    match again {
        Some(known) => known.contact_id.clone(),
        None if wish.reserved_as.is_some() => wish.contact_id.by(channel),
        None => wish.contact_id.clone(),
    }
}
