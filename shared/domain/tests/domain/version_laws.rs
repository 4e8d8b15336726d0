//! Laws of a policy's versions: a version changes nothing before it binds.
//!
//! Money and accrual follow the version of the night or of the payment; thresholds follow the version that binds on
//! the judged day. Expected amounts are those of one version alone, or counted night by night.

use chrono::{Days, NaiveDate, TimeDelta};
use duewatch_domain::account::Installment;
use duewatch_domain::assessment::Rules;
use duewatch_domain::commands::{FeeWaived, InstallmentAdded, NewInstallment};
use duewatch_domain::formats::DailyLines;
use duewatch_domain::kernel::{InstallmentNumber, Money, business_date, start_of_day};
use duewatch_domain::ledger::{Allocation, OpenInstallment};
use duewatch_domain::policy::{LateFee, Overpayment};
use duewatch_domain::{Account, Balances, Command, Trigger, allocate_at, assess};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::common::generate::{cents, payment};
use crate::common::past::effective_on;
use crate::common::version_case::{
    VersionCase, fees_are_arrears, unpaid_case, version_case, with_one_split_of_adjustments,
    with_the_same_business_days,
};

/// More days than a calendar moves a due date.
const LONGEST_MOVE: u64 = 60;

fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

fn amounts(balances: Balances) -> (Money, Money, Money) {
    (balances.overdue, balances.outstanding, balances.late_fee)
}

/// Compares fees, balances and payments of so many days before the second version with the first one's.
fn nothing_changes_on(case: &VersionCase, days_before: &[u64]) -> TestCaseResult {
    let VersionCase { account, first, second, binds_on } = case;
    let alone = allocate_at(account, case.under_the_first());
    let both = allocate_at(account, case.under_both());
    let charged =
        |allocation: &Allocation, day| allocation.late_fee_charged_on(day, account.currency, first.day_count);
    let balances =
        |allocation: &Allocation, day| amounts(allocation.balances_on(day, account, first.day_count));
    for day in days_before.iter().map(|days| case.days_before(*days)) {
        prop_assert_eq!(charged(&both, day), charged(&alone, day), "fees by {}", day);
        prop_assert_eq!(balances(&both, day), balances(&alone, day), "balances on {}", day);
    }
    prop_assert_eq!(both.outstanding, alone.outstanding);
    // Waiting credit follows the due dates to come, and the waterfall of their days.
    if first.overpayment == Overpayment::Credit {
        let fell_due = |one: &Installment| one.due_on + Days::new(LONGEST_MOVE) < *binds_on;
        for place in
            (0..account.installments().len()).filter(|place| fell_due(&account.installments()[*place]))
        {
            prop_assert_eq!(both.paid[place], alone.paid[place]);
        }
    } else {
        prop_assert_eq!((&both.paid, both.credit), (&alone.paid, alone.credit));
    }
    if fees_are_arrears(first) == fees_are_arrears(second) {
        let past = |allocation: &Allocation| -> Vec<OpenInstallment> {
            let open = allocation.open_installments.iter().copied();
            open.filter(|one| one.due_on < *binds_on).collect()
        };
        prop_assert_eq!(past(&both), past(&alone));
    }
    Ok(())
}

/// The same on the days of the past, each by the money that had come by then.
fn nothing_changes_before_it_binds(case: &VersionCase, cut: u64, earlier: u64) -> TestCaseResult {
    nothing_changes_on(case, &[1, earlier])?;
    nothing_changes_on(&case.as_of(case.days_before(cut)), &[1, cut.div_ceil(2), cut])
}

fn nothing_changes_as_it_binds(case: &VersionCase) -> TestCaseResult {
    let (alone, both) = (case.under_the_first(), case.under_both());
    let [before, after] = [&alone, &both].map(|timeline| amounts(case.balances_as_it_binds(timeline)));
    // Credit pays a day's dues when the day counts, at its first instant or in its last second, and on the day to
    // which the day's own version moves them.
    let is_due_alike = (case.first.day_count, &case.first.business_days)
        == (case.second.day_count, &case.second.business_days);
    if case.first.overpayment == Overpayment::Credit && !is_due_alike {
        prop_assert_eq!((after.0, after.2), (before.0, before.2));
        return Ok(());
    }
    prop_assert_eq!(after, before);
    prop_assert_eq!(case.settled_as_it_binds(&both), case.settled_as_it_binds(&alone));
    Ok(())
}

