//! Refusals: why a case is not opened, or an action on it not taken.

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::CaseOutcome;
use crate::kernel::{CaseId, MAX_CASE_ADDITIONS, MAX_CASE_TEXT_BYTES, MAX_CLOCK_STOPS, NoId};
use crate::policy::CaseKind;

/// The reason why a case is not opened, or an action on it is not taken. The case is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseRefusal {
    #[error("kind: the account's policy takes no case of the kind {0}")]
    KindNotTaken(CaseKind),
    #[error("the {kind} could be opened until {until}")]
    TooLate { kind: CaseKind, until: NaiveDate },
    #[error("event_on: {0} lies ahead")]
    EventAhead(NaiveDate),
    #[error("the policy takes at most {at_most} cases of the kind {kind} in {within_days} days")]
    TooOften { kind: CaseKind, at_most: u32, within_days: u32 },
    #[error("case {case_id} of the kind {kind} is open; add to it instead")]
    OpenAlready { case_id: CaseId, kind: CaseKind },
    #[error("the case was {} at {at}, and stays closed", .outcome.as_str())]
    Closed { outcome: CaseOutcome, at: DateTime<Utc> },
    #[error("at: {at} is before the case was opened, {opened_at}")]
    BeforeOpening { at: DateTime<Utc>, opened_at: DateTime<Utc> },
    #[error("text: it is empty, or has more than {MAX_CASE_TEXT_BYTES} bytes")]
    TextUnfit,
    #[error("a case takes at most {MAX_CASE_ADDITIONS} additions")]
    TooManyAdditions,
    #[error("the borrower alone withdraws a case, or an officer on the borrower's behalf")]
    NotTheBorrower,
    #[error("an officer decides a case")]
    NotAnOfficer,
    #[error("the one who opened the case, or added to it, does not decide it")]
    TookPart,
    #[error("the policy lets the case be rejected from {0} on, so that the borrower can add to it")]
    TooEarly(NaiveDate),
    #[error("reason: the policy stops the clock for no reason named \"{0}\"")]
    NoReasonToStop(String),
    #[error("the clock stands still already")]
    StandsStill,
    #[error("the clock does not stand still")]
    Runs,
    #[error("the clock of a case stops at most {MAX_CLOCK_STOPS} times")]
    TooManyStops,
    #[error("the clock restarts neither before its stop, {from}, nor ahead of the present, {now}")]
    RestartUnfit { from: DateTime<Utc>, now: DateTime<Utc> },
    #[error("the answer was due on {0}; its clock stops no more")]
    AnswerMissed(NaiveDate),
    #[error("the policy extends the answer no further")]
    NoExtension,
    #[error(transparent)]
    Id(#[from] NoId),
}
