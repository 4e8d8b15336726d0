//! The canonical line of a command: the JSON that events files hold. Its checksum tells a repeated
//! message from a different one under the same id.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::command::{Command, Contract, Event, NewInstallment};
use super::customer_facts::ContactFact;
use crate::account::{Dated, NoticeOf};
use crate::kernel::Currency;

/// An event as a line of an events file, without its line feed. Amounts keep the decimals they came with.
#[must_use]
pub fn event_line(event: &Event) -> String {
    Value::Object(event_fields(event)).to_string()
}

pub(crate) fn event_fields(event: &Event) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("at".to_owned(), event.at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into());
    line.insert("type".to_owned(), event.command.name().into());
    line.insert("account_id".to_owned(), event.account_id.as_str().into());
    if let Value::Object(fields) = fields(&event.command) {
        line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    line
}

pub(crate) fn account(contract: &Contract) -> Value {
    json!({
        "account_id": contract.account_id,
        "customer_id": contract.customer_id,
        "policy_id": contract.policy_id,
        "currency": contract.currency,
        "time_zone": contract.time_zone.name(),
        "opened_on": contract.opened_on,
        "installments": contract.installments.iter().map(installment).collect::<Vec<_>>(),
    })
}

fn installment(installment: &NewInstallment) -> Value {
    let mut line = json!({
        "number": installment.number,
        "due_on": installment.due_on,
        "principal": installment.principal,
        "interest": installment.interest,
        "fee": installment.fee,
    });
    if let Some(draw_id) = &installment.draw_id {
        line["draw_id"] = draw_id.as_str().into();
    }
    line
}

fn fields(command: &Command) -> Value {
    match command {
        Command::AccountOpened(contract) => json!({ "account": account(contract) }),
        Command::PaymentReceived(payment) => json!({
            "payment_id": payment.payment_id,
            "amount": payment.amount,
            "currency": payment.currency.map(Currency::code),
            "value_date": payment.value_date,
            "kind": payment.kind,
            "applies_to": (!payment.applies_to.is_empty()).then_some(&payment.applies_to),
        }),
        Command::PaymentReversed { payment_id, dated } => {
            let dated = match dated {
                Dated::Original => "original",
                Dated::Reversal => "reversal",
            };
            json!({ "payment_id": payment_id, "dated": dated })
        }
        Command::InstallmentAdded(new) => json!({ "installment": installment(new) }),
        Command::Drawn(drawn) => json!({
            "draw_id": drawn.draw_id,
            "amount": drawn.amount,
            "currency": drawn.currency.map(Currency::code),
            "installments": drawn.installments.iter().map(installment).collect::<Vec<_>>(),
        }),
        Command::InstallmentAdjusted { number, amount, reason } => {
            json!({ "number": number, "amount": amount, "reason": reason })
        }
        Command::ScheduleReplaced { installments, reason } => {
            json!({ "installments": installments.iter().map(installment).collect::<Vec<_>>(), "reason": reason })
        }
        Command::PauseStarted { from, until } => json!({ "from": from, "until": until }),
        Command::PauseEnded { on } => json!({ "on": on }),
        Command::EnforcementOff { reason }
        | Command::EnforcementOn { reason }
        | Command::PaymentProcessEnded { reason } => json!({ "reason": reason }),
        Command::WrittenOff { number, reason } | Command::WriteOffUndone { number, reason } => {
            json!({ "number": number, "reason": reason })
        }
        Command::CauseRecorded { cause, by, reason, until } => {
            json!({ "cause": cause.as_str(), "by": by, "reason": reason, "until": until })
        }
        Command::ScoreRecorded { score, by, until } => json!({ "score": score, "by": by, "until": until }),
        Command::PaymentInProcess { until } => json!({ "until": until }),
        Command::NoticeSent(NoticeOf::Stage(stage)) => json!({ "stage": stage }),
        Command::NoticeSent(NoticeOf::Policy(version)) => json!({ "policy_version": version }),
        Command::FeeWaived { number, amount, reason } => {
            json!({ "number": number, "amount": amount, "reason": reason })
        }
        Command::ContactChanged(change) => json!({
            "channel": change.channel.as_str(),
            "contact_point": change.contact_point,
            "name": change.name,
            "changed_by": change.changed_by,
        }),
        Command::PromiseMade { promise_id, amount, until } => {
            json!({ "promise_id": promise_id, "amount": amount, "until": until })
        }
        Command::PromiseEnded { promise_id, outcome } => {
            json!({ "promise_id": promise_id, "outcome": outcome })
        }
        Command::DisputeOpened { dispute_id, reason } => {
            json!({ "dispute_id": dispute_id, "reason": reason })
        }
        Command::DisputeClosed { dispute_id, outcome } => {
            json!({ "dispute_id": dispute_id, "outcome": outcome })
        }
        Command::BureauReported => json!({}),
        Command::Contact(fact) => contact_fields(fact),
    }
}

fn contact_fields(fact: &ContactFact) -> Value {
    match fact {
        ContactFact::Consent(fact) => json!(fact),
        ContactFact::Preferences(fact) => json!(fact),
        ContactFact::Attempted(fact) => json!(fact),
        ContactFact::Complaint(fact) => json!(fact),
        ContactFact::BreathingSpaceStarted(fact) => json!(fact),
        ContactFact::BreathingSpaceEnded => json!({}),
        ContactFact::Vulnerability(fact) => json!(fact),
        ContactFact::ThirdPartyAdded(fact) => json!(fact),
        ContactFact::ThirdPartyApproved(fact) => json!(fact),
        ContactFact::ThirdPartyRefused(fact) => json!(fact),
    }
}
