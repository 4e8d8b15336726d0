//! The schema of the decisions output. The output is written, never read: its schema promises its fields.

use serde_json::{Value, json};

use super::parts::{list, maybe, object, reference, text};

pub(super) fn decision() -> Value {
    object(
        &[
            ("at", reference("instant")),
            ("account_id", reference("stored_id")),
            ("revision", reference("number")),
            ("policy", object(&[("id", reference("stored_id")), ("version", reference("number"))], &[])),
            ("from", text()),
            ("to", text()),
            ("applied", list(&reference("restriction"))),
            ("lifted", list(&reference("restriction"))),
            ("figures", figures()),
            ("reasons", list(&reason())),
            ("next_action_at", maybe(&reference("instant"))),
            ("event_id", text()),
        ],
        &[],
    )
}

fn figures() -> Value {
    object(
        &[
            ("days_past_due", reference("number")),
            ("delinquent_days", reference("number")),
            ("overdue", reference("amount")),
            ("oldest_due_on", maybe(&reference("date"))),
            ("outstanding", reference("amount")),
            ("unpaid_installments", reference("number")),
        ],
        &[("late_fee", reference("amount")), ("material_days", reference("number"))],
    )
}

/// Counts are numbers, amounts and shares strings; a rule without a threshold has null.
fn reason() -> Value {
    let rule = json!({
        "type": "string",
        "pattern": "^[a-z_]+$",
        "examples": ["delinquent_days", "overdue_amount", "nothing_overdue"],
    });
    let figure = || json!({ "type": ["integer", "string", "null"] });
    object(&[("rule", rule), ("threshold", figure()), ("value", figure()), ("sentence", text())], &[])
}
