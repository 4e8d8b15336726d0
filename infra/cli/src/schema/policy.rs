//! The schema of the policy.

use duewatch_domain::policy::{
    CaseKind, MAX_APPROVAL_WITHIN_DAYS, MAX_BUCKETS, MAX_BUSINESS_DAYS, MAX_CLASSES, MAX_COHORTS, MAX_DAYS,
    MAX_EXTENSIONS, MAX_MONTHS, MAX_OPERATIONS, MAX_PROBATION_MONTHS, MAX_REMINDER_STEPS, MAX_REMINDERS,
    MAX_RESTRICTIONS, MAX_STAGES, MAX_STOP_REASONS, MAX_TEMPLATE_BYTES, MAX_TEMPLATES, MIN_KEPT_DAYS,
    RestrictionKind,
};
use serde_json::{Value, json};

use super::contact::contact;
use super::parts::{Field, list, object, reference, template, text};

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
            ("overpayment", json!({ "enum": ["next", "last", "credit"] })),
            ("late_fee", late_fee()),
            ("business_days", business_days()),
            ("calendars", calendars()),
            ("stages", json!({ "type": "array", "items": stage(), "maxItems": MAX_STAGES })),
            ("materiality", materiality()),
            ("buffer", first_lapse_tolerance()),
            ("cause", object(&[("temporary_holds_days", some_days())], &[])),
            ("payment_in_process", object(&[("max_days", some_days())], &[])),
            ("promise", object(&[("max_days", some_days())], &[])),
            ("dispute", object(&[("holds_days", some_days())], &[])),
            ("holds", object(&[], &[("at_most_days", some_days()), ("hold_days", some_days())])),
            ("cases", cases()),
            ("approval", approval()),
            ("operations", object(&[], &[("known", operations()), ("never_blocked", operations())])),
            ("announcement", announcement()),
            ("rollout", rollout()),
            ("reminders", reminders()),
            ("contact", contact()),
            ("customer", customer()),
            ("classification", classification()),
            ("buckets", buckets()),
            ("templates", templates()),
            ("retention", object(&[], &[("history_days", kept_days()), ("contact_log_days", kept_days())])),
        ],
    )
}

/// A table for each kind that can be opened.
fn cases() -> Value {
    let kinds = CaseKind::NAMES.map(|kind| (kind, case_kind()));
    object(&[], &kinds)
}

/// A kind of case: with a team, to which something may escalate, or without.
fn case_kind() -> Value {
    json!({ "anyOf": [case_kind_of(true), case_kind_of(false)] })
}

fn case_kind_of(has_team: bool) -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9_]{1,64}$" });
    let reasons = json!({ "type": "array", "items": name, "minItems": 1, "maxItems": MAX_STOP_REASONS });
    let held = json!({ "enum": ["restrictions", "contact"] });
    let escalates: &[&str] = if has_team { &["escalate"] } else { &[] };
    let answers: &[&str] = if has_team { &["escalate", "uphold"] } else { &["uphold"] };
    let mut required = vec![("answer", case_term(Some(answers), true))];
    let mut optional = vec![
        ("file_within", case_term(None, false)),
        ("acknowledge", case_term(Some(escalates), false)),
        ("not_before", case_term(None, false)),
        ("holds", json!({ "type": "array", "items": held, "minItems": 1 })),
        ("holds_days", some_days()),
        ("repeat", object(&[("at_most", some_days()), ("within_days", some_days())], &[])),
        ("clock_stop", object(&[("reasons", reasons), ("at_most_days", some_days())], &[])),
    ];
    if has_team {
        required.push(("team", name));
        optional.push(("escalate", case_term(Some(escalates), false)));
    }
    let mut kind = object(&required, &optional);
    kind["dependentRequired"] = json!({ "holds": ["holds_days", "repeat"], "holds_days": ["holds"] });
    kind
}

