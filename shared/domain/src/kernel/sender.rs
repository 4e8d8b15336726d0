//! Who sends a command: the system that sends it, and the one who acts through it.

use serde::{Deserialize, Serialize};

use super::{ActorId, Source};

/// The name of the lender's own system, which sends all messages that name no source.
const CORE: &str = "core";

impl Default for Source {
    /// The lender's own system, `core`.
    fn default() -> Self {
        Self::known(CORE)
    }
}

impl Source {
    /// Whether this is the lender's own system.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.as_str() == CORE
    }
}

/// The kind of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A system of the lender's, of its own accord.
    System,
    Borrower,
    Officer,
    /// duewatch itself.
    Duewatch,
}

impl ActorKind {
    /// Every kind, by its name in the formats.
    pub const NAMES: [&str; 4] = ["system", "borrower", "officer", "duewatch"];
}

/// The one who acts: a person, or a system of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    pub kind: ActorKind,
    /// Unique within the kind.
    pub id: ActorId,
}

impl Actor {
    /// The actor of a command that names none: the system that sends it.
    #[must_use]
    pub fn system(source: &Source) -> Self {
        Self { kind: ActorKind::System, id: source.clone().into() }
    }

    /// duewatch itself.
    #[must_use]
    pub fn duewatch() -> Self {
        Self { kind: ActorKind::Duewatch, id: Source::known("duewatch").into() }
    }
}

/// The name of a person alone: the end of an ARN or of a sender's id, without the domain of a mail address. It is the
/// same whichever role the person takes on.
#[must_use]
pub fn person_in(name: &str) -> String {
    let end = name.rsplit(['/', ':']).next().unwrap_or(name);
    end.split('@').next().unwrap_or(end).to_lowercase()
}
