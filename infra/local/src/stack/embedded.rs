//! DynamoDB and SNS on loopback, behind the real SDK clients.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use dynoxide::Database;
use tokio::net::TcpListener;

use super::StackError;
use super::clock::StackClock;
use super::sns::LocalSns;
use super::template::{self, IndexSpec, TableSpec, Template};

/// The account and region that local ARNs bear.
pub const LOCAL_REGION: &str = "us-east-1";
const LOCAL_ACCOUNT: &str = "123456789012";

/// Where the local services listen.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// DynamoDB; 0: any that is free.
    pub dynamodb: u16,
    /// SNS; 0: any that is free.
    pub sns: u16,
}

/// The services, and the clients that talk to them.
#[derive(Clone)]
pub struct Services {
    /// The engine, for reading its streams.
    pub db: Database,
    /// The topics.
    pub sns: LocalSns,
    /// The real client, to the engine.
    pub dynamodb_client: aws_sdk_dynamodb::Client,
    /// The real client, to the topics.
    pub sns_client: aws_sdk_sns::Client,
    /// Where DynamoDB listens.
    pub dynamodb_url: String,
    /// Where SNS listens.
    pub sns_url: String,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Services");
        fields
            .field("dynamodb_url", &self.dynamodb_url)
            .field("sns_url", &self.sns_url)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// Starts both, with the tables and topics that the template declares.
    ///
    /// # Errors
    /// When a port is taken, or a table cannot be created.
    pub async fn start(template: &Template, clock: &StackClock, ports: Ports) -> Result<Self, StackError> {
        let db = Database::memory_with_clock(Arc::new(clock.clone()))
            .map_err(|error| StackError::Engine(error.to_string()))?;
        let listener = bind(ports.dynamodb).await?;
        let dynamodb_url = url(&listener)?;
        tokio::spawn(dynoxide::server::serve_on(listener, db.clone()));
        let sns = LocalSns::default();
        let listener = bind(ports.sns).await?;
        let sns_url = url(&listener)?;
        tokio::spawn(super::sns::serve_on(listener, sns.clone()));
        for topic in &template.topics {
            sns.register(&topic_arn(&topic.name));
        }
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(LOCAL_REGION))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "local", "local", None, None, "duewatch",
            )))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .build();
        let dynamodb_client = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(&dynamodb_url).build(),
        );
        let sns_client = aws_sdk_sns::Client::from_conf(
            aws_sdk_sns::config::Builder::from(&config).endpoint_url(&sns_url).build(),
        );
        for table in &template.tables {
            create_table(&dynamodb_client, table).await?;
        }
        Ok(Self { db, sns, dynamodb_client, sns_client, dynamodb_url, sns_url })
    }
}

/// The ARN of a local topic.
#[must_use]
pub fn topic_arn(name: &str) -> String {
    format!("arn:aws:sns:{LOCAL_REGION}:{LOCAL_ACCOUNT}:{name}")
}

async fn bind(port: u16) -> Result<TcpListener, StackError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|source| StackError::Port { port, source })
}

fn url(listener: &TcpListener) -> Result<String, StackError> {
    let address = listener.local_addr().map_err(|source| StackError::Port { port: 0, source })?;
    Ok(format!("http://{address}"))
}

async fn create_table(client: &aws_sdk_dynamodb::Client, table: &TableSpec) -> Result<(), StackError> {
    let fault = |problem: String| StackError::Table { table: table.name.clone(), problem };
    let built = |error: aws_sdk_dynamodb::error::BuildError| fault(error.to_string());
    let mut create = client
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.hash_key, table.range_key.as_deref()).map_err(built)?));
    for attribute in &table.attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.name)
            .attribute_type(ScalarAttributeType::from(attribute.kind.as_str()))
            .build()
            .map_err(built)?;
        create = create.attribute_definitions(definition);
    }
    for index in &table.indexes {
        create = create.global_secondary_indexes(global_index(index).map_err(built)?);
    }
    if let Some(view) = table.stream {
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::from(view.as_str()))
            .build()
            .map_err(built)?;
        create = create.stream_specification(stream);
    }
    create.send().await.map_err(|error| fault(DisplayErrorContext(error).to_string()))?;
    Ok(())
}

fn key_schema(
    hash: &str,
    range: Option<&str>,
) -> Result<Vec<KeySchemaElement>, aws_sdk_dynamodb::error::BuildError> {
    [(Some(hash), KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .filter_map(|(name, kind)| name.map(|name| (name, kind)))
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}

fn global_index(index: &IndexSpec) -> Result<GlobalSecondaryIndex, aws_sdk_dynamodb::error::BuildError> {
    let projection = match index.projection {
        template::Projection::KeysOnly => ProjectionType::KeysOnly,
        template::Projection::All => ProjectionType::All,
    };
    GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .set_key_schema(Some(key_schema(&index.hash_key, index.range_key.as_deref())?))
        .projection(Projection::builder().projection_type(projection).build())
        .build()
}