/// A term with the consequences of a missed deadline; none: nobody can miss it. Business days are those of a named
/// calendar.
fn case_term(breaches: Option<&[&str]>, is_extended: bool) -> Value {
    let mut optional = vec![("from", json!({ "enum": ["opened", "event"] }))];
    match breaches {
        None => {}
        Some([]) => optional.push(("breach", json!({ "type": "array", "maxItems": 0 }))),
        Some(breaches) => {
            optional.push(("breach", json!({ "type": "array", "items": { "enum": breaches } })));
        }
    }
    if is_extended {
        let longer = json!({ "type": "array", "items": some_days(), "maxItems": MAX_EXTENSIONS });
        optional.push(("extended_to", longer));
    }
    let units = ["days", "business_days", "months"];
    let other = json!({ "enum": units, "not": { "const": "business_days" } });
    let days = json!({ "type": "integer", "minimum": 1, "maximum": MAX_BUSINESS_DAYS });
    let others = [("amount", some_days()), ("unit", other)];
    let business = json!({ "enum": units, "const": "business_days" });
    let business = [("amount", days), ("unit", business), ("calendar", text())];
    json!({ "anyOf": [object(&others, &optional), object(&business, &optional)] })
}

/// At least one of the two limits.
fn approval() -> Value {
    let within = json!({ "type": "integer", "minimum": 1, "maximum": MAX_APPROVAL_WITHIN_DAYS });
    let mut approval =
        object(&[], &[("amount_above", amount()), ("pause_days_above", days()), ("within_days", within)]);
    approval["anyOf"] = json!([{ "required": ["amount_above"] }, { "required": ["pause_days_above"] }]);
    approval
}

/// At least one day.
fn some_days() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": MAX_DAYS })
}

fn kept_days() -> Value {
    json!({ "type": "integer", "minimum": MIN_KEPT_DAYS, "maximum": MAX_DAYS })
}

fn months(least: u32, most: u32) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// An amount of money: never negative.
fn amount() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,15}(\\.[0-9]{1,12})?$" })
}

/// A share or a rate: a decimal, or the same in a string.
fn rate(most: u32) -> Value {
    json!({ "anyOf": [
        { "type": "number", "minimum": 0, "maximum": most },
        { "type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,12})?$" },
    ]})
}

/// Decimals of at most nine places, up to 0.01, 1 and 10: the bounds of a late fee's rates.
const DAILY_RATE: &str = r"0(\.0|\.00[0-9]{0,7}|\.010{0,7})?";
const UP_TO_ONE: &str = r"0(\.[0-9]{1,9})?|1(\.0{1,9})?";
const UP_TO_TEN: &str = r"[0-9](\.[0-9]{1,9})?|10(\.0{1,9})?";

const TIMES: &str = r"[0-9](\.[0-9]{1,3})?|10(\.0{1,3})?";

/// A number up to `most`, or the same as a decimal in a string.
fn decimal(most: &str, pattern: &str) -> Value {
    let most: serde_json::Number = most.parse().unwrap_or_else(|_| 0.into());
    json!({ "anyOf": [
        { "type": "number", "minimum": 0, "maximum": most },
        { "type": "string", "pattern": format!("^({pattern})$") },
    ]})
}

/// A name of the lender's own.
fn name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 64 })
}

fn operations() -> Value {
    json!({
        "type": "array",
        "items": { "type": "string", "pattern": "^[a-z0-9_]{1,64}$" },
        "maxItems": MAX_OPERATIONS,
    })
}

fn late_fee() -> Value {
    let mut fee = object(
        &[],
        &[
            ("daily_rate", decimal("0.01", DAILY_RATE)),
            ("contract_rate_times", decimal("10", TIMES)),
            ("fixed", amount()),
            ("per_stage", json!({ "type": "object", "additionalProperties": amount() })),
            ("per_letter", amount()),
            ("free_days", days()),
            ("cap_per_installment", decimal("1", UP_TO_ONE)),
            ("cap_per_installment_amount", amount()),
            ("cap_per_month", amount()),
            ("annual_cost_cap", decimal("10", UP_TO_TEN)),
            ("contract_annual_rate", decimal("10", UP_TO_TEN)),
            ("fee_arrears_count", json!({ "type": "boolean" })),
        ],
    );
    let each = ["daily_rate", "contract_rate_times", "fixed", "per_stage", "per_letter"];
    fee["anyOf"] = each.iter().map(|field| json!({ "required": [field] })).collect();
    fee["not"] = json!({ "required": ["daily_rate", "contract_rate_times"] });
    fee["dependentRequired"] =
        json!({ "annual_cost_cap": ["contract_annual_rate"], "contract_annual_rate": ["annual_cost_cap"] });
    fee
}

