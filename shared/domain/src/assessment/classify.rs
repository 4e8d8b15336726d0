//! Classification: the regulatory class, which may outlive a cure.
//!
//! A class is assessed on the facts known at the time. Between two assessments no fact changes, so the effect
//! of the days follows from the date that days past due were counted from. The account keeps that date.
//! Changes that came about before a fact arrived are made up for under the date known until then, however
//! late the account is evaluated. Only then does the fact count, from that day on.
//!
//! Each class is assessed by itself: it is reached, it is cured, it has served its probation. An account is
//! in the most severe class that holds.

use chrono::NaiveDate;

use super::materiality::counted_from;
use crate::account::{Account, Classification, HeldClass};
use crate::kernel::{DayCount, date_of, earlier, number, past_due_from, plus_days, plus_months};
use crate::ledger::{Allocation, due_dates, settled_days};
use crate::policy::{Class, ClassDaysCount, ClassName, ClassificationRules, Cured, Policy, Timeline};

impl Classification {
    /// The classification on `day` when no fact has changed since. One step or many give the same result.
    #[must_use]
    pub(crate) fn on(&self, day: NaiveDate, rules: &ClassificationRules, day_count: DayCount) -> Self {
        let counted_from = self.counted_from;
        let held = rules.classes.iter().enumerate().filter_map(|(place, class)| {
            let days = ClassDays::new(rules, place, counted_from, day_count);
            days.pass(self.held(class), class, day)
        });
        Self { counted_from, held: held.collect() }
    }

    fn held(&self, class: &Class) -> Option<&HeldClass> {
        self.held.iter().find(|held| held.name == class.name)
    }
}

/// An account's classification on a day.
#[derive(Debug)]
pub(crate) struct ClassOnDay<'p> {
    pub(crate) name: &'p ClassName,
    pub(crate) classification: Classification,
    /// The next day on which the account changes class, if the facts stay as they are.
    pub(crate) changes_on: Option<NaiveDate>,
}

/// Classifies an account on `day`, on facts that became known by the business date
/// `known_on`.
pub(crate) fn classify<'p>(
    account: &Account,
    allocation: &Allocation,
    timeline: &Timeline<'p>,
    day: NaiveDate,
    known_on: NaiveDate,
) -> Option<ClassOnDay<'p>> {
    let policy = timeline.current();
    let rules = policy.classification.as_ref()?;
    let counted_from = class_days_from(account, allocation, policy);
    let unburdened = Classification { counted_from, held: Vec::new() };
    let before = under_the_version_before(account, timeline);
    let known = account.status.classification.as_ref();
    // For an account that was never classified, the facts were known all along.
    let known_from = known.map_or(counted_from, |known| known.counted_from);
    // Whether the facts as they now stand show that a class was never reached, asked where its cure has begun.
    let settled = std::cell::OnceCell::new();
    let is_disproved = |place: usize, held: &HeldClass| {
        let settled = settled.get_or_init(|| SettledInstallments::of(account, timeline, known_on));
        let then = timeline.on(number(held.since));
        let classes = then.classification.iter().flat_map(|rules| &rules.classes);
        let class = classes.into_iter().find(|class| class.name == held.name);
        settled.disprove(class.unwrap_or(&rules.classes[place]), held, then.day_count, account)
    };
    let dates = FactDates { day, known_on, forborne_on: account.forborne_on };
    let mut classified = ClassOnDay { name: &rules.normal, classification: unburdened, changes_on: None };
    for (place, class) in rules.classes.iter().enumerate() {
        let days = ClassDays::new(rules, place, counted_from, policy.day_count);
        let days_known = if known_from == counted_from {
            days
        } else {
            ClassDays::new(rules, place, known_from, policy.day_count)
        };
        let held = match &before {
            None => {
                let held = days_known.pass(known.and_then(|known| known.held(class)), class, day);
                days.learn(held, class, rules, dates)
            }
            // Another version is learned of as a fact: by its own days, and from the first assessment on.
            Some(before) => {
                let held = days.learn(before.held(class).cloned(), class, rules, dates);
                held.filter(|held| days.served_on(held).is_none_or(|served| served > day))
            }
        };
        let Some(held) = held.filter(|held| held.probation_until.is_none() || !is_disproved(place, held))
        else {
            classified.changes_on = earlier(classified.changes_on, days.reached_on);
            continue;
        };
        classified.name = &class.name;
        classified.changes_on = days.served_on(&held);
        classified.classification.held.push(held);
    }
    Some(classified)
}

/// The date that the days of classes are counted from: the due date of the oldest open installment, or of the
/// material days, where the version asks for them.
fn class_days_from(account: &Account, allocation: &Allocation, policy: &Policy) -> Option<NaiveDate> {
    match (policy.classification.as_ref().map(|rules| rules.counts), &policy.materiality) {
        // A dispute suspends the count of material days (EBA/GL/2016/07, paragraph 19), and no other.
        (Some(ClassDaysCount::MaterialDays), Some(_)) => counted_from(account, allocation, policy),
        _ => allocation.open_installments.first().map(|oldest| oldest.due_on),
    }
}

/// The classification of an account under the version that assessed it last, on the last day of that version; none:
/// that version still binds, or the account was never classified.
fn under_the_version_before(account: &Account, timeline: &Timeline<'_>) -> Option<Classification> {
    let known = account.status.classification.as_ref()?;
    let assessed_by = account.status.policy.as_ref()?.version;
    let mut versions = timeline.iter().skip_while(|(_, policy)| policy.version != assessed_by);
    let ((_, before), (from, _)) = (versions.next()?, versions.next()?);
    Some(match &before.classification {
        Some(rules) => known.on(date_of(from - 1), rules, before.day_count),
        None => known.clone(),
    })
}

