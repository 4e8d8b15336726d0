//! The schema of the policy's contact rules.

use duewatch_domain::policy::{
    MAX_CAP, MAX_CAPS, MAX_ONCE_IN_MONTHS, MAX_QUIET_HOURS, MAX_REPORT_HOURS, MAX_WINDOW_DAYS,
};
use serde_json::{Value, json};

use super::parts::{object, reference, template};

pub(super) fn contact() -> Value {
    let boolean = json!({ "type": "boolean" });
    let quiet = object(
        &[("from", reference("time")), ("until", reference("time")), ("channels", some_channels())],
        &[("unless_agreed", boolean)],
    );
    let per = || ("per", json!({ "enum": ["person", "account", "number"] }));
    let counts = json!({ "enum": ["contacts", "unanswered", "answered"] });
    let cap = object(
        &[("channels", some_channels()), ("at_most", between(1, MAX_CAP)), ("days", window(1))],
        &[per(), ("counts", counts)],
    );
    let after = object(&[("channels", some_channels()), ("days", window(1))], &[per()]);
    let complaint = object(
        &[],
        &[("quiet_days", window(0)), ("min_gap_days", window(0)), ("min_gap_for_days", window(0))],
    );
    let breathing_space = object(
        &[("days", window(1))],
        &[("once_in_months", between(0, MAX_ONCE_IN_MONTHS)), ("mental_health_extra_days", window(0))],
    );
    let contact_persons = object(
        &[("delinquent_days", window(1)), ("failed_attempts", between(1, MAX_CAP)), ("template", template())],
        &[],
    );
    let receipts =
        object(&[("channels", some_channels()), ("within_hours", between(1, MAX_REPORT_HOURS))], &[]);
    object(
        &[],
        &[
            ("language", json!({ "enum": ["zh", "en"] })),
            ("quiet_hours", json!({ "type": "array", "items": quiet, "maxItems": MAX_QUIET_HOURS })),
            ("caps", json!({ "type": "array", "items": cap, "maxItems": MAX_CAPS })),
            ("after_conversation_days", after),
            ("consent_required", channels()),
            ("opt_out", channels()),
            ("complaint", complaint),
            ("breathing_space", breathing_space),
            ("contact_persons", contact_persons),
            ("receipts", receipts),
            (
                "address",
                json!({ "type": "string", "pattern": "^https://[^\\u0000-\\u001f\\u007f-\\u009f]{0,492}$" }),
            ),
            ("how_to_pay", texts()),
            ("how_to_appeal", texts()),
        ],
    )
}

fn channels() -> Value {
    json!({ "type": "array", "items": reference("channel") })
}

fn some_channels() -> Value {
    json!({ "type": "array", "items": reference("channel"), "minItems": 1 })
}

fn between(least: u32, most: u32) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

fn window(least: u32) -> Value {
    between(least, MAX_WINDOW_DAYS)
}

fn texts() -> Value {
    let text = || json!({ "type": "string", "minLength": 1, "maxLength": 500 });
    object(&[], &[("zh", text()), ("en", text())])
}
