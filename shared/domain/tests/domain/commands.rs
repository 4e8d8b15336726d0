//! The definitions of the commands, and the canonical lines that stored checksums depend on.

use std::collections::BTreeSet;

use duewatch_domain::commands::{COMMANDS, CommandDescription, Presence, Shape, WireField, event_line};
use duewatch_domain::formats::{EVENT_TYPES, parse_event_line};
use rstest::rstest;
use serde_json::{Map, Value, json};

/// A line of every type, as it was written before commands were defined in one place: the checksum that
/// accounts store, a blank, and the line. Lines may be added; none may change.
const STORED: &str = include_str!("canonical_lines.txt");

#[test]
fn a_canonical_line_and_its_checksum_never_change() {
    for stored in STORED.lines() {
        let (checksum, line) = stored.split_once(' ').unwrap();
        let written = event_line(&parse_event_line(line).unwrap());
        assert_eq!(written, line);
        assert_eq!(format!("{:08x}", crc32fast::hash(written.as_bytes())), checksum, "{line}");
    }
}

#[test]
fn no_two_commands_have_one_event_type_or_one_field_twice() {
    let types: BTreeSet<&str> = EVENT_TYPES.into_iter().collect();
    assert_eq!(types.len(), COMMANDS.len());
    for command in COMMANDS {
        let fields: BTreeSet<&str> = command.fields.iter().map(|field| field.name).collect();
        assert_eq!(fields.len(), command.fields.len(), "{}", command.event_type);
        assert!(["at", "type", "account_id"].iter().all(|common| !fields.contains(common)));
    }
}

fn example(command: &CommandDescription) -> Map<String, Value> {
    let mut line: Map<String, Value> = serde_json::from_str(command.example).unwrap();
    line.insert("at".to_owned(), "2023-10-05T09:30:00+08:00".into());
    line.insert("type".to_owned(), command.event_type.into());
    line.insert("account_id".to_owned(), "A-1".into());
    line
}

fn parse(line: Map<String, Value>) -> Result<String, String> {
    let parsed = parse_event_line(&Value::Object(line).to_string());
    parsed.map(|event| event_line(&event)).map_err(|error| error.to_string())
}

#[test]
fn the_example_of_every_command_is_read_and_written_as_the_same_event() {
    for command in COMMANDS {
        let written = parse(example(command)).unwrap();
        assert_eq!(event_line(&parse_event_line(&written).unwrap()), written);
        assert!(written.contains(&format!("\"type\":\"{}\"", command.event_type)), "{written}");
    }
}

#[test]
fn a_field_may_be_left_out_exactly_where_its_definition_says_so() {
    for command in COMMANDS {
        let whole = example(command);
        for field in command.fields.iter().filter(|field| whole.contains_key(field.name)) {
            let mut less = whole.clone();
            less.remove(field.name);
            let parsed = parse(less);
            let place = format!("{}, {}: {parsed:?}", command.event_type, field.name);
            assert_eq!(parsed.is_ok(), field.presence == Presence::Optional, "{place}");
        }
    }
}

/// A value that the shape does not take.
fn misfit(shape: &Shape) -> Value {
    match shape {
        Shape::Nullable(shape) => misfit(shape),
        Shape::Defined(_) | Shape::OneOf(_) | Shape::Flag | Shape::Count { .. } => json!("?!".repeat(200)),
        Shape::Text | Shape::Name => json!(7),
        Shape::List { .. } | Shape::Object(_) => json!("?"),
    }
}

#[test]
fn a_value_of_another_shape_is_refused_with_the_name_of_its_field() {
    for command in COMMANDS {
        for WireField { name, shape, .. } in command.fields {
            let mut wrong = example(command);
            wrong.retain(|field, _| field != "stage" && field != "policy_version");
            wrong.insert((*name).to_owned(), misfit(shape));
            let refusal = parse(wrong).unwrap_err();
            let is_named = refusal.starts_with(&format!("{name}: ")) || *name == "account";
            assert!(is_named, "{}: {refusal}", command.event_type);
        }
    }
}

#[rstest]
#[case::pause("pause_started", &[("from", Shape::Defined("date")), ("until", Shape::Defined("date"))])]
#[case::waiver("fee_waived", &[
    ("number", Shape::Nullable(&Shape::Defined("number"))),
    ("amount", Shape::Nullable(&Shape::Defined("amount"))),
    ("reason", Shape::Text),
])]
#[case::approval("contact_person_approved", &[
    ("person_id", Shape::Defined("id")),
    ("by", Shape::Name),
    ("reason", Shape::Text),
])]
fn a_definition_states_its_fields_in_order(#[case] event_type: &str, #[case] expected: &[(&str, Shape)]) {
    let command = COMMANDS.iter().find(|command| command.event_type == event_type).unwrap();
    let fields: Vec<(&str, Shape)> = command.fields.iter().map(|field| (field.name, field.shape)).collect();
    assert_eq!(fields, expected);
}