/// The installments with the days on which they were paid, by the dates of the payments as they now stand.
struct SettledInstallments {
    known_on: i64,
    /// The due date, and the calendar day of the payment; none: something is open.
    days: Vec<(NaiveDate, Option<i64>)>,
}

impl SettledInstallments {
    fn of(account: &Account, timeline: &Timeline<'_>, known_on: NaiveDate) -> Self {
        let settled = settled_days(account, timeline, number(known_on));
        Self { known_on: number(known_on), days: due_dates(account, timeline).zip(settled).collect() }
    }

    /// Whether no installment was late enough for the class while it was held: a payment that is dated before the
    /// class was reached, a reversal that was a mistake, an installment that was never owed. Of a schedule that was
    /// replaced since, only the paid parts are known, and they prove nothing.
    fn disprove(&self, class: &Class, held: &HeldClass, count: DayCount, account: &Account) -> bool {
        if account.schedule_replaced_on() >= Some(held.since) {
            return false;
        }
        let since = number(held.since);
        let was_late = |(due_on, settled): &(NaiveDate, Option<i64>)| {
            // The first date whose money is too late: under either count, money of the date before is in time.
            let late_from = number(*due_on) + i64::from(class.days_past_due);
            match settled {
                Some(settled) => *settled >= late_from && *settled >= since,
                None => late_from - count.on_due_date() <= self.known_on,
            }
        };
        !self.days.iter().any(was_late)
    }
}

/// When the current facts became known.
#[derive(Clone, Copy)]
struct FactDates {
    /// The assessed day.
    day: NaiveDate,
    /// The business date. Under `due_day` it is the day after `day` for all but a second.
    known_on: NaiveDate,
    forborne_on: Option<NaiveDate>,
}

/// The days that decide on one class, while no fact changes.
#[derive(Clone, Copy)]
struct ClassDays {
    /// The day on which the days past due reach the class's threshold.
    reached_on: Option<NaiveDate>,
    /// The day from which on the class is not cured, or not any more.
    uncured_on: Option<NaiveDate>,
    /// Whether the class outlives its cure.
    has_probation: bool,
}

impl ClassDays {
    fn new(
        rules: &ClassificationRules,
        place: usize,
        counted_from: Option<NaiveDate>,
        day_count: DayCount,
    ) -> Self {
        let has_probation = place >= rules.probation_from;
        let days_past_due = i64::from(rules.classes[place].days_past_due);
        let reached_on = counted_from.map(|from| plus_days(from, days_past_due - day_count.on_due_date()));
        let uncured_on = match rules.cured {
            Cured::NothingOverdue if has_probation => counted_from.map(|from| past_due_from(day_count, from)),
            _ => reached_on,
        };
        Self { reached_on, uncured_on, has_probation }
    }

    /// The class after the days up to `day`; none: it does not hold.
    fn pass(&self, held: Option<&HeldClass>, class: &Class, day: NaiveDate) -> Option<HeldClass> {
        let is_over = |held: &&HeldClass| self.served_on(held).is_some_and(|served| served <= day);
        match held.filter(|held| !is_over(held)) {
            Some(held) if has_come(self.uncured_on, day) => Some(held.clone().without_probation()),
            Some(held) => Some(held.clone()),
            None => {
                self.reached_on.filter(|reached| *reached <= day).map(|reached| class.held_since(reached))
            }
        }
    }

    /// The class under the facts as now known; none: it does not hold.
    fn learn(
        &self,
        held: Option<HeldClass>,
        class: &Class,
        rules: &ClassificationRules,
        dates: FactDates,
    ) -> Option<HeldClass> {
        let Some(held) = held else {
            return has_come(self.reached_on, dates.day).then(|| class.held_since(dates.day));
        };
        // On the day itself no cure begins: what falls due at its end is unpaid by then, and the class is judged
        // after that. One that has begun ends at the day's end.
        let judged_by = held.probation_until.map_or(dates.day.max(dates.known_on), |_| dates.day);
        if has_come(self.uncured_on, judged_by) {
            return Some(held.without_probation());
        }
        let forborne_on = dates.forborne_on.filter(|on| *on >= held.since);
        let months = match forborne_on {
            Some(_) => rules.probation_after_forbearance_months,
            None => rules.probation_months,
        };
        if !self.has_probation || months == 0 {
            return None;
        }
        let until = held.probation_until.unwrap_or_else(|| plus_months(dates.known_on, months));
        // Forbearance during a probation extends it.
        let until = forborne_on.map_or(until, |on| until.max(plus_months(on, months)));
        Some(HeldClass { probation_until: Some(until), ..held })
    }

    /// The day on which the probation ends, if the cure lasts until then.
    fn served_on(&self, held: &HeldClass) -> Option<NaiveDate> {
        held.probation_until.filter(|until| !has_come(self.uncured_on, *until))
    }
}

fn has_come(date: Option<NaiveDate>, by: NaiveDate) -> bool {
    date.is_some_and(|date| date <= by)
}

impl Class {
    fn held_since(&self, since: NaiveDate) -> HeldClass {
        HeldClass { name: self.name.clone(), since, probation_until: None }
    }
}

impl HeldClass {
    fn without_probation(self) -> Self {
        Self { probation_until: None, ..self }
    }
}
