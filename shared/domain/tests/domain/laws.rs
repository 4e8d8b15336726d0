//! Laws that hold for every account, every policy and every instant.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::Dated;
use duewatch_domain::account::Figures;
use duewatch_domain::commands::PaymentReversed;
use duewatch_domain::kernel::DayCount;
use duewatch_domain::policy::{DueClass, Stage, WaterfallEntry, When};
use duewatch_domain::{Account, Command, Policy, Trigger, allocate, allocate_at, assess, decide};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::common::generate::{
    DATE_SKIPPED, DomainCase, PLACES, amount, any_case, any_policy, case, cents, fact, happen, minutes,
    opened, payment, targets,
};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The regulatory class in the account status.
fn class(account: &Account) -> Option<String> {
    let held = account.status.classification.as_ref()?.class()?;
    Some(held.name.to_string())
}

/// No decision and no contact request at `at`.
fn silent(account: &Account, policy: &Policy, at: DateTime<Utc>) -> TestCaseResult {
    let assessment = assess(account, policy, at);
    let decision = decide(account, policy, &assessment, at, Trigger::Time);
    prop_assert_eq!(decision, None, "at {}", at);
    let classified = assessment.classification.as_ref().and_then(|one| one.class());
    prop_assert_eq!(classified.map(|held| held.name.to_string()), class(account), "at {}", at);
    prop_assert!(assessment.contact_requests.is_empty(), "at {}: {:?}", at, assessment.contact_requests);
    Ok(())
}

/// No change before the next action, at the case's instant and the actions that follow.
fn silent_until_each_next_action(case: DomainCase, samples: &[i32]) -> TestCaseResult {
    let DomainCase { mut account, policy, mut now, .. } = case;
    for _ in 0..6 {
        account.judge(&policy, now, Trigger::Time);
        silent(&account, &policy, now)?;
        let Some(next) = account.status.next_action_at else {
            for days in [1, 7, 31, 400, 36_500, 200_000] {
                silent(&account, &policy, now + TimeDelta::days(days))?;
            }
            return Ok(());
        };
        prop_assert!(next > now, "{} is not after {}", next, now);
        for sample in samples {
            silent(&account, &policy, now + (next - now) / 1_000 * *sample)?;
        }
        silent(&account, &policy, (next - TimeDelta::seconds(1)).max(now))?;
        now = next;
    }
    Ok(())
}

/// An account's figures on a day, by stepping through the days before it.
#[derive(Debug, PartialEq)]
struct SteppedFigures {
    days_past_due: u32,
    delinquent_days: u32,
    overdue_minor: i128,
    unpaid_installments: u32,
}

fn minor(amount: duewatch_domain::kernel::Money) -> i128 {
    let mut decimal = amount.as_decimal();
    decimal.rescale(2);
    decimal.mantissa()
}

/// The figures of the open installments, or of those that stages are about.
#[derive(Clone, Copy)]
enum Of {
    All,
    Judged,
}

fn stepped(account: &Account, policy: &Policy, day: NaiveDate, of: Of) -> SteppedFigures {
    let allocation = allocate_at(account, policy);
    let is_of = |place: usize| matches!(of, Of::All) || account.installments()[place].hold.is_none();
    let open = || allocation.open_installments.iter().filter(|one| is_of(one.place));
    let past_due = |due_on: NaiveDate| match policy.day_count {
        DayCount::DayAfter => due_on < day,
        DayCount::DueDay => due_on <= day,
    };
    let (mut days_past_due, mut counted, mut overdue_minor, mut unpaid_installments) = (0, 0, 0, 0);
    let oldest = open().map(|one| one.due_on).filter(|due_on| past_due(*due_on)).min();
    for one in open().filter(|one| past_due(one.due_on)) {
        overdue_minor += minor(one.amount);
        unpaid_installments += 1;
    }
    if let Some(oldest) = oldest {
        // Counting from the day after, the day that begins on a date is paused with that date; counting on the due
        // day, the date itself.
        let last = match policy.day_count {
            DayCount::DayAfter => day.pred_opt().unwrap(),
            DayCount::DueDay => day,
        };
        let mut stepping = oldest;
        while stepping <= last {
            days_past_due += 1;
            if !account.pauses().iter().any(|pause| pause.from <= stepping && stepping < pause.until) {
                counted += 1;
            }
            stepping = stepping.succ_opt().unwrap();
        }
    }
    let delinquent_days = u32::saturating_sub(counted, policy.grace_days);
    SteppedFigures { days_past_due, delinquent_days, overdue_minor, unpaid_installments }
}

