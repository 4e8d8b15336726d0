//! Tombstones: contact points that were opted out of, known by a keyed MAC after their erasure.
//!
//! An erasure removes the contact points of a customer, and their opt-outs must outlive it: the same number may be given
//! again for another customer. A tombstone bears neither the contact point nor a digest of it that somebody without the
//! key could try numbers against: only HMAC-SHA-256 under a key that the environment of `intake` and the operator hold.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::commands::Consent;
use duewatch_domain::contact::ContactProfile;
use duewatch_domain::policy::Channel;
use ring::hmac;
use serde_json::Value;

use crate::anchors::bytes_of;
use crate::customers::CustomerItem;
use crate::history::hex;
use crate::records::texts;
use crate::{Store, StoreError, keys};

/// The attributes that hold a contact point: that of a channel, and those of a change in the log.
const POINTS: [&str; 3] = ["contact_point", "from_contact_point", "to_contact_point"];
/// The sort key of a tombstone for all channels.
const ALL_CHANNELS: &str = "all";

/// Why a text is no key. The message never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of tombstones is 32 bytes in hexadecimal digits; `openssl rand -hex 32` makes one")]
pub struct NoTombstoneKey;

/// The key under which tombstones know contact points.
#[derive(Clone)]
pub struct TombstoneKey(hmac::Key);

/// Prints nothing of the key.
impl fmt::Debug for TombstoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TombstoneKey")
    }
}

impl TombstoneKey {
    /// Parses a key: 32 random bytes in hexadecimal digits.
    ///
    /// # Errors
    /// [`NoTombstoneKey`], which never quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoTombstoneKey> {
        let bytes: [u8; 32] = bytes_of(text.trim()).ok_or(NoTombstoneKey)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The MAC of a contact point, however its letters and blanks were written.
    fn mac(&self, contact_point: &str) -> String {
        let words: Vec<String> = contact_point.split_whitespace().map(str::to_lowercase).collect();
        hex(hmac::sign(&self.0, words.join(" ").as_bytes()).as_ref())
    }
}

impl Store {
    /// Keeps a tombstone of each contact point in an item of a customer's records that the customer opted out of: of
    /// its channel, or of all contact. A repeated call changes nothing.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn keep_tombstones(
        &self,
        key: &TombstoneKey,
        profile: &ContactProfile,
        item: &CustomerItem,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let channel = item.attributes.get("channel").and_then(Value::as_str);
        let channel = channel.or_else(|| keys::channel_in(&item.key)).map(Value::from);
        let Some(channel) = channel.and_then(|name| serde_json::from_value::<Channel>(name).ok()) else {
            return Ok(0);
        };
        if profile.consent(channel) != Some(Consent::Withdrawn) {
            return Ok(0);
        }
        let of = if profile.has_refused() { ALL_CHANNELS } else { channel.as_str() };
        let mut kept = 0;
        for point in POINTS.iter().filter_map(|name| item.attributes.get(*name)?.as_str()) {
            let at = texts([("at", now.to_rfc3339_opts(SecondsFormat::Secs, true))]);
            self.put_item(keys::tombstone(&key.mac(point)), of.to_owned(), at).await?;
            kept += 1;
        }
        Ok(kept)
    }

    /// Whether a contact point on a channel was opted out of before it was erased, by whichever customer.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn has_tombstone(
        &self,
        key: &TombstoneKey,
        contact_point: &str,
        channel: Channel,
    ) -> Result<bool, StoreError> {
        let records = self.records_table();
        let query = records.query(keys::OF_PARTITION, [(":pk", keys::tombstone(&key.mac(contact_point)))]);
        let found = records.page(query.consistent_read(true)).await?.items;
        Ok(found.iter().any(|item| match item.get(keys::SK) {
            Some(AttributeValue::S(of)) => of == ALL_CHANNELS || of == channel.as_str(),
            _ => false,
        }))
    }
}
