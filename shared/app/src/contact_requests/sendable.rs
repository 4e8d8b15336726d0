//! The subject of a message: contact requests, each with its assessed account.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::Figures;
use duewatch_domain::contact::QueuedRequest;
use duewatch_domain::policy::{Policy, Versions};

use crate::BlockedPayment;

/// An account in its current state, assessed.
pub(crate) struct AssessedAccount {
    pub(crate) account: Account,
    pub(crate) versions: Arc<Versions>,
    pub(crate) figures: Figures,
    pub(crate) stage: String,
    pub(crate) blocked: Option<BlockedPayment>,
}

impl AssessedAccount {
    pub(crate) fn policy(&self, now: DateTime<Utc>) -> &Policy {
        self.versions.in_force(&self.account, now)
    }
}

/// A contact request, with the account that it concerns.
pub(crate) struct SendableRequest<'a> {
    pub(crate) request: &'a QueuedRequest,
    pub(crate) account: &'a AssessedAccount,
}
