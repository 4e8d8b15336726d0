//! The policy as a TOML document.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::approval::ApprovalRules;
use super::buckets::Bucket;
use super::business_days::{BusinessDays, DueDateMove};
use super::calendar::{Calendar, CalendarTable, MAX_CALENDARS};
use super::cases::CaseRules;
use super::check::{PolicyFault, PolicyPlace, at_key};
use super::classification::ClassificationTable;
use super::contact_rules::ContactTable;
use super::customer_rule::CustomerRule;
use super::late_fee::{AnnualCap, LateFee};
use super::reminders::RemindersTable;
use super::restriction::Restriction;
use super::retention::Retention;
use super::rollout::Rollout;
use super::stage::{Stage, StageName};
use super::stage_conditions::When;
use super::templates::{MessageTemplate, Templates};
use super::tolerances::{
    CauseRules, DisputeRules, FirstLapseTolerance, HoldRules, Materiality, Operations, ProcessRules,
    PromiseRules,
};
use super::versions::Announcement;
use super::waterfall::{Overpayment, Waterfall};
use super::{Policy, check, warnings};
use crate::kernel::{DayCount, Money, PolicyId, check_incoming_id, printable};

/// The suffix that [`Spanned`] adds to the path of a field and no author of a policy has written.
const SPANNED: &str = ".$__serde_spanned_private_value";

/// The first fault of a text that is no valid policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct PolicyError {
    /// From 1.
    pub line: usize,
    /// In characters of the line, from 1.
    pub column: usize,
    /// Names the field, its value and the fault.
    pub problem: String,
}

impl PolicyError {
    pub(super) fn at(text: &str, offset: usize, problem: String) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + line.chars().count(),
            problem: printable(problem),
        }
    }
}

/// A warning to the author of a valid policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWarning {
    /// From 1.
    pub line: usize,
    /// In characters of the line, from 1.
    pub column: usize,
    /// Names the part and a remedy.
    pub problem: String,
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: warning: {}", self.line, self.column, self.problem)
    }
}

/// Reads and checks a policy.
///
/// # Errors
/// The first [`PolicyError`], with its line and column.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    read_authored(text).map(|(policy, _)| policy)
}

/// Reads a policy as its author hands it in.
fn read_authored(text: &str) -> Result<(Policy, Offsets), PolicyError> {
    let (policy, offsets) = read(text, traced)?;
    match check_incoming_id(policy.id.as_str()) {
        Ok(()) => Ok((policy, offsets)),
        Err(problem) => {
            Err(PolicyError::at(text, offsets.of(PolicyPlace::Key("id")), format!("id: {problem}")))
        }
    }
}

/// Reads and checks a policy that was [parsed](parse) before it was stored.
///
/// Both functions accept and refuse the same texts, but for an id of an earlier release, which stays readable. This one reports an unreadable value by its line and
/// column alone: the code that also finds its field would make every Lambda function larger.
///
/// # Errors
/// The first [`PolicyError`], with its line and column.
pub fn parse_stored(text: &str) -> Result<Policy, PolicyError> {
    let untraced = |reader| Document::deserialize(reader).map_err(|error| (String::new(), error));
    read(text, untraced).map(|(policy, _)| policy)
}

/// Reads and checks a policy, with warnings for its author in the order of the text.
///
/// # Errors
/// Those of [`parse`].
pub fn review(text: &str) -> Result<(Policy, Vec<PolicyWarning>), PolicyError> {
    let (policy, offsets) = read_authored(text)?;
    let warning = |PolicyFault { place, problem }| {
        let PolicyError { line, column, problem } = PolicyError::at(text, offsets.of(place), problem);
        PolicyWarning { line, column, problem }
    };
    let mut warnings: Vec<PolicyWarning> = warnings::warnings(&policy).into_iter().map(warning).collect();
    warnings.sort_by_key(|warning| (warning.line, warning.column));
    Ok((policy, warnings))
}

