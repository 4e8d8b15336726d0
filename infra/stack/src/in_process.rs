//! The services without a socket: the SDK's HTTP connector passes each request to the engine in this process.
//! The clients are the real ones, with their signatures, serialization and retries; only the wire is left
//! out.

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engines::Engines;
use crate::sqs::LocalSqs;

/// The services, as the connector of the SDK's HTTP client.
#[derive(Clone, Debug)]
pub struct InProcess {
    engines: Engines,
}

impl InProcess {
    /// A client over the engines.
    #[must_use]
    pub fn client(engines: Engines) -> SharedHttpClient {
        let services = Self { engines };
        http_client_fn(move |_, _| SharedHttpConnector::new(services.clone()))
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let answer = self.engines.answer(request.headers().get("x-amz-target"), body);
        HttpConnectorFuture::ready(answer.into_response())
    }
}

/// The answer of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAnswer {
    pub status: u16,
    /// JSON of DynamoDB and SQS, XML of SNS.
    pub body: String,
    pub is_json: bool,
}

impl LocalAnswer {
    /// An error of DynamoDB, in its own format.
    #[must_use]
    pub fn dynamodb_error(status: u16, kind: &str, message: &str) -> Self {
        let body = serde_json::json!({"__type": kind, "message": message}).to_string();
        Self { status, body, is_json: true }
    }

    /// The answer as the SDK takes it.
    ///
    /// # Errors
    /// When the status is no HTTP status.
    pub fn into_response(self) -> Result<HttpResponse, ConnectorError> {
        let status = StatusCode::try_from(self.status).map_err(|error| ConnectorError::user(error.into()))?;
        let mut response = HttpResponse::new(status, self.body.into());
        let kind = if self.is_json { "application/x-amz-json-1.0" } else { "text/xml" };
        response.headers_mut().insert("content-type", kind);
        Ok(response)
    }
}

impl Engines {
    /// Answers one request. Those of DynamoDB and SQS name their operation in `x-amz-target`,
    /// those of SNS in their body.
    #[must_use]
    pub fn answer(&self, target: Option<&str>, body: &[u8]) -> LocalAnswer {
        match target.and_then(|target| target.rsplit_once('.')) {
            Some((service, operation)) if LocalSqs::is_target(service) => {
                let (status, body) = self.sqs.answer(operation, body);
                LocalAnswer { status, body, is_json: true }
            }
            Some((_, operation)) => dynamodb_answer(&self.db, operation, body),
            None => {
                let (status, body) = self.sns.answer_form(body);
                LocalAnswer { status, body, is_json: false }
            }
        }
    }
}

/// Answers one request to DynamoDB.
pub(crate) fn dynamodb_answer(db: &Database, operation: &str, body: &[u8]) -> LocalAnswer {
    match dynamodb(db, operation, body) {
        Ok(body) => LocalAnswer { status: 200, body, is_json: true },
        Err(error) => LocalAnswer { status: error.status_code(), body: error.to_json(), is_json: true },
    }
}

fn dynamodb(db: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "GetItem" => call(body, |request| db.get_item(request)),
        "PutItem" => call(body, |request| db.put_item(request)),
        "UpdateItem" => call(body, |request| db.update_item(request)),
        "DeleteItem" => call(body, |request| db.delete_item(request)),
        "Query" => call(body, |request| db.query(request)),
        "Scan" => call(body, |request| db.scan(request)),
        "BatchGetItem" => call(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| db.batch_write_item(request)),
        "TransactGetItems" => call(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => call(body, |request| db.transact_write_items(request)),
        "CreateTable" => call(body, |request| db.create_table(request)),
        "DeleteTable" => call(body, |request| db.delete_table(request)),
        "DescribeTable" => call(body, |request| db.describe_table(request)),
        "UpdateTable" => call(body, |request| db.update_table(request)),
        "ListTables" => call(body, |request| db.list_tables(request)),
        "TagResource" => call(body, |request| db.tag_resource(request)),
        "UntagResource" => call(body, |request| db.untag_resource(request)),
        "ListTagsOfResource" => call(body, |request| db.list_tags_of_resource(request)),
        "DescribeTimeToLive" => call(body, |request| db.describe_time_to_live(request)),
        "UpdateTimeToLive" => call(body, |request| db.update_time_to_live(request)),
        "ListStreams" => call(body, |request| db.list_streams(request)),
        "DescribeStream" => call(body, |request| db.describe_stream(request)),
        "GetShardIterator" => call(body, |request| db.get_shard_iterator(request)),
        "GetRecords" => call(body, |request| db.get_records(request)),
        "ExecuteStatement" => call(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => call(body, |request| db.execute_transaction(request)),
        "BatchExecuteStatement" => call(body, |request| db.batch_execute_statement(request)),
        other => Err(DynoxideError::ValidationException(format!("{other} is not answered here"))),
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = run(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