/// The balance of the installments that are not on hold, where no fee and no waiting credit moves it.
fn judged_outstanding(account: &Account, policy: &Policy) -> i128 {
    let open = allocate_at(account, policy).open_installments.into_iter();
    open.filter(|one| account.installments()[one.place].hold.is_none()).map(|one| minor(one.amount)).sum()
}

impl SteppedFigures {
    fn of(figures: &Figures) -> Self {
        Self {
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            overdue_minor: minor(figures.overdue),
            unpaid_installments: figures.unpaid_installments,
        }
    }

    fn meets(&self, when: &When, outstanding_minor: i128) -> bool {
        self.overdue_minor > 0
            && when.delinquent_days.is_none_or(|least| self.delinquent_days >= least)
            && when.days_past_due.is_none_or(|least| self.days_past_due >= least)
            && when.overdue_amount.is_none_or(|least| self.overdue_minor >= minor(least))
            && when.unpaid_installments.is_none_or(|least| self.unpaid_installments >= least)
            && when.overdue_share.is_none_or(|mut least| {
                least.rescale(2);
                self.overdue_minor * 100 >= least.mantissa() * outstanding_minor
            })
    }
}

/// A payment, possibly with a duplicate and a reversal, in either order.
#[derive(Clone, Debug)]
struct GeneratedPayment {
    minute: i64,
    minor: i64,
    targets: Vec<u32>,
    duplicated: bool,
    reversed: Option<(i64, Dated)>,
    reversal_first: bool,
}

fn paid() -> impl Strategy<Value = GeneratedPayment> {
    let dated = prop_oneof![Just(Dated::Original), Just(Dated::Reversal)];
    (minutes(), amount(), targets(), any::<bool>(), weighted(0.4, (0_i64..50_000, dated)), any::<bool>())
        .prop_map(|(minute, minor, targets, duplicated, reversed, reversal_first)| GeneratedPayment {
            minute,
            minor,
            targets,
            duplicated,
            reversed,
            reversal_first,
        })
}

