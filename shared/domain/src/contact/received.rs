//! What senders report of messages, as far as it says something of the person.

use super::attempt::Outcome;
use super::known::{Stamp, learn};
use super::person::{Deliverability, Person, changed};
use super::receipt::{Receipt, ReceiptOutcome};
use crate::commands::{Applied, Consent};
use crate::kernel::{ContactPersonId, EventId};
use crate::policy::Channel;

impl Receipt {
    /// What became of the contact.
    const fn of_contact(&self) -> Outcome {
        match self.outcome {
            ReceiptOutcome::Bounced => Outcome::Bounced,
            ReceiptOutcome::Answered => Outcome::Answered,
            ReceiptOutcome::Unanswered => Outcome::Unanswered,
            ReceiptOutcome::Delivered | ReceiptOutcome::Complained | ReceiptOutcome::OptedOut => {
                Outcome::Delivered
            }
        }
    }

    /// Whether whoever it went to wants no more of it.
    const fn is_unwanted(&self) -> bool {
        matches!(self.outcome, ReceiptOutcome::Complained | ReceiptOutcome::OptedOut)
    }
}

impl Person {
    /// Takes what a sender reports of a message to the person, on `channel`. What it says of the
    /// channel counts also where the contact itself has been forgotten.
    pub fn receive(&mut self, channel: Channel, receipt: &Receipt) -> Applied {
        let before = self.clone();
        let at = receipt.at;
        self.note_outcome(receipt);
        if !matches!(receipt.outcome, ReceiptOutcome::Unanswered) {
            let heard = Deliverability { at, bounced: receipt.outcome == ReceiptOutcome::Bounced };
            let known = &mut self.channel_mut(channel).deliverability;
            *known = (*known).max(Some(heard));
        }
        if receipt.is_unwanted() {
            // An id of a contact is one of an event, too.
            let event_id: EventId = receipt.message_id.clone().into();
            let by = Stamp { at, event_id };
            learn(&mut self.channel_mut(channel).consent, Consent::Withdrawn, &by);
        }
        if receipt.outcome == ReceiptOutcome::Complained {
            self.complain(Some(channel), at);
        }
        changed(*self != before)
    }

    /// Takes what a sender reports of a message to a contact person. The channel is theirs: what
    /// is reported of it says nothing of the person's own. Whoever opts out or complains refuses
    /// to be contacted.
    pub fn receive_of(&mut self, person_id: &ContactPersonId, receipt: &Receipt) -> Applied {
        let before = self.clone();
        self.note_outcome(receipt);
        if receipt.is_unwanted() {
            // Nobody is contacted who was not approved, and what was approved is never removed.
            self.contact_persons.entry(person_id.clone()).or_default().refuse(receipt.at);
        }
        changed(*self != before)
    }

    fn note_outcome(&mut self, receipt: &Receipt) {
        if let Some(attempt) = self.attempts.iter_mut().find(|one| one.contact_id == receipt.message_id) {
            attempt.learn(receipt.of_contact(), receipt.at);
        }
    }
}
