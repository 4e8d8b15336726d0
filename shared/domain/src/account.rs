//! The account: one credit agreement and every fact known of it.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::customer::AskedBy;
use crate::decision::Decision;
use crate::draw::Draw;
use crate::ids::{AccountId, CustomerId, DrawId, EventId, InstallmentNumber, PaymentId, PolicyId, Revision};
use crate::late_fee::minor;
use crate::money::{Currency, Money};
use crate::policy::{Component, Waterfall};
use crate::recorded::{Notice, PaymentInProcess, RecordedCause, RecordedScore};
use crate::reminder::Intent;
use crate::standing::Standing;
use crate::zone::Zone;

/// The most installments an account may hold: fifty years of months.
pub const MAX_INSTALLMENTS: usize = 600;
/// The most payments an account may hold. At about 100 bytes each they leave room
/// for the rest in an item of 400 KB.
pub const MAX_PAYMENTS: usize = 2_000;
/// The most pauses an account may hold.
pub const MAX_PAUSES: usize = 100;
/// The most waivers of a late fee an account may hold.
pub const MAX_WAIVERS: usize = 200;
/// The most installments one payment may be paid for.
pub const MAX_TARGETS: usize = 100;
/// The most notices that an account keeps: the oldest goes first.
pub const MAX_NOTICES: usize = 50;
/// The most bytes that a reason which the account keeps may have.
pub const MAX_REASON_BYTES: usize = 1_000;
/// How many of its last decisions an account carries.
pub const RECENT_DECISIONS: usize = 3;
/// How many of the last messages that changed it an account knows again, beside those of
/// the last one's instant. An older one is out of order: it is refused, never taken twice.
pub const RECENT_MESSAGES: usize = 8;
/// The most messages of one instant that an account takes.
pub const MAX_MESSAGES: usize = 64;

/// One credit agreement with all its facts and the standing that was decided last.
///
/// The lists are private: they are kept in order and within their bounds by
/// [`Account::open`] and [`Account::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's own id.
    pub account_id: AccountId,
    /// Who owes.
    pub customer_id: CustomerId,
    /// The policy that it is judged by.
    pub policy_id: PolicyId,
    /// What all its amounts are in.
    pub currency: Currency,
    /// Where its days begin.
    pub time_zone: Zone,
    /// When the agreement began.
    pub opened_on: NaiveDate,
    /// A checksum of the contract that opened it, to know that contract again.
    pub(crate) contract: u32,
    /// By due date, then number.
    pub(crate) installments: Vec<Installment>,
    /// In the order in which they became known; the bound is [`MAX_DRAWS`](crate::draw::MAX_DRAWS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) draws: Vec<Draw>,
    /// By the instant at which they were received, then id.
    pub(crate) payments: Vec<Payment>,
    /// By their first day; none overlaps another.
    pub(crate) pauses: Vec<Pause>,
    /// By the instant at which they became known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) waivers: Vec<Waiver>,
    /// Whether the account's enforcement is switched off, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enforcement_off: Option<String>,
    /// Why it fell behind, as recorded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<RecordedCause>,
    /// The score that was handed in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<RecordedScore>,
    /// A payment under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_process: Option<PaymentInProcess>,
    /// The last notice of each stage and policy version; the bound is [`MAX_NOTICES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<Notice>,
    /// What the customer's other accounts ask of it, by account; fewer than
    /// [`MAX_ACCOUNTS_OF_CUSTOMER`](crate::customer::MAX_ACCOUNTS_OF_CUSTOMER).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) asked_by: Vec<AskedBy>,
    /// When its schedule was last replaced, by the local date; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_replaced_on: Option<NaiveDate>,
    /// The last messages that changed it, oldest first: [`RECENT_MESSAGES`], and all of the
    /// last one's instant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) recent_messages: Vec<TakenMessage>,
    /// What was decided last.
    pub standing: Standing,
    /// How often the account has been written.
    pub revision: Revision,
    /// The last decisions, oldest first, at most [`RECENT_DECISIONS`].
    pub(crate) recent_decisions: Vec<Decision>,
    /// Whom the current revision wants contacted.
    pub intents: Vec<Intent>,
}

impl Account {
    /// What is due, by due date, then number.
    #[must_use]
    pub fn installments(&self) -> &[Installment] {
        &self.installments
    }

