//! The functions: in this process, or behind `cargo lambda watch`.

use duewatch_handlers::{Handlers, InvokeError};
use duewatch_notify::ReferenceKeys;
use duewatch_notify::reference::NoKeys;
use duewatch_runtime::{ANCHOR_KEY, PAGE_KEY, REFERENCE_KEYS, TOMBSTONE_KEY};
use duewatch_store::{NoPageKey, NoSigningKey, NoTombstoneKey, PageKey, PrivateKey, TombstoneKey};
use serde_json::Value;

/// The signing keys of references on this machine, where the environment names none. They are no secret, and
/// each run signs alike.
const LOCAL_KEYS: &str = "0=6c6f63616c206b6579206f66206475657761746368206f6e20796f757220706321";

/// The signing keys that the environment names, or those of this machine.
pub(crate) fn local_keys() -> String {
    let named = std::env::var(REFERENCE_KEYS).ok().filter(|keys| !keys.is_empty());
    named.unwrap_or_else(|| LOCAL_KEYS.to_owned())
}

/// The parsed signing keys.
///
/// # Errors
/// When the environment names invalid keys.
pub fn local_reference_keys() -> Result<ReferenceKeys, NoKeys> {
    ReferenceKeys::parse(&local_keys())
}

/// The secret key of anchors on this machine, where the environment names none. It is no secret.
const LOCAL_ANCHOR_KEY: &str = "6c6f63616c206b6579206f6620616e63686f72732c206e6f2073656372657421";

/// The secret key of anchors that the environment names, or that of this machine.
pub(crate) fn local_anchor_key_text() -> String {
    let named = std::env::var(ANCHOR_KEY).ok().filter(|key| !key.is_empty());
    named.unwrap_or_else(|| LOCAL_ANCHOR_KEY.to_owned())
}

/// The parsed key of anchors.
///
/// # Errors
/// When the environment names an invalid key.
pub fn local_anchor_key() -> Result<PrivateKey, NoSigningKey> {
    PrivateKey::parse(&local_anchor_key_text())
}

/// The secret key of policies on this machine. It is no secret.
pub const LOCAL_POLICY_KEY: &str = "6c6f63616c206b6579206f6620706f6c69636965732c206e6f20736563726574";

/// The parsed key of policies.
///
/// # Errors
/// None, as long as the constant is a key.
pub fn local_policy_key() -> Result<PrivateKey, NoSigningKey> {
    PrivateKey::parse(LOCAL_POLICY_KEY)
}

/// The key of tombstones on this machine, where the environment names none. It is no secret.
const LOCAL_TOMBSTONE_KEY: &str = "6c6f63616c206b6579206f6620746f6d6273746f6e65732c206e6f7468696e67";

/// The key of tombstones that the environment names, or that of this machine.
pub(crate) fn local_tombstone_key_text() -> String {
    let named = std::env::var(TOMBSTONE_KEY).ok().filter(|key| !key.is_empty());
    named.unwrap_or_else(|| LOCAL_TOMBSTONE_KEY.to_owned())
}

/// The parsed key of tombstones.
///
/// # Errors
/// When the environment names an invalid key.
pub fn local_tombstone_key() -> Result<TombstoneKey, NoTombstoneKey> {
    TombstoneKey::parse(&local_tombstone_key_text())
}

/// The key of the borrower's pages on this machine, where the environment names none. It is no secret.
const LOCAL_PAGE_KEY: &str = "6c6f63616c206b6579206f6620746865207061676573206f6e206d7920706321";

/// The key of the pages that the environment names, or that of this machine.
pub(crate) fn local_page_key_text() -> String {
    let named = std::env::var(PAGE_KEY).ok().filter(|key| !key.is_empty());
    named.unwrap_or_else(|| LOCAL_PAGE_KEY.to_owned())
}

/// The parsed key of the pages.
///
/// # Errors
/// When the environment names an invalid key.
pub fn local_page_key() -> Result<PageKey, NoPageKey> {
    PageKey::parse(&local_page_key_text())
}

/// The runner of the functions.
#[derive(Clone, Debug)]
pub enum Functions {
    /// This process calls the handlers.
    InProcess(Box<Handlers>),
    /// A Lambda runtime on this machine, such as `cargo lambda watch`.
    Remote(Remote),
}

/// A Lambda runtime behind an address.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Such as `http://127.0.0.1:9000`.
    pub url: String,
    pub http: reqwest::Client,
}

impl Functions {
    /// Invokes a function, by the name of its directory.
    ///
    /// # Errors
    /// When it fails or cannot be reached.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
        match self {
            Self::InProcess(handlers) => handlers.invoke(function, payload).await,
            Self::Remote(remote) => remote.invoke(function, payload).await,
        }
    }
}

impl Remote {
    async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
        let failed = |problem: String| InvokeError::Failed { function: function.to_owned(), problem };
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url.trim_end_matches('/'));
        let response =
            self.http.post(url).json(payload).send().await.map_err(|error| failed(format!("{error:#}")))?;
        let status = response.status();
        let is_fault = response.headers().contains_key("x-amz-function-error");
        let body = response.text().await.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() || is_fault {
            return Err(failed(format!("{status}: {body}")));
        }
        let answer: Value = serde_json::from_str(&body).map_err(|error| failed(error.to_string()))?;
        match answer.get("errorMessage") {
            Some(message) => Err(failed(message.to_string())),
            None => Ok(answer),
        }
    }
}
