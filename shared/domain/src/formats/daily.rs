//! The daily output: where an account stands at the end of each day.

use std::io::Write;

use chrono::{Datelike, NaiveDate};

use crate::account::Account;
use crate::allocation::{Allocation, allocate};
use crate::assess::{Outlook, outlook};
use crate::figures::{Figures, past_due_from};
use crate::policy::Policy;

/// Writes an account's daily lines.
///
/// As long as no fact changes it knows until which day nothing but the day
/// counts can move, and judges anew only after that.
#[derive(Debug)]
pub struct DailyLines<'p> {
    policy: &'p Policy,
    account_id: String,
    allocation: Option<Allocation>,
    steady: Option<Steady>,
}

/// What stays the same from one day to the next.
#[derive(Debug)]
struct Steady {
    until: Option<NaiveDate>,
    stage: String,
    amounts: String,
    restrictions: String,
}

impl<'p> DailyLines<'p> {
    /// For one account, under one policy.
    #[must_use]
    pub fn new(account: &Account, policy: &'p Policy) -> Self {
        Self { policy, account_id: json(account.account_id.as_str()), allocation: None, steady: None }
    }

    /// Says that the account holds a new fact.
    pub fn changed(&mut self) {
        self.allocation = None;
        self.steady = None;
    }

    /// Appends the line of `day`, with its line feed, judged at the day's last second.
    pub fn write(&mut self, account: &Account, day: NaiveDate, out: &mut Vec<u8>) {
        let policy = self.policy;
        let allocation = self.allocation.get_or_insert_with(|| allocate(account));
        let figures = Figures::on(day, account, allocation, policy);
        if self.steady.as_ref().is_none_or(|steady| steady.until.is_some_and(|until| day >= until)) {
            let outlook = outlook(account, allocation, policy, day);
            self.steady = Some(Steady::new(account, allocation, policy, day, &figures, &outlook));
        }
        let Some(steady) = &self.steady else { return };
        out.extend_from_slice(b"{\"date\":\"");
        write_date(day, out);
        out.extend_from_slice(b"\",\"account_id\":");
        out.extend_from_slice(self.account_id.as_bytes());
        out.extend_from_slice(b",\"stage\":");
        out.extend_from_slice(steady.stage.as_bytes());
        out.extend_from_slice(b",\"days_past_due\":");
        write_number(figures.days_past_due, out);
        out.extend_from_slice(b",\"delinquent_days\":");
        write_number(figures.delinquent_days, out);
        out.extend_from_slice(steady.amounts.as_bytes());
        out.extend_from_slice(steady.restrictions.as_bytes());
        out.extend_from_slice(b"}\n");
    }
}

impl Steady {
    fn new(
        account: &Account,
        allocation: &Allocation,
        policy: &Policy,
        day: NaiveDate,
        figures: &Figures,
        outlook: &Outlook<'_>,
    ) -> Self {
        let next_overdue = allocation
            .unpaid
            .iter()
            .map(|unpaid| past_due_from(policy.day_count, unpaid.due_on))
            .find(|from| *from > day);
        let until = match (next_overdue, outlook.changes_on) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let oldest = figures.oldest_due_on.map_or_else(|| "null".to_owned(), |date| format!("\"{date}\""));
        let restrictions: &[_] = outlook.stage.map_or(&[], |stage| &stage.restrictions);
        Self {
            until,
            stage: json(outlook.stage.map_or("current", |stage| stage.name.as_str())),
            amounts: format!(
                ",\"overdue\":\"{}\",\"oldest_due_on\":{oldest},\"outstanding\":\"{}\"",
                account.currency.text(figures.overdue),
                account.currency.text(figures.outstanding),
            ),
            restrictions: format!(
                ",\"restrictions\":{}",
                serde_json::to_string(restrictions).unwrap_or_default()
            ),
        }
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_number(number: u32, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{number}");
}

fn write_date(date: NaiveDate, out: &mut Vec<u8>) {
    let _ = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
}