fn business_days() -> Value {
    let moves = json!({ "enum": ["next", "previous", "modified_next", "modified_previous"] });
    object(&[("calendar", name()), ("move", moves)], &[("month_end", json!({ "type": "boolean" }))])
}

fn calendars() -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let calendar = object(
        &[
            ("source", text()),
            ("from", reference("date")),
            ("to", reference("date")),
            ("weekend", list(&json!({ "enum": days }))),
        ],
        &[("holidays", list(&reference("date"))), ("working_days", list(&reference("date")))],
    );
    json!({ "type": "object", "additionalProperties": calendar })
}

fn materiality() -> Value {
    let exceed = json!({ "enum": ["both", "either"] });
    object(&[], &[("amount", amount()), ("share", rate(1)), ("exceed", exceed)])
}

fn first_lapse_tolerance() -> Value {
    object(&[("days", some_days()), ("amount", amount()), ("months", months(1, MAX_MONTHS))], &[])
}

fn announcement() -> Value {
    object(&[("days", some_days()), ("channel", reference("channel")), ("template", template())], &[])
}

fn rollout() -> Value {
    let shares = json!({ "type": "array", "items": rate(1), "minItems": 1, "maxItems": MAX_COHORTS });
    object(&[("shares", shares), ("pause_days", some_days())], &[])
}

/// Restrictions of other accounts wait for no notice of their own.
fn customer() -> Value {
    let restrictions = json!({
        "type": "array",
        "items": restriction_with(&[]),
        "minItems": 1,
        "maxItems": MAX_RESTRICTIONS,
    });
    object(&[("stage", name()), ("restrictions", restrictions)], &[])
}

fn classification() -> Value {
    let class = object(&[("name", name()), ("days_past_due", some_days())], &[]);
    let classes = json!({ "type": "array", "items": class, "minItems": 1, "maxItems": MAX_CLASSES });
    let cured = json!({ "enum": ["nothing_overdue", "below_threshold"] });
    object(
        &[("name", name()), ("normal", name()), ("classes", classes)],
        &[
            ("probation_from", name()),
            ("cured", cured),
            ("probation_months", months(0, MAX_PROBATION_MONTHS)),
            ("probation_after_forbearance_months", months(0, MAX_PROBATION_MONTHS)),
            ("counts", json!({ "enum": ["days_past_due", "material_days"] })),
        ],
    )
}

fn buckets() -> Value {
    let bucket = object(&[("name", name()), ("days_past_due", some_days())], &[]);
    json!({ "type": "array", "items": bucket, "maxItems": MAX_BUCKETS })
}

/// Templates, by name.
fn templates() -> Value {
    let words = json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEMPLATE_BYTES });
    json!({
        "type": "object",
        "additionalProperties": object(&[("zh", words.clone()), ("en", words)], &[]),
        "maxProperties": MAX_TEMPLATES,
    })
}

/// A count, of days or of installments.
fn days() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": MAX_DAYS })
}

/// The four components, or the twelve that distinguish past due, due and in advance; each once.
fn waterfall() -> Value {
    let components = ["penalty", "fee", "interest", "principal"];
    let classes = ["past_due", "due", "in_advance"];
    let twelve: Vec<String> =
        classes.iter().flat_map(|class| components.map(|component| format!("{class}_{component}"))).collect();
    let each_once = |names: Value, count: usize| {
        json!({
            "type": "array",
            "items": { "enum": names },
            "minItems": count,
            "maxItems": count,
            "uniqueItems": true,
        })
    };
    json!({
        "description": "which component is settled first",
        "oneOf": [each_once(json!(components), 4), each_once(json!(twelve), 12)],
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
            ("overdue_amount", amount()),
            ("overdue_share", share),
            ("unpaid_installments", days()),
            ("cause", json!({ "enum": ["temporary", "long_term", "unknown"] })),
            ("score_at_most", reference("number")),
        ],
    );
    when["minProperties"] = 1.into();
    when
}

