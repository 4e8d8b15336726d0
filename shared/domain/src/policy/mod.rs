//! Policies: versioned, dated, validated documents that say how accounts are judged.

mod business_days;
mod calendar;
mod check;
mod classification;
mod contact;
mod contact_check;
mod customer;
pub mod describe;
mod document;
mod late_fee;
mod milder;
mod order;
pub mod presets;
mod relief;
mod reminders;
mod retention;
mod severity;
mod templates;
mod versions;
mod warnings;
mod waterfall;

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::business_days::{BusinessDays, Move};
pub use self::calendar::{Calendar, MAX_CALENDAR_DATES, MAX_CALENDARS, MAX_MOVED_DAYS};
pub use self::classification::{
    Class, ClassName, ClassificationRules, Cured, MAX_CLASSES, MAX_PROBATION_MONTHS,
};
pub use self::contact::{
    AfterConversation, BreathingSpaceRules, Cap, ComplaintRules, ContactPersonRules, ContactRules, Counts,
    MAX_CAP, MAX_CAPS, MAX_QUIET_HOURS, MAX_REPORT_HOURS, MAX_WINDOW_DAYS, Per, QuietHours, ReceiptRules,
    Texts,
};
pub use self::contact_check::MAX_ONCE_IN_MONTHS;
pub use self::customer::CustomerRule;
pub use self::document::{PolicyError, PolicyWarning, parse, parse_stored, review};
pub use self::late_fee::{AnnualCap, LateFee, MAX_RATE_DECIMALS};
pub use self::relief::{
    Buffer, CauseRules, DisputeRules, Exceed, Materiality, Operations, ProcessRules, PromiseRules,
};
pub use self::reminders::{Channel, CountedFrom, MAX_REMINDER_STEPS, MAX_REMINDERS, ReminderStep, Reminders};
pub use self::retention::{MIN_KEPT_DAYS, Retention};
pub(crate) use self::severity::is_covered;
pub use self::templates::{
    MAX_TEMPLATE_BYTES, MAX_TEMPLATES, MAX_TEMPLATES_BYTES, Template, Templates, TextPlace, fault_at,
};
pub(crate) use self::versions::Binding;
pub use self::versions::{Announcement, MAX_VERSIONS, Rules, Versions};
pub use self::waterfall::{Component, DueClass, Entry, Overpayment, Waterfall};
use crate::days::DayCount;
use crate::ids::PolicyId;
use crate::money::Money;
use crate::permits::DRAW;
use crate::recorded::Cause;

/// The most stages a ladder may have.
pub const MAX_STAGES: usize = 50;
/// The most restrictions a stage may bring.
pub const MAX_RESTRICTIONS: usize = 20;
/// The most days a threshold, a grace or a retention may ask for: a hundred years.
pub const MAX_DAYS: u32 = 36_500;
/// The most months a memory may reach back: a hundred years.
pub const MAX_MONTHS: u32 = 1_200;
/// The most operations a list may name.
pub const MAX_OPERATIONS: usize = 100;

/// How accounts are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The same over all versions.
    pub id: PolicyId,
    /// Counts up.
    pub version: u32,
    /// The first date on which this version binds.
    pub effective_on: NaiveDate,
    /// Where days past due begin.
    pub day_count: DayCount,
    /// Days that delay `delinquent_days`, and nothing else.
    pub grace_days: u32,
    /// The order in which money settles what is owed.
    pub waterfall: Waterfall,
    /// What becomes of money beyond what is past due or due.
    pub overpayment: Overpayment,
    /// What being late costs; none: nothing.
    pub late_fee: Option<LateFee>,
    /// How due dates move to working days; none: they stay.
    pub business_days: Option<BusinessDays>,
    /// The ladder above `current`, mildest first.
    pub stages: Vec<Stage>,
    /// Overdue amounts that move no stage; none: none do.
    pub materiality: Option<Materiality>,
    /// Patience with a first and minor lapse; none: off.
    pub buffer: Option<Buffer>,
    /// What a recorded cause brings about; none: nothing but what stages ask for.
    pub cause: Option<CauseRules>,
    /// How long a payment under way is waited for; none: it is not.
    pub payment_in_process: Option<ProcessRules>,
    /// How long a promise to pay is waited for; none: it is not.
    pub promise: Option<PromiseRules>,
    /// How long a dispute holds consequences back; none: it does not.
    pub dispute: Option<DisputeRules>,
    /// Operations that are never blocked.
    pub operations: Operations,
    /// How customers are told of this version before it binds them; none: they are not.
    pub announcement: Option<Announcement>,
    /// When whom to remind; none: nobody.
    pub reminders: Option<Reminders>,
    /// How people may be contacted; none: nothing is quiet and nothing capped.
    pub contact: Option<ContactRules>,
    /// What one account brings upon the customer's other accounts; none: nothing.
    pub customer: Option<CustomerRule>,
    /// How accounts are classified for the regulator; none: not at all.
    pub classification: Option<ClassificationRules>,
    /// Texts of the lender's own, beside and before those that are shipped.
    pub templates: Templates,
    /// For how long what was written down is kept.
    pub retention: Retention,
}

