//! Cross-restrictions: restrictions that one account imposes on the customer's other accounts.

use serde::Deserialize;

use super::Policy;
use super::check::check_restrictions;
use super::restriction::Restriction;
use super::severity::is_covered;
use super::stage::{Stage, StageName};

/// The customer-level rule (`S0`: accounts of one customer may be judged together). Without it, each account
/// is assessed alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerRule {
    /// The rule takes effect when the restrictions of this stage, or of a more severe one, are in force on an
    /// account. Before that, no other account is restricted.
    pub stage: StageName,
    /// Imposed on the customer's other accounts.
    pub restrictions: Vec<Restriction>,
}

impl Policy {
    /// The restrictions that an account imposes on the customer's other accounts while those of `restricting`
    /// are in force on it.
    pub(crate) fn imposed_restrictions(&self, restricting: Option<&Stage>) -> &[Restriction] {
        let (Some(rule), Some(stage)) = (&self.customer, restricting) else { return &[] };
        let stage_index = |name: &StageName| self.stages.iter().position(|stage| stage.name == *name);
        if stage_index(&stage.name) >= stage_index(&rule.stage) { &rule.restrictions } else { &[] }
    }
}

pub(super) fn check(policy: &Policy) -> Result<(), String> {
    let Some(rule) = &policy.customer else { return Ok(()) };
    if policy.stages.iter().all(|stage| stage.name != rule.stage) {
        return Err(format!("customer.stage: the ladder has no stage \"{}\"", rule.stage));
    }
    if rule.restrictions.is_empty() {
        return Err(
            "customer.restrictions: there is none; leave the table out to judge accounts apart".into()
        );
    }
    check_restrictions(&rule.restrictions).map_err(|problem| format!("customer.{problem}"))?;
    match rule.restrictions.iter().find(|restriction| restriction.notice_days.is_some()) {
        Some(restriction) => Err(format!(
            "customer.restrictions: {}.notice_days: the notice of the stage is waited for, and no other",
            restriction.kind
        )),
        None => Ok(()),
    }
}

/// The other accounts bear a restriction that the account itself does not.
pub(super) fn outweighs_its_stage(policy: &Policy) -> Option<String> {
    let rule = policy.customer.as_ref()?;
    let stage = policy.stages.iter().find(|stage| stage.name == rule.stage)?;
    let heavier = rule.restrictions.iter().find(|one| !is_covered(one, &stage.restrictions))?;
    let name = &stage.name;
    Some(if stage.restrictions.is_empty() {
        format!(
            "customer.stage: \"{name}\" restricts nothing itself, so that no buffer and no notice is waited for \
             before the customer's other accounts bear {heavier}; name a stage that restricts"
        )
    } else {
        format!(
            "customer.restrictions: the customer's other accounts bear {heavier}, which stage \"{name}\" does \
             not bring upon the account that reaches it; let the stage bring it too"
        )
    })
}
