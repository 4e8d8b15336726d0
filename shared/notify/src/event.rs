//! Published events and their envelope.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::account::Figures;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{Decision, event_id};
use duewatch_domain::formats::{ArchivedCommand, ArchivedErasure, DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{ContactId, CustomerId, Revision, ThirdPartyId, escaped_json};
use duewatch_domain::policy::Language;
use duewatch_domain::policy::{Channel, Restriction};
use duewatch_domain::{Account, InboundMessage};
use serde::Serialize;

use crate::text::Rendered;
use crate::{OutboundMessage, Reference, Topic};

/// A CloudEvents 1.0 envelope in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct CloudEvent<T> {
    specversion: &'static str,
    /// The same each time the event is published.
    pub id: String,
    source: &'static str,
    /// The event's type, such as `duewatch.contact.due.v1`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The account or the customer.
    pub subject: String,
    /// When the event came about.
    pub time: String,
    datacontenttype: &'static str,
    pub data: T,
}

impl<T: Serialize> CloudEvent<T> {
    fn new(kind: &'static str, id: String, subject: &str, time: DateTime<Utc>, data: T) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: "duewatch",
            kind,
            subject: subject.to_owned(),
            time: text(time),
            datacontenttype: "application/json",
            data,
        }
    }

    fn message(self, topic: Topic, attributes: &[(&'static str, &str)]) -> OutboundMessage {
        let mut all: BTreeMap<&'static str, String> =
            attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.insert("type", self.kind.to_owned());
        OutboundMessage {
            topic,
            // Plain data: only a map whose keys are no strings can fail here.
            // A person on call reads it as it is, in a mail.
            body: escaped_json(&serde_json::to_string(&self).unwrap_or_default()).into_owned(),
            attributes: all,
        }
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A change of an account's status, for the lender's other systems. The event carries the whole status; among
/// several, the one with the highest `revision` is right.
#[derive(Clone, Debug, Serialize)]
pub struct AccountChanged<'a> {
    account_id: &'a str,
    customer_id: &'a str,
    revision: Revision,
    stage: &'a str,
    restrictions: &'a [Restriction],
    since: Option<String>,
    decision: DecisionLine<'a>,
}

/// The message of a decision, for `account-events`.
#[must_use]
pub fn account_changed(account: &Account, decision: &Decision) -> OutboundMessage {
    let subject = DecisionSubject { account_id: &account.account_id, currency: account.currency };
    let data = AccountChanged {
        account_id: account.account_id.as_str(),
        customer_id: account.customer_id.as_str(),
        revision: decision.revision,
        stage: account.status.stage.as_str(),
        restrictions: &account.status.restrictions,
        since: account.status.since.map(text),
        decision: DecisionLine::new(subject, decision),
    };
    let change = match (decision.applied.is_empty(), decision.lifted.is_empty()) {
        (true, true) => "none",
        (false, true) => "applied",
        (true, false) => "lifted",
        (false, false) => "replaced",
    };
    CloudEvent::new(
        "duewatch.account.changed.v1",
        event_id(&account.account_id, decision.revision),
        account.account_id.as_str(),
        decision.at,
        data,
    )
    .message(
        Topic::AccountEvents,
        &[("from", decision.from.as_str()), ("to", decision.to.as_str()), ("restrictions", change)],
    )
}

/// A message to a borrower, for the delivery providers of one channel. The text is rendered; the figures
/// beside it are for providers with templates of their own.
#[derive(Clone, Debug)]
pub struct ContactDue<'a> {
    pub customer_id: &'a CustomerId,
    /// The same each time the message is published.
    pub message_id: &'a ContactId,
    pub channel: Channel,
    pub language: Language,
    /// The template of the message's first section.
    pub template: &'a str,
    /// The stage of the account in the first section.
    pub stage: &'a str,
    /// The third-party contact who receives the message instead of the borrower.
    pub third_party: Option<&'a ThirdPartyId>,
    /// The date on which the message was to leave, where an outage delayed it.
    pub late_since: Option<NaiveDate>,
    /// The number of earlier reminders that the message replaces.
    pub stands_for: u32,
    /// The contact requests that the message covers; empty in a message to a third-party contact.
    pub contacts: Vec<ContactItem<'a>>,
    pub rendered: Rendered,
    /// The reference by which the recipient can verify the message.
    pub reference: Reference,
}

/// A contact request that a message covers, with the figures of the check right before it leaves.
#[derive(Clone, Copy, Debug)]
pub struct ContactItem<'a> {
    pub contact_id: &'a ContactId,
    /// The account revision that made the request.
    pub revision: Revision,
    /// The request itself.
    pub request: &'a ContactRequest,
    pub account: &'a Account,
    pub figures: &'a Figures,
}

