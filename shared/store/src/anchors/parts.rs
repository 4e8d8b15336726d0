//! The shards of an anchor: their lines, in parts that fit into items.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use duewatch_domain::kernel::Revision;

use super::AnchorItem;
use super::merkle::{hex_of, root_of_lines};
use crate::records::texts;
use crate::table::StoreTable;
use crate::{Store, StoreError, keys};

/// The lines of a part: with the longest ids 200 KB, and an item holds 400 KB.
const LINES_OF_A_PART: usize = 1_000;

/// A shard of a day's anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardAnchor {
    /// The Merkle root over its lines, as hexadecimal digits.
    pub root: String,
    pub lines: u64,
}

/// An entry as its index states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexedEntry {
    account_id: String,
    revision: Revision,
    follows: Revision,
    hash: String,
}

impl IndexedEntry {
    /// Reads a sort key of the index.
    fn read(key: &str) -> Option<Self> {
        let mut parts = key.split(keys::BETWEEN);
        let account_id = parts.next()?.to_owned();
        let revision = Revision(parts.next()?.parse().ok()?);
        let follows = Revision(parts.next()?.parse().ok()?);
        let hash = parts.next()?.to_owned();
        parts.next().is_none().then_some(Self { account_id, revision, follows, hash })
    }

    /// Its line in an anchor.
    fn line(&self) -> String {
        format!("{} {} {}", self.revision, self.hash, self.account_id)
    }
}

/// A line of an anchor: the revision and the hash of an entry, if it is of that account.
pub(super) fn entry_of(line: &str, account_id: &str) -> Option<(Revision, String)> {
    let mut parts = line.splitn(3, ' ');
    let (revision, hash) = (parts.next()?.parse().ok()?, parts.next()?);
    (parts.next()? == account_id).then(|| (Revision(revision), hash.to_owned()))
}

/// The lines of the entries that no other entry of the day follows, in the order of the index.
fn lines_of(entries: &[IndexedEntry]) -> Vec<String> {
    let followed: HashSet<(&str, Revision)> =
        entries.iter().map(|entry| (entry.account_id.as_str(), entry.follows)).collect();
    let is_open = |entry: &&IndexedEntry| !followed.contains(&(entry.account_id.as_str(), entry.revision));
    entries.iter().filter(is_open).map(IndexedEntry::line).collect()
}

impl Store {
    /// The shard of a day's anchor: as it is stored, or made from the index and stored.
    ///
    /// # Errors
    /// When a call fails, or the index states something else than a part that an interrupted run stored.
    pub async fn anchor_shard(&self, day: NaiveDate, shard: u32) -> Result<ShardAnchor, StoreError> {
        let pk = keys::anchored_shard(day, shard);
        if let Some((stored, _)) = self.stored_shard(&pk).await? {
            return Ok(stored);
        }
        let lines = lines_of(&self.recorded_on(&pk).await?);
        let anchor = ShardAnchor {
            root: hex_of(&root_of_lines(lines.iter().map(String::as_str))),
            lines: u64::try_from(lines.len()).unwrap_or(u64::MAX),
        };
        // Of an empty shard nothing is stored.
        let parts = lines.chunks(LINES_OF_A_PART);
        let count = parts.len();
        for (place, part) in parts.enumerate() {
            self.put_part(&pk, place, &part.join("\n"), (place + 1 == count).then_some(&anchor)).await?;
        }
        Ok(anchor)
    }

    /// Puts a part. The last one bears the shard's root, and with it the shard is whole.
    async fn put_part(
        &self,
        pk: &str,
        place: usize,
        lines: &str,
        whole: Option<&ShardAnchor>,
    ) -> Result<(), StoreError> {
        let table = self.anchors_table();
        let key = keys::record_key(pk, &format!("{place:06}"));
        let mut item = key.clone();
        item.extend(texts([("chains", lines.to_owned())]));
        if let Some(ShardAnchor { root, lines }) = whole {
            item.extend(texts([("root", root.clone())]));
            item.insert("lines".to_owned(), AttributeValue::N(lines.to_string()));
        }
        if table.put_if(table.put(item.clone()).condition_expression(keys::IS_NEW)).await? {
            return Ok(());
        }
        // An interrupted run, or one at the same time, has put it: then it is the same.
        let by = [(":pk", pk.to_owned()), (":prefix", format!("{place:06}"))];
        let there = table.page(table.query(keys::UNDER_PREFIX, by).consistent_read(true)).await?.items;
        if there.first() == Some(&item) {
            return Ok(());
        }
        Err(StoreError::codec(table.name, keys::printable_key(&key), "the index states something else now"))
    }

