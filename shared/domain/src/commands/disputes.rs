//! Disputes opened and closed.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::promises::unfit;
use crate::account::{Account, Dispute, DisputeOutcome};
use crate::kernel::{DisputeId, MAX_DISPUTES, MAX_REASON_BYTES, Refusal};

impl Account {
    pub(crate) fn open_dispute(
        &mut self,
        dispute_id: &DisputeId,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        if self.disputes.iter().any(|known| &known.dispute_id == dispute_id) {
            return Ok(Applied::Unchanged);
        }
        let bytes = reason.len();
        if bytes > MAX_REASON_BYTES {
            return Err(Refusal::ReasonTooLong { bytes });
        }
        let excess = (self.disputes.len() + 1).saturating_sub(MAX_DISPUTES);
        self.disputes.drain(..excess);
        self.disputes.push(Dispute {
            dispute_id: dispute_id.clone(),
            reason: reason.to_owned(),
            at,
            closed: None,
        });
        Ok(Applied::Changed)
    }

    pub(crate) fn close_dispute(
        &mut self,
        dispute_id: &DisputeId,
        outcome: DisputeOutcome,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let known = self.disputes.iter_mut().find(|known| &known.dispute_id == dispute_id);
        match known {
            None => unfit("dispute_id", "no such dispute is known"),
            Some(dispute) if dispute.closed.is_some() => Ok(Applied::Unchanged),
            Some(dispute) => {
                dispute.closed = Some((outcome, at));
                Ok(Applied::Changed)
            }
        }
    }
}
