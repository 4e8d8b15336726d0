//! Draws on a revolving line: each draw is repaid by installments of its own (S4.2).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{DrawId, Money};

/// Money drawn on a revolving line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Unique within the account.
    pub draw_id: DrawId,
    /// The amount drawn: the principal of the draw's repayment plan.
    pub amount: Money,
    /// When the draw became known; none: it came with the portfolio file, which does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn_at: Option<DateTime<Utc>>,
    /// The local date on which a new schedule last removed the unpaid part of the plan; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_on: Option<NaiveDate>,
    /// Checksum of the draw's first plan, to recognise that plan again.
    #[serde(rename = "crc")]
    pub(crate) plan: u32,
}

impl Account {
    /// The draws, in the order in which they became known.
    #[must_use]
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }
}
