//! The anchors: what the history held at the end of each day (UTC), signed, in a table of their own.
//!
//! Each entry of the history stands in the index of the day on which it was recorded. An anchor lists, for each
//! chain that grew on its day, the entries that no other entry of that day follows: as a rule the chain's newest
//! one. A hash vouches for everything below it, so a listed entry vouches for the whole chain up to itself.
//!
//! The chains of a day are divided into [`ANCHOR_SHARDS`] shards by their account's id. The lines of a shard are the
//! leaves of a Merkle tree, the shards' roots those of another, and its root is the day's. The key signs the root
//! together with the day, the number of lines and the digest of the anchor before. So an anchor that is changed,
//! removed or put in between is found, and an account that a day's shard does not list did not change on it.
//!
//! # Delivered twice
//! Everything of an anchor follows from the day's index. A second run finds the parts there, and puts nothing.

mod chains;
mod merkle;
mod parts;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

pub use self::chains::{AnchorBreak, AnchorWitness, AnchoredChain, Vouched, read_anchored_chain};
pub use self::parts::ShardAnchor;

pub(crate) use self::merkle::bytes_of;
use self::merkle::{Hash, hex_of, root_of_hashes};
use crate::records::texts;
use crate::{PrivateKey, Store, StoreError, VerifyingKey, keys};

/// The shards of a day's chains.
pub const ANCHOR_SHARDS: u32 = 64;
/// The digest that the first anchor names as that of the one before.
const NONE_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The anchor of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub day: NaiveDate,
    /// The lines of all its shards.
    pub lines: u64,
    /// The roots of its shards, in their order, as hexadecimal digits.
    pub shards: Vec<String>,
    /// The Merkle root over the shards' roots.
    pub root: String,
    /// The [digest](Self::digest) of the anchor before; zeros for the first.
    pub previous: String,
    /// The signature of the [statement](Self::statement), as hexadecimal digits.
    pub signature: String,
    /// The public key that verifies it, as the anchor itself names it.
    pub public_key: String,
}

impl Anchor {
    /// The anchor of a day over its shards, which follows another one, signed.
    #[must_use]
    pub fn new(day: NaiveDate, shards: &[ShardAnchor], previous: Option<&Self>, key: &PrivateKey) -> Self {
        let roots: Vec<String> = shards.iter().map(|shard| shard.root.clone()).collect();
        let mut anchor = Self {
            day,
            lines: shards.iter().map(|shard| shard.lines).sum(),
            root: root_of(&roots).unwrap_or_default(),
            shards: roots,
            previous: previous.map_or_else(|| NONE_BEFORE.to_owned(), Self::digest),
            signature: String::new(),
            public_key: key.public_key().to_string(),
        };
        anchor.signature = key.sign(anchor.statement().as_bytes());
        anchor
    }

    /// The signed text.
    #[must_use]
    pub fn statement(&self) -> String {
        let Self { day, lines, root, previous, .. } = self;
        format!("duewatch anchor 1\nday {day}\nlines {lines}\nroot {root}\nprevious {previous}\n")
    }

    /// SHA-256 of the statement, as hexadecimal digits: it vouches for this anchor and for all before.
    #[must_use]
    pub fn digest(&self) -> String {
        hex_of(&Sha256::digest(self.statement()).into())
    }

    /// Whether its root is the one over its shards, and one of the keys has signed it.
    #[must_use]
    pub fn is_genuine(&self, keys: &[VerifyingKey]) -> bool {
        root_of(&self.shards).is_some_and(|root| root == self.root)
            && keys.iter().any(|key| key.verifies(self.statement().as_bytes(), &self.signature))
    }

    /// Whether it is the one that follows another: of the next day, and it names its digest.
    #[must_use]
    pub fn follows(&self, before: Option<&Self>) -> bool {
        match before {
            None => self.previous == NONE_BEFORE,
            Some(before) => before.day.succ_opt() == Some(self.day) && self.previous == before.digest(),
        }
    }
}

/// The root over the roots of all shards; none where one is malformed or missing.
fn root_of(shards: &[String]) -> Option<String> {
    let is_whole = u32::try_from(shards.len()) == Ok(ANCHOR_SHARDS);
    let roots: Option<Vec<Hash>> = shards.iter().map(|shard| bytes_of(shard)).collect();
    roots.filter(|_| is_whole).map(|roots| hex_of(&root_of_hashes(roots)))
}

impl Store {
    /// All anchors, oldest first. A year has 365 of 5 KB.
    ///
    /// # Errors
    /// When a call fails or an anchor cannot be read.
    pub async fn anchors(&self) -> Result<Vec<Anchor>, StoreError> {
        let (table, mut anchors, mut from) = (self.anchors_table(), Vec::new(), None);
        loop {
            let query = table.query(keys::OF_PARTITION, [(":pk", keys::ANCHORED_DAYS.to_owned())]);
            let query = query.consistent_read(true).set_exclusive_start_key(from);
            let page = table.page(query).await?;
            for item in &page.items {
                anchors.push(read(table.name, item)?);
            }
            from = page.next;
            if from.is_none() {
                return Ok(anchors);
            }
        }
    }

    /// The anchor of the latest day; none before the first.
    ///
    /// # Errors
    /// When the call fails or it cannot be read.
    pub async fn newest_anchor(&self) -> Result<Option<Anchor>, StoreError> {
        let table = self.anchors_table();
        let query = table.query(keys::OF_PARTITION, [(":pk", keys::ANCHORED_DAYS.to_owned())]);
        let query = query.consistent_read(true).scan_index_forward(false).limit(1);
        table.page(query).await?.items.first().map(|item| read(table.name, item)).transpose()
    }

    /// Puts an anchor, unless its day has one. Returns whether it was put.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_anchor(&self, anchor: &Anchor) -> Result<bool, StoreError> {
        let table = self.anchors_table();
        let mut item = keys::record_key(keys::ANCHORED_DAYS, &anchor.day.to_string());
        item.extend(texts([
            ("shards", anchor.shards.join(",")),
            ("root", anchor.root.clone()),
            ("previous", anchor.previous.clone()),
            ("signature", anchor.signature.clone()),
            ("public_key", anchor.public_key.clone()),
        ]));
        item.insert("lines".to_owned(), AttributeValue::N(anchor.lines.to_string()));
        table.put_if(table.put(item).condition_expression(keys::IS_NEW)).await
    }
}

type AnchorItem = std::collections::HashMap<String, AttributeValue>;

fn read(table: &str, item: &AnchorItem) -> Result<Anchor, StoreError> {
    let fault = |name: &str| {
        StoreError::codec(table, keys::printable_key(item), format!("{name} of the anchor cannot be read"))
    };
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        _ => Err(fault(name)),
    };
    let lines = match item.get("lines") {
        Some(AttributeValue::N(lines)) => lines.parse().map_err(|_| fault("lines"))?,
        _ => return Err(fault("lines")),
    };
    Ok(Anchor {
        day: text(keys::SK)?.parse().map_err(|_| fault(keys::SK))?,
        lines,
        shards: text("shards")?.split(',').map(str::to_owned).collect(),
        root: text("root")?,
        previous: text("previous")?,
        signature: text("signature")?,
        public_key: text("public_key")?,
    })
}
