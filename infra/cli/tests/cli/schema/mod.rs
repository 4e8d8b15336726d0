//! The schemas accept exactly the values that the parsers accept: both are checked against each other with
//! the examples of every event type, a sample portfolio and the shipped policies, and with systematic
//! mistakes in them.

mod validator;

use std::collections::BTreeSet;
use std::fs;

use chrono::TimeDelta;
use duewatch_cli::replay::{Engine, Outputs, ReplayCase, replay};
use duewatch_cli::sample::{self, Sample};
use duewatch_cli::schema::{Format, schema};
use duewatch_domain::commands::event_line;
use duewatch_domain::formats::{EVENT_TYPES, book_line, parse_book_line, parse_event_line, parse_message};
use duewatch_domain::policy;
use duewatch_domain::policy::presets::PRESETS;
use rstest::rstest;
use serde_json::{Value, json};

use self::validator::Validator;

const FORMATS: [Format; 5] =
    [Format::Policy, Format::Account, Format::Command, Format::Decision, Format::Event];

fn validator(format: Format) -> Validator {
    Validator::new(schema(format))
}

#[track_caller]
fn assert_valid(validator: &Validator, json: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    if let Err(error) = validator.validate(&value) {
        panic!("{error}\n{json}");
    }
}

/// The examples of a schema, from each of its branches.
fn examples(format: Format) -> Vec<Value> {
    let branches = schema(format)["oneOf"].as_array().unwrap().clone();
    branches.iter().map(|branch| branch["examples"][0].clone()).collect()
}

/// The parser's refusal of a value, if any.
fn parsed(format: Format, value: &Value) -> Result<(), String> {
    match format {
        Format::Account => parse_book_line(&value.to_string()).map(drop).map_err(|error| error.to_string()),
        Format::Command => parse_message(&value.to_string()).map(drop).map_err(|error| error.to_string()),
        Format::Event => parse_event_line(&value.to_string()).map(drop).map_err(|error| error.to_string()),
        Format::Policy => policy::parse(&toml(value)).map(drop).map_err(|error| error.to_string()),
        Format::Decision => unreachable!("decisions are written, never read"),
    }
}

/// A policy's JSON as TOML. A string that begins like a date becomes one.
fn toml(policy: &Value) -> String {
    fn inline(value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name} = {}", inline(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(inline).collect();
                format!("[{}]", items.join(", "))
            }
            Value::String(text) if text.starts_with("20") && text.len() == 10 => text.clone(),
            other => other.to_string(),
        }
    }
    let fields = policy.as_object().unwrap();
    fields.iter().map(|(name, value)| format!("{name} = {}\n", inline(value))).collect()
}

