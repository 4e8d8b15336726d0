//! Delivery receipts, as delivery providers report them, and their effect on the contact profile.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attempt::AttemptOutcome;
use super::profile::{ContactProfile, Deliverability, changed};
use super::stamped::{Stamp, learn};
use crate::commands::{Applied, ComplaintMade, Consent, ConsentChanged, ContactFact, ThirdPartyRefused};
use crate::kernel::{ContactId, EventId, ThirdPartyId, written};
use crate::policy::Channel;

/// A delivery provider's report of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub message_id: ContactId,
    #[serde(deserialize_with = "written::instant")]
    pub at: DateTime<Utc>,
    pub outcome: ReceiptOutcome,
    /// The delivery provider's reason or, in an answer, the borrower's. The profile does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The outcome that a delivery provider reports of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    Delivered,
    /// The message bounced for good.
    Bounced,
    /// The message was reported as unwanted: an opt-out and a complaint.
    Complained,
    OptedOut,
    /// A conversation took place.
    Answered,
    Unanswered,
}

impl Receipt {
    /// The outcome of the contact attempt. An opt-out and a complaint imply a delivery.
    const fn of_contact(&self) -> AttemptOutcome {
        match self.outcome {
            ReceiptOutcome::Bounced => AttemptOutcome::Bounced,
            ReceiptOutcome::Answered => AttemptOutcome::Answered,
            ReceiptOutcome::Unanswered => AttemptOutcome::Unanswered,
            ReceiptOutcome::Delivered | ReceiptOutcome::Complained | ReceiptOutcome::OptedOut => {
                AttemptOutcome::Delivered
            }
        }
    }

    /// Whether the recipient wants no further messages.
    #[must_use]
    pub const fn is_unwanted(&self) -> bool {
        matches!(self.outcome, ReceiptOutcome::Complained | ReceiptOutcome::OptedOut)
    }

    /// The facts that commands would state of an unwanted message on `channel`, each with the id of its event. A profile
    /// learns the same from them as from the receipt, but for the contact itself.
    #[must_use]
    pub fn as_facts(
        &self,
        channel: Channel,
        third_party: Option<&ThirdPartyId>,
    ) -> Vec<(EventId, ContactFact)> {
        // Every contact id is a valid event id.
        let event_id: EventId = self.message_id.clone().into();
        if let Some(third_party_id) = third_party {
            let refused = ThirdPartyRefused { third_party_id: third_party_id.clone() };
            return vec![(event_id, ContactFact::ThirdPartyRefused(refused))];
        }
        let by = "the recipient".to_owned();
        let withdrawn = ConsentChanged { channel: Some(channel), consent: Consent::Withdrawn, by };
        let mut facts = vec![(event_id.clone(), ContactFact::Consent(withdrawn))];
        if self.outcome == ReceiptOutcome::Complained {
            let reason = "reported to the delivery provider".to_owned();
            let complaint = ComplaintMade { channel: Some(channel), reason };
            facts.push((event_id, ContactFact::Complaint(complaint)));
        }
        facts
    }
}

impl ContactProfile {
    /// Applies a receipt of a message to the borrower on `channel`. The receipt counts for the channel even
    /// where the contact itself has been forgotten.
    pub fn apply_receipt(&mut self, channel: Channel, receipt: &Receipt) -> Applied {
        let before = self.clone();
        let at = receipt.at;
        self.record_outcome(receipt);
        if !matches!(receipt.outcome, ReceiptOutcome::Unanswered) {
            let heard = Deliverability { at, bounced: receipt.outcome == ReceiptOutcome::Bounced };
            let known = &mut self.channel_mut(channel).deliverability;
            *known = (*known).max(Some(heard));
        }
        if receipt.is_unwanted() {
            // Every contact id is a valid event id.
            let event_id: EventId = receipt.message_id.clone().into();
            let by = Stamp::of_core(at, event_id);
            learn(&mut self.channel_mut(channel).consent, Consent::Withdrawn, &by);
        }
        if receipt.outcome == ReceiptOutcome::Complained {
            self.complain(Some(channel), at);
        }
        changed(*self != before)
    }

    /// Applies a receipt of a message to a third-party contact. The receipt says nothing of the borrower's
    /// own channels. An opt-out or a complaint is a refusal of all contact.
    pub fn apply_third_party_receipt(&mut self, third_party_id: &ThirdPartyId, receipt: &Receipt) -> Applied {
        let before = self.clone();
        self.record_outcome(receipt);
        if receipt.is_unwanted() {
            // Only an approved third-party contact is contacted, and only an erasure removes one.
            self.third_parties.entry(third_party_id.clone()).or_default().refuse(receipt.at);
        }
        changed(*self != before)
    }

    fn record_outcome(&mut self, receipt: &Receipt) {
        if let Some(attempt) = self.attempts.iter_mut().find(|one| one.contact_id == receipt.message_id) {
            attempt.learn(receipt.of_contact(), receipt.at);
        }
    }
}
