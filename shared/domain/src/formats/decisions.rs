//! The decisions output: one change of stage or restrictions a line.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::account::{Decision, Figures, Reason};
use crate::kernel::{AccountId, Currency, Revision};
use crate::policy::{PolicyRef, Restriction, StageName};

/// The account of a decision.
#[derive(Clone, Copy, Debug)]
pub struct DecisionSubject<'a> {
    pub account_id: &'a AccountId,
    /// The currency of the decision's amounts.
    pub currency: Currency,
}

/// A decision as it is written to files and published in events.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionLine<'a> {
    #[serde(serialize_with = "instant")]
    pub at: DateTime<Utc>,
    pub account_id: &'a AccountId,
    pub revision: Revision,
    pub policy: &'a PolicyRef,
    pub from: &'a StageName,
    pub to: &'a StageName,
    pub applied: &'a [Restriction],
    pub lifted: &'a [Restriction],
    pub figures: FiguresLine,
    pub reasons: Vec<ReasonLine>,
    #[serde(serialize_with = "maybe_instant")]
    pub next_action_at: Option<DateTime<Utc>>,
    pub event_id: String,
}

impl<'a> DecisionLine<'a> {
    /// The output line of a decision.
    #[must_use]
    pub fn new(subject: DecisionSubject<'a>, decision: &'a Decision) -> Self {
        Self {
            at: decision.at,
            account_id: subject.account_id,
            revision: decision.revision,
            policy: &decision.policy,
            from: &decision.from,
            to: &decision.to,
            applied: &decision.applied,
            lifted: &decision.lifted,
            figures: FiguresLine::new(&decision.figures, subject.currency),
            reasons: decision.reasons.iter().map(ReasonLine::new).collect(),
            next_action_at: decision.next_action_at,
            event_id: decision.event_id(subject.account_id),
        }
    }
}

/// The figures of an assessment as they are written to files.
#[derive(Clone, Debug, Serialize)]
pub struct FiguresLine {
    pub days_past_due: u32,
    pub delinquent_days: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material_days: Option<u32>,
    pub overdue: String,
    pub oldest_due_on: Option<chrono::NaiveDate>,
    pub outstanding: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<String>,
    pub unpaid_installments: u32,
}

impl FiguresLine {
    /// The figures, with amounts in the minor units of the currency.
    #[must_use]
    pub fn new(figures: &Figures, currency: Currency) -> Self {
        Self {
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            material_days: figures.material_days,
            overdue: currency.text(figures.overdue),
            oldest_due_on: figures.oldest_due_on,
            outstanding: currency.text(figures.outstanding),
            late_fee: figures.late_fee.map(|fee| currency.text(fee)),
            unpaid_installments: figures.unpaid_installments,
        }
    }
}

/// A reason as it is written to files: the rule, its threshold, the value that met it, and a sentence.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonLine {
    pub rule: &'static str,
    pub threshold: Value,
    pub value: Value,
    pub sentence: String,
}

impl ReasonLine {
    /// The reason, in data and in words.
    #[must_use]
    pub fn new(reason: &Reason) -> Self {
        let (threshold, value) = reason.threshold_and_value();
        Self { rule: reason.rule(), threshold, value, sentence: reason.to_string() }
    }
}

/// RFC 3339 in UTC with `Z`, with a fraction only where there is one.
pub(super) fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn maybe_instant<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, serializer),
        None => serializer.serialize_none(),
    }
}
