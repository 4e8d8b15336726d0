//! Cases: questions of a borrower that a person must answer by a date.
//!
//! Each kind of case has a table of its own, `[cases.appeal]` for example. A kind without one cannot be opened.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::bounds::{MAX_DAYS, MAX_MONTHS};
use super::calendar::Calendar;
use super::check::is_plain_name;
use crate::kernel::{plus_days, plus_months};

/// The most business days of a deadline: about a year.
pub const MAX_BUSINESS_DAYS: u32 = 260;
/// The most extensions of an answer.
pub const MAX_EXTENSIONS: usize = 4;
/// The most reasons for which a clock may stop.
pub const MAX_STOP_REASONS: usize = 10;

/// The kind of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Against a decision: a stage, a restriction, a fee.
    Appeal,
    /// Against an amount or an installment.
    Dispute,
    /// "I have paid."
    PaymentClaim,
    /// About contact, conduct or the service.
    Complaint,
    /// An application for relief.
    Hardship,
}

impl CaseKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Appeal, Self::Dispute, Self::PaymentClaim, Self::Complaint, Self::Hardship];
    /// Every kind, by its name in the formats.
    pub const NAMES: [&str; 5] = ["appeal", "dispute", "payment_claim", "complaint", "hardship"];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Appeal => "appeal",
            Self::Dispute => "dispute",
            Self::PaymentClaim => "payment_claim",
            Self::Complaint => "complaint",
            Self::Hardship => "hardship",
        }
    }
}

impl fmt::Display for CaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A consequence that waits while a case is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldByCase {
    /// No new restriction begins.
    Restrictions,
    /// No reminder is sent. Notices go on.
    Contact,
}

/// The consequence of a missed deadline, beside the alarm that each one raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachEffect {
    /// The case goes to the team that the policy names.
    Escalate,
    /// The case is decided for the borrower.
    Uphold,
}

/// The unit of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermUnit {
    Days,
    /// The working days of a named calendar.
    BusinessDays,
    /// The same day of a later month, or that month's last.
    Months,
}

/// The date from which a term runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermAnchor {
    /// The local date on which the case was opened.
    #[default]
    Opened,
    /// The date of the event that the case is about, a decision for example; where it is not known, the date on which
    /// the case was opened.
    Event,
}

/// A term: so many days, business days or months from an anchor. The last date of a deadline is in time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseTerm {
    pub amount: u32,
    pub unit: TermUnit,
    /// The calendar of business days.
    #[serde(default)]
    pub calendar: Option<String>,
    #[serde(default)]
    pub from: TermAnchor,
    /// Longer amounts, in the same unit and from the same anchor, to which an officer may extend an answer, one after
    /// another.
    #[serde(default)]
    pub extended_to: Vec<u32>,
    #[serde(default)]
    pub breach: Vec<BreachEffect>,
    #[serde(skip)]
    working: Option<Arc<Calendar>>,
}

impl CaseTerm {
    /// The date so many units after the anchor, extended so often.
    #[must_use]
    pub fn after(&self, anchor: NaiveDate, extensions: usize) -> NaiveDate {
        let last = extensions.min(self.extended_to.len());
        let amount = last.checked_sub(1).map_or(self.amount, |place| self.extended_to[place]);
        match (self.unit, &self.working) {
            (TermUnit::Months, _) => plus_months(anchor, amount),
            (TermUnit::BusinessDays, Some(calendar)) => {
                let next =
                    |day: NaiveDate| calendar.working_day_after(day).unwrap_or_else(|| plus_days(day, 1));
                (0..amount.min(MAX_BUSINESS_DAYS)).fold(anchor, |day, _| next(day))
            }
            (TermUnit::Days | TermUnit::BusinessDays, _) => plus_days(anchor, i64::from(amount)),
        }
    }

    /// The date, or the next working day of the term's calendar.
    #[must_use]
    pub fn on_working_day(&self, date: NaiveDate) -> NaiveDate {
        match &self.working {
            Some(calendar) if !calendar.is_working_day(date) => {
                calendar.working_day_after(date).unwrap_or(date)
            }
            _ => date,
        }
    }

    fn find_calendar(&mut self, own: &BTreeMap<String, Arc<Calendar>>) -> Result<(), String> {
        let Some(name) = &self.calendar else { return Ok(()) };
        let calendar = own.get(name).cloned().or_else(|| Calendar::shipped(name));
        let missing = || {
            let shipped: Vec<&str> = Calendar::shipped_names().collect();
            format!(
                "calendar: there is no calendar \"{name}\"; write a table [calendars.NAME] or take one of: {}",
                shipped.join(", ")
            )
        };
        self.working = Some(calendar.ok_or_else(missing)?);
        Ok(())
    }

