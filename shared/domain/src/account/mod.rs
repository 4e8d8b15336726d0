//! The account: one credit agreement, every fact known of it, and its last status.
//!
//! Commands add facts, an assessment adds the status; this layer only holds them, in order and within
//! their bounds.

mod applied_message;
mod approval;
mod bound_version;
mod classification;
mod contact_hold;
mod contact_request;
mod cross_restriction;
mod decision;
mod delinquency;
mod dispute;
mod draw;
mod figures;
mod hardship;
mod hold_use;
mod holding_case;
mod installment;
mod installment_hold;
mod interest_terms;
mod last_command;
mod new_schedule;
mod notice;
mod origin;
mod pause;
mod payment;
mod payment_in_process;
mod promise;
mod reason;
mod reminder_preference;
mod score;
mod status;
mod waiver;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    AccountId, Currency, CustomerId, InstallmentNumber, Money, PaymentId, PolicyId, RECENT_DECISIONS,
    Revision, Zone, business_date, end_of_day, last_instant_of_day,
};
use crate::policy::Restriction;

pub use self::applied_message::AppliedMessage;
pub use self::approval::{Approval, LastApproval, UnapprovedRelief};
pub use self::bound_version::BoundVersion;
pub use self::classification::{Classification, HeldClass};
pub use self::contact_hold::ContactHold;
pub use self::contact_request::ContactRequest;
pub use self::cross_restriction::{CrossRestriction, ImposedBy};
pub(crate) use self::decision::listed_order;
pub use self::decision::{Decision, event_id};
pub use self::delinquency::DelinquencyHistory;
pub use self::dispute::{Dispute, DisputeOutcome};
pub use self::draw::Draw;
pub use self::figures::Figures;
pub use self::hardship::RecordedCause;
pub use self::hold_use::{HeldDays, HoldUse};
pub use self::holding_case::{CaseOutcome, HoldingCase};
pub use self::installment::{Installment, InstallmentLabel, LeftOut};
pub use self::installment_hold::InstallmentHold;
pub use self::interest_terms::{InterestMethod, InterestTerms};
pub use self::last_command::LastCommand;
pub use self::new_schedule::{AccruedFee, NewSchedule, ScheduleKind};
pub use self::notice::{Notice, NoticeOf};
pub use self::origin::Origin;
pub use self::pause::DelinquencyPause;
pub use self::payment::{Dated, Payment, PaymentKind, Reversal};
pub use self::payment_in_process::{PaymentInProcess, PaymentMethod};
pub use self::promise::{Promise, PromiseOutcome};
pub use self::reason::{DeferralReason, Reason};
pub use self::reminder_preference::ReminderPreference;
pub use self::score::RecordedScore;
pub use self::status::AccountStatus;
pub use self::waiver::Waiver;

/// One credit agreement with all its facts and the account status that the last assessment left.
///
/// The lists are private: [`Account::open`] and [`Account::apply`] keep them in order and within their
/// bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub account_id: AccountId,
    pub customer_id: CustomerId,
    pub policy_id: PolicyId,
    /// The currency of all the account's amounts.
    pub currency: Currency,
    /// The zone in which the account's days begin.
    pub time_zone: Zone,
    pub opened_on: NaiveDate,
    /// The interest that the contract agrees; none: not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest: Option<InterestTerms>,
    /// Checksum of the contract that opened the account, to recognise that contract again.
    pub(crate) contract: u32,
    /// By due date, then number.
    pub(crate) installments: Vec<Installment>,
    /// In the order in which they became known; the bound is [`MAX_DRAWS`](crate::kernel::MAX_DRAWS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) draws: Vec<Draw>,
    /// By the instant at which they were received, then id.
    pub(crate) payments: Vec<Payment>,
    /// By their first day; none overlaps another.
    pub(crate) pauses: Vec<DelinquencyPause>,
    /// By the instant at which they became known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) waivers: Vec<Waiver>,
    /// Why the account's enforcement is switched off; none: it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enforcement_off: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<RecordedCause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<RecordedScore>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_process: Option<PaymentInProcess>,
    /// In the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) promises: Vec<Promise>,
    /// In the order in which they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) disputes: Vec<Dispute>,
    /// In the order in which they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cases: Vec<HoldingCase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reminder_preference: Option<ReminderPreference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reported_at: Option<DateTime<Utc>>,
    /// The last notice of each stage and policy version; the bound is
    /// [`MAX_NOTICES`](crate::kernel::MAX_NOTICES).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<Notice>,
    /// The cross-restrictions that the customer's other accounts impose, by account; fewer than
    /// [`MAX_ACCOUNTS_OF_CUSTOMER`](crate::kernel::MAX_ACCOUNTS_OF_CUSTOMER).
    #[serde(rename = "asked_by", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) imposed_by: Vec<ImposedBy>,
    /// The instants at which notices of stages left, for the late fee per letter; the first
    /// [`MAX_LETTERS`](crate::kernel::MAX_LETTERS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) letters: Vec<DateTime<Utc>>,
    /// The local date of the last schedule replacement that counts as forbearance; none: never.
    #[serde(rename = "schedule_replaced_on", default, skip_serializing_if = "Option::is_none")]
    pub(crate) forborne_on: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) new_schedule: Option<NewSchedule>,
    /// The last messages that changed the account, oldest first:
    /// [`RECENT_MESSAGES`](crate::kernel::RECENT_MESSAGES), and all of the last one's instant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) recent_messages: Vec<AppliedMessage>,
    /// The command of the current revision; none: the revision took none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_command: Option<LastCommand>,
    /// By day; those of the days that the policy's limits look back on. Empty where the policy asks for no approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unapproved_relief: Vec<UnapprovedRelief>,
    /// None: no approved command was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_approval: Option<LastApproval>,
    /// Restrictions that the lender had in force before duewatch held the account, and that stay until its stage gets
    /// milder. Empty: none stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) taken_over: Vec<Restriction>,
    /// The versions of the policy that have bound the account, oldest first, at most
    /// [`MAX_BOUND_VERSIONS`](crate::kernel::MAX_BOUND_VERSIONS); empty: one alone. Days before the first are
    /// the first one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bound_versions: Vec<BoundVersion>,
    #[serde(rename = "standing")]
    pub status: AccountStatus,
    /// How often the account has been written.
    pub revision: Revision,
    /// Oldest first, at most [`RECENT_DECISIONS`].
    pub(crate) recent_decisions: Vec<Decision>,
    /// The contact requests that the current revision creates.
    #[serde(rename = "intents")]
    pub contact_requests: Vec<ContactRequest>,
}

