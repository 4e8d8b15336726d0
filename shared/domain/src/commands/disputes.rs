//! Disputes opened and closed.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::{check_reason, unfit};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Dispute, DisputeOutcome};
use crate::kernel::{DisputeId, MAX_DISPUTES, Refusal};

command! {
    /// The borrower objects to an amount or a date. The same dispute again changes nothing.
    pub struct DisputeOpened as "dispute_opened" {
        /// Unique within the account.
        pub dispute_id: DisputeId,
        pub reason: String,
    }
    example: r#"{ "dispute_id": "D-1", "reason": "paid at a branch" }"#
}

command! {
    /// The end of a dispute.
    pub struct DisputeClosed as "dispute_closed" {
        pub dispute_id: DisputeId,
        pub outcome: DisputeOutcome,
    }
    example: r#"{ "dispute_id": "D-1", "outcome": "rejected" }"#
}

impl CommandDefinition for DisputeOpened {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let Self { dispute_id, reason } = self;
        if account.disputes.iter().any(|known| &known.dispute_id == dispute_id) {
            return Ok(Applied::Unchanged);
        }
        check_reason(reason)?;
        let excess = (account.disputes.len() + 1).saturating_sub(MAX_DISPUTES);
        account.disputes.drain(..excess);
        account.disputes.push(Dispute {
            dispute_id: dispute_id.clone(),
            reason: reason.clone(),
            at,
            closed: None,
        });
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for DisputeClosed {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let known = account.disputes.iter_mut().find(|known| known.dispute_id == self.dispute_id);
        match known {
            None => unfit("dispute_id", format!("no dispute {} is known", self.dispute_id)),
            Some(dispute) if dispute.closed.is_some() => Ok(Applied::Unchanged),
            Some(dispute) => {
                dispute.closed = Some((self.outcome, at));
                Ok(Applied::Changed)
            }
        }
    }
}
