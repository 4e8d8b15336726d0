//! The schema of the portfolio file.

use duewatch_domain::policy::MAX_RESTRICTIONS;
use serde_json::{Value, json};

use super::parts::{list, maybe, object, reference};

/// The account of an event that opens it: nothing restricts it yet.
pub(super) fn account() -> Value {
    with_restrictions(0)
}

/// A line of a portfolio file: an account, and the restrictions that the lender has in force already.
pub(super) fn portfolio_line() -> Value {
    with_restrictions(MAX_RESTRICTIONS)
}

fn with_restrictions(at_most: usize) -> Value {
    let restrictions = json!({ "type": "array", "items": reference("restriction"), "maxItems": at_most });
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
        &[("interest", maybe(&interest())), ("restrictions", restrictions)],
    )
}

fn interest() -> Value {
    let method = json!({ "enum": ["annuity", "equal_principal", "flat", "interest_only", "none"] });
    let rate = json!({
        "description": "a share of the principal a year: 0.12 is 12 %",
        "type": "string",
        "pattern": "^([0-9](\\.[0-9]{1,6})?|10(\\.0{1,6})?)$",
    });
    object(&[("method", method), ("annual_rate", rate)], &[])
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
