//! Identifiers in a line: fit to be printed wherever they are shown.

use serde_json::{Map, Value};

use super::FormatError;
use crate::kernel::{NoId, check_incoming_id};

/// Checks each identifier in the fields of a line, at any depth: the texts under `id`, `source` and the keys that
/// end in `_id`. Of other types the reader of the field complains.
///
/// # Errors
/// The path of the first one that is unfit, and its fault.
pub(super) fn check_ids(fields: &Map<String, Value>) -> Result<(), FormatError> {
    check_fields(fields)
        .map_err(|(path, problem)| FormatError::new(path.trim_start_matches('.'), problem.to_string()))
}

/// The path, with its leading dot, is made only for a fault.
fn check_fields(fields: &Map<String, Value>) -> Result<(), (String, NoId)> {
    fields.iter().try_for_each(|(key, value)| match value {
        Value::String(text) if is_id(key) => {
            check_incoming_id(text).map_err(|problem| (format!(".{key}"), problem))
        }
        other => check_value(other).map_err(|(path, problem)| (format!(".{key}{path}"), problem)),
    })
}

fn check_value(value: &Value) -> Result<(), (String, NoId)> {
    match value {
        Value::Object(fields) => check_fields(fields),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(place, item)| {
            check_value(item).map_err(|(path, problem)| (format!("[{place}]{path}"), problem))
        }),
        _ => Ok(()),
    }
}

fn is_id(key: &str) -> bool {
    key == "id" || key == "source" || key.ends_with("_id")
}
