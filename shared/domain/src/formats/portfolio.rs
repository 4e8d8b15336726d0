//! The portfolio file: one account a line, as JSON, or one installment a row, as CSV.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::check_ids;
use super::{FormatError, read_object};
use crate::commands::{Contract, NewInstallment};
use crate::kernel::{InstallmentNumber, Refusal, read_json};

/// The fields of a JSON object.
type Fields = serde_json::Map<String, serde_json::Value>;

/// Reads one JSON line of a portfolio file.
///
/// # Errors
/// A [`FormatError`] that names the field, also where the installments do not hold together.
pub fn parse_book_line(line: &str) -> Result<Contract, FormatError> {
    let fields = read_object(line)?;
    check_ids(&fields)?;
    Contract::read(serde_json::Value::Object(fields))
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
    let mut order: Vec<GatheredAccount> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults: BTreeMap<usize, (u64, FormatError)> = BTreeMap::new();
    let mut numbers: BTreeSet<(usize, u32)> = BTreeSet::new();
    for row in rows {
        let (terms, installment) = split(row.fields);
        let id = terms.get("account_id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        let place = *places.entry(id).or_insert(order.len());
        let mut fault = |error| {
            faults.entry(place).or_insert((row.line, error));
        };
        if let Err(error) = check_ids(&terms) {
            fault(error);
        }
        if place == order.len() {
            order.push(GatheredAccount { line: row.line, account: terms, installments: Vec::new() });
        } else if let Some((field, value)) =
            terms.iter().find(|(field, value)| order[place].account.get(*field) != Some(value))
        {
            fault(FormatError::new(field, format!("{value} differs from the account's first row")));
        }
        let Some(installment) = installment else { continue };
        match check_installment(&installment) {
            Err(error) => fault(error),
            Ok(number) if !numbers.insert((place, number)) => {
                let taken = Refusal::InstallmentExists(InstallmentNumber(number));
                fault(FormatError::new("", taken.to_string()));
            }
            Ok(_) => {}
        }
        order[place].installments.push((row.line, installment));
    }
    let accounts = order.into_iter().enumerate();
    accounts
        .map(|(place, gathered)| match faults.remove(&place) {
            Some((line, fault)) => (line, Err(fault)),
            None => gathered.read(),
        })
        .collect()
}

/// The rows of one account.
struct GatheredAccount {
    /// The line of its first row.
    line: u64,
    account: Fields,
    /// The installments, each with the line of its row.
    installments: Vec<(u64, Fields)>,
}

impl GatheredAccount {
    /// The contract, with the line of the account's first row; or its fault, with the line of the row at fault.
    fn read(self) -> (u64, Result<Contract, FormatError>) {
        let Self { line, mut account, installments } = self;
        let (lines, installments): (Vec<u64>, Vec<serde_json::Value>) =
            installments.into_iter().map(|(line, one)| (line, serde_json::Value::Object(one))).unzip();
        account.insert("installments".to_owned(), installments.into());
        match Contract::read(serde_json::Value::Object(account)) {
            Ok(contract) => (line, Ok(contract)),
            Err(fault) => match of_installment(&fault) {
                Some((place, fault)) => (lines.get(place).copied().unwrap_or(line), Err(fault)),
                None => (line, Err(fault)),
            },
        }
    }
}

/// The place of the installment that a fault names, and the fault without it: a row has no list.
fn of_installment(fault: &FormatError) -> Option<(usize, FormatError)> {
    let text = fault.to_string();
    let (place, rest) = text.strip_prefix("installments[")?.split_once("].")?;
    Some((place.parse().ok()?, FormatError::new("", rest)))
}

/// Checks the installment of a row by itself; returns its number.
fn check_installment(fields: &Fields) -> Result<u32, FormatError> {
    check_ids(fields)?;
    let installment: NewInstallment = read_json(serde_json::Value::Object(fields.clone()))?;
    Ok(installment.number.0)
}

/// Splits a row into the account's terms and the installment.
fn split(fields: BTreeMap<String, String>) -> (Fields, Option<Fields>) {
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
    let installment = (!installment.is_empty()).then_some(installment);
    (terms, installment)
}
