//! The facts that a revision added, by comparison with the revision before.

use std::collections::{HashMap, HashSet};

use duewatch_domain::Account;
use duewatch_domain::account::{DelinquencyPause, Installment, Payment, PaymentKind, Waiver};
use duewatch_domain::kernel::{DrawId, InstallmentNumber, Money, PaymentId};
use serde::Serialize;
use serde_json::Value;

use crate::StoreError;

/// The parts of an account that [`Facts`] show themselves, or that are no facts.
const SHOWN: [&str; 15] = [
    "draws",
    "enforcement_off",
    "installments",
    "intents",
    "last_approval",
    "last_command",
    "pauses",
    "payments",
    "recent_decisions",
    "recent_messages",
    "revision",
    "standing",
    "unapproved_relief",
    "waivers",
    "bound_versions",
];

/// The facts that are new since the revision before, by their ids and with their amounts.
#[derive(Serialize)]
pub(super) struct Facts<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    payments: Vec<PaymentEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reversed: Vec<ReversalEntry<'a>>,
    /// New or changed since the revision before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    installments: Vec<InstallmentNumber>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    installments_gone: Vec<InstallmentNumber>,
    /// The sum that the installments ask for, paid or not, where this revision changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<DueChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waived: Vec<WaiverEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    draws: Vec<&'a DrawId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<DelinquencyPause>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pauses_gone: Vec<DelinquencyPause>,
    /// The new enforcement switch, where this revision changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced: Option<bool>,
    /// The other parts of the account that this revision changed, by their keys in its JSON.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

#[derive(Serialize)]
struct PaymentEntry<'a> {
    payment_id: &'a PaymentId,
    amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct ReversalEntry<'a> {
    payment_id: &'a PaymentId,
    /// None: all that no reversal had taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
}

/// A late fee that was forgiven.
#[derive(Serialize)]
struct WaiverEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<InstallmentNumber>,
    /// None: all that had accrued by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
}

/// The sum of the amounts due of the installments that are not written off.
#[derive(Serialize)]
struct DueChange {
    /// None: the revision opened the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Money>,
    to: Money,
}

/// The payments that are new since the revision before, and those that were reversed since, each with the number
/// of its reversals that were known.
pub(super) struct NewMoney<'a> {
    pub(super) received: Vec<&'a Payment>,
    pub(super) reversed: Vec<(&'a Payment, usize)>,
}

impl<'a> NewMoney<'a> {
    pub(super) fn since(before: Option<&Account>, after: &'a Account) -> Self {
        // By payment id: both lists may be long.
        let known: HashMap<&PaymentId, usize> = before
            .map_or(&[][..], Account::payments)
            .iter()
            .map(|payment| (&payment.payment_id, payment.reversals.len()))
            .collect();
        let is_new = |one: &&Payment| !known.contains_key(&one.payment_id);
        let reversed = |payment: &'a Payment| {
            let before = known.get(&payment.payment_id).copied().unwrap_or(0);
            (payment.reversals.len() > before).then_some((payment, before))
        };
        Self {
            received: after.payments().iter().filter(is_new).collect(),
            reversed: after.payments().iter().filter_map(reversed).collect(),
        }
    }

    fn received_entries(&self) -> Vec<PaymentEntry<'a>> {
        let entry = |payment: &&'a Payment| PaymentEntry {
            payment_id: &payment.payment_id,
            amount: payment.amount,
            kind: (payment.kind != PaymentKind::Repayment).then(|| payment.kind.as_str()),
        };
        self.received.iter().map(entry).collect()
    }

    fn reversed_entries(&self) -> Vec<ReversalEntry<'a>> {
        let of = |(payment, known): &(&'a Payment, usize)| {
            let payment: &'a Payment = payment;
            let new = payment.reversals.iter().skip(*known);
            new.map(|reversal| ReversalEntry { payment_id: &payment.payment_id, amount: reversal.amount })
        };
        self.reversed.iter().flat_map(of).collect()
    }
}

impl<'a> Facts<'a> {
    /// # Errors
    /// When an account cannot be written as JSON, which would be a bug.
    pub(super) fn new(before: Option<&Account>, after: &'a Account) -> Result<Self, StoreError> {
        let installments = before.map_or(&[][..], Account::installments);
        let pauses = before.map_or(&[][..], Account::pauses);
        let money = NewMoney::since(before, after);
        let owed: HashMap<_, _> = installments.iter().map(|one| (&one.label, one)).collect();
        let numbers: HashSet<_> = after.installments().iter().filter_map(Installment::number).collect();
        let drawn: HashSet<&DrawId> =
            before.map_or(&[][..], Account::draws).iter().map(|draw| &draw.draw_id).collect();
        let is_other = |one: &&Installment| owed.get(&one.label) != Some(one);
        let was_enforced = before.is_none_or(Account::is_enforced);
        Ok(Self {
            payments: money.received_entries(),
            reversed: money.reversed_entries(),
            installments: after
                .installments()
                .iter()
                .filter(is_other)
                .filter_map(Installment::number)
                .collect(),
            installments_gone: installments
                .iter()
                .filter_map(Installment::number)
                .filter(|number| !numbers.contains(number))
                .collect(),
            due: due_change(before, after),
            waived: waived(before, after),
            draws: after.draws().iter().map(|draw| &draw.draw_id).filter(|id| !drawn.contains(id)).collect(),
            pauses: after.pauses().iter().filter(|one| !pauses.contains(one)).copied().collect(),
            pauses_gone: pauses.iter().filter(|one| !after.pauses().contains(one)).copied().collect(),
            enforced: (was_enforced != after.is_enforced()).then_some(after.is_enforced()),
            changed: changed(before, after)?,
        })
    }
}

/// The sum that the installments ask for.
fn due(account: &Account) -> Money {
    account.installments().iter().filter(|one| !one.written_off).map(Installment::amount_due).sum()
}

fn due_change(before: Option<&Account>, after: &Account) -> Option<DueChange> {
    let (from, to) = (before.map(due), due(after));
    (from != Some(to)).then_some(DueChange { from, to })
}

fn waived(before: Option<&Account>, after: &Account) -> Vec<WaiverEntry> {
    let known = before.map_or(&[][..], Account::waivers);
    let is_new = |one: &&Waiver| !known.contains(one);
    let entry = |one: &Waiver| WaiverEntry { number: one.number, amount: one.amount };
    after.waivers().iter().filter(is_new).map(entry).collect()
}

/// The keys of the other parts that differ. An opening has none: all of the account is new.
fn changed(before: Option<&Account>, after: &Account) -> Result<Vec<String>, StoreError> {
    let Some(before) = before else { return Ok(Vec::new()) };
    let parts = |account: &Account| match serde_json::to_value(account) {
        Ok(Value::Object(parts)) => Ok(parts),
        Ok(_) => Ok(serde_json::Map::new()),
        Err(error) => Err(StoreError::codec("history", account.account_id.as_str(), error)),
    };
    let (before, after) = (parts(before)?, parts(after)?);
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs =
        |key: &&String| !SHOWN.contains(&key.as_str()) && before.get(key.as_str()) != after.get(key.as_str());
    Ok(keys.into_iter().filter(differs).cloned().collect())
}
