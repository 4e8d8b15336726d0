//! Cases opened and decided, as far as they concern the account.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::unfit;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, CaseOutcome, HoldingCase};
use crate::kernel::{CaseId, MAX_HOLDING_CASES, Refusal};
use crate::policy::CaseKind;

command! {
    /// A case about the account is open. The same case again changes nothing.
    pub struct CaseOpened as "case_opened" {
        /// Unique within the account.
        pub case_id: CaseId,
        pub kind: CaseKind,
    }
    example: r#"{ "case_id": "A-1/1", "kind": "appeal" }"#
}

command! {
    /// The end of a case. The consequences that waited for it may follow.
    pub struct CaseDecided as "case_decided" {
        pub case_id: CaseId,
        pub kind: CaseKind,
        pub outcome: CaseOutcome,
    }
    example: r#"{ "case_id": "A-1/1", "kind": "appeal", "outcome": "rejected" }"#
}

impl CommandDefinition for CaseOpened {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let Self { case_id, kind } = self;
        match account.cases.iter().find(|known| &known.case_id == case_id) {
            Some(known) if known.kind == *kind => return Ok(Applied::Unchanged),
            Some(known) => return unfit("kind", format!("case {case_id} is known as {}", known.kind)),
            None => {}
        }
        if account.cases.len() >= MAX_HOLDING_CASES {
            let Some(oldest) = account.cases.iter().position(|known| known.closed.is_some()) else {
                return unfit("case_id", format!("an account holds at most {MAX_HOLDING_CASES} open cases"));
            };
            account.cases.remove(oldest);
        }
        account.cases.push(HoldingCase { case_id: case_id.clone(), kind: *kind, at, closed: None });
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for CaseDecided {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let known = account.cases.iter_mut().find(|known| known.case_id == self.case_id);
        match known {
            None => unfit("case_id", format!("no case {} is known", self.case_id)),
            Some(case) if case.kind != self.kind => {
                unfit("kind", format!("case {} is known as {}", self.case_id, case.kind))
            }
            Some(case) if case.closed.is_some() => Ok(Applied::Unchanged),
            Some(case) => {
                case.closed = Some((self.outcome, at));
                Ok(Applied::Changed)
            }
        }
    }
}
