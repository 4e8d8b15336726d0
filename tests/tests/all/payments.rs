//! Payments are posted once, in whatever order they come, and no restriction overtakes them.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use duewatch_app::{Clock, Deadline, SweepReport, TransitionError, TransitionOutcome, Transitions};
use duewatch_domain::account::{Dated, PaymentKind};
use duewatch_domain::commands::PaymentReceived;
use duewatch_domain::kernel::MAX_PAYMENTS;
use duewatch_domain::kernel::{AccountId, PaymentId, Revision};
use duewatch_domain::{Account, Command, Trigger};
use duewatch_store::{MAX_CONFLICTS, PaymentFact, ReversalFact, ReversalPut};
use duewatch_testkit::{LIMIT, policy_text, stages};
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::observed::RequestObserver;
use duewatch_tests::support::{
    PublishedMessage, STANDARD, World, consumed, contract, contract_of, decisions, failures, id, instant,
    message, payment_ids, post, put, sequence_number, stream_event,
};
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";

#[tokio::test]
async fn a_batch_delivered_twice_posts_once() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "100.00").await;
    world.pay("A-1", "P-2", "150.00").await;
    let records = world.payment_records().await;
    assert_eq!(records.len(), 2);
    assert!(world.post(&records).await.is_empty());
    let posted = world.account("A-1").await;
    assert_eq!(payment_ids(&posted), ["P-1", "P-2"]);

    let again = world.services(post_payment::NAME);
    assert!(post(&again, &records).await.is_empty());
    assert_eq!(world.account("A-1").await, posted);
    assert_eq!(again.transitions.store().meter().of("UpdateItem").requests, 0);
    assert_eq!(world.sent(), []);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_reversal_delivered_without_its_payment_posts_both() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let mut payment = world.payment("A-1", "P-1", "250.00");
    world.put_payment(&payment).await;
    world.set("2023-09-03T00:00:00Z");
    payment["reversed_at"] = json!("2023-09-03T00:00:00Z");
    payment["reversal_dated"] = json!("original");
    world.put_payment(&payment).await;
    let records = world.payment_records().await;
    assert_eq!(records[1]["eventName"], "MODIFY");

    // The INSERT is lost; the item that the MODIFY names is the whole fact.
    assert!(world.post(&records[1..]).await.is_empty());
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert!(!account.payments()[0].is_effective());
    // The late INSERT adds no fact.
    assert!(world.post(&records[..1]).await.is_empty());
    assert_eq!(world.account("A-1").await, account);
}

#[tokio::test]
async fn a_reversal_restricts_again_in_its_own_invocation() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let mut payment = world.payment("A-1", "P-1", "250.00");
    world.put_payment(&payment).await;
    world.set("2023-10-12T00:00:00Z");
    world.post_payments().await;
    assert_eq!(world.account("A-1").await.status.stage.as_str(), "current");

    payment["reversed_at"] = json!("2023-10-12T00:00:00Z");
    world.put_payment(&payment).await;
    world.post_payments().await;
    assert_eq!(decisions(&world.account("A-1").await), ["current > limited +limit_credit_line"]);
}

#[tokio::test]
async fn a_payment_that_is_not_handled_yet_is_posted_by_the_sweep_that_would_restrict() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    let late = world.account("A-1").await;
    world.set(LIMITED_AT);
    world.pay("A-1", "P-1", "250.00").await;
    assert_eq!(
        world.sweep().await,
        SweepReport { due: 1, written: 1, decisions: 1, ..SweepReport::default() }
    );

    let account = world.account("A-1").await;
    assert_eq!(account.revision, late.revision.next(), "posted in the same write");
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(decisions(&account), ["current > late", "late > current"], "never restricted");

    // Its record comes late.
    world.post_payments().await;
    assert_eq!(world.account("A-1").await, account);
}

#[tokio::test]
async fn a_payment_that_cures_only_a_part_does_not_stop_the_restriction_but_is_posted_with_it() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    world.pay("A-1", "P-1", "0.01").await;
    world.sweep().await;
    let account = world.account("A-1").await;
    assert_eq!(account.revision, Revision(2));
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(decisions(&account), ["current > limited +limit_credit_line"]);
}

fn held(sent: &[PublishedMessage]) -> Vec<&Value> {
    sent.iter().map(|sent| &sent.body["data"]).filter(|data| data["kind"] == "restriction_held").collect()
}

