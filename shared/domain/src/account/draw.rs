//! Draws on a revolving line: each is repaid by installments of its own (S4.2).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{DrawId, Money};

/// Money that was taken on a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Unique within the account.
    pub draw_id: DrawId,
    /// How much was taken: the principal of its plan.
    pub amount: Money,
    /// When it became known; none: it came with the book, which does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn_at: Option<DateTime<Utc>>,
    /// When a new schedule last took what was unpaid of its plan away, by the local date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_on: Option<NaiveDate>,
    /// Of its first plan, to know that again.
    #[serde(rename = "crc")]
    pub(crate) plan: u32,
}

impl Account {
    /// Its draws, in the order in which they became known.
    #[must_use]
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }
}
