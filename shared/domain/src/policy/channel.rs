//! Contact channels.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel::ContactId;

/// A contact channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Sms,
    Email,
    Phone,
    /// A message in the lender's app.
    App,
    Letter,
}

impl Channel {
    /// The channel's name in the formats.
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

impl ContactId {
    /// The id of the same message on `channel`, where `self` names it on another channel.
    #[must_use]
    pub fn by(&self, channel: Channel) -> Self {
        // Unique among one customer's contacts, few of which have ids that long.
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
