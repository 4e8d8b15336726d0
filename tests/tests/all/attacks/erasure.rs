//! An erasure removes what is said of a person, and nothing that protects the person.

use duewatch_cli::customer::{Erased, erase, export};
use duewatch_domain::kernel::CustomerId;
use duewatch_store::{Quarantined, StoreError, verify_history};
use duewatch_tests::support::{REMINDING, World, message, take_in, take_messages};
use serde_json::Value;
use sha2::Digest;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const TOLD_AT: &str = "2023-09-10T02:00:00Z";
const ERASED_AT: &str = "2023-10-12T08:00:00Z";

fn customer() -> CustomerId {
    "C-1".parse().unwrap()
}

/// A-1 of customer C-1, with facts told as `(type, fields)`.
async fn told(facts: &[(&str, &str)]) -> World {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.set(TOLD_AT);
    let now = world.now();
    let messages: Vec<_> = (1..)
        .zip(facts)
        .map(|(number, (kind, fields))| message(&format!("E-{number}"), now, "A-1", kind, fields))
        .collect();
    assert_eq!(take_messages(&world.services(intake::NAME), &messages).await, [""; 0]);
    assert_eq!(world.quarantined().await, []);
    world.record_all().await;
    world
}

async fn erased(world: &World) -> Erased {
    world.set(ERASED_AT);
    erase(&world.services("duewatch"), &customer(), "officer-8", world.now()).await.unwrap()
}

async fn profile(world: &World) -> Value {
    let loaded = world.store().load_profile(&customer()).await.unwrap();
    serde_json::to_value(&loaded.profile).unwrap()
}

