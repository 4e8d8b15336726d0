//! The key table: every physical name in the tables but the attributes of values.
//!
//! | table | partition key | sort key | item |
//! |---|---|---|---|
//! | accounts | `account_id` | | the whole account; `due_shard` and `next_action_at` put it into the index `due` |
//! | accounts, index `due` | `due_shard`: `00`, `01`, ... | `next_action_at`: RFC 3339, UTC, whole seconds | keys only; sparse: an account without a next action is not in it |
//! | payments | `account_id` | `payment_id` | a payment as the lender's payment system wrote it |
//! | cases | `account_id` | `case_id`: the account, `/`, the number | the whole case; `due_shard` and `next_action_at` put it into the index `due` |
//! | cases, index `due` | `due_shard`: `00`, `01`, ... | `next_action_at`: RFC 3339, UTC, whole seconds | keys only; sparse: a case without a next action is not in it |
//! | policies | `policy#ID` | `version#0000000001` | a policy version: its document, its digest, who published and approved it, when, and the signature |
//! | policies | `policy#ID` | `approval#DIGEST` | who approved a text before its publication, when, and the signature |
//! | records | `account#ID` | `published` | the revision up to which all decisions were published |
//! | records | `customer#ID` | `person` | the contact profile, for the gate |
//! | records | `customer#ID` | `planned#CONTACT` | a queued contact request; `contact_shard` and `contact_at` put it into the index `contacts` |
//! | records | `customer#ID` | `said#CONTACT` | the contact record: how a request ended |
//! | records, index `contacts` | `contact_shard`: `00`, `01`, ... | `contact_at`: RFC 3339, UTC, whole seconds | keys only; sparse: queued contact requests alone |
//! | records | `message#ID` | `message` | a message: its recipient, its requests, its receipts |
//! | records | `customer#ID` | `contact#CHANNEL` | the contact point of a channel |
//! | records | `customer#ID` | `contact-log#AT#EVENT` | a change of a contact point: actor, instant, from, to |
//! | records | `customer#ID` | `written#ACCOUNT`, the source and the event, U+001F between them | the texts that somebody wrote into a command, whose digests the history has |
//! | records | `customer#ID` | `account#ACCOUNT` | the link to an account; put before the account |
//! | records | `account#ID` | `set-aside#PAYMENT` | the note that a payment cannot be posted and is quarantined |
//! | records | `parked` | the account and the payment, U+001F between them | the note of a suspense payment, which came before its account |
//! | history | `history#ACCOUNT` | the revision, 20 digits | an entry of the history: `entry`, `follows`, `previous`, `hash` |
//! | history | `history#ACCOUNT` | the revision, `#` and a date | a copy of the entry, put on that date before the other expired |
//! | history, index `recorded` | `recorded_shard`: the date (UTC) on which an entry of the history was recorded, `#`, the account's shard | `recorded_as`: account, revision, the revision that it follows, and hash, U+001F between them | keys only; sparse: copies are not in it |
//! | records, with the index `recorded` | `history#ACCOUNT`, `policy#ID` | as above | entries that an earlier release recorded, and versions that it published |
//! | anchors | `days` | the date | an anchor: `shards`, `root`, `lines`, `previous`, `signature`, `public_key` |
//! | anchors | the date, `#`, the shard | the part, 6 digits | lines of an anchor's shard: `chains`; the last part bears the shard's `root` and the number of its `lines` |
//! | records | `customer#ID` | `access#AT#export`, `access#AT#erase` | a logged export or erasure of the customer's records |
//! | records | `quarantine#DATE` | `SOURCE#ID` | a quarantined record, with its payload and the reason |
//! | records | `quarantine#DATE` | `SOURCE#ID`, U+001F and a number of three digits | a further part of a payload that one item does not hold |
//! | records | `dropped#DATE` | `SOURCE#ID` | a record that was dropped from quarantine, without its payload, and why |
//! | records | `tombstone#MAC` | a channel, or `all` | the tombstone of a contact point that was opted out of and erased; the MAC is keyed |
//! | records | `proposals` | the digest of a command | the command, until another person approves it, and what became of it |
//! | records | `settings` | `due_shards` | K, the number of shards of the due index; it never falls |
//! | records | `settings` | `watch_gaps` | the reconciler's scan cursor |
//! | records | `settings` | `restrictions` | the hold on new restrictions: on or released, by whom, when, why |
//! | records | `settings` | `sending` | the hold on all that leaves, in the same way |
//! | records | `settings` | `hold#AT#restrictions`, `hold#AT#sending` | a change of a hold |
//! | records | `settings` | `ran#FUNCTION` | when a scheduled run of a function last did all its work |
//! | records | `customer#ID` | `archive-key` | the key that seals the customer's texts in the archive, and its id; an erasure deletes it |
//! | records | `sign-in#BROWSER`, a MAC | `code` | the MAC of the sign-in code that a browser waits for, and its tries |
//! | records | `sign-in#MESSAGE` | `message` | the note that no message left, for nobody is known |
//! | records | `sign-in-count#SUBJECT`, a MAC | the date (UTC) | codes to a contact point, or tries of an account, on a day |
//! | records | `customer#ID` | `feedback#KEY` | what the customer said of a page, by the key of its form |
//! | records | `feedback#PAGE` | the policy's id | how often each score was given |
//! | records | `session#SESSION`, a MAC | `session` | a session of the pages: its customer, its end |
//!
//! The items of an installation bear these names: a name changes only together with a migration of the
//! items. The partition and the sort key of records, history, policies and anchors are `pk` and `sk`; `expires_at` is
//! the attribute by which items of records and history expire. An account's item may bear `history_asked_at`, the
//! instant at which its newest revision was last handed to the history once more; the next revision removes it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::kernel::{
    AccountId, CaseId, ContactId, CustomerId, EventId, MAX_ID_BYTES, PaymentId, PolicyId, Revision, Source,
};
use duewatch_domain::policy::Channel;

