//! Refusals: the reasons for which an account refuses a command. A refused command leaves the account
//! unchanged.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::dates::{FIRST_DATE, LAST_DATE};
use super::ids::{AccountId, DrawId, EventId, InstallmentNumber, PaymentId};
use super::limits::{
    MAX_ACCOUNTS_OF_CUSTOMER, MAX_AHEAD, MAX_DRAWS, MAX_INSTALLMENTS, MAX_MESSAGES, MAX_NOTICES, MAX_PAUSES,
    MAX_PAYMENTS, MAX_REASON_BYTES, MAX_REVERSALS_OF_PAYMENT, MAX_SOURCES, MAX_TARGETS, MAX_WAIVERS,
};
use super::money::{Currency, MAX_INTEGER_DIGITS, Money, TooManyDecimals};

/// The reason why a command is refused. Its text names the field first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{field}: {amount} is not more than zero")]
    NotPositive {
        /// The field's name in the formats.
        field: &'static str,
        amount: Money,
    },
    #[error("{field}: {amount} is less than zero")]
    Negative {
        /// The field's name in the formats.
        field: &'static str,
        amount: Money,
    },
    #[error("{field}: it is empty")]
    Unnamed {
        /// The field's name in the formats.
        field: &'static str,
    },
    #[error("{field}: {problem}")]
    Unfit {
        /// The field's name in the formats.
        field: &'static str,
        problem: Cow<'static, str>,
    },
    /// The fault of an installment in a list.
    #[error("installments[{place}].{refusal}")]
    OfInstallment {
        /// Counted from 0.
        place: usize,
        refusal: Box<Self>,
    },
    /// A payment in process whose wait would be over when it becomes known.
    #[error("until: {until} is not after {today}, so nothing is waited for")]
    ProcessOver {
        until: NaiveDate,
        /// The local date on which it became known.
        today: NaiveDate,
    },
    #[error("notices: an account keeps at most {MAX_NOTICES}")]
    TooManyNotices,
    #[error("{field}: {problem}")]
    TooManyDecimals {
        field: &'static str,
        /// The amount and its currency.
        problem: TooManyDecimals,
    },
    #[error("currency: the {what} is in {given}, the account in {account}")]
    OtherCurrency {
        /// `payment` or `draw`.
        what: &'static str,
        given: Currency,
        account: Currency,
    },
    #[error(
        "payment_id: {payment_id} was received before with another {field} ({before}, now {now}); \
         a different payment needs an id of its own"
    )]
    PaymentDiffers {
        payment_id: PaymentId,
        /// `amount`, `currency` or `kind`.
        field: &'static str,
        /// The recorded value.
        before: String,
        now: String,
    },
    #[error("amount: {amount} is more than the {left} of payment {payment_id} that no reversal took back")]
    ReversedBeyond { payment_id: PaymentId, amount: Money, left: Money },
    #[error("payment_id: a payment is reversed in at most {MAX_REVERSALS_OF_PAYMENT} parts")]
    TooManyReversals,
    #[error("amount: {amount} is more than the credit of {credit}")]
    PaidOutBeyond { amount: Money, credit: Money },
    #[error("payment_id: {0} is not known, so it cannot be reversed")]
    UnknownPayment(PaymentId),
    #[error("number: the account has no installment {0}")]
    UnknownInstallment(InstallmentNumber),
    #[error("number: installment {0} exists already")]
    InstallmentExists(InstallmentNumber),
    #[error("installments: their principal adds up to {principal}, the draw is of {amount}")]
    DrawDoesNotAddUp {
        amount: Money,
        /// The sum over the draw's plan.
        principal: Money,
    },
    #[error(
        "draw_id: {draw_id} was drawn before with another {what}; a different draw needs an id of its own"
    )]
    DrawDiffers {
        draw_id: DrawId,
        /// `amount` or `plan`.
        what: &'static str,
    },
    #[error("installments: draw_id: installment {number} names another draw")]
    InstallmentOfAnotherDraw {
        /// The installment's number in the plan.
        number: InstallmentNumber,
    },
    #[error("draw_id: the account has no draw {0}")]
    UnknownDraw(DrawId),
    #[error("draw_id: an account holds at most {MAX_DRAWS} draws")]
    TooManyDraws,
    /// An adjustment that would leave less than zero due.
    #[error("amount: {amount} exceeds the amount due of installment {number}, {amount_due}")]
    AdjustedBeyond {
        number: InstallmentNumber,
        amount: Money,
        /// The amount due before the adjustment.
        amount_due: Money,
    },
    #[error(
        "{field}: the account would ask for {total} in all; \
         an amount has at most {MAX_INTEGER_DIGITS} digits before the decimal point"
    )]
    TotalTooLarge {
        /// The field whose value makes the total too large.
        field: &'static str,
        /// The amounts due of all installments together.
        total: Money,
    },
    #[error("reason: it has {bytes} bytes, an account keeps at most {MAX_REASON_BYTES}")]
    ReasonTooLong {
        /// The length of the refused reason.
        bytes: usize,
    },
    #[error("until: {until} is not later than {from}, so the pause holds no day")]
    EmptyPause {
        from: NaiveDate,
        /// The first day after the pause.
        until: NaiveDate,
    },
    #[error(
        "from: the pause from {from} until {until} overlaps the one from {other_from} until {other_until}"
    )]
    OverlappingPause {
        from: NaiveDate,
        /// The first day after the new pause.
        until: NaiveDate,
        other_from: NaiveDate,
        /// The first day after the recorded pause.
        other_until: NaiveDate,
    },
    #[error("on: no pause holds on {0}, so none can end")]
    NoPause(NaiveDate),
    #[error("account_id: {0} is open already, under other terms")]
    AccountExists(AccountId),
    #[error("account_id: {0} is not known")]
    UnknownAccount(AccountId),
    #[error("{field}: {date} is not between {FIRST_DATE} and {LAST_DATE}")]
    DateOutOfRange {
        /// The field's name in the formats.
        field: &'static str,
        date: NaiveDate,
    },
    /// An instant that has not come yet, by more than a sender's clock may be ahead.
    #[error("{field}: {at} is later than now, {now}")]
    AheadOfClock {
        /// The field's name in the formats.
        field: &'static str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    },
    #[error("installments: an account holds at most {MAX_INSTALLMENTS}")]
    TooManyInstallments,
    #[error("payment_id: an account holds at most {MAX_PAYMENTS} payments")]
    TooManyPayments,
    #[error("from: an account holds at most {MAX_PAUSES} pauses")]
    TooManyPauses,
    #[error("number: an account holds at most {MAX_WAIVERS} waivers of a late fee")]
    TooManyWaivers,
    #[error("customer_id: at most {MAX_ACCOUNTS_OF_CUSTOMER} accounts of a customer are assessed together")]
    TooManyAccounts,
    #[error("at: an account takes at most {MAX_MESSAGES} messages of one instant")]
    TooManyMessages,
    /// A source beyond those of which an order is kept.
    #[error("source: messages of at most {MAX_SOURCES} sources are taken")]
    TooManySources,
    #[error(
        "at: {at} is before {last}, up to when the account's messages were taken; \
         it is out of order, or was taken long ago"
    )]
    OutOfOrder {
        /// When the refused message became known.
        at: DateTime<Utc>,
        /// When the last message of the same source became known that was taken.
        last: DateTime<Utc>,
    },
    #[error("event_id: {0} came before with other content; a different message needs an id of its own")]
    MessageDiffers(EventId),
    /// Relief beyond what one person alone may grant: the command waits for another person's approval.
    #[error(
        "type: with it, {sum} would be forgiven or deferred by one person alone within {within_days} days, above \
         {limit}; another person must approve it"
    )]
    NeedsApproval { sum: String, limit: String, within_days: u32 },
    /// A contact point that does not fit its channel. The text leaves the value out.
    #[error("{field}: {problem}")]
    NoContactPoint {
        /// The field's name in the formats.
        field: &'static str,
        problem: &'static str,
    },
    #[error("applies_to: a payment is for at most {MAX_TARGETS} installments")]
    TooManyTargets,
}

impl Refusal {
    /// Refuses an instant that is later than `now` by more than [`MAX_AHEAD`](super::limits::MAX_AHEAD).
    ///
    /// # Errors
    /// [`Refusal::AheadOfClock`], which names the field.
    pub fn unless_ahead(field: &'static str, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Self> {
        if at.signed_duration_since(now) > MAX_AHEAD {
            return Err(Self::AheadOfClock { field, at, now });
        }
        Ok(())
    }

    pub(crate) fn unfit(field: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Unfit { field, problem: problem.into() }
    }

    /// The fault of an installment that is stated alone.
    pub(crate) fn of_the_only_installment(self) -> Self {
        match self {
            Self::OfInstallment { refusal, .. } => *refusal,
            other => other,
        }
    }
}
