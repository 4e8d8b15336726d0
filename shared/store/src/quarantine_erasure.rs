//! Erasure of personal text in quarantined records.
//!
//! A payload is whatever a system sent. Where it names a customer or one of the customer's accounts, the fields that
//! may hold text about a person are erased; the rest stays, so that money in quarantine can still be taken.

use chrono::NaiveDate;
use duewatch_domain::commands::ERASED;
use serde_json::Value;

use crate::{Store, StoreError};

/// The fields of commands, receipts, contact points and accounts that may hold text about a person. An account says
/// under `enforcement_off` why its enforcement is off.
const PERSONAL: [&str; 7] =
    ["reason", "note", "name", "contact_point", "number", "relation", "enforcement_off"];

/// How deep texts that hold JSON themselves are searched: a queue's record holds a message, a topic's both.
const MAX_NESTED: usize = 4;

impl Store {
    /// Erases the personal text of the records quarantined on a date (UTC) that name one of `ids`. Returns how many
    /// were changed. A repeated call changes nothing.
    ///
    /// # Errors
    /// When the day has more than `at_most` pages, a call fails or an item cannot be read.
    pub async fn erase_in_quarantine(
        &self,
        date: NaiveDate,
        ids: &[&str],
        at_most: usize,
    ) -> Result<u64, StoreError> {
        let (mut erased, mut walk) = (0, self.walk_quarantine(date, at_most));
        while let Some(page) = walk.next_page().await? {
            for record in page {
                if let Some(payload) = without_personal_text(&record.payload, ids) {
                    erased += u64::from(self.replace_payload(&record, payload).await?);
                }
            }
        }
        Ok(erased)
    }
}

/// The payload without its personal text; none: it names none of the ids, or holds no such text.
fn without_personal_text(payload: &str, ids: &[&str]) -> Option<String> {
    let Ok(mut value) = serde_json::from_str::<Value>(payload) else {
        // What nobody can read cannot be taken either.
        let is_theirs = ids.iter().any(|id| payload.contains(id)) && payload != ERASED;
        return is_theirs.then(|| ERASED.to_owned());
    };
    (names_any(&value, ids, MAX_NESTED) && erase(&mut value, MAX_NESTED)).then(|| value.to_string())
}

/// The payload of a stream record without the personal text of the item as it was before; none: it holds no such text.
///
/// No function reads a text there. The record of an erasing write bears the erased text itself, and where it is
/// quarantined, it comes to lie here after the erasure has been here.
pub(crate) fn without_former_text(payload: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(payload).ok()?;
    let before = value.get_mut("dynamodb")?.get_mut("OldImage")?;
    erase(before, MAX_NESTED).then(|| value.to_string())
}

/// The JSON object or list that a text holds.
fn nested(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

fn names_any(value: &Value, ids: &[&str], depth: usize) -> bool {
    match value {
        Value::String(text) if ids.contains(&text.as_str()) => true,
        Value::String(text) if depth > 0 => {
            nested(text).is_some_and(|inner| names_any(&inner, ids, depth - 1))
        }
        Value::Array(all) => all.iter().any(|one| names_any(one, ids, depth)),
        Value::Object(fields) => fields.values().any(|one| names_any(one, ids, depth)),
        _ => false,
    }
}

/// Erases personal fields, and returns whether there were any.
fn erase(value: &mut Value, depth: usize) -> bool {
    match value {
        Value::String(text) if depth > 0 => {
            let Some(mut inner) = nested(text) else { return false };
            let erased = erase(&mut inner, depth - 1);
            if erased {
                *text = inner.to_string();
            }
            erased
        }
        Value::Array(all) => all.iter_mut().fold(false, |erased, one| erase(one, depth) | erased),
        Value::Object(fields) => fields.iter_mut().fold(false, |erased, (name, one)| {
            let is_personal = PERSONAL.contains(&name.as_str());
            let found = match one {
                Value::String(text) if is_personal => {
                    let is_new = text != ERASED;
                    ERASED.clone_into(text);
                    is_new
                }
                // A stream's image names the type of each value.
                Value::Object(typed) if is_personal && typed.len() == 1 && typed.contains_key("S") => {
                    typed.insert("S".to_owned(), ERASED.into()) != Some(ERASED.into())
                }
                one => erase(one, depth),
            };
            found | erased
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::of_another(r#"{"account_id":"A-9","reason":"HIV"}"#, None)]
    #[case::nothing_personal(r#"{"account_id":"A-1","amount":"5.00"}"#, None)]
    #[case::erased_before(r#"{"account_id":"A-1","reason":"erased"}"#, None)]
    #[case::a_command(
        r#"{"account_id":"A-1","amount":"5.00","reason":"HIV"}"#,
        Some(r#"{"account_id":"A-1","amount":"5.00","reason":"erased"}"#)
    )]
    #[case::a_message_in_a_record(
        r#"{"body":"{\"account_id\":\"A-1\",\"reason\":\"HIV\"}"}"#,
        Some(r#"{"body":"{\"account_id\":\"A-1\",\"reason\":\"erased\"}"}"#)
    )]
    #[case::an_image(
        r#"{"account_id":{"S":"A-1"},"reason":{"S":"HIV"},"number":{"N":"3"}}"#,
        Some(r#"{"account_id":{"S":"A-1"},"number":{"N":"3"},"reason":{"S":"erased"}}"#)
    )]
    #[case::why_enforcement_is_off_in_an_image(
        r#"{"account_id":{"S":"A-1"},"enforcement_off":{"S":"HIV"}}"#,
        Some(r#"{"account_id":{"S":"A-1"},"enforcement_off":{"S":"erased"}}"#)
    )]
    #[case::no_json("A-1: HIV", Some("erased"))]
    #[case::no_json_of_another("A-9: HIV", None)]
    fn personal_text_goes_and_the_rest_stays(#[case] payload: &str, #[case] expected: Option<&str>) {
        assert_eq!(without_personal_text(payload, &["A-1", "C-1"]).as_deref(), expected);
    }

    #[rstest]
    #[case::an_erasing_write(
        r#"{"dynamodb":{"NewImage":{"reason":{"S":"erased"}},"OldImage":{"reason":{"S":"HIV"},"revision":{"N":"3"}}}}"#,
        Some(r#"{"dynamodb":{"NewImage":{"reason":{"S":"erased"}},"OldImage":{"reason":{"S":"erased"},"revision":{"N":"3"}}}}"#)
    )]
    #[case::a_write_that_adds_it(
        r#"{"dynamodb":{"NewImage":{"reason":{"S":"HIV"}},"OldImage":{"revision":{"N":"3"}}}}"#,
        None
    )]
    #[case::an_item_that_is_new(r#"{"dynamodb":{"NewImage":{"reason":{"S":"HIV"}}}}"#, None)]
    #[case::of_a_queue(r#"{"body":"HIV"}"#, None)]
    fn a_text_of_the_item_before_a_change_is_not_kept(#[case] payload: &str, #[case] expected: Option<&str>) {
        assert_eq!(without_former_text(payload).as_deref(), expected);
    }
}
