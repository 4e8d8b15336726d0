//! The hold on new restrictions: stages, lifts and reminders go on, and no restriction begins.

use chrono::TimeDelta;
use duewatch_domain::Trigger;
use duewatch_domain::policy::{self, Policy};
use proptest::prelude::*;

use crate::common::four_installments;
use crate::common::version_case::{VersionCase, version_case};

fn ladder() -> Policy {
    let text = "id = \"p\"\nversion = 1\neffective_on = 2023-01-01\n\
        [[stages]]\nname = \"limited\"\nwhen = { delinquent_days = 5 }\n\
        restrictions = [{ kind = \"limit_credit_line\", percent = 50 }]\n\
        [[stages]]\nname = \"suspended\"\nwhen = { delinquent_days = 10 }\n\
        restrictions = [{ kind = \"limit_credit_line\", percent = 20 }, { kind = \"suspend_account\" }]\n";
    policy::parse(text).unwrap()
}

#[test]
fn a_stricter_restriction_leaves_the_one_that_it_would_replace_in_force() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.swept("2023-10-07", &policy);
    loan.assessed("2023-10-07", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
    let now = loan.local("2023-10-12");
    let mut assessed = loan.account.assess_by(&policy, now);
    assessed.defer_new_restrictions(&loan.account, now + TimeDelta::hours(1));
    loan.account.revise(assessed, Trigger::Time);
    assert_eq!(loan.status_text(), "suspended [limit_credit_line to 50 %]");
    assert_eq!(loan.account.status.next_action_at, Some(now + TimeDelta::hours(1)));
    // After the release.
    let released_at = now + TimeDelta::minutes(30);
    let now = now + TimeDelta::hours(1);
    let mut assessed = loan.account.assess_by(&policy, now);
    assessed.decides_no_earlier_than(released_at);
    loan.account.revise(assessed, Trigger::Time);
    assert_eq!(loan.status_text(), "suspended [limit_credit_line to 20 %, suspend_account]");
    assert_eq!(loan.account.recent_decisions().last().unwrap().at, released_at);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_hold_nothing_begins_and_all_else_is_as_without_it(
        case in version_case().prop_map(VersionCase::lived),
        days in 0_i64..120,
    ) {
        let (versions, at) = (case.versions(), case.binds_at() + TimeDelta::days(days));
        let until = at + TimeDelta::hours(1);
        let before = case.account.status.restrictions.clone();
        let (mut free, mut held) = (case.account.clone(), case.account);
        free.judge(&versions, at, Trigger::Fact);
        let mut assessed = held.assess_by(&versions, at);
        assessed.defer_new_restrictions(&held, until);
        held.revise(assessed, Trigger::Fact);
        prop_assert_eq!(&held.status.stage, &free.status.stage);
        prop_assert_eq!(&held.contact_requests, &free.contact_requests);
        let begins = held.status.restrictions.iter().find(|one| !before.iter().any(|known| known.covers(one)));
        prop_assert_eq!(begins, None);
        // What both bear, the hold does not lift.
        let kept = before.iter().filter(|one| free.status.restrictions.contains(one));
        for one in kept {
            prop_assert!(held.status.restrictions.contains(one), "{}", one);
        }
        if held.status.restrictions != free.status.restrictions {
            prop_assert!(held.status.next_action_at <= Some(until));
        } else {
            prop_assert_eq!(held.status.next_action_at, free.status.next_action_at);
        }
    }
}
