//! Late fees waived.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::{positive, within};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Waiver};
use crate::kernel::{InstallmentNumber, MAX_WAIVERS, Money, Refusal};

command! {
    /// Late fee that is forgiven, of what has accrued by then.
    pub struct FeeWaived as "fee_waived" {
        /// None: the late fees of all installments.
        pub number: Option<InstallmentNumber>,
        /// The most to waive; none: all that has accrued by then.
        pub amount: Option<Money>,
        pub reason: String,
    }
    example: r#"{ "number": 1, "amount": "1.50", "reason": "hardship" }"#
}

impl CommandDefinition for FeeWaived {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let number = self.number;
        account.check_known(number)?;
        let amount = self.amount.map(|amount| positive("amount", amount, account.currency)).transpose()?;
        within(account.waivers.len() + 1, MAX_WAIVERS, Refusal::TooManyWaivers)?;
        let place = account.waivers.partition_point(|other| other.at <= at);
        account.waivers.insert(place, Waiver { at, number, amount });
        Ok(Applied::Changed)
    }
}
