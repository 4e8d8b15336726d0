//! Metrics in CloudWatch's embedded metric format: one line a batch.

use chrono::{DateTime, Utc};
use duewatch_app::Services;
use serde_json::{Map, Value, json};

/// The metrics of one batch.
#[derive(Clone, Debug)]
pub struct Metrics {
    namespace: String,
    function: &'static str,
    values: Vec<(&'static str, u64, &'static str)>,
}

impl Metrics {
    /// Empty metrics of a function, in a namespace.
    #[must_use]
    pub fn new(namespace: &str, function: &'static str) -> Self {
        Self { namespace: namespace.to_owned(), function, values: Vec::new() }
    }

    /// Adds a count.
    #[must_use]
    pub fn count(mut self, name: &'static str, count: usize) -> Self {
        self.values.push((name, u64::try_from(count).unwrap_or(u64::MAX), "Count"));
        self
    }

    /// Adds a duration.
    #[must_use]
    pub fn seconds(mut self, name: &'static str, seconds: u64) -> Self {
        self.values.push((name, seconds, "Seconds"));
        self
    }

    /// The line, for CloudWatch to read from the log.
    #[must_use]
    pub fn line(&self, now: DateTime<Utc>) -> String {
        let names: Vec<Value> =
            self.values.iter().map(|(name, _, unit)| json!({"Name": name, "Unit": unit})).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.timestamp_millis(),
                "CloudWatchMetrics": [
                    {"Namespace": self.namespace, "Dimensions": [["function"]], "Metrics": names}
                ]
            }),
        );
        line.insert("function".to_owned(), self.function.into());
        for (name, value, _) in &self.values {
            line.insert((*name).to_owned(), (*value).into());
        }
        Value::Object(line).to_string()
    }

    /// Writes the line to standard output, where Lambda's log picks it up.
    pub fn emit(&self, now: DateTime<Utc>) {
        if std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some() {
            println!("{}", self.line(now));
        } else {
            tracing::info!(target: "duewatch::metrics", line = %self.line(now));
        }
    }
}

/// Emits the metrics of a batch, with the two counts that every batch has.
pub(crate) fn emit_batch(services: &Services, metrics: Metrics, quarantined: usize, failed: usize) {
    metrics.count("quarantined", quarantined).count("failed", failed).emit(services.clock.now());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_declares_what_it_counts() {
        let metrics = Metrics::new("duewatch", "post-payment").count("posted", 3).count("quarantined", 0);
        let line: Value = serde_json::from_str(&metrics.line(DateTime::UNIX_EPOCH)).unwrap();
        assert_eq!(line["posted"], 3);
        assert_eq!(line["function"], "post-payment");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][1]["Name"], "quarantined");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0][0], "function");
    }
}
