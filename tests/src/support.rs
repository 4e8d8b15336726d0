//! The whole of duewatch on one machine, driven by a test step by step: its tables and topics behind the real
//! clients, its streams as the event JSON that Lambda delivers, its handlers one invocation at a time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good, and what is not ends the test"
)]

mod browser;
mod deliveries;
mod facts;
mod policies;
mod tap;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_app::{Clock, ReconcileReport, Services, SweepReport, TransitionOutcome};
use duewatch_domain::kernel::Revision;
use duewatch_domain::{Account, Contract, Trigger, policy};
use duewatch_runtime::Settings;
use duewatch_stack::{Ports, Stack, StackClock, Transport, local_policy_key, local_tombstone_key};
use duewatch_store::{Consumed, ContactOutcome, DueEntry, DueTable, HistoryEntry, Quarantined, Store};
use serde_json::{Map, Value, json};

pub use duewatch_testkit::instant;

pub use self::browser::{Browser, HOST, ShownPage, code_in};
pub use self::deliveries::{
    anchor, failures, post, post_aside, record, reference_keys, report, send, sequence_number, stream_event,
    sweep, sweep_contacts, sweep_handing_over, sweep_within, take_in, take_messages, watch,
};
pub use self::facts::{contract, contract_of, id, message, sample};
pub use self::policies::{GATED, JOINT, KEEPING, NOTICING, REMINDING, STANDARD, policy_text};
use self::tap::Tap;
use crate::interrupt::Interrupt;
use crate::observed::RequestObserver;

/// Later than any planned instant.
pub const END_OF_TIME: &str = "9999-12-31T23:59:59Z";

/// A running stack, and a tap on each of its streams.
#[derive(Debug)]
pub struct World {
    pub stack: Stack,
    payments: Tap,
    accounts: Tap,
}

/// A message that left through SNS.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedMessage {
    /// `reminders`, `account-events` or `operations`.
    pub topic: String,
    pub body: Value,
    pub attributes: BTreeMap<String, String>,
}

impl PublishedMessage {
    /// The id of the event in the body.
    #[must_use]
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }
}

