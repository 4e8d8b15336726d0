//! The alarms of the template, evaluated over the metrics of a run as CloudWatch evaluates them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// A metric: its name, and the function, queue, table or mapping that it is of.
type Metric = (String, String);

/// A condition of one period.
#[derive(Clone, Debug)]
enum Condition {
    /// A statistic of one metric.
    Of { metric: Metric, statistic: String },
    /// Anything written, and nothing read: the metrics of the table and of the mapping, in pairs.
    Unread(Vec<(Metric, Metric)>),
}

#[derive(Clone, Debug)]
struct Alarm {
    condition: Condition,
    period: TimeDelta,
    periods: usize,
    datapoints: usize,
    comparison: String,
    threshold: u64,
    missing: String,
}

/// The alarms, and the figures that they watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarms {
    alarms: BTreeMap<String, Alarm>,
    figures: BTreeMap<Metric, Vec<(DateTime<Utc>, u64)>>,
}

impl Alarms {
    /// The alarms of the template that watch one metric, or an unread stream.
    ///
    /// # Errors
    /// Where an alarm uses anything that is not evaluated here.
    pub(super) fn of_the_template() -> Result<Self, String> {
        static READ: OnceLock<Result<Alarms, String>> = OnceLock::new();
        READ.get_or_init(Self::read).clone()
    }

    fn read() -> Result<Self, String> {
        let template: Yaml = serde_yaml_ng::from_str(TEMPLATE).map_err(|error| error.to_string())?;
        let mut alarms = Self::default();
        for (id, resource) in template["Resources"].as_mapping().into_iter().flatten() {
            if resource["Type"] != "AWS::CloudWatch::Alarm" {
                continue;
            }
            let id = id.as_str().unwrap_or_default();
            let alarm = Alarm::read(&resource["Properties"]).map_err(|fault| format!("{id}: {fault}"))?;
            alarms.alarms.extend(alarm.map(|alarm| (id.to_owned(), alarm)));
        }
        for alarm in alarms.alarms.values() {
            match &alarm.condition {
                Condition::Of { metric, .. } => drop(alarms.figures.insert(metric.clone(), Vec::new())),
                Condition::Unread(pairs) => {
                    let metrics = pairs.iter().flat_map(|(written, read)| [written, read]);
                    alarms.figures.extend(metrics.map(|metric| (metric.clone(), Vec::new())));
                }
            }
        }
        Ok(alarms)
    }

    /// Notes a figure, where an alarm watches it.
    pub(super) fn report(&mut self, name: &str, of: &str, at: DateTime<Utc>, figure: u64) {
        if let Some(figures) = self.figures.get_mut(&(name.to_owned(), of.to_owned())) {
            figures.push((at, figure));
        }
    }

    /// Notes a line of a function's metrics.
    pub(super) fn line(&mut self, line: &Value, at: DateTime<Utc>) {
        let function = line["function"].as_str().unwrap_or_default();
        for (name, figure) in line.as_object().into_iter().flatten() {
            if let Some(figure) = figure.as_u64() {
                self.report(name, function, at, figure);
            }
        }
    }

    /// Whether an alarm is on at the end of a period after one instant and up to another.
    pub(super) fn rings(&self, id: &str, after: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let Some(alarm) = self.alarms.get(id) else { return false };
        let mut end = floor(until, alarm.period);
        while end > after {
            if self.is_on(alarm, end) {
                return true;
            }
            end -= alarm.period;
        }
        false
    }

    /// The alarm that watches one metric, and its threshold.
    pub(super) fn of(&self, name: &str, of: &str) -> Option<(String, u64)> {
        let metric = (name.to_owned(), of.to_owned());
        let is_it = |alarm: &Alarm| match &alarm.condition {
            Condition::Of { metric: watched, .. } => *watched == metric,
            Condition::Unread(_) => false,
        };
        let found = self.alarms.iter().find(|(_, alarm)| is_it(alarm));
        found.map(|(id, alarm)| (id.clone(), alarm.threshold))
    }

