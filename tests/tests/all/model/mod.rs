//! The model against the pages, and the domain against the model.

mod answers;
mod generate;
mod money;
mod named;
mod pages;
mod patience;
mod readings;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::policy::Timeline;
use duewatch_domain::{Account, Assessment, Policy, Trigger, assess};
use duewatch_tests::model::{Model, ModelAssessment, ModelClass, Reminder};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use self::generate::{ModelCase, ODD, any_case, case, settling_case};
use crate::domain::{DATE_SKIPPED, PLACES};

/// The time over which time alone may change the account.
const SWEPT: TimeDelta = TimeDelta::days(1_500);

type Agree = fn(&Account, &Model, &Policy, DateTime<Utc>) -> TestCaseResult;

/// The time ahead in which the model searches the next change.
const AHEAD: TimeDelta = TimeDelta::days(25);

fn seen(assessment: &Assessment<'_>) -> ModelAssessment {
    let figures = &assessment.figures;
    ModelAssessment {
        stage: assessment.stage_name().to_owned(),
        holds_since: assessment.held_from,
        restricting: assessment.restricting.map_or("current", |stage| stage.name.as_str()).to_owned(),
        restricted_since: assessment.restricted_from,
        restrictions: assessment.restrictions().to_vec(),
        imposes: assessment.imposes.to_vec(),
        days_past_due: figures.days_past_due,
        delinquent_days: figures.delinquent_days,
        overdue: figures.overdue,
        oldest_due_on: figures.oldest_due_on,
        outstanding: figures.outstanding,
        late_fee: figures.late_fee,
        unpaid_installments: figures.unpaid_installments,
        class: assessment.classification.as_ref().and_then(|classes| classes.class()).map(|held| {
            ModelClass {
                name: held.name.to_string(),
                since: held.since,
                probation_until: held.probation_until,
            }
        }),
    }
}

fn reminder(request: &ContactRequest) -> Reminder {
    Reminder {
        channel: request.channel,
        template: request.template.clone(),
        about: request.installment.clone().unwrap(),
        due_on: request.due_on.unwrap(),
        planned_at: request.planned_at,
        not_before: request.not_before,
        missed: request.missed,
        notice_of: request.notice_of.clone(),
    }
}

/// Domain and model agree on the account at `now`.
fn agree(account: &Account, model: &Model, policy: &Policy, now: DateTime<Utc>) -> TestCaseResult {
    let assessment = assess(account, policy, now);
    prop_assert_eq!(seen(&assessment), model.judge(policy, now), "domain and model at {}", now);
    let intents: Vec<Reminder> = assessment.contact_requests.iter().map(reminder).collect();
    prop_assert_eq!(intents, model.reminders(policy, now), "domain and model at {}", now);
    Ok(())
}

/// Domain and model agree on the instant of the next change.
fn agree_on_what_is_next(
    account: &Account,
    model: &Model,
    policy: &Policy,
    now: DateTime<Utc>,
) -> TestCaseResult {
    let until = now + AHEAD;
    let next = assess(account, policy, now).next_action_at.filter(|next| *next <= until);
    prop_assert_eq!(next, model.next_change(policy, now, until), "domain and model at {}", now);
    Ok(())
}

/// Domain and model agree on the next change, after evaluations without effect. A clock that jumps over the
/// end of a date moves that date's reminder to where it is too late, and a restriction that begins may still
/// be deferred: the domain evaluates then, without effect. It never evaluates later.
fn agree_after_idle_looks(
    account: &Account,
    model: &Model,
    policy: &Policy,
    now: DateTime<Utc>,
) -> TestCaseResult {
    let until = now + AHEAD;
    let change = model.next_change(policy, now, until);
    let mut next = assess(account, policy, now).next_action_at;
    while let Some(look) = next.filter(|look| *look < change.unwrap_or(until + TimeDelta::seconds(1))) {
        next = assess(account, policy, look).next_action_at;
        prop_assert!(next.is_none_or(|next| next > look), "{:?} is not after {}", next, look);
    }
    prop_assert_eq!(next.filter(|next| *next <= until), change, "domain and model at {}", now);
    Ok(())
}

/// Domain and model side by side through a case.
struct ModelWalk<'a> {
    case: &'a ModelCase,
    account: Account,
    model: Model,
    /// The arrival of the last fact.
    known_at: DateTime<Utc>,
}

impl<'a> ModelWalk<'a> {
    fn begin(case: &'a ModelCase) -> Self {
        let (account, model) = (Account::open(&case.contract).unwrap(), Model::open(&case.contract));
        let mut walk = Self { case, account, model, known_at: case.begin };
        walk.evaluate(case.begin, Trigger::Fact);
        walk
    }