    fn check(&self, is_answer: bool) -> Result<(), String> {
        let most = match self.unit {
            TermUnit::Days => MAX_DAYS,
            TermUnit::BusinessDays => MAX_BUSINESS_DAYS,
            TermUnit::Months => MAX_MONTHS,
        };
        if self.extended_to.len() > MAX_EXTENSIONS {
            return Err(format!("extended_to: an answer is extended at most {MAX_EXTENSIONS} times"));
        }
        let amounts = || std::iter::once(&self.amount).chain(&self.extended_to);
        if let Some(amount) = amounts().find(|amount| !(1..=most).contains(*amount)) {
            return Err(format!("amount: {amount} is not between 1 and {most}"));
        }
        if let Some((one, next)) = amounts().zip(&self.extended_to).find(|(one, next)| next <= one) {
            return Err(format!("extended_to: {next} is not more than {one}"));
        }
        if (self.unit == TermUnit::BusinessDays) != self.calendar.is_some() {
            return Err(
                "calendar: business days are those of a named calendar; other units have none".to_owned()
            );
        }
        if !is_answer && !self.extended_to.is_empty() {
            return Err("extended_to: the answer alone is extended".to_owned());
        }
        if !is_answer && self.breach.contains(&BreachEffect::Uphold) {
            return Err("breach: only a missed answer decides for the borrower".to_owned());
        }
        Ok(())
    }

    /// Whether it is no shorter than another of the same kind.
    fn is_as_long_as(&self, other: &Self) -> bool {
        self == other
            || (self.unit == other.unit
                && self.working == other.working
                && self.from == other.from
                && self.amount >= other.amount)
    }
}

/// How often a case of one kind may be opened on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRepetition {
    /// The most cases, in any `within_days`.
    pub at_most: u32,
    pub within_days: u32,
}

/// When the clock of a case may stop.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStopRules {
    /// The reasons for which it may.
    pub reasons: Vec<String>,
    /// The most days of all stops of a case together. After them the clock goes on by itself.
    pub at_most_days: u32,
}

/// The rules of one kind of case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseKindRules {
    /// How long a case may be opened after the event that it is about; none: always.
    pub file_within: Option<CaseTerm>,
    /// By when the borrower is told that the case has arrived; none: at no date.
    pub acknowledge: Option<CaseTerm>,
    /// By when the case is decided.
    pub answer: CaseTerm,
    /// By when a case without an answer goes to the team; none: not before the answer is missed.
    pub escalate: Option<CaseTerm>,
    /// The first date on which the case may be rejected; none: at once.
    pub not_before: Option<CaseTerm>,
    /// Who takes an escalated case.
    pub team: Option<String>,
    /// The consequences that wait while the case is open.
    #[serde(default, deserialize_with = "some_held")]
    pub holds: Vec<HeldByCase>,
    /// The most days for which they wait.
    pub holds_days: Option<u32>,
    /// How often the kind may be opened; a kind that holds anything has such a bound.
    pub repeat: Option<CaseRepetition>,
    /// None: the clock never stops.
    pub clock_stop: Option<ClockStopRules>,
}

/// A list that names something; a kind that holds nothing leaves it out.
fn some_held<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HeldByCase>, D::Error> {
    let held = Vec::<HeldByCase>::deserialize(deserializer)?;
    if held.is_empty() { Err(de::Error::custom("it names nothing")) } else { Ok(held) }
}

impl CaseKindRules {
    /// Whether a consequence waits while a case of this kind is open.
    #[must_use]
    pub fn holds(&self, held: HeldByCase) -> bool {
        self.holds.contains(&held)
    }

    /// The most days of all stops of the clock.
    #[must_use]
    pub fn most_stopped_days(&self) -> i64 {
        self.clock_stop.as_ref().map_or(0, |rules| i64::from(rules.at_most_days))
    }

