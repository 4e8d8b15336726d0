//! Policies: versioned, dated, validated documents that say how accounts are judged.

mod bounds;
mod business_days;
mod calendar;
mod channel;
mod check;
mod classification;
mod contact;
mod contact_check;
mod customer;
mod document;
mod hardship_cause;
mod language;
mod late_fee;
mod milder;
mod operation;
mod order;
pub mod presets;
mod relief;
mod reminders;
mod restriction;
mod retention;
mod severity;
mod stage;
mod stage_conditions;
mod templates;
mod versions;
mod warnings;
mod waterfall;

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::{DayCount, PolicyId};

pub use self::bounds::{MAX_DAYS, MAX_MONTHS, MAX_OPERATIONS, MAX_RESTRICTIONS, MAX_STAGES};
pub use self::business_days::{BusinessDays, Move};
pub use self::calendar::{Calendar, MAX_CALENDAR_DATES, MAX_CALENDARS, MAX_MOVED_DAYS};
pub use self::channel::Channel;
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
pub use self::hardship_cause::Cause;
pub use self::language::Language;
pub use self::late_fee::{AnnualCap, LateFee, MAX_RATE_DECIMALS};
pub use self::operation::{DRAW, REPAY};
pub use self::relief::{
    Buffer, CauseRules, DisputeRules, Exceed, Materiality, Operations, ProcessRules, PromiseRules,
};
pub use self::reminders::{CountedFrom, MAX_REMINDER_STEPS, MAX_REMINDERS, ReminderStep, Reminders};
pub use self::restriction::Restriction;
pub use self::retention::{MIN_KEPT_DAYS, Retention};
pub(crate) use self::severity::is_covered;
pub use self::stage::{Stage, StageName};
pub use self::stage_conditions::When;
pub use self::templates::{
    MAX_TEMPLATE_BYTES, MAX_TEMPLATES, MAX_TEMPLATES_BYTES, Template, Templates, TextPlace, fault_at,
};
pub use self::versions::{Announcement, MAX_VERSIONS, Versions};
pub use self::waterfall::{Component, DueClass, Entry, Overpayment, Waterfall};

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
