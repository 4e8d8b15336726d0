//! Texts that would act on whoever reads them: ids with turned directions, cursor movements, formulas and HTML.

use duewatch_domain::Trigger;
use duewatch_domain::kernel::is_unprintable;
use duewatch_tests::support::{STANDARD, World, contract, take_in};
use rstest::rstest;
use serde_json::{Value, json};

const NOW: &str = "2023-10-05T01:00:00Z";

/// A valid message, after a change.
fn message(change: impl FnOnce(&mut Value)) -> String {
    let mut body = json!({
        "event_id": "E-1", "at": NOW, "type": "payment_received", "account_id": "A-1", "payment_id": "P-1",
        "amount": "1.00", "source": "core", "actor": { "kind": "officer", "id": "o-1" },
    });
    change(&mut body);
    body.to_string()
}

#[rstest]
#[case::event("event_id", |body: &mut Value, id: &str| body["event_id"] = id.into())]
#[case::account("account_id", |body: &mut Value, id: &str| body["account_id"] = id.into())]
#[case::payment("payment_id", |body: &mut Value, id: &str| body["payment_id"] = id.into())]
#[case::source("source", |body: &mut Value, id: &str| body["source"] = id.into())]
#[case::actor("actor.id", |body: &mut Value, id: &str| body["actor"]["id"] = id.into())]
#[tokio::test]
async fn an_id_that_acts_on_its_reader_never_comes_in_by_the_queue(
    #[case] field: &str,
    #[case] set: fn(&mut Value, &str),
    #[values("A\u{202e}1", "A\u{1b}[2J", "=1+1", "<b>", "A\u{200b}1")] id: &str,
) {
    let world = World::at(NOW).await;
    world.open("A-1").await;
    let before = world.account("A-1").await;
    let body = message(|body| set(body, id));
    assert!(take_in(&world.services(intake::NAME), &[("A-1", body)]).await.is_empty());
    let aside = world.quarantined().await;
    assert_eq!(aside.len(), 1, "{aside:?}");
    let reason = &aside[0].reason;
    assert!(reason.starts_with(&format!("{field}: ")) && reason.contains("is no identifier"), "{reason}");
    assert!(!reason.chars().any(is_unprintable), "{reason:?}");
    assert_eq!(world.account("A-1").await, before);
}

/// An account of an earlier release, whose id holds what no id may hold today.
#[tokio::test]
async fn an_account_that_is_stored_under_an_unfit_id_is_never_lost() {
    let mut world = World::at("2023-10-01T00:00:00Z").await;
    let mut stored = contract(STANDARD, "A-1");
    stored.account_id = "A 1\u{202e}".parse().unwrap();
    let services = world.services(intake::NAME);
    services.transitions.open(&stored, world.now(), Trigger::Time).await.unwrap();
    world.pay_and_post("A 1\u{202e}", "P 1", "250.00").await;
    assert_eq!(world.account("A 1\u{202e}").await.payments().len(), 1);
    assert_eq!(world.quarantined().await, []);
}