#[tokio::test]
async fn money_in_another_currency_holds_the_restriction_and_tells_operations() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    world.set("2023-10-09T03:20:00Z");
    let mut dollars = world.payment("A-1", "P-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    let waited = SweepReport { oldest_due_seconds: 40_800, ..SweepReport::default() };
    assert_eq!(world.sweep().await, SweepReport { due: 1, written: 1, held: 1, ..waited });

    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > late"]);
    assert_eq!(account.status.restrictions, []);
    assert_eq!(account.status.next_action_at, Some(instant("2023-10-09T04:20:00Z")), "an hour later");
    let told = world.sent();
    assert_eq!(told[0].topic, "tickets");
    assert_eq!(held(&told)[0]["subject"], "A-1/P-1");
    assert_eq!(
        held(&told)[0]["reason"],
        "it is in the payments table and cannot be posted",
        "why may bear an amount; quarantine says it"
    );

    world.set("2023-10-09T04:19:59Z");
    assert_eq!(world.sweep().await.due, 0);
    world.set("2023-10-09T04:20:00Z");
    assert_eq!(world.sweep().await.held, 1, "it is held as long as the money is there");
    assert_eq!(world.sent()[0].id(), told[0].id(), "one alarm, however often it rings");

    // The lender corrects the item.
    dollars["currency"] = json!("CNY");
    dollars["amount"] = json!("250.00");
    world.put_payment(&dollars).await;
    let records = world.payment_records().await;
    assert!(world.post(&records[1..]).await.is_empty());
    assert_eq!(decisions(&world.account("A-1").await), ["current > late", "late > current"]);
}

/// Each stage has a restriction of its own, so that a milder one brings a new one too.
fn replacing() -> String {
    let second = r#"{ kind = "limit_credit_line", percent = 20 }, { kind = "freeze_drawdown" }"#;
    let first = LIMIT.replace("50", "80");
    let ladder = [("first", "days_past_due = 1", first.as_str()), ("second", "days_past_due = 5", second)];
    policy_text("replacing", "", &stages(&ladder))
}

#[tokio::test]
async fn money_that_cannot_be_posted_does_not_keep_other_money_from_easing_the_account() {
    let mut world = World::at(OPENED_AT).await;
    world.publish(&replacing()).await;
    let due_on = ["2023-10-01", "2023-10-10"].map(str::to_owned);
    let contract = contract_of("replacing", "A-1", &due_on);
    world.stack.transitions().open(&contract, world.now(), Trigger::Time).await.unwrap();
    world.set("2023-10-12T04:00:00Z");
    world.sweep().await;
    assert_eq!(world.account("A-1").await.status.stage.as_str(), "second");

    let mut dollars = world.payment("A-1", "X-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    world.pay_and_post("A-1", "P-1", "250.00").await;
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(account.status.stage.as_str(), "first", "two days past due are left");
    assert_eq!(account.status.restrictions.len(), 1);
}

#[tokio::test]
async fn a_held_restriction_comes_an_hour_later_when_the_money_was_none() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    let item = json!({ "account_id": "A-1", "payment_id": "P-1", "amount": "40.00", "kind": "gift" });
    world.put_payment(&item).await;
    assert_eq!(world.sweep().await.held, 1);
    assert_eq!(decisions(&world.account("A-1").await), Vec::<String>::new());
    world.remove_payment("A-1", "P-1").await;
    world.set("2023-10-08T17:00:00Z");
    assert_eq!(world.sweep().await.decisions, 1);
    assert_eq!(decisions(&world.account("A-1").await), ["current > limited +limit_credit_line"]);
}

#[tokio::test]
async fn a_restriction_that_post_payment_holds_is_told_as_well() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    // No sweep has come; the account is due for its restriction.
    world.set("2023-10-09T03:20:00Z");
    world.pay("A-1", "P-1", "1.00").await;
    let records = world.payment_records().await;
    let mut dollars = world.payment("A-1", "P-2", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    assert!(world.post(&records).await.is_empty());

    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(account.status.restrictions, []);
    assert_eq!(account.status.next_action_at, Some(instant("2023-10-09T04:20:00Z")));
    let told = world.sent_to("tickets");
    assert_eq!(held(&told).len(), 1);
    assert_eq!(held(&told)[0]["subject"], "A-1/P-2");
}

