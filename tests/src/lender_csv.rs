//! Imports a lender's own CSV: an example to start from.
//!
//! A lender's file has its own columns, words and dates. The import states once, in duewatch's terms, the
//! meaning of each; after that the files in duewatch's formats do the rest. This file has one loan a row:
//!
//! ```text
//! Loan_ID,loan_status,Principal,terms,effective_date,due_date,paid_off_time,past_due_days
//! L-1,PAIDOFF,1000,30,9/8/2016,10/7/2016,9/14/2016 19:31,
//! L-2,COLLECTION,800,15,9/9/2016,9/23/2016,,76
//! ```
//!
//! Each loan is an account with one installment, each `paid_off_time` a payment of it. `terms` and
//! `past_due_days` are no facts but follow from the dates: duewatch counts days itself, and the lender's
//! count is kept only for the comparison.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use duewatch_domain::Zone;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE, at_local_time};
use serde_json::json;

/// The terms of the loans that the lender's file leaves out.
#[derive(Clone, Debug)]
pub struct LenderTerms {
    /// The zone in which the loans' days begin, and in which the file's times are local.
    pub time_zone: Zone,
    pub currency: Currency,
}

/// A row of the lender's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LenderLoan {
    /// `Loan_ID`.
    pub account_id: AccountId,
    /// `loan_status`.
    pub status: Status,
    /// `Principal`: the whole amount, due at once.
    pub principal: Money,
    /// `effective_date`: the loan's first day.
    pub opened_on: NaiveDate,
    /// `due_date`.
    pub due_on: NaiveDate,
    /// `paid_off_time`: the instant of full payment, by the lender's clock.
    pub paid_at: Option<NaiveDateTime>,
    /// `past_due_days`: the lender's own count.
    pub past_due_days: Option<u32>,
}

/// The status of a loan, in the lender's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `PAIDOFF`: paid in time.
    PaidOff,
    /// `COLLECTION_PAIDOFF`: paid late.
    CollectionPaidOff,
    /// `COLLECTION`: not paid.
    Collection,
}

/// A reason for which a lender's file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum LenderCsvError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A row that is no CSV.
    #[error("line {line}: {problem}")]
    Row {
        /// From 1.
        line: u64,
        problem: String,
    },
    /// The name of a missing column.
    #[error("line 1: there is no column {0}")]
    NoColumn(&'static str),
    /// A value that does not fit its column.
    #[error("line {line}: {column}: \"{value}\" is no {wanted}")]
    Value {
        /// From 1.
        line: u64,
        column: &'static str,
        value: String,
        /// The expected form.
        wanted: String,
    },
    /// The file has no loan.
    #[error("there is no loan in the file")]
    NoLoan,
}

/// Reads the lender's rows.
///
/// # Errors
/// A [`LenderCsvError`] with the line, the column and the value.
pub fn read_loans(text: &str, terms: &LenderTerms) -> Result<Vec<LenderLoan>, LenderCsvError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = Columns::find(reader.headers().map_err(|error| row_error(&error))?)?;
    let loans: Result<Vec<LenderLoan>, LenderCsvError> = reader
        .records()
        .map(|record| columns.loan(&record.map_err(|error| row_error(&error))?, terms))
        .collect();
    loans.and_then(|loans| if loans.is_empty() { Err(LenderCsvError::NoLoan) } else { Ok(loans) })
}

fn row_error(error: &csv::Error) -> LenderCsvError {
    let line = error.position().map_or(1, csv::Position::line);
    LenderCsvError::Row { line, problem: error.to_string() }
}

/// The columns that the import reads, in the order of [`Columns::places`].
const COLUMNS: [&str; 7] =
    ["Loan_ID", "loan_status", "Principal", "effective_date", "due_date", "paid_off_time", "past_due_days"];

/// The index of each column.
struct Columns {
    places: [usize; COLUMNS.len()],
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, LenderCsvError> {
        let mut places = [0; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = header.iter().position(|name| name == column);
            *place = found.ok_or(LenderCsvError::NoColumn(column))?;
        }
        Ok(Self { places })
    }