/// The accepted values in which the mistakes are made.
fn documents(format: Format) -> Vec<Value> {
    match format {
        Format::Event | Format::Command => examples(format),
        Format::Account => vec![examples(Format::Event)[0]["account"].clone()],
        Format::Policy => vec![json!({
            "id": "p", "version": 1, "effective_on": "2026-01-01", "day_count": "due_day", "grace_days": 3,
            "waterfall": ["penalty", "fee", "interest", "principal"],
            "stages": [
                { "name": "late", "when": {
                    "delinquent_days": 1, "days_past_due": 1, "overdue_amount": "1.00", "overdue_share": "0.5",
                    "unpaid_installments": 1, "cause": "long_term", "score_at_most": 480,
                } },
                { "name": "worse", "when": { "delinquent_days": 2, "overdue_share": 0.75 }, "restrictions": [
                    { "kind": "limit_credit_line", "percent": 50 },
                    { "kind": "raise_rate", "percent": 130 },
                    { "kind": "freeze_drawdown", "notice_days": 7, "except": ["draw_for_wages"] },
                    { "kind": "no_new_cards", "notice_days": 3, "blocks": ["order_card"], "except": ["replace_card"] },
                ] },
            ],
            "promise": { "max_days": 14 },
            "dispute": { "holds_days": 60 },
            "cases": { "appeal": {
                "file_within": { "amount": 14, "unit": "days", "from": "event" },
                "acknowledge": { "amount": 5, "unit": "business_days", "calendar": "cn", "breach": ["escalate"] },
                "answer": { "amount": 30, "unit": "days", "extended_to": [45], "breach": ["escalate", "uphold"] },
                "escalate": { "amount": 25, "unit": "days" }, "not_before": { "amount": 7, "unit": "days" },
                "team": "complaints", "holds": ["restrictions", "contact"], "holds_days": 30,
                "repeat": { "at_most": 2, "within_days": 365 },
                "clock_stop": { "reasons": ["waiting_for_borrower"], "at_most_days": 30 },
            } },
            "contact": {
                "language": "zh",
                "quiet_hours": [{ "from": "22:00", "until": "08:00", "channels": ["phone"], "unless_agreed": true }],
                "caps": [{ "channels": ["phone"], "at_most": 3, "days": 1, "per": "person", "counts": "unanswered" }],
                "after_conversation_days": { "channels": ["phone"], "days": 7, "per": "account" },
                "consent_required": ["sms"], "opt_out": ["sms", "email"],
                "complaint": { "quiet_days": 30, "min_gap_days": 7, "min_gap_for_days": 180 },
                "breathing_space": { "days": 60, "once_in_months": 12, "mental_health_extra_days": 30 },
                "contact_persons": { "delinquent_days": 30, "failed_attempts": 3, "template": "contact_person" },
                "address": "https://example.org",
                "how_to_pay": { "zh": "柜台", "en": "at a branch" }, "how_to_appeal": { "zh": "来信", "en": "write" },
            },
            "reminders": { "send_at": "10:00", "steps": [
                { "stage": "late", "days": -3, "channels": ["app", "sms"], "template": "soon", "from": "due",
                  "every_days": 2, "at_most": 2, "unless_reported": true },
                { "stage": "late", "days": 0, "channel": "sms", "template": "begun", "from": "stage" },
                { "stage": "late", "days": 5, "channel": "sms", "template": "late", "notice_of": "worse" },
            ] },
            "overpayment": "last",
            "late_fee": {
                "daily_rate": "0.0005", "fixed": "1.00", "free_days": 5, "cap_per_installment": 0.1,
                "cap_per_installment_amount": "9.00", "cap_per_month": "20.00", "annual_cost_cap": "0.24",
                "contract_annual_rate": "0.15", "fee_arrears_count": true,
            },
            "business_days": { "calendar": "cn", "move": "next", "month_end": true },
            "calendars": { "own": {
                "source": "the bank", "from": "2026-01-01", "to": "2026-12-31", "weekend": ["sunday"],
                "holidays": ["2026-01-01"], "working_days": [],
            } },
            "materiality": { "amount": "1.00", "share": "0.01", "exceed": "either" },
            "buffer": { "days": 5, "amount": "10.00", "months": 12 },
            "cause": { "temporary_holds_days": 30 },
            "payment_in_process": { "max_days": 5 },
            "operations": { "known": ["order_card"], "never_blocked": ["pay_wages"] },
            "customer": { "stage": "worse", "restrictions": [{ "kind": "freeze_drawdown" }] },
            "announcement": { "days": 30, "channel": "letter", "template": "new_terms" },
            "rollout": { "shares": ["0.01", 0.1, 1], "pause_days": 7 },
            "templates": { "new_terms": { "zh": "text = 新条款。", "en": "text = New terms." } },
            "classification": {
                "name": "five", "normal": "normal", "probation_from": "loss", "cured": "nothing_overdue",
                "classes": [{ "name": "loss", "days_past_due": 361 }],
                "probation_months": 3, "probation_after_forbearance_months": 12,
                "counts": "material_days",
            },
            "retention": { "history_days": 1825, "contact_log_days": 1095 },
        })],
        Format::Decision => vec![],
    }
}

/// The JSON pointers of all values within a value.
fn places(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            (0..).zip(items).map(|(place, item): (usize, _)| (place.to_string(), item)).collect()
        }
        _ => vec![],
    };
    let mut all = vec![at.to_owned()];
    for (name, child) in children {
        all.extend(places(child, &format!("{at}/{name}")));
    }
    all
}