/// Pays everything overdue just before the second version binds; then nothing is overdue under it either.
fn nobody_becomes_overdue(mut case: VersionCase) -> TestCaseResult {
    let overdue = |case: &VersionCase| case.balances_as_it_binds(&case.under_the_first()).overdue;
    let all = overdue(&case);
    if all.is_positive() {
        let minor = (all.as_decimal() * Decimal::ONE_HUNDRED).try_into().unwrap();
        let all = payment(case.account.payments().len(), minor, &[]);
        case.account.apply(&all, case.just_before()).unwrap();
    }
    // A waterfall may take the money in advance.
    if overdue(&case).is_positive() {
        return Ok(());
    }
    let timeline = case.under_both();
    let assessment = assess(&case.account, &timeline, case.binds_at());
    prop_assert_eq!(assessment.figures.overdue, Money::ZERO);
    prop_assert_eq!((assessment.figures.days_past_due, assessment.figures.unpaid_installments), (0, 0));
    prop_assert_eq!(assessment.stage_name(), "current");
    prop_assert!(assessment.restrictions().is_empty());
    Ok(())
}

fn with_a_rate_alone(mut case: VersionCase) -> VersionCase {
    for policy in [&mut case.first, &mut case.second] {
        if let Some(LateFee { daily_rate, free_days, .. }) = policy.late_fee {
            policy.late_fee = Some(LateFee { daily_rate, free_days, ..LateFee::default() });
        }
        policy.stages.iter_mut().for_each(|stage| stage.late_fee = None);
    }
    case
}

/// The fees of the nights that begin before `day`, each by the rate and the free days of its version.
fn fees_night_by_night(case: &VersionCase, day: NaiveDate) -> Money {
    let pauses = case.account.pauses();
    let is_paused = |night: &NaiveDate| pauses.iter().any(|one| one.from <= *night && *night < one.until);
    let fee = |installment: &Installment| {
        let nights = installment.due_on.iter_days().take_while(|night| *night < day);
        let charges = nights.filter(|night| !is_paused(night)).zip(1..).map(|(night, unpaused)| {
            let version = if night < case.binds_on { &case.first } else { &case.second };
            let rate = version.late_fee.and_then(|fee| fee.daily_rate).unwrap_or_default();
            if unpaused > version.free_days() {
                rate * installment.principal.as_decimal()
            } else {
                Decimal::ZERO
            }
        });
        charges.sum::<Decimal>().round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
    };
    let fees: Decimal = case.account.installments().iter().map(fee).sum();
    cents((fees * Decimal::ONE_HUNDRED).try_into().unwrap())
}

fn each_night_has_its_version(case: VersionCase, days: u64) -> TestCaseResult {
    let case = with_a_rate_alone(case);
    let now = start_of_day(case.account.time_zone, case.binds_on + Days::new(days));
    let day = case.second.day_count.judged_day(case.account.time_zone, now);
    let charged = allocate_at(&case.account, case.under_both()).late_fee_charged_on(
        day,
        case.account.currency,
        case.second.day_count,
    );
    prop_assert_eq!(charged, fees_night_by_night(&case, business_date(case.account.time_zone, now)));
    Ok(())
}

/// Waives the fee of an installment that has none, so many days after the second version binds.
fn an_idle_fact_changes_nothing(mut case: VersionCase, days: u64, more: u64) -> TestCaseResult {
    let number = InstallmentNumber(99);
    let installment = NewInstallment {
        number,
        due_on: "2030-01-01".parse().unwrap(),
        principal: cents(100),
        interest: Money::ZERO,
        fee: Money::ZERO,
        draw_id: None,
    };
    let added = Command::InstallmentAdded(InstallmentAdded { installment });
    case.account.apply(&added, case.just_before()).unwrap();
    let on = case.binds_on + Days::new(days);
    let waiver = FeeWaived { number: Some(number), amount: None, reason: "generated".to_owned() };
    let mut waived = case.account.clone();
    waived.apply(&Command::FeeWaived(waiver), start_of_day(case.account.time_zone, on)).unwrap();

    let timeline = case.under_both();
    let [before, after] = [&case.account, &waived].map(|account| allocate_at(account, &timeline));
    prop_assert_eq!((&after.paid, after.credit), (&before.paid, before.credit));
    prop_assert_eq!(&after.open_installments, &before.open_installments);
    for day in [on, on + Days::new(more)] {
        let [before, after] = [&before, &after].map(|allocation| {
            let charged = allocation.late_fee_charged_on(day, case.account.currency, case.second.day_count);
            (charged, allocation.balances_on(day, &case.account, case.second.day_count))
        });
        prop_assert_eq!(after, before, "on {}", day);
    }
    Ok(())
}

