//! The rollout of a stricter version by cohorts. Installments of 250.00 are due on the first of October to January.

use chrono::{Days, NaiveDate};
use duewatch_domain::Trigger;
use duewatch_domain::kernel::end_of_day;
use duewatch_domain::policy::{self, Policy, Versions, next_version};
use duewatch_testkit::{ContractTerms, FOUR_MONTHS, equal_installments};
use proptest::prelude::*;
use rstest::rstest;

use crate::common::{TestLoan, date};

const THREE: &str = "rollout = { shares = [\"0.01\", \"0.10\", 1], pause_days = 7 }";
// Slots 71, 375 and 5,500 of 10,000.
const FIRST: &str = "A-245";
const SECOND: &str = "A-7";
const THIRD: &str = "A-1";

fn text(version: u32, effective_on: NaiveDate, grace_days: u32, tables: &str) -> String {
    format!(
        "id = \"p\"\nversion = {version}\neffective_on = {effective_on}\ngrace_days = {grace_days}\n{tables}\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\
         restrictions = [{{ kind = \"freeze_drawdown\" }}]\n"
    )
}

fn version(version: u32, effective_on: &str, grace_days: u32, tables: &str) -> Policy {
    policy::parse(&text(version, date(effective_on), grace_days, tables)).unwrap()
}

fn versions(of: &[Policy]) -> Versions {
    Versions::new(of.to_vec()).unwrap()
}

fn loan(account_id: &str) -> TestLoan {
    let installments = equal_installments("250.00", &FOUR_MONTHS);
    TestLoan::of(&ContractTerms { account_id, policy_id: "p", installments, ..ContractTerms::default() })
}

/// Evaluates the account whenever it asks for it, up to the end of a day.
fn swept(loan: &mut TestLoan, until: &str, versions: &Versions) {
    let until = end_of_day(loan.account.time_zone, date(until));
    for _ in 0..200 {
        match loan.account.status.next_action_at.filter(|at| *at <= until) {
            Some(at) => loan.account.judge(versions, at, Trigger::Time),
            None => return,
        }
    }
}

/// The versions that bound the account, each with its first date.
fn bound(loan: &TestLoan) -> Vec<(u32, NaiveDate)> {
    loan.account.bound_versions().iter().map(|one| (one.version, one.from)).collect()
}

#[rstest]
#[case(FIRST, "2023-10-05")]
#[case(SECOND, "2023-10-12")]
#[case(THIRD, "2023-10-19")]
fn each_cohort_is_bound_after_the_one_before_and_remembers_its_day(
    #[case] account_id: &str,
    #[case] from: &str,
) {
    let all = versions(&[version(1, "2023-01-01", 90, ""), version(2, "2023-10-05", 0, THREE)]);
    let mut loan = loan(account_id);
    loan.account.judge(&all, loan.local("2023-09-01"), Trigger::Fact);
    let from = date(from);
    swept(&mut loan, &(from - Days::new(1)).to_string(), &all);
    assert_eq!(loan.status_text(), "current []");
    swept(&mut loan, &from.to_string(), &all);
    assert_eq!(loan.status_text(), "late [freeze_drawdown]");
    assert_eq!(bound(&loan).last(), Some(&(2, from)));
}

#[test]
fn an_account_for_which_the_version_is_no_stricter_waits_for_no_cohort() {
    let all = versions(&[version(1, "2023-01-01", 0, ""), version(2, "2023-10-05", 9, THREE)]);
    let loan = loan(THIRD);
    assert_eq!(all.in_force(&loan.account, loan.local("2023-10-05")).version, 2);
}

