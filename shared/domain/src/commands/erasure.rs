//! Erasure of the free text that an account keeps: grounds may say more of a person than money needs.

use super::apply::Applied;
use crate::account::Account;

/// What stands in place of an erased text, so that nobody takes it for an empty one.
pub const ERASED: &str = "erased";

impl Account {
    /// Erases the grounds of causes, disputes and holds, and why enforcement is off. The facts and their dates stay,
    /// and so does what follows from them.
    pub fn erase_free_text(&mut self) -> Applied {
        let held = self.installments.iter_mut().filter_map(|one| one.hold.as_mut()?.reason.as_mut());
        let disputed = self.disputes.iter_mut().map(|dispute| &mut dispute.reason);
        let cause = self.cause.as_mut().map(|recorded| &mut recorded.reason);
        let texts = held.chain(disputed).chain(cause).chain(self.enforcement_off.as_mut());
        let mut applied = Applied::Unchanged;
        for text in texts.filter(|text| *text != ERASED) {
            ERASED.clone_into(text);
            applied = Applied::Changed;
        }
        applied
    }
}
