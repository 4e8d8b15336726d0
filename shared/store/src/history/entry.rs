//! One history entry: its text and its codec.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::{
    AppliedMessage, ContactRequest, DelinquencyPause, Installment, Origin, Payment,
};
use duewatch_domain::commands::{PaymentReceived, PaymentReversed, WireCommand};
use duewatch_domain::formats::{DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{
    AccountId, Actor, DrawId, EventId, InstallmentNumber, PaymentId, Revision, Source,
};
use duewatch_domain::policy::{PolicyRef, Restriction, StageName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::HistoryItem;
use crate::records::{expiry, texts};
use crate::{StoreError, keys};

/// A stored entry of an account's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// As its key names it.
    pub account_id: AccountId,
    /// As its key names it.
    pub revision: Revision,
    /// The text of the entry, as JSON.
    pub entry: String,
    /// The revision of the entry before it; 0 for the first.
    pub follows: Revision,
    /// The hash of the entry before it; zeros for the first.
    pub previous: String,
    /// SHA-256 over `previous`, a line feed and `entry`.
    pub hash: String,
    /// When the entry may be deleted, in whole seconds; `None` keeps it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The parts of an entry's text that its verification needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EntryContent {
    pub account_id: AccountId,
    pub revision: Revision,
    /// When the revision was written.
    pub at: DateTime<Utc>,
    /// The stage from then on.
    pub stage: StageName,
    /// Until when the preceding entry and all below it are kept; `None` for ever.
    pub kept_below_until: Option<DateTime<Utc>>,
    /// SHA-256 over the account as the revision left it.
    pub image: String,
}

impl HistoryEntry {
    /// The parsed text; `None` where it is malformed.
    #[must_use]
    pub fn content(&self) -> Option<EntryContent> {
        serde_json::from_str(&self.entry).ok()
    }

    pub(super) fn item(&self) -> HistoryItem {
        let mut item = keys::record_key(&keys::history(&self.account_id), &keys::revision(self.revision));
        item.extend(texts([
            ("entry", self.entry.clone()),
            ("previous", self.previous.clone()),
            ("hash", self.hash.clone()),
        ]));
        item.insert("follows".to_owned(), AttributeValue::N(self.follows.to_string()));
        item.extend(self.expires_at.map(expiry));
        item
    }

    pub(super) fn read(table: &str, account_id: &AccountId, item: &HistoryItem) -> Result<Self, StoreError> {
        let fault =
            |name| StoreError::codec(table, keys::history(account_id), format!("{name} cannot be read"));
        let text = |name| match item.get(name) {
            Some(AttributeValue::S(text)) => Ok(text.clone()),
            _ => Err(fault(name)),
        };
        let revision = text(keys::SK)?.parse().map_err(|_| fault(keys::SK))?;
        let follows = match item.get("follows") {
            Some(AttributeValue::N(follows)) => follows.parse().map_err(|_| fault("follows"))?,
            _ => return Err(fault("follows")),
        };
        let expires_at = match item.get(keys::EXPIRES_AT) {
            None => None,
            Some(AttributeValue::N(at)) => Some(at.parse().map_err(|_| fault(keys::EXPIRES_AT))?),
            Some(_) => return Err(fault(keys::EXPIRES_AT)),
        };
        Ok(Self {
            account_id: account_id.clone(),
            revision: Revision(revision),
            entry: text("entry")?,
            follows: Revision(follows),
            previous: text("previous")?,
            hash: text("hash")?,
            expires_at: expires_at.and_then(|at| DateTime::from_timestamp(at, 0)),
        })
    }
}

pub(super) fn hash_of(previous: &str, entry: &str) -> String {
    hex(&Sha256::new().chain_update(previous).chain_update("\n").chain_update(entry).finalize())
}

/// SHA-256 over the account as JSON, with sorted keys and no spaces. The next action's instant is left out,
/// for an index entry may be dropped without a revision.
pub(super) fn image_digest(account: &Account) -> Result<String, StoreError> {
    Ok(hex(&Sha256::digest(canonical(account)?)))
}

fn canonical(account: &Account) -> Result<String, StoreError> {
    let mut account = account.clone();
    account.status.next_action_at = None;
    // The maps of a JSON `Value` are sorted by their keys.
    let image = serde_json::to_value(&account)
        .map_err(|error| StoreError::codec("history", account.account_id.as_str(), error))?;
    Ok(image.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The text of an entry.
#[derive(Serialize)]
struct EntryJson<'a> {
    account_id: &'a AccountId,
    revision: Revision,
    at: String,
    policy: Option<&'a PolicyRef>,
    stage: &'a StageName,
    restrictions: &'a [Restriction],
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionLine<'a>>,
    /// Null where the image before is unknown.
    facts: Option<Facts<'a>>,
    /// The messages that the revision took, and the origins of the money that it posts, where the image before is
    /// known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageEntry<'a>>,
    #[serde(rename = "intents", skip_serializing_if = "Vec::is_empty")]
    contact_requests: Vec<RequestEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_below_until: Option<String>,
    image: &'a str,
}

/// The facts that are new since the revision before, by their ids.
#[derive(Serialize)]
struct Facts<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    payments: Vec<&'a PaymentId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reversed: Vec<&'a PaymentId>,
    /// New or changed since the revision before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    installments: Vec<InstallmentNumber>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    installments_gone: Vec<InstallmentNumber>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    draws: Vec<&'a DrawId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<DelinquencyPause>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pauses_gone: Vec<DelinquencyPause>,
    /// The new enforcement switch, where this revision changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced: Option<bool>,
}

/// A message that the revision took, or one that stated a payment or a reversal which the revision posts: who
/// acted, through which system.
#[derive(Serialize)]
struct MessageEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a EventId>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    command_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a PaymentId>,
    source: &'a Source,
    actor: Actor,
}

