//! The embedded DynamoDB on loopback, for the SDK clients of other processes.

use std::io;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dynoxide::Database;
use tokio::net::TcpListener;

use crate::guard;
use crate::in_process::{LocalAnswer, dynamodb_answer};

/// The services of the targets that are answered.
const SERVICES: [&str; 2] = ["DynamoDB_20120810", "DynamoDBStreams_20120810"];
/// DynamoDB takes requests of up to 16 MB.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Serves until the listener fails or the task is dropped.
///
/// # Errors
/// When the listener fails.
pub(crate) async fn serve_on(listener: TcpListener, db: Database) -> io::Result<()> {
    let layer = DefaultBodyLimit::max(MAX_BODY_BYTES);
    guard::serve(listener, Router::new().route("/", post(answer)).layer(layer).with_state(db)).await
}

async fn answer(State(db): State<Database>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let LocalAnswer { status, body, .. } = match target.split_once('.') {
        Some((service, operation)) if SERVICES.contains(&service) => dynamodb_answer(&db, operation, &body),
        _ => LocalAnswer::dynamodb_error(
            400,
            "com.amazon.coral.service#UnknownOperationException",
            "the target is no operation of DynamoDB",
        ),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}