#[derive(Serialize)]
struct DueData<'a> {
    customer_id: &'a CustomerId,
    channel: &'static str,
    language: Language,
    template: &'a str,
    #[serde(rename = "contact_person", skip_serializing_if = "Option::is_none")]
    third_party: Option<&'a ThirdPartyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<usize>,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_since: Option<NaiveDate>,
    stands_for: u32,
    contacts: Vec<ContactData<'a>>,
}

#[derive(Serialize)]
struct ContactData<'a> {
    contact_id: &'a ContactId,
    account_id: &'a str,
    revision: Revision,
    template: &'a str,
    stage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_on: Option<NaiveDate>,
    planned_at: String,
    /// The number of missed earlier reminders that this one replaces.
    missed: u32,
    /// The announced measure, where the request is a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_of: Option<&'a NoticeOf>,
    currency: &'static str,
    overdue: String,
    oldest_due_on: Option<NaiveDate>,
    days_past_due: u32,
    outstanding: String,
}

impl<'a> ContactData<'a> {
    fn new(contact: &ContactItem<'a>) -> Self {
        let ContactItem { contact_id, revision, request, account, figures } = *contact;
        Self {
            contact_id,
            account_id: account.account_id.as_str(),
            revision,
            template: &request.template,
            stage: account.status.stage.as_str(),
            due_on: request.due_on,
            planned_at: text(request.planned_at),
            missed: request.missed,
            notice_of: request.notice_of.as_ref(),
            currency: account.currency.code(),
            overdue: account.currency.text(figures.overdue),
            oldest_due_on: figures.oldest_due_on,
            days_past_due: figures.days_past_due,
            outstanding: account.currency.text(figures.outstanding),
        }
    }
}

/// The message to a borrower, for `reminders`. Its receipts come back under its id.
#[must_use]
pub fn contact_due(due: &ContactDue<'_>, now: DateTime<Utc>) -> OutboundMessage {
    let language = match due.language {
        Language::Zh => "zh",
        Language::En => "en",
    };
    let data = DueData {
        customer_id: due.customer_id,
        channel: due.channel.as_str(),
        language: due.language,
        template: due.template,
        third_party: due.third_party,
        subject: due.rendered.subject.as_deref(),
        text: &due.rendered.text,
        segments: due.rendered.segments.map(|segments| segments.count),
        reference: due.reference.to_string(),
        late_since: due.late_since,
        stands_for: due.stands_for,
        contacts: due.contacts.iter().map(ContactData::new).collect(),
    };
    let id = due.message_id.to_string();
    CloudEvent::new("duewatch.contact.due.v1", id, due.customer_id.as_str(), now, data).message(
        Topic::Reminders,
        &[
            ("channel", due.channel.as_str()),
            ("template", due.template),
            ("stage", due.stage),
            ("language", language),
        ],
    )
}

/// A sign-in code on its way to a borrower, rendered.
#[derive(Clone, Debug)]
pub struct SignInDue<'a> {
    /// The same each time the message is published.
    pub message_id: &'a ContactId,
    /// None: the account is not known, and the message bears neither a text nor a channel.
    pub to: Option<(&'a CustomerId, Channel)>,
    pub language: Language,
    pub rendered: Rendered,
    pub reference: Reference,
}

/// The message of a sign-in code, for `reminders`. So that nobody learns from the time of an answer whether an account
/// exists, a message leaves for an unknown one too: its channel is `none`, and its text is empty.
#[must_use]
pub fn sign_in_due(due: &SignInDue<'_>, now: DateTime<Utc>) -> OutboundMessage {
    let language = match due.language {
        Language::Zh => "zh",
        Language::En => "en",
    };
    let (subject, channel) = due.to.map_or(("nobody", "none"), |(id, on)| (id.as_str(), on.as_str()));
    let shown = due.to.map(|_| &due.rendered);
    let data = SignInData {
        customer_id: subject,
        channel,
        language: due.language,
        template: SIGN_IN,
        subject: shown.and_then(|rendered| rendered.subject.as_deref()),
        text: shown.map_or("", |rendered| &rendered.text),
        segments: shown.and_then(|rendered| rendered.segments).map(|segments| segments.count),
        reference: due.to.map(|_| due.reference.to_string()),
    };
    CloudEvent::new("duewatch.sign_in.due.v1", due.message_id.to_string(), subject, now, data)
        .message(Topic::Reminders, &[("channel", channel), ("template", SIGN_IN), ("language", language)])
}

