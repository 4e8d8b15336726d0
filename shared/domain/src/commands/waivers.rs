//! Late fees waived.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::{positive, within};
use crate::account::{Account, Waiver};
use crate::kernel::{InstallmentNumber, MAX_WAIVERS, Money, Refusal};

impl Account {
    pub(crate) fn waive_fee(
        &mut self,
        number: Option<InstallmentNumber>,
        amount: Option<Money>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let amount = amount.map(|amount| positive("amount", amount, self.currency)).transpose()?;
        within(self.waivers.len() + 1, MAX_WAIVERS, Refusal::TooManyWaivers)?;
        let place = self.waivers.partition_point(|other| other.at <= at);
        self.waivers.insert(place, Waiver { at, number, amount });
        Ok(Applied::Changed)
    }
}
