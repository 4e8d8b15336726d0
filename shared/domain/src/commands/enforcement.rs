//! Enforcement switched off and on again.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::check_reason;
use super::definition::{CommandDefinition, command};
use crate::account::Account;
use crate::kernel::Refusal;

command! {
    /// From now on no stage and no restriction holds. The figures go on.
    pub struct EnforcementOff as "enforcement_off" {
        pub reason: String,
    }
    example: r#"{ "reason": "in dispute" }"#
}

command! {
    /// Stages and restrictions hold again.
    pub struct EnforcementOn as "enforcement_on" {
        pub reason: String,
    }
    example: r#"{ "reason": "settled" }"#
}

impl CommandDefinition for EnforcementOff {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        if !account.is_enforced() {
            return Ok(Applied::Unchanged);
        }
        check_reason(&self.reason)?;
        account.enforcement_off = Some(self.reason.clone());
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for EnforcementOn {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        Ok(match account.enforcement_off.take() {
            Some(_) => Applied::Changed,
            None => Applied::Unchanged,
        })
    }
}
