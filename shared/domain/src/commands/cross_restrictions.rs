//! Cross-restrictions that arrive from the customer's other accounts.

use super::apply::Applied;
use crate::account::{Account, ImposedBy};
use crate::kernel::{MAX_ACCOUNTS_OF_CUSTOMER, Refusal};

impl Account {
    /// Replaces all known cross-restrictions by the current ones of the customer's other accounts.
    ///
    /// # Errors
    /// [`Refusal::TooManyAccounts`] past [`MAX_ACCOUNTS_OF_CUSTOMER`].
    pub fn replace_imposed_by(&mut self, mut others: Vec<ImposedBy>) -> Result<Applied, Refusal> {
        others.retain(|other| {
            other.account_id != self.account_id && !other.restriction.restrictions.is_empty()
        });
        others.sort_by(|one, other| one.account_id.cmp(&other.account_id));
        others.dedup_by(|one, other| one.account_id == other.account_id);
        if others.len() >= MAX_ACCOUNTS_OF_CUSTOMER {
            return Err(Refusal::TooManyAccounts);
        }
        if others == self.imposed_by {
            return Ok(Applied::Unchanged);
        }
        self.imposed_by = others;
        Ok(Applied::Changed)
    }
}
