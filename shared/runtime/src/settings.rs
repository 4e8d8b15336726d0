//! The settings of a function, from its environment.

use std::fmt;

use duewatch_notify::reference::NoKeys;
use duewatch_notify::{ReferenceKeys, Topics};
use duewatch_store::{
    NoPageKey, NoPolicyKeys, NoSigningKey, NoTombstoneKey, PageKey, PolicyKeys, PrivateKey, Store, Tables,
    TombstoneKey,
};

/// Every variable that the settings read. `infra/template.yaml` sets each of them.
pub const SETTINGS: [&str; 16] = [
    "ACCOUNTS_TABLE",
    "PAYMENTS_TABLE",
    "RECORDS_TABLE",
    "HISTORY_TABLE",
    "ANCHORS_TABLE",
    "POLICIES_TABLE",
    "CASES_TABLE",
    POLICY_KEYS,
    "REMINDERS_TOPIC_ARN",
    "ACCOUNT_EVENTS_TOPIC_ARN",
    "OPERATIONS_TOPIC_ARN",
    "TICKETS_TOPIC_ARN",
    "HEARTBEAT_TOPIC_ARN",
    "ARCHIVE_TOPIC_ARN",
    "DUE_SHARDS",
    "METRICS_NAMESPACE",
];

/// The variable with the public keys that verify policies, the one that signs now among them; or `none`.
pub const POLICY_KEYS: &str = "POLICY_KEYS";

/// The variable with the keys that sign the references of messages, for the functions that write or verify
/// them: `ID=HEX`, or `ID=HEX,ID=HEX` with the current key first and the previous one second.
pub const REFERENCE_KEYS: &str = "DUEWATCH_REFERENCE_KEYS";

/// The variable with the secret key that signs the anchors of the history, for the function that makes them: 32
/// bytes in hexadecimal digits.
pub const ANCHOR_KEY: &str = "DUEWATCH_ANCHOR_KEY";

/// The variable with the key under which tombstones know contact points, for the function that takes these and for
/// erasures: 32 bytes in hexadecimal digits.
pub const TOMBSTONE_KEY: &str = "DUEWATCH_TOMBSTONE_KEY";

/// The variable with the key of the borrower's pages, for the function that serves them: 32 bytes in hexadecimal digits.
pub const PAGE_KEY: &str = "DUEWATCH_PAGE_KEY";

/// The settings of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub tables: Tables,
    pub policy_keys: PolicyKeys,
    pub topics: Topics,
    pub due_shards: u32,
    /// The CloudWatch namespace of the metrics.
    pub metrics_namespace: String,
}

