//! `serve-borrower`: the borrower's pages.
//!
//! An HTTP API invokes it, with payloads of version 2.0. It answers in HTML, or in JSON where `Accept` asks for that.
//! Pages hold no script; their one stylesheet is named in the policy of their content by its hash.
//!
//! # Who sees what
//! A session belongs to one customer. An account of another customer answers as one that does not exist. Each figure
//! comes from [`AccountView`](duewatch_views::AccountView), which reads neither scores nor risk classes.
//!
//! # Sent twice
//! A form bears a key. The account knows the command that was made of it, and a second post changes nothing.
//!
//! # Cut off
//! A command is applied in one write. Before it, nothing has happened; after it, the page shows its effect, whoever asks.
//!
//! # Out of reach
//! Without tables each page answers 503 and says how to pay and whom to call. Without payments alone, the section of
//! payments on their way says so.

mod actions;
mod calendar;
mod forms;
mod pages;
mod reader;
mod request;
mod respond;
mod routes;
mod secrets;
mod style;
mod texts;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use duewatch_app::Services;
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::Metrics;
use duewatch_store::PageKey;

use self::request::PageRequest;

/// The function's name.
pub const NAME: &str = "serve-borrower";

/// How to pay and whom to call, in the lender's words: said where no table can be read, and on the page of help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// None: in the ways that the contract names.
    pub how_to_pay: Option<String>,
    /// None: the number on the contract.
    pub whom_to_call: Option<String>,
}

impl Help {
    /// The variable with the way to pay.
    pub const HOW_TO_PAY: &str = "PAGES_HOW_TO_PAY";
    /// The variable with the number to call.
    pub const WHOM_TO_CALL: &str = "PAGES_WHOM_TO_CALL";

    /// The texts that the environment names.
    #[must_use]
    pub fn from_env() -> Self {
        let of = |name| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        Self { how_to_pay: of(Self::HOW_TO_PAY), whom_to_call: of(Self::WHOM_TO_CALL) }
    }
}

/// What the pages are served from.
#[derive(Clone, Debug)]
pub struct Pages {
    pub(crate) services: Services,
    pub(crate) key: PageKey,
    pub(crate) reference_keys: ReferenceKeys,
    pub(crate) help: Help,
}

impl Pages {
    /// Pages over services, with the keys of sessions and of references.
    #[must_use]
    pub const fn new(services: Services, key: PageKey, reference_keys: ReferenceKeys, help: Help) -> Self {
        Self { services, key, reference_keys, help }
    }
}

/// Answers one request. Each fault is an answer.
pub async fn handle(pages: &Pages, event: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let request = PageRequest::read(&event);
    let answer = Box::pin(routes::answer(pages, &request)).await;
    let count = |holds: bool| usize::from(holds);
    Metrics::new(&pages.services.metrics_namespace, NAME)
        .count("pages", 1)
        .count("pages_failed", count(answer.status >= 500))
        .count("pages_without_words", count(answer.lacks_words))
        .count("codes_asked", count(answer.is_code_request))
        .count("codes_wrong", count(answer.is_wrong_code))
        .emit(pages.services.clock.now());
    answer.into_response(&request)
}
