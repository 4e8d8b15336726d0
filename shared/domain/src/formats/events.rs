//! Events: one command a line, as JSON, with the instant at which it became known.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FormatError, portfolio, read, read_object};
use crate::account::{Dated, DisputeOutcome, NoticeOf, PaymentKind, PromiseOutcome};
use crate::commands::{
    Command, ContactChange, ContactFact, Drawn, Event, InboundMessage, NewInstallment, PaymentReceived,
};
use crate::kernel::{
    AccountId, Currency, DisputeId, DrawId, FIRST_DATE, InstallmentNumber, LAST_DATE, Money, PaymentId,
    PromiseId, is_in_range,
};
use crate::policy::{HardshipCause, StageName};

/// Every event type, as the formats write it.
pub const EVENT_TYPES: [&str; 35] = [
    "account_opened",
    "payment_received",
    "payment_reversed",
    "installment_added",
    "drawn",
    "installment_adjusted",
    "schedule_replaced",
    "pause_started",
    "pause_ended",
    "enforcement_off",
    "enforcement_on",
    "written_off",
    "write_off_undone",
    "cause_recorded",
    "score_recorded",
    "payment_in_process",
    "payment_process_ended",
    "notice_sent",
    "fee_waived",
    "contact_changed",
    "promise_made",
    "promise_ended",
    "dispute_opened",
    "dispute_closed",
    "bureau_reported",
    "consent_changed",
    "preferences_changed",
    "contact_attempted",
    "complaint_made",
    "breathing_space_started",
    "breathing_space_ended",
    "vulnerability_recorded",
    "contact_person_added",
    "contact_person_approved",
    "contact_person_refused",
];

/// Reads one line of an events file.
///
/// # Errors
/// A [`FormatError`] that names the field.
pub fn parse_event_line(line: &str) -> Result<Event, FormatError> {
    event(read_object(line)?)
}

/// Reads a message of the lender's systems: an event with an `event_id`.
///
/// # Errors
/// A [`FormatError`] that names the field.
pub fn parse_message(body: &str) -> Result<InboundMessage, FormatError> {
    let mut fields = read_object(body)?;
    let event_id = take_text(&mut fields, "event_id")?
        .parse()
        .map_err(|problem: crate::kernel::NoId| FormatError::new("event_id", problem.to_string()))?;
    Ok(InboundMessage { event_id, event: event(fields)? })
}

fn event(mut fields: Map<String, Value>) -> Result<Event, FormatError> {
    let at = instant(&take_text(&mut fields, "at")?)?;
    let account_id: AccountId = take_text(&mut fields, "account_id")?
        .parse()
        .map_err(|problem: crate::kernel::NoId| FormatError::new("account_id", problem.to_string()))?;
    let name = take_text(&mut fields, "type")?;
    let command = command(&name, fields)?;
    if let Command::AccountOpened(contract) = &command
        && contract.account_id != account_id
    {
        let problem = format!("\"{}\" is not the event's account_id, \"{account_id}\"", contract.account_id);
        return Err(FormatError::new("account.account_id", problem));
    }
    Ok(Event { at, account_id, command })
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<String, FormatError> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(FormatError::new(name, format!("{other} is no string"))),
        None => Err(FormatError::new("", format!("missing field `{name}`"))),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, FormatError> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| {
        let problem = format!(
            "\"{text}\" is no instant: write RFC 3339 with an offset, such as 2023-10-05T09:30:00+08:00"
        );
        FormatError::new("at", problem)
    })?;
    let instant = instant.to_utc();
    if !is_in_range(instant.date_naive()) {
        return Err(FormatError::new("at", format!("{text} is not between {FIRST_DATE} and {LAST_DATE}")));
    }
    Ok(instant)
}