/// The template's name in messages with a sign-in code.
const SIGN_IN: &str = "sign_in";

#[derive(Serialize)]
struct SignInData<'a> {
    customer_id: &'a str,
    channel: &'static str,
    language: Language,
    template: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// The type of an archived command.
pub const COMMAND_ARCHIVED: &str = "duewatch.command.archived.v1";
/// The type of an archived erasure.
pub const ERASURE_ARCHIVED: &str = "duewatch.erasure.archived.v1";

/// An accepted command, for `archive`. A command that is archived again bears the same id.
#[must_use]
pub fn command_archived(
    command: &InboundMessage,
    archived: &ArchivedCommand,
    now: DateTime<Utc>,
) -> OutboundMessage {
    let account_id = command.event.account_id.as_str();
    let id = format!("archive/{account_id}/{}/{}", command.source, command.event_id);
    CloudEvent::new(COMMAND_ARCHIVED, id, account_id, now, archived).message(Topic::Archive, &[])
}

/// The erasure of a customer's data, for `archive`.
#[must_use]
pub fn erasure_archived(customer_id: &CustomerId, now: DateTime<Utc>) -> OutboundMessage {
    let id = format!("archive/{customer_id}/erased/{}", text(now));
    let data = ArchivedErasure { customer_id: customer_id.clone() };
    CloudEvent::new(ERASURE_ARCHIVED, id, customer_id.as_str(), now, data).message(Topic::Archive, &[])
}

/// The kind of an alert for the staff. It decides the topic: see [`topic`](Self::topic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationsKind {
    /// A record could not be processed and is quarantined.
    Quarantined,
    /// A payment that cannot be posted blocks a restriction or a reminder.
    #[serde(rename = "restriction_held")]
    RestrictionDeferred,
    /// A payment came for an account that does not exist yet: a suspense payment.
    #[serde(rename = "payment_parked")]
    PaymentInSuspense,
    /// A revision came to the history before the one below it.
    HistoryGap,
    /// A day of the history has its anchor; the reason bears its digest, its root and the public key.
    HistoryAnchored,
    /// A discrepancy that the reconciler cannot repair.
    #[serde(rename = "gap_found")]
    DiscrepancyFound,
    /// Discrepancies that the reconciler has repaired.
    #[serde(rename = "gaps_repaired")]
    DiscrepanciesRepaired,
    /// A command waits until another person approves it.
    ApprovalNeeded,
    /// Nothing met a deadline of a case.
    CaseDeadlineMissed,
    /// An account refuses the command that follows from a case.
    CaseNotFiled,
    /// A borrower has no usable channel for a message.
    NoChannel,
    /// An owed message cannot leave as things stand.
    #[serde(rename = "message_held")]
    MessageBlocked,
}

impl OperationsKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Quarantined,
        Self::RestrictionDeferred,
        Self::PaymentInSuspense,
        Self::HistoryGap,
        Self::HistoryAnchored,
        Self::DiscrepancyFound,
        Self::DiscrepanciesRepaired,
        Self::ApprovalNeeded,
        Self::CaseDeadlineMissed,
        Self::CaseNotFiled,
        Self::NoChannel,
        Self::MessageBlocked,
    ];

    /// The topic of the kind. A ticket is about one record, payment or customer; where many of them mean that a part
    /// has failed, an alarm over their number goes to `operations` beside them.
    #[must_use]
    pub const fn topic(self) -> Topic {
        match self {
            Self::HistoryGap | Self::HistoryAnchored => Topic::Operations,
            Self::Quarantined
            | Self::RestrictionDeferred
            | Self::PaymentInSuspense
            | Self::DiscrepancyFound
            | Self::DiscrepanciesRepaired
            | Self::ApprovalNeeded
            | Self::CaseDeadlineMissed
            | Self::CaseNotFiled
            | Self::NoChannel
            | Self::MessageBlocked => Topic::Tickets,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::RestrictionDeferred => "restriction_held",
            Self::PaymentInSuspense => "payment_parked",
            Self::HistoryGap => "history_gap",
            Self::HistoryAnchored => "history_anchored",
            Self::DiscrepancyFound => "gap_found",
            Self::DiscrepanciesRepaired => "gaps_repaired",
            Self::ApprovalNeeded => "approval_needed",
            Self::CaseDeadlineMissed => "case_deadline_missed",
            Self::CaseNotFiled => "case_not_filed",
            Self::NoChannel => "no_channel",
            Self::MessageBlocked => "message_held",
        }
    }
}

