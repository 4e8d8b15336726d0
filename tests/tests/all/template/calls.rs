//! The calls of each function's code, as they leave the real clients. They prove the table of
//! [`roles`](super::roles).

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use detect_overdue::ShardQueue;
use duewatch_app::{Deadline, NewVersion, Services};
use duewatch_cli::policies::{self, Brake, PolicyPublisher};
use duewatch_cli::publish::queue_accounts;
use duewatch_domain::cases::{NewCase, open_case};
use duewatch_domain::formats::book_line;
use duewatch_domain::kernel::{Actor, ActorKind};
use duewatch_domain::policy::{self, CaseKind};
use duewatch_stack::sqs::LocalSqs;
use duewatch_stack::{local_policy_key, local_tombstone_key};
use duewatch_store::{HoldScope, OperatorHold, PolicyApproval, policy_digest};
use duewatch_tests::observed::RequestObserver;
use duewatch_tests::support::{
    Browser, JOINT, KEEPING, STANDARD, World, anchor, contract, id, message, policy_text, post, record,
    report, sample, send, sweep, sweep_contacts, sweep_handing_over, take_in, take_messages, watch,
};
use serde_json::{Value, json};

use super::resources::of;
use super::roles::{Rights, called, called_by_the_publisher};

/// Notes the rights in use: one for each kind of call that leaves.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Rights>>);

impl RequestObserver for Notes {
    fn before(&self, target: &str, body: &[u8]) -> Result<(), BoxError> {
        let taken = match target.split_once('.') {
            None => sns(std::str::from_utf8(body).unwrap()),
            Some(("AmazonSQS", operation)) => sqs(operation, &serde_json::from_slice(body).unwrap()),
            Some((_, operation)) => dynamodb(operation, &serde_json::from_slice(body).unwrap()),
        };
        self.0.lock().unwrap().extend(taken);
        Ok(())
    }
}

/// A table as the template names it.
fn table(request: &Value) -> &'static str {
    match request["TableName"].as_str() {
        Some("duewatch-dev-accounts") => "AccountsTable",
        Some("duewatch-dev-payments") => "PaymentsTable",
        Some("duewatch-dev-records") => "RecordsTable",
        Some("duewatch-dev-anchors") => "AnchorsTable",
        Some("duewatch-dev-history") => "HistoryTable",
        Some("duewatch-dev-policies") => "PoliciesTable",
        Some("duewatch-dev-cases") => "CasesTable",
        _ => panic!("no table of ours: {request}"),
    }
}

fn dynamodb(operation: &str, request: &Value) -> Rights {
    // A transaction needs the rights of its writes.
    if operation == "TransactWriteItems" {
        let items = request["TransactItems"].as_array().unwrap();
        return items
            .iter()
            .flat_map(|item| item.as_object().unwrap())
            .map(|(kind, item)| {
                let action =
                    if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
                (format!("dynamodb:{action}"), format!("{}.Arn", table(item)))
            })
            .collect();
    }
    if operation == "BatchGetItem" {
        let tables = request["RequestItems"].as_object().unwrap().keys();
        let arn = |name| format!("{}.Arn", table(&json!({ "TableName": name })));
        return tables.map(|name| ("dynamodb:BatchGetItem".to_owned(), arn(name))).collect();
    }
    let resource = match request["IndexName"].as_str() {
        Some(index) => format!("${{{}.Arn}}/index/{index}", table(request)),
        None => format!("{}.Arn", table(request)),
    };
    Rights::from([(format!("dynamodb:{operation}"), resource)])
}

fn sns(form: &str) -> Rights {
    let of_ours = [
        ("reminders", "RemindersTopic"),
        ("account-events", "AccountEventsTopic"),
        ("operations", "OperationsTopic"),
        ("tickets", "TicketsTopic"),
        ("heartbeat", "HeartbeatTopic"),
        ("archive", "ArchiveTopic"),
    ];
    let asks = form.contains("Action=GetTopicAttributes");
    let action = if asks { "sns:GetTopicAttributes" } else { "sns:Publish" };
    let (_, topic) =
        of_ours.into_iter().find(|(name, _)| form.contains(&format!("duewatch-dev-{name}"))).unwrap();
    Rights::from([(action.to_owned(), topic.to_owned())])
}

