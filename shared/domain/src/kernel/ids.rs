//! Identifiers, installment numbers and revisions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::printable::escaped;

/// The most bytes of an identifier. DynamoDB allows 1,024 in a sort key, which also holds a prefix.
pub const MAX_ID_BYTES: usize = 256;

/// The marks of an identifier that comes in, beside letters and digits.
const ID_MARKS: &str = "._:/-";

/// The error of a text that is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no identifier: 1 to {MAX_ID_BYTES} bytes, {rule}")]
pub struct NoId {
    /// The text, or its beginning, escaped.
    text: String,
    rule: &'static str,
}

impl NoId {
    fn new(text: &str, rule: &'static str) -> Self {
        let beginning: String = text.chars().take(40).collect();
        Self { text: escaped(&beginning).into_owned(), rule }
    }
}

fn checked_id(text: &str) -> Result<String, NoId> {
    if text.is_empty() || text.len() > MAX_ID_BYTES || text.chars().any(char::is_control) {
        return Err(NoId::new(text, "no control characters"));
    }
    Ok(text.to_owned())
}

/// Checks an identifier that comes in from outside, by a file or a queue: letters and digits of any script, and
/// `._:/-`. No other character is needed, and some act on whatever shows the identifier: a terminal, a page, a
/// spreadsheet. Ids that are stored already may hold any but control characters, and stay readable.
///
/// # Errors
/// [`NoId`].
pub fn check_incoming_id(text: &str) -> Result<(), NoId> {
    let is_fit = |one: char| one.is_alphanumeric() || ID_MARKS.contains(one);
    if text.is_empty() || text.len() > MAX_ID_BYTES || !text.chars().all(is_fit) {
        return Err(NoId::new(text, "letters, digits and . _ : / -"));
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NoId;
            fn from_str(text: &str) -> Result<Self, NoId> {
                checked_id(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

id!(
    /// One credit agreement: an installment loan, or a revolving line billed in statements.
    AccountId
);

id!(
    /// The borrower: an individual or a firm. One customer may hold several accounts.
    CustomerId
);

id!(
    /// A payment, unique within its account.
    PaymentId
);

id!(
    /// A draw on a revolving line, unique within its account.
    DrawId
);

id!(
    /// A policy, over all its versions.
    PolicyId
);

id!(
    /// A message of the lender's systems. A repeated message bears the same id.
    EventId
);

id!(
    /// One contact: a message of the lender, or a call under the agency's own name for it.
    ContactId
);

id!(
    /// A third-party contact of a customer, by the lender's name for them.
    ThirdPartyId
);

id!(
    /// A promise to pay, unique within its account.
    PromiseId
);

id!(
    /// A dispute, unique within its account.
    DisputeId
);

id!(
    /// A case: its account and its number within the account, `A-1/3`.
    CaseId
);

impl CaseId {
    /// The id of an account's case of that number.
    ///
    /// # Errors
    /// [`NoId`] where the account's id leaves no room for the number.
    pub fn of(account_id: &AccountId, number: u32) -> Result<Self, NoId> {
        format!("{account_id}/{number}").parse()
    }

    /// The account and the number in it; none: the id is not one that duewatch gave.
    #[must_use]
    pub fn parts(&self) -> Option<(AccountId, u32)> {
        let (account_id, number) = self.0.rsplit_once('/')?;
        Some((account_id.parse().ok()?, number.parse().ok().filter(|number| *number > 0)?))
    }
}

id!(
    /// A system that sends commands. Order and repetition are judged per source.
    Source
);

id!(
    /// The one who acts, by the name that the sending system knows.
    ActorId
);

id!(
    /// The sender of a message as the queue states it, for a role with the session's name.
    SenderId
);

/// A system acts under its own name.
impl From<Source> for ActorId {
    fn from(source: Source) -> Self {
        Self(source.0)
    }
}

impl Source {
    /// The source of a name that is known to be an identifier.
    pub(super) fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

impl ContactId {
    /// The id derived from a text: the text itself if it is valid, otherwise its beginning and its digest.
    #[must_use]
    pub fn made_of(text: &str, digest: impl FnOnce(&str) -> [u8; 16]) -> Self {
        checked_id(text).map(Self).unwrap_or_else(|_| {
            let digest: String = digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            let mut beginning: String = text.chars().filter(|one| !one.is_control()).collect();
            beginning.truncate(beginning.floor_char_boundary(MAX_ID_BYTES - digest.len() - 1));
            Self(format!("{beginning}~{digest}"))
        })
    }
}

/// The id of a contact also names the event that reports it.
impl From<ContactId> for EventId {
    fn from(id: ContactId) -> Self {
        Self(id.0)
    }
}

/// The number of an installment within its account, from the lender's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstallmentNumber(pub u32);

impl fmt::Display for InstallmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of times an account was written. Each write raises it by one, on the condition that no other
/// write has raised it in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u64", try_from = "u64")]
pub struct Revision(pub u64);

/// The error of a revision that no write could raise: `u64::MAX`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no revision: none could follow it")]
pub struct NoRevision(u64);

impl TryFrom<u64> for Revision {
    type Error = NoRevision;

    fn try_from(number: u64) -> Result<Self, NoRevision> {
        if number == u64::MAX { Err(NoRevision(number)) } else { Ok(Self(number)) }
    }
}

impl From<Revision> for u64 {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl Revision {
    /// The revision of the next write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