/// An alert for the staff. It bears ids and reasons, never a payload.
#[derive(Clone, Debug, Serialize)]
pub struct OperationsEvent<'a> {
    kind: OperationsKind,
    function: &'a str,
    subject: &'a str,
    reason: &'a str,
}

/// The message of an alert, for the topic of its kind. Its id derives from kind, function and subject, so that a retry
/// does not alert twice. An unreachable borrower alerts once a day (UTC), whichever function finds out.
#[must_use]
pub fn operations(
    kind: OperationsKind,
    function: &str,
    subject: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> OutboundMessage {
    let id = match kind {
        OperationsKind::NoChannel => format!("{}/{subject}/{}", kind.as_str(), now.date_naive()),
        _ => format!("{function}/{}/{subject}", kind.as_str()),
    };
    operations_message(id, kind, function, subject, reason, now)
}

/// Like [`operations`], for an alert that may recur: it alerts once a day (UTC) for each `key`.
#[must_use]
pub fn operations_today(
    kind: OperationsKind,
    function: &str,
    subject: &str,
    key: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> OutboundMessage {
    let id = format!("{function}/{}/{subject}/{}/{key}", kind.as_str(), now.date_naive());
    operations_message(id, kind, function, subject, reason, now)
}

fn operations_message(
    id: String,
    kind: OperationsKind,
    function: &str,
    subject: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> OutboundMessage {
    CloudEvent::new(
        "duewatch.operations.v1",
        id,
        subject,
        now,
        OperationsEvent { kind, function, subject, reason },
    )
    .message(kind.topic(), &[("kind", kind.as_str()), ("function", function)])
}

/// When each part last did its work, as the heartbeat states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkDone {
    /// The end of the latest sweep of the due index.
    pub sweep_at: DateTime<Utc>,
    /// The end of the latest sweep of contact requests.
    pub contacts_at: DateTime<Utc>,
    /// The instant up to which the reconciler has visited its segments.
    pub reconciled_to: DateTime<Utc>,
    /// The latest anchored day (UTC).
    pub anchored: NaiveDate,
}

#[derive(Serialize)]
struct HeartbeatData {
    sweep_at: String,
    contacts_at: String,
    reconciled_to: String,
    anchored: NaiveDate,
}

/// The message for the watch outside the AWS account, which alerts when none comes.
#[must_use]
pub fn heartbeat(done: &WorkDone, now: DateTime<Utc>) -> OutboundMessage {
    let data = HeartbeatData {
        sweep_at: text(done.sweep_at),
        contacts_at: text(done.contacts_at),
        reconciled_to: text(done.reconciled_to),
        anchored: done.anchored,
    };
    let id = format!("heartbeat/{}", text(now));
    CloudEvent::new("duewatch.heartbeat.v1", id, "heartbeat", now, data).message(Topic::Heartbeat, &[])
}

#[cfg(test)]
mod tests {
    use duewatch_domain::kernel::is_unprintable;

    use super::*;

    #[test]
    fn an_alert_never_acts_on_the_mail_that_brings_it() -> Result<(), serde_json::Error> {
        let subject = "A\u{202e}1\u{9b}2J\r\nBcc: x";
        let alert = operations(OperationsKind::Quarantined, "intake", subject, "why", DateTime::UNIX_EPOCH);
        assert!(!alert.body.chars().any(is_unprintable), "{:?}", alert.body);
        let read: serde_json::Value = serde_json::from_str(&alert.body)?;
        assert_eq!(read["data"]["subject"], subject, "a program reads the id itself");
        Ok(())
    }
}