    /// What came in, in the order in which it came.
    #[must_use]
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The pauses, by their first day.
    #[must_use]
    pub fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// The waivers of late fees, in the order in which they became known.
    #[must_use]
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// Whether stages and restrictions are enforced.
    #[must_use]
    pub const fn is_enforced(&self) -> bool {
        self.enforcement_off.is_none()
    }

    /// Why it fell behind, as recorded last.
    #[must_use]
    pub const fn cause(&self) -> Option<&RecordedCause> {
        self.cause.as_ref()
    }

    /// The score that was handed in last.
    #[must_use]
    pub const fn score(&self) -> Option<&RecordedScore> {
        self.score.as_ref()
    }

    /// A payment that was under way when it was last heard of.
    #[must_use]
    pub const fn in_process(&self) -> Option<&PaymentInProcess> {
        self.in_process.as_ref()
    }

    /// The last notice of each stage and policy version.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The last decisions, oldest first.
    #[must_use]
    pub fn recent_decisions(&self) -> &[Decision] {
        &self.recent_decisions
    }

    /// The decision that the current revision brought, if it brought one.
    #[must_use]
    pub fn decision_of_this_revision(&self) -> Option<&Decision> {
        self.recent_decisions.last().filter(|decision| decision.revision == self.revision)
    }

    /// The payment of that id.
    #[must_use]
    pub fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| &payment.payment_id == id)
    }

    /// The last messages that changed it, oldest first: to know them again.
    #[must_use]
    pub fn recent_messages(&self) -> &[TakenMessage] {
        &self.recent_messages
    }

    pub(crate) fn installment_mut(&mut self, number: InstallmentNumber) -> Option<&mut Installment> {
        self.installments.iter_mut().find(|installment| installment.label == Label::Number(number))
    }

    /// The most that its installments have asked for in all, so that no sum over a part
    /// of them is larger.
    pub(crate) fn asked_at_most(&self) -> Money {
        self.installments.iter().map(Installment::asked_at_most).sum()
    }

    pub(crate) fn remember(&mut self, decision: Decision) {
        if self.recent_decisions.len() >= RECENT_DECISIONS {
            let excess = self.recent_decisions.len() + 1 - RECENT_DECISIONS;
            self.recent_decisions.drain(..excess);
        }
        self.recent_decisions.push(decision);
    }

    pub(crate) fn sort_installments(&mut self) {
        self.installments.sort_by(Installment::by_due_date);
    }
}

/// A message that was taken, to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenMessage {
    /// Its id.
    #[serde(rename = "id")]
    pub event_id: EventId,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// Of what it said.
    #[serde(rename = "crc")]
    pub checksum: u32,
}

/// What an installment is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// By its number in the lender's schedule.
    Number(InstallmentNumber),
    /// The amount of a payment that was taken back and fell due anew. It has no
    /// number, and sorts after the numbered ones of its date.
    TakenBack(PaymentId),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "installment {number}"),
            Self::TakenBack(payment) => write!(f, "payment {payment}, taken back"),
        }
    }
}

/// An amount due on a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installment {
    /// What it is called.
    pub label: Label,
    /// When it is due.
    pub due_on: NaiveDate,
    /// The part that pays back the loan.
    pub principal: Money,
    /// The contract's interest.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub interest: Money,
    /// Charges.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub fee: Money,
    /// By how much adjustments have lowered it; negative when they raised it.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub adjusted: Money,
    /// Left out whole: neither overdue nor outstanding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written_off: bool,
    /// Left over from a schedule that was replaced: it asks for what had been paid of it,
    /// and bears no late fee.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// Since when it is owed, where that was not from the beginning: a new schedule,
    /// or a payment taken back. Money that came before settles what was owed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// The draw whose plan it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw_id: Option<DrawId>,
}

impl Installment {
    /// What it asks for in all, after adjustments.
    #[must_use]
    pub fn asked(&self) -> Money {
        if self.adjusted.is_zero() && self.fee.is_zero() && self.interest.is_zero() {
            return self.principal;
        }
        self.principal + self.interest + self.fee - self.adjusted
    }

    /// What it asks for in all, in minor units.
    pub(crate) fn asked_minor(&self, minor_units: u32) -> i128 {
        let part = |amount: Money| minor(amount, minor_units);
        part(self.principal) + part(self.interest) + part(self.fee) - part(self.adjusted)
    }

