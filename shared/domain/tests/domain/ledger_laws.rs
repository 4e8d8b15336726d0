//! Laws of the late fee and of the waterfall: the closed form against stepping through every day.

use chrono::{Days, NaiveDate, TimeDelta};
use duewatch_domain::account::Figures;
use duewatch_domain::account::Installment;
use duewatch_domain::kernel::business_date;
use duewatch_domain::kernel::{DayCount, Money};
use duewatch_domain::ledger::{JudgedBalances, OpenInstallment};
use duewatch_domain::policy::{Component, LateFee, Overpayment, Policy, Stage, When};
use duewatch_domain::{Account, allocate, allocate_at, assess};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::common::accrual::{SteppedBalances, stepped};
use crate::common::generate::{DomainCase, PLACES, any_policy, case_under, cents, opened, policy, settling};

fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

fn minor(amount: Money) -> i128 {
    let mut decimal = amount.as_decimal();
    decimal.rescale(2);
    decimal.mantissa()
}

/// The values of [`stepped`], from the closed form.
fn closed(account: &Account, policy: &Policy, day: NaiveDate) -> SteppedBalances {
    let allocation = allocate_at(account, policy);
    let figures = Figures::on(day, account, &allocation, policy);
    let mut fees = vec![0; account.installments().len()];
    for (place, one) in account.installments().iter().enumerate() {
        let it = OpenInstallment { place, due_on: one.due_on, amount: cents(0) };
        for (component, amount) in allocation.open_components(&it, day, account, policy) {
            if component == Component::Penalty {
                fees[place] = minor(amount);
            }
        }
    }
    SteppedBalances {
        overdue: minor(figures.overdue),
        outstanding: minor(figures.outstanding),
        late_fee: minor(figures.late_fee.unwrap_or_default()),
        unpaid_installments: figures.unpaid_installments,
        fees,
        paid: allocation.paid.iter().copied().map(minor).collect(),
        credit: minor(allocation.credit),
    }
}

/// The stepping supports no payment for several installments.
fn names_several(account: &Account) -> bool {
    account.payments().iter().any(|payment| payment.applies_to.len() > 1)
}