impl<'a> MessageEntry<'a> {
    /// The messages that the account knows and did not know before, then the origins of the new payments, then
    /// those of the new reversals.
    fn new_since(before: Option<&Account>, after: &'a Account) -> Vec<Self> {
        let known = before.map_or(&[][..], Account::recent_messages);
        let is_new = |one: &&AppliedMessage| {
            !known.iter().any(|other| (&other.event_id, &other.source) == (&one.event_id, &one.source))
        };
        let entry = |message: &'a AppliedMessage| Self {
            event_id: Some(&message.event_id),
            command_type: message.command_type.as_deref(),
            payment_id: None,
            source: &message.source,
            actor: message.actor(),
        };
        let money = NewMoney::since(before, after);
        let stated = |payment: &'a Payment, origin: &'a Option<Origin>, command_type| {
            let origin = origin.as_ref()?;
            Some(Self {
                event_id: origin.event_id.as_ref(),
                command_type: Some(command_type),
                payment_id: Some(&payment.payment_id),
                source: &origin.source,
                actor: origin.actor(),
            })
        };
        let received = |payment: &&'a Payment| stated(payment, &payment.origin, PaymentReceived::TYPE);
        let reversed = |(payment, known): &(&'a Payment, usize)| {
            let payment: &'a Payment = payment;
            let new = payment.reversals.iter().skip(*known);
            let new = new.filter_map(|reversal| stated(payment, &reversal.origin, PaymentReversed::TYPE));
            new.collect::<Vec<_>>()
        };
        let messages = after.recent_messages().iter().filter(is_new).map(entry);
        let origins =
            money.received.iter().filter_map(received).chain(money.reversed.iter().flat_map(reversed));
        messages.chain(origins).collect()
    }
}

/// The payments that are new since the revision before, and those that were reversed since, each with the number
/// of its reversals that were known.
struct NewMoney<'a> {
    received: Vec<&'a Payment>,
    reversed: Vec<(&'a Payment, usize)>,
}

impl<'a> NewMoney<'a> {
    fn since(before: Option<&Account>, after: &'a Account) -> Self {
        // By payment id: both lists may be long.
        let known: HashMap<&PaymentId, usize> = before
            .map_or(&[][..], Account::payments)
            .iter()
            .map(|payment| (&payment.payment_id, payment.reversals.len()))
            .collect();
        let is_new = |one: &&Payment| !known.contains_key(&one.payment_id);
        let reversed = |payment: &'a Payment| {
            let before = known.get(&payment.payment_id).copied().unwrap_or(0);
            (payment.reversals.len() > before).then_some((payment, before))
        };
        Self {
            received: after.payments().iter().filter(is_new).collect(),
            reversed: after.payments().iter().filter_map(reversed).collect(),
        }
    }
}

/// The contact requests of the revision.
#[derive(Serialize)]
struct RequestEntry<'a> {
    channel: &'static str,
    template: &'a str,
    planned_at: String,
}

