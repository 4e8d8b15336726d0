//! What goes wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind { $($(#[$variant_doc])* $variant),* }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $name),* })
            }
        }

        impl FromStr for $kind {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    other => {
                        let known: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
                        Err(format!("\"{other}\" is none of {}", known.join(", ")))
                    }
                }
            }
        }
    };
}

named! {
    /// A fault that strikes now and then.
    Fault {
        /// DynamoDB or SNS has too much to do, and says so before it does anything.
        Throttle = "throttle",
        /// The service fails before it does anything.
        ServerError = "server-error",
        /// The request is lost.
        TimeoutBefore = "timeout-before",
        /// The request is served, the answer is lost.
        TimeoutAfter = "timeout-after",
        /// A write meets a transaction of somebody else on the same item.
        TransactionConflict = "transaction-conflict",
        /// The process is killed after a request was served.
        Kill = "kill",
        /// The code panics where it waits for an answer.
        Panic = "panic",
        /// A request takes half a minute.
        Slow = "slow",
        /// Some entries of a batch fail, on HTTP 200.
        PartialBatch = "partial-batch",
        /// A batch, or a schedule's firing, is delivered twice.
        Duplicate = "duplicate",
        /// A batch that was taken long ago is delivered once more.
        OldWindow = "old-window",
        /// A schedule fires several times at once.
        Crowd = "crowd",
        /// The due index shows what it showed a while ago.
        StaleIndex = "stale-index",
        /// The clocks of the containers are up to ten minutes apart.
        Skew = "skew",
    }
}

named! {
    /// What is down for a while.
    OutageKind {
        /// The schedule does not fire.
        Schedule = "schedule",
        /// SNS takes nothing.
        Sns = "sns",
        /// DynamoDB takes nothing.
        DynamoDb = "dynamodb",
        /// The functions are not invoked by the streams.
        Mappings = "mappings",
    }
}

/// Something is down for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What.
    pub kind: OutageKind,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is down for {} h from {}", self.kind, (self.until - self.from).num_hours(), self.from)
    }
}

impl Fault {
    /// The most faults of a kind that strike requests: of ten thousand.
    const OFTEN: [u32; 4] = [20, 100, 500, 1_500];

    /// None, one, or several of them, each rarely or often.
    pub(super) fn some(rng: &mut Rng) -> BTreeMap<Self, u32> {
        let chosen: Vec<Self> = match rng.u8(..10) {
            0 => Vec::new(),
            1..5 => vec![Self::ALL[rng.usize(..Self::ALL.len())]],
            _ => Self::ALL.iter().copied().filter(|_| rng.u8(..3) == 0).collect(),
        };
        chosen.into_iter().map(|fault| (fault, Self::OFTEN[rng.usize(..Self::OFTEN.len())])).collect()
    }
}

impl OutageKind {
    /// How long each may last, in hours: a week of no sweeps, messages that outlive their stream.
    const fn hours(self) -> &'static [i64] {
        match self {
            Self::Schedule => &[1, 24, 72, 168],
            Self::Sns => &[1, 6, 30],
            Self::DynamoDb => &[1, 3],
            Self::Mappings => &[1, 12, 30],
        }
    }

    pub(super) fn some(rng: &mut Rng, begin: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Outage> {
        let mut outages = Vec::new();
        for kind in Self::ALL {
            if rng.u8(..5) == 0 {
                let hours = kind.hours();
                let lasts = TimeDelta::hours(hours[rng.usize(..hours.len())]);
                let from = begin + TimeDelta::minutes(rng.i64(0..(end - begin).num_minutes()));
                outages.push(Outage { kind: *kind, from, until: from + lasts });
            }
        }
        outages
    }
}
