//! A contact profile is exported whole and erased as far as allowed, and both are on record.

use duewatch_cli::customer::{CustomerError, Erased, accounts_of, erase, export};
use duewatch_domain::kernel::CustomerId;
use duewatch_store::verify_history;
use duewatch_tests::support::{STANDARD, World, id, instant, put};
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const ASKED_AT: &str = "2023-10-10T08:00:00Z";

fn customer(id: &str) -> CustomerId {
    id.parse().unwrap()
}

/// Customer C-1 with two accounts, two contact points and their contact records.
async fn a_person() -> World {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2"] {
        world.open_for("C-1", STANDARD, account_id).await;
    }
    let table = &world.store().tables().records;
    for item in [
        json!({ "pk": "customer#C-1", "sk": "contact#sms", "name": "Zhang San", "value": "+86 138 0013 8000" }),
        json!({ "pk": "customer#C-1", "sk": "contact#email", "name": "Zhang San", "value": "zhang@example.com" }),
        json!({ "pk": "customer#C-1", "sk": "contact-log#2023-09-02T00:00:00Z#E-1", "at": "2023-09-02T00:00:00Z",
            "by": "core-banking", "channel": "sms", "from": "+86 139 0000 0000", "to": "+86 138 0013 8000" }),
        json!({ "pk": "customer#C-2", "sk": "contact#sms", "name": "Li Si", "value": "+86 137 0000 0000" }),
    ] {
        put(world.client(), table, &item).await;
    }
    world.set("2023-10-09T00:00:00Z");
    world.sweep().await;
    world.record_all().await;
    world.set(ASKED_AT);
    world
}

/// The sort keys of a customer's records, and all of the records as one text.
async fn known(world: &World, customer_id: &str) -> (Vec<String>, String) {
    let page = world.store().customer_items(&customer(customer_id), None).await.unwrap();
    let text = serde_json::to_string(&page.items).unwrap();
    (page.items.into_iter().map(|item| item.key).collect(), text)
}

#[tokio::test]
async fn an_export_holds_everything_of_one_customer_and_nothing_of_another() {
    let world = a_person().await;
    let accounts = [id("A-1"), id("A-2")];
    let exported =
        export(world.store(), &customer("C-1"), &accounts, "officer-7", world.now()).await.unwrap();
    let text = serde_json::to_string_pretty(&exported).unwrap();
    let exported: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(exported["customer_id"], "C-1");
    assert_eq!(exported["exported_at"], ASKED_AT);
    assert_eq!(exported["records"].as_array().unwrap().len(), 5);
    assert_eq!(exported["records"][0], json!({ "key": "account#A-1" }));
    assert_eq!(exported["records"][2]["key"], "contact#email");
    assert_eq!(exported["records"][2]["value"], "zhang@example.com");
    assert_eq!(exported["accounts"][1]["account"]["account_id"], "A-2");
    let history = exported["accounts"][0]["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1]["entry"]["decision"]["to"], "limited");
    assert_eq!(history[1]["previous"], history[0]["hash"]);
    let entry = &world.history("A-1").await[1].entry;
    assert!(text.contains(entry.as_str()), "the text that the hash was taken of");
    assert!(!text.contains("Li Si"));
}

#[tokio::test]
async fn an_export_is_on_record() {
    let world = a_person().await;
    export(world.store(), &customer("C-1"), &[id("A-1")], "officer-7", world.now()).await.unwrap();
    let page = world.store().customer_items(&customer("C-1"), None).await.unwrap();
    let access = &page.items[0];
    assert_eq!(access.key, "access#2023-10-10T08:00:00.000Z#export");
    assert_eq!(access.attributes["by"], "officer-7");
    assert_eq!(
        access.attributes["counts"],
        json!({ "records": 5, "messages": 0, "accounts": 2, "entries": 4 })
    );
}

#[tokio::test]
async fn somebody_elses_account_is_not_handed_out() {
    let world = a_person().await;
    let refused = export(world.store(), &customer("C-2"), &[id("A-1")], "officer-7", world.now()).await;
    assert!(matches!(refused, Err(CustomerError::NotTheirs { .. })));
    let refused = export(world.store(), &customer("C-1"), &[id("A-9")], "officer-7", world.now()).await;
    assert!(matches!(refused, Err(CustomerError::NoAccount(_))));
    assert!(!known(&world, "C-2").await.1.contains("access"), "nothing was handed out");
}

#[tokio::test]
async fn a_walk_over_the_accounts_finds_those_of_the_customer() {
    let world = a_person().await;
    let mut found = accounts_of(world.store(), &customer("C-1")).await.unwrap();
    found.sort();
    assert_eq!(found, [id("A-1"), id("A-2")]);
    assert_eq!(accounts_of(world.store(), &customer("C-2")).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_erased_is_nowhere_and_the_history_still_verifies() {
    let world = a_person().await;
    export(world.store(), &customer("C-1"), &[], "officer-7", instant("2023-10-10T07:00:00Z")).await.unwrap();
    let erased =
        erase(&world.services("duewatch"), &customer("C-1"), "officer-8", world.now()).await.unwrap();
    assert_eq!(erased, Erased { deleted: 2, emptied: 1, kept: 4, ..Erased::default() });

    let (keys, text) = known(&world, "C-1").await;
    assert_eq!(
        keys,
        [
            "access#2023-10-10T07:00:00.000Z#export",
            "access#2023-10-10T08:00:00.000Z#erase",
            "account#A-1",
            "account#A-2",
            "contact-log#2023-09-02T00:00:00Z#E-1",
        ]
    );
    for private in ["Zhang", "138", "139", "example.com"] {
        assert!(!text.contains(private), "{text}");
    }
    for kept in ["officer-7", "officer-8", "core-banking", r#""deleted":2"#] {
        assert!(text.contains(kept), "{kept} is missing in {text}");
    }
    assert!(known(&world, "C-2").await.1.contains("Li Si"));

    for account_id in ["A-1", "A-2"] {
        let (history, account) = (world.history(account_id).await, world.account(account_id).await);
        assert_eq!(verify_history(&history, &account, world.now()).unwrap(), []);
        assert_eq!(history.len(), 2);
    }
}

#[tokio::test]
async fn erasing_again_erases_what_has_come_since() {
    let world = a_person().await;
    erase(&world.services("duewatch"), &customer("C-1"), "officer-8", world.now()).await.unwrap();
    let again = instant("2023-10-11T08:00:00Z");
    let nothing = erase(&world.services("duewatch"), &customer("C-1"), "officer-8", again).await.unwrap();
    assert_eq!(nothing, Erased { deleted: 0, emptied: 1, kept: 4, ..Erased::default() });
}
