//! The days and the time at which the steps of a reminder schedule leave: the policy's, and before the due
//! date the borrower's choice.

use chrono::{NaiveDate, NaiveTime};

use super::stages::LadderProjection;
use crate::account::Account;
use crate::kernel::{at_local_time, plus_days};
use crate::ledger::{OpenInstallment, after_unpaused_days};
use crate::policy::{CountedFrom, Policy, ReminderStep, Reminders};

/// A reminder step on one of its days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepTime<'p> {
    pub(crate) step: &'p ReminderStep,
    /// Days from the date that the step counts from.
    pub(crate) days: i64,
    /// The local time at which the reminder leaves.
    pub(crate) at: NaiveTime,
    /// Planned only for dates after this one.
    after: Option<NaiveDate>,
    /// Planned only for dates up to this one.
    through: Option<NaiveDate>,
}

impl StepTime<'_> {
    /// Whether the step announces a coming due date. Such a step counts for each open installment, and has
    /// nothing to announce once the installment is past due.
    pub(crate) fn announces(&self) -> bool {
        self.days <= 0 && self.step.from == CountedFrom::Due
    }

    /// The local date for which the step is planned; none: it is not planned.
    pub(crate) fn date(
        &self,
        account: &Account,
        policy: &Policy,
        projection: &LadderProjection<'_>,
        open_installment: &OpenInstallment,
    ) -> Option<NaiveDate> {
        let from = match self.step.from {
            CountedFrom::Due => open_installment.due_on,
            CountedFrom::Stage => {
                let (zone, held_from) = (account.time_zone, projection.held_from?);
                let begins_later =
                    at_local_time(zone, held_from, self.at) < policy.day_count.begin(zone, held_from);
                plus_days(held_from, i64::from(begins_later))
            }
        };
        let date = match u32::try_from(self.days) {
            // Days of lateness are the unpaused ones, as for the stages.
            Ok(days @ 1..) => {
                let on_due_date = policy.day_count.on_due_date();
                let from = plus_days(from, on_due_date);
                after_unpaused_days(&account.pauses, policy.day_count, from, i64::from(days))
            }
            _ => plus_days(from, self.days),
        };
        let is_meant =
            self.after.is_none_or(|after| date > after) && self.through.is_none_or(|through| date <= through);
        is_meant.then_some(date)
    }
}

/// The times of the steps that have a reason.
pub(crate) fn step_times<'p>(
    account: &Account,
    reminders: &Reminders,
    steps: impl Iterator<Item = &'p ReminderStep>,
) -> Vec<StepTime<'p>> {
    let planned = steps.flat_map(|step| {
        let at = reminders.send_at;
        step.days().map(move |days| StepTime { step, days, at, after: None, through: None })
    });
    let Some(preference) = &account.reminder_preference else { return planned.collect() };
    let (coming, mut times): (Vec<StepTime<'_>>, Vec<StepTime<'_>>) = planned.partition(StepTime::announces);
    let since = preference.since;
    let at = preference.at.unwrap_or(reminders.send_at);
    if preference.days_before.is_empty() {
        times.extend(coming.iter().map(|time| StepTime { at, after: Some(since), ..*time }));
    } else {
        times.extend(preference.days_before.iter().filter_map(|days_before| {
            let days = -i64::from(*days_before);
            // The step planned for the nearest day has the text.
            let nearest = coming.iter().min_by_key(|time| (time.days - days).abs())?;
            Some(StepTime { days, at, after: Some(since), ..*nearest })
        }));
    }
    times.extend(coming.iter().map(|time| StepTime { through: Some(since), ..*time }));
    times
}
