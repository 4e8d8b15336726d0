//! An erasure removes what is said of a person, and nothing that protects the person.

use duewatch_cli::customer::{Erased, erase, export};
use duewatch_domain::kernel::CustomerId;
use duewatch_store::verify_history;
use duewatch_tests::support::{REMINDING, World, message, take_in, take_messages};
use serde_json::Value;

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
    erase(world.stack.transitions(), &customer(), "officer-8", world.now()).await.unwrap()
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