    fn loan(&self, record: &csv::StringRecord, terms: &LenderTerms) -> Result<LenderLoan, LenderCsvError> {
        let line = record.position().map_or(0, csv::Position::line);
        let [id, status, principal, opened_on, due_on, paid_at, past_due_days] =
            self.places.map(|place| record.get(place).unwrap_or_default());
        let fault = |column, value: &str, wanted: &str| LenderCsvError::Value {
            line,
            column,
            value: value.to_owned(),
            wanted: wanted.to_owned(),
        };
        // `%Y` also reads a two-digit year, as one of antiquity.
        let in_range = |date: NaiveDate| (FIRST_DATE..=LAST_DATE).contains(&date);
        let date = |column, value: &str| {
            let date = NaiveDate::parse_from_str(value, "%m/%d/%Y").ok().filter(|date| in_range(*date));
            date.ok_or_else(|| fault(column, value, "date such as 9/14/2016"))
        };
        let time = |value: &str| {
            let time = NaiveDateTime::parse_from_str(value, "%m/%d/%Y %H:%M").ok();
            time.filter(|time| in_range(time.date()))
                .ok_or_else(|| fault("paid_off_time", value, "time such as 9/14/2016 19:31"))
        };
        let count =
            |value: &str| value.parse().map_err(|_| fault("past_due_days", value, "whole number of days"));
        let amount = principal.parse().ok().and_then(|amount: Money| terms.currency.exact(amount).ok());
        let loan = LenderLoan {
            account_id: id.parse().map_err(|_| fault("Loan_ID", id, "identifier"))?,
            status: match status {
                "PAIDOFF" => Status::PaidOff,
                "COLLECTION_PAIDOFF" => Status::CollectionPaidOff,
                "COLLECTION" => Status::Collection,
                _ => return Err(fault("loan_status", status, "status that is known")),
            },
            principal: amount.filter(|amount| amount.is_positive()).ok_or_else(|| {
                fault("Principal", principal, &format!("amount of more than zero in {}", terms.currency))
            })?,
            opened_on: date("effective_date", opened_on)?,
            due_on: date("due_date", due_on)?,
            paid_at: (!paid_at.is_empty()).then(|| time(paid_at)).transpose()?,
            past_due_days: (!past_due_days.is_empty()).then(|| count(past_due_days)).transpose()?,
        };
        let is_paid = loan.status != Status::Collection;
        if is_paid != loan.paid_at.is_some() {
            let wanted =
                if is_paid { "time, and the loan is paid off" } else { "blank, and nothing is paid" };
            return Err(fault("paid_off_time", paid_at, wanted));
        }
        Ok(loan)
    }
}

impl LenderLoan {
    /// The instant of full payment.
    #[must_use]
    pub fn paid_off_at(&self, terms: &LenderTerms) -> Option<DateTime<Utc>> {
        self.paid_at.map(|local| at_local_time(terms.time_zone, local.date(), local.time()))
    }

    /// The loan's line of the portfolio file.
    #[must_use]
    pub fn book_line(&self, terms: &LenderTerms) -> String {
        json!({
            "account_id": self.account_id,
            "customer_id": self.account_id,
            "policy_id": "lender",
            "currency": terms.currency.code(),
            "time_zone": terms.time_zone.name(),
            "opened_on": self.opened_on,
            "installments": [{ "number": 1, "due_on": self.due_on, "principal": self.principal }],
        })
        .to_string()
    }

    /// The event of the loan's payment, if it was paid.
    #[must_use]
    pub fn payment_line(&self, terms: &LenderTerms) -> Option<String> {
        let at = self.paid_off_at(terms)?.with_timezone(&terms.time_zone);
        let event = json!({
            "at": at.to_rfc3339(),
            "type": "payment_received",
            "account_id": self.account_id,
            "payment_id": "paid-off",
            "amount": self.principal,
        });
        Some(event.to_string())
    }
}

/// The policy under which the lender's count of days holds: the day after the due date is day 1, there is no
/// grace, and no drawdown is allowed while a loan is late.
#[must_use]
pub fn policy(effective_on: NaiveDate) -> String {
    format!(
        r#"id = "lender"
version = 1
effective_on = {effective_on}
day_count = "day_after"
grace_days = 0

[[stages]]
name = "late"
when = {{ days_past_due = 1 }}
restrictions = [{{ kind = "freeze_drawdown" }}]
"#
    )
}

/// The written files, with the counts and dates for a replay.
#[derive(Clone, Debug)]
pub struct WrittenCase {
    /// `book.jsonl`
    pub book: PathBuf,
    /// `events.jsonl`
    pub events: PathBuf,
    /// `policy.toml`
    pub policy: PathBuf,
    /// Lines of the portfolio file.
    pub loans: usize,
    /// Lines of the events file.
    pub payments: usize,
    /// The first date in the loans.
    pub from: NaiveDate,
    /// The last date in the loans.
    pub to: NaiveDate,
}

/// Writes the loans as a portfolio file, its events and its policy into a directory.
///
/// # Errors
/// When there is no loan, or a file cannot be written.
pub fn write(
    loans: &[LenderLoan],
    terms: &LenderTerms,
    directory: &Path,
) -> Result<WrittenCase, LenderCsvError> {
    let book: Vec<String> = loans.iter().map(|loan| loan.book_line(terms)).collect();
    let mut paid: Vec<&LenderLoan> = loans.iter().filter(|loan| loan.paid_at.is_some()).collect();
    paid.sort_by_key(|loan| loan.paid_off_at(terms));
    let events: Vec<String> = paid.iter().filter_map(|loan| loan.payment_line(terms)).collect();
    let paid_on = paid.iter().filter_map(|loan| loan.paid_at).map(|paid_at| paid_at.date());
    let from = loans.iter().map(|loan| loan.opened_on).min().ok_or(LenderCsvError::NoLoan)?;
    let to = loans.iter().map(|loan| loan.due_on).chain(paid_on).max().ok_or(LenderCsvError::NoLoan)?;
    Ok(WrittenCase {
        book: put(directory, "book.jsonl", &lines(&book))?,
        events: put(directory, "events.jsonl", &lines(&events))?,
        policy: put(directory, "policy.toml", &policy(from))?,
        loans: book.len(),
        payments: events.len(),
        from,
        to,
    })
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn put(directory: &Path, name: &str, text: &str) -> Result<PathBuf, LenderCsvError> {
    let path = directory.join(name);
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, text));
    written.map(|()| path.clone()).map_err(|source| LenderCsvError::File { path, source })
}

