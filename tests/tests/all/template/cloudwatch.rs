//! What CloudWatch makes of an alarm of the template, given the metrics of a run: statistic, period, threshold, missing
//! data, and the two kinds of expression that the template uses.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::resources::{Resource, id_of, list, named, of};

/// A metric: its namespace, its name, and the resource or the function that it is about.
pub(crate) type MetricKey = (String, String, String);

/// The data points of a run.
#[derive(Debug, Default)]
pub(crate) struct Observed(BTreeMap<MetricKey, Vec<(DateTime<Utc>, i64)>>);

impl Observed {
    /// A data point. `about` is the logical id of a resource of the template.
    pub(crate) fn put(
        &mut self,
        (namespace, name, about): (&str, &str, &str),
        at: DateTime<Utc>,
        value: i64,
    ) {
        let key = (namespace.to_owned(), name.to_owned(), about.to_owned());
        self.0.entry(key).or_default().push((at, value));
    }

    /// The data points of a line of embedded metrics.
    pub(crate) fn put_line(&mut self, line: &Value) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let at = DateTime::from_timestamp_millis(line["_aws"]["Timestamp"].as_i64().unwrap()).unwrap();
        let namespace = directive["Namespace"].as_str().unwrap();
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let about = line["function"].as_str().unwrap();
            self.put((namespace, name, about), at, line[name].as_i64().unwrap());
        }
    }

    /// The statistic over a period; none without data.
    fn statistic(
        &self,
        key: &MetricKey,
        statistic: &str,
        period: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<i64> {
        let points = self.0.get(key)?.iter();
        let values: Vec<i64> =
            points.filter(|(at, _)| period.0 <= *at && *at < period.1).map(|(_, value)| *value).collect();
        match statistic {
            "SampleCount" => (!values.is_empty()).then_some(i64::try_from(values.len()).unwrap()),
            "Sum" => (!values.is_empty()).then(|| values.iter().sum()),
            "Maximum" => values.into_iter().max(),
            "Minimum" => values.into_iter().min(),
            other => panic!("{other} is not evaluated here"),
        }
    }
}

/// The alarms of the template that are on at an instant.
pub(crate) fn alarms_on(observed: &Observed, at: DateTime<Utc>) -> Vec<Resource> {
    of("AWS::CloudWatch::Alarm").into_iter().filter(|alarm| is_on(alarm, observed, at)).collect()
}

/// The topics that an alarm tells, by their logical ids.
pub(crate) fn tells(alarm: &Resource) -> BTreeSet<String> {
    list(alarm.property("AlarmActions")).iter().map(id_of).collect()
}

/// Missing data that is to be ignored counts as no breach: the alarm had no reason to go on before.
fn is_on(alarm: &Resource, observed: &Observed, at: DateTime<Utc>) -> bool {
    let periods = alarm.property("EvaluationPeriods").as_i64().unwrap();
    let needed = alarm.property("DatapointsToAlarm").as_i64().unwrap_or(periods);
    let length = TimeDelta::seconds(period_of(alarm));
    let breaches = (0..i32::try_from(periods).unwrap()).filter(|back| {
        let end = at - length * *back;
        match value(alarm, observed, (end - length, end)) {
            Some(value) => breaches(alarm, value),
            None => *alarm.property("TreatMissingData") == "breaching",
        }
    });
    i64::try_from(breaches.count()).unwrap() >= needed
}

fn period_of(alarm: &Resource) -> i64 {
    let own = alarm.property("Period").as_i64();
    let of_metrics = || {
        let periods = list(alarm.property("Metrics"));
        let periods: BTreeSet<i64> =
            periods.iter().filter_map(|part| part["MetricStat"]["Period"].as_i64()).collect();
        let [period] = periods.into_iter().collect::<Vec<_>>().try_into().unwrap();
        period
    };
    own.unwrap_or_else(of_metrics)
}

