//! Commands: the facts and requests that change an account.

use chrono::{DateTime, NaiveDate, Utc};

use super::contact_change::ContactChange;
use super::customer_facts::PersonFact;
use crate::account::{Dated, DisputeOutcome, NoticeOf, PaymentKind, PromiseOutcome};
use crate::kernel::{
    AccountId, Currency, CustomerId, DisputeId, DrawId, EventId, InstallmentNumber, Money, PaymentId,
    PolicyId, PromiseId, Zone,
};
use crate::policy::Cause;

/// A command to one account, and when it became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When we learnt of it.
    pub at: DateTime<Utc>,
    /// Whom it concerns.
    pub account_id: AccountId,
    /// What it says.
    pub command: Command,
}

/// An event as the lender's systems send it, under an id of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same each time it is sent.
    pub event_id: EventId,
    /// What it says.
    pub event: Event,
}

/// What can happen to an account. The names are those of the event types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `account_opened`
    AccountOpened(Box<Contract>),
    /// `payment_received`
    PaymentReceived(PaymentReceived),
    /// `payment_reversed`
    PaymentReversed {
        /// The payment that is undone.
        payment_id: PaymentId,
        /// The date on which that takes effect.
        dated: Dated,
    },
    /// `installment_added`
    InstallmentAdded(NewInstallment),
    /// `drawn`
    Drawn(Drawn),
    /// `installment_adjusted`
    InstallmentAdjusted {
        /// Which one.
        number: InstallmentNumber,
        /// Positive: owed less. Negative: owed more.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// `schedule_replaced`
    ScheduleReplaced {
        /// What is due from now on.
        installments: Vec<NewInstallment>,
        /// Why.
        reason: String,
    },
    /// `pause_started`
    PauseStarted {
        /// The first paused day.
        from: NaiveDate,
        /// The first day that counts again.
        until: NaiveDate,
    },
    /// `pause_ended`
    PauseEnded {
        /// The first day that counts again.
        on: NaiveDate,
    },
    /// `enforcement_off`
    EnforcementOff {
        /// Why.
        reason: String,
    },
    /// `enforcement_on`
    EnforcementOn {
        /// Why.
        reason: String,
    },
    /// `written_off`
    WrittenOff {
        /// Which installment; none: all.
        number: Option<InstallmentNumber>,
        /// Why.
        reason: String,
    },
    /// `write_off_undone`
    WriteOffUndone {
        /// Which installment; none: all.
        number: Option<InstallmentNumber>,
        /// Why.
        reason: String,
    },
    /// `cause_recorded`
    CauseRecorded {
        /// Why the account fell behind.
        cause: Cause,
        /// Who says so.
        by: String,
        /// On what grounds.
        reason: String,
        /// The first date on which it does not bind any more; none: it goes on.
        until: Option<NaiveDate>,
    },
    /// `score_recorded`
    ScoreRecorded {
        /// The lender's score; higher is better.
        score: u32,
        /// Who hands it in.
        by: String,
        /// The first date on which it does not bind any more; none: it goes on.
        until: Option<NaiveDate>,
    },
    /// `payment_in_process`: it is under way, such as an auto-debit.
    PaymentInProcess {
        /// The first date on which it is not waited for any more.
        until: NaiveDate,
    },
    /// `payment_process_ended`: it arrived, or it failed.
    PaymentProcessEnded {
        /// Why.
        reason: String,
    },
    /// `notice_sent`
    NoticeSent(NoticeOf),
    /// `fee_waived`
    FeeWaived {
        /// Which installment's late fee; none: all.
        number: Option<InstallmentNumber>,
        /// At most how much; none: all that has accrued by then.
        amount: Option<Money>,
        /// Why.
        reason: String,
    },
    /// `contact_changed`: of the account's customer. The account itself holds no contact points.
    ContactChanged(ContactChange),
    /// `promise_made`
    PromiseMade {
        /// Unique within the account.
        promise_id: PromiseId,
        /// How much.
        amount: Money,
        /// The first date on which it is broken.
        until: NaiveDate,
    },
    /// `promise_ended`: somebody says so. By itself it is kept by the money that comes, and
    /// broken by its date.
    PromiseEnded {
        /// Which one.
        promise_id: PromiseId,
        /// What became of it.
        outcome: PromiseOutcome,
    },
    /// `dispute_opened`
    DisputeOpened {
        /// Unique within the account.
        dispute_id: DisputeId,
        /// What is wrong.
        reason: String,
    },
    /// `dispute_closed`
    DisputeClosed {
        /// Which one.
        dispute_id: DisputeId,
        /// What became of it.
        outcome: DisputeOutcome,
    },
    /// `bureau_reported`: to a credit bureau.
    BureauReported,
    /// A fact about contacting the account's customer, under its own event type. The account
    /// takes of it when to remind of what is coming due, and nothing else.
    OfPerson(PersonFact),
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
            Self::OfPerson(fact) => fact.name(),
        }
    }
}

/// The terms under which an account is opened: a line of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
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
    /// What is due.
    pub installments: Vec<NewInstallment>,
}

/// An installment as the lender states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstallment {
    /// Unique within the account.
    pub number: InstallmentNumber,
    /// When it is due.
    pub due_on: NaiveDate,
    /// The part that pays back the loan.
    pub principal: Money,
    /// The contract's interest.
    pub interest: Money,
    /// Charges.
    pub fee: Money,
    /// The draw whose plan it is part of; none: of none.
    pub draw_id: Option<DrawId>,
}

/// Money taken on a revolving line, with the plan that pays it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Unique within the account.
    pub draw_id: DrawId,
    /// How much; the principal of the installments adds up to it.
    pub amount: Money,
    /// In what; none: the account's currency.
    pub currency: Option<Currency>,
    /// Its plan.
    pub installments: Vec<NewInstallment>,
}

/// Money in, as the payment system states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentReceived {
    /// Unique within the account.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// In what; none: the account's currency.
    pub currency: Option<Currency>,
    /// The date that the lender's books give it; none: the local date on which
    /// it became known.
    pub value_date: Option<NaiveDate>,
    /// What kind of money it is.
    pub kind: PaymentKind,
    /// The installments it was paid for; empty: the waterfall decides.
    pub applies_to: Vec<InstallmentNumber>,
}
