//! The borrower's pages on loopback: an HTTP API in front of `serve-borrower`, for a browser on this machine.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use duewatch_app::Clock;
use duewatch_handlers::{HttpRequest, InvokeError, http_event};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::clock::StackClock;
use crate::functions::Functions;
use crate::{StackError, guard};

/// An HTTP API passes bodies of up to 10 MB on; no form of a page is nearly as large.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Requests that wait for their turn; a further one waits in its connection.
const MAX_WAITING: usize = 64;

/// A request and the way back to its connection.
type Waiting = (HttpRequest, oneshot::Sender<Result<Value, InvokeError>>);

/// The pages, listening. [`run`](Self::run) answers.
#[derive(Debug)]
pub struct LocalPages {
    /// For a browser.
    pub url: String,
    functions: Functions,
    clock: StackClock,
    waiting: mpsc::Receiver<Waiting>,
}

impl LocalPages {
    pub(crate) async fn listen(
        port: u16,
        functions: Functions,
        clock: StackClock,
    ) -> Result<Self, StackError> {
        let listener = crate::embedded::bind(port).await?;
        let url = crate::embedded::url(&listener)?;
        let (sender, waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(serve_on(listener, sender));
        Ok(Self { url, functions, clock, waiting })
    }

    /// Answers one request after another, until the task is dropped.
    pub async fn run(mut self) {
        while let Some((request, back)) = self.waiting.recv().await {
            let event = http_event(&request, self.clock.now());
            let answer = self.functions.invoke(serve_borrower::NAME, &event).await;
            // A browser that has gone takes no answer.
            drop(back.send(answer));
        }
    }
}

async fn serve_on(listener: TcpListener, sender: mpsc::Sender<Waiting>) -> std::io::Result<()> {
    let layer = DefaultBodyLimit::max(MAX_BODY_BYTES);
    guard::serve(listener, Router::new().fallback(answer).layer(layer).with_state(sender)).await
}

async fn answer(State(sender): State<mpsc::Sender<Waiting>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let request = HttpRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Bytes::into(body),
    };
    let (back, answer) = oneshot::channel();
    if sender.send((request, back)).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.await {
        Ok(Ok(answer)) => response(&answer),
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The answer of the function as HTTP.
fn response(answer: &Value) -> Response {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    let mut response = (status.unwrap_or(StatusCode::BAD_GATEWAY), body).into_response();
    let listed = answer["headers"].as_object().into_iter().flatten();
    let listed = listed.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    for (name, value) in listed {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.headers_mut().insert(name, value);
        }
    }
    let cookies = answer["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for cookie in cookies.filter_map(|cookie| cookie.parse::<HeaderValue>().ok()) {
        response.headers_mut().append("set-cookie", cookie);
    }
    response
}
