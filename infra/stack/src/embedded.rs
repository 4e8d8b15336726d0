//! DynamoDB, SNS and SQS on this machine, behind the real SDK clients.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use duewatch_handlers::LOCAL_REGION;
use duewatch_runtime::https_client;
use dynoxide::Database;
use tokio::net::TcpListener;

use crate::StackError;
use crate::engines::Engines;
use crate::in_process::InProcess;
use crate::sns::LocalSns;
use crate::sqs::LocalSqs;

/// The ports of the local services.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// 0 for any free port.
    pub dynamodb: u16,
    /// 0 for any free port.
    pub sns: u16,
    /// 0 for any free port.
    pub sqs: u16,
}

/// The services, and the clients that talk to them.
#[derive(Clone)]
pub struct LocalServices {
    /// The engine, for reading its streams.
    pub db: Database,
    pub sns: LocalSns,
    pub sqs: LocalSqs,
    pub dynamodb_client: aws_sdk_dynamodb::Client,
    pub sns_client: aws_sdk_sns::Client,
    pub sqs_client: aws_sdk_sqs::Client,
    pub dynamodb_url: String,
    pub sns_url: String,
    pub sqs_url: String,
}

impl fmt::Debug for LocalServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Services");
        fields
            .field("dynamodb_url", &self.dynamodb_url)
            .field("sns_url", &self.sns_url)
            .field("sqs_url", &self.sqs_url)
            .finish_non_exhaustive()
    }
}

/// The connection between the clients and the services.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    /// Over HTTP on loopback, for other processes too.
    Loopback(Ports),
    /// Without a socket, from this process alone.
    InProcess,
}

impl LocalServices {
    /// Starts the services, with the tables, topics and queues that the template declares.
    ///
    /// # Errors
    /// When a port is taken, or a table cannot be created.
    pub async fn start(engines: Engines, transport: Transport) -> Result<Self, StackError> {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(LOCAL_REGION))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "local", "local", None, None, "duewatch",
            )))
            .retry_config(aws_config::retry::RetryConfig::disabled());
        let (config, dynamodb_url, sns_url, sqs_url) = match transport {
            Transport::InProcess => {
                let url = "http://in-process.invalid".to_owned();
                (config.http_client(InProcess::client(engines.clone())), url.clone(), url.clone(), url)
            }
            Transport::Loopback(ports) => {
                let listener = bind(ports.dynamodb).await?;
                let dynamodb_url = url(&listener)?;
                tokio::spawn(crate::dynamodb::serve_on(listener, engines.db.clone()));
                let listener = bind(ports.sns).await?;
                let sns_url = url(&listener)?;
                tokio::spawn(crate::sns::serve_on(listener, engines.sns.clone()));
                let listener = bind(ports.sqs).await?;
                let sqs_url = url(&listener)?;
                tokio::spawn(crate::sqs::serve_on(listener, engines.sqs.clone()));
                (config.http_client(https_client()), dynamodb_url, sns_url, sqs_url)
            }
        };
        let config = config.build();
        let dynamodb_client = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(&dynamodb_url).build(),
        );
        let sns_client = aws_sdk_sns::Client::from_conf(
            aws_sdk_sns::config::Builder::from(&config).endpoint_url(&sns_url).build(),
        );
        let sqs_client = aws_sdk_sqs::Client::from_conf(
            aws_sdk_sqs::config::Builder::from(&config).endpoint_url(&sqs_url).build(),
        );
        let Engines { db, sns, sqs } = engines;
        Ok(Self { db, sns, sqs, dynamodb_client, sns_client, sqs_client, dynamodb_url, sns_url, sqs_url })
    }
}

pub(crate) async fn bind(port: u16) -> Result<TcpListener, StackError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|source| StackError::Port { port, source })
}

pub(crate) fn url(listener: &TcpListener) -> Result<String, StackError> {
    let address = listener.local_addr().map_err(|source| StackError::Port { port: 0, source })?;
    Ok(format!("http://{address}"))
}