#[test]
fn each_schema_refers_to_nothing_outside_itself_and_to_all_that_it_defines() {
    for format in FORMATS {
        let schema = schema(format);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let references: BTreeSet<String> = places(&schema, "")
            .iter()
            .filter_map(|place| schema.pointer(&format!("{place}/$ref"))?.as_str())
            .map(|reference| reference.strip_prefix("#/$defs/").unwrap().to_owned())
            .collect();
        let defined: BTreeSet<String> = schema["$defs"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(references, defined, "{format:?}");
    }
}

#[rstest]
#[case(Format::Event)]
#[case(Format::Command)]
fn every_event_type_has_a_branch_with_an_example(#[case] format: Format) {
    let schema = schema(format);
    let titles: Vec<&str> =
        schema["oneOf"].as_array().unwrap().iter().map(|branch| branch["title"].as_str().unwrap()).collect();
    assert_eq!(titles, EVENT_TYPES, "{format:?}");
}

/// The schema of events as it was published. Types, definitions and optional fields may be added; nothing else may
/// change.
const PUBLISHED: &str = include_str!("event.json");

#[test]
fn a_published_event_type_keeps_its_schema() {
    let (published, schema): (Value, _) = (serde_json::from_str(PUBLISHED).unwrap(), schema(Format::Event));
    let branches = schema["oneOf"].as_array().unwrap();
    let has_grown = |now: &Value, before: &Value, name: &str| {
        for (name, field) in before["properties"].as_object().into_iter().flatten() {
            assert_eq!(&now["properties"][name], field, "{name}");
        }
        for (key, value) in before.as_object().unwrap() {
            if key != "properties" && key != "examples" {
                assert_eq!(&now[key], value, "{name}: {key}");
            }
        }
    };
    for branch in published["oneOf"].as_array().unwrap() {
        let now = branches.iter().find(|one| one["title"] == branch["title"]).unwrap();
        has_grown(now, branch, branch["title"].as_str().unwrap());
    }
    for (name, definition) in published["$defs"].as_object().unwrap() {
        has_grown(&schema["$defs"][name], definition, name);
    }
}

#[rstest]
#[case(Format::Policy)]
#[case(Format::Account)]
#[case(Format::Command)]
#[case(Format::Event)]
fn what_is_documented_is_taken_by_both(#[case] format: Format) {
    let validator = validator(format);
    for document in documents(format) {
        assert_eq!(parsed(format, &document), Ok(()), "{document}");
        assert_valid(&validator, &document.to_string());
    }
}

/// The names in backticks that a refusal lists as expected.
fn expected_names(refusal: &str) -> BTreeSet<String> {
    let (_, expected) = refusal.split_once("expected ").unwrap_or_default();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The field names of every object in a schema, without those common to all events.
fn objects(schema: &Value) -> Vec<BTreeSet<String>> {
    let mut found = vec![];
    for place in places(schema, "") {
        if let Some(Value::Object(properties)) = schema.pointer(&format!("{place}/properties")) {
            found.push(without_the_common(properties.keys().cloned().collect()));
        }
    }
    found
}

fn without_the_common(mut names: BTreeSet<String>) -> BTreeSet<String> {
    for common in ["at", "type", "account_id", "event_id", "source", "actor"] {
        names.remove(common);
    }
    names
}

#[rstest]
#[case(Format::Policy)]
#[case(Format::Account)]
#[case(Format::Command)]
#[case(Format::Event)]
fn an_unknown_field_is_refused_by_both_and_both_know_the_same(#[case] format: Format) {
    let (validator, known) = (validator(format), objects(&schema(format)));
    for document in documents(format) {
        for place in places(&document, "") {
            let mut wrong = document.clone();
            let Some(Value::Object(fields)) = wrong.pointer_mut(&place) else { continue };
            fields.insert("unknown".to_owned(), 1.into());
            let refusal = parsed(format, &wrong).expect_err("the parser takes a field that is unknown");
            assert!(!validator.is_valid(&wrong), "{wrong}");
            let expected = without_the_common(expected_names(&refusal));
            // The names of calendars and templates are the lender's own.
            let is_any_name = ["/calendars", "/templates"].contains(&place.as_str());
            assert!(
                known.contains(&expected) || refusal.contains("restrictions[") || is_any_name,
                "the parser knows {expected:?}, and no object of the schema has exactly these: {refusal}"
            );
        }
    }
}

/// Places where the schema accepts more than the parser: a zone is one of hundreds, a contact point depends
/// on its channel, an account bears its event's id, a step names a stage of the ladder, a table a calendar or
/// a class that must exist.
const SAID_LESS_OF: [&str; 7] =
    ["/time_zone", "/contact_point", "/account_id", "/stage", "/calendar", "/notice_of", "/probation_from"];

#[rstest]
#[case(Format::Policy)]
#[case(Format::Account)]
#[case(Format::Command)]
#[case(Format::Event)]
fn what_is_missing_or_of_another_kind_is_refused_by_both(#[case] format: Format) {
    let validator = validator(format);
    let others =
        [json!(-1), json!(4_294_967_296_u64), json!("?"), json!(true), json!([]), json!({}), Value::Null];
    for document in documents(format) {
        for place in places(&document, "").into_iter().filter(|place| !place.is_empty()) {
            let mut variants: Vec<Value> = others
                .iter()
                .map(|other| {
                    let mut wrong = document.clone();
                    *wrong.pointer_mut(&place).unwrap() = other.clone();
                    wrong
                })
                .collect();
            let (parent, name) = place.rsplit_once('/').unwrap();
            let mut less = document.clone();
            if let Some(Value::Object(fields)) = less.pointer_mut(parent) {
                fields.remove(name);
                variants.push(less);
            }
            for variant in variants {
                // TOML has no null, and an account or a policy without a ladder is still valid.
                let is_toml_null = format == Format::Policy && variant.pointer(&place) == Some(&Value::Null);
                let said_less = SAID_LESS_OF.iter().any(|field| place.ends_with(field))
                    && variant.pointer(&place) == Some(&json!("?"));
                let said_of_another =
                    format == Format::Policy && (place.ends_with("/name") || place == "/stages");
                if !is_toml_null && !said_less && !said_of_another {
                    let parsed = parsed(format, &variant);
                    // The announced measure of a notice is a stage's.
                    if parsed.as_ref().is_err_and(|refusal| refusal.contains("notice_of: no stage")) {
                        continue;
                    }
                    assert_eq!(
                        validator.is_valid(&variant),
                        parsed.is_ok(),
                        "{place}: {parsed:?}\n{variant}"
                    );
                }
            }
        }
    }
}

#[rstest]
#[case(Format::Policy)]
#[case(Format::Account)]
#[case(Format::Command)]
#[case(Format::Event)]
fn a_word_of_a_list_is_refused_with_the_list_of_the_schema(#[case] format: Format) {
    let schema = schema(format);
    let lists: Vec<BTreeSet<String>> = places(&schema, "")
        .iter()
        .filter_map(|place| schema.pointer(&format!("{place}/enum")))
        .map(|list| list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect())
        .collect();
    for document in documents(format) {
        for place in places(&document, "").into_iter().filter(|place| !place.is_empty()) {
            let mut wrong = document.clone();
            *wrong.pointer_mut(&place).unwrap() = json!("?");
            let refusal = parsed(format, &wrong).err().filter(|refusal| refusal.contains("unknown variant"));
            if let Some(refusal) = refusal {
                assert!(
                    lists.contains(&expected_names(&refusal)),
                    "{place}: no such list in the schema: {refusal}"
                );
            }
        }
    }
}

#[test]
fn a_sample_book_its_events_and_its_decisions_are_valid() {
    let sample = Sample::new(40, 90, 7).unwrap();
    let (account, event) = (validator(Format::Account), validator(Format::Event));
    for line in &sample.book {
        assert_valid(&account, &book_line(&line.value));
    }
    for line in &sample.events {
        assert_valid(&event, &event_line(&line.value));
    }
    let Sample { policy, book, events, from, to } = sample;
    let case =
        ReplayCase::new(vec![policy], &book, events, "events.jsonl".into(), from, to, TimeDelta::minutes(15))
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let decisions = folder.path().join("decisions.jsonl");
    replay(&case, Engine::Pure, &Outputs { daily: None, decisions: Some(decisions.clone()), contacts: None })
        .unwrap();
    let decision = validator(Format::Decision);
    let lines = fs::read_to_string(decisions).unwrap();
    assert!(lines.lines().count() > 50, "{}", lines.lines().count());
    for line in lines.lines() {
        assert_valid(&decision, line);
    }
    let mut longer: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    longer["unknown"] = 1.into();
    assert!(!decision.is_valid(&longer));
}

#[test]
fn the_policies_that_are_shipped_are_valid() {
    let validator = validator(Format::Policy);
    let texts = PRESETS.iter().map(|preset| preset.text).chain([sample::POLICY]);
    for text in texts {
        assert_valid(&validator, &json_of(&text.parse().unwrap()).to_string());
    }
}

/// A TOML document as JSON, its dates as strings.
fn json_of(table: &toml::Table) -> Value {
    fn value(toml: &toml::Value) -> Value {
        match toml {
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Table(table) => json_of(table),
            toml::Value::Array(items) => items.iter().map(value).collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    Value::Object(table.iter().map(|(name, one)| (name.clone(), value(one))).collect())
}