/// Reads the document.
///
/// # Errors
/// The path of the faulty field, and its fault.
fn traced(reader: toml::Deserializer<'_>) -> Result<Document, (String, toml::de::Error)> {
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string().replace(SPANNED, "");
        (if path == "." { String::new() } else { format!("{path}: ") }, error.into_inner())
    })
}

fn read<'t>(
    text: &'t str,
    document: impl FnOnce(toml::Deserializer<'t>) -> Result<Document, (String, toml::de::Error)>,
) -> Result<(Policy, Offsets), PolicyError> {
    let at = |offset: usize, problem: String| PolicyError::at(text, offset, problem);
    let fault = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let reader =
        toml::Deserializer::parse(text).map_err(|error| at(fault(&error), error.message().to_owned()))?;
    let document = document(reader)
        .map_err(|(field, error)| at(fault(&error), format!("{field}{}", error.message())))?;
    let offsets = document.offsets();
    let checked = document.into_policy().and_then(|policy| check::faults(&policy).map(|()| policy));
    let policy = checked.map_err(|fault| at(offsets.of(fault.place), fault.problem))?;
    Ok((policy, offsets))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: Spanned<PolicyId>,
    version: Spanned<u32>,
    effective_on: Spanned<Date>,
    #[serde(default)]
    day_count: DayCount,
    grace_days: Option<Spanned<u32>>,
    waterfall: Option<Spanned<WaterfallNames>>,
    business_days: Option<Spanned<BusinessDaysTable>>,
    #[serde(default)]
    calendars: BTreeMap<String, Spanned<CalendarTable>>,
    #[serde(default)]
    overpayment: Overpayment,
    late_fee: Option<Spanned<LateFeeTable>>,
    #[serde(default)]
    stages: Vec<Spanned<StageTable>>,
    materiality: Option<Spanned<Table<Materiality>>>,
    buffer: Option<Spanned<Table<FirstLapseTolerance>>>,
    cause: Option<Spanned<Table<CauseRules>>>,
    payment_in_process: Option<Spanned<Table<ProcessRules>>>,
    promise: Option<Spanned<Table<PromiseRules>>>,
    dispute: Option<Spanned<Table<DisputeRules>>>,
    holds: Option<Spanned<Table<HoldRules>>>,
    cases: Option<Spanned<Table<CaseRules>>>,
    approval: Option<Spanned<Table<ApprovalRules>>>,
    operations: Option<Spanned<Table<Operations>>>,
    announcement: Option<Spanned<Table<Announcement>>>,
    rollout: Option<Spanned<Table<Rollout>>>,
    reminders: Option<Spanned<RemindersTable>>,
    contact: Option<Spanned<Table<ContactTable>>>,
    customer: Option<Spanned<Table<CustomerRule>>>,
    classification: Option<Spanned<ClassificationTable>>,
    #[serde(default)]
    buckets: Vec<Spanned<Table<Bucket>>>,
    templates: Option<Spanned<BTreeMap<String, Table<MessageTemplate>>>>,
    retention: Option<Spanned<Table<RetentionTable>>>,
}