use crate::anchors::ANCHOR_SHARDS;

/// The partition key of the accounts table, of the payments table and of the cases table.
pub const ACCOUNT_ID: &str = "account_id";
/// The sort key of the payments table.
pub const PAYMENT_ID: &str = "payment_id";
/// The sort key of the cases table.
pub const CASE_ID: &str = "case_id";
/// The partition key of records, history, policies and anchors.
pub const PK: &str = "pk";
/// The sort key of records, history, policies and anchors.
pub const SK: &str = "sk";
/// When an item of the records or the history expires, in seconds since 1970. DynamoDB deletes it within days of that.
pub const EXPIRES_AT: &str = "expires_at";

/// When an account was last handed to the history once more.
pub(crate) const HISTORY_ASKED_AT: &str = "history_asked_at";

/// The index of the accounts, and of the cases, that have a next action.
pub const DUE: &str = "due";
/// The partition key of the index [`DUE`].
pub const DUE_SHARD: &str = "due_shard";
/// The sort key of the index [`DUE`].
pub const NEXT_ACTION_AT: &str = "next_action_at";

/// The index of the queued contact requests.
pub const CONTACTS: &str = "contacts";
/// The partition key of the index [`CONTACTS`].
pub const CONTACT_SHARD: &str = "contact_shard";
/// The sort key of the index [`CONTACTS`].
pub const CONTACT_AT: &str = "contact_at";

/// The index of the entries of the history, by the day on which they were recorded.
pub const RECORDED: &str = "recorded";
/// The partition key of the index [`RECORDED`].
pub const RECORDED_SHARD: &str = "recorded_shard";
/// The sort key of the index [`RECORDED`].
pub const RECORDED_AS: &str = "recorded_as";
/// The entries of a day's shard.
pub(crate) const RECORDED_BY: &str = "recorded_shard = :shard";
/// The partition key of the anchors.
pub(crate) const ANCHORED_DAYS: &str = "days";

