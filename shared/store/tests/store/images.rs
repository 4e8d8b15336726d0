//! Reads and refuses images of items; a refusal always names attribute and value.

use duewatch_domain::formats::parse_book_line;
use duewatch_domain::{Account, printable};
use duewatch_store::{PaymentFact, account_from_image, account_image};
use rstest::rstest;
use serde_json::{Value, json};

fn payment() -> Value {
    json!({
        "account_id": { "S": "A-1" },
        "payment_id": { "S": "P-1" },
        "amount": { "S": "250.00" },
        "kind": { "S": "repayment" },
        "applies_to": { "L": [{ "N": "2" }] },
        "received_at": { "S": "2023-10-17T09:27:41+08:00" },
    })
}

fn image(json: &Value) -> serde_dynamo::Item {
    serde_json::from_value(json.clone()).unwrap()
}

#[rstest]
#[case::bytes(json!({ "B": "AP8=" }))]
#[case::sets(json!({ "BS": ["AP8="] }))]
#[case::a_number_beyond_ours(json!({ "N": "9.9999999999999999999999999999999999999E+125" }))]
#[case::nothing(json!({ "NULL": true }))]
fn an_attribute_of_others_in_a_payment_is_ignored_whatever_it_holds(#[case] value: Value) {
    let fact = PaymentFact::from_image(image(&payment())).unwrap();
    let mut with_more = payment();
    with_more["their_note"] = value;
    assert_eq!(PaymentFact::from_image(image(&with_more)), Ok(fact));
}

#[rstest]
#[case::received_after_all_dates("received_at", "+262142-12-31T23:59:59Z")]
#[case::received_before_all_dates("received_at", "-262143-01-01T00:00:00Z")]
#[case::reversed_after_all_dates("reversed_at", "3000-01-01T00:00:00Z")]
fn a_payment_from_outside_all_dates_is_faulty_by_its_attribute(#[case] attribute: &str, #[case] at: &str) {
    let mut payment = payment();
    payment[attribute] = json!({ "S": at });
    let problem = PaymentFact::from_image(image(&payment)).unwrap_err().problem;
    assert!(problem.starts_with(attribute) && problem.contains("2999-12-31"), "{problem}");
}

#[test]
fn a_faulty_payment_says_so_in_less_than_an_item() {
    let mut payment = payment();
    payment["kind"] = json!({ "S": "x".repeat(390_000) });
    let faulty = PaymentFact::from_image(image(&payment)).unwrap_err();
    assert!(faulty.problem.starts_with("kind: ") && faulty.problem.ends_with("`goodwill`"), "{faulty}");
    assert_eq!(faulty.problem, printable(faulty.problem.clone()));
}

fn account() -> Account {
    let line = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"p","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;
    Account::open(&parse_book_line(line).unwrap()).unwrap()
}

#[test]
fn an_account_that_is_written_as_an_item_is_read_as_the_same_account() {
    let account = account();
    assert_eq!(account_from_image(account_image(&account, 4).unwrap()).unwrap(), account);
}

#[rstest]
#[case::of_another_kind("customer_id", Some(json!({ "N": "1" })), "A-1: customer_id: ")]
#[case::no_date("opened_on", Some(json!({ "S": "soon" })), "A-1: opened_on: ")]
#[case::nothing_of_ours("colour", Some(json!({ "S": "red" })), "A-1: colour: unknown field `colour`")]
#[case::missing("opened_on", None, "A-1: missing field `opened_on`")]
fn what_cannot_be_read_of_an_account_is_named(
    #[case] attribute: &str,
    #[case] value: Option<Value>,
    #[case] names: &str,
) {
    let mut item = serde_json::to_value(account_image(&account(), 4).unwrap()).unwrap();
    let attributes = item.as_object_mut().unwrap();
    attributes.remove(attribute);
    attributes.extend(value.map(|value| (attribute.to_owned(), value)));
    let error = account_from_image(image(&item)).unwrap_err().to_string();
    assert!(error.contains(names), "{error}");
}

#[rstest]
#[case::due_date("/installments/L/0/M/due_on/S", "+262142-12-31", "due_on: +262142-12-31")]
#[case::opened_on("/opened_on/S", "0023-10-01", "opened_on: 0023-10-01")]
#[case::total(
    "/installments/L/0/M/adjusted/S",
    "-999999999999999.00",
    "installments: the account would ask for"
)]
#[case::last_revision("/revision/N", "18446744073709551615", "revision: 18446744073709551615")]
fn an_account_item_beyond_the_bounds_is_not_read(
    #[case] place: &str,
    #[case] value: &str,
    #[case] names: &str,
) {
    let mut item = serde_json::to_value(account_image(&account(), 4).unwrap()).unwrap();
    item["installments"]["L"][0]["M"]["adjusted"] = json!({ "S": "0.00" });
    *item.pointer_mut(place).unwrap() = value.into();
    let error = account_from_image(image(&item)).unwrap_err().to_string();
    assert!(error.contains(names), "{error}");
}