/// The byte offsets at which the parts of a document begin.
struct Offsets {
    keys: Vec<(&'static str, usize)>,
    stages: Vec<usize>,
    calendars: Vec<usize>,
    quiet_hours: Vec<usize>,
    caps: Vec<usize>,
}

impl Offsets {
    fn of(&self, place: PolicyPlace) -> usize {
        let found = match place {
            PolicyPlace::Key(wanted) => {
                self.keys.iter().find(|(key, _)| *key == wanted).map(|(_, offset)| offset)
            }
            PolicyPlace::Stage(place) => self.stages.get(place),
            PolicyPlace::Calendar(place) => self.calendars.get(place),
            PolicyPlace::QuietHours(place) => self.quiet_hours.get(place),
            PolicyPlace::Cap(place) => self.caps.get(place),
        };
        found.copied().unwrap_or(0)
    }
}

impl Document {
    fn offsets(&self) -> Offsets {
        fn start<T>(table: Option<&Spanned<T>>) -> usize {
            table.map_or(0, |table| table.span().start)
        }
        let contact = self.contact.as_ref().map(|table| table.get_ref().0.offsets());
        let (quiet_hours, caps) = contact.unwrap_or_default();
        Offsets {
            quiet_hours,
            caps,
            keys: vec![
                ("id", self.id.span().start),
                ("version", self.version.span().start),
                ("effective_on", self.effective_on.span().start),
                ("grace_days", start(self.grace_days.as_ref())),
                ("waterfall", start(self.waterfall.as_ref())),
                ("materiality", start(self.materiality.as_ref())),
                ("buffer", start(self.buffer.as_ref())),
                ("cause", start(self.cause.as_ref())),
                ("payment_in_process", start(self.payment_in_process.as_ref())),
                ("promise", start(self.promise.as_ref())),
                ("dispute", start(self.dispute.as_ref())),
                ("holds", start(self.holds.as_ref())),
                ("cases", start(self.cases.as_ref())),
                ("approval", start(self.approval.as_ref())),
                ("operations", start(self.operations.as_ref())),
                ("announcement", start(self.announcement.as_ref())),
                ("rollout", start(self.rollout.as_ref())),
                ("business_days", start(self.business_days.as_ref())),
                ("late_fee", start(self.late_fee.as_ref())),
                ("reminders", start(self.reminders.as_ref())),
                ("contact", start(self.contact.as_ref())),
                ("customer", start(self.customer.as_ref())),
                ("classification", start(self.classification.as_ref())),
                ("buckets", self.buckets.first().map_or(0, |bucket| bucket.span().start)),
                ("templates", start(self.templates.as_ref())),
                ("retention", start(self.retention.as_ref())),
            ],
            stages: self.stages.iter().map(|stage| stage.span().start).collect(),
            calendars: self.calendars.values().map(|calendar| calendar.span().start).collect(),
        }
    }

