//! The facts of the tests: sample events, contracts, messages.

use chrono::{DateTime, Utc};
use duewatch_domain::formats::{parse_book_line, parse_message};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::{Contract, InboundMessage};
use serde_json::{Value, json};

/// Reads a sample event from `events/`.
#[must_use]
pub fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Reads an instant in RFC 3339.
#[must_use]
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Reads an account id.
#[must_use]
pub fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

/// A customer's only loan, in Shanghai (the customer of A-1 is C-1): four times 250.00 CNY, due on the first of
/// October to January.
#[must_use]
pub fn contract(policy_id: &str, account_id: &str) -> Contract {
    contract_of(
        policy_id,
        account_id,
        &["2023-10-01", "2023-11-01", "2023-12-01", "2024-01-01"].map(str::to_owned),
    )
}

/// A customer's only loan, in Shanghai (the customer of A-1 is C-1): 250.00 CNY on each of the dates.
#[must_use]
pub fn contract_of(policy_id: &str, account_id: &str, due_on: &[String]) -> Contract {
    let installments: Vec<Value> = due_on
        .iter()
        .enumerate()
        .map(|(place, due_on)| json!({ "number": place + 1, "due_on": due_on, "principal": "250.00" }))
        .collect();
    let line = json!({
        "account_id": account_id,
        "customer_id": format!("C-{}", account_id.trim_start_matches("A-")),
        "policy_id": policy_id,
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "opened_on": "2023-09-01",
        "installments": installments,
    });
    parse_book_line(&line.to_string()).unwrap()
}

/// A message of the lender's systems: an event in the format's own words, under an id.
#[must_use]
pub fn message(
    event_id: &str,
    at: DateTime<Utc>,
    account_id: &str,
    kind: &str,
    fields: &str,
) -> InboundMessage {
    let at = at.to_rfc3339();
    let body = format!(
        r#"{{"event_id":"{event_id}","at":"{at}","type":"{kind}","account_id":"{account_id}",{fields}}}"#
    );
    parse_message(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}
