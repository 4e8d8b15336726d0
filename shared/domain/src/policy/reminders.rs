//! When a policy wants whom reminded.

use std::fmt;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::StageName;

/// The most steps a reminder schedule may have.
pub const MAX_REMINDER_STEPS: usize = 100;

/// A reminder schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminders {
    /// The borrower's local time at which reminders leave.
    pub send_at: NaiveTime,
    /// What is sent when.
    pub steps: Vec<ReminderStep>,
}

/// One reminder of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderStep {
    /// It is only sent while the account is in this stage.
    pub stage: StageName,
    /// Days from the due date: negative before it, 0 on the day, positive after.
    /// Before and on the day each unpaid installment counts, after it the oldest.
    pub days: i64,
    /// How it travels.
    pub channel: Channel,
    /// Which text it bears.
    pub template: String,
    /// The stage whose restrictions it announces. Such a notice leaves also when the account
    /// has gone on to a severer stage, as long as those are not in force.
    pub notice_of: Option<StageName>,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A call.
    Phone,
    /// A message in the lender's app.
    App,
    /// A letter.
    Letter,
}

impl Channel {
    /// The channel as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::App => "app",
            Self::Letter => "letter",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