/// The restriction kinds that have options of their own, and the lender's own names. Only these names take
/// `blocks`: the other kinds block a fixed set.
pub(super) fn restriction() -> Value {
    restriction_with(&[("notice_days", days())])
}

/// A restriction with the given options and `except`.
fn restriction_with(options: &[Field]) -> Value {
    let with = |more: &[Field]| [options, more, &[("except", operations())][..]].concat();
    let (mut kinds, mut plain) = (Vec::new(), Vec::new());
    for kind in &RestrictionKind::SHIPPED {
        let Some(bounds) = kind.percent_bounds() else {
            plain.push(kind.as_str());
            continue;
        };
        let (least, most) = bounds.range.into_inner();
        let percent = ("percent", json!({ "type": "integer", "minimum": least, "maximum": most }));
        let name = ("kind", json!({ "const": kind.as_str() }));
        kinds.push(if bounds.required {
            object(&[name, percent], &with(&[]))
        } else {
            object(&[name], &with(&[percent]))
        });
    }
    kinds.push(object(&[("kind", json!({ "enum": plain }))], &with(&[])));
    let own = json!({
        "type": "string",
        "pattern": "^[a-z0-9_]{1,64}$",
        "not": { "enum": RestrictionKind::SHIPPED.each_ref().map(RestrictionKind::as_str) },
    });
    kinds.push(object(&[("kind", own)], &with(&[("blocks", operations())])));
    json!({ "oneOf": kinds })
}

/// A step has a channel, or channels in order of preference. A repeated step states its rate. A step that
/// counts from its stage comes no earlier than the stage. A notice leaves once, after the due date.
fn reminders() -> Value {
    let days = |least: i64| json!({ "type": "integer", "minimum": least, "maximum": MAX_DAYS });
    let channels =
        json!({ "type": "array", "items": reference("channel"), "minItems": 1, "uniqueItems": true });
    let unless_reported =
        |any: bool| if any { json!({ "type": "boolean" }) } else { json!({ "const": false }) };
    let often = json!({ "type": "integer", "minimum": 1, "maximum": MAX_REMINDERS });
    let step = |kind: &str| {
        let (least, notice) = match kind {
            "notice" => (1, true),
            "stage" => (0, false),
            _ => (-i64::from(MAX_DAYS), false),
        };
        let only = if kind == "stage" { "stage" } else { "due" };
        let from = json!({ "enum": ["due", "stage"], "const": only });
        let mut required = vec![("stage", text()), ("days", days(least)), ("template", template())];
        let mut optional = vec![
            ("channel", reference("channel")),
            ("channels", channels.clone()),
            ("unless_reported", unless_reported(!notice)),
        ];
        if notice {
            let never = json!({ "not": {} });
            required.push(("notice_of", name()));
            optional.extend([("every_days", never.clone()), ("at_most", never)]);
        } else {
            optional.push(("notice_of", json!({ "not": {} })));
            optional.push(("every_days", some_days()));
            optional.push(("at_most", often.clone()));
        }
        if kind == "stage" {
            required.push(("from", from))
        } else {
            optional.push(("from", from))
        }
        let mut step = object(&required, &optional);
        step["oneOf"] = json!([{ "required": ["channel"] }, { "required": ["channels"] }]);
        if !notice {
            step["dependentRequired"] = json!({ "every_days": ["at_most"], "at_most": ["every_days"] });
        }
        step
    };
    let step = json!({ "oneOf": [step("due"), step("stage"), step("notice")] });
    let mut steps = list(&step);
    steps["maxItems"] = MAX_REMINDER_STEPS.into();
    let time = json!({ "type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5]?[0-9]$" });
    object(&[("send_at", time)], &[("steps", steps)])
}