/// Without the paid parts and the credit, which depend on the day where credit waits.
fn without_credit(stepped: SteppedBalances) -> SteppedBalances {
    SteppedBalances { paid: Vec::new(), credit: 0, ..stepped }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn the_closed_form_is_what_stepping_through_every_day_gives(
        case in case_under(PLACES, any_policy()).prop_filter("one name a payment", |case| !names_several(&case.account)),
        later in 0_u64..300,
    ) {
        let DomainCase { account, policy, now, .. } = case;
        let today = assess(&account, &policy, now).day;
        for day in [today, today + Days::new(later)] {
            let (closed, stepped) = (closed(&account, &policy, day), stepped(&account, &policy, day));
            let owed_later = |one: &Installment| one.since.is_some_and(|since| business_date(account.time_zone, since) > day);
            if policy.overpayment == Overpayment::Credit {
                // Under `due_day` an evaluated day can be over when a new schedule begins.
                prop_assume!(!account.installments().iter().any(owed_later));
                prop_assert_eq!(without_credit(closed), without_credit(stepped), "on {}", day);
            } else {
                prop_assert_eq!(closed, stepped, "on {}", day);
            }
        }
    }

    #[test]
    fn a_fee_of_nothing_changes_nothing(case in case_under(PLACES, policy())) {
        let DomainCase { account, policy, now, .. } = case;
        let bare = allocate(&account);
        let figures = assess(&account, &policy, now).figures;
        let free = Policy { late_fee: Some(fee_of_nothing()), ..policy };
        let allocation = allocate_at(&account, &free);
        prop_assert_eq!(
            (&allocation.paid, &allocation.open_installments, allocation.outstanding, allocation.credit),
            (&bare.paid, &bare.open_installments, bare.outstanding, bare.credit)
        );
        let expected = Figures { late_fee: Some(cents(0)), ..figures };
        prop_assert_eq!(&assess(&account, &free, now).figures, &expected);
        for open_installment in &allocation.open_installments {
            let open = allocation.open_components(open_installment, account.opened_on, &account, &free);
            let installment = &account.installments()[open_installment.place];
            prop_assert_eq!(open, installment.open_components(allocation.paid[open_installment.place], &free.waterfall, account.currency));
        }
    }

    #[test]
    fn naming_an_installment_again_changes_nothing(case in case_under(PLACES, any_policy())) {
        let DomainCase { account, policy, .. } = case;
        let mut stored = serde_json::to_value(&account).unwrap();
        for payment in stored["payments"].as_array_mut().unwrap() {
            if let Some(named) = payment.get_mut("applies_to").and_then(|named| named.as_array_mut()) {
                named.extend(named.clone().into_iter().rev());
            }
        }
        let again: Account = serde_json::from_value(stored).unwrap();
        prop_assert_eq!(allocate_at(&again, &policy), allocate_at(&account, &policy));
    }

    #[test]
    fn sums_of_parts_are_the_whole_whatever_is_settled_first(
        case in case_under(PLACES, any_policy()),
        later in 0_u64..3_000,
    ) {
        let DomainCase { account, policy, now, .. } = case;
        let allocation = allocate_at(&account, &policy);
        let money: Money =
            account.payments().iter().filter(|payment| payment.is_effective()).map(|payment| payment.standing()).sum();
        prop_assert_eq!(allocation.paid.iter().copied().sum::<Money>() + allocation.credit, money);
        prop_assert!(!allocation.credit.is_negative());
        prop_assert!(allocation.open_installments.is_sorted_by_key(|open_installment| open_installment.due_on));
        let day = assess(&account, &policy, now).day + Days::new(later);
        let figures = Figures::on(day, &account, &allocation, &policy);
        let mut overdue = cents(0);
        for (place, one) in account.installments().iter().enumerate().filter(|(_, one)| !one.written_off) {
            let is_past_due = match policy.day_count {
                DayCount::DayAfter => one.due_on < day,
                DayCount::DueDay => one.due_on <= day,
            };
            let it = OpenInstallment { place, due_on: one.due_on, amount: cents(0) };
            let open = allocation.open_components(&it, day, &account, &policy);
            prop_assert!(open.iter().all(|(_, amount)| amount.is_positive()));
            overdue += open.into_iter().filter(|_| is_past_due).map(|(_, amount)| amount).sum();
        }
        prop_assert_eq!(figures.overdue, overdue);
        let fee = figures.late_fee.unwrap_or_default();
        prop_assert!(!fee.is_negative() && fee <= figures.overdue && figures.overdue <= figures.outstanding);
    }

    #[test]
    fn no_fee_is_beyond_its_caps(
        (account, _) in opened(PLACES),
        policy in any_policy().prop_filter("a late fee", |policy| policy.late_fee.is_some()), days in 0_u64..2_000) {
        // Without waivers and payments, the open fee is the whole accrued fee.
        let fee = policy.late_fee.unwrap();
        let allocation = allocate_at(&account, &policy);
        let day = account.opened_on + Days::new(days);
        let half_a_cent = Decimal::new(5, 3);
        for open_installment in &allocation.open_installments {
            let installment = &account.installments()[open_installment.place];
            let open = allocation.open_components(open_installment, day, &account, &policy);
            let of = |wanted| open.iter().find(|(one, _)| *one == wanted).map_or(Decimal::ZERO, |(_, amount)| amount.as_decimal());
            let (penalty, principal) = (of(Component::Penalty) - half_a_cent, of(Component::Principal));
            if let Some(share) = fee.cap_per_installment {
                prop_assert!(penalty <= share * principal);
            }
            if let Some(cap) = fee.cap_per_installment_amount {
                prop_assert!(penalty <= cap.as_decimal());
            }
            if let Some(cap) = fee.annual_cap {
                let late = (day - installment.due_on).num_days() + 1;
                let most = (cap.cost - cap.contract_rate) * principal * Decimal::from(late.max(0));
                prop_assert!(penalty * Decimal::from(365) <= most.max(Decimal::ZERO));
            }
        }
        if let Some(cap) = fee.cap_per_month {
            let on = |day| Figures::on(day, &account, &allocation, &policy).late_fee.unwrap().as_decimal();
            let rounding = half_a_cent * Decimal::from(2 * account.installments().len());
            prop_assert!(on(day + Days::new(28)) - on(day) <= cap.as_decimal() * Decimal::TWO + rounding);
        }
    }

    #[test]
    fn what_is_overdue_never_falls_while_the_facts_stay(
        case in case_under(PLACES, any_policy()),
        days in proptest::collection::vec(0_u64..2_000, 2..6),
    ) {
        let DomainCase { account, policy, now, .. } = case;
        let allocation = allocate_at(&account, &policy);
        let today = assess(&account, &policy, now).day;
        let mut days = days;
        days.sort_unstable();
        let mut before: Option<Figures> = None;
        for day in days.into_iter().map(|days| today + Days::new(days)) {
            let figures = Figures::on(day, &account, &allocation, &policy);
            if let Some(before) = before {
                prop_assert!(figures.overdue >= before.overdue && figures.late_fee >= before.late_fee);
                prop_assert!(
                    figures.overdue.as_decimal() * before.outstanding.as_decimal()
                        >= before.overdue.as_decimal() * figures.outstanding.as_decimal()
                );
            }
            before = Some(figures);
        }
    }

    #[test]
    fn a_stage_begins_on_the_first_day_on_which_its_conditions_hold(
        case in case_under(PLACES, any_policy()),
        look in 0_u64..1_500,
    ) {
        let DomainCase { account, policy, now, .. } = case;
        prop_assume!(account.installments().iter().all(|one| one.hold.is_none()));
        let now = now + TimeDelta::days(look as i64);
        let assessment = assess(&account, &policy, now);
        let allocation = allocate_at(&account, &policy);
        let holds = |stage: &Stage, day: NaiveDate| {
            let figures = Figures::on(day, &account, &allocation, &policy);
            let JudgedBalances { overdue, outstanding, .. } = allocation.judged_on(day, &account, policy.day_count);
            meets(&stage.when, &Figures { overdue, outstanding, ..figures })
        };
        let expected = policy.stages.iter().rev().find(|stage| account.is_enforced() && holds(stage, assessment.day));
        prop_assert_eq!(assessment.stage, expected);
        if let (Some(stage), Some(from)) = (assessment.stage, assessment.held_from) {
            prop_assert!(holds(stage, from));
            prop_assert!(!holds(stage, from.pred_opt().unwrap()));
        }
    }

    #[test]
    fn whatever_is_settled_first_the_same_money_settles_as_much(
        case in case_under(PLACES, policy()),
        settling in settling(),
    ) {
        let DomainCase { account, policy, .. } = case;
        let text = format!("id = \"p\"\nversion = 1\neffective_on = 2010-01-01\n{settling}");
        let waterfall = duewatch_domain::policy::parse(&text).unwrap().waterfall;
        let other = Policy { waterfall, ..policy };
        let (one, other) = (allocate(&account), allocate_at(&account, &other));
        prop_assert_eq!((one.outstanding, one.credit), (other.outstanding, other.credit));
    }
}

fn fee_of_nothing() -> LateFee {
    LateFee { daily_rate: Some(Decimal::ZERO), ..LateFee::default() }
}

fn meets(when: &When, figures: &Figures) -> bool {
    figures.unpaid_installments > 0
        && when.delinquent_days.is_none_or(|least| figures.delinquent_days >= least)
        && when.days_past_due.is_none_or(|least| figures.days_past_due >= least)
        && when.overdue_amount.is_none_or(|least| figures.overdue >= least)
        && when.unpaid_installments.is_none_or(|least| figures.unpaid_installments >= least)
        && when
            .overdue_share
            .is_none_or(|least| figures.overdue.as_decimal() >= least * figures.outstanding.as_decimal())
}