/// The accounts of a shard that are due by an instant.
pub(crate) const DUE_BY: &str = "due_shard = :shard AND next_action_at <= :now";
/// The queued contact requests of a shard that are due by an instant.
pub(crate) const CONTACTS_DUE_BY: &str = "contact_shard = :shard AND contact_at <= :now";
/// The payments of an account.
pub(crate) const OF_ACCOUNT: &str = "account_id = :account";
/// The items of a partition.
pub(crate) const OF_PARTITION: &str = "pk = :pk";
/// The records of a partition whose sort keys begin alike.
pub(crate) const UNDER_PREFIX: &str = "pk = :pk AND begins_with(sk, :prefix)";
/// The records of a partition between two sort keys.
pub(crate) const BETWEEN_KEYS: &str = "pk = :pk AND sk BETWEEN :first AND :last";
/// The condition that the table has no such item.
pub(crate) const IS_NEW: &str = "attribute_not_exists(pk)";
/// The condition that the table has such an item.
pub(crate) const EXISTS: &str = "attribute_exists(pk)";

/// The partition key of the settings.
pub(crate) const SETTINGS: &str = "settings";
/// The sort key of the number of shards of the due index.
pub(crate) const DUE_SHARDS: &str = "due_shards";
/// The sort key of the reconciler's scan cursor.
pub(crate) const SCAN_CURSOR: &str = "watch_gaps";
/// The sort key of the hold on new restrictions.
pub(crate) const RESTRICTION_HOLD: &str = "restrictions";
/// The sort key of the hold on all that leaves.
pub(crate) const SENDING_HOLD: &str = "sending";
/// The prefix of the sort keys of completed runs.
pub(crate) const COMPLETED_RUNS: &str = "ran#";
/// The sort key of the key that seals a customer's texts in the archive.
pub const ARCHIVE_KEY: &str = "archive-key";
/// The partition key of the notes of suspense payments.
pub(crate) const SUSPENSE: &str = "parked";
/// The partition key of the commands that wait for an approval.
pub(crate) const PROPOSALS: &str = "proposals";
/// The sort key of the revision up to which an account's decisions were published.
pub(crate) const PUBLISHED: &str = "published";
/// The sort key of a contact profile.
pub(crate) const PROFILE: &str = "person";
/// The sort key of a message's record.
pub(crate) const MESSAGE: &str = "message";

/// The prefix of the sort keys of policy versions.
pub(crate) const VERSIONS: &str = "version#";
/// The prefix of the sort keys of queued contact requests.
pub(crate) const REQUEST: &str = "planned#";
/// The common prefix of [`PROFILE`] and [`REQUEST`]: one Query reads a profile with its queued requests.
pub(crate) const PROFILE_OR_PLANNED: &str = "p";
/// The prefix of the sort keys of contact records.
pub(crate) const CONTACT_RECORDS: &str = "said#";
/// The prefix of the sort keys of the changes of contact points.
pub(crate) const CONTACT_LOG: &str = "contact-log#";
/// The prefix of the sort keys of logged accesses.
pub(crate) const ACCESSES: &str = "access#";
/// The prefix of the sort keys of a customer's links to accounts.
pub(crate) const LINKS: &str = "account#";

/// The prefix of the sort keys of contact points.
pub(crate) const CONTACT_POINTS: &str = "contact#";
/// The sort key of a sign-in code.
pub(crate) const SIGN_IN_CODE: &str = "code";
/// The sort key of a session.
pub(crate) const SESSION: &str = "session";

const CUSTOMER: &str = "customer#";
const MESSAGES: &str = "message#";
/// ASCII's unit separator. Ids may hold `#` and `/`, and `A/1` with `2` must not be `A` with `1/2`. Ids never
/// hold control characters.
pub(crate) const BETWEEN: char = '\u{1f}';

/// The whole key of an item of the records table.
pub(crate) fn record_key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from(
        [(PK, pk), (SK, sk)].map(|(name, key)| (name.to_owned(), AttributeValue::S(key.to_owned()))),
    )
}

/// The whole key of an account.
pub(crate) fn account_key(account_id: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([(ACCOUNT_ID.to_owned(), AttributeValue::S(account_id.to_owned()))])
}

/// The whole key of a payment.
pub(crate) fn payment_key(account_id: &AccountId, payment_id: &PaymentId) -> HashMap<String, AttributeValue> {
    let mut key = account_key(account_id.as_str());
    key.insert(PAYMENT_ID.to_owned(), AttributeValue::S(payment_id.to_string()));
    key
}

