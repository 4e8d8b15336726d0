//! Reminder schedules: which reminders a policy sends, and when.

use chrono::NaiveTime;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::Policy;
use super::bounds::MAX_DAYS;
use super::channel::Channel;
use super::check::check_template;
use super::stage::StageName;

/// The most steps a reminder schedule may have.
pub const MAX_REMINDER_STEPS: usize = 100;

/// The most reminders of all steps together, repeated ones included.
pub const MAX_REMINDERS: u32 = 300;

/// A reminder schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminders {
    /// In the borrower's local time.
    pub send_at: NaiveTime,
    pub steps: Vec<ReminderStep>,
}

/// One reminder of a schedule, possibly repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderStep {
    /// The reminder leaves only while the account is in this stage.
    pub stage: StageName,
    /// Days from the due date: negative before it, 0 on the day, positive after. Up to the due date each
    /// unpaid installment counts, after it the oldest.
    pub days: i64,
    /// The start of the count of days. The count starts anew as soon as another installment is the oldest
    /// unpaid one.
    pub from: CountedFrom,
    /// Days between repetitions; none: the reminder is not repeated.
    pub every_days: Option<u32>,
    /// Counts the first reminder too.
    pub at_most: u32,
    pub channel: Channel,
    /// Used in this order if `channel` cannot be used.
    pub fallbacks: Vec<Channel>,
    pub template: String,
    /// The stage whose restrictions the notice announces. A notice also leaves after the account has gone on
    /// to a severer stage, as long as those restrictions are not in force.
    pub notice_of: Option<StageName>,
    /// The step is left out once the account has been reported to a credit bureau.
    pub unless_reported: bool,
}

impl ReminderStep {
    /// The days of the reminder and its repetitions, counted as `days` is.
    pub fn days(&self) -> impl Iterator<Item = i64> + use<> {
        let (days, every) = (self.days, i64::from(self.every_days.unwrap_or(0)));
        (0..i64::from(self.at_most)).map(move |time| days + time * every)
    }
}

/// The start of a step's count of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedFrom {
    #[default]
    Due,
    /// The first day on which the stage holds; the next day if the stage begins at the end of a day.
    Stage,
}

/// The `[reminders]` table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemindersTable {
    #[serde(deserialize_with = "time_of_day")]
    send_at: NaiveTime,
    #[serde(default)]
    steps: Vec<StepTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    stage: String,
    days: i64,
    #[serde(default)]
    from: CountedFrom,
    every_days: Option<u32>,
    at_most: Option<u32>,
    channel: Option<Channel>,
    #[serde(default)]
    channels: Vec<Channel>,
    template: String,
    notice_of: Option<String>,
    #[serde(default)]
    unless_reported: bool,
}

impl RemindersTable {
    pub(super) fn into_reminders(self) -> Result<Reminders, String> {
        let steps = self.steps.into_iter().map(StepTable::into_step).collect::<Result<_, _>>();
        let steps = steps.map_err(|problem| format!("reminders.steps: {problem}"))?;
        Ok(Reminders { send_at: self.send_at, steps })
    }
}

impl StepTable {
    fn into_step(self) -> Result<ReminderStep, String> {
        let mut channels = self.channels;
        match self.channel {
            Some(channel) if channels.is_empty() => channels.push(channel),
            None if !channels.is_empty() => {}
            _ => return Err("a step has a channel, or channels in order of preference".to_owned()),
        }
        let repeated = (1..)
            .zip(&channels)
            .find(|(after, channel)| channels.get(*after..).is_some_and(|later| later.contains(channel)));
        if let Some((_, channel)) = repeated {
            return Err(format!("channels: {channel} is there twice"));
        }
        if self.every_days.is_some() != self.at_most.is_some() {
            return Err("every_days and at_most only mean something together".to_owned());
        }
        let fallbacks = channels.split_off(1.min(channels.len()));
        let [channel] = channels[..] else { return Err("channels: it names none".to_owned()) };
        Ok(ReminderStep {
            stage: StageName(self.stage),
            days: self.days,
            from: self.from,
            every_days: self.every_days,
            at_most: self.at_most.unwrap_or(1),
            channel,
            fallbacks,
            template: self.template,
            notice_of: self.notice_of.map(StageName),
            unless_reported: self.unless_reported,
        })
    }
}

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let written = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&written, "%H:%M").map_err(|_| {
        de::Error::custom(format_args!("\"{written}\" is no time of day; write one such as \"10:00\""))
    })
}

/// The first fault of a policy's reminders.
pub(super) fn check(policy: &Policy) -> Result<(), String> {
    let Some(reminders) = &policy.reminders else {
        return Ok(());
    };
    if reminders.steps.len() > MAX_REMINDER_STEPS {
        return Err(format!("reminders.steps: at most {MAX_REMINDER_STEPS}"));
    }
    for step in &reminders.steps {
        check_step(policy, step).map_err(|problem| format!("reminders.steps: {problem}"))?;
    }
    let in_all = reminders.steps.iter().fold(0_u32, |sum, step| sum.saturating_add(step.at_most));
    if in_all > MAX_REMINDERS {
        return Err(format!("reminders.steps: at_most: {in_all} in all, at most {MAX_REMINDERS}"));
    }
    Ok(())
}

fn check_step(policy: &Policy, step: &ReminderStep) -> Result<(), String> {
    let known = step.stage.is_current() || policy.stages.iter().any(|stage| stage.name == step.stage);
    if !known {
        return Err(format!("the ladder has no stage \"{}\"", step.stage));
    }
    if let Some(announced) = &step.notice_of {
        let stage = policy.stages.iter().find(|stage| &stage.name == announced);
        if stage.is_none_or(|stage| stage.notice_days().is_none()) {
            return Err(format!("notice_of: no stage \"{announced}\" has a restriction with notice_days"));
        }
        if step.days < 1 {
            return Err(format!("days: {} is not after the due date, as a notice must be", step.days));
        }
        if step.from != CountedFrom::Due || step.every_days.is_some() || step.unless_reported {
            return Err("notice_of: a notice leaves once, so many days after the due date".to_owned());
        }
    }
    if step.from == CountedFrom::Stage {
        if step.stage.is_current() {
            return Err("from: \"current\" has no first day to count from".to_owned());
        }
        if step.days < 0 {
            return Err(format!("days: {} is before the stage begins", step.days));
        }
    }
    if let Some(days) = step.every_days.filter(|days| !(1..=MAX_DAYS).contains(days)) {
        return Err(format!("every_days: {days} is not between 1 and {MAX_DAYS}"));
    }
    if !(1..=MAX_REMINDERS).contains(&step.at_most) {
        return Err(format!("at_most: {} is not between 1 and {MAX_REMINDERS}", step.at_most));
    }
    if step.days.unsigned_abs() > u64::from(MAX_DAYS) {
        return Err(format!("days: {} is more than {MAX_DAYS}", step.days));
    }
    check_template(&step.template)
}
