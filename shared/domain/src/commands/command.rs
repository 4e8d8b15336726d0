//! Commands: the facts and requests that change an account.

use chrono::{DateTime, NaiveDate, Utc};

use super::contact_change::ContactChange;
use super::customer_facts::ContactFact;
use crate::account::{Dated, DisputeOutcome, NoticeOf, PaymentKind, PromiseOutcome};
use crate::kernel::{
    AccountId, Currency, CustomerId, DisputeId, DrawId, EventId, InstallmentNumber, Money, PaymentId,
    PolicyId, PromiseId, Zone,
};
use crate::policy::HardshipCause;

/// A command to one account, and the instant at which the lender learnt of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: DateTime<Utc>,
    pub account_id: AccountId,
    pub command: Command,
}

/// An event as the lender's systems send it, under an id of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The same each time the message is sent.
    pub event_id: EventId,
    pub event: Event,
}

/// A fact or a request that changes an account. The variants bear the names of the event types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    AccountOpened(Box<Contract>),
    PaymentReceived(PaymentReceived),
    PaymentReversed {
        payment_id: PaymentId,
        /// The date on which the reversal takes effect.
        dated: Dated,
    },
    InstallmentAdded(NewInstallment),
    Drawn(Drawn),
    InstallmentAdjusted {
        number: InstallmentNumber,
        /// Positive: lowers the amount due. Negative: raises it.
        amount: Money,
        reason: String,
    },
    ScheduleReplaced {
        /// The installments due from now on.
        installments: Vec<NewInstallment>,
        reason: String,
    },
    PauseStarted {
        /// The first paused day.
        from: NaiveDate,
        /// The first day that counts again.
        until: NaiveDate,
    },
    PauseEnded {
        /// The first day that counts again.
        on: NaiveDate,
    },
    EnforcementOff {
        reason: String,
    },
    EnforcementOn {
        reason: String,
    },
    WrittenOff {
        /// None: all installments.
        number: Option<InstallmentNumber>,
        reason: String,
    },
    WriteOffUndone {
        /// None: all installments.
        number: Option<InstallmentNumber>,
        reason: String,
    },
    CauseRecorded {
        cause: HardshipCause,
        by: String,
        reason: String,
        /// The first date on which the cause no longer binds; none: no end.
        until: Option<NaiveDate>,
    },
    ScoreRecorded {
        /// Higher is better.
        score: u32,
        by: String,
        /// The first date on which the score no longer binds; none: no end.
        until: Option<NaiveDate>,
    },
    /// A payment is under way, such as an auto-debit.
    PaymentInProcess {
        /// The first date on which the account no longer waits for it.
        until: NaiveDate,
    },
    /// The payment arrived or failed.
    PaymentProcessEnded {
        reason: String,
    },
    NoticeSent(NoticeOf),
    FeeWaived {
        /// None: the late fees of all installments.
        number: Option<InstallmentNumber>,
        /// The most to waive; none: all that has accrued by then.
        amount: Option<Money>,
        reason: String,
    },
    /// Concerns the account's customer. The account itself holds no contact points.
    ContactChanged(ContactChange),
    PromiseMade {
        /// Unique within the account.
        promise_id: PromiseId,
        amount: Money,
        /// The first date on which the promise is broken.
        until: NaiveDate,
    },
    /// A report that the promise has ended. Without a report, payments keep it and its date breaks it.
    PromiseEnded {
        promise_id: PromiseId,
        outcome: PromiseOutcome,
    },
    DisputeOpened {
        /// Unique within the account.
        dispute_id: DisputeId,
        reason: String,
    },
    DisputeClosed {
        dispute_id: DisputeId,
        outcome: DisputeOutcome,
    },
    /// The account was reported to a credit bureau.
    BureauReported,
    /// A fact about contacting the account's customer, under its own event type. The account takes only its
    /// reminder days and time.
    Contact(ContactFact),
}

impl Command {
    /// The event type as the formats write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AccountOpened(_) => "account_opened",
            Self::PaymentReceived(_) => "payment_received",
            Self::PaymentReversed { .. } => "payment_reversed",
            Self::InstallmentAdded(_) => "installment_added",
            Self::Drawn(_) => "drawn",
            Self::InstallmentAdjusted { .. } => "installment_adjusted",
            Self::ScheduleReplaced { .. } => "schedule_replaced",
            Self::PauseStarted { .. } => "pause_started",
            Self::PauseEnded { .. } => "pause_ended",
            Self::EnforcementOff { .. } => "enforcement_off",
            Self::EnforcementOn { .. } => "enforcement_on",
            Self::WrittenOff { .. } => "written_off",
            Self::WriteOffUndone { .. } => "write_off_undone",
            Self::CauseRecorded { .. } => "cause_recorded",
            Self::ScoreRecorded { .. } => "score_recorded",
            Self::PaymentInProcess { .. } => "payment_in_process",
            Self::PaymentProcessEnded { .. } => "payment_process_ended",
            Self::NoticeSent(_) => "notice_sent",
            Self::FeeWaived { .. } => "fee_waived",
            Self::ContactChanged(_) => "contact_changed",
            Self::PromiseMade { .. } => "promise_made",
            Self::PromiseEnded { .. } => "promise_ended",
            Self::DisputeOpened { .. } => "dispute_opened",
            Self::DisputeClosed { .. } => "dispute_closed",
            Self::BureauReported => "bureau_reported",
            Self::Contact(fact) => fact.name(),
        }
    }
}

/// The terms under which an account is opened: a line of the portfolio file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    pub account_id: AccountId,
    pub customer_id: CustomerId,
    pub policy_id: PolicyId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The zone in which the account's days begin.
    pub time_zone: Zone,
    /// The date on which the agreement began.
    pub opened_on: NaiveDate,
    pub installments: Vec<NewInstallment>,
}

/// An installment as the lender states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstallment {
    /// Unique within the account.
    pub number: InstallmentNumber,
    pub due_on: NaiveDate,
    pub principal: Money,
    /// Contractual interest.
    pub interest: Money,
    pub fee: Money,
    /// The draw that the installment repays; none: no draw.
    pub draw_id: Option<DrawId>,
}

/// A draw on a revolving line, with the installments that repay it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Unique within the account.
    pub draw_id: DrawId,
    /// Equals the principal of the installments.
    pub amount: Money,
    /// None: the account's currency.
    pub currency: Option<Currency>,
    pub installments: Vec<NewInstallment>,
}

/// A payment as the payment system states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentReceived {
    /// Unique within the account.
    pub payment_id: PaymentId,
    pub amount: Money,
    /// None: the account's currency.
    pub currency: Option<Currency>,
    /// The date in the lender's ledger; none: the local date on which the payment became known.
    pub value_date: Option<NaiveDate>,
    pub kind: PaymentKind,
    /// The installments that the payment is for; empty: the waterfall decides.
    pub applies_to: Vec<InstallmentNumber>,
}
