//! Installments written off, and write-offs reversed.

use super::apply::Applied;
use crate::account::Account;
use crate::kernel::{InstallmentNumber, Refusal};
use crate::ledger::allocate;

impl Account {
    pub(crate) fn write_off(&mut self, number: Option<InstallmentNumber>) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let paid = allocate(self).paid;
        let mut applied = Applied::Unchanged;
        for (installment, paid) in self.installments.iter_mut().zip(paid) {
            let named = number.is_none() || installment.number() == number;
            if named && !installment.written_off && paid < installment.amount_due() {
                installment.written_off = true;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }

    pub(crate) fn undo_write_off(&mut self, number: Option<InstallmentNumber>) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let mut applied = Applied::Unchanged;
        for installment in &mut self.installments {
            let named = number.is_none() || installment.number() == number;
            if named && installment.written_off {
                installment.written_off = false;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }
}
