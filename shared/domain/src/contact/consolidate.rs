//! One message a person and channel out of all that wishes to leave.

use chrono::{DateTime, Utc};

use super::attempt::Attempt;
use super::gate::{Wish, gate_beside};
use super::person::{MAX_CONTACTED_ACCOUNTS, Person};
use super::verdict::Verdict;
use crate::kernel::ContactId;
use crate::policy::{Channel, ContactRules};

/// What becomes of several wishes of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consolidated {
    /// What the gate says of each, in the order of the wishes.
    pub verdicts: Vec<Verdict>,
    /// The messages that leave: what each counts as, and which wishes it speaks for, by their
    /// place. It bears the id of the first of them, or the one under which it was counted
    /// already on that channel.
    pub messages: Vec<(Attempt, Vec<usize>)>,
}

/// Asks the gate for each wish in turn, each with the rules of its account's policy. A wish
/// joins the message that leaves on its channel anyway; that counts once. A contact person's
/// message joins nobody's, and one that was counted already keeps to those with which it was.
#[must_use]
pub fn consolidate(person: &Person, wishes: &[(Wish, &ContactRules)], now: DateTime<Utc>) -> Consolidated {
    let mut messages: Vec<(Attempt, Vec<usize>)> = Vec::new();
    let mut verdicts = Vec::with_capacity(wishes.len());
    for (place, (wish, rules)) in wishes.iter().enumerate() {
        // Whether it could leave in one of the messages: that one is not counted against it.
        let joined = messages.iter().position(|(message, spoken_for)| {
            let first = spoken_for.first().and_then(|first| wishes.get(*first));
            let is_same = first.is_some_and(|(first, _)| first.reserved_as == wish.reserved_as);
            let has_room = message.accounts.contains(&wish.account_id)
                || message.accounts.len() < MAX_CONTACTED_ACCOUNTS;
            is_same
                && has_room
                && message.contact_person.as_ref() == wish.contact_person()
                && gate_beside(person, &beside(&messages, Some(message)), wish, rules, now)
                    == Verdict::Send { channel: message.channel }
        });
        if let Some((message, spoken_for)) = joined.and_then(|joined| messages.get_mut(joined)) {
            message.accounts.push(wish.account_id.clone());
            message.accounts.sort();
            message.accounts.dedup();
            spoken_for.push(place);
            verdicts.push(Verdict::Send { channel: message.channel });
            continue;
        }
        let verdict = gate_beside(person, &beside(&messages, None), wish, rules, now);
        if let Verdict::Send { channel } = verdict {
            let message_id = message_id(person, &messages, wish, channel);
            let accounts = vec![wish.account_id.clone()];
            let contact_person = wish.contact_person().cloned();
            let attempt = Attempt::reserved(message_id, channel, accounts, contact_person, now);
            messages.push((attempt, vec![place]));
        }
        verdicts.push(verdict);
    }
    Consolidated { verdicts, messages }
}

fn beside<'a>(messages: &'a [(Attempt, Vec<usize>)], but: Option<&Attempt>) -> Vec<&'a Attempt> {
    let but = but.map(|message| &message.contact_id);
    messages.iter().map(|(other, _)| other).filter(|other| Some(&other.contact_id) != but).collect()
}

/// The id under which it was counted, where it would be the same message again. Where it was
/// counted on another channel it may have left there, and what is reported of that must not be
/// taken for this one.
fn message_id(
    person: &Person,
    messages: &[(Attempt, Vec<usize>)],
    wish: &Wish,
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
