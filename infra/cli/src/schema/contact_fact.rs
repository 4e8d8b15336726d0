//! The schemas of events about contacting a customer.

use serde_json::json;

use super::parts::{EventType, maybe, named, object, reference, text};

pub(super) fn event_types() -> Vec<EventType> {
    let by = || ("by", named());
    let reason = || ("reason", text());
    let channel = || ("channel", maybe(&reference("channel")));
    let until = || ("until", maybe(&reference("date")));
    let person_id = || ("person_id", reference("id"));
    let hours = object(&[("from", reference("time")), ("until", reference("time"))], &[]);
    let leads = json!({
        "type": "array",
        "items": { "type": "integer", "minimum": 0, "maximum": 31 },
        "maxItems": 5,
    });
    vec![
        (
            "consent_changed",
            vec![("consent", json!({ "enum": ["given", "withdrawn"] })), by()],
            vec![channel()],
            json!({ "channel": "sms", "consent": "withdrawn", "by": "the customer" }),
        ),
        (
            "preferences_changed",
            vec![],
            vec![
                ("language", maybe(&json!({ "enum": ["zh", "en"] }))),
                ("time_zone", maybe(&json!({ "type": "string", "minLength": 1 }))),
                ("remind_days_before", maybe(&leads)),
                ("remind_at", maybe(&reference("time"))),
                ("agreed_hours", maybe(&json!({ "type": "array", "items": hours, "maxItems": 4 }))),
            ],
            json!({
                "language": "zh", "time_zone": "Asia/Urumqi", "remind_days_before": [7, 1], "remind_at": "19:30",
                "agreed_hours": [{ "from": "22:00", "until": "23:00" }],
            }),
        ),
        (
            "contact_attempted",
            vec![
                ("contact_id", reference("id")),
                ("channel", reference("channel")),
                by(),
                ("answered", json!({ "type": "boolean" })),
            ],
            vec![("attempted_at", maybe(&reference("instant"))), ("number", maybe(&named()))],
            json!({
                "contact_id": "agency-3/77", "channel": "phone", "by": "agency-3", "answered": false,
                "attempted_at": "2023-10-05T09:00:00+08:00", "number": "work",
            }),
        ),
        (
            "complaint_made",
            vec![reason()],
            vec![channel()],
            json!({ "channel": "phone", "reason": "called at work" }),
        ),
        (
            "breathing_space_started",
            vec![("kind", json!({ "enum": ["standard", "mental_health"] }))],
            vec![until()],
            json!({ "kind": "standard", "until": "2023-12-05" }),
        ),
        ("breathing_space_ended", vec![], vec![], json!({})),
        (
            "vulnerability_recorded",
            vec![reason()],
            vec![until()],
            json!({ "until": "2024-01-01", "reason": "bereaved" }),
        ),
        (
            "contact_person_added",
            vec![person_id(), ("relation", named())],
            vec![],
            json!({ "person_id": "CP-1", "relation": "spouse" }),
        ),
        (
            "contact_person_approved",
            vec![person_id(), by(), reason()],
            vec![],
            json!({ "person_id": "CP-1", "by": "officer-7", "reason": "not reached for a month" }),
        ),
        ("contact_person_refused", vec![person_id()], vec![], json!({ "person_id": "CP-1" })),
    ]
}
