//! The origins of payments and reversals: an account keeps the last ones, for the history.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::command::Command;
use crate::account::{Account, Origin, Payment};
use crate::kernel::{MAX_ORIGINS, PaymentId, Refusal};

impl Account {
    /// Applies a command as [`Account::apply`] does. A payment or a reversal that is new keeps its origin, and
    /// the oldest payments lose theirs beyond [`MAX_ORIGINS`].
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    pub fn apply_from(
        &mut self,
        command: &Command,
        at: DateTime<Utc>,
        origin: Option<Origin>,
    ) -> Result<Applied, Refusal> {
        let applied = self.apply(command, at)?;
        if let (Applied::Changed, Some(origin)) = (applied, origin) {
            match command {
                Command::PaymentReceived(received) => {
                    self.keep_origin(&received.payment_id, |payment| payment.origin = Some(origin));
                }
                Command::PaymentReversed(reversed) => {
                    self.keep_origin(&reversed.payment_id, |payment| {
                        if let Some(reversal) = payment.reversals.last_mut() {
                            reversal.origin = Some(origin);
                        }
                    });
                }
                _ => {}
            }
        }
        Ok(applied)
    }

    fn keep_origin(&mut self, payment_id: &PaymentId, keep: impl FnOnce(&mut Payment)) {
        let mut excess = (self.origins() + 1).saturating_sub(MAX_ORIGINS);
        for payment in &mut self.payments {
            if payment.payment_id == *payment_id {
                continue;
            }
            let of_reversals = payment.reversals.iter_mut().map(|reversal| &mut reversal.origin);
            for origin in std::iter::once(&mut payment.origin).chain(of_reversals) {
                if excess > 0 && origin.take().is_some() {
                    excess -= 1;
                }
            }
        }
        if let Some(payment) = self.payments.iter_mut().find(|one| one.payment_id == *payment_id) {
            keep(payment);
        }
    }

    /// The number of origins that the account holds.
    pub(super) fn origins(&self) -> usize {
        let of_reversals =
            |payment: &Payment| payment.reversals.iter().filter(|one| one.origin.is_some()).count();
        let of = |payment: &Payment| usize::from(payment.origin.is_some()) + of_reversals(payment);
        self.payments.iter().map(of).sum()
    }
}
