//! What an entry of the history says of its revision: who acted, how much, and why.

use duewatch_cli::customer::{erase, export};
use duewatch_tests::support::{KEEPING, World, id, take_messages};
use rstest::rstest;
use serde_json::{Value, json};

use super::history::{LIMITED_AT, OPENED_AT, breaks, sha256_of, told};

/// Sends a command of a system through `intake`; the sender's fields stand before those of the command.
async fn commanded(world: &mut World, at: &str, fields: &str) {
    world.set(at);
    let line = format!(r#"{{"event_id":"E-{at}","at":"{at}","account_id":"A-1",{fields}}}"#);
    let message = duewatch_domain::formats::parse_message(&line).unwrap();
    assert!(take_messages(&world.services(intake::NAME), &[message]).await.is_empty());
    assert_eq!(world.quarantined().await, []);
}

fn digest(at: &str, source: &str, field: &str, text: &str) -> String {
    sha256_of(&format!("A-1\n{source}\nE-{at}\n{field}\n{text}"))
}

#[tokio::test]
async fn an_entry_names_the_command_of_its_revision_with_its_source_its_actor_and_its_amounts() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let adjusted = r#""type":"installment_adjusted","number":2,"amount":"1.00","reason":"agreed""#;
    let by_desk = r#""source":"desk","actor":{"kind":"officer","id":"officer-7"}"#;
    let (first, second) = ("2023-09-02T00:00:00Z", "2023-09-03T00:00:00Z");
    commanded(&mut world, first, adjusted).await;
    commanded(&mut world, second, &format!("{by_desk},{adjusted}")).await;
    world.record_all().await;
    let entries = world.history("A-1").await;
    let messages: Vec<Value> = entries[1..].iter().map(|entry| told(entry)["messages"].clone()).collect();
    let stated = |at, source| {
        let reason = json!({ "sha256": digest(at, source, "reason", "agreed") });
        json!({ "number": 2, "amount": "1.00", "reason": reason })
    };
    assert_eq!(
        messages,
        [
            json!([{
                "event_id": format!("E-{first}"), "type": "installment_adjusted", "source": "core",
                "actor": { "kind": "system", "id": "core" }, "sender_id": "local", "stated": stated(first, "core"),
            }]),
            json!([{
                "event_id": format!("E-{second}"), "type": "installment_adjusted", "source": "desk",
                "actor": { "kind": "officer", "id": "officer-7" }, "sender_id": "local", "stated": stated(second, "desk"),
            }]),
        ]
    );
    let due = |from, to| json!({ "installments": [2], "due": { "from": from, "to": to } });
    assert_eq!(told(&entries[1])["facts"], due("1000.00", "999.00"));
    assert_eq!(told(&entries[2])["facts"], due("999.00", "998.00"));
}

/// Each command by which money is forgiven or put off, with the facts that its entry shows.
#[rstest]
#[case::adjustment(
    r#""type":"installment_adjusted","number":2,"amount":"77.77","reason":"Mrs Li is ill""#,
    json!({ "installments": [2], "due": { "from": "1000.00", "to": "922.23" } })
)]
#[case::write_off(
    r#""type":"written_off","number":3,"reason":"Mrs Li is ill""#,
    json!({ "installments": [3], "due": { "from": "1000.00", "to": "750.00" } })
)]
#[case::waiver(
    r#""type":"fee_waived","number":1,"amount":"1.50","reason":"Mrs Li is ill""#,
    json!({ "waived": [{ "number": 1, "amount": "1.50" }] })
)]
#[case::pause(
    r#""type":"pause_started","from":"2023-10-05","until":"2023-10-10""#,
    json!({ "pauses": [{ "from": "2023-10-05", "until": "2023-10-10" }] })
)]
#[case::enforcement_off(r#""type":"enforcement_off","reason":"Mrs Li is ill""#, json!({ "enforced": false }))]
#[case::hold(
    r#""type":"installment_held","number":2,"reason":"Mrs Li is ill""#,
    json!({ "installments": [2] })
)]
#[case::dispute(
    r#""type":"dispute_opened","dispute_id":"D-1","reason":"Mrs Li is ill""#,
    json!({ "changed": ["disputes"] })
)]
#[case::schedule(
    r#""type":"schedule_replaced","reason":"Mrs Li is ill",
       "installments":[{"number":9,"due_on":"2024-01-01","principal":"600.00"}]"#,
    json!({
        "installments": [9], "installments_gone": [1, 2, 3, 4],
        "due": { "from": "1000.00", "to": "600.00" }, "changed": ["new_schedule", "schedule_replaced_on"],
    })
)]
#[tokio::test]
async fn what_forgives_or_defers_is_never_written_without_who_and_how_much_and_never_with_a_name(
    #[case] fields: &str,
    #[case] facts: Value,
) {
    let at = "2023-09-02T00:00:00Z";
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    commanded(&mut world, at, &fields.replace('\n', " ")).await;
    world.record_all().await;
    let entry = world.history("A-1").await.remove(1);
    let written = told(&entry);
    assert_eq!(written["facts"], facts);
    let [message] = written["messages"].as_array().unwrap().as_slice() else { panic!("{written}") };
    assert_eq!(message["event_id"], format!("E-{at}"));
    assert_eq!(message["actor"], json!({ "kind": "system", "id": "core" }));
    let sent: Value = serde_json::from_str(&format!("{{{}}}", fields.replace('\n', " "))).unwrap();
    for (field, value) in sent.as_object().unwrap() {
        match field.as_str() {
            "type" => assert_eq!(message["type"], *value),
            "reason" => {
                let digest = digest(at, "core", "reason", value.as_str().unwrap());
                assert_eq!(message["stated"]["reason"], json!({ "sha256": digest }));
            }
            // A new installment also states the parts that the sender left out.
            "installments" => assert_eq!(message["stated"][field][0]["principal"], value[0]["principal"]),
            _ => assert_eq!(message["stated"][field], *value, "{field}"),
        }
    }
    assert!(!entry.entry.contains("Li"), "{}", entry.entry);
    assert!(!entry.entry.contains("C-1"), "{}", entry.entry);
}

