//! No accepted policy makes `assess` panic, loop or contradict itself, whatever the account.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::kernel::{business_date, start_of_day};
use duewatch_domain::policy::{self, ReminderStep, Restriction, Stage};
use duewatch_domain::{Account, Assessment, Policy, Trigger, assess};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use crate::common::generate::{
    DATE_SKIPPED, DomainCase, OddZone, PLACES, any_case_under, every_policy, full_policy,
};
use crate::common::{command, loan_in};

/// The stage index of a stage, from 1; 0: `current`.
fn stage_index(policy: &Policy, stage: Option<&Stage>) -> usize {
    let place = stage.and_then(|stage| policy.stages.iter().position(|one| one.name == stage.name));
    place.map_or(0, |place| place + 1)
}

/// An assessment of one instant agrees with itself, and with the policy.
fn agrees_with_itself(account: &Account, policy: &Policy, now: DateTime<Utc>) -> TestCaseResult {
    let assessment = assess(account, policy, now);
    prop_assert_eq!(&assess(account, policy, now), &assessment);
    let Assessment { day, figures, stage, restricting, .. } = &assessment;
    prop_assert!(stage_index(policy, *restricting) <= stage_index(policy, *stage));
    prop_assert!(assessment.next_action_at.is_none_or(|next| next > now));
    prop_assert!(assessment.held_from.is_none_or(|from| from <= *day));
    prop_assert!(assessment.restricted_from.is_none_or(|from| from <= *day));
    prop_assert!(figures.overdue <= figures.outstanding && !figures.overdue.is_negative());
    prop_assert_eq!(figures.oldest_due_on.is_some(), figures.unpaid_installments > 0);
    prop_assert!(figures.delinquent_days <= figures.days_past_due);
    prop_assert!(figures.late_fee.is_none_or(|fee| fee <= figures.overdue));
    let Some(stage) = stage else { return Ok(()) };
    prop_assert!(account.is_enforced() && figures.unpaid_installments > 0);
    prop_assert!(!assessment.reasons.is_empty());
    let when = &stage.when;
    prop_assert!(when.delinquent_days.is_none_or(|least| figures.delinquent_days >= least));
    prop_assert!(when.days_past_due.is_none_or(|least| figures.days_past_due >= least));
    prop_assert!(when.overdue_amount.is_none_or(|least| figures.overdue >= least));
    prop_assert!(when.unpaid_installments.is_none_or(|least| figures.unpaid_installments >= least));
    prop_assert!(when.cause.is_none_or(|cause| account.cause().is_some_and(|one| one.cause == cause)));
    prop_assert!(when.score_at_most.is_none_or(|most| account.score().is_some_and(|one| one.score <= most)));
    Ok(())
}

/// The most evaluations of an account without a fact: each stage begins once, restricts once and ends once,
/// each class comes twice, a delinquency episode begins, and each step reminds of an installment as often as
/// it says.
fn most_looks(account: &Account, policy: &Policy) -> usize {
    let times = |step: &ReminderStep| usize::try_from(step.at_most).unwrap();
    let steps: usize = policy.reminders.iter().flat_map(|reminders| &reminders.steps).map(times).sum();
    let classes = policy.classification.as_ref().map_or(0, |rules| rules.classes.len());
    3 * policy.stages.len() + 2 * classes + 1 + steps * account.installments().len()
}

/// The days on which a recorded cause or score ceases to bind, so that time alone may lower the stage.
fn easing_days(account: &Account) -> BTreeSet<NaiveDate> {
    let cause = account.cause().and_then(|one| one.until);
    cause.into_iter().chain(account.score().and_then(|one| one.until)).collect()
}

/// Whether the account's restrictions are at least as severe as `restriction`.
fn bears(account: &Account, restriction: &Restriction) -> bool {
    account.status.restrictions.iter().any(|held| held.covers(restriction))
}

