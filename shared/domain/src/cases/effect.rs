//! Effects: the commands to an account that follow from a case.
//!
//! They are part of the case's write, and filed afterwards, in the order of their steps. An event id follows from case,
//! revision and step, so an effect that is filed twice is one command.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::case::Case;
use crate::account::CaseOutcome;
use crate::commands::{CaseDecided, CaseOpened, Command, Event, InboundMessage};
use crate::kernel::{Actor, NoId, Revision};

/// The source of all commands that follow from cases.
const SOURCE: &str = "cases";

/// A command to the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEffect {
    /// The revision of the case that brought it, or that dated it anew.
    pub revision: Revision,
    /// The instant that its command bears.
    pub at: DateTime<Utc>,
    pub by: Actor,
    /// None: the case is open. Otherwise how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CaseOutcome>,
    pub state: EffectState,
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    Pending,
    /// The account has taken the command.
    Applied(DateTime<Utc>),
    /// The account refused the command, for that reason.
    Refused(String),
}

impl Case {
    /// The first effect that is not filed yet, with its step.
    #[must_use]
    pub fn pending_effect(&self) -> Option<(usize, &CaseEffect)> {
        self.effects.iter().enumerate().find(|(_, effect)| effect.state == EffectState::Pending)
    }

    /// The command of an effect.
    ///
    /// # Errors
    /// [`NoId`] where the ids are too long to be one.
    pub fn message_of(&self, step: usize, effect: &CaseEffect) -> Result<InboundMessage, NoId> {
        let (case_id, kind) = (self.case_id.clone(), self.kind);
        let command = match effect.outcome {
            None => Command::CaseOpened(CaseOpened { case_id, kind }),
            Some(outcome) => Command::CaseDecided(CaseDecided { case_id, kind, outcome }),
        };
        Ok(InboundMessage {
            event_id: format!("{}:{}:{step}", self.case_id, effect.revision.0).parse()?,
            source: SOURCE.parse()?,
            actor: effect.by.clone(),
            sender_id: None,
            event: Event { at: effect.at, account_id: self.account_id.clone(), command },
        })
    }

    /// The case once the account has answered an effect.
    #[must_use]
    pub fn with_effect(&self, step: usize, state: EffectState) -> Self {
        let mut case = self.next_revision();
        if let Some(effect) = case.effects.get_mut(step) {
            effect.state = state;
        }
        case
    }

    /// The case with a pending effect dated anew: the account had taken a later command of another case before.
    #[must_use]
    pub fn with_effect_dated(&self, step: usize, at: DateTime<Utc>) -> Self {
        let mut case = self.next_revision();
        let revision = case.revision;
        if let Some(effect) = case.effects.get_mut(step) {
            (effect.at, effect.revision) = (at, revision);
        }
        case
    }

    pub(super) fn next_revision(&self) -> Self {
        Self { revision: self.revision.next(), ..self.clone() }
    }
}
