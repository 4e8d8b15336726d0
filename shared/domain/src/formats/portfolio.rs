//! The portfolio file: one account a line, as JSON, or one installment a row, as CSV.

use std::collections::BTreeMap;

use super::{FormatError, read_object};
use crate::commands::{Contract, NewInstallment};
use crate::kernel::read_json;

/// Reads one JSON line of a portfolio file.
///
/// # Errors
/// A [`FormatError`] that names the field, also where the installments do not hold together.
pub fn parse_book_line(line: &str) -> Result<Contract, FormatError> {
    Contract::read(serde_json::Value::Object(read_object(line)?))
}

/// The columns of a portfolio file in CSV, in the order in which they are documented. `interest`, `fee`, `draw_id`
/// and the two of the contract's interest terms may be left out or empty.
pub const BOOK_COLUMNS: [&str; 14] = [
    "account_id",
    "customer_id",
    "policy_id",
    "currency",
    "time_zone",
    "opened_on",
    "number",
    "due_on",
    "principal",
    "interest",
    "fee",
    "draw_id",
    "interest_method",
    "annual_rate",
];

/// One row of a portfolio file in CSV.
#[derive(Clone, Debug)]
pub struct BookRow {
    /// The line in the file, from 1.
    pub line: u64,
    /// By column name.
    pub fields: BTreeMap<String, String>,
}

/// Gathers rows into accounts, in the order in which the accounts first appear. A row without a `number`
/// opens an account that has no installment.
///
/// A faulty account fails alone: the other accounts are still in the answer.
#[must_use]
pub fn parse_book_rows(rows: Vec<BookRow>) -> Vec<(u64, Result<Contract, FormatError>)> {
    let mut order: Vec<(u64, serde_json::Map<String, serde_json::Value>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults: BTreeMap<usize, (u64, FormatError)> = BTreeMap::new();
    for row in rows {
        let (terms, installment) = split(row.fields);
        let id = terms.get("account_id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        let place = *places.entry(id).or_insert(order.len());
        if place == order.len() {
            let mut account = terms;
            account.insert("installments".to_owned(), serde_json::Value::Array(Vec::new()));
            order.push((row.line, account));
        } else if let Some((field, value)) =
            terms.iter().find(|(field, value)| order[place].1.get(*field) != Some(value))
        {
            let problem = format!("{value} differs from the account's first row");
            faults.entry(place).or_insert((row.line, FormatError::new(field, problem)));
        }
        let Some(installment) = installment else { continue };
        if let Err(error) = read_json::<NewInstallment>(installment.clone()) {
            faults.entry(place).or_insert((row.line, error));
        }
        if let Some(serde_json::Value::Array(installments)) = order[place].1.get_mut("installments") {
            installments.push(installment);
        }
    }
    let mut accounts = Vec::with_capacity(order.len());
    for (place, (line, account)) in order.into_iter().enumerate() {
        accounts.push(match faults.remove(&place) {
            Some((line, fault)) => (line, Err(fault)),
            None => (line, Contract::read(serde_json::Value::Object(account))),
        });
    }
    accounts
}

/// Splits a row into the account's terms and the installment.
fn split(
    fields: BTreeMap<String, String>,
) -> (serde_json::Map<String, serde_json::Value>, Option<serde_json::Value>) {
    let mut terms = serde_json::Map::new();
    let mut installment = serde_json::Map::new();
    let mut interest = serde_json::Map::new();
    for (field, value) in fields {
        match field.as_str() {
            "number" if value.is_empty() => {}
            "number" => {
                let number = value.parse::<u32>().map_or_else(|_| value.into(), Into::into);
                installment.insert(field, number);
            }
            "due_on" | "principal" | "interest" | "fee" | "draw_id" => {
                if !value.is_empty() {
                    installment.insert(field, value.into());
                }
            }
            "interest_method" | "annual_rate" => {
                if !value.is_empty() {
                    interest.insert(field.trim_start_matches("interest_").to_owned(), value.into());
                }
            }
            _ => {
                terms.insert(field, value.into());
            }
        }
    }
    if !interest.is_empty() {
        terms.insert("interest".to_owned(), interest.into());
    }
    let installment = (!installment.is_empty()).then_some(serde_json::Value::Object(installment));
    (terms, installment)
}
