//! The policy as a TOML document.

use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::check::{self, Fault};
use super::{
    Channel, Component, Policy, ReminderStep, Reminders, Restriction, Stage, StageName, Waterfall, When,
};
use crate::days::DayCount;
use crate::ids::PolicyId;
use crate::money::Money;

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The field, its value, and what is wrong with it.
    pub problem: String,
}

/// Reads and checks a policy.
///
/// # Errors
/// The first [`PolicyError`], with its line.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    let at = |offset: usize, problem: String| PolicyError {
        line: 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count(),
        problem,
    };
    let document: Document = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        at(offset, error.message().to_owned())
    })?;
    let stage_offsets: Vec<usize> = document.stages.iter().map(|stage| stage.span().start).collect();
    let reminder_offset = document.reminders.as_ref().map_or(0, |reminders| reminders.span().start);
    let policy = document.into_policy();
    check::faults(&policy).map_err(|fault| match fault {
        Fault::Policy(problem) => at(0, problem),
        Fault::Stage(place, problem) => at(stage_offsets.get(place).copied().unwrap_or(0), problem),
        Fault::Reminders(problem) => at(reminder_offset, problem),
    })?;
    Ok(policy)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: PolicyId,
    version: u32,
    #[serde(deserialize_with = "date")]
    effective_on: NaiveDate,
    #[serde(default)]
    day_count: DayCount,
    #[serde(default)]
    grace_days: u32,
    #[serde(default, deserialize_with = "waterfall")]
    waterfall: Waterfall,
    #[serde(default)]
    stages: Vec<Spanned<StageTable>>,
    reminders: Option<Spanned<RemindersTable>>,
}

impl Document {
    fn into_policy(self) -> Policy {
        Policy {
            id: self.id,
            version: self.version,
            effective_on: self.effective_on,
            day_count: self.day_count,
            grace_days: self.grace_days,
            waterfall: self.waterfall,
            stages: self
                .stages
                .into_iter()
                .map(Spanned::into_inner)
                .map(|stage| Stage {
                    name: StageName(stage.name),
                    when: stage.when.into_when(),
                    restrictions: stage.restrictions,
                })
                .collect(),
            reminders: self.reminders.map(Spanned::into_inner).map(|table| Reminders {
                send_at: table.send_at,
                steps: table
                    .steps
                    .into_iter()
                    .map(|step| ReminderStep {
                        stage: StageName(step.stage),
                        days: step.days,
                        channel: step.channel,
                        template: step.template,
                    })
                    .collect(),
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageTable {
    name: String,
    when: WhenTable,
    #[serde(default)]
    restrictions: Vec<Restriction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenTable {
    delinquent_days: Option<u32>,
    days_past_due: Option<u32>,
    overdue_amount: Option<Money>,
    overdue_share: Option<Share>,
    unpaid_installments: Option<u32>,
}

impl WhenTable {
    fn into_when(self) -> When {
        When {
            delinquent_days: self.delinquent_days,
            days_past_due: self.days_past_due,
            overdue_amount: self.overdue_amount,
            overdue_share: self.overdue_share.map(|share| share.0),
            unpaid_installments: self.unpaid_installments,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemindersTable {
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
    channel: Channel,
    template: String,
}

/// A share is no amount: it may be written as a number or as a decimal in a string.
struct Share(Decimal);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a share from 0 to 1, such as \"0.05\"")]
        enum Written {
            Text(Money),
            Whole(i64),
            Number(f64),
        }
        let share = match Written::deserialize(deserializer)? {
            Written::Text(share) => Some(share.as_decimal()),
            Written::Whole(share) => Some(Decimal::from(share)),
            // The shortest text of a float is what its author wrote.
            Written::Number(share) => share.to_string().parse().ok(),
        };
        share.map(Share).ok_or_else(|| de::Error::custom("a share is a number from 0 to 1, such as \"0.05\""))
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let date = written.date.filter(|_| written.time.is_none());
    date.and_then(|date| {
        NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
    })
    .ok_or_else(|| de::Error::custom(format_args!("{written} is no date; write one such as 2026-01-01")))
}

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let written = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&written, "%H:%M").map_err(|_| {
        de::Error::custom(format_args!("\"{written}\" is no time of day; write one such as \"10:00\""))
    })
}

fn waterfall<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Waterfall, D::Error> {
    let order = Vec::<Component>::deserialize(deserializer)?;
    <[Component; 4]>::try_from(order)
        .ok()
        .and_then(Waterfall::new)
        .ok_or_else(|| de::Error::custom("a waterfall names penalty, fee, interest and principal once each"))
}
