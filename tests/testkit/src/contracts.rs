//! Contracts, by way of the portfolio format.

use duewatch_domain::Contract;
use duewatch_domain::formats::parse_book_line;
use serde_json::{Value, json};

/// The first of October to January: the due dates of the usual loan.
pub const FOUR_MONTHS: [&str; 4] = ["2023-10-01", "2023-11-01", "2023-12-01", "2024-01-01"];

/// The terms of a contract, each as the portfolio format writes it. By default A-1 of C-1, under the policy
/// `standard`, in CNY and Shanghai, opened in 2020, without installments.
#[derive(Clone, Debug)]
pub struct ContractTerms<'a> {
    pub account_id: &'a str,
    pub customer_id: &'a str,
    pub policy_id: &'a str,
    pub currency: &'a str,
    pub time_zone: &'a str,
    pub opened_on: &'a str,
    /// An array in JSON.
    pub installments: Value,
}

impl Default for ContractTerms<'_> {
    fn default() -> Self {
        Self {
            account_id: "A-1",
            customer_id: "C-1",
            policy_id: "standard",
            currency: "CNY",
            time_zone: "Asia/Shanghai",
            opened_on: "2020-01-01",
            installments: json!([]),
        }
    }
}

impl ContractTerms<'_> {
    /// The contract.
    ///
    /// # Panics
    /// When the format refuses the terms.
    #[must_use]
    pub fn contract(&self) -> Contract {
        let line = json!({
            "account_id": self.account_id,
            "customer_id": self.customer_id,
            "policy_id": self.policy_id,
            "currency": self.currency,
            "time_zone": self.time_zone,
            "opened_on": self.opened_on,
            "installments": self.installments,
        });
        parse_book_line(&line.to_string()).unwrap_or_else(|error| panic!("{error}\n{line}"))
    }
}

/// Installments of one principal, numbered from 1, due on those dates.
#[must_use]
pub fn equal_installments<T: AsRef<str>>(principal: &str, due_on: &[T]) -> Value {
    (1..)
        .zip(due_on)
        .map(
            |(number, due_on)| json!({ "number": number, "due_on": due_on.as_ref(), "principal": principal }),
        )
        .collect()
}