/// Lets time pass without facts, except that planned notices may leave.
fn goes_one_way(case: DomainCase, notices_leave: bool) -> TestCaseResult {
    let DomainCase { mut account, policy, mut now, .. } = case;
    let easing = easing_days(&account);
    let place = |account: &Account| {
        let stage = policy.stages.iter().position(|stage| stage.name == account.status.stage);
        stage.map_or(0, |place| place + 1)
    };
    account.judge(&policy, now, Trigger::Fact);
    let mut gone: Vec<Restriction> = Vec::new();
    for looks in 0.. {
        agrees_with_itself(&account, &policy, now)?;
        prop_assert!(account.is_confirmed(&policy, now), "judged twice at {now}, it says two things");
        let planned = account.contact_requests.clone();
        for request in planned.iter().filter(|request| notices_leave && request.notice_of.is_some()) {
            account.notice_left(request.notice_of.as_ref().unwrap(), request.planned_at, now);
        }
        if !planned.is_empty() {
            // The next action after a notice is known from the fact that it left.
            account.judge(&policy, now, Trigger::Fact);
        }
        let Some(next) = account.status.next_action_at else { break };
        prop_assert!(next > now);
        prop_assert!(looks <= most_looks(&account, &policy), "looked at {looks} times, and again at {next}");
        let (rung_before, held_before) = (place(&account), account.status.restrictions.clone());
        account.judge(&policy, next, Trigger::Time);
        // A date that the zone skips begins with the one after it.
        let (zone, count) = (account.time_zone, policy.day_count);
        let counted = count.begin(zone, count.judged_day(zone, next));
        let began = start_of_day(zone, business_date(zone, next));
        let eases =
            easing.iter().any(|day| count.begin(zone, *day) == counted || start_of_day(zone, *day) == began);
        if eases {
            gone.clear();
        } else {
            let stage_index = place(&account);
            prop_assert!(stage_index >= rung_before, "from rung {rung_before} to {stage_index} at {next}");
            let back = gone.iter().find(|one| bears(&account, one));
            prop_assert!(back.is_none(), "{back:?} came back at {next}");
            gone.extend(held_before.into_iter().filter(|one| !bears(&account, one)));
        }
        now = next;
    }
    Ok(())
}

/// A single late evaluation gives the same result as an evaluation at every next action.
fn late_is_punctual(case: &DomainCase) -> TestCaseResult {
    let DomainCase { account, policy, now, begin } = case;
    let (mut late, mut punctual) = (account.clone(), account.clone());
    late.judge(policy, *now, Trigger::Time);
    let mut look = *begin;
    while look <= *now {
        punctual.judge(policy, look, Trigger::Time);
        let Some(next) = punctual.status.next_action_at else { break };
        prop_assert!(next > look);
        look = next;
    }
    prop_assert_eq!(&late.status.stage, &punctual.status.stage);
    prop_assert_eq!(&late.status.restrictions, &punctual.status.restrictions);
    let class = |account: &Account| {
        account.status.classification.as_ref().and_then(|one| one.class()).map(|held| held.name.to_string())
    };
    prop_assert_eq!(class(&late), class(&punctual));
    Ok(())
}

fn every_case(places: &'static [OddZone]) -> impl Strategy<Value = DomainCase> {
    prop_oneof![any_case_under(places, full_policy()), any_case_under(places, every_policy())]
}

/// A policy and a loan with the smallest or the largest accepted values.
#[derive(Clone, Debug)]
struct Extreme {
    policy: String,
    zone: &'static str,
    installments: Vec<(&'static str, &'static str)>,
    paid: Option<&'static str>,
    now: &'static str,
}

const AMOUNTS: &[&str] = &["0.00", "0.01", "1.00", "999999999999.99"];
const DAYS: &[u32] = &[0, 1, 2, 36_500];

