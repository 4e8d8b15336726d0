//! What is published, and its envelope.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::Account;
use duewatch_domain::decision::{Decision, event_id};
use duewatch_domain::figures::Figures;
use duewatch_domain::formats::{DecisionLine, DecisionSubject};
use duewatch_domain::ids::Revision;
use duewatch_domain::policy::Restriction;
use duewatch_domain::recorded::NoticeOf;
use duewatch_domain::reminder::Intent;
use serde::Serialize;

use crate::{Message, Topic};

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

/// A borrower is to be reminded: for the senders of one channel.
#[derive(Clone, Debug, Serialize)]
pub struct ReminderDue<'a> {
    account_id: &'a str,
    customer_id: &'a str,
    channel: &'static str,
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

/// The id of a reminder: one a revision and channel, notices apart.
#[must_use]
pub fn reminder_id(account: &Account, revision: Revision, intent: &Intent) -> String {
    format!("{}/{}", event_id(&account.account_id, revision), intent.name())
}

/// The message of a reminder, with the figures of the last look, for `reminders`.
#[must_use]
pub fn reminder_due(
    account: &Account,
    revision: Revision,
    intent: &Intent,
    figures: &Figures,
    now: DateTime<Utc>,
) -> Message {
    let data = ReminderDue {
        account_id: account.account_id.as_str(),
        customer_id: account.customer_id.as_str(),
        channel: intent.channel.as_str(),
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
    };
    let id = reminder_id(account, revision, intent);
    CloudEvent::new("duewatch.reminder.due.v1", id, account.account_id.as_str(), now, data).message(
        Topic::Reminders,
        &[
            ("channel", intent.channel.as_str()),
            ("template", &intent.template),
            ("stage", account.standing.stage.as_str()),
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
/// so that a retry does not ring twice.
#[must_use]
pub fn operations(
    kind: OperationsKind,
    function: &str,
    subject: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Message {
    let id = format!("{function}/{}/{subject}", kind.as_str());
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
