//! What `infra/template.yaml` declares, as plain data, so that this machine runs
//! what deploys.
//!
//! Read are tables, topics, queues, mappings, schedules and functions. Roles, keys, log
//! groups, buckets, policies and alarms have no counterpart here and are passed over. What
//! is read is read strictly: a property that cannot be honoured here is an error,
//! never a silent difference from AWS. Names that the template composes are given
//! with its parameters' defaults.

mod error;
mod filter;
mod node;
mod read;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use serde_json::Value;

pub use self::error::TemplateError;
pub use self::filter::{FilterPattern, PatternError};

/// The template as the binary was built with it.
const EMBEDDED: &str = include_str!("../../../../template.yaml");

/// Everything in the template that runs locally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The parameters, by name.
    pub parameters: Vec<ParameterSpec>,
    /// The tables, in the order of the template.
    pub tables: Vec<TableSpec>,
    /// The topics.
    pub topics: Vec<TopicSpec>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// The stream mappings.
    pub mappings: Vec<StreamMapping>,
    /// The queue mappings.
    pub queue_mappings: Vec<QueueMapping>,
    /// The schedules.
    pub schedules: Vec<ScheduleSpec>,
    /// The functions.
    pub functions: Vec<FunctionSpec>,
}

impl Template {
    /// The template that deploys.
    ///
    /// # Errors
    /// When it declares what cannot be run here.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(EMBEDDED)
    }

    /// Any template.
    ///
    /// # Errors
    /// When it is no template, or declares what cannot be run here.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        read::template(&serde_yaml_ng::from_str(text)?)
    }

    /// Leaves out the functions whose code is in none of these directories, and what feeds
    /// or fires them.
    pub fn keep(&mut self, directories: &[&str]) {
        self.functions.retain(|function| directories.contains(&function.directory.as_str()));
        let functions = &self.functions;
        let kept = |id: &str| functions.iter().any(|function| function.logical_id == id);
        self.mappings.retain(|mapping| kept(&mapping.function));
        self.queue_mappings.retain(|mapping| kept(&mapping.function));
        self.schedules.retain(|schedule| kept(&schedule.function));
    }

    /// The parameter of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parameter(&self, name: &str) -> Result<&ParameterSpec, TemplateError> {
        found("parameter", name, &self.parameters, |parameter| &parameter.name)
    }

    /// The table of that logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn table(&self, logical_id: &str) -> Result<&TableSpec, TemplateError> {
        found("table", logical_id, &self.tables, |table| &table.logical_id)
    }

    /// The topic of that logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn topic(&self, logical_id: &str) -> Result<&TopicSpec, TemplateError> {
        found("topic", logical_id, &self.topics, |topic| &topic.logical_id)
    }

    /// The queue of that logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn queue(&self, logical_id: &str) -> Result<&QueueSpec, TemplateError> {
        found("queue", logical_id, &self.queues, |queue| &queue.logical_id)
    }

    /// The stream mapping of that logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn mapping(&self, logical_id: &str) -> Result<&StreamMapping, TemplateError> {
        found("stream mapping", logical_id, &self.mappings, |mapping| &mapping.logical_id)
    }

    /// The schedule of that logical id.
    ///
    /// # Errors
    /// When there is none.
    pub fn schedule(&self, logical_id: &str) -> Result<&ScheduleSpec, TemplateError> {
        found("schedule", logical_id, &self.schedules, |schedule| &schedule.logical_id)
    }

    /// The function of that logical id.
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

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Its name.
    pub name: String,
    /// What it is when nobody says otherwise.
    pub default: Option<String>,
}

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Its id within the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// The attribute that is the partition key.
    pub hash_key: String,
    /// The attribute that is the sort key.
    pub range_key: Option<String>,
    /// Every attribute that is part of a key.
    pub attributes: Vec<AttributeSpec>,
    /// The global secondary indexes.
    pub indexes: Vec<IndexSpec>,
    /// What its stream carries; none: it has no stream.
    pub stream: Option<StreamView>,
}

/// An attribute that is part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeSpec {
    /// Its name.
    pub name: String,
    /// Its type.
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
    /// As DynamoDB writes it.
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
    /// Its name.
    pub name: String,
    /// The attribute that is its partition key.
    pub hash_key: String,
    /// The attribute that is its sort key.
    pub range_key: Option<String>,
    /// What it holds of an item.
    pub projection: Projection,
}

/// What an index holds of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// The keys of the table and of the index.
    KeysOnly,
    /// Everything.
    All,
}

/// What a stream carries of each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// The item's key.
    KeysOnly,
    /// The item as it is now.
    NewImage,
    /// The item as it was.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    /// As DynamoDB writes it.
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
    /// Its id within the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
}

/// An SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its id within the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Whether it keeps the order within a group of messages.
    pub fifo: bool,
    /// How long a message that was received stays hidden.
    pub visibility_timeout: TimeDelta,
    /// How often a message is received before it goes to the dead-letter queue; none: there
    /// is no such queue.
    pub maximum_receives: Option<u32>,
}

/// What takes messages from a queue to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMapping {
    /// Its id within the template.
    pub logical_id: String,
    /// The logical id of the queue.
    pub queue: String,
    /// The logical id of the function.
    pub function: String,
    /// The most messages of one invocation.
    pub batch_size: u32,
    /// Whether the function answers with the messages that failed.
    pub report_batch_item_failures: bool,
}

/// What takes records from a table's stream to a function. It begins at the oldest
/// record that the stream still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMapping {
    /// Its id within the template.
    pub logical_id: String,
    /// The logical id of the table, which has a stream.
    pub table: String,
    /// The logical id of the function.
    pub function: String,
    /// The most records of one invocation.
    pub batch_size: u32,
    /// How long records are gathered before the function is invoked.
    pub batching_window: TimeDelta,
    /// Invocations of one stream shard that may run at once; the records of one
    /// item stay in order.
    pub parallelization_factor: u32,
    /// Whether a batch that fails as a whole is split in two.
    pub bisect: bool,
    /// Whether the function answers with the records that failed.
    pub report_batch_item_failures: bool,
    /// How often a failed batch is tried again; none: until its records are too old.
    pub maximum_retry_attempts: Option<u32>,
    /// The age at which a record is given up; never beyond the stream's own 24 hours.
    pub maximum_record_age: TimeDelta,
    /// The logical id of what receives the records that are given up.
    pub on_failure: Option<String>,
    /// What a record must match one of; empty: every record is taken.
    pub filters: Vec<FilterPattern>,
}

impl StreamMapping {
    /// Whether a stream record, as its event's JSON has it, is for the function.
    #[must_use]
    pub fn matches(&self, record: &Value) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record))
    }
}

/// What fires a function at a steady rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSpec {
    /// Its id within the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// The logical id of the function.
    pub function: String,
    /// The time from one firing to the next.
    pub every: TimeDelta,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Its id within the template.
    pub logical_id: String,
    /// The directory of its code: `detect-overdue`.
    pub directory: String,
    /// Its environment, globals included, by name.
    pub environment: Vec<(String, EnvValue)>,
    /// How long an invocation may take.
    pub timeout: TimeDelta,
}

/// What an environment variable is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// This very text.
    Literal(String),
    /// The name of the table of this logical id.
    Table(String),
    /// The ARN of the topic of this logical id.
    Topic(String),
    /// The URL of the queue of this logical id.
    Queue(String),
    /// The value of the parameter of this name.
    Parameter(String),
}
