//! Shared code of the fuzz targets: the fixed policies, and the laws that hold of every account, whatever its
//! history.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use duewatch_domain::account::Account;
use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject, parse_book_line};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{LAST_DATE, end_of_day, plus_days, start_of_day};
use duewatch_domain::policy::{self, Policy, Waterfall};
use duewatch_domain::{Trigger, allocate, assess, decide};
use duewatch_store::{account_from_image, account_image};

/// Shards of the due index; any number serves.
const DUE_SHARDS: u32 = 4;
/// The most actions of an account that are followed.
const MAX_ACTIONS: usize = 15;
/// The longest text of a fault in bytes: faults go into logs and into items.
const MAX_FAULT_BYTES: usize = 2_000;

/// A policy with every stage condition, and with reminders before and after the due date.
const POLICY: &str = include_str!("policy.toml");

/// The fixed policies, one of each day count.
pub static POLICIES: LazyLock<[Policy; 2]> = LazyLock::new(|| {
    let due_day = POLICY.replace("day_count = \"day_after\"", "day_count = \"due_day\"");
    assert_ne!(due_day, POLICY, "the policy names its day count");
    [POLICY, &due_day].map(|text| policy::parse(text).unwrap_or_else(|error| panic!("{error}")))
});

/// An account of three installments in a zone.
#[must_use]
pub fn sample_account(account_id: &str, zone: &str) -> Account {
    let line = serde_json::json!({
        "account_id": account_id, "customer_id": "C-1", "policy_id": "fuzzed", "currency": "CNY",
        "time_zone": zone, "opened_on": "2023-09-01", "installments": [
            {"number": 1, "due_on": "2023-10-01", "principal": "240.00", "interest": "9.00", "fee": "1.00"},
            {"number": 2, "due_on": "2023-11-01", "principal": "250.00"},
            {"number": 3, "due_on": "2023-12-01", "principal": "250.00"},
        ],
    });
    let contract = parse_book_line(&line.to_string()).unwrap_or_else(|error| panic!("{error}"));
    Account::open(&contract).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// A fault can be stored and shown: its text is not empty, and not the whole input.
pub fn check_fault(fault: &dyn std::fmt::Display) {
    let text = fault.to_string();
    assert!(!text.is_empty(), "a fault says nothing");
    assert!(text.len() <= MAX_FAULT_BYTES, "a fault of {} bytes: {text:.300}", text.len());
}

/// All money is accounted for once: paid and unpaid part of an installment sum to its amount due, and the
/// payments received sum to the paid parts and the credit.
pub fn check_allocation(account: &Account) {
    let allocation = allocate(account);
    let installments = account.installments();
    assert_eq!(allocation.paid.len(), installments.len());
    let mut unpaid = vec![Money::ZERO; installments.len()];
    for one in &allocation.open_installments {
        assert!(one.amount.is_positive() && unpaid[one.place].is_zero());
        unpaid[one.place] = one.amount;
    }
    for ((installment, paid), unpaid) in installments.iter().zip(&allocation.paid).zip(unpaid) {
        assert!(!paid.is_negative() && *paid <= installment.amount_due(), "{paid} paid of {installment:?}");
        let open = if installment.written_off { Money::ZERO } else { installment.amount_due() - *paid };
        assert_eq!(unpaid, open, "{installment:?}");
        let components = installment.open_components(*paid, &Waterfall::default(), account.currency);
        let sum: Money = components.into_iter().map(|(_, amount)| amount).sum();
        assert_eq!(sum, installment.amount_due() - *paid, "{installment:?}");
    }
    let outstanding: Money = allocation.open_installments.iter().map(|unpaid| unpaid.amount).sum();
    assert_eq!(allocation.outstanding, outstanding);
    let money_in: Money = account
        .payments()
        .iter()
        .filter(|payment| payment.is_effective())
        .map(|payment| payment.standing())
        .sum();
    assert_eq!(money_in, allocation.paid.into_iter().sum::<Money>() + allocation.credit);
    assert!(!allocation.credit.is_negative());
}

/// Evaluates an account; afterwards the next action is ahead, and an evaluation before it changes nothing.
pub fn judge(account: &mut Account, policy: &Policy, now: DateTime<Utc>, cause: Trigger) {
    account.judge(policy, now, cause);
    let next = account.status.next_action_at;
    assert!(next.is_none_or(|next| next > now), "{next:?} is not after {now}");
    let last = end_of_day(account.time_zone, LAST_DATE).max(now);
    let before = next.map_or(last, |next| next - TimeDelta::seconds(1)).max(now);
    let assessment = assess(account, policy, before);
    let news = decide(account, policy, &assessment, before, Trigger::Time);
    assert_eq!(news, None, "at {before}, before the next action at {next:?}");
    assert_eq!(assessment.contact_requests, [], "at {before}, before the next action at {next:?}");
    if let Some(decision) = account.decision_of_this_revision() {
        let subject = DecisionSubject { account_id: &account.account_id, currency: account.currency };
        assert!(serde_json::to_string(&DecisionLine::new(subject, decision)).is_ok());
    }
}

/// Evaluates an account at `now` and at each action that follows.
pub fn follow(account: &mut Account, policy: &Policy, now: DateTime<Utc>) {
    let mut now = now;
    for _ in 0..MAX_ACTIONS {
        judge(account, policy, now, Trigger::Time);
        match account.status.next_action_at {
            Some(next) => now = next,
            None => break,
        }
    }
}

/// Evaluates an account from before its first due date until it no longer changes, and writes its days.
pub fn check_life(account: &Account, policy: &Policy) {
    let due = || account.installments().iter().map(|installment| installment.due_on);
    let first = due().min().unwrap_or(account.opened_on);
    check_days(account, policy, &[first, due().max().unwrap_or(first)]);
    let mut account = account.clone();
    let begin = start_of_day(account.time_zone, plus_days(first, -40));
    follow(&mut account, policy, begin);
    check_item(&account);
}

/// A day's line is the same whether or not the writer has written the days before it.
fn check_days(account: &Account, policy: &Policy, around: &[NaiveDate]) {
    let mut steady = DailyLines::new(account, policy);
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for day in around {
        for days in [-1, 0, 1, 2, 20, 400] {
            let day = plus_days(*day, days);
            if days == -1 {
                steady.changed();
            }
            steady.write(account, day, &mut one);
            DailyLines::new(account, policy).write(account, day, &mut other);
        }
    }
    assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&other));
}

/// The account survives being written to an item and read from it.
pub fn check_item(account: &Account) {
    let image = account_image(account, DUE_SHARDS).unwrap_or_else(|error| panic!("{error}"));
    let read = account_from_image(image).unwrap_or_else(|error| panic!("{error}"));
    // The due index holds whole seconds.
    let mut written = account.clone();
    written.status.next_action_at = written.status.next_action_at.map(|at| at.trunc_subsecs(0));
    assert_eq!(read, written);
}
