//! Reports to a credit bureau.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::definition::{CommandDefinition, command};
use crate::account::Account;
use crate::kernel::Refusal;

command! {
    /// The account was reported to a credit bureau.
    #[derive(Copy)]
    pub struct BureauReported as "bureau_reported" {}
    example: "{}"
}

impl CommandDefinition for BureauReported {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let before = account.reported_at;
        account.reported_at = before.max(Some(at));
        Ok(if account.reported_at == before { Applied::Unchanged } else { Applied::Changed })
    }
}