impl Account {
    /// Takes over the restrictions that the lender has in force already: the first decision is compared with them. With
    /// `keep` they stay until a decision makes the account's stage milder, and while a stage holds.
    pub fn take_over(&mut self, restrictions: &[Restriction], keep: bool) {
        self.status.restrictions = restrictions.to_vec();
        self.taken_over = if keep { restrictions.to_vec() } else { Vec::new() };
    }

    /// The installments, by due date, then number.
    #[must_use]
    pub fn installments(&self) -> &[Installment] {
        &self.installments
    }

    /// The payments, by the instant of receipt, then id.
    #[must_use]
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The delinquency pauses, by their first day.
    #[must_use]
    pub fn pauses(&self) -> &[DelinquencyPause] {
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

    /// The hardship cause recorded last.
    #[must_use]
    pub const fn cause(&self) -> Option<&RecordedCause> {
        self.cause.as_ref()
    }

    /// The score that the lender handed in last.
    #[must_use]
    pub const fn score(&self) -> Option<&RecordedScore> {
        self.score.as_ref()
    }

    /// The payment last reported as in process.
    #[must_use]
    pub const fn in_process(&self) -> Option<&PaymentInProcess> {
        self.in_process.as_ref()
    }

    /// The last notice of each stage and policy version.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The instants at which notices of stages left, for the late fee per letter.
    #[must_use]
    pub fn letters(&self) -> &[DateTime<Utc>] {
        &self.letters
    }

    /// The versions of the policy that have bound the account, oldest first; empty: one alone.
    #[must_use]
    pub fn bound_versions(&self) -> &[BoundVersion] {
        &self.bound_versions
    }

    /// The last decisions, oldest first.
    #[must_use]
    pub fn recent_decisions(&self) -> &[Decision] {
        &self.recent_decisions
    }

    /// The decision of the current revision; none: the revision changed neither stage nor restrictions.
    #[must_use]
    pub fn decision_of_this_revision(&self) -> Option<&Decision> {
        self.recent_decisions.last().filter(|decision| decision.revision == self.revision)
    }

    /// The payment with that id, reversed or not.
    #[must_use]
    pub fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| &payment.payment_id == id)
    }

    /// The last messages that changed the account, oldest first, by which a repeated message is recognised.
    #[must_use]
    pub fn recent_messages(&self) -> &[AppliedMessage] {
        &self.recent_messages
    }

    /// The command that the current revision took; none: it took none, or an earlier release wrote it.
    #[must_use]
    pub fn command_of_this_revision(&self) -> Option<&LastCommand> {
        self.last_command.as_ref().filter(|command| command.revision == self.revision)
    }

    /// The next revision begins: it bears no command but its own.
    pub(crate) fn begin_revision(&mut self) {
        self.revision = self.revision.next();
        self.last_command.take_if(|command| command.revision != self.revision);
    }

    pub(crate) fn installment_mut(&mut self, number: InstallmentNumber) -> Option<&mut Installment> {
        self.installments.iter_mut().find(|installment| installment.label == InstallmentLabel::Number(number))
    }

    /// The sum of the installments' largest amounts due: no sum over a part of them is larger.
    pub(crate) fn largest_amount_due(&self) -> Money {
        self.installments.iter().map(Installment::largest_amount_due).sum()
    }

    pub(crate) fn remember(&mut self, decision: Decision) {
        if self.recent_decisions.len() >= RECENT_DECISIONS {
            let excess = self.recent_decisions.len() + 1 - RECENT_DECISIONS;
            self.recent_decisions.drain(..excess);
        }
        self.recent_decisions.push(decision);
    }

    /// Whether an evaluation is due at `now`. What changes in the last second of a date is due when that second is
    /// over: money received in it is still of that date.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.due_at().is_some_and(|due_at| due_at <= now)
    }

    /// The instant from which the next evaluation is due; none: not before a new fact.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        let at = self.status.next_action_at?;
        let day = business_date(self.time_zone, at);
        let is_last_second = at == end_of_day(self.time_zone, day);
        Some(if is_last_second { last_instant_of_day(self.time_zone, day) } else { at })
    }

    /// Whether an installment is on hold.
    pub(crate) fn has_held(&self) -> bool {
        self.installments.iter().any(|one| one.hold.is_some())
    }

    pub(crate) fn sort_installments(&mut self) {
        self.installments.sort_by(Installment::by_due_date);
    }
}

impl Account {
    /// When the account was last reported to a credit bureau; none: never.
    #[must_use]
    pub const fn reported_at(&self) -> Option<DateTime<Utc>> {
        self.reported_at
    }

    /// Whether the account was reported to a credit bureau since an unpaid installment fell due. An earlier
    /// report does not cover that installment.
    pub(crate) fn is_reported_since(&self, due_on: NaiveDate) -> bool {
        self.reported_at.is_some_and(|at| business_date(self.time_zone, at) >= due_on)
    }
}