    /// The most that it has asked for: before adjustments lowered it, after they raised it.
    pub(crate) fn asked_at_most(&self) -> Money {
        self.asked().max(self.principal + self.interest + self.fee)
    }

    /// What it asks for of fee, interest and principal. What an adjustment or a new schedule
    /// took off came off the components that would be settled last; what an adjustment put on
    /// lies on the last of them.
    /// In minor units.
    pub(crate) fn asked_components(&self, waterfall: &Waterfall, minor_units: u32) -> [i128; 3] {
        let mut asked = [self.fee, self.interest, self.principal].map(|amount| minor(amount, minor_units));
        let mut off = minor(self.adjusted, minor_units);
        for component in waterfall.order().iter().rev() {
            if off == 0 {
                break;
            }
            let Some(index) = component.index() else { continue };
            let part = off.min(asked[index]);
            asked[index] -= part;
            off -= part;
        }
        asked
    }

    /// What is still open of each component, in the order of the waterfall, when `paid` has
    /// been paid and there is no late fee. Of one that may bear a fee the allocation knows it.
    #[must_use]
    pub fn open_components(
        &self,
        paid: Money,
        waterfall: &Waterfall,
        currency: Currency,
    ) -> Vec<(Component, Money)> {
        let minor_units = currency.minor_units();
        let asked = self.asked_components(waterfall, minor_units);
        let mut paid = minor(paid, minor_units);
        let mut open = Vec::with_capacity(asked.len());
        for component in waterfall.order() {
            let Some(index) = component.index() else { continue };
            let part = paid.min(asked[index]);
            paid -= part;
            open.push((*component, Money::of_minor(asked[index] - part, minor_units)));
        }
        open.retain(|(_, amount)| !amount.is_zero());
        open
    }

    /// Its number in the schedule, where it has one.
    #[must_use]
    pub const fn number(&self) -> Option<InstallmentNumber> {
        match &self.label {
            Label::Number(number) => Some(*number),
            Label::TakenBack(_) => None,
        }
    }

    fn by_due_date(&self, other: &Self) -> Ordering {
        (self.due_on, &self.label).cmp(&(other.due_on, &other.label))
    }
}

/// What kind of money came in. All kinds settle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// The borrower pays.
    #[default]
    Repayment,
    /// A merchant gives back the price of what was bought on the line.
    MerchantRefund,
    /// The lender forgives.
    Goodwill,
}

impl PaymentKind {
    /// The kind as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repayment => "repayment",
            Self::MerchantRefund => "merchant_refund",
            Self::Goodwill => "goodwill",
        }
    }

    fn is_repayment(&self) -> bool {
        *self == Self::Repayment
    }
}

/// Money in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Unique within the account.
    pub payment_id: PaymentId,
    /// How much; always more than zero.
    pub amount: Money,
    /// When the payment system learnt of it.
    pub received_at: DateTime<Utc>,
    /// The date that the lender's books give it.
    pub value_date: NaiveDate,
    /// What kind of money it is.
    #[serde(default, skip_serializing_if = "PaymentKind::is_repayment")]
    pub kind: PaymentKind,
    /// The installments it was paid for; empty where the waterfall decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    /// Whether and how it was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Reversal>,
}

impl Payment {
    /// Whether the money still settles something. A payment taken back at its
    /// reversal does: what it settled stays settled, and the debt falls due anew.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.reversed.as_ref().is_none_or(|reversal| reversal.dated == Dated::Reversal)
    }
}

/// A payment undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// When the reversal became known.
    pub reversed_at: DateTime<Utc>,
    /// Which date it takes effect on.
    pub dated: Dated,
}

/// The date on which a reversal takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// As if the payment had never been.
    #[default]
    Original,
    /// What it settled stays settled; the same amount falls due on the day of
    /// the reversal (Fineract's chargeback).
    Reversal,
}

/// A late fee forgiven. What had not accrued by then is not touched, nor what was paid of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// When it became known. It takes effect on the local date, before what is paid later.
    pub at: DateTime<Utc>,
    /// The installment whose fee it is; none: of all, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<InstallmentNumber>,
    /// At most how much; none: all that has accrued by then and is unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Days that do not count as delinquent: `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The first paused day.
    pub from: NaiveDate,
    /// The first day that counts again.
    pub until: NaiveDate,
}