fn extreme() -> impl Strategy<Value = Extreme> {
    let amount = || select(AMOUNTS);
    let days = || select(DAYS);
    let share = || select(&["0", "0.000000001", "0.999999999"][..]);
    let stage = (
        weighted(0.5, days()),
        weighted(0.5, days()),
        weighted(0.5, amount()),
        weighted(0.5, share()),
        weighted(0.5, select(&[0_u32, 1, 36_500][..])),
        weighted(0.5, days()),
    );
    let stage = stage.prop_map(|(delinquent, past_due, amount, share, unpaid, notice)| {
        let conditions = [
            delinquent.map(|days| format!("delinquent_days = {days}")),
            past_due.map(|days| format!("days_past_due = {days}")),
            amount.map(|amount| format!("overdue_amount = \"{amount}\"")),
            share.map(|share| format!("overdue_share = \"{share}\"")),
            unpaid.map(|count| format!("unpaid_installments = {count}")),
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        let notice = notice.map_or(String::new(), |days| format!(", notice_days = {days}"));
        format!(
            "when = {{ {} }}\nrestrictions = [{{ kind = \"freeze_drawdown\"{notice} }}]\n",
            conditions.join(", ")
        )
    });
    let tables = (
        days(),
        days(),
        amount(),
        share(),
        select(&["0", "0.000000001", "0.01"][..]),
        amount(),
        any::<bool>(),
    );
    let steps = vec((select(&[-36_500_i64, -1, 0, 1, 36_500][..]), any::<bool>()), 0..4);
    let policy = (select(&["day_after", "due_day"][..]), tables, vec(stage, 0..6), steps).prop_map(
        |(count, (grace, held, amount, share, rate, fixed, moves), stages, steps)| {
            let mut text = format!(
                "id = \"extreme\"\nversion = 1\neffective_on = 1900-01-01\nday_count = \"{count}\"\n"
            );
            let mut add = |more: String| {
                if policy::parse(&format!("{text}{more}")).is_ok() {
                    text.push_str(&more);
                }
            };
            add(format!("grace_days = {grace}\n"));
            add(format!("materiality = {{ amount = \"{amount}\", share = \"{share}\" }}\n"));
            add(format!("buffer = {{ days = {held}, amount = \"{amount}\", months = 120 }}\n"));
            add(format!("payment_in_process = {{ max_days = {held} }}\n"));
            for (place, stage) in stages.iter().enumerate() {
                add(format!("[[stages]]\nname = \"stage {place}\"\n{stage}"));
            }
            let steps = steps.iter().map(|(days, is_notice)| {
                let notice = if *is_notice { "\nnotice_of = \"stage 0\"" } else { "" };
                format!("[[reminders.steps]]\nstage = \"current\"\ndays = {days}\nchannel = \"sms\"\ntemplate = \"t\"{notice}\n")
            });
            add(format!("[reminders]\nsend_at = \"23:59\"\n{}", steps.collect::<String>()));
            add(format!("[late_fee]\ndaily_rate = \"{rate}\"\nfixed = \"{fixed}\"\n"));
            if moves {
                add("[business_days]\ncalendar = \"cn\"\nmove = \"modified_next\"\nmonth_end = true\n".to_owned());
            }
            text
        },
    );
    let dates = || select(&["1900-01-01", "1999-12-31", "2024-02-29", "2999-12-30", "2999-12-31"][..]);
    let now = select(&["1900-01-03T00:00:00Z", "2024-03-01T00:00:00Z", "2999-12-30T12:00:00Z"][..]);
    let zone = select(&["UTC", "Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles"][..]);
    (policy, zone, vec((dates(), amount()), 0..5), weighted(0.3, select(&AMOUNTS[1..])), now)
        .prop_map(|(policy, zone, installments, paid, now)| Extreme { policy, zone, installments, paid, now })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_that_is_taken_takes_no_account_back_and_forth(
        case in every_case(PLACES),
        notices_leave in any::<bool>(),
    ) {
        goes_one_way(case, notices_leave)?;
    }

    #[test]
    fn a_policy_that_is_taken_says_the_same_to_whoever_looks_late(case in every_case(PLACES)) {
        late_is_punctual(&case)?;
    }

    #[test]
    fn the_smallest_and_the_largest_that_may_be_said_go_one_way_too(extreme in extreme()) {
        let Extreme { policy, zone, installments, paid, now } = extreme;
        let policy = policy::parse(&policy).unwrap();
        let installments: Vec<(u32, &str, &str)> =
            (1..).zip(installments).map(|(number, (due_on, principal))| (number, due_on, principal)).collect();
        let mut loan = loan_in(zone, "CNY", &installments);
        let now: DateTime<Utc> = now.parse().unwrap();
        if let Some(amount) = paid {
            let fields = format!(r#""payment_id":"P-1","amount":"{amount}""#);
            loan.account.apply(&command("payment_received", &fields), now).unwrap();
        }
        for notices_leave in [false, true] {
            let account = loan.account.clone();
            goes_one_way(DomainCase { account, policy: policy.clone(), now, begin: now }, notices_leave)?;
        }
    }

    #[test]
    fn where_a_date_is_skipped_it_goes_one_way_too(case in every_case(DATE_SKIPPED), notices_leave in any::<bool>()) {
        goes_one_way(case, notices_leave)?;
    }
}
