//! Contact holds: reasons for which all contact with a borrower waits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reason for which all contact with a borrower waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactHold {
    /// The borrower has refused all contact.
    Refusal,
    BreathingSpace,
    /// A breathing space during and after a mental health crisis.
    MentalHealth,
    Vulnerability,
    Complaint,
    Dispute,
    /// A case is open: an appeal, a hardship application.
    Case,
    Promise,
    PaymentInProcess,
    /// The days of the account are paused.
    Pause,
}

impl fmt::Display for ContactHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refusal => "The person has refused all contact",
            Self::BreathingSpace => "There is a breathing space",
            Self::MentalHealth => "There is a breathing space for a mental health crisis",
            Self::Vulnerability => "The person is recorded as vulnerable",
            Self::Complaint => "The person has complained",
            Self::Dispute => "The account is in dispute",
            Self::Case => "A case is open",
            Self::Promise => "There is a promise to pay",
            Self::PaymentInProcess => "A payment is under way",
            Self::Pause => "The account's days are paused",
        })
    }
}
