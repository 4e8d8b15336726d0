//! The regulatory class: by days past due, and outliving its cure.

use chrono::{Months, NaiveDate, TimeDelta};
use duewatch_domain::days::DayCount;
use duewatch_domain::policy::{ClassName, ClassificationRules, Cured};

use super::calendar;
use super::course::Course;

/// What those who looked found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    /// The oldest due date that owed when somebody looked last.
    oldest: Option<NaiveDate>,
    /// The day that was judged then.
    day: NaiveDate,
    /// How many new schedules there were then.
    schedules: usize,
    held: Vec<Held>,
}

/// The regulatory class of an account, where it is not the normal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classified {
    /// What it is called.
    pub name: String,
    /// Since when it is in that class or a worse one.
    pub since: NaiveDate,
    /// Until when it outlives its cure; none: it is not cured.
    pub probation_until: Option<NaiveDate>,
}

/// A class that was reached and is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    name: ClassName,
    since: NaiveDate,
    /// The first of the days on which it has been cured.
    cured_on: Option<NaiveDate>,
    /// The schedule was replaced since it was reached.
    is_forborne: bool,
}

impl Held {
    /// The first day on which it is over, if it stays cured.
    fn probation_until(&self, rules: &ClassificationRules) -> Option<NaiveDate> {
        let months = if self.is_forborne {
            rules.probation_after_forbearance_months
        } else {
            rules.probation_months
        };
        self.cured_on.map(|cured_on| cured_on + Months::new(months))
    }
}

/// How many days past due somebody counts on a day.
type DaysPastDue<'a> = &'a dyn Fn(NaiveDate) -> u32;

impl Classes {
    /// What somebody finds who looks on a day, after `known` was found. Up to that day all was
    /// as it was known to be; what is new counts from that day on.
    pub(super) fn on(
        known: Option<&Self>,
        course: &Course<'_>,
        rules: &ClassificationRules,
        day: NaiveDate,
    ) -> Self {
        let oldest = course.debts().first().map(|debt| debt.due_on);
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
            // Nobody has classified it yet: it was what its days say.
            None => {
                let begin = oldest.filter(|oldest| *oldest < day).unwrap_or(day);
                let mut classes = Self { oldest, day: begin, schedules: 0, held: Vec::new() };
                classes.live_through(rules, day, &days);
                classes
            }
            Some(known) => {
                let mut classes = known.clone();
                classes.held.retain(|held| rules.classes.iter().any(|class| class.name == held.name));
                classes.live_through(rules, day, &days_before);
                if course.schedules > known.schedules {
                    for held in &mut classes.held {
                        held.is_forborne = true;
                        held.cured_on = None;
                    }
                }
                classes.live(rules, day, &days, false);
                classes
            }
        };
        classes.oldest = oldest;
        classes.schedules = course.schedules;
        classes
    }

    /// The worst class that is held; none: the normal one.
    pub(super) fn class(&self, rules: &ClassificationRules) -> Option<Classified> {
        let worst = rules.classes.iter().rev().find_map(|class| self.held(&class.name));
        worst.map(|place| &self.held[place]).map(|held| Classified {
            name: held.name.to_string(),
            since: held.since,
            probation_until: held.probation_until(rules),
        })
    }

    fn held(&self, name: &ClassName) -> Option<usize> {
        self.held.iter().position(|held| held.name == *name)
    }

    fn live_through(&mut self, rules: &ClassificationRules, until: NaiveDate, days: DaysPastDue<'_>) {
        while self.day < until {
            self.live(rules, self.day, days, true);
            self.day = calendar::next(self.day);
        }
        self.live(rules, until, days, true);
    }

    /// What a day makes of each class; by facts that were known before, or that are new.
    fn live(
        &mut self,
        rules: &ClassificationRules,
        day: NaiveDate,
        days: DaysPastDue<'_>,
        is_known: bool,
    ) {
        self.day = day;
        let days_past_due = days(day);
        for (place, class) in rules.classes.iter().enumerate() {
            let is_reached = days_past_due >= class.days_past_due;
            let Some(held) = self.held(&class.name) else {
                if is_reached {
                    // Before that another policy may have had other classes.
                    let mut since = day;
                    while is_known && days(since - TimeDelta::days(1)) >= class.days_past_due {
                        since -= TimeDelta::days(1);
                    }
                    let name = class.name.clone();
                    self.held.push(Held { name, since, cured_on: None, is_forborne: false });
                }
                continue;
            };
            let is_cured = match rules.cured {
                Cured::BelowThreshold => !is_reached,
                Cured::NothingOverdue => days_past_due == 0,
            };
            if place < rules.probation_from && !is_reached {
                self.held.remove(held);
            } else if !is_cured {
                self.held[held].cured_on = None;
            } else {
                self.held[held].cured_on.get_or_insert(day);
                if self.held[held].probation_until(rules).is_some_and(|until| day >= until) {
                    self.held.remove(held);
                }
            }
        }
    }
}
