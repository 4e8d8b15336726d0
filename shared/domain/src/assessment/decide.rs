//! `decide`: the difference between an account status and a new assessment.

use chrono::{DateTime, Utc};

use super::assess::Assessment;
use crate::account::{Account, Decision, listed_order};
use crate::kernel::start_of_day;
use crate::policy::{Policy, Restriction, StageName};

/// The trigger of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Days went by, and no fact became known.
    Time,
    Fact,
}

/// The change from the account status to its new assessment; none: stage and restrictions stay. The revision
/// is that of the coming write.
#[must_use]
pub fn decide(
    account: &Account,
    policy: &Policy,
    assessment: &Assessment<'_>,
    now: DateTime<Utc>,
    trigger: Trigger,
) -> Option<Decision> {
    let status = &account.status;
    let missing = |those: &[Restriction], from: &[Restriction]| -> Vec<Restriction> {
        those.iter().filter(|one| !from.contains(one)).cloned().collect()
    };
    let applied = missing(assessment.restrictions(), &status.restrictions);
    let lifted = missing(&status.restrictions, assessment.restrictions());
    let same_stage = status.stage.as_str() == assessment.stage_name();
    if same_stage && applied.is_empty() && lifted.is_empty() {
        return None;
    }
    let since = assessment.held_from.max(assessment.in_force_from);
    let since = since.map(|day| policy.day_count.begin(account.time_zone, day));
    // An imposed restriction that was deferred takes effect no earlier than it was imposed.
    let asked_since = assessment.imposed_since.filter(|_| !applied.is_empty());
    let at = match trigger {
        Trigger::Time => match since.max(assessment.binds_from).max(asked_since) {
            // Nothing is decided before the account is there.
            Some(at) => at.max(start_of_day(account.time_zone, account.opened_on).min(now)),
            None => now,
        },
        Trigger::Fact => now,
    };
    let ordered = listed_order(assessment.restrictions().to_vec(), assessment.stage);
    let is_in_listed_order = ordered == assessment.restrictions();
    Some(Decision {
        at,
        revision: account.revision.next(),
        policy: policy.reference(),
        from: status.stage.clone(),
        to: assessment.stage.map_or_else(StageName::current, |stage| stage.name.clone()),
        applied,
        lifted,
        figures: assessment.figures.clone(),
        reasons: assessment.reasons.clone(),
        next_action_at: assessment.next_action_at,
        in_force: if is_in_listed_order { Vec::new() } else { assessment.restrictions().to_vec() },
    })
}