fn sqs(operation: &str, request: &Value) -> Rights {
    assert!(operation.starts_with("SendMessage"), "{operation}: reading is Lambda's");
    assert!(request["QueueUrl"].as_str().unwrap().ends_with("/duewatch-dev-sweeps"), "{request}");
    Rights::from([("sqs:SendMessage".to_owned(), "SweepsQueue.Arn".to_owned())])
}

impl Notes {
    /// The services of a function whose calls are noted.
    fn on(&self, world: &World, function: &'static str) -> Services {
        let services = world.stack.services();
        let dynamodb =
            services.dynamodb_client.config().to_builder().interceptor(self.clone().observing()).build();
        let sns = services.sns_client.config().to_builder().interceptor(self.clone().observing()).build();
        duewatch_runtime::services(
            function,
            world.stack.settings(),
            aws_sdk_dynamodb::Client::from_conf(dynamodb),
            aws_sdk_sns::Client::from_conf(sns),
            Arc::new(world.stack.clock().clone()),
        )
        .with_tombstone_key(local_tombstone_key().unwrap())
    }

    /// The code makes exactly the calls of the table.
    fn are_those_of(&self, function: &str) {
        let (made, listed) = (self.0.lock().unwrap().clone(), called(function));
        let beyond: Vec<_> = made.difference(&listed).collect();
        let idle: Vec<_> = listed.difference(&made).collect();
        assert!(
            beyond.is_empty() && idle.is_empty(),
            "{function}: beyond the table {beyond:?}, idle {idle:?}"
        );
    }
}

/// One account that is about to be restricted, and one that cannot be evaluated.
async fn two_that_are_due() -> World {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.open("A-2").await;
    world.tamper("A-2", "installments", AttributeValue::S("none".to_owned())).await;
    two_cases_that_are_due(&world).await;
    world.set("2023-10-20T02:00:00Z");
    world
}

/// A case of which the account knows nothing yet, and one that cannot be evaluated.
async fn two_cases_that_are_due(world: &World) {
    let tables = "[cases.complaint]\nanswer = { amount = 15, unit = \"days\" }\n";
    let text = duewatch_testkit::policy_text("answering", "", tables);
    world.publish(&text).await;
    let (now, rules) = (world.now(), policy::parse(&text).unwrap());
    for account_id in ["A-3", "A-4"] {
        let account = world.open_under("answering", account_id).await;
        let request = NewCase {
            request_id: "R-1".parse().unwrap(),
            kind: CaseKind::Complaint,
            event_on: None,
            statement: "too many calls".to_owned(),
            by: Actor { kind: ActorKind::Borrower, id: "C-1".parse().unwrap() },
        };
        let mut case = open_case(&account, &[], &rules, &request, now).unwrap();
        if account_id == "A-4" {
            // No version has terms for it.
            case.policy.version = 9;
        }
        world.store().create_case(&case, Some(now)).await.unwrap();
    }
}

#[tokio::test]
async fn the_sweep_calls_what_its_role_grants() {
    let world = two_that_are_due().await;
    let notes = Notes::default();
    let services = notes.on(&world, detect_overdue::NAME);
    let sqs = world
        .stack
        .services()
        .sqs_client
        .config()
        .to_builder()
        .interceptor(notes.clone().observing())
        .build();
    let queue =
        ShardQueue::new(aws_sdk_sqs::Client::from_conf(sqs), LocalSqs::queue_url("duewatch-dev-sweeps"));
    // Out of time, the sweep hands over; in time, it does the work itself.
    sweep_handing_over(&services, Some(&queue), Deadline::at(world.now())).await;
    let report = sweep(&services).await;
    assert_eq!((report.decisions, report.quarantined, report.cases), (1, 2, 1));
    notes.are_those_of("DetectOverdueFunction");
}

