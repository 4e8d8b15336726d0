//! The facts of the tests: sample events, contracts, messages.

use chrono::{DateTime, Utc};
use duewatch_domain::formats::parse_message;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::{Contract, InboundMessage};
use duewatch_testkit::{ContractTerms, FOUR_MONTHS, equal_installments};
use serde_json::Value;

/// Reads a sample event from `events/`.
#[must_use]
pub fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
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
    contract_of(policy_id, account_id, &FOUR_MONTHS.map(str::to_owned))
}

/// A customer's only loan, in Shanghai (the customer of A-1 is C-1): 250.00 CNY on each of the dates.
#[must_use]
pub fn contract_of(policy_id: &str, account_id: &str, due_on: &[String]) -> Contract {
    ContractTerms {
        account_id,
        customer_id: &format!("C-{}", account_id.trim_start_matches("A-")),
        policy_id,
        opened_on: "2023-09-01",
        installments: equal_installments("250.00", due_on),
        ..ContractTerms::default()
    }
    .contract()
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