/// Missing settings, or an invalid one.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Every setting that is missing or empty, so that a reader can set all of them at once.
    #[error("the environment has no {}; infra/template.yaml shows what a function needs", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// The value is out of range.
    #[error("{name}: \"{value}\" is no number from 1 to 100")]
    NoNumber { name: &'static str, value: String },
    #[error("{POLICY_KEYS}: {0}")]
    NoPolicyKeys(#[from] NoPolicyKeys),
    /// The value holds no valid keys. The message never quotes it.
    #[error("{REFERENCE_KEYS}: {0}")]
    NoKeys(NoKeys),
    /// The value is no key. The message never quotes it.
    #[error("{ANCHOR_KEY}: {0}")]
    NoSigningKey(#[from] NoSigningKey),
    /// The value is no key. The message never quotes it.
    #[error("{TOMBSTONE_KEY}: {0}")]
    NoTombstoneKey(#[from] NoTombstoneKey),
    /// The value is no key. The message never quotes it.
    #[error("{PAGE_KEY}: {0}")]
    NoPageKey(#[from] NoPageKey),
}

/// Rust prints the error that ends a `main` by its `Debug`: one line that tells the reader which variable to
/// set.
impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Settings {
    /// The store over the tables.
    #[must_use]
    pub fn store(&self, client: aws_sdk_dynamodb::Client) -> Store {
        Store::new(client, self.tables.clone(), self.policy_keys.clone(), self.due_shards)
    }

    /// Reads the settings from the environment.
    ///
    /// # Errors
    /// [`SettingsError::Missing`] with all that are missing, else the first invalid one.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// As of [`from_env`](Self::from_env).
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let find = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let missing: Vec<&'static str> = SETTINGS.into_iter().filter(|name| find(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(SettingsError::Missing(missing));
        }
        let get = |name: &'static str| find(name).ok_or_else(|| SettingsError::Missing(vec![name]));
        let shards = get("DUE_SHARDS")?;
        let due_shards = match shards.parse() {
            Ok(number @ 1..=duewatch_store::MAX_DUE_SHARDS) => number,
            _ => return Err(SettingsError::NoNumber { name: "DUE_SHARDS", value: shards }),
        };
        Ok(Self {
            tables: Tables {
                accounts: get("ACCOUNTS_TABLE")?,
                payments: get("PAYMENTS_TABLE")?,
                records: get("RECORDS_TABLE")?,
                history: get("HISTORY_TABLE")?,
                anchors: get("ANCHORS_TABLE")?,
                policies: get("POLICIES_TABLE")?,
                cases: get("CASES_TABLE")?,
            },
            policy_keys: get(POLICY_KEYS)?.parse()?,
            topics: Topics {
                reminders: get("REMINDERS_TOPIC_ARN")?,
                account_events: get("ACCOUNT_EVENTS_TOPIC_ARN")?,
                operations: get("OPERATIONS_TOPIC_ARN")?,
                tickets: get("TICKETS_TOPIC_ARN")?,
                heartbeat: get("HEARTBEAT_TOPIC_ARN")?,
                archive: get("ARCHIVE_TOPIC_ARN")?,
            },
            due_shards,
            metrics_namespace: get("METRICS_NAMESPACE")?,
        })
    }
}

/// Reads the keys that sign the references of messages from the environment.
///
/// # Errors
/// [`SettingsError::NoKeys`], which never quotes them.
pub fn reference_keys_from_env() -> Result<ReferenceKeys, SettingsError> {
    reference_keys(|name| std::env::var(name).ok())
}

/// Reads the signing keys through `lookup`.
///
/// # Errors
/// As [`reference_keys_from_env`].
pub fn reference_keys(lookup: impl Fn(&str) -> Option<String>) -> Result<ReferenceKeys, SettingsError> {
    let text = lookup(REFERENCE_KEYS).unwrap_or_default();
    ReferenceKeys::parse(&text).map_err(SettingsError::NoKeys)
}

/// Reads the key that signs anchors from the environment.
///
/// # Errors
/// [`SettingsError::NoSigningKey`], which never quotes it.
pub fn anchor_key_from_env() -> Result<PrivateKey, SettingsError> {
    Ok(PrivateKey::parse(&std::env::var(ANCHOR_KEY).unwrap_or_default())?)
}

/// Reads the key of tombstones from the environment.
///
/// # Errors
/// [`SettingsError::NoTombstoneKey`], which never quotes it.
pub fn tombstone_key_from_env() -> Result<TombstoneKey, SettingsError> {
    Ok(TombstoneKey::parse(&std::env::var(TOMBSTONE_KEY).unwrap_or_default())?)
}

/// Reads the key of the borrower's pages from the environment.
///
/// # Errors
/// [`SettingsError::NoPageKey`], which never quotes it.
pub fn page_key_from_env() -> Result<PageKey, SettingsError> {
    Ok(PageKey::parse(&std::env::var(PAGE_KEY).unwrap_or_default())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that each setting takes.
    fn value_of(name: &str) -> String {
        if name == POLICY_KEYS { "07".repeat(32) } else { "4".to_owned() }
    }

    #[test]
    fn a_missing_setting_is_named() {
        for missing in SETTINGS {
            let settings = Settings::from_lookup(|name| (name != missing).then(|| value_of(name)));
            assert_eq!(settings, Err(SettingsError::Missing(vec![missing])));
        }
    }

    #[test]
    fn all_missing_settings_are_named_at_once() {
        let only = |name: &str| ["RECORDS_TABLE", "DUE_SHARDS"].contains(&name).then(|| "many".to_owned());
        let others: Vec<&str> =
            SETTINGS.into_iter().filter(|name| !["RECORDS_TABLE", "DUE_SHARDS"].contains(name)).collect();
        assert_eq!(Settings::from_lookup(only), Err(SettingsError::Missing(others)));
        assert_eq!(
            Settings::from_lookup(|_| Some(String::new())),
            Err(SettingsError::Missing(SETTINGS.to_vec()))
        );
    }

    #[test]
    fn a_function_that_does_not_start_says_in_one_line_what_to_set() {
        let error = Settings::from_lookup(|_| None).unwrap_err();
        let line = format!("{:?}", lambda_runtime::Error::from(error));
        assert!(line.starts_with("the environment has no ACCOUNTS_TABLE, PAYMENTS_TABLE, "), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn keys_that_are_missing_or_malformed_are_one_line_that_shows_none_of_them() {
        let secret = "deadbeef".repeat(9);
        for text in [None, Some(String::new()), Some(secret.clone()), Some(format!("1={secret}!"))] {
            let error = reference_keys(|name| (name == REFERENCE_KEYS).then(|| text.clone())?).unwrap_err();
            let line = format!("{error:?}");
            assert!(line.starts_with("DUEWATCH_REFERENCE_KEYS: "), "{line}");
            assert_eq!((line.lines().count(), line.contains("deadbeef")), (1, false), "{line}");
        }
        assert!(reference_keys(|_| Some(format!("1={}", "07".repeat(32)))).is_ok());
    }

    #[test]
    fn shards_are_a_number_from_1_to_100() {
        for shards in ["0", "101", "-1", "many"] {
            let settings = Settings::from_lookup(|_| Some(shards.to_owned()));
            assert!(matches!(settings, Err(SettingsError::NoNumber { .. })), "{shards}");
        }
        let hundred = |name: &str| Some(if name == POLICY_KEYS { value_of(name) } else { "100".to_owned() });
        assert!(Settings::from_lookup(hundred).is_ok());
    }

    #[test]
    fn policies_are_taken_unsigned_only_where_the_setting_says_so() {
        let with = |keys: &str| {
            Settings::from_lookup(|name| {
                Some(if name == POLICY_KEYS { keys.to_owned() } else { value_of(name) })
            })
        };
        assert!(with("none").is_ok_and(|settings| settings.policy_keys.is_none()));
        assert_eq!(with("no"), Err(SettingsError::NoPolicyKeys(NoPolicyKeys)));
        assert_eq!(with(""), Err(SettingsError::Missing(vec![POLICY_KEYS])));
    }
}
