//! Notices that were sent.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::check_name;
use crate::account::{Account, Notice, NoticeOf};
use crate::kernel::Refusal;

impl Account {
    pub(crate) fn note_notice(&mut self, of: &NoticeOf, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        if let NoticeOf::Stage(stage) = of {
            check_name("stage", stage.as_str())?;
        }
        self.keep_notice(Notice { of: of.clone(), planned_at: at, sent_at: Some(at) });
        Ok(Applied::Changed)
    }

    /// Records, once, that a notice planned by the account left at `at`.
    pub fn notice_left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) -> Applied {
        let planned = self
            .notices
            .iter_mut()
            .find(|known| &known.of == of && known.planned_at == planned_at && known.sent_at.is_none());
        match planned {
            Some(notice) => {
                notice.sent_at = Some(at);
                Applied::Changed
            }
            None => Applied::Unchanged,
        }
    }
}