#[test]
fn the_days_of_a_cohort_come_after_those_of_the_announcement() {
    let announced = "announcement = { days = 30, channel = \"letter\", template = \"new_terms\" }";
    let second = version(2, "2023-10-05", 0, &format!("{announced}\n{THREE}"));
    let all = versions(&[version(1, "2023-01-01", 90, ""), second]);
    let mut loan = loan(SECOND);
    loan.account.judge(&all, loan.local("2023-09-20"), Trigger::Fact);
    assert_eq!(all.announced_from(&loan.account, 2, loan.local("2023-09-21")), Some(date("2023-10-28")));
    loan.learns("2023-09-21", "notice_sent", r#""policy_version":2"#);
    assert_eq!(all.in_force(&loan.account, loan.local("2023-10-27")).version, 1);
    assert_eq!(all.in_force(&loan.account, loan.local("2023-10-28")).version, 2);
}

#[rstest]
#[case::reached(FIRST, &[1, 2, 3])]
#[case::not_reached(THIRD, &[1, 3])]
fn a_rollback_before_the_last_cohort_eases_those_that_were_reached_and_leaves_the_rest_untouched(
    #[case] account_id: &str,
    #[case] bind: &[u32],
) {
    let first = text(1, date("2023-01-01"), 90, "");
    let strict = [policy::parse(&first).unwrap(), version(2, "2023-10-05", 0, THREE)];
    let mut loan = loan(account_id);
    loan.account.judge(&versions(&strict), loan.local("2023-09-01"), Trigger::Fact);
    swept(&mut loan, "2023-10-09", &versions(&strict));
    let mut back = policy::parse(&next_version(&first, 3, None).unwrap()).unwrap();
    back.published_at = Some(loan.local("2023-10-10"));
    let all = versions(&[&strict[..], &[back]].concat());
    loan.account.judge(&all, loan.local("2023-10-11"), Trigger::Fact);
    assert_eq!(loan.status_text(), "current []");
    swept(&mut loan, "2023-12-20", &all);
    assert_eq!(loan.status_text(), "current []");
    assert_eq!(bound(&loan).iter().map(|(version, _)| *version).collect::<Vec<_>>(), bind);
    let decisions = loan.account.recent_decisions().len();
    assert_eq!(decisions, if bind.len() == 3 { 2 } else { 0 });
}

#[rstest]
#[case::none("shares = []", "rollout.shares: 0 cohorts, not 1 to 10")]
#[case::never_all("shares = [\"0.5\"]", "rollout.shares: they rise from more than 0 to 1")]
#[case::falling("shares = [\"0.5\", \"0.4\", 1]", "rollout.shares: they rise from more than 0 to 1")]
#[case::an_empty_cohort("shares = [0, 1]", "rollout.shares: they rise from more than 0 to 1")]
#[case::less_than_nothing("shares = [-1, 1]", "rollout.shares: they rise from more than 0 to 1")]
#[case::finer_than_a_slot("shares = [\"0.00015\", 1]", "rollout.shares: 0.00015 is no multiple of 0.0001")]
fn shares_that_make_no_cohorts_are_refused(#[case] shares: &str, #[case] problem: &str) {
    let table = format!("rollout = {{ {shares}, pause_days = 7 }}");
    let refused = policy::parse(&text(1, date("2023-10-05"), 0, &table)).unwrap_err();
    assert_eq!((refused.line, refused.problem.as_str()), (5, problem));
}

/// Shares in ten-thousandths that rise to all accounts.
fn shares() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::btree_set(1_u32..10_000, 0..9)
        .prop_map(|some| some.into_iter().chain([10_000]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A version binds an account not before the day of its cohort, from that day on, and everyone at the last; and the
    /// day does not depend on when the account is evaluated.
    #[test]
    fn a_version_binds_an_account_from_the_day_of_its_cohort_on(
        number in any::<u32>(),
        shares in shares(),
        pause_days in 1_u32..20,
        looks in prop::collection::btree_set(0_u64..220, 0..6),
    ) {
        let first = date("2023-09-05");
        let written: Vec<String> = shares
            .iter()
            .map(|slots| format!("\"{}.{:04}\"", slots / 10_000, slots % 10_000))
            .collect();
        let table = format!("rollout = {{ shares = [{}], pause_days = {pause_days} }}", written.join(", "));
        let strict = policy::parse(&text(2, first, 0, &table)).unwrap();
        let rollout = strict.rollout.clone().unwrap();
        let all = versions(&[version(1, "2023-01-01", 90, ""), strict]);
        let mut loan = loan(&format!("A-{number}"));
        let cohort = rollout.cohort_of(&loan.account.account_id);
        prop_assert!(cohort < shares.len());
        let bound_on = first + Days::new(cohort as u64 * u64::from(pause_days));
        let last = first + Days::new((shares.len() as u64 - 1) * u64::from(pause_days));
        for day in 0..220 {
            let on = first + Days::new(day);
            let now = end_of_day(loan.account.time_zone, on);
            let binds = all.in_force(&loan.account, now).version;
            prop_assert_eq!(binds, if on >= bound_on { 2 } else { 1 }, "{}", on);
            prop_assert!(on < last || binds == 2);
            if looks.contains(&day) {
                loan.account.judge(&all, now, Trigger::Fact);
            }
        }
        prop_assert!(bound(&loan).iter().all(|(version, from)| *version == 1 || *from == bound_on));
    }

    /// The cohorts have about their shares of the accounts.
    #[test]
    fn a_cohort_has_its_share_of_the_accounts(prefix in "[A-Z]{1,6}", percent in 1_u32..50) {
        let table = format!("rollout = {{ shares = [\"0.{percent:02}\", 1], pause_days = 1 }}");
        let rollout = version(2, "2023-10-05", 0, &table).rollout.unwrap();
        let is_first = |number: &u32| rollout.cohort_of(&format!("{prefix}-{number}").parse().unwrap()) == 0;
        let first = (0..4_000).filter(is_first).count();
        let expected = 40 * percent as usize;
        // Six standard deviations at the most.
        prop_assert!(first.abs_diff(expected) < 190, "{} of 4,000, not {}", first, expected);
    }
}
