//! The event pump: turns streams into batches of real event JSON, as Lambda's event source mappings do.
//!
//! Batches keep the order of the stream. A failed batch is retried from its lowest failed record; a batch
//! that fails as a whole is split in two where the mapping says so. A record that was retried too often goes
//! to the on-failure destination, and the rest continues.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_handlers::LOCAL_REGION;
use dynoxide::Database;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::{Value, json};

use crate::StackError;
use crate::functions::Functions;
use crate::template::StreamMapping;

/// Stream records in one read.
const READ_LIMIT: usize = 1_000;
/// How often a batch is retried where the mapping does not say.
const DEFAULT_RETRIES: u32 = 100;

/// A table's stream, and the reader's position in it.
#[derive(Debug)]
pub struct StreamReader {
    stream_arn: String,
    iterator: String,
}

impl StreamReader {
    /// The stream of a table, from its oldest record.
    ///
    /// # Errors
    /// When the table has no stream.
    pub fn new(db: &Database, table: &str) -> Result<Self, StackError> {
        let engine = |error: dynoxide::errors::DynoxideError| StackError::Engine(error.to_string());
        let described =
            db.describe_table(DescribeTableRequest { table_name: table.to_owned() }).map_err(engine)?;
        let stream_arn = described.table.latest_stream_arn.ok_or_else(|| StackError::Table {
            table: table.to_owned(),
            problem: "it has no stream".to_owned(),
        })?;
        let stream = db
            .describe_stream(DescribeStreamRequest { stream_arn: stream_arn.clone(), ..Default::default() })
            .map_err(engine)?;
        let shard = stream.stream_description.shards.first().ok_or_else(|| StackError::Table {
            table: table.to_owned(),
            problem: "its stream has no shard".to_owned(),
        })?;
        let iterator = db
            .get_shard_iterator(GetShardIteratorRequest {
                stream_arn: stream_arn.clone(),
                shard_id: shard.shard_id.clone(),
                shard_iterator_type: "TRIM_HORIZON".to_owned(),
                sequence_number: None,
            })
            .map_err(engine)?
            .shard_iterator
            .unwrap_or_default();
        Ok(Self { stream_arn, iterator })
    }

    /// Reads the new records, as the event JSON of a stream. A write that changed nothing leaves no record,
    /// as on AWS.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn read(&mut self, db: &Database) -> Result<Vec<Value>, StackError> {
        let answer = db
            .get_records(GetRecordsRequest { shard_iterator: self.iterator.clone(), limit: Some(READ_LIMIT) })
            .map_err(|error| StackError::Engine(error.to_string()))?;
        let mut records = Vec::with_capacity(answer.records.len());
        for record in answer.records {
            let mut record =
                serde_json::to_value(record).map_err(|error| StackError::Engine(error.to_string()))?;
            record["eventSourceARN"] = Value::from(self.stream_arn.clone());
            record["awsRegion"] = Value::from(LOCAL_REGION);
            if !changes_nothing(&record) {
                records.push(record);
            }
        }
        if let Some(next) = answer.next_shard_iterator {
            self.iterator = next;
        }
        Ok(records)
    }
}

/// One event source mapping, and its position.
#[derive(Debug)]
pub struct Pump {
    mapping: StreamMapping,
    function: String,
    stream: StreamReader,
    waiting: VecDeque<Value>,
    given_up: Vec<GivenUp>,
    delivered: u64,
    touched: BTreeSet<String>,
}

/// A record that went to the on-failure destination.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenUp {
    pub mapping: String,
    pub reason: String,
    pub record: Value,
}

impl Pump {
    /// A mapping over the stream of a table, from its oldest record.
    ///
    /// # Errors
    /// When the table has no stream.
    pub fn new(
        db: &Database,
        mapping: StreamMapping,
        table: &str,
        function: String,
    ) -> Result<Self, StackError> {
        Ok(Self {
            mapping,
            function,
            stream: StreamReader::new(db, table)?,
            waiting: VecDeque::new(),
            given_up: Vec::new(),
            delivered: 0,
            touched: BTreeSet::new(),
        })
    }

    /// The records that went to the on-failure destination.
    #[must_use]
    pub fn given_up(&self) -> &[GivenUp] {
        &self.given_up
    }

