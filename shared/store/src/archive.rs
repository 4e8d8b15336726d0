//! The keys of the archive: one for each customer, so that an erasure makes the customer's texts in it unreadable.
//!
//! A key is an item of the customer's records, which KMS encrypts. An erasure deletes it with them. The archive itself
//! can be neither searched nor rewritten, and need not be.

use duewatch_domain::formats::{ArchivedCommand, SealedTexts};
use duewatch_domain::kernel::CustomerId;
use duewatch_domain::{Command, InboundMessage};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value};

use crate::anchors::bytes_of;
use crate::history::hex;
use crate::records::texts;
use crate::table::Item;
use crate::{Store, StoreError, keys};

/// A customer's key, with the id by which sealed texts name it.
struct ArchiveKey {
    id: String,
    key: LessSafeKey,
}

impl ArchiveKey {
    fn read(item: &Item) -> Option<Self> {
        let text = |name| item.get(name)?.as_s().ok();
        let bytes: [u8; 32] = bytes_of(text("archive_key")?)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).ok()?;
        Some(Self { id: text("key_id")?.clone(), key: LessSafeKey::new(key) })
    }
}

impl Store {
    /// A command as it is archived, its personal texts sealed under the key of its customer. The first such command
    /// makes the key. Texts of a command whose account is not known are left out.
    ///
    /// # Errors
    /// When a call fails, or the machine has no random numbers.
    pub async fn seal_command(&self, command: &InboundMessage) -> Result<ArchivedCommand, StoreError> {
        let (mut archived, personal) = ArchivedCommand::of(command);
        if personal.is_empty() {
            return Ok(archived);
        }
        let customer_id = match &command.event.command {
            Command::AccountOpened(opened) => Some(opened.account.customer_id.clone()),
            _ => self.account(&command.event.account_id).await?.map(|stored| stored.account.customer_id),
        };
        if let Some(customer_id) = customer_id {
            archived.sealed = Some(self.seal(customer_id, &personal).await?);
        }
        Ok(archived)
    }

    async fn seal(
        &self,
        customer_id: CustomerId,
        personal: &Map<String, Value>,
    ) -> Result<SealedTexts, StoreError> {
        let failed =
            |problem: &str| StoreError::codec(&self.tables.records, keys::customer(&customer_id), problem);
        let ArchiveKey { id, key } = match self.archive_key(&customer_id).await? {
            Some(key) => key,
            None => {
                self.make_archive_key(&customer_id).await?;
                let made = self.archive_key(&customer_id).await?;
                made.ok_or_else(|| failed("the key of the archive was erased meanwhile"))?
            }
        };
        let nonce: [u8; NONCE_LEN] = self.random()?;
        let mut bytes = Value::Object(personal.clone()).to_string().into_bytes();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(customer_id.as_str().as_bytes()),
            &mut bytes,
        )
        .map_err(|_| failed("its texts cannot be sealed"))?;
        Ok(SealedTexts { key_id: id, nonce: hex(&nonce), texts: hex(&bytes), customer_id })
    }

    /// The personal texts of an archived command; `None` where the key that sealed them is not there.
    ///
    /// # Errors
    /// When a call fails, or the texts were not sealed under the key that they name.
    pub async fn open_sealed(&self, sealed: &SealedTexts) -> Result<Option<Map<String, Value>>, StoreError> {
        let customer_id = &sealed.customer_id;
        let key = self.archive_key(customer_id).await?.filter(|key| key.id == sealed.key_id);
        let Some(ArchiveKey { key, .. }) = key else { return Ok(None) };
        let opened = (|| {
            let nonce: [u8; NONCE_LEN] = bytes_of(&sealed.nonce)?;
            let mut bytes = bytes_of_any(&sealed.texts)?;
            let aad = Aad::from(customer_id.as_str().as_bytes());
            let plain = key.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut bytes).ok()?;
            serde_json::from_slice(plain).ok()
        })();
        let failed = || StoreError::codec("the archive", customer_id.as_str(), "its texts were changed");
        opened.map(Some).ok_or_else(failed)
    }

    async fn archive_key(&self, customer_id: &CustomerId) -> Result<Option<ArchiveKey>, StoreError> {
        let pk = keys::customer(customer_id);
        let item = self.record(pk.clone(), keys::ARCHIVE_KEY.to_owned()).await?;
        item.map(|item| {
            ArchiveKey::read(&item)
                .ok_or_else(|| StoreError::codec(&self.tables.records, pk, "the key of the archive is none"))
        })
        .transpose()
    }

    /// Makes the key of a customer, unless another writer was faster.
    async fn make_archive_key(&self, customer_id: &CustomerId) -> Result<(), StoreError> {
        let (id, key): ([u8; 8], [u8; 32]) = (self.random()?, self.random()?);
        let mut item = keys::record_key(&keys::customer(customer_id), keys::ARCHIVE_KEY);
        item.extend(texts([("key_id", hex(&id)), ("archive_key", hex(&key))]));
        let records = self.records_table();
        records.put_if(records.put(item).condition_expression(keys::IS_NEW)).await.map(drop)
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled
            .map_err(|_| StoreError::codec(&self.tables.records, keys::ARCHIVE_KEY, "no random numbers"))?;
        Ok(bytes)
    }
}

/// Bytes of any number from hexadecimal digits.
fn bytes_of_any(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| bytes_of::<1>(std::str::from_utf8(pair).ok()?).map(|[byte]| byte));
    if rest.is_empty() { bytes.collect() } else { None }
}
