//! The messages about an account: sent, waiting, and not sent, with the reason.

use chrono::{DateTime, Utc};
use duewatch_domain::contact::{GateReason, QueuedRequest, RequestTarget};
use duewatch_domain::kernel::ContactId;
use duewatch_domain::policy::Channel;
use serde::Serialize;

/// A message to the borrower, or a request that a third-party contact have them call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageView {
    /// When it ended; where it waits, the instant of its next evaluation.
    pub at: DateTime<Utc>,
    /// The template; for a third-party contact `third_party`.
    pub template: String,
    /// `sent`, `withdrawn`, `held`, `suppressed`, `unrenderable`, `leaving` or `waiting`.
    pub state: &'static str,
    /// The channel by which it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The message's id, which a reference to it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<ContactId>,
    /// Why it waits, or was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl MessageView {
    /// A request that has ended: its state, when, by which message, and the gate's reason where none left.
    #[must_use]
    pub fn ended(
        request: &QueuedRequest,
        state: &'static str,
        at: DateTime<Utc>,
        message: Option<(ContactId, Channel)>,
        reason: Option<&GateReason>,
    ) -> Self {
        let (message_id, channel) = message.unzip();
        Self {
            at,
            template: template(request),
            state,
            channel,
            message_id,
            reason: reason.map(ToString::to_string),
        }
    }

    /// A request whose message has not left.
    #[must_use]
    pub fn waiting(request: &QueuedRequest) -> Self {
        Self {
            at: request.evaluate_at,
            template: template(request),
            state: if request.reserved_as.is_some() { "leaving" } else { "waiting" },
            channel: None,
            message_id: None,
            reason: request.waits_for.as_ref().map(ToString::to_string),
        }
    }
}

fn template(request: &QueuedRequest) -> String {
    match &request.target {
        RequestTarget::Borrower(request) => request.template.clone(),
        RequestTarget::ThirdParty { .. } => "third_party".to_owned(),
    }
}
