//! `contacts`: the contact records of a customer, sent, waiting and suppressed, with the reasons; and over
//! all customers, the receipts by policy.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::Account;
use duewatch_domain::contact::{QueuedRequest, ReceiptOutcome, RequestTarget};
use duewatch_domain::kernel::{ContactId, CustomerId};
use duewatch_domain::policy::Channel;
use duewatch_store::{ContactOutcome, ContactRecord, LoadedProfile, MessageRecord, Store, StoreError};
use duewatch_views::MessageView;

use crate::table::TextTable;

/// Why contact records cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ContactsError {
    /// The store failed, or a record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

/// Prints a customer's contact records, oldest first, and the queued requests.
///
/// # Errors
/// [`ContactsError`].
pub async fn of_customer(
    store: &Store,
    customer_id: &CustomerId,
    out: &mut impl Write,
) -> Result<(), ContactsError> {
    let LoadedProfile { profile, requests: queued } = store.load_profile(customer_id).await?;
    let record = store.contact_records(customer_id).await?;
    if record.is_empty() && queued.is_empty() {
        writeln!(out, "Nothing was planned for customer {customer_id}, or it is long ago.")?;
        return Ok(());
    }
    let mut table = TextTable::new(&["at", "account", "what", "by", "became", "why"]);
    for one in &record {
        let (channel, receipts) = match &one.message {
            Some((id, channel)) => (channel.to_string(), receipts(store, id).await?),
            None => ("-".to_owned(), String::new()),
        };
        let why = one.reason.as_ref().map_or(receipts, ToString::to_string);
        table.row([
            written(one.at),
            one.request.account_id.to_string(),
            what(&one.request),
            channel,
            outcome_text(one.outcome).to_owned(),
            why,
        ]);
    }
    for one in &queued {
        let (became, why) = match (&one.reserved_as, &one.waits_for) {
            (Some(_), _) => ("is leaving", String::new()),
            (None, Some(reason)) => ("waits", reason.to_string()),
            (None, None) => ("is due", String::new()),
        };
        table.row([
            written(one.evaluate_at),
            one.account_id.to_string(),
            what(one),
            "-".to_owned(),
            became.to_owned(),
            why,
        ]);
    }
    write!(out, "{table}")?;
    let count = |wanted: ContactOutcome| record.iter().filter(|one| one.outcome == wanted).count();
    writeln!(
        out,
        "\n{} sent, {} waiting, {} suppressed, {} withdrawn, {} held back by money that cannot be posted",
        count(ContactOutcome::Sent),
        queued.len(),
        count(ContactOutcome::Suppressed),
        count(ContactOutcome::Withdrawn),
        count(ContactOutcome::Held),
    )?;
    if profile.has_refused() {
        writeln!(out, "The customer has refused all contact.")?;
    }
    Ok(())
}

/// The messages about one account of a customer: those that ended, oldest first, then those that wait.
///
/// # Errors
/// When a call fails or a record cannot be read.
pub async fn messages_of(store: &Store, account: &Account) -> Result<Vec<MessageView>, StoreError> {
    let is_of = |request: &QueuedRequest| request.account_id == account.account_id;
    let LoadedProfile { requests: queued, .. } = store.load_profile(&account.customer_id).await?;
    let records = store.contact_records(&account.customer_id).await?;
    let ended = records.into_iter().filter(|one| is_of(&one.request)).map(|one| {
        MessageView::ended(&one.request, one.outcome.as_str(), one.at, one.message, one.reason.as_ref())
    });
    let waiting = queued.iter().filter(|one| is_of(one)).map(MessageView::waiting);
    Ok(ended.chain(waiting).collect())
}

async fn receipts(store: &Store, message_id: &ContactId) -> Result<String, StoreError> {
    let message = store.message(message_id).await?;
    let told = message.iter().flat_map(|message| &message.receipts);
    let told: Vec<String> =
        told.map(|receipt| format!("{} {}", receipt_name(receipt.outcome), written(receipt.at))).collect();
    Ok(told.join(", "))
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn what(queued: &QueuedRequest) -> String {
    match &queued.target {
        RequestTarget::Borrower(request) => request.template.clone(),
        RequestTarget::ThirdParty { third_party_id } => format!("to contact person {third_party_id}"),
    }
}

const fn outcome_text(outcome: ContactOutcome) -> &'static str {
    match outcome {
        ContactOutcome::Sent => "sent",
        ContactOutcome::Withdrawn => "withdrawn",
        ContactOutcome::Held => "held",
        ContactOutcome::Suppressed => "suppressed",
        ContactOutcome::Unrenderable => "not in words",
    }
}

