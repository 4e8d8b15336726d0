//! Laws of the late fee: its caps, counted a second way, and no late fee that makes an installment late.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::PaymentKind;
use duewatch_domain::commands::{Contract, NewInstallment, PaymentReceived};
use duewatch_domain::formats::DailyLines;
use duewatch_domain::kernel::{DayCount, InstallmentNumber, Money, business_date, end_of_day, start_of_day};
use duewatch_domain::policy::{AnnualCap, DueClass, LateFee, Policy};
use duewatch_domain::{Account, Command, allocate_at, assess};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use rust_decimal::Decimal;

use crate::common::generate::{
    DomainFact, PLACES, SPAN_DAYS, amount, any_policy, cents, every_policy, generated_terms, happen, minutes,
    opened,
};
use crate::common::past::{as_of, effective_on};

/// The days after the opening on which fees are counted.
const COUNTED_DAYS: u64 = 500;

const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
const HALF_A_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

fn charging_policy() -> impl Strategy<Value = (Policy, LateFee)> {
    any_policy().prop_filter_map("a late fee", |policy| {
        let fee = policy.late_fee?;
        Some((policy, fee))
    })
}

fn annual_cap() -> impl Strategy<Value = AnnualCap> {
    let share = |steps| Decimal::new(steps, 9);
    (0_i64..200_000_000, 0_i64..300_000_000)
        .prop_map(move |(rate, more)| AnnualCap { cost: share(rate + more), contract_rate: share(rate) })
}

/// The facts that move a late fee and name one installment at most.
fn money_fact() -> impl Strategy<Value = DomainFact> {
    let number = || option::of(1_u32..=12);
    prop_oneof![
        4 => (amount(), number())
            .prop_map(|(minor, number)| DomainFact::Pay { minor, targets: number.into_iter().collect() }),
        2 => (amount(), -3_i64..60).prop_map(|(minor, days)| DomainFact::PayBackdated { minor, days }),
        1 => number().prop_map(|number| DomainFact::Waive { number, minor: None }),
        2 => (0..SPAN_DAYS, 1_i64..40).prop_map(|(from, days)| DomainFact::Pause { from, days }),
    ]
}

fn money_facts() -> impl Strategy<Value = Vec<(i64, DomainFact)>> {
    vec((minutes(), money_fact()), 0..6)
}

fn with_facts((mut account, begin): (Account, DateTime<Utc>), facts: &[(i64, DomainFact)]) -> Account {
    for (minute, fact) in facts {
        happen(&mut account, fact, begin, *minute);
    }
    account
}

/// An account of one installment without interest, and the instant at which its days begin.
fn one_installment() -> impl Strategy<Value = (Account, DateTime<Utc>)> {
    (select(PLACES), 0..SPAN_DAYS, 1_i64..60_000).prop_map(|((zone, first), day, principal)| {
        let terms = generated_terms(zone, first);
        let first: NaiveDate = first.parse().unwrap();
        let installment = NewInstallment {
            number: InstallmentNumber(1),
            due_on: first + TimeDelta::days(day),
            principal: cents(principal),
            interest: Money::ZERO,
            fee: Money::ZERO,
            draw_id: None,
        };
        let contract = Contract { installments: vec![installment], ..terms.contract() };
        let account = Account::open(&contract).unwrap();
        let begin = start_of_day(account.time_zone, first);
        (account, begin)
    })
}

/// The late fee charged by each day, by the money that had come by then.
fn charged_by_day(account: &Account, policy: &Policy) -> Vec<(NaiveDate, Decimal)> {
    let mut changes: Vec<_> = account.payments().iter().map(|one| effective_on(account, one)).collect();
    changes.extend(account.waivers().iter().map(|one| business_date(account.time_zone, one.at)));
    let first = changes.iter().copied().fold(account.opened_on, NaiveDate::min) - Days::new(2);
    let last = account.opened_on + Days::new(COUNTED_DAYS);
    let mut allocation = allocate_at(&as_of(account, first), policy);
    let charged = first.iter_days().take_while(|day| *day <= last).map(|day| {
        if changes.contains(&day) {
            allocation = allocate_at(&as_of(account, day), policy);
        }
        (day, allocation.late_fee_charged_on(day, account.currency, policy.day_count).as_decimal())
    });
    charged.collect()
}

