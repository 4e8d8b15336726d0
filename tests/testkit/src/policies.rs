//! Policies, put together from short texts.

use duewatch_domain::{Policy, policy};

/// A stage: its name, its conditions and its restrictions, the two last in TOML and without brackets.
pub type StageText<'a> = (&'a str, &'a str, &'a str);

/// A step of the reminders: stage, days, channel, template.
pub type StepText<'a> = (&'a str, i32, &'a str, &'a str);

/// Lowers the credit line to a half.
pub const LIMIT: &str = r#"{ kind = "limit_credit_line", percent = 50 }"#;
/// Allows no drawdown.
pub const FREEZE: &str = r#"{ kind = "freeze_drawdown" }"#;
/// Suspends the account.
pub const SUSPEND: &str = r#"{ kind = "suspend_account" }"#;

/// From the first delinquent day.
pub const LATE: StageText<'_> = ("late", "delinquent_days = 1", "");
/// From the fifth delinquent day.
pub const LIMITED: StageText<'_> = ("limited", "delinquent_days = 5", LIMIT);
/// From the fifteenth delinquent day.
pub const FROZEN: StageText<'_> = (
    "frozen",
    "delinquent_days = 15",
    r#"{ kind = "limit_credit_line", percent = 50 }, { kind = "freeze_drawdown" }"#,
);
/// From the thirtieth delinquent day.
pub const SUSPENDED: StageText<'_> = ("suspended", "delinquent_days = 30", SUSPEND);
/// The usual stages, from the mildest to the severest.
pub const LADDER: [StageText<'_>; 4] = [LATE, LIMITED, FROZEN, SUSPENDED];

/// The classes of the Reserve Bank of India; they count by `day_count = "due_day"`.
pub const RBI_CLASSES: [StageText<'_>; 4] = [
    ("SMA-0", "days_past_due = 1", ""),
    ("SMA-1", "days_past_due = 31", ""),
    ("SMA-2", "days_past_due = 61", ""),
    ("NPA", "days_past_due = 91", ""),
];

/// The stages of a policy, in TOML.
#[must_use]
pub fn stages(all: &[StageText<'_>]) -> String {
    let stage = |(name, when, restrictions): &StageText<'_>| {
        let restrictions = match *restrictions {
            "" => String::new(),
            some => format!("restrictions = [{some}]\n"),
        };
        format!("\n[[stages]]\nname = \"{name}\"\nwhen = {{ {when} }}\n{restrictions}")
    };
    all.iter().map(stage).collect()
}

/// The usual stages, in TOML.
#[must_use]
pub fn ladder() -> String {
    stages(&LADDER)
}

/// Reminders that leave at ten, in TOML.
#[must_use]
pub fn reminders(steps: &[StepText<'_>]) -> String {
    let step = |(stage, days, channel, template): &StepText<'_>| {
        format!(
            "    {{ stage = \"{stage}\", days = {days}, channel = \"{channel}\", template = \"{template}\" }},\n"
        )
    };
    let steps: String = steps.iter().map(step).collect();
    format!("\n[reminders]\nsend_at = \"10:00\"\nsteps = [\n{steps}]\n")
}

/// The text of a policy: its settings, then its tables, in TOML.
#[must_use]
pub fn policy_text(id: &str, settings: &str, tables: &str) -> String {
    format!("id = \"{id}\"\nversion = 1\neffective_on = 2020-01-01\n{settings}\n{tables}")
}

/// The policy of a text.
///
/// # Panics
/// When the text is no policy.
#[must_use]
pub fn parsed(text: &str) -> Policy {
    policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The policy `standard`: its settings, then its tables, in TOML.
///
/// # Panics
/// When the text is no policy.
#[must_use]
pub fn policy(settings: &str, tables: &str) -> Policy {
    parsed(&policy_text("standard", settings, tables))
}
