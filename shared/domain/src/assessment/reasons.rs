//! The reasons of a stage: the rules that fired, with their thresholds and values.

use super::figures::StageFigures;
use super::stages::LadderProjection;
use crate::account::{Account, Figures, Reason};
use crate::policy::Policy;

/// Decimals of a printed share.
const SHARE_DECIMALS: u32 = 4;

/// Why the account is on its stage, and which of the customer's other accounts restrict it as well.
pub(crate) fn reasons(
    account: &Account,
    policy: &Policy,
    figures: &Figures,
    judged: StageFigures,
    projection: &LadderProjection<'_>,
) -> Vec<Reason> {
    let mut reasons = of_stage(account, policy, figures, judged, projection);
    if account.is_enforced() {
        reasons.extend(account.imposed_by().iter().map(|other| Reason::Customer {
            threshold: other.restriction.stage.clone(),
            value: other.account_id.clone(),
        }));
    }
    reasons.extend(
        account
            .late_fee_of_new_schedule()
            .map(|schedule| Reason::AccruedFee { becomes: schedule.accrued_fee, value: schedule.late_fee }),
    );
    reasons
}

/// Why the account is on its stage.
fn of_stage(
    account: &Account,
    policy: &Policy,
    figures: &Figures,
    judged: StageFigures,
    projection: &LadderProjection<'_>,
) -> Vec<Reason> {
    let Some(stage) = projection.stage else {
        return vec![if !account.is_enforced() {
            Reason::EnforcementOff
        } else if figures.oldest_due_on.is_none() {
            Reason::NothingOverdue
        } else if judged.balances.unpaid_installments == 0 {
            Reason::InstallmentsHeld
        } else if is_immaterial(policy, judged) {
            Reason::BelowMateriality
        } else {
            Reason::BelowEveryStage
        }];
    };
    let when = &stage.when;
    let mut reasons = Vec::with_capacity(2);
    if let Some(threshold) = when.delinquent_days {
        reasons.push(Reason::DelinquentDays { threshold, value: judged.delinquent_days });
    }
    if let Some(threshold) = when.days_past_due {
        reasons.push(Reason::DaysPastDue { threshold, value: judged.days_past_due });
    }
    if let Some(threshold) = when.overdue_amount {
        reasons.push(Reason::OverdueAmount { threshold, value: judged.balances.overdue });
    }
    if let Some(threshold) = when.overdue_share {
        let value = judged
            .balances
            .overdue
            .as_decimal()
            .checked_div(judged.balances.outstanding.as_decimal())
            .unwrap_or_default()
            .round_dp(SHARE_DECIMALS);
        reasons.push(Reason::OverdueShare { threshold, value });
    }
    if let Some(threshold) = when.unpaid_installments {
        let value = u32::try_from(judged.balances.unpaid_installments).unwrap_or(u32::MAX);
        reasons.push(Reason::UnpaidInstallments { threshold, value });
    }
    if let Some(cause) = when.cause {
        reasons.push(Reason::Cause { threshold: cause, value: cause });
    }
    if let (Some(threshold), Some(recorded)) = (when.score_at_most, &account.score) {
        reasons.push(Reason::ScoreAtMost { threshold, value: recorded.score });
    }
    if let Some(held) = projection.deferral {
        reasons.push(Reason::RestrictionsDeferred { by: held.by, until: held.until });
    }
    reasons
}

fn is_immaterial(policy: &Policy, judged: StageFigures) -> bool {
    let (overdue, outstanding) =
        (judged.balances.overdue.as_decimal(), judged.balances.outstanding.as_decimal());
    policy.materiality.as_ref().is_some_and(|least| !least.is_exceeded(overdue, outstanding))
}