fn breaches(alarm: &Resource, value: i64) -> bool {
    let threshold = alarm.property("Threshold").as_i64().unwrap();
    match alarm.property("ComparisonOperator").as_str().unwrap() {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        "LessThanThreshold" => value < threshold,
        other => panic!("{other} is not evaluated here"),
    }
}

/// The value of an alarm's metric or expression in a period.
fn value(alarm: &Resource, observed: &Observed, period: (DateTime<Utc>, DateTime<Utc>)) -> Option<i64> {
    let key = |of: &Value| {
        let about = named(&of["Dimensions"][0]["Value"]);
        let namespace = named(&of["Namespace"]).replace("${Environment}", "dev");
        (namespace, named(&of["MetricName"]), about.split('.').next().unwrap().to_owned())
    };
    let properties = &alarm.body["Properties"];
    if let Some(statistic) = properties["Statistic"].as_str() {
        return observed.statistic(&key(properties), statistic, period);
    }
    let mut values = BTreeMap::new();
    let mut expression = None;
    for part in list(&properties["Metrics"]) {
        if let Some(text) = part["Expression"].as_str() {
            expression = Some(text.to_owned());
            continue;
        }
        let stat = &part["MetricStat"];
        let found = observed.statistic(&key(&stat["Metric"]), stat["Stat"].as_str().unwrap(), period);
        values.insert(part["Id"].as_str().unwrap().to_owned(), found);
    }
    Some(Expression::new(&expression.unwrap(), &values).whole())
}

/// An expression of metric math, as it is read: numbers, ids, `+`, `<`, `>`, `AND`, `IF`, `FILL` and the sum of all.
struct Expression<'a> {
    words: Vec<String>,
    at: usize,
    values: &'a BTreeMap<String, Option<i64>>,
}

impl<'a> Expression<'a> {
    fn new(text: &str, values: &'a BTreeMap<String, Option<i64>>) -> Self {
        let spaced: String = text
            .chars()
            .flat_map(|mark| match mark {
                '(' | ')' | ',' | '+' | '<' | '>' => vec![' ', mark, ' '],
                other => vec![other],
            })
            .collect();
        Self { words: spaced.split_whitespace().map(str::to_owned).collect(), at: 0, values }
    }

    fn whole(mut self) -> i64 {
        if self.words.concat() == "SUM(FILL(METRICS(),0))" {
            return self.values.values().map(|value| value.unwrap_or(0)).sum();
        }
        let value = self.sum();
        assert_eq!(self.at, self.words.len(), "{:?} goes on", self.words);
        value
    }

    fn word(&mut self) -> String {
        self.at += 1;
        self.words[self.at - 1].clone()
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is_next);
        is_next
    }

    fn need(&mut self, word: &str) {
        assert!(self.take(word), "{word} is missing in {:?} at {}", self.words, self.at);
    }

    fn sum(&mut self) -> i64 {
        let mut sum = self.term();
        while self.take("+") {
            sum += self.term();
        }
        sum
    }

    fn term(&mut self) -> i64 {
        let word = self.word();
        match word.as_str() {
            "FILL" => {
                self.need("(");
                let id = self.word();
                self.need(",");
                let otherwise = self.sum();
                self.need(")");
                self.values[&id].unwrap_or(otherwise)
            }
            "IF" => {
                self.need("(");
                let mut holds = self.comparison();
                while self.take("AND") {
                    holds &= self.comparison();
                }
                self.need(",");
                let then = self.sum();
                self.need(",");
                let otherwise = self.sum();
                self.need(")");
                if holds { then } else { otherwise }
            }
            number => number.parse().unwrap_or_else(|_| panic!("{number} is not evaluated here")),
        }
    }

    fn comparison(&mut self) -> bool {
        let left = self.sum();
        let is_greater = self.take(">");
        if !is_greater {
            self.need("<");
        }
        let right = self.sum();
        if is_greater { left > right } else { left < right }
    }
}
