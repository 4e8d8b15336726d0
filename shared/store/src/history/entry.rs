//! One history entry: its text and its codec.

use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::ContactRequest;
use duewatch_domain::formats::{DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_domain::policy::{PolicyRef, Restriction, StageName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::HistoryItem;
use super::facts::Facts;
use super::messages::MessageEntry;
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
    /// The date (UTC) in whose index the entry stands: that on which it was recorded. `None`: an earlier release
    /// recorded it.
    pub recorded_on: Option<NaiveDate>,
    /// The date (UTC) of the latest copy, where the entry was renewed.
    pub renewed_on: Option<NaiveDate>,
}

/// The time before its expiry in which the newest entry of a chain is renewed, unless half of its term is shorter.
const RENEWED_WITHIN: TimeDelta = TimeDelta::days(30);

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

    /// Whether its expiry is near, so that it has to be renewed if it is the newest of its chain.
    #[must_use]
    pub fn is_expiring(&self, now: DateTime<Utc>) -> bool {
        let Some(until) = self.expires_at else { return false };
        let renewed = self.renewed_on.map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let term = renewed.or_else(|| self.content().map(|content| content.at)).map(|since| until - since);
        until - now <= term.map_or(RENEWED_WITHIN, |term| RENEWED_WITHIN.min(term / 2))
    }

    /// Whether both are the same entry, but for their expiry.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        self.revision == other.revision
            && self.follows == other.follows
            && self.previous == other.previous
            && self.entry == other.entry
            && self.hash == other.hash
    }

    pub(super) fn item(&self) -> HistoryItem {
        let place = keys::entry(self.revision, self.renewed_on);
        let mut item = keys::record_key(&keys::history(&self.account_id), &place);
        item.extend(texts([
            ("entry", self.entry.clone()),
            ("previous", self.previous.clone()),
            ("hash", self.hash.clone()),
        ]));
        item.insert("follows".to_owned(), AttributeValue::N(self.follows.to_string()));
        item.extend(self.expires_at.map(expiry));
        if let Some(day) = self.recorded_on {
            item.extend(texts([
                (keys::RECORDED_SHARD, keys::anchored_shard(day, keys::anchor_shard_of(&self.account_id))),
                (
                    keys::RECORDED_AS,
                    keys::recorded_as(&self.account_id, self.revision, self.follows, &self.hash),
                ),
            ]));
        }
        item
    }

    pub(super) fn read(table: &str, account_id: &AccountId, item: &HistoryItem) -> Result<Self, StoreError> {
        let fault =
            |name| StoreError::codec(table, keys::history(account_id), format!("{name} cannot be read"));
        let text = |name| match item.get(name) {
            Some(AttributeValue::S(text)) => Ok(text.clone()),
            _ => Err(fault(name)),
        };
        let (revision, renewed_on) = keys::entry_in(&text(keys::SK)?).ok_or_else(|| fault(keys::SK))?;
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
            revision,
            entry: text("entry")?,
            follows: Revision(follows),
            previous: text("previous")?,
            hash: text("hash")?,
            expires_at: expires_at.and_then(|at| DateTime::from_timestamp(at, 0)),
            recorded_on: match item.get(keys::RECORDED_SHARD) {
                Some(AttributeValue::S(shard)) => keys::day_in(shard),
                _ => None,
            },
            renewed_on,
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

pub(crate) fn hex(bytes: &[u8]) -> String {
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
    /// The messages that the revision took, and the origins of the money that it posts; of the origins none where the
    /// image before is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageEntry<'a>>,
    #[serde(rename = "intents", skip_serializing_if = "Vec::is_empty")]
    contact_requests: Vec<RequestEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_below_until: Option<String>,
    image: &'a str,
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
        facts: is_comparable.then(|| Facts::new(before, after)).transpose()?,
        messages: if is_comparable {
            MessageEntry::new_since(before, after)
        } else {
            MessageEntry::of_this_revision(after).into_iter().collect()
        },
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