fn command(name: &str, fields: Map<String, Value>) -> Result<Command, FormatError> {
    let json = Value::Object(fields);
    Ok(match name {
        "account_opened" => {
            let opened: Opened = read(json)?;
            let contract = portfolio::contract(opened.account)
                .map_err(|error| FormatError::new(format!("account.{}", error.field), error.problem))?;
            Command::AccountOpened(Box::new(contract))
        }
        "payment_received" => {
            let received: Received = read(json)?;
            Command::PaymentReceived(PaymentReceived {
                payment_id: received.payment_id,
                amount: received.amount,
                currency: received.currency,
                value_date: received.value_date,
                kind: received.kind,
                applies_to: received.applies_to,
            })
        }
        "payment_reversed" => {
            let Reversed { payment_id, dated } = read(json)?;
            Command::PaymentReversed { payment_id, dated }
        }
        "installment_added" => {
            let Added { installment } = read(json)?;
            Command::InstallmentAdded(installment)
        }
        "drawn" => {
            let DrawOf { draw_id, amount, currency, installments } = read(json)?;
            Command::Drawn(Drawn { draw_id, amount, currency, installments })
        }
        "installment_adjusted" => {
            let Adjusted { number, amount, reason } = read(json)?;
            Command::InstallmentAdjusted { number, amount, reason }
        }
        "schedule_replaced" => {
            let Replaced { installments, reason } = read(json)?;
            Command::ScheduleReplaced { installments, reason }
        }
        "pause_started" => {
            let Started { from, until } = read(json)?;
            Command::PauseStarted { from, until }
        }
        "pause_ended" => {
            let Ended { on } = read(json)?;
            Command::PauseEnded { on }
        }
        "enforcement_off" => {
            let ReasonOnly { reason } = read(json)?;
            Command::EnforcementOff { reason }
        }
        "enforcement_on" => {
            let ReasonOnly { reason } = read(json)?;
            Command::EnforcementOn { reason }
        }
        "written_off" => {
            let Named { number, reason } = read(json)?;
            Command::WrittenOff { number, reason }
        }
        "write_off_undone" => {
            let Named { number, reason } = read(json)?;
            Command::WriteOffUndone { number, reason }
        }
        "cause_recorded" => {
            let CauseOf { cause, by, reason, until } = read(json)?;
            Command::CauseRecorded { cause, by, reason, until }
        }
        "score_recorded" => {
            let ScoreOf { score, by, until } = read(json)?;
            Command::ScoreRecorded { score, by, until }
        }
        "payment_in_process" => {
            let Until { until } = read(json)?;
            Command::PaymentInProcess { until }
        }
        "payment_process_ended" => {
            let ReasonOnly { reason } = read(json)?;
            Command::PaymentProcessEnded { reason }
        }
        "notice_sent" => {
            let Announced { stage, policy_version } = read(json)?;
            Command::NoticeSent(match (stage, policy_version) {
                (Some(stage), None) => NoticeOf::Stage(stage),
                (None, Some(version)) => NoticeOf::Policy(version),
                _ => {
                    let problem = "a notice is of a stage or of a policy_version, and of one".to_owned();
                    return Err(FormatError::new("stage", problem));
                }
            })
        }
        "fee_waived" => {
            let Waived { number, amount, reason } = read(json)?;
            Command::FeeWaived { number, amount, reason }
        }
        "contact_changed" => {
            let change: ContactChange = read(json)?;
            change.check().map_err(|refusal| FormatError::new("", refusal.to_string()))?;
            Command::ContactChanged(change)
        }
        "promise_made" => {
            let Promised { promise_id, amount, until } = read(json)?;
            Command::PromiseMade { promise_id, amount, until }
        }
        "promise_ended" => {
            let PromiseOver { promise_id, outcome } = read(json)?;
            Command::PromiseEnded { promise_id, outcome }
        }
        "dispute_opened" => {
            let Disputed { dispute_id, reason } = read(json)?;
            Command::DisputeOpened { dispute_id, reason }
        }
        "dispute_closed" => {
            let DisputeOver { dispute_id, outcome } = read(json)?;
            Command::DisputeClosed { dispute_id, outcome }
        }
        "bureau_reported" => {
            let Nothing {} = read(json)?;
            Command::BureauReported
        }
        "consent_changed" => contact_command(ContactFact::Consent(read(json)?))?,
        "preferences_changed" => contact_command(ContactFact::Preferences(read(json)?))?,
        "contact_attempted" => contact_command(ContactFact::Attempted(read(json)?))?,
        "complaint_made" => contact_command(ContactFact::Complaint(read(json)?))?,
        "breathing_space_started" => contact_command(ContactFact::BreathingSpaceStarted(read(json)?))?,
        "breathing_space_ended" => {
            let Nothing {} = read(json)?;
            contact_command(ContactFact::BreathingSpaceEnded)?
        }
        "vulnerability_recorded" => contact_command(ContactFact::Vulnerability(read(json)?))?,
        "contact_person_added" => contact_command(ContactFact::ThirdPartyAdded(read(json)?))?,
        "contact_person_approved" => contact_command(ContactFact::ThirdPartyApproved(read(json)?))?,
        "contact_person_refused" => contact_command(ContactFact::ThirdPartyRefused(read(json)?))?,
        unknown => {
            let shown: String = unknown.chars().take(60).collect();
            let problem = format!("\"{shown}\" is no event type; there are {}", EVENT_TYPES.join(", "));
            return Err(FormatError::new("type", problem));
        }
    })
}

fn contact_command(fact: ContactFact) -> Result<Command, FormatError> {
    fact.check().map_err(|refusal| FormatError::new("", refusal.to_string()))?;
    Ok(Command::Contact(fact))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promised {
    promise_id: PromiseId,
    amount: Money,
    #[serde(deserialize_with = "crate::kernel::written::date")]
    until: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromiseOver {
    promise_id: PromiseId,
    outcome: PromiseOutcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    dispute_id: DisputeId,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeOver {
    dispute_id: DisputeId,
    outcome: DisputeOutcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    account: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received {
    payment_id: PaymentId,
    amount: Money,
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "crate::kernel::written::maybe_date")]
    value_date: Option<NaiveDate>,
    #[serde(default)]
    kind: PaymentKind,
    #[serde(default)]
    applies_to: Vec<InstallmentNumber>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reversed {
    payment_id: PaymentId,
    #[serde(default)]
    dated: Dated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    installment: NewInstallment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawOf {
    draw_id: DrawId,
    amount: Money,
    currency: Option<Currency>,
    installments: Vec<NewInstallment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjusted {
    number: InstallmentNumber,
    amount: Money,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replaced {
    installments: Vec<NewInstallment>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Started {
    #[serde(deserialize_with = "crate::kernel::written::date")]
    from: NaiveDate,
    #[serde(deserialize_with = "crate::kernel::written::date")]
    until: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    #[serde(deserialize_with = "crate::kernel::written::date")]
    on: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseOf {
    cause: HardshipCause,
    by: String,
    reason: String,
    #[serde(default, deserialize_with = "crate::kernel::written::maybe_date")]
    until: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreOf {
    score: u32,
    by: String,
    #[serde(default, deserialize_with = "crate::kernel::written::maybe_date")]
    until: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    #[serde(deserialize_with = "crate::kernel::written::date")]
    until: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    stage: Option<StageName>,
    policy_version: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonOnly {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    number: Option<InstallmentNumber>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waived {
    number: Option<InstallmentNumber>,
    amount: Option<Money>,
    reason: String,
}
