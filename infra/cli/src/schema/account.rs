//! The schema of the portfolio file.

use serde_json::{Value, json};

use super::parts::{list, maybe, object, reference};

pub(super) fn account() -> Value {
    let zone =
        json!({ "description": "an IANA name, such as Asia/Shanghai", "type": "string", "minLength": 1 });
    object(
        &[
            ("account_id", reference("id")),
            ("customer_id", reference("id")),
            ("policy_id", reference("id")),
            ("currency", reference("currency")),
            ("time_zone", zone),
            ("opened_on", reference("date")),
            ("installments", list(&reference("installment"))),
        ],
        &[],
    )
}

pub(super) fn installment() -> Value {
    object(
        &[("number", reference("number")), ("due_on", reference("date")), ("principal", reference("amount"))],
        &[
            ("interest", reference("amount")),
            ("fee", reference("amount")),
            ("draw_id", maybe(&reference("id"))),
        ],
    )
}
