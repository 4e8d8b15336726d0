//! What one schedule, mapping or topic leaves behind that was disabled for a while: an alarm that rang.

use chrono::{DateTime, TimeDelta, Utc};

use super::Cloud;
use crate::simulation::fault::{Fault, Outage, OutageKind};
use crate::simulation::watch::{Checked, hold};

/// The time within which what ran as the outage began has ended, with its retries.
const RUNS_OUT: TimeDelta = TimeDelta::minutes(25);
/// The alarms of the schedules' silence, by their places.
const SILENT: [&str; 4] =
    ["SweepSilentAlarm", "ReconcileAccountsSilentAlarm", "ContactsSilentAlarm", "AnchorHistorySilentAlarm"];
const UNREAD: &str = "UnreadStreamAlarm";
const UNSENT: &str = "UnsentAlarm";
const AGE: &str = "ApproximateAgeOfOldestMessage";
/// The distance between two figures of a queue's age.
const AGE_EVERY: TimeDelta = TimeDelta::minutes(5);

impl Cloud {
    /// The alarm that the template declares has rung, if the outage was long enough and hit any work.
    pub(super) fn outage_ends(&mut self, outage: Outage) -> Checked {
        let Outage { kind, only, from, until } = outage;
        let Some(place) = only else { return Ok(()) };
        let is_alone = |other: &Outage| {
            *other == outage || other.kind != kind || other.until <= from || other.from >= until
        };
        if !self.plan.outages.iter().all(is_alone) {
            return Ok(());
        }
        let begun = from + RUNS_OUT;
        let (alarm, is_owed) = match kind {
            OutageKind::Schedule => (Some(SILENT[place].to_owned()), true),
            OutageKind::Mappings if place < self.streams.len() => {
                let table = &self.streams[place].mapping.table;
                (Some(UNREAD.to_owned()), self.alarms.is_written_throughout(table, begun, until))
            }
            OutageKind::Mappings => self.queue_waits(place - self.streams.len(), from, until),
            OutageKind::Sns if place == 0 => {
                (Some(UNSENT.to_owned()), self.is_refused_throughout(from, until))
            }
            _ => (None, false),
        };
        let Some(alarm) = alarm.filter(|_| is_owed) else { return Ok(()) };
        if until - begun < self.alarms.sees_within(&alarm) {
            return Ok(());
        }
        self.watch.count("outages of one part", 1);
        hold!(
            "nothing that stops is silent",
            self.alarms.rings(&alarm, begun, until),
            "{alarm} did not ring: {outage}"
        );
        Ok(())
    }

    /// The alarm of a queue's age, and whether a message waited long enough in it. The age is a figure of SQS's, every
    /// five minutes.
    fn queue_waits(
        &mut self,
        queue: usize,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> (Option<String>, bool) {
        let queue = &self.queues[queue];
        let name = queue.spec.logical_id.clone();
        let Some(oldest) = queue.oldest() else { return (None, false) };
        let mut at = from.max(oldest);
        while at < until {
            let age = u64::try_from((at - oldest).num_seconds()).unwrap_or_default();
            self.alarms.report(AGE, &name, at, age);
            at += AGE_EVERY;
        }
        let Some((alarm, threshold)) = self.alarms.of(AGE, &name) else { return (Some(name), true) };
        let seconds = i64::try_from(threshold).unwrap_or(i64::MAX);
        let is_long =
            until - oldest.max(from) > self.alarms.sees_within(&alarm) + TimeDelta::seconds(seconds);
        (Some(alarm), is_long)
    }

    /// Whether the topic of reminders refused requests in two quarters of an hour of three in a row, of functions that
    /// came to their end.
    fn is_refused_throughout(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let quarter = |at: &DateTime<Utc>| at.timestamp().div_euclid(900);
        let last = quarter(&(until - RUNS_OUT));
        let mut refused: Vec<i64> = self
            .refused_at
            .iter()
            .filter(|at| from + RUNS_OUT <= **at && **at < until)
            .map(quarter)
            .collect();
        refused.retain(|at| *at < last);
        refused.dedup();
        let is_calm = self.plan.faults.keys().all(|fault| HARMLESS.contains(fault));
        is_calm && refused.windows(2).any(|two| two[1] - two[0] <= 2)
    }
}

/// The faults that leave a function its end, and with it its metrics.
const HARMLESS: [Fault; 6] =
    [Fault::Duplicate, Fault::OldWindow, Fault::Crowd, Fault::StaleIndex, Fault::Skew, Fault::PartialBatch];