#[tokio::test]
async fn a_reason_is_kept_with_the_customer_until_an_erasure_and_its_digest_stays() {
    let (at, text) = ("2023-09-02T00:00:00Z", "Mrs Li is ill");
    let mut world = World::at(OPENED_AT).await;
    world.open_under(KEEPING, "A-1").await;
    let fields = format!(r#""type":"written_off","number":3,"reason":"{text}""#);
    commanded(&mut world, at, &fields).await;
    world.record_all().await;
    let kept = world.records("customer#C-1", "written#").await;
    assert_eq!(kept.len(), 1);
    let reason = kept[0]["written_reason"].as_m().unwrap();
    assert_eq!(reason["text"].as_s().unwrap(), text);
    let digest = digest(at, "core", "reason", text);
    assert_eq!(reason["sha256"].as_s().unwrap(), &digest);
    assert!(kept[0].contains_key("expires_at"), "as long as the history");

    let before = world.history("A-1").await;
    let customer = "C-1".parse().unwrap();
    let exported = export(world.store(), &customer, &[id("A-1")], "officer-7", world.now()).await.unwrap();
    assert!(serde_json::to_string(&exported).unwrap().contains(text));
    erase(&world.services("duewatch"), &customer, "officer-8", world.now()).await.unwrap();
    assert_eq!(world.records("customer#C-1", "written#").await, []);
    assert_eq!(world.history("A-1").await, before);
    assert!(before[1].entry.contains(&digest));
    assert_eq!(breaks(&world).await, []);
}

#[tokio::test]
async fn an_entry_that_is_made_from_the_account_alone_still_names_who_acted() {
    let at = "2023-09-02T00:00:00Z";
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.record_all().await;
    commanded(&mut world, at, r#""type":"written_off","number":3,"reason":"agreed""#).await;
    // The records of its stream are lost.
    drop(world.account_records().await);
    world.set("2023-09-02T12:00:00Z");
    assert!(world.reconcile().await.history_behind > 0);
    world.record_all().await;
    let written = told(&world.history("A-1").await[1]);
    assert_eq!(written["facts"], Value::Null);
    assert_eq!(written["messages"][0]["type"], "written_off");
    assert_eq!(written["messages"][0]["event_id"], format!("E-{at}"));
}

#[tokio::test]
async fn a_revision_that_took_no_command_names_none() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    commanded(&mut world, "2023-09-02T00:00:00Z", r#""type":"written_off","number":3,"reason":"agreed""#)
        .await;
    world.set(LIMITED_AT);
    world.sweep().await;
    world.record_all().await;
    let entries = world.history("A-1").await;
    assert!(told(&entries[1]).get("messages").is_some());
    assert_eq!(told(&entries[2]).get("messages"), None);
    assert_eq!(world.account("A-1").await.command_of_this_revision(), None);
}
