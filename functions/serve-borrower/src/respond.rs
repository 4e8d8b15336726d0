//! An answer, with the headers that each answer bears.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use duewatch_domain::policy::Language;
use maud::Markup;
use serde::Serialize;

use crate::request::{LANGUAGE_COOKIE, PageRequest};
use crate::style;

/// Seconds after which a client asks again while a table is out of reach.
const RETRY_AFTER: &str = "60";
/// Seconds for which the chosen language is kept.
const LANGUAGE_KEPT: u32 = 31_536_000;

/// An answer to a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) content_type: &'static str,
    /// The target of a redirection.
    pub(crate) location: Option<String>,
    /// Whole `Set-Cookie` values.
    pub(crate) cookies: Vec<String>,
    pub(crate) retries: bool,
    /// Whether a state of the account had no sentence.
    pub(crate) lacks_words: bool,
    pub(crate) is_code_request: bool,
    pub(crate) is_wrong_code: bool,
}

impl Answer {
    /// A page.
    pub(crate) fn html(status: u16, page: Markup) -> Self {
        Self { status, body: page.into_string(), content_type: "text/html; charset=utf-8", ..Self::default() }
    }

    /// Data.
    pub(crate) fn json(status: u16, data: &impl Serialize) -> Self {
        // Plain data: only a map whose keys are no strings can fail here.
        let body = serde_json::to_string(data).unwrap_or_default();
        Self { status, body, content_type: "application/json", ..Self::default() }
    }

    /// A calendar.
    pub(crate) fn calendar(body: String) -> Self {
        Self { status: 200, body, content_type: "text/calendar; charset=utf-8", ..Self::default() }
    }

    /// The page after a form was taken. The location is relative to the requested path.
    pub(crate) fn see_other(location: String) -> Self {
        Self {
            status: 303,
            location: Some(location),
            content_type: "text/plain; charset=utf-8",
            ..Self::default()
        }
    }

    /// The answer with a cookie for this host alone, for so many seconds; 0 removes it.
    pub(crate) fn with_cookie(mut self, name: &str, value: &str, seconds: i64) -> Self {
        self.cookies
            .push(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"));
        self
    }

    /// The answer as the gateway takes it.
    pub(crate) fn into_response(self, request: &PageRequest) -> ApiGatewayV2httpResponse {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(self.status);
        response.cookies = self.cookies;
        if let Some(chosen) = request.chosen {
            let name = match chosen {
                Language::Zh => "zh",
                Language::En => "en",
            };
            response.cookies.push(format!(
                "{LANGUAGE_COOKIE}={name}; Path=/; Max-Age={LANGUAGE_KEPT}; HttpOnly; Secure; SameSite=Strict"
            ));
        }
        let mut head = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                response.headers.insert(name, value);
            }
        };
        head("content-type", self.content_type);
        head("cache-control", "no-store");
        head("content-security-policy", &style::content_policy());
        // With `no-referrer` a browser states no origin with a form.
        head("referrer-policy", "same-origin");
        head("x-content-type-options", "nosniff");
        head("strict-transport-security", "max-age=31536000");
        head("permissions-policy", "camera=(), geolocation=(), microphone=()");
        head("vary", "accept, accept-language, cookie");
        if self.retries {
            head("retry-after", RETRY_AFTER);
        }
        if let Some(location) = &self.location {
            head("location", location);
        }
        response.body = Some(Body::Text(self.body));
        response
    }
}