#[tokio::test]
async fn the_sweep_of_a_shard_calls_what_its_role_grants() {
    let world = two_that_are_due().await;
    let notes = Notes::default();
    let services = notes.on(&world, detect_overdue::NAME);
    for shard in 0..world.store().due_shards() {
        let mut event = sample("detect-overdue.sweeps.json");
        event["Records"][0]["body"] = json!(json!({ "shard": shard }).to_string());
        let event = serde_json::from_value(event).unwrap();
        detect_overdue::handle(&services, None, event, Deadline::none()).await.unwrap();
    }
    assert_eq!(world.account("A-1").await.status.stage.as_str(), "frozen");
    assert_eq!(world.quarantined().await.len(), 2);
    notes.are_those_of("SweepShardFunction");
}

#[tokio::test]
async fn post_payment_calls_what_its_role_grants() {
    let mut world = World::at("2023-10-20T02:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, post_payment::NAME);
    world.open("A-1").await;
    // A payment, a payment without account, an invalid item, and a reversal, which restricts again.
    let mut payment = world.payment("A-1", "P-1", "250.00");
    world.put_payment(&payment).await;
    world.pay("A-9", "P-1", "10.00").await;
    world.pay("A-8", "P-1", "0").await;
    let records = world.payment_records().await;
    assert!(post(&services, &records).await.is_empty());
    payment["reversed_at"] = json!("2023-10-20T02:00:00Z");
    world.put_payment(&payment).await;
    let records = world.payment_records().await;
    for _delivered in 0..2 {
        assert!(post(&services, &records).await.is_empty());
    }
    assert_eq!(world.account("A-1").await.status.stage.as_str(), "frozen");
    notes.are_those_of("PostPaymentFunction");
}

#[tokio::test]
async fn send_reminders_calls_what_its_role_grants() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, send_reminders::NAME);
    world.open_under("reminding", "A-1").await;
    world.open_under("noticing", "A-2").await;
    for account_id in ["A-3", "A-4"] {
        world.open_for("C-3", JOINT, account_id).await;
    }
    for at in ["2023-09-28T02:00:00Z", "2023-10-05T02:00:00Z", "2023-10-06T02:00:00Z", "2023-10-08T02:00:00Z"]
    {
        world.set(at);
        world.sweep().await;
    }
    let mut records = world.account_records().await;
    let mut poison = records[0].clone();
    poison["dynamodb"]["NewImage"]["installments"] = json!({"S": "none"});
    records.push(poison);
    assert!(send(&services, &records).await.is_empty());
    sweep_contacts(&services).await;
    // An account restricts the customer's other one.
    world.set("2023-10-18T16:00:00Z");
    world.sweep().await;
    let records = world.account_records().await;
    assert!(send(&services, &records).await.is_empty());
    notes.are_those_of("SendRemindersFunction");
}