impl Policy {
    /// Which version of which policy this is.
    #[must_use]
    pub fn reference(&self) -> PolicyRef {
        PolicyRef { id: self.id.clone(), version: self.version }
    }

    /// Whether it depends on the dates of payments what they settle. Where it does not, the
    /// allocation of all of them at once says it.
    #[must_use]
    pub fn keeps_a_ledger(&self) -> bool {
        self.late_fee.is_some()
            || self.waterfall.entries().is_some()
            || self.overpayment != Overpayment::default()
    }
}

/// Names one version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRef {
    /// The policy.
    pub id: PolicyId,
    /// Its version.
    pub version: u32,
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.id, self.version)
    }
}

/// The name of a stage. The bottom of every ladder is [`StageName::current`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageName(String);

impl StageName {
    const CURRENT: &'static str = "current";

    /// Nothing holds against the account.
    #[must_use]
    pub fn current() -> Self {
        Self(Self::CURRENT.to_owned())
    }

    /// Whether this is the bottom of the ladder.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0 == Self::CURRENT
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Unique within the policy.
    pub name: StageName,
    /// When it holds.
    pub when: When,
    /// What the account may not do while it holds.
    pub restrictions: Vec<Restriction>,
}

impl Stage {
    /// How long before its restrictions a notice must have been sent; none: none is owed.
    #[must_use]
    pub fn notice_days(&self) -> Option<u32> {
        self.restrictions.iter().filter_map(|restriction| restriction.notice_days).max()
    }
}

/// The conditions of a stage: all that are given must hold, and something must
/// be overdue.
///
/// Each of the figures only grows while the facts stay as they are; a cause and a score bind
/// for a stretch of days. A stage therefore holds in one stretch of days until a fact changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Days past due less grace and paused days.
    pub delinquent_days: Option<u32>,
    /// Days since the due date of the oldest unpaid installment.
    pub days_past_due: Option<u32>,
    /// What is unpaid of the installments past due.
    pub overdue_amount: Option<Money>,
    /// The overdue amount as a part of all that is outstanding, 0 to 1.
    pub overdue_share: Option<Decimal>,
    /// How many installments past due still owe.
    pub unpaid_installments: Option<u32>,
    /// The cause that must be recorded.
    pub cause: Option<Cause>,
    /// The score that must be recorded is at most this.
    pub score_at_most: Option<u32>,
}

/// Something the account may not do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// `limit_credit_line`, `freeze_drawdown`, `raise_rate`, `suspend_account`, or
    /// a name of the lender's own.
    pub kind: String,
    /// To which part, in percent: of the credit line, or of the contract's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// It takes effect so many days after a notice of its stage was sent, and never before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u32>,
    /// The operations that a restriction of the lender's own blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// The operations that it leaves alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl Restriction {
    /// Whether it blocks an operation, exceptions apart.
    #[must_use]
    pub fn blocks(&self, operation: &str) -> bool {
        match self.kind.as_str() {
            "suspend_account" => true,
            "freeze_drawdown" => operation == DRAW,
            "limit_credit_line" => operation == DRAW && self.percent == Some(0),
            "raise_rate" => false,
            _ => self.blocks.iter().any(|one| one == operation),
        }
    }

    /// To which part of the credit line it limits an operation, in percent.
    #[must_use]
    pub fn limits(&self, operation: &str) -> Option<u32> {
        let limits = self.kind == "limit_credit_line" && operation == DRAW;
        self.percent.filter(|percent| limits && *percent > 0)
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.percent.map_or(Ok(()), |percent| write!(f, " to {percent} %"))
    }
}