    fn into_policy(self) -> Result<Policy, PolicyFault> {
        let mut own = own_calendars(self.calendars)?;
        let cases = self.cases.map(|table| table.into_inner().0).unwrap_or_default().checked(&own);
        let cases = cases.map_err(|problem| at_key("cases", problem))?;
        let business_days = business_days(self.business_days, &mut own)?;
        let classification = self.classification.map(|table| table.into_inner().into_rules()).transpose();
        let classification = classification
            .map_err(|problem| at_key("classification", format!("classification.{problem}")))?;
        let (late_fee, mut per_stage) = match self.late_fee.map(Spanned::into_inner) {
            Some(LateFeeTable { late_fee, per_stage }) => (Some(late_fee), per_stage),
            None => (None, BTreeMap::new()),
        };
        let reminders = self.reminders.map(|table| table.into_inner().into_reminders()).transpose();
        let reminders = reminders.map_err(|problem| at_key("reminders", problem))?;
        let stages = self.stages.into_iter().map(Spanned::into_inner).map(|stage| Stage {
            late_fee: per_stage.remove(&stage.name),
            name: StageName(stage.name),
            when: stage.when,
            restrictions: stage.restrictions,
        });
        let stages = stages.collect();
        if let Some(unknown) = per_stage.keys().next() {
            let problem = format!("late_fee.per_stage: the ladder has no stage \"{unknown}\"");
            return Err(at_key("late_fee", problem));
        }
        Ok(Policy {
            id: self.id.into_inner(),
            version: self.version.into_inner(),
            effective_on: self.effective_on.into_inner().0,
            published_at: None,
            day_count: self.day_count,
            grace_days: self.grace_days.map_or(0, Spanned::into_inner),
            waterfall: self.waterfall.map_or_else(Waterfall::default, |names| names.into_inner().0),
            business_days,
            overpayment: self.overpayment,
            late_fee,
            stages,
            materiality: self.materiality.map(|table| table.into_inner().0),
            first_lapse_tolerance: self.buffer.map(|table| table.into_inner().0),
            cause: self.cause.map(|table| table.into_inner().0),
            payment_in_process: self.payment_in_process.map(|table| table.into_inner().0),
            promise: self.promise.map(|table| table.into_inner().0),
            dispute: self.dispute.map(|table| table.into_inner().0),
            holds: self.holds.map(|table| table.into_inner().0),
            cases,
            approval: self.approval.map(|table| table.into_inner().0),
            operations: self.operations.map(|table| table.into_inner().0).unwrap_or_default(),
            announcement: self.announcement.map(|table| table.into_inner().0),
            rollout: self.rollout.map(|table| table.into_inner().0),
            reminders,
            contact: self.contact.map(|table| table.into_inner().0.into_rules()),
            customer: self.customer.map(|table| table.into_inner().0),
            classification,
            buckets: self.buckets.into_iter().map(|bucket| bucket.into_inner().0).collect(),
            templates: self.templates.map_or_else(Templates::new, |templates| {
                templates.into_inner().into_iter().map(|(name, table)| (name, table.0)).collect()
            }),
            retention: self.retention.map_or_else(Retention::default, |table| {
                let RetentionTable { history_days, contact_log_days } = table.into_inner().0;
                Retention { history_days, contact_log_days }
            }),
        })
    }
}

/// The policy's own calendars, checked even if unused.
fn own_calendars(
    calendars: BTreeMap<String, Spanned<CalendarTable>>,
) -> Result<BTreeMap<String, Arc<Calendar>>, PolicyFault> {
    if calendars.len() > MAX_CALENDARS {
        let problem = format!("calendars: a policy brings at most {MAX_CALENDARS}");
        return Err(check::at(PolicyPlace::Calendar(0))(problem));
    }
    let mut own = BTreeMap::new();
    for (place, (name, calendar)) in calendars.into_iter().enumerate() {
        let calendar = calendar.into_inner().into_calendar();
        let calendar = calendar.map_err(|problem| {
            check::at(PolicyPlace::Calendar(place))(format!("calendar \"{name}\": {problem}"))
        })?;
        own.insert(name, Arc::new(calendar));
    }
    Ok(own)
}

/// The business-day rules, with one of the policy's own calendars or a shipped one. An own calendar replaces the
/// shipped one of its name.
fn business_days(
    table: Option<Spanned<BusinessDaysTable>>,
    own: &mut BTreeMap<String, Arc<Calendar>>,
) -> Result<Option<BusinessDays>, PolicyFault> {
    let Some(table) = table.map(Spanned::into_inner) else {
        return Ok(None);
    };
    let calendar = own.remove(&table.calendar).or_else(|| Calendar::shipped(&table.calendar));
    let calendar = calendar.ok_or_else(|| {
        let shipped: Vec<&str> = Calendar::shipped_names().collect();
        let problem = format!(
            "business_days.calendar: there is no calendar \"{}\"; write a table [calendars.NAME] or take one of: {}",
            table.calendar,
            shipped.join(", ")
        );
        at_key("business_days", problem)
    })?;
    Ok(Some(BusinessDays { calendar, moves: table.moves, month_end: table.month_end }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BusinessDaysTable {
    calendar: String,
    #[serde(rename = "move")]
    moves: DueDateMove,
    #[serde(default)]
    month_end: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageTable {
    name: String,
    when: When,
    #[serde(default)]
    restrictions: Vec<Restriction>,
}

struct LateFeeTable {
    late_fee: LateFee,
    /// By the names of stages.
    per_stage: BTreeMap<String, Money>,
}

impl<'de> Deserialize<'de> for LateFeeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct LateFeeKeys {
            daily_rate: Option<Share>,
            contract_rate_times: Option<Share>,
            fixed: Option<Money>,
            #[serde(default)]
            per_stage: BTreeMap<String, Money>,
            per_letter: Option<Money>,
            free_days: Option<u32>,
            cap_per_installment: Option<Share>,
            cap_per_installment_amount: Option<Money>,
            cap_per_month: Option<Money>,
            annual_cost_cap: Option<Share>,
            contract_annual_rate: Option<Share>,
            #[serde(default)]
            fee_arrears_count: bool,
        }
        let table = LateFeeKeys::deserialize(deserializer)?;
        let annual_cap = match (table.annual_cost_cap, table.contract_annual_rate) {
            (Some(cost), Some(rate)) => Some(AnnualCap { cost: cost.0, contract_rate: rate.0 }),
            (None, None) => None,
            _ => {
                return Err(de::Error::custom(
                    "annual_cost_cap and contract_annual_rate only mean something together",
                ));
            }
        };
        let late_fee = LateFee {
            daily_rate: table.daily_rate.map(|rate| rate.0),
            contract_rate_times: table.contract_rate_times.map(|times| times.0),
            fixed: table.fixed,
            per_letter: table.per_letter,
            free_days: table.free_days,
            cap_per_installment: table.cap_per_installment.map(|share| share.0),
            cap_per_installment_amount: table.cap_per_installment_amount,
            cap_per_month: table.cap_per_month,
            annual_cap,
            fee_arrears_count: table.fee_arrears_count,
        };
        Ok(Self { late_fee, per_stage: table.per_stage })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionTable {
    history_days: Option<u32>,
    contact_log_days: Option<u32>,
}

/// A TOML table with its keys. Serde by itself would also accept a list of their values.
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for TableVisitor<T> {
            type Value = Table<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, keys: A) -> Result<Table<T>, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(keys)).map(Table)
            }
        }
        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

/// A share, which is no amount: a number, or a decimal in a string.
struct Share(Decimal);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShareVisitor;
        impl de::Visitor<'_> for ShareVisitor {
            type Value = Share;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share from 0 to 1, such as \"0.05\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Share, E> {
                let share: Result<Money, _> = text.parse();
                share
                    .map(|share| Share(share.as_decimal()))
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Share, E> {
                Ok(Share(Decimal::from(share)))
            }
            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Share, E> {
                // The shortest text of a float is the text that its author wrote.
                let text = share.to_string();
                text.parse().map(Share).map_err(|_| E::invalid_value(de::Unexpected::Float(share), &self))
            }
        }
        deserializer.deserialize_any(ShareVisitor)
    }
}

/// Reads a share, 0 to 1, as the decimal that was written.
pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Share::deserialize(deserializer).map(|share| share.0)
}

/// Reads a share that may be left out.
pub(super) fn maybe_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Option::<Share>::deserialize(deserializer).map(|share| share.map(|share| share.0))
}

/// Reads a list of shares.
pub(super) fn shares<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Decimal>, D::Error> {
    let shares = Vec::<Share>::deserialize(deserializer)?;
    Ok(shares.into_iter().map(|share| share.0).collect())
}

/// A TOML date.
pub(super) struct Date(pub(super) NaiveDate);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = toml::value::Datetime::deserialize(deserializer)?;
        let date = written.date.filter(|_| written.time.is_none());
        date.and_then(|date| {
            NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        })
        .map(Self)
        .ok_or_else(|| de::Error::custom(format_args!("{written} is no date; write one such as 2026-01-01")))
    }
}

struct WaterfallNames(Waterfall);

impl<'de> Deserialize<'de> for WaterfallNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Waterfall::named(&names).map(Self).ok_or_else(|| {
            de::Error::custom(
                "a waterfall names penalty, fee, interest and principal once each; \
                 or all twelve once each as past_due_, due_ and in_advance_",
            )
        })
    }
}
