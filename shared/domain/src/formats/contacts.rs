//! The contacts output: one contact request a line.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::decisions::instant;
use crate::account::ContactRequest;
use crate::kernel::{AccountId, InstallmentNumber, Revision};
use crate::policy::Channel;

/// A contact request as it is written to files.
#[derive(Clone, Debug, Serialize)]
pub struct ContactLine<'a> {
    /// When the message is to leave, if the contact gate agrees.
    #[serde(serialize_with = "instant")]
    at: DateTime<Utc>,
    account_id: &'a AccountId,
    revision: Revision,
    /// The instant for which it was planned: earlier where it was missed and is caught up.
    #[serde(serialize_with = "instant")]
    planned_at: DateTime<Utc>,
    channel: Channel,
    template: &'a str,
    /// None: it is about no installment, or about one without a number.
    installment: Option<InstallmentNumber>,
    due_on: Option<NaiveDate>,
    /// Missed requests that it replaces.
    missed: u32,
    /// `stage/NAME` or `policy/VERSION`; none: it is no notice.
    notice_of: Option<String>,
}

impl<'a> ContactLine<'a> {
    /// The output line of a contact request of an account's revision.
    #[must_use]
    pub fn new(account_id: &'a AccountId, revision: Revision, request: &'a ContactRequest) -> Self {
        Self {
            at: request.due_at(),
            account_id,
            revision,
            planned_at: request.planned_at,
            channel: request.channel,
            template: &request.template,
            installment: request.installment.as_ref().and_then(|label| label.number()),
            due_on: request.due_on,
            missed: request.missed,
            notice_of: request.notice_of.as_ref().map(ToString::to_string),
        }
    }
}