#[tokio::test]
async fn intake_calls_what_its_role_grants() {
    let mut world = World::at("2023-10-20T02:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, intake::NAME);
    // A payment that waits for its account, and another account of the customer.
    world.open_for("C-1", STANDARD, "A-2").await;
    world.pay_and_post("A-1", "P-1", "10.00").await;
    let now = world.now();
    let account = format!(r#""account":{}"#, book_line(&contract(STANDARD, "A-1")));
    let contact = r#""channel":"sms","contact_point":"+8613800000000","changed_by":"desk""#;
    let approved = r#""person_id":"P-1","by":"officer-7","reason":"no answer for a month""#;
    let messages = [
        message("E-1", now, "A-1", "account_opened", &account),
        message("E-2", now, "A-1", "pause_started", r#""from":"2023-10-05","until":"2023-10-12""#),
        message("E-3", now, "A-1", "payment_received", r#""payment_id":"P-2","amount":"5.00""#),
        message("E-4", now, "A-1", "payment_reversed", r#""payment_id":"P-2""#),
        message("E-5", now, "A-1", "contact_changed", contact),
        message("E-6", now, "A-1", "contact_person_approved", approved),
    ];
    for _delivered in 0..2 {
        assert!(take_messages(&services, &messages).await.is_empty());
    }
    assert!(take_in(&services, &[("A-1", "no message".to_owned())]).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 1);
    notes.are_those_of("IntakeFunction");
}

#[tokio::test]
async fn record_delivery_calls_what_its_role_grants() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, record_delivery::NAME);
    world.open_under("reminding", "A-1").await;
    let contact = r#""channel":"sms","contact_point":"+8613800000000","changed_by":"desk""#;
    let contact = message("E-1", world.now(), "A-1", "contact_changed", contact);
    assert!(take_messages(&world.services(intake::NAME), &[contact]).await.is_empty());
    world.sweep_and_send("2023-10-06T02:00:00Z").await;
    let [sent] = world.sent_to("reminders").try_into().unwrap();
    // The message bounced from the only number; its answer arrives when the account is about to be
    // restricted.
    world.set("2023-10-20T02:00:00Z");
    let at = world.now();
    let reported =
        |outcome, reason| json!({"message_id": sent.id(), "at": at, "outcome": outcome, "reason": reason});
    let receipts = [
        reported("bounced", Value::Null).to_string(),
        reported("answered", json!("lost my job")).to_string(),
        reported("opted_out", Value::Null).to_string(),
        "no receipt".to_owned(),
    ];
    assert!(report(&services, &receipts).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 1);
    notes.are_those_of("RecordDeliveryFunction");
}

#[tokio::test]
async fn record_history_calls_what_its_role_grants() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, record_history::NAME);
    services.store().warm_up().await.unwrap();
    // Writing the second entry sets its expiry, and the third comes before it.
    world.open_under(KEEPING, "A-1").await;
    for at in ["2023-10-05T02:00:00Z", "2023-10-20T02:00:00Z"] {
        world.set(at);
        world.sweep().await;
    }
    let mut records = world.account_records().await;
    assert_eq!(records.len(), 3);
    records.swap(1, 2);
    let mut poison = records[0].clone();
    poison["dynamodb"]["NewImage"]["installments"] = json!({"S": "none"});
    records.push(poison);
    for _delivered in 0..2 {
        assert!(record(&services, &records).await.is_empty());
    }
    notes.are_those_of("RecordHistoryFunction");
}

#[tokio::test]
async fn reconcile_accounts_calls_what_its_role_grants() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, reconcile_accounts::NAME);
    // No message or entry of this account is sent or recorded; its payment is not posted, and another is a
    // suspense payment.
    world.open_under("reminding", "A-1").await;
    for account_id in ["A-3", "A-4"] {
        world.open_for("C-3", JOINT, account_id).await;
    }
    for at in ["2023-10-05T02:00:00Z", "2023-10-06T02:00:00Z"] {
        world.set(at);
        world.sweep().await;
    }
    world.set("2023-10-06T04:00:00Z");
    watch(&services).await;
    world.pay("A-1", "P-1", "10.00").await;
    world.pay("A-1", "P-2", "0").await;
    let unknown = world.payment("A-1", "P-3", "1.00");
    world.put_payment(&unknown).await;
    world.store().put_in_suspense(&id("A-1"), &"P-3".parse().unwrap(), world.now()).await.unwrap();
    world.account_records().await;
    world.set("2023-10-07T12:00:00Z");
    watch(&services).await;
    // A-3 restricts A-4, which nobody tells.
    world.set("2023-10-18T16:00:00Z");
    world.sweep().await;
    world.set("2023-11-20T12:00:00Z");
    watch(&services).await;
    // Everything has done its work: the heartbeat leaves.
    world.sweep().await;
    world.sweep_contacts().await;
    anchor(&world.services(anchor_history::NAME)).await;
    assert!(watch(&services).await.heartbeat);
    notes.are_those_of("ReconcileAccountsFunction");
}

