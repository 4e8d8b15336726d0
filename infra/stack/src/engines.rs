//! The engines that stand in for DynamoDB, SNS and SQS, as the template declares their tables, topics and
//! queues.

use std::fmt;
use std::sync::Arc;

use duewatch_handlers::topic_arn;
use dynoxide::Database;
use serde_json::{Value, json};

use crate::StackError;
use crate::clock::StackClock;
use crate::sns::LocalSns;
use crate::sqs::LocalSqs;
use crate::template::{self, IndexSpec, TableSpec, Template};

/// The expression is the engine's own: only then does SQLite use the index for it.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS duewatch_stream_numbers \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// DynamoDB, SNS and SQS with the template's tables, topics and queues, without listeners.
#[derive(Clone)]
pub struct Engines {
    pub db: Database,
    pub sns: LocalSns,
    pub sqs: LocalSqs,
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engines").finish_non_exhaustive()
    }
}

impl Engines {
    /// In memory, with the tables and topics of the template; records are stamped by the clock.
    ///
    /// # Errors
    /// When a table cannot be created.
    pub fn in_memory(template: &Template, clock: &StackClock) -> Result<Self, StackError> {
        let db = Database::memory_with_clock(Arc::new(clock.clone()))
            .map_err(|error| StackError::Engine(error.to_string()))?;
        Self::over(db, template, clock.clone())
    }

    /// In a file, with the tables and topics of the template; records are stamped by the
    /// machine's clock.
    ///
    /// # Errors
    /// When the file cannot be opened or a table cannot be created.
    pub fn on_disk(template: &Template, path: &str) -> Result<Self, StackError> {
        let db = Database::new(path).map_err(|error| StackError::Engine(error.to_string()))?;
        Self::over(db, template, StackClock::System)?.with_long_streams()
    }

    /// With streams that stay fast however much they hold. It takes some milliseconds and a
    /// temporary file, too much for an engine that lives through a few hundred writes.
    ///
    /// # Errors
    /// When the engine or the file system fails.
    pub fn with_long_streams(self) -> Result<Self, StackError> {
        index_streams(&self.db)?;
        Ok(self)
    }

    fn over(db: Database, template: &Template, clock: StackClock) -> Result<Self, StackError> {
        for table in &template.tables {
            create_table(&db, table)?;
        }
        let sns = LocalSns::default();
        for topic in &template.topics {
            sns.register(&topic_arn(&topic.name));
        }
        let sqs = LocalSqs::new(clock);
        for queue in &template.queues {
            sqs.register(queue);
        }
        Ok(Self { db, sns, sqs })
    }
}

/// Creates a table as the template declares it.
fn create_table(db: &Database, table: &TableSpec) -> Result<(), StackError> {
    let fault = |problem: String| StackError::Table { table: table.name.clone(), problem };
    let attributes: Vec<Value> = table
        .attributes
        .iter()
        .map(|attribute| json!({"AttributeName": attribute.name, "AttributeType": attribute.kind.as_str()}))
        .collect();
    let mut request = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": key_schema(&table.hash_key, table.range_key.as_deref()),
    });
    if !table.indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = table.indexes.iter().map(global_index).collect();
    }
    if let Some(view) = table.stream {
        request["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view.as_str()});
    }
    let request = serde_json::from_value(request).map_err(|error| fault(error.to_string()))?;
    db.create_table(request).map_err(|error| fault(error.to_string()))?;
    Ok(())
}

/// To number a stream record, the engine reads all records of its table, and it reads a stream in the same
/// way: without an index, n writes cost n² steps. The engine keeps its connection private, so the index is
/// made in a copy, before there is any data to copy.
fn index_streams(db: &Database) -> Result<(), StackError> {
    let fault = |error: String| StackError::Engine(format!("indexing the streams: {error}"));
    let folder = tempfile::tempdir().map_err(|error| fault(error.to_string()))?;
    let copy = folder.path().join("engine.db").display().to_string();
    db.vacuum_into(&copy).map_err(|error| fault(error.to_string()))?;
    rusqlite::Connection::open(&copy)
        .and_then(|connection| connection.execute_batch(STREAM_INDEX))
        .map_err(|error| fault(error.to_string()))?;
    db.restore_from(&copy).map_err(|error| fault(error.to_string()))
}

fn key_schema(hash: &str, range: Option<&str>) -> Value {
    [(Some(hash), "HASH"), (range, "RANGE")]
        .into_iter()
        .filter_map(|(name, kind)| name.map(|name| json!({"AttributeName": name, "KeyType": kind})))
        .collect()
}

fn global_index(index: &IndexSpec) -> Value {
    let projection = match index.projection {
        template::Projection::KeysOnly => "KEYS_ONLY",
        template::Projection::All => "ALL",
    };
    json!({
        "IndexName": index.name,
        "KeySchema": key_schema(&index.hash_key, index.range_key.as_deref()),
        "Projection": {"ProjectionType": projection},
    })
}
