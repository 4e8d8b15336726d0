//! The policies of the tests.

use duewatch_testkit::{FROZEN, LATE, LIMITED, StepText, reminders, stages};

/// Three days before the due date, on it, and while the account is late or limited.
const REMINDERS: [StepText<'_>; 5] = [
    ("current", -3, "app", "due_soon"),
    ("current", 0, "sms", "due_today"),
    ("late", 5, "sms", "late_mild"),
    ("late", 7, "sms", "late_firm"),
    ("limited", 10, "sms", "limited"),
];

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

/// The text of a policy over the stages `late`, `limited` and `frozen`, with three days of grace.
#[must_use]
pub fn policy_text(id: &str) -> String {
    let (ladder, steps) = (stages(&[LATE, LIMITED, FROZEN]), reminders(&REMINDERS));
    let tables = match id {
        REMINDING => format!("{ladder}{steps}"),
        NOTICING => {
            format!("{}{NOTICES}", ladder.replacen("percent = 50", "percent = 50, notice_days = 2", 1))
        }
        GATED => format!("{ladder}{}{CONTACT}", steps.replace("\"app\"", "\"sms\"")),
        JOINT => format!("{ladder}{CUSTOMER}"),
        KEEPING => format!("{ladder}{steps}{RETENTION}"),
        _ => ladder,
    };
    duewatch_testkit::policy_text(id, "grace_days = 3", &tables)
}