#[tokio::test]
async fn serve_borrower_calls_what_its_role_grants() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    world.open("A-1").await;
    let contact = r#""channel":"sms","contact_point":"+8613800000000","changed_by":"desk""#;
    let contact = message("E-1", world.now(), "A-1", "contact_changed", contact);
    assert!(take_messages(&world.services(intake::NAME), &[contact]).await.is_empty());
    // About to be restricted, with money in the table that cannot be posted: a ticket.
    world.set("2023-10-20T02:00:00Z");
    let mut foreign = world.payment("A-1", "P-1", "250.00");
    foreign["currency"] = json!("USD");
    world.put_payment(&foreign).await;
    let mut browser = Browser::new(notes.on(&world, serve_borrower::NAME));
    browser.sign_in(&world, "A-1").await;
    assert_eq!(browser.get("/").await.status, 200);
    let page = browser.get("/accounts/A-1").await;
    let (token, key) = (page.hidden("token"), page.hidden("key"));
    for (action, name, value) in
        [("reason", "reason", "ill"), ("dispute", "what", "paid"), ("consent", "channel", "sms")]
    {
        let form = [(name, value), ("token", token.as_str()), ("key", key.as_str())];
        assert_eq!(browser.post(&format!("/accounts/A-1/{action}"), &form).await.status, 303, "{action}");
    }
    assert_eq!(browser.post("/sign-out", &[("token", &token)]).await.status, 303);
    notes.are_those_of("ServeBorrowerFunction");
}

#[tokio::test]
async fn anchor_history_calls_what_its_role_grants() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let notes = Notes::default();
    let services = notes.on(&world, anchor_history::NAME);
    services.store().warm_up().await.unwrap();
    world.open("A-1").await;
    world.record_all().await;
    world.set("2023-09-02T06:00:00Z");
    assert_eq!(anchor(&services).await.anchored, 1);
    notes.are_those_of("AnchorHistoryFunction");
}

#[tokio::test]
async fn whoever_publishes_calls_what_the_publishers_policy_grants() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    // The sweep has noted K.
    world.sweep().await;
    let notes = Notes::default();
    let services = notes.on(&world, "duewatch");
    let (store, key, now) = (services.store(), local_policy_key().unwrap(), world.now());
    let text = policy_text(STANDARD).replacen("version = 1", "version = 2", 1);
    let text = text.replacen("effective_on = 2020-01-01", "effective_on = 2023-09-01", 1);
    let policy = policy::parse(&text).unwrap();
    let digest = policy_digest(&policy::canonical_text(&text));
    let approval = PolicyApproval { by: "berta".to_owned(), at: now };
    store.approve_policy(&policy.id, &digest, &approval, Some(&key)).await.unwrap();
    let new = NewVersion { policy: &policy, text: &text, by: "anna", backdated: None, key: Some(&key) };
    assert!(policies::publish(store, &new, None, Brake::default(), now).await.unwrap().is_new);
    queue_accounts(store, &policy, now).await.unwrap();
    let publisher = PolicyPublisher { by: "anna", key: Some(&key) };
    policies::rollback(store, &policy.id, publisher, Brake::default(), now).await.unwrap();
    store.sign_policy(&policy.id, &key).await.unwrap();
    policies::list(store, &policy.id).await.unwrap();
    let mut made = notes.0.lock().unwrap().clone();
    // Which nothing of an emulated table needs.
    made.extend(called_by_the_publisher().into_iter().filter(|(action, _)| action.starts_with("kms:")));
    assert_eq!(made, called_by_the_publisher());
    // The hold on new restrictions is a setting.
    let hold = OperatorHold { is_on: true, at: now, by: "anna".to_owned(), reason: "wrong".to_owned() };
    store.set_hold(HoldScope::Restrictions, &hold).await.unwrap();
    assert_eq!(world.records("settings", "restrictions").await.len(), 1);
}

#[tokio::test]
async fn every_function_may_make_the_call_that_warms_it_up() {
    let world = World::at("2023-10-20T02:00:00Z").await;
    let notes = Notes::default();
    notes.on(&world, detect_overdue::NAME).transitions.store().warm_up().await.unwrap();
    let made = notes.0.lock().unwrap().clone();
    assert_eq!(made.len(), 1);
    for function in of("AWS::Serverless::Function") {
        assert!(made.is_subset(&called(&function.id)), "{}: {made:?}", function.id);
    }
}
