//! What is published, and its envelope.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::Figures;
use duewatch_domain::account::Intent;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{Decision, event_id};
use duewatch_domain::formats::{DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{ContactId, ContactPersonId, CustomerId, Revision};
use duewatch_domain::policy::Language;
use duewatch_domain::policy::{Channel, Restriction};
use serde::Serialize;

use crate::text::Rendered;
use crate::{Message, Reference, Topic};

/// A CloudEvents 1.0 envelope in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct CloudEvent<T> {
    specversion: &'static str,
    /// The same each time the event is published.
    pub id: String,
    source: &'static str,
    /// What kind of event it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The account.
    pub subject: String,
    /// When it came about.
    pub time: String,
    datacontenttype: &'static str,
    /// The event itself.
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

    fn message(self, topic: Topic, attributes: &[(&'static str, &str)]) -> Message {
        let mut all: BTreeMap<&'static str, String> =
            attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.insert("type", self.kind.to_owned());
        Message {
            topic,
            // Plain data: the only way to fail is a map with keys that are no strings.
            body: serde_json::to_string(&self).unwrap_or_default(),
            attributes: all,
        }
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An account's standing has changed: for the lender's other systems. It carries
/// the whole standing; whoever keeps the highest `revision` is right.
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
pub fn account_changed(account: &Account, decision: &Decision) -> Message {
    let subject = DecisionSubject { account_id: &account.account_id, currency: account.currency };
    let data = AccountChanged {
        account_id: account.account_id.as_str(),
        customer_id: account.customer_id.as_str(),
        revision: decision.revision,
        stage: account.standing.stage.as_str(),
        restrictions: &account.standing.restrictions,
        since: account.standing.since.map(text),
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

/// A person is to be told something: for the senders of one channel. It is put into words already;
/// the figures beside them are for senders with forms of their own.
#[derive(Clone, Debug)]
pub struct ContactDue<'a> {
    /// Who is to be told.
    pub customer_id: &'a CustomerId,
    /// The message's id: the same each time it is published.
    pub message_id: &'a ContactId,
    /// How it travels.
    pub channel: Channel,
    /// The language that it is in.
    pub language: Language,
    /// The template of what it says first.
    pub template: &'a str,
    /// The stage of the account that it is about first.
    pub stage: &'a str,
    /// The contact person to whom it goes instead of the borrower.
    pub contact_person: Option<&'a ContactPersonId>,
    /// The date on which it was to leave, where something kept it back.
    pub late_since: Option<NaiveDate>,
    /// How many earlier reminders it stands for.
    pub stands_for: u32,
    /// What it tells the borrower of; nothing in a message to a contact person.
    pub contacts: Vec<Contact<'a>>,
    /// Its words.
    pub rendered: Rendered,
    /// What it can be verified by.
    pub reference: Reference,
}

/// A planned contact that a message speaks for, with the figures of the last look.
#[derive(Clone, Copy, Debug)]
pub struct Contact<'a> {
    /// Its id.
    pub contact_id: &'a ContactId,
    /// The account's revision that planned it.
    pub revision: Revision,
    /// What was planned.
    pub intent: &'a Intent,
    /// The account.
    pub account: &'a Account,
    /// Its figures.
    pub figures: &'a Figures,
}

#[derive(Serialize)]
struct DueData<'a> {
    customer_id: &'a CustomerId,
    channel: &'static str,
    language: Language,
    template: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_person: Option<&'a ContactPersonId>,
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
    /// How many earlier reminders this one stands for; they were missed.
    missed: u32,
    /// What it announces, where it is a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_of: Option<&'a NoticeOf>,
    currency: &'static str,
    overdue: String,
    oldest_due_on: Option<NaiveDate>,
    days_past_due: u32,
    outstanding: String,
}

impl<'a> ContactData<'a> {
    fn new(contact: &Contact<'a>) -> Self {
        let Contact { contact_id, revision, intent, account, figures } = *contact;
        Self {
            contact_id,
            account_id: account.account_id.as_str(),
            revision,
            template: &intent.template,
            stage: account.standing.stage.as_str(),
            due_on: intent.due_on,
            planned_at: text(intent.planned_at),
            missed: intent.missed,
            notice_of: intent.notice_of.as_ref(),
            currency: account.currency.code(),
            overdue: account.currency.text(figures.overdue),
            oldest_due_on: figures.oldest_due_on,
            days_past_due: figures.days_past_due,
            outstanding: account.currency.text(figures.outstanding),
        }
    }
}

/// The message of what a person is to be told, for `reminders`. Its reports come back under its
/// id.
#[must_use]
pub fn contact_due(due: &ContactDue<'_>, now: DateTime<Utc>) -> Message {
    let language = match due.language {
        Language::Zh => "zh",
        Language::En => "en",
    };
    let data = DueData {
        customer_id: due.customer_id,
        channel: due.channel.as_str(),
        language: due.language,
        template: due.template,
        contact_person: due.contact_person,
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

/// What people on duty are to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationsKind {
    /// A record could not be taken and was set aside.
    Quarantined,
    /// Money that cannot be posted holds back a restriction or a reminder.
    RestrictionHeld,
    /// A payment came for an account that does not exist yet.
    PaymentParked,
    /// A revision came to the history, and the one below it has not.
    HistoryGap,
    /// Something is missing, and cannot be made good by itself.
    GapFound,
    /// Something was missing and has been made good.
    GapsRepaired,
    /// A person cannot be reached on any channel that a message was to travel on.
    NoChannel,
    /// A message that is owed cannot be sent as things stand.
    MessageHeld,
}

impl OperationsKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::RestrictionHeld => "restriction_held",
            Self::PaymentParked => "payment_parked",
            Self::HistoryGap => "history_gap",
            Self::GapFound => "gap_found",
            Self::GapsRepaired => "gaps_repaired",
            Self::NoChannel => "no_channel",
            Self::MessageHeld => "message_held",
        }
    }
}

/// Something for people on duty. It bears ids and reasons, never a payload.
#[derive(Clone, Debug, Serialize)]
pub struct OperationsEvent<'a> {
    kind: OperationsKind,
    function: &'a str,
    subject: &'a str,
    reason: &'a str,
}

/// The message of an event for `operations`. Its id is made of what it is about,
/// so that a retry does not ring twice. That a person cannot be reached rings once a day (UTC),
/// whoever finds out.
#[must_use]
pub fn operations(
    kind: OperationsKind,
    function: &str,
    subject: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Message {
    let id = match kind {
        OperationsKind::NoChannel => format!("{}/{subject}/{}", kind.as_str(), now.date_naive()),
        _ => format!("{function}/{}/{subject}", kind.as_str()),
    };
    operations_message(id, kind, function, subject, reason, now)
}

/// The same of what may come up again, and rings again then: once a day (UTC) for each
/// `key`.
#[must_use]
pub fn operations_today(
    kind: OperationsKind,
    function: &str,
    subject: &str,
    key: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Message {
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
) -> Message {
    CloudEvent::new(
        "duewatch.operations.v1",
        id,
        subject,
        now,
        OperationsEvent { kind, function, subject, reason },
    )
    .message(Topic::Operations, &[("kind", kind.as_str()), ("function", function)])
}