impl GeneratedPayment {
    fn commands(&self, number: usize) -> Vec<(i64, Command)> {
        let received = (self.minute, payment(number, self.minor, &self.targets));
        let reversal = self.reversed.map(|(later, dated)| {
            let payment_id = format!("P-{number}").parse().unwrap();
            (
                self.minute + later,
                Command::PaymentReversed(PaymentReversed { payment_id, amount: None, dated }),
            )
        });
        let mut commands = vec![received.clone()];
        commands.extend(reversal);
        if self.duplicated {
            let place = if self.reversal_first { commands.len() } else { 1 };
            commands.insert(place, received);
        }
        commands
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn nothing_happens_before_the_next_action(case in any_case(PLACES), samples in vec(0..1_000, 3)) {
        silent_until_each_next_action(case, &samples)?;
    }

    #[test]
    fn where_a_date_is_skipped_nothing_happens_before_the_next_action(
        mut case in any_case(DATE_SKIPPED),
        samples in vec(0..1_000, 3),
    ) {
        case.policy.day_count = DayCount::DayAfter;
        silent_until_each_next_action(case, &samples)?;
    }

    #[test]
    fn without_reminders_each_next_action_brings_a_decision_another_class_or_another_cross_restriction(case in case(PLACES)) {
        let DomainCase { mut account, mut policy, now, .. } = case;
        policy.reminders = None;
        account.judge(&policy, now, Trigger::Time);
        // At most one stage at a time: the number of stages bounds the climb; the restrictions of each may follow after
        // a pause, and a class that has served its probation can be reached once more.
        let classes = policy.classification.as_ref().map_or(0, |rules| rules.classes.len());
        for _ in 0..=2 * policy.stages.len() + 2 * classes {
            let Some(next) = account.status.next_action_at else { return Ok(()) };
            let before = (class(&account), account.imposes());
            account.judge(&policy, next, Trigger::Time);
            match account.decision_of_this_revision() {
                Some(decision) => prop_assert_eq!(decision.at, next),
                None => prop_assert_ne!((class(&account), account.imposes()), before, "nothing new at {}", next),
            }
        }
        prop_assert_eq!(account.status.next_action_at, None);
    }

    #[test]
    fn a_late_evaluation_gives_the_same_status_as_punctual_ones(case in any_case(PLACES)) {
        let DomainCase { account, policy, now, begin } = case;
        let is_plain = policy.first_lapse_tolerance.is_none() && policy.stages.iter().all(|stage| {
            let binds_for_a_while = stage.when.cause.is_some() || stage.when.score_at_most.is_some();
            !binds_for_a_while && stage.notice_days().is_none()
        });
        let mut late = account.clone();
        late.judge(&policy, now, Trigger::Time);

        let mut punctual = account;
        let mut look = begin;
        let mut looks = 0;
        while look <= now {
            punctual.judge(&policy, look, Trigger::Time);
            let Some(next) = punctual.status.next_action_at else { break };
            prop_assert!(next > look, "{} is not after {}", next, look);
            look = next;
            looks += 1;
            prop_assert!(looks < 5_000);
        }
        prop_assert_eq!(&late.status.stage, &punctual.status.stage);
        prop_assert_eq!(&late.status.restrictions, &punctual.status.restrictions);
        prop_assert_eq!(class(&late), class(&punctual));
        prop_assert_eq!(late.status.is_due(now), punctual.status.is_due(now));
        // Without facts that begin or end by themselves, an account status that time brought has the same
        // instant, however late it was evaluated.
        if is_plain {
            prop_assert_eq!(
                late.status.since.filter(|since| *since > begin),
                punctual.status.since.filter(|since| *since > begin)
            );
        }
    }

    #[test]
    fn paying_everything_overdue_lifts_everything(case in any_case(PLACES)) {
        let DomainCase { mut account, policy, now, .. } = case;
        // Where the policy settles some debts that are due but not past due first, more has to be paid.
        let past_due_first =
            |entries: &[WaterfallEntry]| entries.is_sorted_by_key(|entry| entry.class != DueClass::PastDue);
        prop_assume!(policy.waterfall.entries().is_none_or(|entries| past_due_first(entries)));
        account.judge(&policy, now, Trigger::Time);
        let overdue = assess(&account, &policy, now).figures.overdue;
        if overdue.is_positive() {
            let number = account.payments().len();
            let all = payment(number, i64::try_from(minor(overdue)).unwrap(), &[]);
            account.apply(&all, now).unwrap();
            account.judge(&policy, now, Trigger::Fact);
            let figures = assess(&account, &policy, now).figures;
            prop_assert_eq!((figures.days_past_due, figures.delinquent_days), (0, 0));
        }
        if overdue.is_positive() || !account.is_enforced() {
            prop_assert!(account.status.stage.is_current());
            prop_assert!(account.status.restrictions.is_empty());
        }
    }

    #[test]
    fn sums_of_parts_are_the_whole(case in any_case(PLACES)) {
        let DomainCase { account, policy, now, .. } = case;
        let allocation = allocate(&account);
        let standing: i128 =
            account.payments().iter().filter(|payment| payment.is_effective()).map(|one| minor(one.standing())).sum();
        let paid: i128 = allocation.paid.iter().copied().map(minor).sum();
        prop_assert_eq!(paid + minor(allocation.credit), standing);
        let unpaid: i128 = allocation.open_installments.iter().map(|one| minor(one.amount)).sum();
        prop_assert_eq!(minor(allocation.outstanding), unpaid);

        prop_assert!(!allocation.credit.is_negative());
        prop_assert!(allocation.open_installments.iter().all(|one| one.amount.is_positive()));
        prop_assert!(allocation.open_installments.is_empty() || allocation.credit.is_zero());
        prop_assert_eq!(allocation.paid.len(), account.installments().len());
        for (place, (installment, paid)) in account.installments().iter().zip(&allocation.paid).enumerate() {
            prop_assert!(!paid.is_negative() && *paid <= installment.amount_due());
            let open_installment = allocation.open_installments.iter().find(|one| one.place == place);
            let owes = open_installment.map_or(cents(0), |one| one.amount);
            let expected = if installment.written_off { cents(0) } else { installment.amount_due() - *paid };
            prop_assert_eq!(owes, expected);
        }
        let figures = assess(&account, &policy, now).figures;
        prop_assert!(!figures.overdue.is_negative() && figures.overdue <= figures.outstanding);
    }

    #[test]
    fn stepping_day_by_day_gives_the_same_figures_and_the_same_stage(case in case(PLACES)) {
        let DomainCase { account, policy, now, .. } = case;
        let assessment = assess(&account, &policy, now);
        let all = stepped(&account, &policy, assessment.day, Of::All);
        prop_assert_eq!(&SteppedFigures::of(&assessment.figures), &all);

        let stepped = stepped(&account, &policy, assessment.day, Of::Judged);
        let outstanding = judged_outstanding(&account, &policy);
        let holds = |stage: &&Stage| account.is_enforced() && stepped.meets(&stage.when, outstanding);
        prop_assert_eq!(assessment.stage, policy.stages.iter().rev().find(holds));
    }

    #[test]
    fn a_day_on_which_a_stage_began_to_hold_is_the_first_such_day(case in case(PLACES)) {
        let DomainCase { account, policy, now, .. } = case;
        let assessment = assess(&account, &policy, now);
        if let (Some(stage), Some(from)) = (assessment.stage, assessment.held_from) {
            let outstanding = judged_outstanding(&account, &policy);
            let on = |day| stepped(&account, &policy, day, Of::Judged).meets(&stage.when, outstanding);
            prop_assert!(on(from));
            prop_assert!(!on(from.pred_opt().unwrap()));
        }
    }

    #[test]
    fn payments_and_their_reversals_commute(
        (opened, begin) in opened(PLACES),
        others in vec((minutes(), fact()), 0..5),
        paid in vec(paid(), 1..6),
        shuffle in vec(any::<u32>(), 18),
        policy in any_policy(),
        look in minutes(),
    ) {
        let mut start = opened;
        for (minute, fact) in &others {
            happen(&mut start, fact, begin, *minute);
        }
        let first_id = start.payments().len();
        let commands: Vec<Vec<(i64, Command)>> =
            paid.iter().zip(first_id..).map(|(paid, number)| paid.commands(number)).collect();

        // Each payment's own commands keep their order; the payments mix at will.
        let mut slots: Vec<(u32, usize)> = commands
            .iter()
            .enumerate()
            .flat_map(|(place, own)| own.iter().map(move |_| place))
            .zip(shuffle)
            .map(|(place, key)| (key, place))
            .collect();
        let in_order: Vec<usize> = slots.iter().map(|(_, place)| *place).collect();
        slots.sort_unstable();
        let shuffled: Vec<usize> = slots.iter().map(|(_, place)| *place).collect();

        let run = |order: &[usize]| {
            let mut account = start.clone();
            let mut next = vec![0; commands.len()];
            for &place in order {
                let (minute, command) = &commands[place][next[place]];
                next[place] += 1;
                account.apply(command, begin + TimeDelta::minutes(*minute)).unwrap();
            }
            account
        };
        let (one, other) = (run(&in_order), run(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(allocate(&one), allocate(&other));
        prop_assert_eq!(allocate_at(&one, &policy), allocate_at(&other, &policy));
        let now = begin + TimeDelta::minutes(look);
        prop_assert_eq!(assess(&one, &policy, now), assess(&other, &policy, now));
    }

    #[test]
    fn a_payment_reversed_as_of_its_original_date_leaves_no_trace_in_what_is_owed(
        case in any_case(PLACES),
        minor in amount(),
        targets in targets(),
    ) {
        let DomainCase { mut account, policy, now, .. } = case;
        let number = account.payments().len();
        let before = (allocate_at(&account, &policy), assess(&account, &policy, now).figures);
        account.apply(&payment(number, minor, &targets), now).unwrap();
        let payment_id = format!("P-{number}").parse().unwrap();
        account.apply(&Command::PaymentReversed(PaymentReversed { payment_id, amount: None, dated: Dated::Original }), now).unwrap();
        prop_assert_eq!((allocate_at(&account, &policy), assess(&account, &policy, now).figures), before);
    }

    #[test]
    fn an_account_survives_being_written_and_read(case in any_case(PLACES)) {
        let DomainCase { mut account, policy, now, begin } = case;
        account.judge(&policy, begin, Trigger::Fact);
        account.judge(&policy, now, Trigger::Time);
        let written = serde_json::to_string(&account).unwrap();
        prop_assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), account);
    }
}