    /// Evaluates both; planned notices leave, if the case lets them, and both are evaluated again.
    fn evaluate(&mut self, now: DateTime<Utc>, cause: Trigger) {
        for _ in 0..10 {
            self.account.judge(&self.case.policy, now, cause);
            self.model.evaluated(&self.case.policy, now);
            self.model.vouches_until(self.account.status.next_action_at);
            let delinquency_history = self.account.status.delinquency_history;
            assert_eq!(
                (delinquency_history.since, delinquency_history.last_over_on),
                self.model.episodes(),
                "at {now}"
            );
            let notices = self.account.notices().iter().map(|one| (&one.of, one.planned_at, one.sent_at));
            assert!(notices.eq(self.model.notices()), "at {now}: {:?}", self.account.notices());
            let notices: Vec<ContactRequest> = self.account.contact_requests.clone();
            let notices = notices.iter().filter(|_| self.case.notices_leave);
            let mut left = false;
            for (of, notice) in notices.filter_map(|one| Some((one.notice_of.as_ref()?, one))) {
                self.account.notice_left(of, notice.planned_at, now);
                self.model.notice_left(of, notice.planned_at, now);
                left = true;
            }
            if !left {
                return;
            }
        }
    }

    /// Whether no remembered result comes from a later evaluation, and no fact that decides a class became
    /// known later.
    fn may_evaluate(&self, now: DateTime<Utc>) -> bool {
        let Policy { first_lapse_tolerance: tolerance, classification, holds, .. } = &self.case.policy;
        let is_after_looks = self.account.status.last_assessed_at <= Some(now);
        let is_after_facts = self.known_at <= now;
        (tolerance.is_none() || is_after_looks)
            && (holds.is_none() || is_after_looks && is_after_facts)
            && (classification.is_none() || is_after_looks && is_after_facts)
    }

    fn agree(&self, now: DateTime<Utc>) -> TestCaseResult {
        if self.may_evaluate(now) {
            agree(&self.account, &self.model, &self.case.policy, now)
        } else {
            Ok(())
        }
    }

    /// Compares both after every fact and at every evaluation.
    fn through(mut self, agree_on_what_is_next: Agree) -> TestCaseResult {
        let ModelCase { policy, arrivals, evaluations: looks, .. } = self.case;
        for arrival in arrivals {
            if self.account.apply_under(&arrival.command, arrival.at, Some(&Timeline::from(policy))).is_err()
            {
                continue;
            }
            self.model.take(&arrival.command, arrival.at);
            self.known_at = arrival.arrives_at;
            for now in looks.iter().chain([&arrival.at, &arrival.arrives_at]) {
                self.agree(*now)?;
            }
            self.evaluate(arrival.arrives_at, Trigger::Fact);
        }
        for now in looks.iter().filter(|now| self.may_evaluate(**now)) {
            agree_on_what_is_next(&self.account, &self.model, policy, *now)?;
        }
        self.sweep()
    }

    /// Compares both at the changes that time alone brings after the last fact.
    fn sweep(mut self) -> TestCaseResult {
        for _ in 0..20 {
            // A tiny fee may take centuries to reach an amount.
            let next = self.account.status.next_action_at;
            let Some(next) = next.filter(|next| *next <= self.case.begin + SWEPT) else { break };
            self.agree(next - TimeDelta::seconds(1))?;
            self.agree(next)?;
            self.evaluate(next, Trigger::Time);
        }
        Ok(())
    }
}

fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_domain_and_the_model_agree(case in case(PLACES)) {
        ModelWalk::begin(&case).through(agree_on_what_is_next)?;
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn they_agree_on_every_table_option_and_fact(case in any_case(PLACES)) {
        ModelWalk::begin(&case).through(agree_after_idle_looks)?;
    }

    #[test]
    fn they_agree_on_what_is_owed_whatever_is_settled_first(case in settling_case(PLACES)) {
        ModelWalk::begin(&case).through(agree_after_idle_looks)?;
    }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn they_agree_on_all_of_it_where_days_are_odd(
        case in prop_oneof![any_case(DATE_SKIPPED), any_case(ODD)],
    ) {
        ModelWalk::begin(&case).through(agree_after_idle_looks)?;
    }

    #[test]
    fn they_agree_where_a_zone_skips_a_date(case in case(DATE_SKIPPED)) {
        ModelWalk::begin(&case).through(agree_after_idle_looks)?;
    }

    #[test]
    fn they_agree_where_a_date_begins_or_ends_oddly(case in case(ODD)) {
        ModelWalk::begin(&case).through(agree_after_idle_looks)?;
    }
}
