//! One queue, many senders: none of them says anything in the name of another.

use duewatch_app::Deadline;
use duewatch_domain::formats::message_line;
use duewatch_handlers::{WaitingMessage, queue_event};
use duewatch_tests::support::{STANDARD, World, message};
use intake::SenderMap;
use rstest::rstest;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const MAP: &str = r#"{
    "AROACORE": { "source": "core" },
    "AROACONTACTS": { "source": "contacts", "may_send": ["contact_changed", "consent_changed"] }
}"#;

/// Delivers a write-off of A-1 with that sender and source, and returns the reasons of what is quarantined.
async fn written_off_by(sender: &str, source: &str) -> (World, Vec<String>) {
    let world = World::at(OPENED_AT).await;
    world.open_under(STANDARD, "A-1").await;
    let fields = format!(r#""reason":"a favour"{source}"#);
    let message = message("E-1", world.now(), "A-1", "written_off", &fields);
    let waiting = WaitingMessage {
        message_id: "m-1".to_owned(),
        body: message_line(&message),
        group: Some("A-1".to_owned()),
        sent_at: world.now(),
        received: 1,
    };
    let mut event = queue_event("duewatch-dev-intake.fifo", &[waiting]);
    event["Records"][0]["attributes"]["SenderId"] = sender.into();
    let event = serde_json::from_value(event).unwrap();
    let senders = SenderMap::parse(MAP).unwrap();
    let response = intake::handle(&world.services(intake::NAME), &senders, event, Deadline::none()).await;
    assert!(response.batch_item_failures.is_empty());
    let reasons = world.quarantined().await.into_iter().map(|one| one.reason).collect();
    (world, reasons)
}

#[rstest]
#[case::contacts_system("AROACONTACTS:crm", "", "may not send written_off")]
#[case::contacts_system_as_core("AROACONTACTS:crm", r#","source":"core""#, "may not send written_off")]
#[case::stranger("AROASTRANGER:x", "", "not in the map of senders")]
#[case::stranger_as_the_desk("AROASTRANGER:x", r#","source":"desk""#, "not in the map of senders")]
#[tokio::test]
async fn nobody_but_who_may_writes_a_debt_off(
    #[case] sender: &str,
    #[case] source: &str,
    #[case] expected: &str,
) {
    let (world, reasons) = written_off_by(sender, source).await;
    assert!(reasons.len() == 1 && reasons[0].contains(expected), "{reasons:?}");
    assert!(world.account("A-1").await.installments().iter().all(|one| !one.written_off));
}

#[tokio::test]
async fn who_may_is_taken() {
    let (world, reasons) = written_off_by("AROACORE:payments", "").await;
    assert_eq!(reasons, [""; 0]);
    assert!(world.account("A-1").await.installments().iter().all(|one| one.written_off));
}