impl<'a> RequestEntry<'a> {
    fn of(request: &'a ContactRequest) -> Self {
        Self {
            channel: request.channel.as_str(),
            template: &request.template,
            planned_at: instant(request.planned_at),
        }
    }
}

pub(super) fn text_of(
    before: Option<&Account>,
    after: &Account,
    at: DateTime<Utc>,
    kept_below_until: Option<DateTime<Utc>>,
    image: &str,
) -> Result<String, StoreError> {
    let subject = DecisionSubject { account_id: &after.account_id, currency: after.currency };
    let is_opened = after.revision == Revision(0).next();
    let is_comparable = is_opened || before.is_some();
    let entry = EntryJson {
        account_id: &after.account_id,
        revision: after.revision,
        at: instant(at),
        policy: after.status.policy.as_ref(),
        stage: &after.status.stage,
        restrictions: &after.status.restrictions,
        decision: after.decision_of_this_revision().map(|decision| DecisionLine::new(subject, decision)),
        facts: is_comparable.then(|| Facts::new(before, after)),
        messages: if is_comparable { MessageEntry::new_since(before, after) } else { Vec::new() },
        contact_requests: after.contact_requests.iter().map(RequestEntry::of).collect(),
        kept_below_until: kept_below_until.map(instant),
        image,
    };
    serde_json::to_string(&entry)
        .map_err(|error| StoreError::codec("history", after.account_id.as_str(), error))
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl<'a> Facts<'a> {
    fn new(before: Option<&Account>, after: &'a Account) -> Self {
        let installments = before.map_or(&[][..], Account::installments);
        let pauses = before.map_or(&[][..], Account::pauses);
        let money = NewMoney::since(before, after);
        let owed: HashMap<_, _> = installments.iter().map(|one| (&one.label, one)).collect();
        let numbers: HashSet<_> = after.installments().iter().filter_map(Installment::number).collect();
        let drawn: HashSet<&DrawId> =
            before.map_or(&[][..], Account::draws).iter().map(|draw| &draw.draw_id).collect();
        let is_other = |one: &&Installment| owed.get(&one.label) != Some(one);
        let was_enforced = before.is_none_or(Account::is_enforced);
        let ids = |payments: Vec<&'a Payment>| payments.into_iter().map(|one| &one.payment_id).collect();
        Self {
            payments: ids(money.received),
            reversed: money.reversed.into_iter().map(|(payment, _)| &payment.payment_id).collect(),
            installments: after
                .installments()
                .iter()
                .filter(is_other)
                .filter_map(Installment::number)
                .collect(),
            installments_gone: installments
                .iter()
                .filter_map(Installment::number)
                .filter(|number| !numbers.contains(number))
                .collect(),
            draws: after.draws().iter().map(|draw| &draw.draw_id).filter(|id| !drawn.contains(id)).collect(),
            pauses: after.pauses().iter().filter(|one| !pauses.contains(one)).copied().collect(),
            pauses_gone: pauses.iter().filter(|one| !after.pauses().contains(one)).copied().collect(),
            enforced: (was_enforced != after.is_enforced()).then_some(after.is_enforced()),
        }
    }
}

#[cfg(test)]
mod tests {
    use duewatch_domain::formats::parse_book_line;

    use super::*;

    #[test]
    fn the_digest_is_of_json_with_sorted_keys_and_nothing_of_the_next_action() {
        let book = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY",
            "time_zone":"Asia/Shanghai","opened_on":"2023-10-01",
            "installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;
        let mut account = Account::open(&parse_book_line(book).unwrap()).unwrap();
        let expected = concat!(
            r#"{"account_id":"A-1","contract":CHECKSUM,"currency":"CNY","customer_id":"C-1","#,
            r#""installments":[{"due_on":"2023-10-01","label":{"number":1},"principal":"250.00"}],"#,
            r#""intents":[],"opened_on":"2023-10-01","pauses":[],"payments":[],"policy_id":"standard","#,
            r#""recent_decisions":[],"revision":0,"standing":{"restrictions":[],"stage":"current"},"#,
            r#""time_zone":"Asia/Shanghai"}"#,
        );
        let canonical = canonical(&account).unwrap();
        let checksum = canonical.split(r#""contract":"#).nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(canonical, expected.replace("CHECKSUM", checksum));
        let digest = image_digest(&account).unwrap();
        account.status.next_action_at = Some(DateTime::UNIX_EPOCH);
        assert_eq!(image_digest(&account).unwrap(), digest);
    }
}
