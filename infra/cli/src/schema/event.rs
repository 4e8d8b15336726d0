//! The schemas of events and commands.

use serde_json::{Value, json};

use super::parts::{EventType, list, maybe, named, object, reference, text};

fn event_types() -> Vec<EventType> {
    [schedule_types(), enforcement_types(), record_types(), super::contact_fact::event_types()].concat()
}

/// The opening, the payments and the schedule.
fn schedule_types() -> Vec<EventType> {
    let reason = || ("reason", text());
    vec![
        (
            "account_opened",
            vec![("account", reference("account"))],
            vec![],
            json!({ "account": {
                "account_id": "A-1", "customer_id": "C-1", "policy_id": "standard", "currency": "CNY",
                "time_zone": "Asia/Shanghai", "opened_on": "2023-10-01",
                "installments": [{
                    "number": 1, "due_on": "2023-10-01", "principal": "250.00", "interest": "2.50", "fee": "0.00",
                }],
            }}),
        ),
        (
            "payment_received",
            vec![("payment_id", reference("id")), ("amount", reference("amount"))],
            vec![
                ("currency", maybe(&reference("currency"))),
                ("value_date", maybe(&reference("date"))),
                ("kind", json!({ "enum": ["repayment", "merchant_refund", "goodwill"] })),
                ("applies_to", list(&reference("number"))),
            ],
            json!({
                "payment_id": "P-1", "amount": "250.00", "currency": "CNY", "value_date": "2023-10-05",
                "kind": "repayment", "applies_to": [1],
            }),
        ),
        (
            "payment_reversed",
            vec![("payment_id", reference("id"))],
            vec![("dated", json!({ "enum": ["original", "reversal"] }))],
            json!({ "payment_id": "P-1", "dated": "original" }),
        ),
        (
            "installment_added",
            vec![("installment", reference("installment"))],
            vec![],
            json!({ "installment": { "number": 2, "due_on": "2023-11-01", "principal": "250.00" } }),
        ),
        (
            "drawn",
            vec![
                ("draw_id", reference("id")),
                ("amount", reference("amount")),
                ("installments", list(&reference("installment"))),
            ],
            vec![("currency", maybe(&reference("currency")))],
            json!({
                "draw_id": "D-1", "amount": "300.00", "currency": "CNY",
                "installments": [
                    { "number": 11, "due_on": "2023-11-01", "principal": "150.00", "interest": "1.50" },
                    { "number": 12, "due_on": "2023-12-01", "principal": "150.00", "draw_id": "D-1" },
                ],
            }),
        ),
        (
            "installment_adjusted",
            vec![("number", reference("number")), ("amount", reference("amount")), reason()],
            vec![],
            json!({ "number": 1, "amount": "10.00", "reason": "agreed" }),
        ),
        (
            "schedule_replaced",
            vec![("installments", list(&reference("installment"))), reason()],
            vec![],
            json!({
                "installments": [{ "number": 9, "due_on": "2024-01-01", "principal": "500.00" }],
                "reason": "a longer term",
            }),
        ),
    ]
}

/// Pauses, enforcement and write-offs.
fn enforcement_types() -> Vec<EventType> {
    let reason = || ("reason", text());
    let number = || ("number", maybe(&reference("number")));
    vec![
        (
            "pause_started",
            vec![("from", reference("date")), ("until", reference("date"))],
            vec![],
            json!({ "from": "2023-10-05", "until": "2023-10-12" }),
        ),
        ("pause_ended", vec![("on", reference("date"))], vec![], json!({ "on": "2023-10-10" })),
        ("enforcement_off", vec![reason()], vec![], json!({ "reason": "in dispute" })),
        ("enforcement_on", vec![reason()], vec![], json!({ "reason": "settled" })),
        ("written_off", vec![reason()], vec![number()], json!({ "number": 1, "reason": "insolvent" })),
        ("write_off_undone", vec![reason()], vec![number()], json!({ "number": 1, "reason": "paid" })),
    ]
}

