//! The faults and outages of a run.

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
            /// All variants.
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
    /// A fault that strikes single requests, deliveries or clocks.
    Fault {
        /// DynamoDB or SNS refuses a request before any effect, because of its load.
        Throttle = "throttle",
        /// The service fails before any effect.
        ServerError = "server-error",
        /// The request is lost.
        TimeoutBefore = "timeout-before",
        /// The request is served, the answer is lost.
        TimeoutAfter = "timeout-after",
        /// A write meets another caller's transaction on the same item.
        TransactionConflict = "transaction-conflict",
        /// The process is killed after a request was served.
        Kill = "kill",
        /// The code panics while it waits for an answer.
        Panic = "panic",
        /// A request takes half a minute.
        Slow = "slow",
        /// Some entries of a batch fail, on HTTP 200.
        PartialBatch = "partial-batch",
        /// A batch, or a schedule's firing, is delivered twice.
        Duplicate = "duplicate",
        /// An old, finished batch is delivered once more.
        OldWindow = "old-window",
        /// A schedule fires several times at once.
        Crowd = "crowd",
        /// The due index shows an earlier state.
        StaleIndex = "stale-index",
        /// The clocks of the containers are up to ten minutes apart.
        Skew = "skew",
    }
}

named! {
    /// A part of the cloud that is down for a while.
    OutageKind {
        Schedule = "schedule",
        /// SNS refuses every message.
        Sns = "sns",
        /// DynamoDB refuses every request.
        DynamoDb = "dynamodb",
        /// The streams invoke no function.
        Mappings = "mappings",
    }
}

/// A part of the cloud is down from one instant until another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub kind: OutageKind,
    /// The place of the one schedule, mapping or topic that somebody disabled, or that refuses its callers; none: all
    /// are down. Streams come before queues; topics are `reminders`, `account-events` and `operations`.
    pub only: Option<usize>,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = self.only.map_or_else(String::new, |only| format!(" {only} alone"));
        let hours = (self.until - self.from).num_hours();
        write!(f, "{}{only} is down for {hours} h from {}", self.kind, self.from)
    }
}

impl Fault {
    /// The possible frequencies of a fault, in ten thousandths of its chances.
    const OFTEN: [u32; 4] = [20, 100, 500, 1_500];

    /// None, one, or several faults, each rare or frequent.
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
    /// The possible durations in hours: up to a week without sweeps, and messages that outlive their stream.
    const fn hours(self) -> &'static [i64] {
        match self {
            Self::Schedule => &[1, 24, 72, 168],
            Self::Sns => &[1, 6, 30],
            Self::DynamoDb => &[1, 3],
            Self::Mappings => &[1, 12, 30],
        }
    }

    /// A schedule, a mapping or a topic that somebody disables for a while.
    pub(super) fn disabled(rng: &mut Rng, begin: DateTime<Utc>, end: DateTime<Utc>) -> Outage {
        let (kind, places, hours) =
            [(Self::Schedule, 4, [3, 12, 60]), (Self::Mappings, 6, [2, 6, 20]), (Self::Sns, 3, [2, 8, 20])]
                [rng.usize(..3)];
        let from = begin + TimeDelta::minutes(rng.i64(0..(end - begin).num_minutes()));
        let until = (from + TimeDelta::hours(hours[rng.usize(..3)])).min(end);
        Outage { kind, only: Some(rng.usize(..places)), from, until }
    }

    pub(super) fn some(rng: &mut Rng, begin: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Outage> {
        let mut outages = Vec::new();
        for kind in Self::ALL {
            if rng.u8(..5) == 0 {
                let hours = kind.hours();
                let lasts = TimeDelta::hours(hours[rng.usize(..hours.len())]);
                let from = begin + TimeDelta::minutes(rng.i64(0..(end - begin).num_minutes()));
                outages.push(Outage { kind: *kind, only: None, from, until: from + lasts });
            }
        }
        outages
    }
}
