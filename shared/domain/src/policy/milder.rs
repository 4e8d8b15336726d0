//! Whether a new version of a policy can treat nobody worse than the one before.

use std::borrow::Cow;

use super::Policy;
use super::contact::ContactRules;
use super::customer::CustomerRule;
use super::relief::Buffer;
use super::restriction::Restriction;
use super::stage::{Stage, StageName};
use super::stage_conditions::When;

impl Policy {
    /// Whether this version can be shown never to treat an account worse than `before`: each
    /// stage comes no earlier and takes away no more, and nothing that is patient is less so.
    /// Whatever cannot be shown counts as stricter; reminders count for nothing, and of contact
    /// rules that nobody is contacted more, or who could not be contacted before.
    #[must_use]
    pub fn is_no_stricter_than(&self, before: &Self) -> bool {
        self.day_count == before.day_count
            && self.waterfall == before.waterfall
            && self.grace_days >= before.grace_days
            && self.overpayment == before.overpayment
            && (self.late_fee.is_none() || self.late_fee == before.late_fee)
            && self.business_days == before.business_days
            && self.materiality == before.materiality
            && self.cause.as_ref().map(|one| one.temporary_holds_days)
                >= before.cause.as_ref().map(|one| one.temporary_holds_days)
            && self.payment_in_process.as_ref().map(|one| one.max_days)
                >= before.payment_in_process.as_ref().map(|one| one.max_days)
            && self.dispute.as_ref().map(|one| one.holds_days)
                >= before.dispute.as_ref().map(|one| one.holds_days)
            && contact(self).is_no_stricter_than(&contact(before))
            && is_as_patient(self.buffer.as_ref(), before.buffer.as_ref())
            && is_within(&before.operations.never_blocked, &self.operations.never_blocked)
            && self.stages.len() == before.stages.len()
            && self.stages.iter().zip(&before.stages).all(|(now, then)| is_no_stricter(now, then))
            && self.asks_no_more(self.customer.as_ref(), before.customer.as_ref())
    }

    /// The customer's other accounts are restricted no earlier, and by no more.
    fn asks_no_more(&self, now: Option<&CustomerRule>, then: Option<&CustomerRule>) -> bool {
        let Some(now) = now else { return true };
        let Some(then) = then else { return false };
        let rung = |name: &StageName| self.stages.iter().position(|stage| stage.name == *name);
        rung(&now.stage) >= rung(&then.stage) && take_no_more(&now.restrictions, &then.restrictions)
    }
}

fn contact(policy: &Policy) -> Cow<'_, ContactRules> {
    policy.contact.as_ref().map_or_else(|| Cow::Owned(ContactRules::default()), Cow::Borrowed)
}

fn is_as_patient(now: Option<&Buffer>, then: Option<&Buffer>) -> bool {
    match (now, then) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(now), Some(then)) => {
            now.days >= then.days && now.amount >= then.amount && now.months <= then.months
        }
    }
}

fn is_within<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

fn is_no_stricter(now: &Stage, then: &Stage) -> bool {
    now.name == then.name
        && comes_no_earlier(&now.when, &then.when)
        && take_no_more(&now.restrictions, &then.restrictions)
}

fn take_no_more(now: &[Restriction], then: &[Restriction]) -> bool {
    now.iter().all(|one| then.iter().any(|other| one.kind == other.kind && takes_no_more(one, other)))
}

/// Each condition that there was is there, with a threshold no lower.
fn comes_no_earlier(now: &When, then: &When) -> bool {
    now.delinquent_days >= then.delinquent_days
        && now.days_past_due >= then.days_past_due
        && now.overdue_amount >= then.overdue_amount
        && now.overdue_share >= then.overdue_share
        && now.unpaid_installments >= then.unpaid_installments
        && (then.cause.is_none() || now.cause == then.cause)
        && match (now.score_at_most, then.score_at_most) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(now), Some(then)) => now <= then,
        }
}

fn takes_no_more(now: &Restriction, then: &Restriction) -> bool {
    let percent = match now.kind.as_str() {
        "limit_credit_line" => now.percent >= then.percent,
        "raise_rate" => now.percent.is_some() && now.percent <= then.percent,
        _ => true,
    };
    // What names no percent may be anything; only the same is no more.
    (percent || now.percent == then.percent)
        && now.notice_days >= then.notice_days
        && is_within(&now.blocks, &then.blocks)
        && is_within(&then.except, &now.except)
}