#[tokio::test]
async fn a_payment_for_an_unknown_account_waits_in_suspense_and_is_posted_when_the_account_is_created() {
    let mut world = World::at(OPENED_AT).await;
    world.pay("A-1", "P-1", "250.00").await;
    let records = world.payment_records().await;
    assert!(world.post(&records).await.is_empty());
    assert_eq!(world.store().suspense_of(&id("A-1")).await.unwrap(), ["P-1"]);
    let told = world.sent_to("tickets");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["data"]["kind"], "payment_parked");
    assert_eq!(told[0].body["subject"], "A-1/P-1");

    let account = world.open("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(world.account("A-1").await, account);
    assert_eq!(account.revision, Revision(1), "posted in the write that creates it");
    assert_eq!(world.store().suspense_of(&id("A-1")).await.unwrap(), Vec::<String>::new());

    assert!(world.post(&records).await.is_empty());
    assert_eq!(world.account("A-1").await, account, "the record comes again and says nothing new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_put_between_the_creators_query_and_its_put_is_posted() {
    let mut world = World::at(OPENED_AT).await;
    let accounts = world.store().tables().accounts.clone();
    let (client, payments) = (world.client().clone(), world.store().tables().payments.clone());
    let payment = world.payment("A-1", "P-1", "250.00");
    let comes = Interrupt::before("PutItem", &accounts, 1, move || {
        let (client, payments, payment) = (client.clone(), payments.clone(), payment.clone());
        async move { put(&client, &payments, &payment).await }
    });
    let creator = world.services_interrupted("intake", comes.clone()).transitions;
    creator.open(&contract(STANDARD, "A-1"), world.now(), Trigger::Time).await.unwrap();
    assert_eq!(comes.left(), 0);
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    world.post_payments().await;
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_put_in_suspense_between_the_creators_query_and_its_put_leaves_no_note() {
    let mut world = World::at(OPENED_AT).await;
    world.pay("A-1", "P-1", "250.00").await;
    let records = world.payment_records().await;
    let accounts = world.store().tables().accounts.clone();
    let function = world.services(post_payment::NAME);
    let parks = Interrupt::before("PutItem", &accounts, 1, move || {
        let (function, records) = (function.clone(), records.clone());
        async move { assert!(post(&function, &records).await.is_empty()) }
    });
    let creator = world.services_interrupted("intake", parks.clone()).transitions;
    creator.open(&contract(STANDARD, "A-1"), world.now(), Trigger::Time).await.unwrap();
    assert_eq!(parks.left(), 0);
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    assert_eq!(world.sent_to("tickets").len(), 1, "it was parked");
    assert_eq!(world.store().suspense_of(&id("A-1")).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_a_newer_release_takes_over_while_it_is_opened_is_open_all_the_same() {
    let world = World::at(OPENED_AT).await;
    let (store, payment) = (world.store().clone(), world.payment("A-1", "P-1", "250.00"));
    // The creator's second Query finds the account written by the newer release, and its first payment.
    let payments = store.tables().payments.clone();
    let takes_over = Interrupt::before("Query", &payments, 2, move || {
        let (store, payment) = (store.clone(), payment.clone());
        async move {
            if store.account(&id("A-1")).await.unwrap().is_none() {
                return;
            }
            put(store.client(), &store.tables().payments, &payment).await;
            let accounts = store.client().update_item().table_name(&store.tables().accounts);
            let newer = accounts
                .key("account_id", AttributeValue::S("A-1".to_owned()))
                .update_expression("SET #schema = :newer")
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":newer", AttributeValue::N("2".to_owned()));
            newer.send().await.unwrap();
        }
    });
    let creator = world.services_interrupted("intake", takes_over.clone()).transitions;
    let opened = creator.open(&contract(STANDARD, "A-1"), world.now(), Trigger::Time).await.unwrap();
    assert_eq!(takes_over.left(), 0);
    assert!(matches!(opened, TransitionOutcome::Written(_)), "{opened:?}");
    assert!(world.store().account(&id("A-1")).await.unwrap_err().to_string().contains("schema"));
}

#[tokio::test]
async fn a_suspense_payment_that_cannot_be_posted_is_quarantined_when_its_account_comes() {
    let mut world = World::at(OPENED_AT).await;
    let mut dollars = world.payment("A-1", "P-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    world.post_payments().await;
    let account = world.open("A-1").await;
    assert_eq!(payment_ids(&account), Vec::<&str>::new());
    assert!(world.store().suspense_of(&id("A-1")).await.unwrap().is_empty());
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1, "{quarantined:?}");
    assert_eq!(quarantined[0].id, "A-1/P-1");
    assert!(quarantined[0].reason.contains("the payment is in USD, the account in CNY"), "{quarantined:?}");
    assert!(quarantined[0].payload.contains("\"amount\":\"40.00\""), "{quarantined:?}");
}

/// A first delivery records the suspense payment and is cut off; the account is opened in between.
#[tokio::test]
async fn a_note_that_a_cut_off_delivery_left_behind_is_taken_away_by_the_next() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "40.00").await;
    let records = world.payment_records().await;
    assert!(world.post(&records).await.is_empty());
    let payment_id = "P-1".parse().unwrap();
    world.store().put_in_suspense(&id("A-1"), &payment_id, world.now()).await.unwrap();
    assert!(world.post(&records).await.is_empty());
    assert!(world.store().suspense_of(&id("A-1")).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_account_opened_again_under_its_terms_is_left_as_it_is_and_under_others_refused() {
    let world = World::at(OPENED_AT).await;
    let account = world.open("A-1").await;
    let transitions: &Transitions = world.stack.transitions();
    let again = transitions.open(&contract(STANDARD, "A-1"), world.now(), Trigger::Time).await.unwrap();
    assert!(matches!(again, TransitionOutcome::Unchanged), "{again:?}");
    let mut other = contract(STANDARD, "A-1");
    other.installments.pop();
    let refused = transitions.open(&other, world.now(), Trigger::Time).await;
    assert!(matches!(refused, Err(TransitionError::Refused(_))), "{refused:?}");
    assert_eq!(world.account("A-1").await, account);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_record_that_failed_is_reported_and_an_accounts_later_records_wait_for_it() {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2", "A-3"] {
        world.open(account_id).await;
    }
    for (account_id, payment_id) in
        [("A-1", "P-1"), ("A-3", "P-2"), ("A-2", "P-3"), ("A-3", "P-4"), ("A-2", "P-5"), ("A-1", "P-6")]
    {
        world.pay(account_id, payment_id, "10.00").await;
    }
    let records = world.payment_records().await;
    // Other writers keep changing both accounts, until one record of each has failed.
    let busy = [
        world.another_writer_first("A-2", MAX_CONFLICTS + 1),
        world.another_writer_first("A-3", MAX_CONFLICTS + 1),
    ];
    let client = world.interrupted(busy[0].clone());
    let client = aws_sdk_dynamodb::Client::from_conf(
        client.config().to_builder().interceptor(busy[1].clone().observing()).build(),
    );
    let failed = post(&world.services_over(post_payment::NAME, client), &records).await;
    assert_eq!(failed, [sequence_number(&records[1])], "of P-2, the lowest of the two");
    assert_eq!((busy[0].left(), busy[1].left()), (0, 0));
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1", "P-6"], "others are not held up");
    assert_eq!(payment_ids(&world.account("A-2").await), Vec::<&str>::new(), "P-5 waits for P-3");
    assert_eq!(payment_ids(&world.account("A-3").await), Vec::<&str>::new(), "P-4 waits for P-2");

    // Lambda delivers that record and all after it again.
    assert!(world.post(&records[1..]).await.is_empty());
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1", "P-6"]);
    assert_eq!(payment_ids(&world.account("A-2").await), ["P-3", "P-5"]);
    assert_eq!(payment_ids(&world.account("A-3").await), ["P-2", "P-4"]);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn sequence_numbers_are_compared_as_numbers() {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2", "A-3"] {
        world.open(account_id).await;
        world.pay(account_id, "P-1", "10.00").await;
    }
    let mut records = world.payment_records().await;
    for (record, number) in records.iter_mut().zip(["000999", "1000", "21000"]) {
        record["dynamodb"]["SequenceNumber"] = json!(number);
    }
    let function = world.services(post_payment::NAME);
    let near = Deadline::at(world.now());
    let answer = post_payment::handle(&function, stream_event(&records), near).await;
    assert_eq!(failures(answer), ["000999"]);
}

#[tokio::test]
async fn a_batch_near_its_deadline_reports_its_first_record_and_posts_nothing() {
    let mut world = World::at(OPENED_AT).await;
    let opened = world.open("A-1").await;
    world.pay("A-1", "P-1", "10.00").await;
    world.pay("A-1", "P-2", "10.00").await;
    let records = world.payment_records().await;
    let function = world.services(post_payment::NAME);
    let near = Deadline::at(world.now());
    let answer = post_payment::handle(&function, stream_event(&records), near).await;
    assert_eq!(failures(answer), [sequence_number(&records[0])]);
    assert_eq!(world.account("A-1").await, opened);
    let store = function.transitions.store();
    assert_eq!(consumed(store, "GetItem", &store.tables().accounts).requests, 0);
}

#[tokio::test]
async fn a_payment_that_is_removed_from_its_table_stays_posted() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "10.00").await;
    let mut records = world.payment_records().await;
    world.post(&records).await;
    let posted = world.account("A-1").await;
    records[0]["eventName"] = json!("REMOVE");
    records[0]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    assert!(world.post(&records).await.is_empty());
    assert_eq!(world.account("A-1").await, posted);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_command_that_looks_at_what_is_paid_posts_what_is_not_posted_yet() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "250.00").await;
    let at = world.now() + TimeDelta::hours(1);
    let written_off = message("E-1", at, "A-1", "written_off", r#""reason":"hardship""#);
    world.stack.transitions().command(&written_off, duewatch_app::Authority::OnePerson, at).await.unwrap();
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    let off: Vec<bool> = account.installments().iter().map(|one| one.written_off).collect();
    assert_eq!(off, [false, true, true, true], "the first was paid");
}

#[tokio::test]
async fn a_payment_stated_again_with_its_currency_keeps_its_reversal() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let (account, payment): (AccountId, PaymentId) = ("A-1".parse().unwrap(), "P-1".parse().unwrap());
    let store = world.stack.store().clone();
    let at = world.stack.clock().now();
    let mut first = PaymentFact {
        account_id: account.clone(),
        payment_id: payment.clone(),
        amount: "10.00".parse().unwrap(),
        currency: None,
        value_date: None,
        kind: PaymentKind::Repayment,
        applies_to: Vec::new(),
        received_at: at,
        reversed_at: None,
        reversal_amount: None,
        reversal_dated: None,
        further_reversals: Vec::new(),
        event_id: None,
        source: None,
        actor: None,
        reversal_event_id: None,
        reversal_source: None,
        reversal_actor: None,
        sender_id: None,
        reversal_sender_id: None,
    };
    store.record_payment(&first).await.unwrap();
    let reversal = ReversalFact::of(at, None, Dated::Original);
    assert_eq!(store.record_reversal(&account, &payment, reversal).await.unwrap(), ReversalPut::New);
    first.currency = Some("CNY".parse().unwrap());
    store.record_payment(&first).await.unwrap();
    let kept = store.payments_of(&account).await.unwrap()[0].clone().unwrap();
    assert_eq!((kept.currency, kept.reversed_at), (first.currency, Some(at)));
}