/// Records about the borrower, the contract and its dealings.
fn record_types() -> Vec<EventType> {
    let reason = || ("reason", text());
    let number = || ("number", maybe(&reference("number")));
    vec![
        (
            "cause_recorded",
            vec![
                ("cause", json!({ "enum": ["temporary", "long_term", "unknown"] })),
                ("by", named()),
                reason(),
            ],
            vec![("until", maybe(&reference("date")))],
            json!({ "cause": "temporary", "by": "branch-7", "reason": "ill", "until": "2023-12-01" }),
        ),
        (
            "score_recorded",
            vec![("score", reference("number")), ("by", named())],
            vec![("until", maybe(&reference("date")))],
            json!({ "score": 640, "by": "scoring", "until": "2024-10-05" }),
        ),
        ("payment_in_process", vec![("until", reference("date"))], vec![], json!({ "until": "2023-10-08" })),
        ("payment_process_ended", vec![reason()], vec![], json!({ "reason": "returned by the bank" })),
        (
            "notice_sent",
            vec![],
            vec![("stage", named()), ("policy_version", reference("number"))],
            json!({ "stage": "frozen" }),
        ),
        (
            "fee_waived",
            vec![reason()],
            vec![number(), ("amount", maybe(&reference("amount")))],
            json!({ "number": 1, "amount": "1.50", "reason": "hardship" }),
        ),
        (
            "contact_changed",
            vec![("channel", reference("channel")), ("changed_by", text())],
            vec![("contact_point", maybe(&text())), ("name", maybe(&text()))],
            json!({
                "channel": "email", "contact_point": "li@example.org", "name": "Li", "changed_by": "branch-7",
            }),
        ),
        (
            "promise_made",
            vec![
                ("promise_id", reference("id")),
                ("amount", reference("amount")),
                ("until", reference("date")),
            ],
            vec![],
            json!({ "promise_id": "PR-1", "amount": "250.00", "until": "2023-10-20" }),
        ),
        (
            "promise_ended",
            vec![("promise_id", reference("id")), ("outcome", json!({ "enum": ["kept", "broken"] }))],
            vec![],
            json!({ "promise_id": "PR-1", "outcome": "kept" }),
        ),
        (
            "dispute_opened",
            vec![("dispute_id", reference("id")), reason()],
            vec![],
            json!({ "dispute_id": "D-1", "reason": "paid at a branch" }),
        ),
        (
            "dispute_closed",
            vec![
                ("dispute_id", reference("id")),
                ("outcome", json!({ "enum": ["upheld", "rejected", "withdrawn"] })),
            ],
            vec![],
            json!({ "dispute_id": "D-1", "outcome": "rejected" }),
        ),
        ("bureau_reported", vec![], vec![], json!({})),
    ]
}

pub(super) fn event() -> Value {
    one_of(&[])
}

/// An event with the sender's id.
pub(super) fn command() -> Value {
    one_of(&[("event_id", reference("id"), "core-2023-10-05-000171".into())])
}

/// One branch for each type; `more` are fields, with an example, that every type requires.
fn one_of(more: &[(&'static str, Value, Value)]) -> Value {
    let branches = event_types().into_iter().map(|(name, required, optional, example)| {
        let mut all = vec![
            ("at", reference("instant")),
            ("type", json!({ "const": name })),
            ("account_id", reference("id")),
        ];
        let mut whole = json!({ "at": "2023-10-05T09:30:00+08:00", "type": name, "account_id": "A-1" });
        for (field, schema, example) in more {
            all.push((*field, schema.clone()));
            whole[*field] = example.clone();
        }
        if let (Value::Object(whole), Value::Object(example)) = (&mut whole, example) {
            whole.extend(example);
        }
        all.extend(required);
        let mut branch = object(&all, &optional);
        if name == "notice_sent" {
            branch["oneOf"] = json!([{ "required": ["stage"] }, { "required": ["policy_version"] }]);
        }
        branch["title"] = name.into();
        branch["examples"] = json!([whole]);
        branch
    });
    json!({ "oneOf": branches.collect::<Vec<_>>() })
}