    fn terms_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut CaseTerm)> {
        let Self { file_within, acknowledge, answer, escalate, not_before, .. } = self;
        let optional = [
            ("file_within", file_within.as_mut()),
            ("acknowledge", acknowledge.as_mut()),
            ("answer", Some(answer)),
            ("escalate", escalate.as_mut()),
            ("not_before", not_before.as_mut()),
        ];
        optional.into_iter().filter_map(|(name, term)| Some((name, term?)))
    }

    fn check(&mut self) -> Result<(), String> {
        for (name, term) in self.terms_mut() {
            term.check(name == "answer").map_err(|problem| format!("{name}.{problem}"))?;
            let has_no_breach = matches!(name, "file_within" | "not_before");
            if has_no_breach && !term.breach.is_empty() {
                return Err(format!("{name}.breach: nobody can miss it"));
            }
        }
        let escalates = self.escalate.is_some()
            || self.terms_mut().any(|(_, term)| term.breach.contains(&BreachEffect::Escalate));
        match &self.team {
            None if escalates => return Err("team: an escalated case needs a team that takes it".to_owned()),
            Some(team) if !is_plain_name(team) => {
                return Err(format!(
                    "team: \"{team}\" is no name: lower-case letters, digits and underscores"
                ));
            }
            _ => {}
        }
        let days = |field: &str, days: u32| match days {
            1..=MAX_DAYS => Ok(()),
            _ => Err(format!("{field}: {days} is not between 1 and {MAX_DAYS}")),
        };
        if self.holds.is_empty() != self.holds_days.is_none() {
            return Err("holds_days: a case that holds something says for how many days, any other does not"
                .to_owned());
        }
        if !self.holds.is_empty() && self.repeat.is_none() {
            return Err("repeat: a case that holds something says how often it may be opened".to_owned());
        }
        self.holds_days.map_or(Ok(()), |most| days("holds_days", most))?;
        if let Some(CaseRepetition { at_most, within_days }) = self.repeat {
            days("repeat.at_most", at_most)?;
            days("repeat.within_days", within_days)?;
        }
        let Some(ClockStopRules { reasons, at_most_days }) = &self.clock_stop else { return Ok(()) };
        days("clock_stop.at_most_days", *at_most_days)?;
        if !(1..=MAX_STOP_REASONS).contains(&reasons.len()) || !reasons.iter().all(|one| is_plain_name(one)) {
            return Err(format!(
                "clock_stop.reasons: 1 to {MAX_STOP_REASONS} names, of lower-case letters, digits and underscores"
            ));
        }
        Ok(())
    }

    /// Whether a borrower is provably no worse off than under `before`: as much time to open a case, no later answer,
    /// nothing that waited waits no more.
    fn is_no_stricter_than(&self, before: &Self) -> bool {
        fn no_longer(now: Option<&CaseTerm>, then: Option<&CaseTerm>) -> bool {
            match (now, then) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(now), Some(then)) => {
                    now == then || (now.breach == then.breach && then.is_as_long_as(now))
                }
            }
        }
        let files_as_long = match (&self.file_within, &before.file_within) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(now), Some(then)) => now.is_as_long_as(then),
        };
        let repeats_as_often = match (self.repeat, before.repeat) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(now), Some(then)) => now.at_most >= then.at_most && now.within_days <= then.within_days,
        };
        let answers_as_soon = no_longer(Some(&self.answer), Some(&before.answer))
            && self.answer.extended_to.iter().eq(&before.answer.extended_to)
            && self.most_stopped_days() <= before.most_stopped_days();
        files_as_long
            && repeats_as_often
            && answers_as_soon
            && no_longer(self.acknowledge.as_ref(), before.acknowledge.as_ref())
            && no_longer(self.escalate.as_ref(), before.escalate.as_ref())
            && (before.not_before.is_none() || self.not_before == before.not_before)
            && before.holds.iter().all(|held| self.holds.contains(held))
            && self.holds_days.unwrap_or(0) >= before.holds_days.unwrap_or(0)
    }
}

/// The rules of cases, by kind. A kind that is left out cannot be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "CaseTables")]
pub struct CaseRules(BTreeMap<CaseKind, CaseKindRules>);

/// A table for each kind. A fault names the kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTables {
    appeal: Option<CaseKindRules>,
    dispute: Option<CaseKindRules>,
    payment_claim: Option<CaseKindRules>,
    complaint: Option<CaseKindRules>,
    hardship: Option<CaseKindRules>,
}

impl From<CaseTables> for CaseRules {
    fn from(tables: CaseTables) -> Self {
        let CaseTables { appeal, dispute, payment_claim, complaint, hardship } = tables;
        let tables = [appeal, dispute, payment_claim, complaint, hardship];
        let named = CaseKind::ALL.into_iter().zip(tables);
        Self(named.filter_map(|(kind, rules)| Some((kind, rules?))).collect())
    }
}

impl CaseRules {
    /// The rules of a kind; none: it cannot be opened.
    #[must_use]
    pub fn of(&self, kind: CaseKind) -> Option<&CaseKindRules> {
        self.0.get(&kind)
    }

    /// Every kind that can be opened, with its rules.
    pub fn iter(&self) -> impl Iterator<Item = (CaseKind, &CaseKindRules)> {
        self.0.iter().map(|(kind, rules)| (*kind, rules))
    }

    /// Finds the calendars and checks the bounds.
    pub(super) fn checked(mut self, own: &BTreeMap<String, Arc<Calendar>>) -> Result<Self, String> {
        for (kind, rules) in &mut self.0 {
            let of_kind = |problem: String| format!("cases.{kind}.{problem}");
            rules.check().map_err(of_kind)?;
            for (name, term) in rules.terms_mut() {
                term.find_calendar(own).map_err(|problem| of_kind(format!("{name}.{problem}")))?;
            }
        }
        Ok(self)
    }

    /// Whether a borrower is provably no worse off than under `before`.
    pub(super) fn is_no_stricter_than(&self, before: &Self) -> bool {
        before.iter().all(|(kind, then)| self.of(kind).is_some_and(|now| now.is_no_stricter_than(then)))
    }
}