const fn receipt_name(outcome: ReceiptOutcome) -> &'static str {
    match outcome {
        ReceiptOutcome::Delivered => "delivered",
        ReceiptOutcome::Bounced => "bounced",
        ReceiptOutcome::Complained => "complained",
        ReceiptOutcome::OptedOut => "opted out",
        ReceiptOutcome::Answered => "answered",
        ReceiptOutcome::Unanswered => "unanswered",
    }
}

/// The receipts of one policy, template and channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ContactTally {
    sent: u64,
    /// Counts by the index of the outcome.
    receipts: [u64; 6],
}

/// Policy, template, channel.
type TallyKey = (String, String, Channel);

/// The report over all customers, gathered page by page.
#[derive(Debug, Default)]
struct ContactReport {
    tallies: BTreeMap<TallyKey, ContactTally>,
    /// The keys of each message, until its receipts are found, and the other way round.
    keys: BTreeMap<ContactId, Vec<TallyKey>>,
    reported: BTreeMap<ContactId, Vec<ReceiptOutcome>>,
    suppressed: BTreeMap<(String, &'static str, String), u64>,
}

impl ContactReport {
    fn record(&mut self, contact_record: ContactRecord) {
        let policy = contact_record.request.policy_id.to_string();
        match contact_record.message {
            Some((message_id, channel)) => {
                let key = (policy, what(&contact_record.request), channel);
                self.tallies.entry(key.clone()).or_default().sent += 1;
                self.keys.entry(message_id).or_default().push(key);
            }
            None => {
                let why = contact_record.reason.map_or(String::new(), |reason| reason.rule().to_owned());
                *self.suppressed.entry((policy, outcome_text(contact_record.outcome), why)).or_default() += 1;
            }
        }
    }

    fn message(&mut self, id: ContactId, message: &MessageRecord) {
        let outcomes = message.receipts.iter().map(|receipt| receipt.outcome).collect();
        self.reported.insert(id, outcomes);
    }

    fn joined(mut self) -> Self {
        for (id, outcomes) in &self.reported {
            for key in self.keys.get(id).into_iter().flatten() {
                let Some(tally) = self.tallies.get_mut(key) else { continue };
                for outcome in outcomes {
                    if let Some(count) = tally.receipts.get_mut(*outcome as usize) {
                        *count += 1;
                    }
                }
            }
        }
        self
    }
}

/// Prints the report over all customers since an instant: for each policy, template and channel the messages
/// sent and their receipts, and the suppressed requests with the reasons. It scans the whole records table,
/// and holds each message since then in memory.
///
/// # Errors
/// [`ContactsError`].
pub async fn over_all(
    store: &Store,
    since: DateTime<Utc>,
    mut read: impl FnMut(u64),
    out: &mut impl Write,
) -> Result<(), ContactsError> {
    let (mut report, mut from, mut looked_at) = (ContactReport::default(), None, 0);
    loop {
        let page = store.all_contact_records(from).await?;
        for record in page.records.into_iter().filter(|record| record.at >= since) {
            report.record(record);
        }
        for (id, message) in &page.messages {
            report.message(id.clone(), message);
        }
        looked_at += page.scanned;
        read(looked_at);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let report = report.joined();
    let headings = [
        "policy",
        "template",
        "by",
        "sent",
        "delivered",
        "bounced",
        "complained",
        "opted out",
        "answered",
        "unanswered",
    ];
    let mut table = TextTable::new(&headings).figures_from(3);
    for ((policy, template, channel), tally) in &report.tallies {
        let counts = std::iter::once(tally.sent).chain(tally.receipts).map(|count| count.to_string());
        table.row([policy.clone(), template.clone(), channel.to_string()].into_iter().chain(counts));
    }
    write!(out, "{table}")?;
    if !report.suppressed.is_empty() {
        let mut table =
            TextTable::new(&["policy", "kept back as", "by the rule", "contacts"]).figures_from(3);
        for ((policy, outcome, rule), count) in &report.suppressed {
            table.row([policy.clone(), (*outcome).to_owned(), rule.clone(), count.to_string()]);
        }
        write!(out, "\n{table}")?;
    }
    Ok(())
}
