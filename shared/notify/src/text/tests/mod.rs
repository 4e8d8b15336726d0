//! Rendered messages, as a borrower reads them.

mod lenders_own;
mod shipped;
mod tables;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::policy::Restriction;

use super::*;
use crate::{Reference, ReferenceKeys};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn reference() -> Reference {
    let keys = ReferenceKeys::parse(&format!("1={}", "07".repeat(32))).unwrap();
    let now: DateTime<Utc> = "2026-01-05T02:00:00Z".parse().unwrap();
    Reference::issue(&keys, "contact-1", now)
}

fn account<'a>(
    id: &str,
    currency: &str,
    amount_owed: Option<AmountOwed>,
    next: Option<Next<'a>>,
) -> AccountFacts<'a> {
    let account_id = id.parse().unwrap();
    AccountFacts {
        account: MaskedAccount::from(&account_id),
        currency: currency.parse().unwrap(),
        amount_owed,
        next,
    }
}

fn coming(amount: &str, due_on: &str) -> Option<AmountOwed> {
    Some(AmountOwed::Coming { amount: amount.parse().unwrap(), due_on: day(due_on) })
}

fn overdue(amount: &str, oldest_due_on: &str, days_past_due: u32) -> Option<AmountOwed> {
    Some(AmountOwed::Overdue {
        amount: amount.parse().unwrap(),
        oldest_due_on: day(oldest_due_on),
        days_past_due,
    })
}

/// The line cut to half, and no more drawdowns.
fn restrictions() -> Vec<Restriction> {
    let of = |kind: &str, percent| Restriction {
        kind: kind.to_owned().into(),
        percent,
        notice_days: None,
        blocks: vec![],
        except: vec![],
    };
    vec![of("limit_credit_line", Some(50)), of("freeze_drawdown", None)]
}

/// A message about one account, with every optional fact of a lender.
fn facts<'a>(template: &'a str, account: AccountFacts<'a>) -> MessageFacts<'a> {
    MessageFacts {
        sections: vec![Section { template, accounts: vec![account] }],
        late_since: None,
        stands_for: 0,
        how_to_pay: Some("https://bank.example/pay"),
        how_to_appeal: Some("95500"),
        rules_at: Some("https://bank.example/late"),
        opt_out: Some(OptOut::Reply),
        reference: reference(),
    }
}