/// A payment of an installment's whole amount so many days after its due date.
#[derive(Clone, Debug)]
struct FullPayment {
    days_late: u64,
    is_named: bool,
}

fn full_payments() -> impl Strategy<Value = Vec<FullPayment>> {
    let days_late = prop_oneof![2 => Just(0), 1 => 1_u64..30];
    vec((days_late, any::<bool>()).prop_map(|(days_late, is_named)| FullPayment { days_late, is_named }), 12)
}

/// Pays each installment whole by `day` if it is past due then, and a later one if its payment has come.
fn paid_in_full(mut account: Account, policy: &Policy, payments: &[FullPayment], day: NaiveDate) -> Account {
    // A waterfall may allocate in advance before it allocates to dues; then each payment names its installment.
    let dues_first = policy
        .waterfall
        .entries()
        .is_none_or(|entries| entries.is_sorted_by_key(|entry| entry.class == DueClass::InAdvance));
    for (one, payment) in account.installments().to_vec().iter().zip(payments) {
        let due_on = policy.business_days.as_ref().map_or(one.due_on, |days| days.moved(one.due_on));
        let paid_on = (due_on + Days::new(payment.days_late)).min(day.max(due_on));
        let names = payment.is_named || !dues_first;
        let command = Command::PaymentReceived(PaymentReceived {
            payment_id: format!("P-{}", one.number().unwrap()).parse().unwrap(),
            amount: one.amount_due(),
            currency: None,
            value_date: Some(paid_on),
            kind: PaymentKind::Repayment,
            applies_to: one.number().filter(|_| names).into_iter().collect(),
        });
        if paid_on <= day {
            account.apply(&command, start_of_day(account.time_zone, paid_on)).unwrap();
        }
    }
    account
}

