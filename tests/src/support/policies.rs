//! The policies of the tests.

/// `late` from delinquent day 1, `limited` from 5, `frozen` from 15; three days of grace.
const LADDER: &str = r#"
version = 1
effective_on = 2020-01-01
grace_days = 3

[[stages]]
name = "late"
when = { delinquent_days = 1 }

[[stages]]
name = "limited"
when = { delinquent_days = 5 }
restrictions = [{ kind = "limit_credit_line", percent = 50 }]

[[stages]]
name = "frozen"
when = { delinquent_days = 15 }
restrictions = [{ kind = "limit_credit_line", percent = 50 }, { kind = "freeze_drawdown" }]
"#;

/// Three days before the due date, on it, and while the account is late or limited.
const REMINDERS: &str = r#"
[reminders]
send_at = "10:00"
steps = [
    { stage = "current", days = -3, channel = "app", template = "due_soon" },
    { stage = "current", days = 0, channel = "sms", template = "due_today" },
    { stage = "late", days = 5, channel = "sms", template = "late_mild" },
    { stage = "late", days = 7, channel = "sms", template = "late_firm" },
    { stage = "limited", days = 10, channel = "sms", template = "limited" },
]
"#;

/// On the day of the first reminder of a late account.
const NOTICES: &str = r#"
[reminders]
send_at = "10:00"
steps = [{ stage = "late", days = 7, channel = "letter", template = "before_limit", notice_of = "limited" }]
"#;

/// Quiet hours at night, and a frequency cap of one message a day.
const CONTACT: &str = r#"
[contact]
quiet_hours = [{ from = "22:00", until = "08:00", channels = ["sms"] }]
caps = [{ channels = ["sms"], at_most = 1, days = 1 }]
breathing_space = { days = 60 }
how_to_pay = { en = "in the app, or at 400-000-0000" }
address = "https://lender.example/rules"
"#;

/// Five years of history, three of contacts.
const RETENTION: &str = r#"
[retention]
history_days = 1825
contact_log_days = 1095
"#;

/// The restrictions that a frozen account imposes on the customer's others.
const CUSTOMER: &str = r#"
[customer]
stage = "frozen"
restrictions = [{ kind = "freeze_drawdown" }]
"#;

/// The policy with stages only.
pub const STANDARD: &str = "standard";
/// The standard policy, with reminders.
pub const REMINDING: &str = "reminding";
/// The standard policy, where a notice comes two days before the line is limited.
pub const NOTICING: &str = "noticing";
/// The standard policy with reminders by text message alone, with quiet hours at night and a frequency cap of
/// one message a day.
pub const GATED: &str = "gated";
/// The standard policy with reminders, which also deletes old history and contacts.
pub const KEEPING: &str = "keeping";

/// The standard policy, where one account imposes restrictions on the customer's others.
pub const JOINT: &str = "joint";

/// The text of a policy over the common stages.
#[must_use]
pub fn policy_text(id: &str) -> String {
    let (ladder, rest) = match id {
        REMINDING => (LADDER.to_owned(), REMINDERS.to_owned()),
        NOTICING => (LADDER.replacen("percent = 50", "percent = 50, notice_days = 2", 1), NOTICES.to_owned()),
        GATED => (LADDER.to_owned(), format!("{}{CONTACT}", REMINDERS.replace("\"app\"", "\"sms\""))),
        JOINT => (LADDER.to_owned(), CUSTOMER.to_owned()),
        KEEPING => (LADDER.to_owned(), format!("{REMINDERS}{RETENTION}")),
        _ => (LADDER.to_owned(), String::new()),
    };
    format!("id = \"{id}\"{ladder}{rest}")
}