fn class(account: &Account) -> Option<String> {
    let held = account.status.classification.as_ref()?.class()?;
    Some(held.name.to_string())
}

/// No change before the next action, at the last evaluation under the first version and the actions that follow.
fn nothing_happens_before_the_next_action(case: VersionCase, thousandths: &[i32]) -> TestCaseResult {
    let versions = case.versions();
    let mut account = case.account;
    let mut now = account.status.last_assessed_at.unwrap();
    account.judge(&versions, now, Trigger::Time);
    for _ in 0..8 {
        let Some(next) = account.status.next_action_at else { break };
        prop_assert!(next > now, "{} is not after {}", next, now);
        let samples = thousandths.iter().map(|one| now + (next - now) / 1_000 * *one);
        for at in samples.chain([(next - TimeDelta::seconds(1)).max(now)]) {
            let mut sampled = account.clone();
            sampled.judge(&versions, at, Trigger::Time);
            prop_assert_eq!(sampled.decision_of_this_revision(), None, "at {}", at);
            prop_assert!(sampled.contact_requests.is_empty(), "at {}: {:?}", at, sampled.contact_requests);
            prop_assert_eq!(class(&sampled), class(&account), "at {}", at);
        }
        now = next;
        account.judge(&versions, now, Trigger::Time);
    }
    Ok(())
}