    /// Whether a table was written to in each of two periods of a quarter of an hour in a row.
    pub(super) fn is_written_throughout(
        &self,
        table: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> bool {
        let written = self.figures.get(&("ConsumedWriteCapacityUnits".to_owned(), table.to_owned()));
        let quarter = |at: &DateTime<Utc>| at.timestamp().div_euclid(900);
        let (first, last) = (quarter(&from) + 1, quarter(&until));
        let written = written.into_iter().flatten().map(|(at, _)| quarter(at));
        let written: Vec<i64> = written.filter(|at| (first..last).contains(at)).collect();
        written.windows(2).any(|two| two[1] == two[0] + 1)
    }

    /// The shortest time in which an alarm sees a silence, wherever its periods begin.
    pub(super) fn sees_within(&self, id: &str) -> TimeDelta {
        self.alarms.get(id).map_or(TimeDelta::MAX, |alarm| {
            alarm.period * i32::try_from(alarm.periods + 1).unwrap_or(i32::MAX)
        })
    }

    fn is_on(&self, alarm: &Alarm, end: DateTime<Utc>) -> bool {
        let breaches = (0..alarm.periods).filter(|ago| {
            let until = end - alarm.period * i32::try_from(*ago).unwrap_or(i32::MAX);
            self.breaches(alarm, until - alarm.period, until)
        });
        breaches.count() >= alarm.datapoints
    }

    fn breaches(&self, alarm: &Alarm, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let of = |metric: &Metric| {
            let figures = self.figures.get(metric).into_iter().flatten();
            figures.filter(move |(at, _)| from <= *at && *at < until).map(|(_, figure)| *figure)
        };
        let figure = match &alarm.condition {
            Condition::Of { metric, statistic } => match statistic.as_str() {
                "SampleCount" => Some(of(metric).count() as u64).filter(|count| *count > 0),
                "Sum" => of(metric).reduce(|sum, one| sum + one),
                _ => of(metric).max(),
            },
            Condition::Unread(pairs) => {
                let is_unread = |(written, read): &&(Metric, Metric)| {
                    of(written).sum::<u64>() > 0 && of(read).sum::<u64>() < 1
                };
                Some(pairs.iter().filter(is_unread).count() as u64)
            }
        };
        match (figure, alarm.comparison.as_str()) {
            (None, _) => alarm.missing == "breaching",
            (Some(figure), "LessThanThreshold") => figure < alarm.threshold,
            (Some(figure), "GreaterThanThreshold") => figure > alarm.threshold,
            (Some(figure), _) => figure >= alarm.threshold,
        }
    }
}

impl Alarm {
    /// Reads an alarm; none: it sums the same metric of several functions up.
    fn read(properties: &Yaml) -> Result<Option<Self>, String> {
        let number = |of: &Yaml, name: &str| of[name].as_u64();
        let text = |name: &str| properties[name].as_str().unwrap_or_default().to_owned();
        let (condition, period) = if properties["MetricName"].is_null() {
            let parts = properties["Metrics"].as_sequence().ok_or("it has no metric")?;
            let Some(expression) = parts.iter().find_map(|part| part["Expression"].as_str()) else {
                return Err("it has no expression".to_owned());
            };
            if !expression.contains("IF(FILL(") {
                return Ok(None);
            }
            let stat = |id: &str| {
                let part = parts.iter().find(|part| part["Id"] == id);
                part.map(|part| &part["MetricStat"]).ok_or(format!("{id} is no metric of it"))
            };
            let of = |id: &str| stat(id).map(|stat| metric(&stat["Metric"]));
            let pairs = expression.split('+').map(|term| {
                let mut filled = term.split("FILL(").skip(1).filter_map(|rest| rest.split(',').next());
                let (Some(written), Some(read), None) = (filled.next(), filled.next(), filled.next()) else {
                    return Err(format!("{term} is not evaluated here"));
                };
                Ok((of(written)?, of(read)?))
            });
            let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
            let first = parts.iter().find_map(|part| number(&part["MetricStat"], "Period"));
            (Condition::Unread(pairs), first)
        } else {
            let of = Condition::Of { metric: metric(properties), statistic: text("Statistic") };
            (of, number(properties, "Period"))
        };
        let periods = number(properties, "EvaluationPeriods").ok_or("EvaluationPeriods is missing")?;
        let datapoints = number(properties, "DatapointsToAlarm").unwrap_or(periods);
        let seconds = period.and_then(|period| i64::try_from(period).ok()).ok_or("Period is missing")?;
        Ok(Some(Self {
            condition,
            period: TimeDelta::seconds(seconds),
            periods: usize::try_from(periods).unwrap_or(usize::MAX),
            datapoints: usize::try_from(datapoints).unwrap_or(usize::MAX),
            comparison: text("ComparisonOperator"),
            threshold: number(properties, "Threshold").ok_or("Threshold is missing")?,
            missing: text("TreatMissingData"),
        }))
    }
}

/// The metric of an alarm: its name and the one thing that it is of, by its logical id or its name.
fn metric(of: &Yaml) -> Metric {
    let dimension = &of["Dimensions"][0]["Value"];
    let dimension = match dimension {
        Yaml::Tagged(tagged) => &tagged.value,
        plain => plain,
    };
    let of_what = dimension.as_str().unwrap_or_default().split('.').next().unwrap_or_default();
    (of["MetricName"].as_str().unwrap_or_default().to_owned(), of_what.to_owned())
}

fn floor(at: DateTime<Utc>, period: TimeDelta) -> DateTime<Utc> {
    let seconds = period.num_seconds().max(1);
    DateTime::from_timestamp(at.timestamp().div_euclid(seconds) * seconds, 0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_100, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_silence_rings_after_its_periods_and_a_figure_in_between_ends_it() {
        let mut alarms = Alarms::of_the_template().unwrap();
        let silent = "SweepSilentAlarm";
        for minutes in [0, 15, 30] {
            alarms.report("due", "detect-overdue", at(minutes), 0);
        }
        assert!(!alarms.rings(silent, at(5), at(60)), "one period without a figure");
        assert!(alarms.rings(silent, at(5), at(80)));
        alarms.report("due", "detect-overdue", at(60), 0);
        assert!(!alarms.rings(silent, at(5), at(80)));
    }

    #[test]
    fn a_stream_that_is_written_and_not_read_rings() {
        let mut alarms = Alarms::of_the_template().unwrap();
        for minutes in [0, 16] {
            alarms.report("ConsumedWriteCapacityUnits", "AccountsTable", at(minutes), 1);
            alarms.report("PolledEventCount", "AccountsToRecordHistory", at(minutes), 1);
        }
        assert!(alarms.rings("UnreadStreamAlarm", at(-60), at(60)), "send-reminders reads nothing");
        for minutes in [0, 16] {
            alarms.report("PolledEventCount", "AccountsToSendReminders", at(minutes), 1);
        }
        assert!(!alarms.rings("UnreadStreamAlarm", at(-60), at(60)));
    }
}