    /// The accounts whose records were read since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched)
    }

    /// The number of records that the function processed.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Reads the new records of the stream, unless a batch waits already. Returns whether any record waits.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn read(&mut self, db: &Database) -> Result<bool, StackError> {
        if self.waiting.len() >= self.batch_size() {
            return Ok(true);
        }
        for record in self.stream.read(db)? {
            if let Some(account_id) = record["dynamodb"]["Keys"]["account_id"]["S"].as_str() {
                self.touched.insert(account_id.to_owned());
            }
            if self.mapping.matches(&record) {
                self.waiting.push_back(record);
            }
        }
        Ok(!self.waiting.is_empty())
    }

    /// Delivers one batch to the function, until every record of it is processed or given up.
    pub async fn deliver(&mut self, functions: &Functions, now: DateTime<Utc>) {
        let size = self.batch_size().min(self.waiting.len());
        let batch: Vec<Value> = self.waiting.drain(..size).collect();
        let mut open: VecDeque<(Vec<Value>, u32)> = VecDeque::from([(batch, 0)]);
        let retries = self.mapping.maximum_retry_attempts.unwrap_or(DEFAULT_RETRIES);
        while let Some((mut batch, tried)) = open.pop_front() {
            batch.retain(|record| self.is_young(record, now));
            if batch.is_empty() {
                continue;
            }
            let (reason, failed_whole) =
                match functions.invoke(&self.function, &json!({ "Records": batch })).await {
                    Ok(answer) => match self.first_failure(&answer, &batch) {
                        None => {
                            self.delivered += batch.len() as u64;
                            continue;
                        }
                        Some(0) => ("the function reported it as failed".to_owned(), false),
                        Some(place) => {
                            // Progress: the rest begins anew.
                            self.delivered += place as u64;
                            batch.drain(..place);
                            open.push_front((batch, 0));
                            continue;
                        }
                    },
                    Err(error) => (error.to_string(), true),
                };
            if failed_whole && batch.len() > 1 && self.mapping.bisect {
                let second = batch.split_off(batch.len().div_ceil(2));
                open.push_front((second, tried));
                open.push_front((batch, tried));
            } else if tried < retries {
                open.push_front((batch, tried + 1));
            } else {
                tracing::error!(mapping = self.mapping.logical_id, reason, "given up");
                let mapping = &self.mapping.logical_id;
                self.given_up.extend(batch.into_iter().map(|record| GivenUp {
                    mapping: mapping.clone(),
                    reason: reason.clone(),
                    record,
                }));
            }
        }
    }

    fn batch_size(&self) -> usize {
        usize::try_from(self.mapping.batch_size).unwrap_or(1).max(1)
    }

    /// The index of the lowest record that the function reports as failed.
    fn first_failure(&self, answer: &Value, batch: &[Value]) -> Option<usize> {
        if !self.mapping.report_batch_item_failures {
            return None;
        }
        let failures = answer.get("batchItemFailures")?.as_array()?;
        failures
            .iter()
            .map(|failure| {
                batch
                    .iter()
                    .position(|record| record["dynamodb"]["SequenceNumber"] == failure["itemIdentifier"])
                    // An unknown sequence number means the whole batch, as on Lambda.
                    .unwrap_or(0)
            })
            .min()
    }

    fn is_young(&mut self, record: &Value, now: DateTime<Utc>) -> bool {
        let created = record["dynamodb"]["ApproximateCreationDateTime"]
            .as_f64()
            .and_then(|seconds| TimeDelta::try_milliseconds(milliseconds(seconds)))
            .map_or(now, |since| DateTime::<Utc>::UNIX_EPOCH + since);
        let young = now - created <= self.mapping.maximum_record_age;
        if !young {
            self.given_up.push(GivenUp {
                mapping: self.mapping.logical_id.clone(),
                reason: "too old".to_owned(),
                record: record.clone(),
            });
        }
        young
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::float_arithmetic,
    reason = "AWS writes the creation time of a stream record as a float of seconds"
)]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// A write that changes nothing leaves no record on AWS.
fn changes_nothing(record: &Value) -> bool {
    let change = &record["dynamodb"];
    !change["OldImage"].is_null() && change["OldImage"] == change["NewImage"]
}