impl World {
    /// Starts a world whose clock is at `now`, with the policies published.
    pub async fn at(now: &str) -> Self {
        let stack = Stack::start(
            StackClock::simulated(instant(now)),
            Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 }),
        )
        .await
        .unwrap();
        let key = local_policy_key().unwrap();
        for id in [STANDARD, REMINDING, NOTICING, GATED, KEEPING, JOINT] {
            let text = policy_text(id);
            stack.store().install_policy(&policy::parse(&text).unwrap(), &text, &key).await.unwrap();
        }
        let (payments, accounts) =
            (Tap::on(&stack, "PaymentsToPostPayment"), Tap::on(&stack, "AccountsToSendReminders"));
        Self { stack, payments, accounts }
    }

    /// Moves the clock.
    pub fn set(&self, now: &str) {
        self.stack.clock().set(instant(now));
    }

    /// The instant of the clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.stack.clock().now()
    }

    /// The client of the tables.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.stack.services().dynamodb_client
    }

    /// The store over the tables.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.stack.store()
    }

    /// A function's services as Lambda starts them: with a meter and a policy cache of their own.
    #[must_use]
    pub fn services(&self, function: &'static str) -> Services {
        self.services_over(function, self.client().clone())
    }

    /// A function's services over a given client.
    #[must_use]
    pub fn services_over(&self, function: &'static str, client: Client) -> Services {
        self.services_with(function, self.stack.settings(), client)
    }

    /// A function's services under given settings.
    #[must_use]
    pub fn services_under(&self, function: &'static str, settings: &Settings) -> Services {
        self.services_with(function, settings, self.client().clone())
    }

    fn services_with(&self, function: &'static str, settings: &Settings, client: Client) -> Services {
        let sns = self.stack.services().sns_client.clone();
        let clock = Arc::new(self.stack.clock().clone());
        duewatch_runtime::services(function, settings, client, sns, clock)
            .with_tombstone_key(local_tombstone_key().unwrap())
    }

    /// A function's services, with an interrupt before some of their calls.
    #[must_use]
    pub fn services_interrupted(&self, function: &'static str, interrupt: Interrupt) -> Services {
        self.services_over(function, self.interrupted(interrupt))
    }

    /// A client with an interrupt before some of its calls.
    #[must_use]
    pub fn interrupted(&self, interrupt: Interrupt) -> Client {
        Client::from_conf(self.client().config().to_builder().interceptor(interrupt.observing()).build())
    }

    /// Puts a policy into the table, whatever its number and its date.
    pub async fn publish(&self, text: &str) {
        let key = local_policy_key().unwrap();
        self.store().install_policy(&policy::parse(text).unwrap(), text, &key).await.unwrap();
    }

    /// Opens an account of four installments under the standard policy.
    pub async fn open(&self, account_id: &str) -> Account {
        self.open_under(STANDARD, account_id).await
    }

    /// Opens an account of four installments.
    pub async fn open_under(&self, policy_id: &str, account_id: &str) -> Account {
        self.open_contract(&contract(policy_id, account_id)).await
    }

    /// Opens an account of four installments for a customer.
    pub async fn open_for(&self, customer_id: &str, policy_id: &str, account_id: &str) -> Account {
        let mut contract = contract(policy_id, account_id);
        contract.customer_id = customer_id.parse().unwrap();
        self.open_contract(&contract).await
    }

    async fn open_contract(&self, contract: &Contract) -> Account {
        let account_id = &contract.account_id;
        match Box::pin(self.stack.transitions().open(contract, self.now(), Trigger::Time)).await.unwrap() {
            TransitionOutcome::Written(account) => *account,
            other => panic!("{account_id} was not opened: {other:?}"),
        }
    }

    /// The account as the table holds it.
    pub async fn account(&self, account_id: &str) -> Account {
        self.store().account(&id(account_id)).await.unwrap().expect("there is such an account").account
    }

    /// The account's item as the table holds it.
    pub async fn item(&self, account_id: &str) -> HashMap<String, AttributeValue> {
        self.client()
            .get_item()
            .table_name(&self.store().tables().accounts)
            .key("account_id", AttributeValue::S(account_id.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap()
            .item
            .expect("there is such an account")
    }

    /// The entries of the due index that are due by `now`.
    pub async fn due_by(&self, now: &str) -> Vec<DueEntry> {
        let mut due = Vec::new();
        for shard in 0..self.store().due_shards() {
            due.extend(
                self.store()
                    .due_entries(DueTable::Accounts, shard, instant(now), 100, None)
                    .await
                    .unwrap()
                    .entries,
            );
        }
        due
    }

    /// The records under `pk` whose sort keys begin with `sk`.
    pub async fn records(&self, pk: &str, sk: &str) -> Vec<HashMap<String, AttributeValue>> {
        self.items_in(&self.store().tables().records, pk, sk).await
    }

    /// The items of a table under `pk` whose sort keys begin with `sk`.
    pub async fn items_in(&self, table: &str, pk: &str, sk: &str) -> Vec<HashMap<String, AttributeValue>> {
        let found = self
            .client()
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned()))
            .send()
            .await;
        found.unwrap().items.unwrap_or_default()
    }

    /// Writes an attribute of an account past all rules.
    pub async fn tamper(&self, account_id: &str, attribute: &str, value: AttributeValue) {
        self.client()
            .update_item()
            .table_name(&self.store().tables().accounts)
            .key("account_id", AttributeValue::S(account_id.to_owned()))
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    /// Another writer of the account, right before the first `times` writes of it.
    #[must_use]
    pub fn another_writer_first(&self, account_id: &str, times: usize) -> Interrupt {
        let (client, table) = (self.client().clone(), self.store().tables().accounts.clone());
        let key = account_id.to_owned();
        Interrupt::before("UpdateItem", &self.store().tables().accounts, times, move || {
            let update = client
                .update_item()
                .table_name(&table)
                .key("account_id", AttributeValue::S(key.clone()))
                .update_expression("SET revision = revision + :one")
                .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
            async move { drop(update.send().await.unwrap()) }
        })
        .about(account_id)
    }

    /// A payment that is received now, as the lender's payment system puts it.
    #[must_use]
    pub fn payment(&self, account_id: &str, payment_id: &str, amount: &str) -> Value {
        json!({
            "account_id": account_id,
            "payment_id": payment_id,
            "amount": amount,
            "currency": "CNY",
            "kind": "repayment",
            "received_at": self.now().to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }

    /// Puts a payment as the lender's payment system does.
    pub async fn pay(&self, account_id: &str, payment_id: &str, amount: &str) {
        self.put_payment(&self.payment(account_id, payment_id, amount)).await;
    }

    /// Puts a payment, and posts all that wait in the stream.
    pub async fn pay_and_post(&mut self, account_id: &str, payment_id: &str, amount: &str) {
        self.pay(account_id, payment_id, amount).await;
        self.post_payments().await;
    }

    /// Posts the payments that wait in the stream; none may fail.
    pub async fn post_payments(&mut self) {
        let records = self.payment_records().await;
        assert_eq!(self.post(&records).await, [""; 0]);
    }

    /// Puts any item into the payments table.
    pub async fn put_payment(&self, payment: &Value) {
        put(self.client(), &self.store().tables().payments, payment).await;
    }

    /// Removes an item from the payments table.
    pub async fn remove_payment(&self, account_id: &str, payment_id: &str) {
        self.client()
            .delete_item()
            .table_name(&self.store().tables().payments)
            .key("account_id", AttributeValue::S(account_id.to_owned()))
            .key("payment_id", AttributeValue::S(payment_id.to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// The records of the payments stream since the last call.
    pub async fn payment_records(&mut self) -> Vec<Value> {
        self.payments.records(&self.stack).await
    }

    /// The records of the accounts stream since the last call.
    pub async fn account_records(&mut self) -> Vec<Value> {
        self.accounts.records(&self.stack).await
    }

    /// Fires the sweep with the sample event.
    pub async fn sweep(&self) -> SweepReport {
        sweep(&self.services(detect_overdue::NAME)).await
    }

    /// Delivers records to `post-payment`; returns those reported as failed.
    pub async fn post(&self, records: &[Value]) -> Vec<String> {
        post(&self.services(post_payment::NAME), records).await
    }

    /// Sends the reminders and events of the revisions that wait in the stream; none may fail.
    pub async fn send_all(&mut self) {
        let records = self.account_records().await;
        assert_eq!(self.send(&records).await, [""; 0]);
    }

    /// Records the revisions that wait in the stream in the history; none may fail.
    pub async fn record_all(&mut self) {
        let records = self.account_records().await;
        assert_eq!(self.record(&records).await, [""; 0]);
    }

    /// Sweeps at an instant, and sends what comes of it.
    pub async fn sweep_and_send(&mut self, at: &str) {
        self.set(at);
        self.sweep().await;
        self.send_all().await;
    }

    /// Delivers records to `send-reminders`; returns those reported as failed.
    pub async fn send(&self, records: &[Value]) -> Vec<String> {
        send(&self.services(send_reminders::NAME), records).await
    }

    /// Fires the schedule of `send-reminders`: due planned contacts pass the gate.
    pub async fn sweep_contacts(&self) -> duewatch_app::ContactSweepReport {
        sweep_contacts(&self.services(send_reminders::NAME)).await
    }

    /// The outcomes of a customer's contacts by contact id, oldest first.
    pub async fn contacts(&self, customer_id: &str) -> Vec<(String, ContactOutcome)> {
        let record = self.store().contact_records(&customer_id.parse().unwrap()).await.unwrap();
        record.into_iter().map(|record| (record.request.contact_id.to_string(), record.outcome)).collect()
    }

    /// Delivers records to `record-history`; returns those reported as failed.
    pub async fn record(&self, records: &[Value]) -> Vec<String> {
        record(&self.services(record_history::NAME), records).await
    }

    /// The account's history, oldest entry first.
    pub async fn history(&self, account_id: &str) -> Vec<HistoryEntry> {
        let mut entries: Vec<HistoryEntry> = Vec::new();
        loop {
            let above = entries.last().map_or(Revision(0), |entry| entry.revision);
            let page = self.store().history_above(&id(account_id), above).await.unwrap();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    /// Fires `reconcile-accounts` over the whole table at once; its next scan is on the next day.
    pub async fn reconcile(&self) -> ReconcileReport {
        watch(&self.services(reconcile_accounts::NAME)).await
    }

    /// Records an account's revision in its history, as the stream's function would.
    pub async fn remember(&self, account_id: &str) {
        let account = self.account(account_id).await;
        let retention = self.stack.transitions().retention_of(&account, self.now()).await.unwrap();
        self.store().record_revision(None, &account, self.now(), self.now(), retention).await.unwrap();
    }

    /// The messages that left through SNS since the last call; those to the archive are dropped.
    #[must_use]
    pub fn sent(&self) -> Vec<PublishedMessage> {
        self.published().into_iter().filter(|sent| sent.topic != "archive").collect()
    }

    /// Everything that left through SNS since the last call.
    #[must_use]
    pub fn published(&self) -> Vec<PublishedMessage> {
        let messages = self.stack.services().sns.take();
        messages
            .into_iter()
            .map(|message| PublishedMessage {
                topic: message.topic_arn.rsplit_once("duewatch-dev-").unwrap().1.to_owned(),
                body: serde_json::from_str(&message.message).unwrap(),
                attributes: message.attributes,
            })
            .collect()
    }

    /// The messages that left for one topic since the last call; those for other topics are dropped.
    #[must_use]
    pub fn sent_to(&self, topic: &str) -> Vec<PublishedMessage> {
        self.published().into_iter().filter(|sent| sent.topic == topic).collect()
    }

    /// The records quarantined on the clock's day.
    pub async fn quarantined(&self) -> Vec<Quarantined> {
        self.store().quarantined_on(self.now().date_naive()).await.unwrap()
    }
}

/// The account's decisions: `from > to`, each new restriction with `+`, each lifted one with `-`.
#[must_use]
pub fn decisions(account: &Account) -> Vec<String> {
    account
        .recent_decisions()
        .iter()
        .map(|decision| {
            let mut text = format!("{} > {}", decision.from, decision.to);
            for applied in &decision.applied {
                text.push_str(&format!(" +{}", applied.kind));
            }
            for lifted in &decision.lifted {
                text.push_str(&format!(" -{}", lifted.kind));
            }
            text
        })
        .collect()
}

/// The ids of the account's payments, in the order of receipt.
#[must_use]
pub fn payment_ids(account: &Account) -> Vec<&str> {
    account.payments().iter().map(|payment| payment.payment_id.as_str()).collect()
}

/// The capacity consumed by a function's calls of one kind to one table.
#[must_use]
pub fn consumed(store: &Store, operation: &'static str, table: &str) -> Consumed {
    store.meter().read().get(&(operation, table.to_owned())).copied().unwrap_or_default()
}

/// Puts an item whose attributes are texts and numbers.
pub async fn put(client: &Client, table: &str, item: &Value) {
    let mut put = client.put_item().table_name(table);
    for (name, value) in item.as_object().unwrap_or(&Map::new()) {
        put = put.item(
            name,
            match value {
                Value::String(text) => AttributeValue::S(text.clone()),
                Value::Number(number) => AttributeValue::N(number.to_string()),
                other => panic!("{name}: {other} is neither text nor number"),
            },
        );
    }
    put.send().await.unwrap();
}
