//! Installments written off, and write-offs reversed.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, LeftOut};
use crate::kernel::{InstallmentNumber, MAX_WRITE_OFFS, Refusal};
use crate::ledger::Settlement;
use crate::policy::Timeline;

command! {
    /// Installments that are left out whole. One that is settled or written off already stays as it is.
    pub struct WrittenOff as "written_off" {
        /// None: all installments.
        pub number: Option<InstallmentNumber>,
        pub reason: String,
    }
    example: r#"{ "number": 1, "reason": "insolvent" }"#
}

command! {
    /// Installments that are owed again.
    pub struct WriteOffUndone as "write_off_undone" {
        /// None: all installments.
        pub number: Option<InstallmentNumber>,
        pub reason: String,
    }
    example: r#"{ "number": 1, "reason": "paid" }"#
}

impl CommandDefinition for WrittenOff {
    fn apply_under(
        &self,
        account: &mut Account,
        at: DateTime<Utc>,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        let number = self.number;
        account.check_known(number)?;
        let settlement = Settlement::of(account, timeline, at);
        let mut applied = Applied::Unchanged;
        for (place, installment) in account.installments.iter_mut().enumerate() {
            let named = number.is_none() || installment.number() == number;
            if named && !installment.written_off && !settlement.is_settled(place, installment) {
                installment.written_off = true;
                installment.written_off_at = Some(at);
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }
}

impl CommandDefinition for WriteOffUndone {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let number = self.number;
        account.check_known(number)?;
        let mut applied = Applied::Unchanged;
        for installment in &mut account.installments {
            let named = number.is_none() || installment.number() == number;
            if named && installment.written_off {
                installment.written_off = false;
                if let Some(from) = installment.written_off_at.take().filter(|from| *from < at) {
                    let excess = (installment.left_out.len() + 1).saturating_sub(MAX_WRITE_OFFS);
                    installment.left_out.drain(..excess);
                    installment.left_out.push(LeftOut { from, until: at });
                }
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }
}