#[tokio::test]
async fn an_erasure_clears_no_refusal_no_opt_out_and_no_vulnerability() {
    let world = told(&[
        ("consent_changed", r#""channel":"sms","consent":"withdrawn","by":"borrower""#),
        ("vulnerability_recorded", r#""reason":"HIV treatment","until":null"#),
        ("contact_person_added", r#""person_id":"P-1","relation":"sister""#),
        ("contact_person_refused", r#""person_id":"P-1""#),
        ("contact_person_added", r#""person_id":"P-2","relation":"neighbour""#),
        ("complaint_made", r#""reason":"called at night""#),
    ])
    .await;
    let before = profile(&world).await;
    erased(&world).await;
    let after = profile(&world).await;
    for kept in ["channels", "complained_at", "vulnerable_until"] {
        assert!(!before[kept].is_null(), "{kept} in {before}");
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    let persons = after["contact_persons"].as_object().unwrap();
    assert_eq!(persons.keys().collect::<Vec<_>>(), ["P-1"]);
    assert!(!persons["P-1"]["refused_at"].is_null());
    for gone in ["sister", "neighbour", "HIV", "night"] {
        assert!(!after.to_string().contains(gone), "{gone} in {after}");
    }
}

#[tokio::test]
async fn no_grounds_stay_in_an_account_or_in_its_history() {
    let mut world = told(&[
        (
            "cause_recorded",
            r#""cause":"temporary","by":"officer-7","reason":"HIV treatment of the daughter""#,
        ),
        ("dispute_opened", r#""dispute_id":"D-1","reason":"HIV test never ordered""#),
        ("enforcement_off", r#""reason":"HIV ward until spring""#),
    ])
    .await;
    let before = world.account("A-1").await;
    assert!(serde_json::to_string(&before).unwrap().contains("HIV"));
    assert_eq!(erased(&world).await.accounts, 1);
    world.record_all().await;
    let after = world.account("A-1").await;
    assert!(!serde_json::to_string(&after).unwrap().contains("HIV"), "{after:?}");
    assert_eq!(after.status.stage, before.status.stage, "what follows from the facts stays");
    let exported = export(world.store(), &customer(), &[], "officer-7", world.now()).await.unwrap();
    assert!(!serde_json::to_string(&exported).unwrap().contains("HIV"));
    assert_eq!(exported.accounts.len(), 1, "the linked account needs no naming");
    let history = world.history("A-1").await;
    assert_eq!(verify_history(&history, &after, world.now()).unwrap(), []);
    assert_eq!(erased(&world).await.accounts, 0, "once");
}

#[tokio::test]
async fn no_grounds_stay_in_quarantine_and_its_money_does() {
    let world = told(&[]).await;
    let late = r#"{"event_id":"E-9","at":"2023-09-09T00:00:00Z","type":"installment_adjusted","account_id":"A-1",
        "number":99,"amount":"5.00","reason":"HIV treatment"}"#;
    take_in(&world.services(intake::NAME), &[("A-1", late.to_owned())]).await;
    let [before] = world.quarantined().await.try_into().unwrap();
    assert!(before.payload.contains("HIV"));
    assert_eq!(erased(&world).await.quarantined, 1);
    let [after] = world.store().quarantined_on(before.at.date_naive()).await.unwrap().try_into().unwrap();
    assert!(!after.payload.contains("HIV"), "{}", after.payload);
    assert!(after.payload.contains("5.00"), "{}", after.payload);
}

#[tokio::test]
async fn no_grounds_stay_in_a_quarantined_record_of_the_account() {
    let world = told(&[]).await;
    // A record of the accounts' stream, as `record-history` quarantines it where it fails.
    let payload = r#"{"eventID":"e-1","dynamodb":{"NewImage":{
        "account_id":{"S":"A-1"},"enforcement_off":{"S":"HIV ward until spring"}}}}"#;
    let at = world.now();
    let quarantined = Quarantined {
        source: record_history::NAME.to_owned(),
        id: "e-1".to_owned(),
        reason: "panicked".to_owned(),
        payload: payload.to_owned(),
        at,
        lacks_bytes: 0,
        sender_id: None,
    };
    world.store().quarantine(&quarantined).await.unwrap();
    assert_eq!(erased(&world).await.quarantined, 1);
    let page = world.store().walk_quarantine(at.date_naive(), 1).next_page().await.unwrap().unwrap();
    let [after] = page.try_into().unwrap();
    assert!(!after.payload.contains("HIV"), "{}", after.payload);
}

const NUMBER: &str = "+8613800138000";

fn given(channel: &str, point: &str) -> String {
    format!(r#""channel":"{channel}","contact_point":"{point}","changed_by":"branch-7""#)
}

/// An account of another customer, to which a contact point is given a day after the erasure.
async fn comes_back(world: &World, customer_id: &str, channel: &str, point: &str) -> Value {
    world.open_for(customer_id, REMINDING, "A-7").await;
    world.set("2023-10-13T08:00:00Z");
    let change = message("E-70", world.now(), "A-7", "contact_changed", &given(channel, point));
    for _delivered in 0..2 {
        let services = world.services(intake::NAME);
        assert_eq!(take_messages(&services, std::slice::from_ref(&change)).await, [""; 0]);
    }
    assert_eq!(world.quarantined().await, []);
    let loaded = world.store().load_profile(&customer_id.parse().unwrap()).await.unwrap();
    serde_json::to_value(&loaded.profile).unwrap()
}

const OPTED_OUT: (&str, &str) =
    ("consent_changed", r#""channel":"sms","consent":"withdrawn","by":"borrower""#);

#[tokio::test]
async fn a_number_that_was_opted_out_and_erased_is_not_texted_under_another_customer() {
    let world = told(&[("contact_changed", &given("sms", NUMBER)), OPTED_OUT]).await;
    erased(&world).await;
    let profile = comes_back(&world, "C-2", "sms", NUMBER).await;
    assert_eq!(profile["channels"]["sms"]["consent"]["value"], "withdrawn", "{profile}");
    // A consent that the borrower gives from then on lifts it.
    world.set("2023-10-14T08:00:00Z");
    let fields = r#""channel":"sms","consent":"given","by":"borrower""#;
    let consent = message("E-71", world.now(), "A-7", "consent_changed", fields);
    assert_eq!(take_messages(&world.services(intake::NAME), &[consent]).await, [""; 0]);
    let loaded = world.store().load_profile(&"C-2".parse().unwrap()).await.unwrap();
    assert_eq!(loaded.profile.unusable(duewatch_domain::policy::Channel::Sms), None);
}

#[tokio::test]
async fn a_number_that_was_replaced_before_the_erasure_is_not_texted_either() {
    let facts = [
        ("contact_changed", &*given("sms", NUMBER)),
        OPTED_OUT,
        ("contact_changed", &given("sms", "+8613800138999")),
    ];
    let world = told(&facts).await;
    erased(&world).await;
    let profile = comes_back(&world, "C-2", "sms", NUMBER).await;
    assert_eq!(profile["channels"]["sms"]["consent"]["value"], "withdrawn", "{profile}");
}

#[tokio::test]
async fn a_refusal_of_all_contact_is_not_evaded_by_another_spelling_or_channel() {
    let facts = [
        ("contact_changed", &*given("email", "Li@Example.org")),
        ("consent_changed", r#""consent":"withdrawn","by":"borrower""#),
    ];
    let world = told(&facts).await;
    erased(&world).await;
    let profile = comes_back(&world, "C-2", "app", " li@example.ORG ").await;
    assert_eq!(profile["channels"]["app"]["consent"]["value"], "withdrawn", "{profile}");
}

#[tokio::test]
async fn a_number_that_was_not_opted_out_is_not_blocked() {
    let world = told(&[("contact_changed", &given("sms", NUMBER))]).await;
    erased(&world).await;
    let profile = comes_back(&world, "C-2", "sms", NUMBER).await;
    assert_eq!(profile["channels"]["sms"]["consent"], Value::Null, "{profile}");
}

#[tokio::test]
async fn no_contact_point_and_no_digest_without_a_key_stays() {
    let world = told(&[("contact_changed", &given("sms", NUMBER)), OPTED_OUT]).await;
    erased(&world).await;
    let all = world.client().scan().table_name(&world.store().tables().records).send().await.unwrap();
    let stored = format!("{:?}", all.items());
    assert!(stored.contains("tombstone#"), "{stored}");
    let hashed = sha2::Sha256::digest(NUMBER).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for gone in [NUMBER, NUMBER.trim_start_matches('+'), &hashed] {
        assert!(!stored.contains(gone), "{gone} in {stored}");
    }
}

#[tokio::test]
async fn no_contact_point_is_taken_or_erased_without_the_key() {
    let world = told(&[("contact_changed", &given("sms", NUMBER)), OPTED_OUT]).await;
    let mut services = world.services(intake::NAME);
    services.tombstone_key = None;
    let change = message("E-9", world.now(), "A-1", "contact_changed", &given("sms", NUMBER));
    assert_eq!(take_messages(&services, &[change]).await, ["m-0"], "it comes again");
    assert!(erase(&services, &customer(), "officer-8", world.now()).await.is_err());
    assert_eq!(world.records("customer#C-1", "contact#").await.len(), 1, "nothing was erased");
}

#[tokio::test]
async fn no_page_of_a_days_quarantine_is_passed_over_in_silence() {
    let world = told(&[]).await;
    world.set(ERASED_AT);
    let today = world.now().date_naive();
    // A page has one megabyte.
    for number in 0..9 {
        let payload = format!(r#"{{"account_id":"A-1","reason":"HIV","padding":"{}"}}"#, "x".repeat(300_000));
        let alerts = world.services(intake::NAME).alerts;
        alerts.quarantine(&format!("E-{number}"), "of an attack", &payload, world.now()).await.unwrap();
    }
    let stopped = world.store().erase_in_quarantine(today, &["A-1"], 2).await.unwrap_err();
    assert!(matches!(stopped, StoreError::TooMuchQuarantined { .. }), "{stopped}");
    assert_eq!(erased(&world).await.quarantined, 9 - 6, "those of the first two pages were erased before");
    let mut walk = world.store().walk_quarantine(today, 100);
    let mut left = 0;
    while let Some(page) = walk.next_page().await.unwrap() {
        left += page.iter().filter(|record| record.payload.contains("HIV")).count();
    }
    assert_eq!(left, 0);
}
