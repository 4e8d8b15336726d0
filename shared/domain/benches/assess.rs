//! Measures evaluation: at least 1,000,000 assessments a second on one core, and half as many where a late
//! fee accrues.
//!
//! Run with `cargo bench -p duewatch-domain`.
#![allow(clippy::unwrap_used, reason = "a benchmark's own input is known to be good")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use duewatch_domain::account::Account;
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::policy::presets::PRESETS;
use duewatch_domain::{allocate, assess};
use duewatch_testkit::{ContractTerms, LATE, LIMIT, SUSPEND, instant, parsed, policy, reminders, stages};
use serde_json::json;

/// A year's loan of 12 installments of 250.00 CNY, opened in January 2023.
fn loan() -> Account {
    let installments = (1..=12)
        .map(|month| {
            let due_on = format!("2023-{month:02}-15");
            json!({ "number": month, "due_on": due_on, "principal": "230.00", "interest": "20.00" })
        })
        .collect();
    let terms = ContractTerms { opened_on: "2023-01-01", installments, ..ContractTerms::default() };
    Account::open(&terms.contract()).unwrap()
}

/// Five payments, of which one is partial and one names its installment, and a pause. From 15 May on an
/// installment is overdue.
fn paid_until_may(mut account: Account) -> Account {
    for line in [
        r#"{"at":"2023-01-14T10:00:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"250.00"}"#,
        r#"{"at":"2023-02-15T10:00:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-2","amount":"250.00"}"#,
        r#"{"at":"2023-03-20T10:00:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-3","amount":"250.00","applies_to":[3]}"#,
        r#"{"at":"2023-04-15T10:00:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-4","amount":"250.00"}"#,
        r#"{"at":"2023-05-18T10:00:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-5","amount":"100.00"}"#,
        r#"{"at":"2023-06-01T10:00:00+08:00","type":"pause_started","account_id":"A-1","from":"2023-06-01","until":"2023-06-08"}"#,
    ] {
        let event = parse_event_line(line).unwrap();
        account.apply(&event.command, event.at).unwrap();
    }
    account
}

/// Four stages under several conditions.
fn conditioned() -> String {
    let fifth = r#"{ kind = "limit_credit_line", percent = 20 }, { kind = "freeze_drawdown" }"#;
    stages(&[
        LATE,
        ("limited", "delinquent_days = 5, overdue_amount = \"100.00\"", LIMIT),
        ("frozen", "delinquent_days = 15, unpaid_installments = 2", fifth),
        ("suspended", "days_past_due = 90, overdue_share = \"0.20\"", SUSPEND),
    ])
}

const LATE_FEE: &str = r#"
[late_fee]
daily_rate = "0.0005"
fixed = "5.00"
cap_per_installment = "0.10"
cap_per_installment_amount = "50.00"
cap_per_month = "20.00"
annual_cost_cap = "0.24"
contract_annual_rate = "0.15"
"#;

const SETTLING: &str = r#"
overpayment = "last"
waterfall = [
    "past_due_penalty", "past_due_fee", "past_due_interest", "past_due_principal",
    "due_penalty", "due_fee", "due_interest", "due_principal",
    "in_advance_penalty", "in_advance_fee", "in_advance_interest", "in_advance_principal",
]
"#;

fn benches(criterion: &mut Criterion) {
    let account = paid_until_may(loan());
    let ladder = conditioned();
    let steps = reminders(&[
        ("current", -3, "sms", "due_soon"),
        ("late", 5, "sms", "late"),
        ("limited", 10, "phone", "firm"),
        ("frozen", 30, "letter", "final"),
    ]);
    let grace = "grace_days = 3";
    let plain = policy(grace, &ladder);
    let reminding = policy(grace, &format!("{ladder}{steps}"));
    let costly = policy(grace, &format!("{ladder}{steps}{LATE_FEE}"));
    let everything = policy(&format!("{grace}\n{SETTLING}"), &format!("{ladder}{steps}{LATE_FEE}"));
    let shipped = PRESETS.iter().find(|preset| preset.name == "cn").unwrap();
    let china = parsed(shipped.text);
    let now = instant("2023-07-03T02:00:00Z");
    assert_eq!(assess(&account, &plain, now).stage_name(), "frozen");

    let mut group = criterion.benchmark_group("judging");
    group.throughput(Throughput::Elements(1));
    group.bench_function("assess", |bencher| {
        bencher.iter(|| assess(black_box(&account), black_box(&plain), black_box(now)));
    });
    group.bench_function("assess with reminders", |bencher| {
        bencher.iter(|| assess(black_box(&account), black_box(&reminding), black_box(now)));
    });
    group.bench_function("assess with a late fee", |bencher| {
        bencher.iter(|| assess(black_box(&account), black_box(&costly), black_box(now)));
    });
    group.bench_function("assess with a late fee and twelve entries", |bencher| {
        bencher.iter(|| assess(black_box(&account), black_box(&everything), black_box(now)));
    });
    group.bench_function("assess under the China preset", |bencher| {
        bencher.iter(|| assess(black_box(&account), black_box(&china), black_box(now)));
    });
    group.bench_function("allocate", |bencher| bencher.iter(|| allocate(black_box(&account))));
    group.finish();
}

criterion_group!(assessing, benches);
criterion_main!(assessing);
