//! The comparison of two policy versions: whether the new one is provably no stricter.

use std::borrow::Cow;

use super::Policy;
use super::contact_rules::ContactRules;
use super::customer_rule::CustomerRule;
use super::restriction::{Restriction, RestrictionKind};
use super::stage::{Stage, StageName};
use super::tolerances::FirstLapseTolerance;

impl Policy {
    /// Whether this version provably never treats an account worse than `before`: each stage comes no earlier
    /// and takes away no more, and no tolerance or wait is shorter. A version counts as stricter unless the
    /// comparison proves otherwise. Reminders count for nothing. Contact rules must allow no contact that
    /// `before` did not.
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
            && self.cases.is_no_stricter_than(&before.cases)
            && self.most_held_days().unwrap_or(u32::MAX) >= before.most_held_days().unwrap_or(u32::MAX)
            && self.money_hold_days() >= before.money_hold_days()
            && contact(self).is_no_stricter_than(&contact(before))
            && is_as_patient(self.first_lapse_tolerance.as_ref(), before.first_lapse_tolerance.as_ref())
            && is_within(&before.operations.never_blocked, &self.operations.never_blocked)
            && self.stages.len() == before.stages.len()
            && self.stages.iter().zip(&before.stages).all(|(now, then)| is_no_stricter(now, then))
            && self.imposes_no_more(self.customer.as_ref(), before.customer.as_ref())
    }

    /// The customer's other accounts are restricted no earlier, and by no more.
    fn imposes_no_more(&self, now: Option<&CustomerRule>, then: Option<&CustomerRule>) -> bool {
        let Some(now) = now else { return true };
        let Some(then) = then else { return false };
        let stage_index = |name: &StageName| self.stages.iter().position(|stage| stage.name == *name);
        stage_index(&now.stage) >= stage_index(&then.stage)
            && take_no_more(&now.restrictions, &then.restrictions)
    }
}

impl Restriction {
    /// Whether an account that bears `known` loses nothing more by this restriction.
    pub(crate) fn adds_nothing_to(&self, known: &Self) -> bool {
        if self.kind == known.kind { self == known || takes_no_more(self, known) } else { known.covers(self) }
    }
}

fn contact(policy: &Policy) -> Cow<'_, ContactRules> {
    policy.contact.as_ref().map_or_else(|| Cow::Owned(ContactRules::default()), Cow::Borrowed)
}

fn is_as_patient(now: Option<&FirstLapseTolerance>, then: Option<&FirstLapseTolerance>) -> bool {
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
        && now.when.comes_no_earlier_than(&then.when)
        && take_no_more(&now.restrictions, &then.restrictions)
        && now.late_fee.is_none_or(|fee| then.late_fee.is_some_and(|before| fee <= before))
}

fn take_no_more(now: &[Restriction], then: &[Restriction]) -> bool {
    now.iter().all(|one| then.iter().any(|other| one.kind == other.kind && takes_no_more(one, other)))
}

fn takes_no_more(now: &Restriction, then: &Restriction) -> bool {
    let percent = match now.kind {
        RestrictionKind::LimitCreditLine => now.percent >= then.percent,
        RestrictionKind::RaiseRate => now.percent.is_some() && now.percent <= then.percent,
        RestrictionKind::FreezeDrawdown | RestrictionKind::SuspendAccount | RestrictionKind::Custom(_) => {
            true
        }
    };
    // A restriction without a percent may mean any; only the same value is no more.
    (percent || now.percent == then.percent)
        && now.notice_days >= then.notice_days
        && is_within(&now.blocks, &then.blocks)
        && is_within(&then.except, &now.except)
}
