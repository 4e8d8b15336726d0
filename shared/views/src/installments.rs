//! The plan: each installment with its parts and its state.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::Installment;
use duewatch_domain::kernel::{DrawId, InstallmentNumber, Money, past_due_from};
use duewatch_domain::ledger::{Allocation, OpenInstallment};
use duewatch_domain::policy::Component;
use duewatch_domain::{Account, Policy};
use serde::Serialize;

use crate::account::amount;

/// The state of an installment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallmentState {
    /// Nothing of it is open.
    Paid,
    /// Its due date has not passed.
    Upcoming,
    /// Its due date has passed, and an amount or a late fee of it is open.
    PastDue,
    /// Left out of what is owed.
    WrittenOff,
    /// A new schedule took its place.
    Replaced,
}

/// An amount of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub component: Component,
    pub amount: String,
}

/// An installment of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstallmentView {
    /// Its name in a sentence.
    pub label: String,
    /// The number in the lender's schedule; none: a chargeback, or late fees that were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<InstallmentNumber>,
    /// The due date that days are counted from, after any move to a working day.
    pub due_on: NaiveDate,
    pub state: InstallmentState,
    /// The amount due in all components after adjustments, without late fees.
    pub amount_due: String,
    /// The amount paid, on its late fees too.
    pub paid: String,
    /// The open amount with its late fee.
    pub open: String,
    /// The open amount by component, in the order in which a payment settles them. The late fee is the penalty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_parts: Vec<Part>,
    /// Since when a hold leaves it out of stages and reminders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_since: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_id: Option<DrawId>,
}

/// The open amount of the installments that are late by a range of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BucketView {
    pub name: String,
    pub installments: u32,
    pub amount: String,
}

/// The plan on a day, by due date, then number.
pub(crate) fn installments(
    account: &Account,
    policy: &Policy,
    allocation: &Allocation,
    day: NaiveDate,
) -> Vec<InstallmentView> {
    let open = allocation.shown_installments(account.currency);
    let views = account.installments().iter().enumerate().map(|(place, installment)| {
        let open = open.iter().find(|open| open.place == place);
        let paid = allocation.paid.get(place).copied().unwrap_or_else(|| account.currency.zero());
        InstallmentView::new(account, policy, allocation, day, (installment, open, paid))
    });
    views.collect()
}

impl InstallmentView {
    fn new(
        account: &Account,
        policy: &Policy,
        allocation: &Allocation,
        day: NaiveDate,
        (installment, open, paid): (&Installment, Option<&OpenInstallment>, Money),
    ) -> Self {
        let due_on = open.map_or(installment.due_on, |open| open.due_on);
        let parts = open.map_or_else(Vec::new, |open| allocation.open_components(open, day, account, policy));
        let sum = parts.iter().fold(account.currency.zero(), |sum, (_, part)| sum + *part);
        let state = if installment.written_off {
            InstallmentState::WrittenOff
        } else if installment.replaced {
            InstallmentState::Replaced
        } else if !sum.is_positive() {
            InstallmentState::Paid
        } else if past_due_from(policy.day_count, due_on) <= day {
            InstallmentState::PastDue
        } else {
            InstallmentState::Upcoming
        };
        let parts =
            parts.into_iter().map(|(component, part)| Part { component, amount: amount(account, part) });
        Self {
            label: installment.label.to_string(),
            number: installment.label.number(),
            due_on,
            state,
            amount_due: amount(account, installment.amount_due()),
            paid: amount(account, paid),
            open: amount(account, sum),
            open_parts: parts.collect(),
            held_since: installment.hold.as_ref().map(|hold| hold.since),
            draw_id: installment.draw_id.clone(),
        }
    }
}

/// The buckets that the policy asks for, on a day.
pub(crate) fn buckets(
    account: &Account,
    policy: &Policy,
    allocation: &Allocation,
    day: NaiveDate,
) -> Vec<BucketView> {
    let buckets = allocation.buckets_on(day, account, policy).into_iter();
    let views = buckets.map(|bucket| BucketView {
        name: bucket.name.to_string(),
        installments: bucket.installments,
        amount: amount(account, bucket.amount),
    });
    views.collect()
}
