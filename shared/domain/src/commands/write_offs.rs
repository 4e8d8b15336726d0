//! Installments written off, and write-offs reversed.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::definition::{CommandDefinition, command};
use crate::account::Account;
use crate::kernel::{InstallmentNumber, Refusal};
use crate::ledger::allocate;

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
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let number = self.number;
        account.check_known(number)?;
        let paid = allocate(account).paid;
        let mut applied = Applied::Unchanged;
        for (installment, paid) in account.installments.iter_mut().zip(paid) {
            let named = number.is_none() || installment.number() == number;
            if named && !installment.written_off && paid < installment.amount_due() {
                installment.written_off = true;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }
}

impl CommandDefinition for WriteOffUndone {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let number = self.number;
        account.check_known(number)?;
        let mut applied = Applied::Unchanged;
        for installment in &mut account.installments {
            let named = number.is_none() || installment.number() == number;
            if named && installment.written_off {
                installment.written_off = false;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }
}