/// The whole key of a case.
pub(crate) fn case_key(account_id: &AccountId, case_id: &CaseId) -> HashMap<String, AttributeValue> {
    let mut key = account_key(account_id.as_str());
    key.insert(CASE_ID.to_owned(), AttributeValue::S(case_id.to_string()));
    key
}

/// The key of an item of the records table, as an error shows it.
pub(crate) fn printable_key(item: &HashMap<String, AttributeValue>) -> String {
    let key = |name| item.get(name).and_then(|key| key.as_s().ok()).map_or("?", String::as_str);
    format!("{} {}", key(PK), key(SK))
}

/// The partition key of shard `shard` of an index.
pub(crate) fn shard(shard: u32) -> String {
    format!("{shard:02}")
}

/// The shard of an account or of a customer, of `shards` shards: a hash of its id, modulo their number.
pub(crate) fn shard_of(id: &str, shards: u32) -> String {
    shard(crc32fast::hash(id.as_bytes()) % shards.max(1))
}

/// An instant as the indexes sort it: UTC, whole seconds, never early.
pub(crate) fn due_at(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The sort key of a change of a hold. `at` is text that sorts by time.
pub(crate) fn hold_change(at: &str, scope: &str) -> String {
    format!("hold#{at}#{scope}")
}

/// The sort key of a function's completed run.
pub(crate) fn completed_run(function: &str) -> String {
    format!("{COMPLETED_RUNS}{function}")
}

/// The partition key of a policy's versions.
pub(crate) fn policy(id: &PolicyId) -> String {
    format!("policy#{id}")
}

/// The sort key of a policy version.
pub(crate) fn version(version: u32) -> String {
    format!("{VERSIONS}{version:010}")
}

/// The sort key of the approval of a policy's text, by its digest.
pub(crate) fn approval(digest: &str) -> String {
    format!("approval#{digest}")
}

/// The partition key of the records of an account.
pub(crate) fn account(id: &AccountId) -> String {
    format!("account#{id}")
}

/// The sort key of the note that a payment is quarantined. The payment's id may be malformed.
pub(crate) fn quarantined_payment(payment_id: &str) -> String {
    format!("set-aside#{}", bounded(payment_id))
}

/// The partition key of the records of a customer.
pub(crate) fn customer(id: &CustomerId) -> String {
    format!("{CUSTOMER}{id}")
}

/// The customer's id in the partition key of a customer's records; empty for another key.
pub(crate) fn customer_in(pk: &str) -> &str {
    pk.strip_prefix(CUSTOMER).unwrap_or_default()
}

/// The sort key of a queued contact request.
pub(crate) fn planned(id: &ContactId) -> String {
    format!("{REQUEST}{id}")
}

/// The sort key of a contact record.
pub(crate) fn contact_record(id: &ContactId) -> String {
    format!("{CONTACT_RECORDS}{id}")
}

/// The partition key of a message's record.
pub(crate) fn message(id: &ContactId) -> String {
    format!("{MESSAGES}{id}")
}

/// The message's id in the partition key of a message's record; `None` for another key.
pub(crate) fn message_in(pk: &str) -> Option<&str> {
    pk.strip_prefix(MESSAGES)
}

/// The sort key of a channel's contact point.
pub(crate) fn contact_point(channel: Channel) -> String {
    format!("{CONTACT_POINTS}{}", channel.as_str())
}

/// The channel in the sort key of a contact point; `None` for another key.
pub(crate) fn channel_in(sk: &str) -> Option<&str> {
    sk.strip_prefix(CONTACT_POINTS)
}

/// The partition key of what a browser waits for, by its MAC.
pub(crate) fn sign_in(browser: &str) -> String {
    format!("sign-in#{browser}")
}

/// The partition key of a count, by the MAC of its subject.
pub(crate) fn sign_in_count(subject: &str) -> String {
    format!("sign-in-count#{subject}")
}

/// The partition key of the counts of a page's scores.
pub(crate) fn feedback(page: &str) -> String {
    format!("feedback#{page}")
}

/// The sort key of what a customer said, by the key of its form.
pub(crate) fn feedback_of(key: &str) -> String {
    format!("feedback#{key}")
}

/// The partition key of a session, by the MAC of its id.
pub(crate) fn session(id: &str) -> String {
    format!("session#{id}")
}

/// The partition key of the tombstones of a contact point, by its MAC.
pub(crate) fn tombstone(mac: &str) -> String {
    format!("tombstone#{mac}")
}

/// The sort key of a change of a contact point. `at` is text that sorts by time. The same id from two sources
/// has two keys.
pub(crate) fn contact_change(at: &str, source: &Source, event_id: &EventId) -> String {
    if source.is_core() {
        format!("{CONTACT_LOG}{at}#{event_id}")
    } else {
        // An id may hold any mark. The source's length tells where it ends.
        format!("{CONTACT_LOG}{at}@{}:{source}#{event_id}", source.as_str().len())
    }
}

/// The sort key of a customer's link to an account.
pub(crate) fn link(account_id: &AccountId) -> String {
    format!("{LINKS}{account_id}")
}

/// The account's id in the sort key of a link; empty for another key.
pub(crate) fn linked_in(sk: &str) -> &str {
    sk.strip_prefix(LINKS).unwrap_or_default()
}

/// The sort key of a logged access. `at` is text that sorts by time.
pub(crate) fn access(at: &str, kind: &str) -> String {
    format!("{ACCESSES}{at}#{kind}")
}

/// The sort key of the note of a suspense payment; without a payment, the common prefix of an account's.
pub(crate) fn suspense(account_id: &AccountId, payment_id: &str) -> String {
    format!("{account_id}{BETWEEN}{payment_id}")
}

/// The sort key of the texts of a command.
pub(crate) fn free_texts(account_id: &AccountId, source: &Source, event_id: &EventId) -> String {
    format!("written#{account_id}{BETWEEN}{source}{BETWEEN}{event_id}")
}

/// The partition key of an account's history.
pub(crate) fn history(id: &AccountId) -> String {
    format!("history#{id}")
}

/// The sort key of an entry of the history, or of its copy of a date.
pub(crate) fn entry(at: Revision, renewed_on: Option<NaiveDate>) -> String {
    renewed_on.map_or_else(|| revision(at), |day| format!("{}#{day}", revision(at)))
}

/// The revision in the sort key of an entry, and the date of a copy; `None` for another key.
pub(crate) fn entry_in(sk: &str) -> Option<(Revision, Option<NaiveDate>)> {
    let (at, day) = match sk.split_once('#') {
        None => (sk, None),
        Some((at, day)) => (at, Some(day.parse().ok()?)),
    };
    Some((Revision(at.parse().ok()?), day))
}

/// A sort key that lies above all copies of an entry and below the next revision.
pub(crate) fn after_revision(at: Revision) -> String {
    format!("{}~", revision(at))
}

/// A revision as sort keys hold it.
pub(crate) fn revision(revision: Revision) -> String {
    format!("{:020}", revision.0)
}

/// The shard of an account's chain in the anchors.
pub(crate) fn anchor_shard_of(account_id: &AccountId) -> u32 {
    crc32fast::hash(account_id.as_str().as_bytes()) % ANCHOR_SHARDS
}

/// The key of a day's shard, in the index of the entries and in the anchors.
pub(crate) fn anchored_shard(day: NaiveDate, shard: u32) -> String {
    format!("{day}#{shard:02}")
}

/// The date in the key of a day's shard; `None` for another key.
pub(crate) fn day_in(shard: &str) -> Option<NaiveDate> {
    shard.split_once('#')?.0.parse().ok()
}

/// An entry of the history in the index of its day.
pub(crate) fn recorded_as(id: &AccountId, at: Revision, follows: Revision, hash: &str) -> String {
    let (at, follows) = (revision(at), revision(follows));
    format!("{id}{BETWEEN}{at}{BETWEEN}{follows}{BETWEEN}{hash}")
}

/// The partition key of a date's quarantined records.
pub(crate) fn quarantine(date: NaiveDate) -> String {
    format!("quarantine#{date}")
}

/// The sort key of a quarantined record. The record's id may be malformed.
pub(crate) fn quarantined(source: &str, id: &str) -> String {
    format!("{source}#{}", bounded(id))
}

/// The sort key of a further part of a quarantined record's payload.
pub(crate) fn payload_part(quarantined: &str, part: usize) -> String {
    format!("{quarantined}{BETWEEN}{part:03}")
}

/// The partition key of the records that were dropped from quarantine on a date.
pub(crate) fn dropped(date: NaiveDate) -> String {
    format!("dropped#{date}")
}

/// An id; or the beginning and a checksum of an id that is too long for a key.
fn bounded(id: &str) -> String {
    if id.len() <= MAX_ID_BYTES * 2 {
        return id.to_owned();
    }
    let beginning: String = id.chars().take(MAX_ID_BYTES / 4).collect();
    format!("{beginning}#{:08x}", crc32fast::hash(id.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use std::fmt::Debug;
    use std::str::FromStr;

    use rstest::rstest;

    use super::*;

    fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    fn at() -> DateTime<Utc> {
        "2023-10-09T02:00:00.5Z".parse().unwrap()
    }

    /// Each name as the tables of an installation hold it: not even a renaming of all that is named here may
    /// change one.
    #[rstest]
    #[case(ACCOUNT_ID, "account_id")]
    #[case(PAYMENT_ID, "payment_id")]
    #[case(PK, "pk")]
    #[case(SK, "sk")]
    #[case(EXPIRES_AT, "expires_at")]
    #[case(DUE, "due")]
    #[case(DUE_SHARD, "due_shard")]
    #[case(NEXT_ACTION_AT, "next_action_at")]
    #[case(CONTACTS, "contacts")]
    #[case(CONTACT_SHARD, "contact_shard")]
    #[case(CONTACT_AT, "contact_at")]
    #[case(SETTINGS, "settings")]
    #[case(DUE_SHARDS, "due_shards")]
    #[case(SCAN_CURSOR, "watch_gaps")]
    #[case(RESTRICTION_HOLD, "restrictions")]
    #[case(SENDING_HOLD, "sending")]
    #[case(&hold_change("2023-10-09T02:00:00Z", SENDING_HOLD), "hold#2023-10-09T02:00:00Z#sending")]
    #[case(&completed_run("detect-overdue"), "ran#detect-overdue")]
    #[case(SUSPENSE, "parked")]
    #[case(PUBLISHED, "published")]
    #[case(PROFILE, "person")]
    #[case(MESSAGE, "message")]
    #[case(VERSIONS, "version#")]
    #[case(REQUEST, "planned#")]
    #[case(PROFILE_OR_PLANNED, "p")]
    #[case(CONTACT_RECORDS, "said#")]
    #[case(CONTACT_LOG, "contact-log#")]
    #[case(ACCESSES, "access#")]
    #[case(LINKS, "account#")]
    #[case(&shard(0), "00")]
    #[case(&shard(99), "99")]
    #[case(&shard_of("A-1", 4), "00")]
    #[case(&shard_of("A-1", 100), "60")]
    #[case(&due_at(at()), "2023-10-09T02:00:00Z")]
    #[case(&policy(&id("P")), "policy#P")]
    #[case(&version(1), "version#0000000001")]
    #[case(&approval("0f"), "approval#0f")]
    #[case(&account(&id("A-1")), "account#A-1")]
    #[case(&quarantined_payment("P-1"), "set-aside#P-1")]
    #[case(&customer(&id("C-1")), "customer#C-1")]
    #[case(&planned(&id("0123")), "planned#0123")]
    #[case(&contact_record(&id("0123")), "said#0123")]
    #[case(&message(&id("0123")), "message#0123")]
    #[case(&contact_point(Channel::Sms), "contact#sms")]
    #[case(&contact_change("2023-10-09T02:00:00Z", &id("core"), &id("E-1")), "contact-log#2023-10-09T02:00:00Z#E-1")]
    #[case(&contact_change("2023-10-09T02:00:00Z", &id("desk"), &id("E-1")), "contact-log#2023-10-09T02:00:00Z@4:desk#E-1")]
    #[case(&tombstone("00ff"), "tombstone#00ff")]
    #[case(ARCHIVE_KEY, "archive-key")]
    #[case(SENDING_HOLD, "sending")]
    #[case(&link(&id("A-1")), "account#A-1")]
    #[case(&access("2023-10-09T02:00:00Z", "erase"), "access#2023-10-09T02:00:00Z#erase")]
    #[case(&suspense(&id("A-1"), "P-1"), "A-1\u{1f}P-1")]
    #[case(&suspense(&id("A-1"), ""), "A-1\u{1f}")]
    #[case(&free_texts(&id("A-1"), &id("core"), &id("E-1")), "written#A-1\u{1f}core\u{1f}E-1")]
    #[case(&history(&id("A-1")), "history#A-1")]
    #[case(&entry(Revision(7), None), "00000000000000000007")]
    #[case(&entry(Revision(7), Some(at().date_naive())), "00000000000000000007#2023-10-09")]
    #[case(&after_revision(Revision(7)), "00000000000000000007~")]
    #[case(HISTORY_ASKED_AT, "history_asked_at")]
    #[case(&revision(Revision(7)), "00000000000000000007")]
    #[case(RECORDED, "recorded")]
    #[case(RECORDED_SHARD, "recorded_shard")]
    #[case(RECORDED_AS, "recorded_as")]
    #[case(ANCHORED_DAYS, "days")]
    #[case(&anchored_shard(at().date_naive(), 7), "2023-10-09#07")]
    #[case(&recorded_as(&id("A-1"), Revision(7), Revision(6), "00"), "A-1\u{1f}00000000000000000007\u{1f}00000000000000000006\u{1f}00")]
    #[case(&quarantine(at().date_naive()), "quarantine#2023-10-09")]
    #[case(&quarantined("post-payment", "P-1"), "post-payment#P-1")]
    fn no_physical_name_changes(#[case] name: &str, #[case] stored: &str) {
        assert_eq!(name, stored);
    }

    #[test]
    fn the_conditions_name_the_keys() {
        assert_eq!(DUE_BY, format!("{DUE_SHARD} = :shard AND {NEXT_ACTION_AT} <= :now"));
        assert_eq!(CONTACTS_DUE_BY, format!("{CONTACT_SHARD} = :shard AND {CONTACT_AT} <= :now"));
        assert_eq!(RECORDED_BY, format!("{RECORDED_SHARD} = :shard"));
        assert_eq!(OF_ACCOUNT, format!("{ACCOUNT_ID} = :account"));
        assert_eq!(OF_PARTITION, format!("{PK} = :pk"));
        assert_eq!(UNDER_PREFIX, format!("{PK} = :pk AND begins_with({SK}, :prefix)"));
        assert_eq!(IS_NEW, format!("attribute_not_exists({PK})"));
        assert_eq!(EXISTS, format!("attribute_exists({PK})"));
    }

    #[test]
    fn an_id_that_is_too_long_for_a_key_is_kept_apart_by_a_checksum() {
        let long = "x".repeat(2 * MAX_ID_BYTES + 1);
        let key = quarantined("intake", &long);
        assert_eq!(
            key,
            format!("intake#{}#{:08x}", "x".repeat(MAX_ID_BYTES / 4), crc32fast::hash(long.as_bytes()))
        );
        assert_ne!(key, quarantined("intake", &format!("{long}y")));
        assert_eq!(quarantined("intake", &long[1..]), format!("intake#{}", &long[1..]));
    }

    #[test]
    fn a_key_gives_back_the_id_that_it_was_made_of() {
        assert_eq!(customer_in(&customer(&id("C#1"))), "C#1");
        assert_eq!(linked_in(&link(&id("A#1"))), "A#1");
        assert_eq!(message_in(&message(&id("0123"))), Some("0123"));
        for day in [None, Some(at().date_naive())] {
            assert_eq!(entry_in(&entry(Revision(7), day)), Some((Revision(7), day)));
        }
        assert_eq!(entry_in("00000000000000000007#soon"), None);
        assert_eq!((customer_in("history#C-1"), linked_in("person"), message_in("message")), ("", "", None));
    }
}