    /// A stored shard with its lines; none where it is not whole.
    pub(super) async fn stored_shard(
        &self,
        pk: &str,
    ) -> Result<Option<(ShardAnchor, Vec<String>)>, StoreError> {
        let (table, mut lines, mut from) = (self.anchors_table(), Vec::new(), None);
        loop {
            let query = table.query(keys::OF_PARTITION, [(":pk", pk.to_owned())]);
            let page = table.page(query.consistent_read(true).set_exclusive_start_key(from)).await?;
            for item in &page.items {
                if let Some(AttributeValue::S(chains)) = item.get("chains") {
                    lines.extend(chains.lines().map(str::to_owned));
                }
                if let Some(anchor) = root_in(item) {
                    return Ok(Some((anchor, lines)));
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(None);
            }
        }
    }

    /// The entries that were recorded on a day, of one shard, by account and revision. Those of an earlier release
    /// stand in the index of the records table.
    async fn recorded_on(&self, shard: &str) -> Result<Vec<IndexedEntry>, StoreError> {
        let mut entries = self.indexed_in(self.records_table(), shard).await?;
        entries.extend(self.indexed_in(self.history_table(), shard).await?);
        entries
            .sort_by(|one, other| (&one.account_id, one.revision).cmp(&(&other.account_id, other.revision)));
        Ok(entries)
    }

    /// The entries of a day's shard in the index of one table.
    async fn indexed_in(&self, table: StoreTable<'_>, shard: &str) -> Result<Vec<IndexedEntry>, StoreError> {
        let (mut entries, mut from) = (Vec::new(), None);
        loop {
            let query = table.query(keys::RECORDED_BY, [(":shard", shard.to_owned())]);
            let query = query.index_name(keys::RECORDED).set_exclusive_start_key(from);
            let page = table.page(query).await?;
            for item in &page.items {
                let entry = match item.get(keys::RECORDED_AS) {
                    Some(AttributeValue::S(key)) => IndexedEntry::read(key),
                    _ => None,
                };
                entries.push(entry.ok_or_else(|| {
                    let problem = "its place in the index of the day cannot be read";
                    StoreError::codec(table.name, keys::printable_key(item), problem)
                })?);
            }
            from = page.next;
            if from.is_none() {
                return Ok(entries);
            }
        }
    }
}

/// The root that the last part of a shard bears.
fn root_in(item: &AnchorItem) -> Option<ShardAnchor> {
    match (item.get("root"), item.get("lines")) {
        (Some(AttributeValue::S(root)), Some(AttributeValue::N(lines))) => {
            Some(ShardAnchor { root: root.clone(), lines: lines.parse().ok()? })
        }
        _ => None,
    }
}

/// Whether the lines are those under a root.
pub(super) fn is_root_of(root: &str, lines: &[String]) -> bool {
    hex_of(&root_of_lines(lines.iter().map(String::as_str))) == root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(account_id: &str, revision: u64, follows: u64) -> IndexedEntry {
        IndexedEntry {
            account_id: account_id.to_owned(),
            revision: Revision(revision),
            follows: Revision(follows),
            hash: format!("hash{revision}"),
        }
    }

    #[test]
    fn a_chain_is_listed_by_its_newest_entry_and_by_one_that_came_late() {
        // Revision 2 came after 3 had followed 1: nothing vouches for it.
        let entries = [entry("A 1", 1, 0), entry("A 1", 2, 1), entry("A 1", 3, 1), entry("B", 7, 6)];
        assert_eq!(lines_of(&entries), ["2 hash2 A 1", "3 hash3 A 1", "7 hash7 B"]);
        assert_eq!(entry_of("3 hash3 A 1", "A 1"), Some((Revision(3), "hash3".to_owned())));
        assert_eq!(entry_of("3 hash3 A 1", "A"), None);
        assert_eq!(entry_of("nonsense", "A"), None);
    }
}
