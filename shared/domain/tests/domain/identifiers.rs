//! Identifiers: those that come in are fit to be printed anywhere, those that are stored stay readable.

use duewatch_domain::formats::{parse_book_line, parse_event_line, parse_message};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy;
use rstest::rstest;

use crate::parsing::{assert_names, book_line};

#[rstest]
#[case::letters_and_digits_of_any_script("客户-Ж9", true)]
#[case::every_mark("a.b_c:d/e-f", true)]
#[case::space("A 1", false)]
#[case::formula("=1+1", false)]
#[case::at_sign("a@b", false)]
#[case::quote("a'b", false)]
#[case::tag("<b>", false)]
#[case::direction("A\u{202e}1", false)]
#[case::zero_width("A\u{200b}1", false)]
#[case::escape("A\u{9b}31m", false)]
fn an_identifier_that_comes_in_is_letters_digits_and_few_marks(#[case] id: &str, #[case] accepted: bool) {
    let json = |id: &str| serde_json::to_string(id).unwrap();
    for field in ["account_id", "customer_id", "policy_id"] {
        let line = book_line("A-1", "A-1");
        let mut line: serde_json::Value = serde_json::from_str(&line).unwrap();
        line[field] = id.into();
        let read = parse_book_line(&line.to_string());
        assert_eq!(read.is_ok(), accepted, "{field}: {read:?}");
        let Err(error) = read else { continue };
        assert_names(&error.to_string(), &[field, "is no identifier: 1 to 256 bytes, letters, digits"]);
        assert!(error.to_string().chars().all(|one| one.is_ascii_graphic() || one == ' '), "{error}");
    }
    let paid = |account: &str, payment: &str| {
        format!(
            r#"{{"at":"2023-10-05T09:30:00Z","type":"payment_received","account_id":{},"payment_id":{},"amount":"1.00"}}"#,
            json(account),
            json(payment)
        )
    };
    assert_eq!(parse_event_line(&paid(id, "P-1")).is_ok(), accepted);
    assert_eq!(parse_event_line(&paid("A-1", id)).is_ok(), accepted);
    let message = |event: &str, source: &str, actor: &str| {
        let fields = format!(
            r#"{{"event_id":{},"source":{},"actor":{{"kind":"officer","id":{}}},"#,
            json(event),
            json(source),
            json(actor)
        );
        parse_message(&paid("A-1", "P-1").replacen('{', &fields, 1)).is_ok()
    };
    assert_eq!(message(id, "core", "o-1"), accepted);
    assert_eq!(message("E-1", id, "o-1"), accepted);
    assert_eq!(message("E-1", "core", id), accepted);
    // Stored ids are read as ever: only control characters were refused.
    assert_eq!(id.parse::<AccountId>().is_ok(), !id.contains('\u{9b}'));
}

#[test]
fn a_policy_with_an_unfit_id_is_refused_when_it_comes_in_and_stays_readable_where_it_is_stored() {
    let text = "id = \"a b\"\nversion = 1\neffective_on = 2026-01-01\n";
    let error = policy::parse(text).unwrap_err();
    assert_eq!((error.line, error.column), (1, 6));
    assert_names(&error.to_string(), &["id: \"a b\" is no identifier"]);
    assert!(policy::review(text).is_err());
    assert_eq!(policy::parse_stored(text).unwrap().id.as_str(), "a b");
}

#[test]
fn an_unfit_identifier_deep_in_a_line_is_named_by_its_path() {
    let line = book_line("\"number\":2", "\"number\":2,\"draw_id\":\"D 1\"");
    let error = parse_book_line(&line).unwrap_err();
    assert_eq!(error.field, "installments[1].draw_id");
}

#[rstest]
#[case::one_byte(1, true)]
#[case::as_long_as_may_be(256, true)]
#[case::too_long(257, false)]
fn an_identifier_has_256_bytes_at_most(#[case] bytes: usize, #[case] accepted: bool) {
    let line = book_line("A-1", &"A".repeat(bytes));
    assert_eq!(parse_book_line(&line).is_ok(), accepted);
}
