//! Policies: versioned, dated, validated documents by which accounts are assessed.

mod approval;
mod bounds;
mod buckets;
mod business_days;
mod calendar;
mod cases;
mod channel;
mod check;
mod classification;
mod contact_check;
mod contact_rules;
mod customer_rule;
mod document;
mod hardship_cause;
mod language;
mod late_fee;
mod milder;
mod operation;
pub mod presets;
mod publication;
mod reminders;
mod restriction;
mod retention;
mod rollout;
mod severity;
mod stage;
mod stage_conditions;
mod stage_order;
mod templates;
mod timeline;
mod tolerances;
mod versions;
mod warnings;
mod waterfall;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{DayCount, PolicyId};

pub use self::approval::{ApprovalRules, MAX_APPROVAL_WITHIN_DAYS};
pub use self::bounds::{MAX_DAYS, MAX_MONTHS, MAX_OPERATIONS, MAX_RESTRICTIONS, MAX_STAGES};
pub use self::buckets::{Bucket, MAX_BUCKETS};
pub use self::business_days::{BusinessDays, DueDateMove};
pub use self::calendar::{Calendar, MAX_CALENDAR_DATES, MAX_CALENDARS, MAX_MOVED_DAYS};
pub use self::cases::{
    BreachEffect, CaseKind, CaseKindRules, CaseRepetition, CaseRules, CaseTerm, ClockStopRules, HeldByCase,
    MAX_BUSINESS_DAYS, MAX_EXTENSIONS, MAX_STOP_REASONS, TermAnchor, TermUnit,
};
pub use self::channel::Channel;
pub(crate) use self::check::check_restrictions;
pub use self::classification::{
    Class, ClassDaysCount, ClassName, ClassificationRules, Cured, MAX_CLASSES, MAX_PROBATION_MONTHS,
};
pub use self::contact_check::MAX_ONCE_IN_MONTHS;
pub use self::contact_rules::{
    AfterConversation, BreathingSpaceRules, Cap, CapCounts, ComplaintRules, ContactRules, LocalizedText,
    MAX_CAP, MAX_CAPS, MAX_QUIET_HOURS, MAX_REPORT_HOURS, MAX_WINDOW_DAYS, Per, QuietHours, ReceiptRules,
    ThirdPartyRules,
};
pub use self::customer_rule::CustomerRule;
pub use self::document::{PolicyError, PolicyWarning, parse, parse_stored, review};
pub use self::hardship_cause::HardshipCause;
pub use self::language::Language;
pub use self::late_fee::{AnnualCap, LateFee, MAX_RATE_DECIMALS};
pub use self::operation::{COMMON_OPERATIONS, DRAW, REPAY};
pub use self::publication::{PublicationRefusal, canonical_text, check_publication, next_version};
pub use self::reminders::{CountedFrom, MAX_REMINDER_STEPS, MAX_REMINDERS, ReminderStep, Reminders};
pub use self::restriction::{PercentBounds, Restriction, RestrictionKind};
pub use self::retention::{MIN_KEPT_DAYS, Retention};
pub use self::rollout::{MAX_COHORTS, ROLLOUT_SLOTS, Rollout};
pub(crate) use self::severity::is_covered;
pub use self::stage::{Stage, StageName};
pub use self::stage_conditions::When;
pub use self::templates::{
    MAX_TEMPLATE_BYTES, MAX_TEMPLATES, MAX_TEMPLATES_BYTES, MessageTemplate, Templates, TextPlace, fault_at,
};
pub use self::timeline::Timeline;
pub use self::tolerances::{
    CauseRules, DisputeRules, Exceed, FirstLapseTolerance, HoldRules, MONEY_HOLD_DAYS, Materiality,
    Operations, ProcessRules, PromiseRules,
};
pub use self::versions::{Announcement, MAX_VERSIONS, Versions};
pub use self::waterfall::{Component, DueClass, Overpayment, Waterfall, WaterfallEntry};

/// A policy: the rules by which accounts are assessed and borrowers contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The same over all versions.
    pub id: PolicyId,
    /// Rises with each version.
    pub version: u32,
    /// The first date on which this version binds.
    pub effective_on: NaiveDate,
    /// When the version was published; it binds no earlier. None: that is not known, as of a file.
    pub published_at: Option<DateTime<Utc>>,
    pub day_count: DayCount,
    /// Days that delay `delinquent_days` alone.
    pub grace_days: u32,
    pub waterfall: Waterfall,
    pub overpayment: Overpayment,
    /// None: being late costs nothing.
    pub late_fee: Option<LateFee>,
    /// None: due dates do not move.
    pub business_days: Option<BusinessDays>,
    /// The ladder above `current`, mildest first.
    pub stages: Vec<Stage>,
    /// None: every overdue amount counts.
    pub materiality: Option<Materiality>,
    /// The tolerance of a first and minor delinquency episode; none: off.
    pub first_lapse_tolerance: Option<FirstLapseTolerance>,
    /// None: a recorded cause affects only the stages that require one.
    pub cause: Option<CauseRules>,
    /// None: the account does not wait for a payment in process.
    pub payment_in_process: Option<ProcessRules>,
    /// None: the account does not wait for a promised payment.
    pub promise: Option<PromiseRules>,
    /// None: a dispute defers no consequence.
    pub dispute: Option<DisputeRules>,
    /// None: each kind of hold has its own bound alone.
    pub holds: Option<HoldRules>,
    /// Empty: no case can be opened.
    pub cases: CaseRules,
    /// None: one person alone may grant any relief.
    pub approval: Option<ApprovalRules>,
    pub operations: Operations,
    /// None: customers are not told of this version before it binds them.
    pub announcement: Option<Announcement>,
    /// None: the version binds all accounts from the same date on, as far as each was told.
    pub rollout: Option<Rollout>,
    /// None: no reminder is sent.
    pub reminders: Option<Reminders>,
    /// None: there are no quiet hours and no frequency caps.
    pub contact: Option<ContactRules>,
    /// None: no account restricts the customer's other accounts.
    pub customer: Option<CustomerRule>,
    /// None: accounts are not classified for the regulator.
    pub classification: Option<ClassificationRules>,
    /// By their first days; empty: overdue installments are not shown by their days.
    pub buckets: Vec<Bucket>,
    /// The lender's own texts. They extend the shipped ones and replace those of the same name.
    pub templates: Templates,
    pub retention: Retention,
}

impl Policy {
    /// The most days of an episode on which holds of any kind keep restrictions back; none: without a common bound.
    #[must_use]
    pub fn most_held_days(&self) -> Option<u32> {
        self.holds.as_ref().and_then(|holds| holds.at_most_days)
    }

    /// The most days of an episode on which money that cannot be posted keeps restrictions back.
    #[must_use]
    pub fn money_hold_days(&self) -> u32 {
        self.holds.as_ref().and_then(|holds| holds.hold_days).unwrap_or(MONEY_HOLD_DAYS)
    }

    /// The policy's id and version.
    #[must_use]
    pub fn reference(&self) -> PolicyRef {
        PolicyRef { id: self.id.clone(), version: self.version }
    }

    /// Whether the allocation depends on the dates of payments. If not, one allocation of all payments at
    /// once has the same result.
    #[must_use]
    pub fn keeps_a_ledger(&self) -> bool {
        self.late_fee.is_some()
            || self.waterfall.entries().is_some()
            || self.overpayment != Overpayment::default()
    }
}

/// A reference to one version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRef {
    pub id: PolicyId,
    pub version: u32,
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.id, self.version)
    }
}