fn line<'p>(account: &Account, rules: impl Into<Rules<'p>>, day: NaiveDate) -> String {
    let mut line = Vec::new();
    DailyLines::new(account, rules).write(account, day, &mut line);
    String::from_utf8(line).unwrap()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_version_changes_no_day_before_it_binds(
        case in version_case(),
        cut in 1_u64..240,
        earlier in 1_u64..300,
    ) {
        nothing_changes_before_it_binds(&case, cut, earlier)?;
    }

    #[test]
    fn a_version_changes_no_amount_as_it_binds(
        case in version_case(),
        cut in 1_u64..240,
    ) {
        nothing_changes_as_it_binds(&case)?;
        nothing_changes_as_it_binds(&case.as_of(case.days_before(cut)))?;
    }

    #[test]
    fn a_version_makes_nobody_overdue_who_owed_nothing(case in version_case()) {
        nobody_becomes_overdue(case)?;
    }

    #[test]
    fn each_night_is_charged_by_the_version_of_its_day(
        case in unpaid_case(),
        days in 0_u64..300,
    ) {
        each_night_has_its_version(case, days)?;
    }

    #[test]
    fn payments_from_its_first_day_on_are_allocated_as_by_the_version_alone(
        mut case in version_case()
            .prop_map(with_the_same_business_days)
            .prop_map(with_one_split_of_adjustments),
    ) {
        // A late fee of the first version would take its part of the payments.
        (case.first.late_fee, case.second.late_fee) = (None, None);
        let effective = case.account.payments().iter().map(|one| effective_on(&case.account, one));
        case.binds_on = effective.min().unwrap_or(case.binds_on);
        let both = allocate_at(&case.account, case.under_both());
        let alone = allocate_at(&case.account, &case.second);
        prop_assert_eq!((&both.paid, both.credit), (&alone.paid, alone.credit));
        prop_assert_eq!((&both.open_installments, both.outstanding), (&alone.open_installments, alone.outstanding));
    }

    #[test]
    fn under_two_versions_a_fact_without_an_amount_changes_no_amount(
        case in version_case(),
        days in 0_u64..200,
        more in 0_u64..200,
    ) {
        an_idle_fact_changes_nothing(case, days, more)?;
    }

    #[test]
    fn until_it_binds_a_version_leaves_the_account_as_if_there_were_none(
        case in version_case(),
        thousandths in vec(0_i32..1_000, 0..3),
        later in vec(0_i64..300, 1..3),
    ) {
        let versions = case.versions();
        let last = case.account.status.last_assessed_at.unwrap();
        let span = case.just_before() - last;
        let mut instants: Vec<_> = thousandths.iter().map(|one| last + span / 1_000 * *one).collect();
        instants.sort();
        let (mut alone, mut both) = (case.account.clone(), case.account.clone());
        for at in instants.into_iter().chain([case.just_before()]) {
            alone.judge(&case.first, at, Trigger::Time);
            both.judge(&versions, at, Trigger::Time);
            // The next evaluation alone may come earlier.
            both.status.next_action_at = alone.status.next_action_at;
            prop_assert_eq!(&alone.status, &both.status, "at {}", at);
            prop_assert_eq!(&alone.contact_requests, &both.contact_requests, "at {}", at);
        }
        for days in later {
            let at = case.binds_at() + TimeDelta::days(days);
            let remembered = versions.timeline(&both, at);
            prop_assert_eq!(allocate_at(&both, &remembered), allocate_at(&both, case.under_both()));
            both.judge(&versions, at, Trigger::Time);
        }
    }

    #[test]
    fn a_version_that_is_published_late_binds_from_that_day_on(
        mut case in version_case().prop_map(VersionCase::lived),
        late in 1_u64..60,
        minutes in 0_i64..20 * 60,
        later in vec(0_i64..300, 0..3),
    ) {
        case.second.effective_on = case.days_before(late);
        let versions = case.versions();
        for days in [0].into_iter().chain(later) {
            let at = case.binds_at() + TimeDelta::minutes(minutes) + TimeDelta::days(days);
            let remembered = versions.timeline(&case.account, at);
            prop_assert_eq!(allocate_at(&case.account, &remembered), allocate_at(&case.account, case.under_both()));
            case.account.judge(&versions, at, Trigger::Time);
        }
    }

    #[test]
    fn a_version_decides_and_reminds_of_nothing_before_its_day(
        case in version_case().prop_map(VersionCase::lived),
        minutes in 0_i64..20 * 60,
    ) {
        let mut account = case.account.clone();
        account.judge(&case.versions(), case.binds_at() + TimeDelta::minutes(minutes), Trigger::Time);
        prop_assert!(account.decision_of_this_revision().is_none_or(|decision| decision.at >= case.just_before()));
        // A notice that its restrictions wait for is caught up.
        let mut reminders = account.contact_requests.iter().filter(|request| request.notice_of.is_none());
        prop_assert!(reminders.all(|request| request.planned_at >= case.just_before()));
    }

    #[test]
    fn the_daily_lines_before_a_version_binds_are_those_of_the_first(
        case in version_case().prop_map(VersionCase::lived),
        days in vec(1_u64..60, 1..4),
    ) {
        let versions = case.versions();
        for day in days.into_iter().map(|days| case.days_before(days)) {
            prop_assert_eq!(line(&case.account, &versions, day), line(&case.account, &case.first, day));
        }
    }

    #[test]
    fn a_version_whose_fees_are_arrears_changes_no_day_before_it_binds(
        mut case in version_case(),
        cut in 1_u64..240,
        earlier in 1_u64..300,
    ) {
        case.first.overpayment = Overpayment::Credit;
        case.first.late_fee.iter_mut().for_each(|fee| fee.fee_arrears_count = false);
        case.second.late_fee.iter_mut().for_each(|fee| fee.fee_arrears_count = true);
        nothing_changes_before_it_binds(&case, cut, earlier)?;
    }

    #[test]
    fn a_version_disproves_no_episode_that_was_over(case in version_case().prop_map(VersionCase::lived)) {
        let before = case.account.status.delinquency_history;
        let remembers = [&case.first, &case.second].iter().all(|one| one.first_lapse_tolerance.is_some());
        if before.since.is_none() && remembers {
            let mut account = case.account.clone();
            account.judge(&case.versions(), case.binds_at(), Trigger::Time);
            let after = account.status.delinquency_history;
            prop_assert_eq!((after.last_since, after.last_over_on), (before.last_since, before.last_over_on));
        }
    }

    #[test]
    fn a_version_that_is_published_late_decides_nothing_before_that_day(
        mut case in version_case().prop_map(VersionCase::lived),
        late in 1_u64..60,
        minutes in 0_i64..20 * 60,
    ) {
        case.second.effective_on = case.days_before(late);
        let mut account = case.account.clone();
        account.judge(&case.versions(), case.binds_at() + TimeDelta::minutes(minutes), Trigger::Time);
        prop_assert!(account.decision_of_this_revision().is_none_or(|decision| decision.at >= case.just_before()));
    }

    #[test]
    fn under_two_versions_nothing_happens_before_the_next_action(
        case in version_case(),
        thousandths in vec(0_i32..1_000, 2),
    ) {
        nothing_happens_before_the_next_action(case, &thousandths)?;
    }
}
