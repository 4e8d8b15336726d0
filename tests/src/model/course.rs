//! From what is owed to a day's figures and stage, one day after the other.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::Policy;
use duewatch_domain::account::Pause;
use duewatch_domain::days::DayCount;
use duewatch_domain::money::Money;
use duewatch_domain::policy::When;

use super::books::{Books, Debt};
use super::{Judged, calendar};

/// How an account fares under a policy while no fact changes.
#[derive(Debug)]
pub(super) struct Course<'p> {
    pub(super) zone: Tz,
    pub(super) policy: &'p Policy,
    pub(super) debts: Vec<Debt>,
    outstanding: Money,
    pauses: Vec<Pause>,
    enforced: bool,
}

/// What stages look at.
#[derive(Debug)]
struct Figures {
    days_past_due: u32,
    delinquent_days: u32,
    overdue: Money,
    unpaid_installments: u32,
    outstanding: Money,
}

impl<'p> Course<'p> {
    pub(super) fn of(books: &Books, policy: &'p Policy) -> Self {
        let debts = books.debts();
        Self {
            zone: books.zone,
            policy,
            outstanding: debts.iter().map(|debt| debt.amount).sum(),
            debts,
            pauses: books.pauses.clone(),
            enforced: books.enforced,
        }
    }

    /// The instant from which a day counts.
    pub(super) fn counts_from(&self, day: NaiveDate) -> DateTime<Utc> {
        calendar::counts_from(self.zone, self.policy.day_count, day)
    }

    /// The day that is judged at `now`.
    pub(super) fn judged_day(&self, now: DateTime<Utc>) -> NaiveDate {
        calendar::judged_day(self.zone, self.policy.day_count, now)
    }

    /// Whether what is due on a date is past due on a day.
    pub(super) fn is_past_due(&self, due_on: NaiveDate, day: NaiveDate) -> bool {
        match self.policy.day_count {
            DayCount::DayAfter => due_on < day,
            DayCount::DueDay => due_on <= day,
        }
    }

    /// What holds on a day, by way of every day since the oldest fell due.
    pub(super) fn judge(&self, judged_day: NaiveDate) -> Judged {
        let oldest_due_on = self.debts.first().map(|oldest| oldest.due_on);
        let oldest_due_on = oldest_due_on.filter(|due_on| self.is_past_due(*due_on, judged_day));
        let mut day = oldest_due_on.unwrap_or(judged_day);
        let mut figures = self.figures(day, 0, 0);
        let mut since = self.holding(vec![None; self.policy.stages.len()], &figures, day);
        let (mut passed, mut paused) = (0, 0);
        while day < judged_day {
            passed += 1;
            paused += u32::from(self.is_paused(day));
            day = calendar::next(day);
            figures = self.figures(day, passed, paused);
            since = self.holding(since, &figures, day);
        }
        let stages = self.policy.stages.iter().zip(since).rev();
        let held = stages.filter(|_| self.enforced).find_map(|(stage, since)| Some((stage, since?)));
        Judged {
            stage: held.map_or("current", |(stage, _)| stage.name.as_str()).to_owned(),
            restrictions: held.map_or_else(Vec::new, |(stage, _)| stage.restrictions.clone()),
            holds_since: held.map(|(_, since)| since),
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            overdue: figures.overdue,
            oldest_due_on,
            outstanding: figures.outstanding,
            unpaid_installments: figures.unpaid_installments,
        }
    }

    fn is_paused(&self, day: NaiveDate) -> bool {
        self.pauses.iter().any(|pause| pause.from <= day && day < pause.until)
    }

    /// The figures of a day by which `passed` days have passed since the oldest due date,
    /// `paused` of them in a pause.
    fn figures(&self, day: NaiveDate, passed: u32, paused: u32) -> Figures {
        let past_due: Vec<Money> = self
            .debts
            .iter()
            .filter(|debt| self.is_past_due(debt.due_on, day))
            .map(|debt| debt.amount)
            .collect();
        let days_past_due = match self.policy.day_count {
            _ if past_due.is_empty() => 0,
            DayCount::DayAfter => passed,
            DayCount::DueDay => passed + 1,
        };
        Figures {
            days_past_due,
            delinquent_days: days_past_due.saturating_sub(self.policy.grace_days).saturating_sub(paused),
            unpaid_installments: past_due.iter().map(|_| 1).sum(),
            overdue: past_due.into_iter().sum(),
            outstanding: self.outstanding,
        }
    }

    /// Since which day each stage holds, where it was `since` the day before.
    fn holding(
        &self,
        since: Vec<Option<NaiveDate>>,
        figures: &Figures,
        day: NaiveDate,
    ) -> Vec<Option<NaiveDate>> {
        let stages = self.policy.stages.iter().zip(since);
        stages.map(|(stage, since)| holds(&stage.when, figures).then_some(since.unwrap_or(day))).collect()
    }
}

fn holds(when: &When, figures: &Figures) -> bool {
    figures.overdue > Money::ZERO
        && when.delinquent_days.is_none_or(|least| figures.delinquent_days >= least)
        && when.days_past_due.is_none_or(|least| figures.days_past_due >= least)
        && when.overdue_amount.is_none_or(|least| figures.overdue >= least)
        && when.unpaid_installments.is_none_or(|least| figures.unpaid_installments >= least)
        && when
            .overdue_share
            .is_none_or(|least| figures.overdue.as_decimal() >= least * figures.outstanding.as_decimal())
}
