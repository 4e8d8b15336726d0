//! Generated accounts under two versions of a policy.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use duewatch_domain::assessment::Rules;
use duewatch_domain::commands::WrittenOff;
use duewatch_domain::kernel::start_of_day;
use duewatch_domain::policy::{Policy, Timeline, Versions};
use duewatch_domain::{Account, Balances, Command, Trigger, allocate_at};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::generate::{
    DomainFact, PLACES, SPAN_DAYS, any_policy, every_policy, fact, full_policy, happen, opened, recorded,
};
use super::past::as_of;

/// An account whose facts all lie before the day from which on a second version of its policy binds it.
#[derive(Clone, Debug)]
pub(crate) struct VersionCase {
    pub(crate) account: Account,
    pub(crate) first: Policy,
    pub(crate) second: Policy,
    pub(crate) binds_on: NaiveDate,
}

impl VersionCase {
    pub(crate) fn under_the_first(&self) -> Timeline<'_> {
        Timeline::from(&self.first)
    }

    pub(crate) fn under_both(&self) -> Timeline<'_> {
        let mut timeline = self.under_the_first();
        timeline.bind(self.binds_on, &self.second);
        timeline
    }

    pub(crate) fn versions(&self) -> Versions {
        Versions::new(vec![self.first.clone(), self.second.clone()]).unwrap()
    }

    pub(crate) fn binds_at(&self) -> DateTime<Utc> {
        start_of_day(self.account.time_zone, self.binds_on)
    }

    /// The last second under the first version alone.
    pub(crate) fn just_before(&self) -> DateTime<Utc> {
        self.binds_at() - TimeDelta::seconds(1)
    }

    pub(crate) fn days_before(&self, days: u64) -> NaiveDate {
        self.binds_on - Days::new(days)
    }

    pub(crate) fn as_of(&self, day: NaiveDate) -> Self {
        Self { account: as_of(&self.account, day), ..self.clone() }
    }

    /// The balances of the instant at which the second version binds, by the day count of the timeline's last.
    pub(crate) fn balances_as_it_binds(&self, timeline: &Timeline<'_>) -> Balances {
        let count = timeline.current().day_count;
        let day = count.judged_day(self.account.time_zone, self.binds_at());
        allocate_at(&self.account, timeline).balances_on(day, &self.account, count)
    }

    /// Which installments are settled at that instant: a write-off leaves them as they are.
    pub(crate) fn settled_as_it_binds(&self, timeline: &Timeline<'_>) -> Vec<bool> {
        let mut account = self.account.clone();
        let write_off = Command::WrittenOff(WrittenOff { number: None, reason: "generated".to_owned() });
        account.apply_under(&write_off, self.binds_at(), Some(timeline)).unwrap();
        account.installments().iter().map(|one| !one.written_off).collect()
    }

    /// Evaluates the account at each of its next actions before the second version binds, and just before it.
    pub(crate) fn lived(mut self) -> Self {
        let last = self.just_before();
        swept(&mut self.account, &self.first, last);
        self.account.judge(&self.first, last, Trigger::Time);
        self
    }
}

/// The day on which a version binds: some days after the opening, or up to eleven before a due date.
#[derive(Clone, Debug)]
enum BindingDay {
    AfterOpening(u64),
    BeforeDue(Index, u64),
}

fn binding_day() -> impl Strategy<Value = BindingDay> {
    prop_oneof![
        (1_u64..300).prop_map(BindingDay::AfterOpening),
        (any::<Index>(), 0_u64..12).prop_map(|(due, days)| BindingDay::BeforeDue(due, days)),
    ]
}

impl BindingDay {
    fn of(&self, account: &Account) -> NaiveDate {
        let earliest = account.opened_on + Days::new(1);
        match self {
            Self::AfterOpening(days) => account.opened_on + Days::new(*days),
            Self::BeforeDue(due, days) => {
                (due.get(account.installments()).due_on - Days::new(*days)).max(earliest)
            }
        }
    }
}

/// Two versions that differ in every table, or in most. A fact comes when so many thousandths of the time are over.
pub(crate) fn version_case() -> impl Strategy<Value = VersionCase> {
    let version = || prop_oneof![2 => full_policy(), 1 => every_policy(), 1 => any_policy()];
    let facts = vec((0_i64..1_000, prop_oneof![3 => fact(), 1 => recorded()]), 0..12);
    (opened(PLACES), facts, binding_day(), version(), version()).prop_map(
        |((mut account, begin), mut facts, day, first, second)| {
            let binds_on = day.of(&account);
            let minutes = (start_of_day(account.time_zone, binds_on) - begin).num_minutes();
            facts.sort_by_key(|(thousandths, _)| *thousandths);
            account.judge(&first, begin, Trigger::Fact);
            for (thousandths, fact) in &facts {
                let minute = minutes * thousandths / 1_000;
                let at = begin + TimeDelta::minutes(minute);
                swept(&mut account, &first, at);
                happen(&mut account, fact, begin, minute);
                account.judge(&first, at, Trigger::Fact);
            }
            let second = Policy { version: 2, effective_on: binds_on, ..second };
            VersionCase { account, first, second, binds_on }
        },
    )
}

/// Two versions over an account that is never paid.
pub(crate) fn unpaid_case() -> impl Strategy<Value = VersionCase> {
    let pauses = vec((0..SPAN_DAYS, 1_i64..40), 0..4);
    (opened(PLACES), pauses, binding_day(), any_policy(), any_policy()).prop_map(
        |((mut account, begin), pauses, day, first, second)| {
            let binds_on = day.of(&account);
            for (from, days) in pauses {
                happen(&mut account, &DomainFact::Pause { from, days }, begin, 0);
            }
            let second = Policy { version: 2, effective_on: binds_on, ..second };
            VersionCase { account, first, second, binds_on }
        },
    )
}

pub(crate) fn swept<'p>(account: &mut Account, rules: impl Into<Rules<'p>>, until: DateTime<Utc>) {
    let rules = rules.into();
    while let Some(at) = account.status.next_action_at.filter(|at| *at <= until) {
        account.judge(rules, at, Trigger::Time);
    }
}

pub(crate) fn with_the_same_business_days(mut case: VersionCase) -> VersionCase {
    case.second.business_days.clone_from(&case.first.business_days);
    case
}

/// The waterfall that takes an adjustment off the components of its installment stays.
pub(crate) fn with_one_split_of_adjustments(mut case: VersionCase) -> VersionCase {
    if case.account.installments().iter().any(|one| !one.adjusted.is_zero()) {
        case.second.waterfall = case.first.waterfall;
    }
    case
}

pub(crate) fn fees_are_arrears(policy: &Policy) -> bool {
    policy.late_fee.is_some_and(|fee| fee.fee_arrears_count)
}
