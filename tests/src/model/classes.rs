//! The regulatory class: reached by days past due, kept through the probation after a cure.

use chrono::{Months, NaiveDate, TimeDelta};
use duewatch_domain::kernel::DayCount;
use duewatch_domain::policy::{ClassDaysCount, ClassName, ClassificationRules, Cured};

use super::calendar;
use super::course::ModelCourse;

/// The regulatory classes as the last evaluation left them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    /// The oldest open due date at the last evaluation.
    oldest: Option<NaiveDate>,
    /// The day of the last evaluation.
    day: NaiveDate,
    /// The version of the last evaluation.
    version: u32,
    held: Vec<ModelHeldClass>,
}

/// The regulatory class of an account, where it is not the normal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelClass {
    pub name: String,
    /// The account has been in this class or a worse one since this date.
    pub since: NaiveDate,
    /// The end of the probation; none: the account is not cured.
    pub probation_until: Option<NaiveDate>,
}

/// A class that the account reached and has not left.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ModelHeldClass {
    name: ClassName,
    since: NaiveDate,
    /// The first day without the class, if the account stays cured; none: it is not cured.
    probation_until: Option<NaiveDate>,
}

/// The days past due, counted on a day.
type DaysPastDue<'a> = &'a dyn Fn(NaiveDate) -> u32;

impl Classes {
    /// The classes after an evaluation on `day`, following `known`. Up to `day` the facts count as they were
    /// known; new facts count from `day` on.
    pub(super) fn on(
        known: Option<&Self>,
        course: &ModelCourse<'_>,
        rules: &ClassificationRules,
        day: NaiveDate,
    ) -> Self {
        let is_material = rules.counts == ClassDaysCount::MaterialDays && course.policy.materiality.is_some();
        let oldest = if is_material {
            course.material_date()
        } else {
            course.all_debts().first().map(|debt| debt.due_on)
        };
        let counted = |oldest: Option<NaiveDate>, day: NaiveDate| {
            let Some(due_on) = oldest.filter(|due_on| course.is_past_due(*due_on, day)) else { return 0 };
            let on_due_date = i64::from(course.policy.day_count == DayCount::DueDay);
            u32::try_from((day - due_on).num_days() + on_due_date).unwrap_or(0)
        };
        let (days, days_before) = (
            |day: NaiveDate| counted(oldest, day),
            |day: NaiveDate| counted(known.and_then(|known| known.oldest), day),
        );
        let mut classes = match known {
            // The first classification: the account held the class of its days past due all along.
            None => {
                let begin = oldest.filter(|oldest| *oldest < day).unwrap_or(day);
                let mut classes =
                    Self { oldest, day: begin, version: course.policy.version, held: Vec::new() };
                classes.live_through(rules, day, &days);
                classes
            }
            Some(known) if known.version != course.policy.version => known.under_another(course, rules, day),
            Some(known) => {
                let mut classes = known.clone();
                classes.held.retain(|held| rules.classes.iter().any(|class| class.name == held.name));
                classes.live_through(rules, day, &days_before);
                classes
            }
        };
        // A class is judged after what falls due at the day's own end.
        let days_today = days(course.today).max(days(day));
        classes.learn(course, rules, (days(day), days_today));
        classes.oldest = oldest;
        if classes.version != course.policy.version {
            // A probation may be over by now.
            classes.held.retain(|held| held.probation_until.is_none_or(|until| until > day));
            classes.version = course.policy.version;
        }
        classes
    }

    /// The classes at the end of the version of the last evaluation, as another version takes them over on `day`.
    fn under_another(&self, course: &ModelCourse<'_>, rules: &ClassificationRules, day: NaiveDate) -> Self {
        let mut classes = self.clone();
        if let Some((before, last)) = course.policies.ended(self.version)
            && let Some(rules) = before.classification.as_ref().filter(|_| self.day <= last)
        {
            let on_due_date = i64::from(before.day_count == DayCount::DueDay);
            let days = |day: NaiveDate| {
                let late = self.oldest.map_or(0, |due_on| (day - due_on).num_days() + on_due_date);
                u32::try_from(late).unwrap_or(0)
            };
            classes.live_through(rules, last, &days);
        }
        classes.held.retain(|held| rules.classes.iter().any(|class| class.name == held.name));
        classes.day = day;
        classes
    }

    /// The worst class that is held; none: the normal one.
    pub(super) fn class(&self, rules: &ClassificationRules) -> Option<ModelClass> {
        let worst = rules.classes.iter().rev().find_map(|class| self.held(&class.name));
        worst.map(|place| &self.held[place]).map(|held| ModelClass {
            name: held.name.to_string(),
            since: held.since,
            probation_until: held.probation_until,
        })
    }

    fn held(&self, name: &ClassName) -> Option<usize> {
        self.held.iter().position(|held| held.name == *name)
    }

    fn live_through(&mut self, rules: &ClassificationRules, until: NaiveDate, days: DaysPastDue<'_>) {
        while self.day < until {
            self.live(rules, days);
            self.day = calendar::next(self.day);
        }
        self.live(rules, days);
    }

    /// Moves each class on by a day on which no new fact arrives.
    fn live(&mut self, rules: &ClassificationRules, days: DaysPastDue<'_>) {
        let (day, days_past_due) = (self.day, days(self.day));
        for (place, class) in rules.classes.iter().enumerate() {
            let is_reached = days_past_due >= class.days_past_due;
            if let Some(held) = self.held(&class.name) {
                if !is_cured(rules, place, days_past_due) {
                    self.held[held].probation_until = None;
                } else if self.held[held].probation_until.is_some_and(|until| until <= day) {
                    self.held.remove(held);
                }
            } else if is_reached {
                // Before that day another policy may have had other classes.
                let mut since = day;
                while days(since - TimeDelta::days(1)) >= class.days_past_due {
                    since -= TimeDelta::days(1);
                }
                self.held.push(ModelHeldClass { name: class.name.clone(), since, probation_until: None });
            }
        }
    }

    /// Applies the facts as now known to the day.
    fn learn(
        &mut self,
        course: &ModelCourse<'_>,
        rules: &ClassificationRules,
        (days_past_due, days_today): (u32, u32),
    ) {
        for (place, class) in rules.classes.iter().enumerate() {
            let Some(held) = self.held(&class.name) else {
                if days_past_due >= class.days_past_due {
                    let name = class.name.clone();
                    self.held.push(ModelHeldClass { name, since: self.day, probation_until: None });
                }
                continue;
            };
            let is_on_probation = self.held[held].probation_until.is_some();
            if !is_cured(rules, place, if is_on_probation { days_past_due } else { days_today }) {
                self.held[held].probation_until = None;
                continue;
            }
            if !course.was_past_due_by(class, self.held[held].since) {
                self.held.remove(held);
                continue;
            }
            // A schedule replaced since the class was reached.
            let forborne_on = course.forborne_on.filter(|on| *on >= self.held[held].since);
            let months = match forborne_on {
                Some(_) => rules.probation_after_forbearance_months,
                None => rules.probation_months,
            };
            if place < rules.probation_from || months == 0 {
                self.held.remove(held);
                continue;
            }
            let months = Months::new(months);
            let until = self.held[held].probation_until.unwrap_or(course.today + months);
            self.held[held].probation_until = Some(forborne_on.map_or(until, |on| until.max(on + months)));
        }
    }
}

fn is_cured(rules: &ClassificationRules, place: usize, days_past_due: u32) -> bool {
    match rules.cured {
        Cured::NothingOverdue if place >= rules.probation_from => days_past_due == 0,
        _ => days_past_due < rules.classes[place].days_past_due,
    }
}