/// Reads a lender's file.
///
/// # Errors
/// When the file cannot be read, or a row is refused.
pub fn read_file(path: &Path, terms: &LenderTerms) -> Result<Vec<LenderLoan>, LenderCsvError> {
    let text =
        fs::read_to_string(path).map_err(|source| LenderCsvError::File { path: path.to_owned(), source })?;
    read_loans(&text, terms)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HEADER: &str =
        "Loan_ID,loan_status,Principal,terms,effective_date,due_date,paid_off_time,past_due_days\n";
    const ROW: &str = "L-1,COLLECTION_PAIDOFF,1000,30,9/8/2016,10/7/2016,10/9/2016 19:31,2";

    fn terms() -> LenderTerms {
        LenderTerms { time_zone: "Asia/Shanghai".parse().unwrap(), currency: "CNY".parse().unwrap() }
    }

    #[test]
    fn a_loan_becomes_an_account_and_its_payment() {
        let loans = read_loans(&format!("{HEADER}{ROW}\n"), &terms()).unwrap();
        assert_eq!(
            loans[0].book_line(&terms()),
            r#"{"account_id":"L-1","currency":"CNY","customer_id":"L-1","installments":[{"due_on":"2016-10-07","number":1,"principal":"1000.00"}],"opened_on":"2016-09-08","policy_id":"lender","time_zone":"Asia/Shanghai"}"#
        );
        assert_eq!(
            loans[0].payment_line(&terms()).unwrap(),
            r#"{"account_id":"L-1","amount":"1000.00","at":"2016-10-09T19:31:00+08:00","payment_id":"paid-off","type":"payment_received"}"#
        );
    }

    #[rstest]
    #[case::no_identifier("L-1", "", "line 2: Loan_ID: \"\" is no identifier")]
    #[case::unknown_status("COLLECTION_PAIDOFF", "GONE", "line 2: loan_status: \"GONE\"")]
    #[case::amount_of_nothing(",1000,", ",0,", "line 2: Principal: \"0\"")]
    #[case::amount_too_fine(",1000,", ",10.001,", "line 2: Principal: \"10.001\"")]
    #[case::day_before_month("9/8/2016", "31/8/2016", "line 2: effective_date: \"31/8/2016\"")]
    #[case::year_of_two_digits("10/7/2016", "10/7/16", "line 2: due_date: \"10/7/16\"")]
    #[case::no_date("10/7/2016", "soon", "line 2: due_date: \"soon\"")]
    #[case::time_of_no_age("10/9/2016 19:31", "10/9/262142 19:31", "line 2: paid_off_time: \"10/9/262142")]
    #[case::no_time("10/9/2016 19:31", "10/9/2016", "line 2: paid_off_time: \"10/9/2016\"")]
    #[case::paid_at_no_time("10/9/2016 19:31", "", "line 2: paid_off_time: \"\"")]
    #[case::unpaid_but_paid("COLLECTION_PAIDOFF", "COLLECTION", "line 2: paid_off_time: \"10/9/2016 19:31\"")]
    #[case::no_count(",2", ",two", "line 2: past_due_days: \"two\"")]
    #[case::field_missing(",2", "", "line 2: ")]
    fn a_bad_row_is_refused_by_line_column_and_value(
        #[case] replace: &str,
        #[case] with: &str,
        #[case] wording: &str,
    ) {
        assert!(ROW.contains(replace), "{replace}");
        let row = match replace {
            ",2" => ROW.strip_suffix(replace).unwrap().to_owned() + with,
            _ => ROW.replacen(replace, with, 1),
        };
        let error = read_loans(&format!("{HEADER}{row}\n"), &terms()).unwrap_err().to_string();
        assert!(error.starts_with(wording), "{error}");
    }

    #[test]
    fn a_missing_column_and_an_empty_file_are_refused() {
        let error = read_loans("Loan_ID\nL-1\n", &terms()).unwrap_err().to_string();
        assert_eq!(error, "line 1: there is no column loan_status");
        assert_eq!(read_loans(HEADER, &terms()).unwrap_err().to_string(), "there is no loan in the file");
    }
}
