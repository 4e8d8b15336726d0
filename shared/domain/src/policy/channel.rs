//! Contact channels.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel::ContactId;

impl ContactId {
    /// The id of what says the same on a channel, where this one names what left on another.
    #[must_use]
    pub fn by(&self, channel: Channel) -> Self {
        // Among the contacts of one person, few of which are that long.
        Self::made_of(&format!("{self}/{channel}"), |text| {
            let mut digest = [0; 16];
            for (salt, part) in (0..).zip(digest.chunks_exact_mut(4)) {
                let mut checksum = crc32fast::Hasher::new_with_initial(salt);
                checksum.update(text.as_bytes());
                part.copy_from_slice(&checksum.finalize().to_be_bytes());
            }
            digest
        })
    }
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A call.
    Phone,
    /// A message in the lender's app.
    App,
    /// A letter.
    Letter,
}

impl Channel {
    /// The channel as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::App => "app",
            Self::Letter => "letter",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
