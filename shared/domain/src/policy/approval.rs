//! The limits above which two different people must agree to relief.

use serde::Deserialize;

use super::bounds::MAX_DAYS;
use super::check::PolicyFault;
use super::{Policy, check};
use crate::kernel::Money;

/// The most days over which relief is added up.
pub const MAX_APPROVAL_WITHIN_DAYS: u32 = 92;

/// Over how many days relief is added up where a policy does not say.
const WITHIN_DAYS: u32 = 30;

/// The relief that one person alone may grant an account. Above a limit the command waits until another person
/// approves it: a control by two people, as auditors ask for wherever one person could forgive a debt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRules {
    /// Forgiven or deferred, in the account's currency; none: any amount. A new schedule and switched-off enforcement
    /// count all that is outstanding.
    pub amount_above: Option<Money>,
    /// Days of delinquency pauses; none: any number.
    pub pause_days_above: Option<u32>,
    /// Over so many local days, today included, the relief of an account is added up that no second person approved.
    #[serde(default = "within_days")]
    pub within_days: u32,
}

const fn within_days() -> u32 {
    WITHIN_DAYS
}

/// Checks the limits.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyFault> {
    let Some(rules) = &policy.approval else { return Ok(()) };
    let fault = |problem| Err(check::at_key("approval", problem));
    let ApprovalRules { amount_above, pause_days_above, within_days } = rules;
    if amount_above.is_none() && pause_days_above.is_none() {
        return fault("approval: it needs amount_above or pause_days_above".to_owned());
    }
    if let Some(amount) = amount_above.filter(|amount| amount.is_negative()) {
        return fault(format!("approval.amount_above: {amount} is less than zero"));
    }
    if let Some(days) = pause_days_above.filter(|days| *days > MAX_DAYS) {
        return fault(format!("approval.pause_days_above: {days} is more than {MAX_DAYS}"));
    }
    if !(1..=MAX_APPROVAL_WITHIN_DAYS).contains(within_days) {
        let problem =
            format!("approval.within_days: {within_days} is not between 1 and {MAX_APPROVAL_WITHIN_DAYS}");
        return fault(problem);
    }
    Ok(())
}

/// The limit that is left out leaves that relief to one person.
pub(super) fn warning(policy: &Policy) -> Option<String> {
    let rules = policy.approval.as_ref()?;
    let (left_out, relief) = match (rules.amount_above, rules.pause_days_above) {
        (Some(_), Some(_)) => return None,
        (None, _) => ("amount_above", "forgive and defer any amount"),
        (_, None) => ("pause_days_above", "pause an account for any number of days"),
    };
    Some(format!("approval: without {left_out}, one person alone may {relief}"))
}