/// Nothing is late at the end of a day, and of all amounts due the late fees charged are left.
fn owes_late_fees_alone(account: &Account, policy: &Policy, day: NaiveDate) -> TestCaseResult {
    let assessment = assess(account, policy, end_of_day(account.time_zone, day));
    let figures = &assessment.figures;
    prop_assert_eq!((figures.days_past_due, figures.delinquent_days, figures.unpaid_installments), (0, 0, 0));
    prop_assert_eq!(figures.oldest_due_on, None);
    prop_assert_eq!(assessment.stage_name(), "current");
    prop_assert!(assessment.restrictions().is_empty());
    let fees = allocate_at(account, policy).late_fee_charged_on(day, account.currency, policy.day_count);
    let due: Money = account.installments().iter().map(|one| one.amount_due()).sum();
    let paid: Money = account.payments().iter().map(|one| one.amount).sum();
    prop_assert_eq!(figures.outstanding, due - paid + fees);
    prop_assert!(figures.overdue <= fees);
    Ok(())
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_calendar_month_costs_more_than_its_cap(
        opened in opened(PLACES),
        facts in money_facts(),
        (policy, fee) in charging_policy(),
    ) {
        let account = with_facts(opened, &facts);
        let mut by_month: BTreeMap<(i32, u32), Decimal> = BTreeMap::new();
        for pair in charged_by_day(&account, &policy).windows(2) {
            let [(_, before), (day, after)] = [pair[0], pair[1]];
            prop_assert!(after >= before, "the fee falls on {}", day);
            *by_month.entry((day.year(), day.month())).or_default() += after - before;
        }
        // Each installment's fee is rounded by itself, at either end of a month.
        let rounding = CENT * Decimal::from(account.installments().len());
        for (month, charged) in by_month {
            let most = fee.cap_per_month.map(|cap| cap.as_decimal() + rounding);
            prop_assert!(most.is_none_or(|most| charged <= most), "{:?}: {}", month, charged);
        }
    }

    #[test]
    fn no_installment_costs_more_than_its_caps(
        opened in one_installment(),
        facts in money_facts(),
        (policy, fee) in charging_policy(),
    ) {
        let account = with_facts(opened, &facts);
        let share = fee.cap_per_installment.map(|share| share * account.installments()[0].principal.as_decimal());
        let caps = [share, fee.cap_per_installment_amount.map(Money::as_decimal)];
        for (day, charged) in charged_by_day(&account, &policy) {
            for cap in caps.into_iter().flatten() {
                prop_assert!(charged <= cap + HALF_A_CENT, "{} by {}", charged, day);
            }
        }
    }

    #[test]
    fn no_installment_costs_more_in_all_than_the_annual_cap(
        opened in one_installment(),
        facts in money_facts(),
        (mut policy, fee) in charging_policy(),
        cap in annual_cap(),
    ) {
        policy.late_fee = Some(LateFee { annual_cap: Some(cap), ..fee });
        let account = with_facts(opened, &facts);
        let installment = &account.installments()[0];
        let paid_by = |day: NaiveDate| -> Decimal {
            let paid = account.payments().iter().filter(|one| effective_on(&account, one) <= day);
            paid.map(|one| one.amount.as_decimal()).sum()
        };
        let (mut principal_days, mut charged_before) = (Decimal::ZERO, Decimal::ZERO);
        for (day, charged) in charged_by_day(&account, &policy) {
            // A day that counts at its last second has its own night, another the night before.
            let night = match policy.day_count {
                DayCount::DayAfter => day - Days::new(1),
                DayCount::DueDay => day,
            };
            if night >= installment.due_on {
                // Where fees are arrears, payments may pay them first.
                let paid_as_fee = if fee.fee_arrears_count { charged_before } else { Decimal::ZERO };
                let paid = (paid_by(night) - paid_as_fee).max(Decimal::ZERO);
                principal_days += (installment.principal.as_decimal() - paid).max(Decimal::ZERO);
            }
            let most = (cap.cost - cap.contract_rate) * principal_days / Decimal::from(365);
            prop_assert!(charged <= most + HALF_A_CENT, "{} of {} by {}", charged, most, day);
            charged_before = charged;
        }
    }

    #[test]
    fn whoever_has_paid_each_installment_owes_late_fees_alone_whatever_the_waterfall(
        (account, _) in opened(PLACES),
        mut policy in every_policy(),
        payments in full_payments(),
        days in vec(0_u64..300, 1..4),
    ) {
        policy.late_fee.iter_mut().for_each(|fee| fee.fee_arrears_count = false);
        for day in days.into_iter().map(|days| account.opened_on + Days::new(days)) {
            owes_late_fees_alone(&paid_in_full(account.clone(), &policy, &payments, day), &policy, day)?;
        }
    }

    #[test]
    fn whoever_pays_each_installment_on_its_day_is_charged_nothing(
        (account, _) in opened(PLACES),
        policy in every_policy(),
        mut payments in full_payments(),
        days in 0_u64..300,
    ) {
        payments.iter_mut().for_each(|payment| payment.days_late = 0);
        let day = account.opened_on + Days::new(days);
        let account = paid_in_full(account, &policy, &payments, day);
        owes_late_fees_alone(&account, &policy, day)?;
        prop_assert!(allocate_at(&account, &policy).late_fee_charged_on(day, account.currency, policy.day_count).is_zero());
    }

    #[test]
    fn a_daily_line_in_turn_is_the_line_of_its_day(
        opened in opened(PLACES),
        facts in money_facts(),
        (policy, _) in charging_policy(),
    ) {
        let account = with_facts(opened, &facts);
        let mut in_turn = DailyLines::new(&account, &policy);
        for day in account.opened_on.iter_days().take(300) {
            let (mut line, mut of_its_day) = (Vec::new(), Vec::new());
            in_turn.write(&account, day, &mut line);
            DailyLines::new(&account, &policy).write(&account, day, &mut of_its_day);
            prop_assert_eq!(String::from_utf8(line).unwrap(), String::from_utf8(of_its_day).unwrap());
        }
    }
}
