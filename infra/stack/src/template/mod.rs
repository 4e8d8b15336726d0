//! The resources of `infra/template.yaml` as plain data, so that this machine runs the deployed template.
//!
//! The reader takes tables, topics, queues, mappings, schedules and functions. It skips roles, keys, log
//! groups, buckets, policies and alarms, which have no counterpart here. It is strict: a property that cannot
//! be honoured here is an error, never a silent difference from AWS. Composed names use the defaults of the
//! template's parameters.

mod error;
mod filter;
mod node;
mod properties;
mod read;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use serde_json::Value;

pub use self::error::TemplateError;
pub use self::filter::{FilterPattern, PatternError};

/// The template that the binary was built with.
const EMBEDDED: &str = include_str!("../../../template.yaml");

/// All resources of a template that run locally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub parameters: Vec<ParameterSpec>,
    /// In the order of the template.
    pub tables: Vec<TableSpec>,
    pub topics: Vec<TopicSpec>,
    pub queues: Vec<QueueSpec>,
    pub mappings: Vec<StreamMapping>,
    pub queue_mappings: Vec<QueueMapping>,
    pub schedules: Vec<ScheduleSpec>,
    pub functions: Vec<FunctionSpec>,
}

impl Template {
    /// The deployed template.
    ///
    /// # Errors
    /// When it declares a resource that cannot run here.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(EMBEDDED)
    }

    /// Parses any template.
    ///
    /// # Errors
    /// When the text is no template, or declares a resource that cannot run here.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        read::template(&serde_yaml_ng::from_str(text)?)
    }

    /// Removes the functions whose code is in none of these directories, with their mappings and schedules.
    pub fn keep(&mut self, directories: &[&str]) {
        self.functions.retain(|function| directories.contains(&function.directory.as_str()));
        let functions = &self.functions;
        let kept = |id: &str| functions.iter().any(|function| function.logical_id == id);
        self.mappings.retain(|mapping| kept(&mapping.function));
        self.queue_mappings.retain(|mapping| kept(&mapping.function));
        self.schedules.retain(|schedule| kept(&schedule.function));
    }

    /// A parameter by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parameter(&self, name: &str) -> Result<&ParameterSpec, TemplateError> {
        found("parameter", name, &self.parameters, |parameter| &parameter.name)
    }

    /// A table by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn table(&self, logical_id: &str) -> Result<&TableSpec, TemplateError> {
        found("table", logical_id, &self.tables, |table| &table.logical_id)
    }

    /// A topic by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn topic(&self, logical_id: &str) -> Result<&TopicSpec, TemplateError> {
        found("topic", logical_id, &self.topics, |topic| &topic.logical_id)
    }

    /// A queue by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn queue(&self, logical_id: &str) -> Result<&QueueSpec, TemplateError> {
        found("queue", logical_id, &self.queues, |queue| &queue.logical_id)
    }

    /// A stream mapping by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn mapping(&self, logical_id: &str) -> Result<&StreamMapping, TemplateError> {
        found("stream mapping", logical_id, &self.mappings, |mapping| &mapping.logical_id)
    }

    /// A schedule by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn schedule(&self, logical_id: &str) -> Result<&ScheduleSpec, TemplateError> {
        found("schedule", logical_id, &self.schedules, |schedule| &schedule.logical_id)
    }

    /// A function by logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn function(&self, logical_id: &str) -> Result<&FunctionSpec, TemplateError> {
        found("function", logical_id, &self.functions, |function| &function.logical_id)
    }
}

fn found<'a, T>(
    kind: &'static str,
    name: &str,
    among: &'a [T],
    name_of: impl Fn(&T) -> &String,
) -> Result<&'a T, TemplateError> {
    among
        .iter()
        .find(|spec| name_of(spec) == name)
        .ok_or_else(|| TemplateError::NotDeclared { kind, name: name.to_owned() })
}

/// A parameter of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    pub name: String,
    /// The value that a deployment without one uses.
    pub default: Option<String>,
}

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    pub logical_id: String,
    pub name: String,
    /// The partition key.
    pub hash_key: String,
    /// The sort key.
    pub range_key: Option<String>,
    /// Every attribute of a key.
    pub attributes: Vec<AttributeSpec>,
    pub indexes: Vec<IndexSpec>,
    /// `None` for a table without a stream.
    pub stream: Option<StreamView>,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeSpec {
    pub name: String,
    pub kind: AttributeKind,
}

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// Text.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

impl AttributeKind {
    /// The type in DynamoDB's notation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    pub name: String,
    /// The partition key.
    pub hash_key: String,
    /// The sort key.
    pub range_key: Option<String>,
    pub projection: Projection,
}

/// The attributes that an index holds of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// The keys of the table and of the index.
    KeysOnly,
    All,
}

/// The images that a stream record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    NewAndOldImages,
}

impl StreamView {
    /// The view in DynamoDB's notation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// An SNS topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub logical_id: String,
    pub name: String,
}

/// An SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    pub logical_id: String,
    pub name: String,
    /// Whether the queue keeps the order within a message group.
    pub fifo: bool,
    /// How long a received message stays hidden.
    pub visibility_timeout: TimeDelta,
    /// How often a message is received before it goes to the dead-letter queue; `None` without such a queue.
    pub maximum_receives: Option<u32>,
}

/// The mapping of a queue to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMapping {
    pub logical_id: String,
    /// The logical id of the queue.
    pub queue: String,
    /// The logical id of the function.
    pub function: String,
    /// The most messages of one invocation.
    pub batch_size: u32,
    /// Whether the function answers with the failed messages.
    pub report_batch_item_failures: bool,
}

/// The mapping of a table's stream to a function. It begins at the oldest record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMapping {
    pub logical_id: String,
    /// The logical id of the table, which has a stream.
    pub table: String,
    /// The logical id of the function.
    pub function: String,
    /// The most records of one invocation.
    pub batch_size: u32,
    /// How long records are gathered before an invocation.
    pub batching_window: TimeDelta,
    /// The most concurrent invocations of one stream shard; the records of one item stay in order.
    pub parallelization_factor: u32,
    /// Whether a batch that fails as a whole is split in two.
    pub bisect: bool,
    /// Whether the function answers with the failed records.
    pub report_batch_item_failures: bool,
    /// How often a failed batch is retried; `None`: until its records are too old.
    pub maximum_retry_attempts: Option<u32>,
    /// The age at which a record is given up; never beyond the stream's own 24 hours.
    pub maximum_record_age: TimeDelta,
    /// The logical id of the resource that receives given-up records.
    pub on_failure: Option<String>,
    /// The patterns of which a record must match one; empty to take every record.
    pub filters: Vec<FilterPattern>,
}

impl StreamMapping {
    /// Whether the function takes a stream record, given as event JSON.
    #[must_use]
    pub fn matches(&self, record: &Value) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record))
    }
}

/// A schedule that fires a function at a steady rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSpec {
    pub logical_id: String,
    pub name: String,
    /// The logical id of the function.
    pub function: String,
    /// The time from one firing to the next.
    pub every: TimeDelta,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    pub logical_id: String,
    /// The directory of its code: `detect-overdue`.
    pub directory: String,
    /// The variables, globals included, by name.
    pub environment: Vec<(String, EnvValue)>,
    /// The longest invocation.
    pub timeout: TimeDelta,
}

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// The literal text.
    Literal(String),
    /// The name of the table with this logical id.
    Table(String),
    /// The ARN of the topic with this logical id.
    Topic(String),
    /// The URL of the queue with this logical id.
    Queue(String),
    /// The value of the named parameter.
    Parameter(String),
}
