//! Delivery receipts: a provider's report on a message, as a JSON object.

use serde_json::Value;

use super::{FormatError, read_object};
use crate::contact::Receipt;
use crate::kernel::{MAX_REASON_BYTES, read_json};

/// Reads a delivery provider's report on a message.
///
/// # Errors
/// A [`FormatError`] that names the field. It does not repeat the reason, which may hold the borrower's own
/// words.
pub fn parse_receipt(body: &str) -> Result<Receipt, FormatError> {
    let receipt: Receipt = read_json(Value::Object(read_object(body)?))?;
    match receipt.reason.as_ref().map(String::len).filter(|bytes| *bytes > MAX_REASON_BYTES) {
        Some(bytes) => Err(FormatError::new(
            "reason",
            format!("it has {bytes} bytes, at most {MAX_REASON_BYTES} are kept"),
        )),
        None => Ok(receipt),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::contact::ReceiptOutcome;

    #[rstest]
    #[case("delivered", ReceiptOutcome::Delivered)]
    #[case("bounced", ReceiptOutcome::Bounced)]
    #[case("complained", ReceiptOutcome::Complained)]
    #[case("opted_out", ReceiptOutcome::OptedOut)]
    #[case("answered", ReceiptOutcome::Answered)]
    #[case("unanswered", ReceiptOutcome::Unanswered)]
    fn every_outcome_has_a_name(#[case] name: &str, #[case] outcome: ReceiptOutcome) {
        let body = format!(r#"{{"message_id":"M-1","at":"2023-10-05T09:30:00+08:00","outcome":"{name}"}}"#);
        let receipt = parse_receipt(&body).unwrap();
        assert_eq!((receipt.outcome, receipt.reason), (outcome, None));
        assert_eq!(receipt.at, "2023-10-05T01:30:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    }

    #[rstest]
    #[case::no_json("bounced", "no JSON object")]
    #[case::no_id(r#"{"at":"2023-10-05T01:30:00Z","outcome":"bounced"}"#, "missing field `message_id`")]
    #[case::unknown_field(
        r#"{"message_id":"M-1","at":"2023-10-05T01:30:00Z","outcome":"bounced","code":550}"#,
        "unknown field `code`"
    )]
    #[case::unknown_outcome(
        r#"{"message_id":"M-1","at":"2023-10-05T01:30:00Z","outcome":"read"}"#,
        "outcome: "
    )]
    #[case::no_offset(r#"{"message_id":"M-1","at":"2023-10-05T01:30:00","outcome":"bounced"}"#, "at: ")]
    #[case::long_ago(r#"{"message_id":"M-1","at":"0001-10-05T01:30:00Z","outcome":"bounced"}"#, "at: ")]
    #[case::twice(
        r#"{"message_id":"M-1","at":"2023-10-05T01:30:00Z","outcome":"bounced","outcome":"delivered"}"#,
        "is there twice"
    )]
    fn what_is_no_receipt_is_refused(#[case] body: &str, #[case] problem: &str) {
        let error = parse_receipt(body).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }

    #[rstest]
    #[case(MAX_REASON_BYTES, true)]
    #[case(MAX_REASON_BYTES + 1, false)]
    fn a_reason_has_a_bound_and_is_not_repeated(#[case] bytes: usize, #[case] is_one: bool) {
        let reason = "x".repeat(bytes);
        let body = format!(
            r#"{{"message_id":"M-1","at":"2023-10-05T01:30:00Z","outcome":"answered","reason":"{reason}"}}"#
        );
        let read = parse_receipt(&body);
        assert_eq!(read.is_ok(), is_one);
        assert!(read.is_ok_and(|one| one.reason == Some(reason)) == is_one);
    }
}
