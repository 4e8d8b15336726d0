//! Notices that were sent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::check::check_name;
use super::definition::{CommandDefinition, WireCommand};
use super::shape::WireField;
use crate::account::{Account, Notice, NoticeOf};
use crate::kernel::Refusal;
use crate::policy::StageName;

/// A notice that left by another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "NoticeFields", into = "NoticeFields")]
pub struct NoticeSent {
    pub of: NoticeOf,
}

/// The fields of [`NoticeSent`] in the formats, of which one is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeFields {
    stage: Option<StageName>,
    policy_version: Option<u32>,
}

impl TryFrom<NoticeFields> for NoticeSent {
    type Error = Refusal;

    fn try_from(fields: NoticeFields) -> Result<Self, Refusal> {
        match (fields.stage, fields.policy_version) {
            (Some(stage), None) => Ok(Self { of: NoticeOf::Stage(stage) }),
            (None, Some(version)) => Ok(Self { of: NoticeOf::Policy(version) }),
            _ => {
                let problem = "a notice is of a stage or of a policy_version, and of one";
                Err(Refusal::unfit("stage", problem))
            }
        }
    }
}

impl From<NoticeSent> for NoticeFields {
    fn from(notice: NoticeSent) -> Self {
        match notice.of {
            NoticeOf::Stage(stage) => Self { stage: Some(stage), policy_version: None },
            NoticeOf::Policy(version) => Self { stage: None, policy_version: Some(version) },
        }
    }
}

impl WireCommand for NoticeSent {
    const TYPE: &'static str = "notice_sent";
    const FIELDS: &'static [WireField] = &[
        WireField::of::<StageName>("stage").one_of_these(),
        WireField::of::<u32>("policy_version").one_of_these(),
    ];
    const EXAMPLE: &'static str = r#"{ "stage": "frozen" }"#;
}

impl CommandDefinition for NoticeSent {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        if let NoticeOf::Stage(stage) = &self.of {
            check_name("stage", stage.as_str())?;
        }
        account.keep_notice(Notice { of: self.of.clone(), planned_at: at, sent_at: Some(at) });
        account.keep_letter(&self.of, at);
        Ok(Applied::Changed)
    }
}

impl Account {
    /// Records, once, that a notice planned by the account left at `at`.
    pub fn notice_left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) -> Applied {
        let planned = self
            .notices
            .iter_mut()
            .find(|known| &known.of == of && known.planned_at == planned_at && known.sent_at.is_none());
        match planned {
            Some(notice) => {
                notice.sent_at = Some(at);
                self.keep_letter(of, at);
                Applied::Changed
            }
            None => Applied::Unchanged,
        }
    }
}
