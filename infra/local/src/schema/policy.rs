//! The policy.

use duewatch_domain::policy::{MAX_DAYS, MAX_REMINDER_STEPS, MAX_RESTRICTIONS, MAX_STAGES};
use serde_json::{Value, json};

use super::{list, object, reference};

pub(super) fn policy() -> Value {
    object(
        &[
            ("id", reference("id")),
            ("version", json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })),
            ("effective_on", reference("date")),
        ],
        &[
            ("day_count", json!({ "enum": ["day_after", "due_day"] })),
            ("grace_days", days()),
            ("waterfall", waterfall()),
            ("stages", json!({ "type": "array", "items": stage(), "maxItems": MAX_STAGES })),
            ("reminders", reminders()),
        ],
    )
}

/// A count, of days or of installments.
fn days() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": MAX_DAYS })
}

fn waterfall() -> Value {
    json!({
        "description": "which component is settled first",
        "type": "array",
        "items": { "enum": ["penalty", "fee", "interest", "principal"] },
        "minItems": 4,
        "maxItems": 4,
        "uniqueItems": true,
    })
}

fn stage() -> Value {
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 64, "not": { "const": "current" } });
    let restrictions =
        json!({ "type": "array", "items": reference("restriction"), "maxItems": MAX_RESTRICTIONS });
    object(&[("name", name), ("when", when())], &[("restrictions", restrictions)])
}

fn when() -> Value {
    let share = json!({
        "description": "of all that is outstanding: a decimal from 0 to 1, or the same in a string",
        "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": "^(0(\\.[0-9]{1,12})?|1(\\.0{1,12})?)$" },
        ],
    });
    let mut when = object(
        &[],
        &[
            ("delinquent_days", days()),
            ("days_past_due", days()),
            ("overdue_amount", json!({ "type": "string", "pattern": "^[0-9]{1,15}(\\.[0-9]{1,12})?$" })),
            ("overdue_share", share),
            ("unpaid_installments", days()),
        ],
    );
    when["minProperties"] = 1.into();
    when
}

/// The kinds that have an option, and names of the lender's own, which have none.
pub(super) fn restriction() -> Value {
    let percent =
        |from: u32, to: u32| ("percent", json!({ "type": "integer", "minimum": from, "maximum": to }));
    let own = json!({
        "type": "string",
        "pattern": "^[a-z0-9_]{1,64}$",
        "not": { "enum": ["limit_credit_line", "raise_rate"] },
    });
    json!({ "oneOf": [
        object(&[("kind", json!({ "const": "limit_credit_line" })), percent(0, 100)], &[]),
        object(&[("kind", json!({ "const": "raise_rate" }))], &[percent(100, 1_000)]),
        object(&[("kind", own)], &[]),
    ]})
}

fn reminders() -> Value {
    let step = object(
        &[
            ("stage", json!({ "type": "string" })),
            ("days", json!({ "type": "integer", "minimum": -i64::from(MAX_DAYS), "maximum": MAX_DAYS })),
            ("channel", reference("channel")),
            ("template", json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })),
        ],
        &[],
    );
    let mut steps = list(&step);
    steps["maxItems"] = MAX_REMINDER_STEPS.into();
    let time = json!({ "type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5]?[0-9]$" });
    object(&[("send_at", time)], &[("steps", steps)])
}