#[tokio::test]
async fn opening_an_account_again_posts_what_its_creator_had_left() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "10.00").await;
    let (account, payment): (AccountId, PaymentId) = ("A-1".parse().unwrap(), "P-1".parse().unwrap());
    let store = world.stack.store().clone();
    store.put_in_suspense(&account, &payment, world.now()).await.unwrap();

    let again = async || {
        let contract = contract(STANDARD, "A-1");
        world.stack.transitions().open(&contract, world.now(), Trigger::Time).await.unwrap()
    };
    assert!(matches!(again().await, TransitionOutcome::Unchanged));
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    assert_eq!(store.suspense_of(&account).await.unwrap(), Vec::<String>::new());
    let posted = world.account("A-1").await.revision;
    again().await;
    assert_eq!(world.account("A-1").await.revision, posted, "and once is enough");
}

#[tokio::test]
async fn an_account_beyond_what_an_item_holds_is_refused_for_good() {
    let world = World::at(OPENED_AT).await;
    let mut account = Account::open(&contract(STANDARD, "A-1")).unwrap();
    for number in 0..MAX_PAYMENTS {
        let payment = Command::PaymentReceived(PaymentReceived {
            payment_id: format!("{number:0>250}").parse().unwrap(),
            amount: "0.01".parse().unwrap(),
            currency: None,
            value_date: None,
            kind: PaymentKind::Repayment,
            applies_to: Vec::new(),
        });
        account.apply(&payment, world.now()).unwrap();
    }
    let refused = world.stack.store().create_account(account).await.unwrap_err();
    assert!(!refused.is_transient(), "{refused}");
    assert!(refused.to_string().contains("size"), "{refused}");
}
