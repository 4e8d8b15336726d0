//! Why a command is refused. A refused command leaves the account as it was.

use chrono::{DateTime, NaiveDate, Utc};

use super::dates::{FIRST_DATE, LAST_DATE};
use super::ids::{AccountId, DrawId, EventId, InstallmentNumber, PaymentId};
use super::limits::{
    MAX_ACCOUNTS_OF_CUSTOMER, MAX_DRAWS, MAX_INSTALLMENTS, MAX_MESSAGES, MAX_NOTICES, MAX_PAUSES,
    MAX_PAYMENTS, MAX_REASON_BYTES, MAX_TARGETS, MAX_WAIVERS,
};
use super::money::{Currency, MAX_INTEGER_DIGITS, Money, TooManyDecimals};

/// A command that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An amount that must be more than zero is not.
    #[error("{field}: {amount} is not more than zero")]
    NotPositive {
        /// The field that holds it.
        field: &'static str,
        /// Its value.
        amount: Money,
    },
    /// An amount that must not be negative is.
    #[error("{field}: {amount} is less than zero")]
    Negative {
        /// The field that holds it.
        field: &'static str,
        /// Its value.
        amount: Money,
    },
    /// A name that must be given is empty.
    #[error("{field}: it is empty")]
    Unnamed {
        /// The field.
        field: &'static str,
    },
    /// A field that does not keep within its bounds.
    #[error("{field}: {problem}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A payment under way that would not be waited for any more.
    #[error("until: {until} is not after {today}, so nothing is waited for")]
    ProcessOver {
        /// Until when it was to be waited for.
        until: NaiveDate,
        /// The local date on which it became known.
        today: NaiveDate,
    },
    /// An account with more notices than it keeps.
    #[error("notices: an account keeps at most {MAX_NOTICES}")]
    TooManyNotices,
    /// An amount is finer than its currency.
    #[error("{field}: {problem}")]
    TooManyDecimals {
        /// The field that holds it.
        field: &'static str,
        /// The amount and the currency.
        problem: TooManyDecimals,
    },
    /// Money in a currency that is not the account's.
    #[error("currency: the {what} is in {given}, the account in {account}")]
    OtherCurrency {
        /// What the money is.
        what: &'static str,
        /// Its currency.
        given: Currency,
        /// The account's.
        account: Currency,
    },
    /// A payment id that came before, with other money.
    #[error(
        "payment_id: {payment_id} was received before with another {field} ({before}, now {now}); \
         a different payment needs an id of its own"
    )]
    PaymentDiffers {
        /// The id.
        payment_id: PaymentId,
        /// What differs: `amount`, `currency` or `kind`.
        field: &'static str,
        /// The value that stands.
        before: String,
        /// The value that was refused.
        now: String,
    },
    /// A reversal of a payment that never came.
    #[error("payment_id: {0} is not known, so it cannot be reversed")]
    UnknownPayment(PaymentId),
    /// An installment that is not in the schedule.
    #[error("number: the account has no installment {0}")]
    UnknownInstallment(InstallmentNumber),
    /// An installment number that is taken.
    #[error("number: installment {0} exists already")]
    InstallmentExists(InstallmentNumber),
    /// A draw whose plan pays back something else.
    #[error("installments: their principal adds up to {principal}, the draw is of {amount}")]
    DrawDoesNotAddUp {
        /// What was drawn.
        amount: Money,
        /// The principal of its plan.
        principal: Money,
    },
    /// A draw id that came before, with something else.
    #[error(
        "draw_id: {draw_id} was drawn before with another {what}; a different draw needs an id of its own"
    )]
    DrawDiffers {
        /// The id.
        draw_id: DrawId,
        /// What differs: `amount` or `plan`.
        what: &'static str,
    },
    /// A draw's plan with an installment that names another draw.
    #[error("installments: draw_id: installment {number} names another draw")]
    InstallmentOfAnotherDraw {
        /// Which installment.
        number: InstallmentNumber,
    },
    /// An installment of a draw that never came.
    #[error("draw_id: the account has no draw {0}")]
    UnknownDraw(DrawId),
    /// More draws than an account may hold.
    #[error("draw_id: an account holds at most {MAX_DRAWS} draws")]
    TooManyDraws,
    /// An adjustment that would leave less than nothing.
    #[error("amount: {amount} is beyond what installment {number} asks for, {asked}")]
    AdjustedBeyond {
        /// Which one.
        number: InstallmentNumber,
        /// The adjustment.
        amount: Money,
        /// What it asks for.
        asked: Money,
    },
    /// More than an amount can say.
    #[error(
        "{field}: the account would ask for {total} in all; \
         an amount has at most {MAX_INTEGER_DIGITS} digits before the decimal point"
    )]
    TotalTooLarge {
        /// The field that holds what is too much.
        field: &'static str,
        /// What all installments would ask for.
        total: Money,
    },
    /// A reason that would fill the account's item.
    #[error("reason: it has {bytes} bytes, an account keeps at most {MAX_REASON_BYTES}")]
    ReasonTooLong {
        /// How many it has.
        bytes: usize,
    },
    /// A pause of no days.
    #[error("until: {until} is not later than {from}, so the pause holds no day")]
    EmptyPause {
        /// Its first day.
        from: NaiveDate,
        /// The first day after it.
        until: NaiveDate,
    },
    /// Two pauses over the same days.
    #[error(
        "from: the pause from {from} until {until} overlaps the one from {other_from} until {other_until}"
    )]
    OverlappingPause {
        /// The new pause's first day.
        from: NaiveDate,
        /// The first day after it.
        until: NaiveDate,
        /// The standing pause's first day.
        other_from: NaiveDate,
        /// The first day after that.
        other_until: NaiveDate,
    },
    /// An end to a pause that does not run.
    #[error("on: no pause holds on {0}, so none can end")]
    NoPause(NaiveDate),
    /// An account that is opened twice, differently.
    #[error("account_id: {0} is open already, under other terms")]
    AccountExists(AccountId),
    /// A command to an account that nobody opened.
    #[error("account_id: {0} is not known")]
    UnknownAccount(AccountId),
    /// A date out of bounds.
    #[error("{field}: {date} is not between {FIRST_DATE} and {LAST_DATE}")]
    DateOutOfRange {
        /// The field that holds it.
        field: &'static str,
        /// Its value.
        date: NaiveDate,
    },
    /// More installments than an account may hold.
    #[error("installments: an account holds at most {MAX_INSTALLMENTS}")]
    TooManyInstallments,
    /// More payments than an account may hold.
    #[error("payment_id: an account holds at most {MAX_PAYMENTS} payments")]
    TooManyPayments,
    /// More pauses than an account may hold.
    #[error("from: an account holds at most {MAX_PAUSES} pauses")]
    TooManyPauses,
    /// More waivers than an account may hold.
    #[error("number: an account holds at most {MAX_WAIVERS} waivers of a late fee")]
    TooManyWaivers,
    /// More accounts of one customer than are judged together.
    #[error("customer_id: at most {MAX_ACCOUNTS_OF_CUSTOMER} accounts of a customer are judged together")]
    TooManyAccounts,
    /// More messages of one instant than an account takes.
    #[error("at: an account takes at most {MAX_MESSAGES} messages of one instant")]
    TooManyMessages,
    /// A message after which a later one was taken.
    #[error(
        "at: {at} is before {last}, up to when the account's messages were taken; \
         it is out of order, or was taken long ago"
    )]
    OutOfOrder {
        /// When it became known.
        at: DateTime<Utc>,
        /// When the one became known that stands in its way.
        last: DateTime<Utc>,
    },
    /// A message id that came before, with something else.
    #[error("event_id: {0} came before and said something else; a different message needs an id of its own")]
    MessageDiffers(EventId),
    /// A contact point that is none of its channel. The value is not repeated.
    #[error("{field}: {problem}")]
    NoContactPoint {
        /// The field that holds it.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More targets than a payment may have.
    #[error("applies_to: a payment is for at most {MAX_TARGETS} installments")]
    TooManyTargets,
}
