//! Notices that law or contract requires before a restriction or a new policy version.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{MAX_LETTERS, MAX_NOTICES, MAX_NOTICES_OF_ONE};
use crate::policy::StageName;

/// The announcement of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOf {
    /// The restrictions of a stage.
    Stage(StageName),
    /// A version of the policy that is stricter than the one before.
    Policy(u32),
}

/// `stage/frozen`, `policy/3`.
impl fmt::Display for NoticeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(stage) => write!(f, "stage/{stage}"),
            Self::Policy(version) => write!(f, "policy/{version}"),
        }
    }
}

/// A notice: planned and, as far as is known, sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    pub of: NoticeOf,
    /// The instant for which the notice was planned.
    pub planned_at: DateTime<Utc>,
    /// When the notice left; none: not yet, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
}

impl Account {
    /// Records, for the late fee per letter, that a notice left.
    pub(crate) fn keep_letter(&mut self, of: &NoticeOf, at: DateTime<Utc>) {
        if matches!(of, NoticeOf::Stage(_)) && self.letters.len() < MAX_LETTERS {
            let place = self.letters.partition_point(|other| *other <= at);
            self.letters.insert(place, at);
        }
    }

    /// Keeps the notices of each stage and policy version: those that left, at most `MAX_NOTICES_OF_ONE`, and the
    /// one that is planned. Days count from the first that left in an episode; a further one neither lifts nor delays.
    /// All in all `MAX_NOTICES`.
    pub(crate) fn keep_notice(&mut self, notice: Notice) {
        self.notices.retain(|known| known.of != notice.of || known.sent_at.is_some());
        let of_it = self.notices.iter().filter(|known| known.of == notice.of).count();
        if of_it >= MAX_NOTICES_OF_ONE
            && let Some(oldest) = self.notices.iter().position(|known| known.of == notice.of)
        {
            self.notices.remove(oldest);
        }
        let excess = (self.notices.len() + 1).saturating_sub(MAX_NOTICES);
        self.notices.drain(..excess);
        self.notices.push(notice);
    }
}
