//! The whole of duewatch on one machine, driven by a test step by step: its tables and topics behind the real
//! clients, its streams as the event JSON that Lambda delivers, its handlers one invocation at a time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good, and what is not ends the test"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lambda_events::streams::DynamoDbEventResponse;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use detect_overdue::{ShardQueue, SweepAnswer, SweepReport};
use duewatch_domain::formats::{message_line, parse_book_line, parse_message};
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_domain::{Account, Contract, InboundMessage, Trigger, policy};
use duewatch_local::stack::sqs::WaitingMessage;
use duewatch_local::stack::template::Template;
use duewatch_local::stack::{
    Functions, Ports, Pump, Stack, StackClock, Transport, local_reference_keys, queue_event,
};
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::{Clock, Deadline, RawStreamEvent, Services};
use duewatch_store::{
    Consumed, ContactOutcome, DueAccount, HistoryEntry, Quarantined, Store, TransitionOutcome,
};
use reconcile_accounts::ReconcileReport;
use send_reminders::SendEvent;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::interrupt::Interrupt;

/// `late` from delinquent day 1, `limited` from 5, `frozen` from 15; three days of grace.
const LADDER: &str = r#"
version = 1
effective_on = 2020-01-01
grace_days = 3

[[stages]]
name = "late"
when = { delinquent_days = 1 }

[[stages]]
name = "limited"
when = { delinquent_days = 5 }
restrictions = [{ kind = "limit_credit_line", percent = 50 }]

[[stages]]
name = "frozen"
when = { delinquent_days = 15 }
restrictions = [{ kind = "limit_credit_line", percent = 50 }, { kind = "freeze_drawdown" }]
"#;

/// Three days before the due date, on it, and while the account is late or limited.
const REMINDERS: &str = r#"
[reminders]
send_at = "10:00"
steps = [
    { stage = "current", days = -3, channel = "app", template = "due_soon" },
    { stage = "current", days = 0, channel = "sms", template = "due_today" },
    { stage = "late", days = 5, channel = "sms", template = "late_mild" },
    { stage = "late", days = 7, channel = "sms", template = "late_firm" },
    { stage = "limited", days = 10, channel = "sms", template = "limited" },
]
"#;

/// On the day of the first reminder of a late account.
const NOTICES: &str = r#"
[reminders]
send_at = "10:00"
steps = [{ stage = "late", days = 7, channel = "letter", template = "before_limit", notice_of = "limited" }]
"#;

/// Quiet hours at night, and a frequency cap of one message a day.
const CONTACT: &str = r#"
[contact]
quiet_hours = [{ from = "22:00", until = "08:00", channels = ["sms"] }]
caps = [{ channels = ["sms"], at_most = 1, days = 1 }]
breathing_space = { days = 60 }
how_to_pay = { en = "in the app, or at 400-000-0000" }
address = "https://lender.example/rules"
"#;

/// Five years of history, three of contacts.
const RETENTION: &str = r#"
[retention]
history_days = 1825
contact_log_days = 1095
"#;

/// The restrictions that a frozen account imposes on the customer's others.
const CUSTOMER: &str = r#"
[customer]
stage = "frozen"
restrictions = [{ kind = "freeze_drawdown" }]
"#;

/// Later than any planned instant.
pub const END_OF_TIME: &str = "9999-12-31T23:59:59Z";

/// The policy with stages only.
pub const STANDARD: &str = "standard";
/// The standard policy, with reminders.
pub const REMINDING: &str = "reminding";
/// The standard policy, where a notice comes two days before the line is limited.
pub const NOTICING: &str = "noticing";
/// The standard policy with reminders by text message alone, with quiet hours at night and a frequency cap of
/// one message a day.
pub const GATED: &str = "gated";
/// The standard policy with reminders, which also deletes old history and contacts.
pub const KEEPING: &str = "keeping";

/// The standard policy, where one account imposes restrictions on the customer's others.
pub const JOINT: &str = "joint";

/// The text of a policy over the common stages.
#[must_use]
pub fn policy_text(id: &str) -> String {
    let (ladder, rest) = match id {
        REMINDING => (LADDER.to_owned(), REMINDERS.to_owned()),
        NOTICING => (LADDER.replacen("percent = 50", "percent = 50, notice_days = 2", 1), NOTICES.to_owned()),
        GATED => (LADDER.to_owned(), format!("{}{CONTACT}", REMINDERS.replace("\"app\"", "\"sms\""))),
        JOINT => (LADDER.to_owned(), CUSTOMER.to_owned()),
        KEEPING => (LADDER.to_owned(), format!("{REMINDERS}{RETENTION}")),
        _ => (LADDER.to_owned(), String::new()),
    };
    format!("id = \"{id}\"{ladder}{rest}")
}

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
        for id in [STANDARD, REMINDING, NOTICING, GATED, KEEPING, JOINT] {
            let text = policy_text(id);
            stack.store().publish_policy(&policy::parse(&text).unwrap(), &text).await.unwrap();
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
        let sns = self.stack.services().sns_client.clone();
        let clock = Arc::new(self.stack.clock().clone());
        Services::new(function, self.stack.settings(), client, sns, clock)
    }

    /// A function's services, with an interrupt before some of their calls.
    #[must_use]
    pub fn services_interrupted(&self, function: &'static str, interrupt: Interrupt) -> Services {
        self.services_over(function, self.interrupted(interrupt))
    }

    /// A client with an interrupt before some of its calls.
    #[must_use]
    pub fn interrupted(&self, interrupt: Interrupt) -> Client {
        Client::from_conf(self.client().config().to_builder().interceptor(interrupt).build())
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
    pub async fn due_by(&self, now: &str) -> Vec<DueAccount> {
        let mut due = Vec::new();
        for shard in 0..self.store().due_shards() {
            due.extend(self.store().due_accounts(shard, instant(now), 100, None).await.unwrap().accounts);
        }
        due
    }

    /// The records under `pk` whose sort keys begin with `sk`.
    pub async fn records(&self, pk: &str, sk: &str) -> Vec<HashMap<String, AttributeValue>> {
        let found = self
            .client()
            .query()
            .table_name(&self.store().tables().records)
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
    pub fn somebody_writes_first(&self, account_id: &str, times: usize) -> Interrupt {
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

    /// Delivers records to `send-reminders`; returns those reported as failed.
    pub async fn send(&self, records: &[Value]) -> Vec<String> {
        send(&self.services(send_reminders::NAME), records).await
    }

    /// Fires the schedule of `send-reminders`: due planned contacts pass the gate.
    pub async fn sweep_contacts(&self) -> send_reminders::ContactSweepReport {
        sweep_contacts(&self.services(send_reminders::NAME)).await
    }

    /// The outcomes of a customer's contacts by contact id, oldest first.
    pub async fn contacts(&self, customer_id: &str) -> Vec<(String, ContactOutcome)> {
        let said = self.store().contact_records(&customer_id.parse().unwrap()).await.unwrap();
        said.into_iter().map(|said| (said.request.contact_id.to_string(), said.outcome)).collect()
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
    pub async fn watch(&self) -> ReconcileReport {
        watch(&self.services(reconcile_accounts::NAME)).await
    }

    /// Records an account's revision in its history, as the stream's function would.
    pub async fn remember(&self, account_id: &str) {
        let account = self.account(account_id).await;
        let retention = self.stack.transitions().retention_of(&account, self.now()).await.unwrap();
        self.store().record_revision(None, &account, self.now(), retention).await.unwrap();
    }

    /// The messages that left through SNS since the last call.
    #[must_use]
    pub fn sent(&self) -> Vec<PublishedMessage> {
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
        self.sent().into_iter().filter(|sent| sent.topic == topic).collect()
    }

    /// The records quarantined on the clock's day.
    pub async fn quarantined(&self) -> Vec<Quarantined> {
        self.store().quarantined_on(self.now().date_naive()).await.unwrap()
    }
}

/// Fires a sweep with the sample event.
pub async fn sweep(wiring: &Services) -> SweepReport {
    sweep_within(wiring, Deadline::none()).await
}

/// Fires a sweep with the sample event, before a deadline.
pub async fn sweep_within(wiring: &Services, deadline: Deadline) -> SweepReport {
    sweep_handing_over(wiring, None, deadline).await
}

/// Fires a sweep with the sample event, before a deadline and with a queue for large shards.
pub async fn sweep_handing_over(
    wiring: &Services,
    queue: Option<&ShardQueue>,
    deadline: Deadline,
) -> SweepReport {
    let event = serde_json::from_value(sample("detect-overdue.schedule.json")).unwrap();
    match detect_overdue::handle(wiring, queue, event, deadline).await.unwrap() {
        SweepAnswer::Schedule(swept) => swept,
        SweepAnswer::Shards(response) => panic!("it took the schedule for a queue: {response:?}"),
    }
}

/// A message of the lender's systems: an event in the format's own words, under an id.
#[must_use]
pub fn message(
    event_id: &str,
    at: DateTime<Utc>,
    account_id: &str,
    kind: &str,
    fields: &str,
) -> InboundMessage {
    let at = at.to_rfc3339();
    let body = format!(
        r#"{{"event_id":"{event_id}","at":"{at}","type":"{kind}","account_id":"{account_id}",{fields}}}"#
    );
    parse_message(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Delivers bodies to `intake`, each with its group, as its queue would; returns those reported as failed.
pub async fn take_in(wiring: &Services, bodies: &[(&str, String)]) -> Vec<String> {
    let waiting = |(place, (group, body)): (usize, &(&str, String))| WaitingMessage {
        message_id: format!("m-{place}"),
        body: body.clone(),
        group: Some((*group).to_owned()),
        sent_at: wiring.clock.now(),
        received: 1,
    };
    let messages: Vec<WaitingMessage> = bodies.iter().enumerate().map(waiting).collect();
    let event = serde_json::from_value(queue_event("duewatch-dev-intake.fifo", &messages)).unwrap();
    let response = intake::handle(wiring, event, Deadline::none()).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Delivers messages to `intake` in their own groups.
pub async fn take_messages(wiring: &Services, messages: &[InboundMessage]) -> Vec<String> {
    let bodies: Vec<(&str, String)> =
        messages.iter().map(|one| (one.event.account_id.as_str(), message_line(one))).collect();
    take_in(wiring, &bodies).await
}

/// Delivers receipts to `record-delivery`, as its queue would; returns those reported as failed.
pub async fn report(wiring: &Services, bodies: &[String]) -> Vec<String> {
    let waiting = |(place, body): (usize, &String)| WaitingMessage {
        message_id: format!("r-{place}"),
        body: body.clone(),
        group: None,
        sent_at: wiring.clock.now(),
        received: 1,
    };
    let messages: Vec<WaitingMessage> = bodies.iter().enumerate().map(waiting).collect();
    let event = serde_json::from_value(queue_event("duewatch-dev-receipts", &messages)).unwrap();
    let response = record_delivery::handle(wiring, event, Deadline::none()).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Fires `reconcile-accounts` with a scan of one segment, which reconciles all accounts once a day.
pub async fn watch(wiring: &Services) -> ReconcileReport {
    reconcile_accounts::reconcile(wiring, 1, Deadline::none()).await.unwrap()
}

/// Delivers records to `post-payment`; returns those reported as failed.
pub async fn post(wiring: &Services, records: &[Value]) -> Vec<String> {
    failures(post_payment::handle(wiring, stream_event(records), Deadline::none()).await)
}

/// Delivers records to `post-payment` on a thread of its own.
#[must_use]
pub fn post_aside(wiring: Services, records: Vec<Value>) -> JoinHandle<Vec<String>> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(post(&wiring, &records)))
}

/// Delivers records to `send-reminders`; returns those reported as failed.
pub async fn send(wiring: &Services, records: &[Value]) -> Vec<String> {
    let event = SendEvent { records: Some(stream_event(records).records) };
    match send_reminders::handle(wiring, &reference_keys(), event, Deadline::none()).await.unwrap() {
        send_reminders::SendAnswer::Stream(response) => failures(response),
        send_reminders::SendAnswer::Schedule(swept) => panic!("it took the stream for a schedule: {swept:?}"),
    }
}

/// Fires the schedule of `send-reminders`: due planned contacts pass the gate.
pub async fn sweep_contacts(wiring: &Services) -> send_reminders::ContactSweepReport {
    let event = SendEvent { records: None };
    match send_reminders::handle(wiring, &reference_keys(), event, Deadline::none()).await.unwrap() {
        send_reminders::SendAnswer::Schedule(swept) => swept,
        send_reminders::SendAnswer::Stream(response) => {
            panic!("it took the schedule for a stream: {response:?}")
        }
    }
}

/// The keys that sign references on this machine.
#[must_use]
pub fn reference_keys() -> ReferenceKeys {
    local_reference_keys().unwrap()
}

/// Delivers records to `record-history`; returns those reported as failed.
pub async fn record(wiring: &Services, records: &[Value]) -> Vec<String> {
    failures(record_history::handle(wiring, stream_event(records), Deadline::none()).await)
}

/// The records as Lambda delivers them.
#[must_use]
pub fn stream_event(records: &[Value]) -> RawStreamEvent {
    serde_json::from_str(&json!({ "Records": records }).to_string()).unwrap()
}

/// The sequence numbers that an answer reports as failed.
#[must_use]
pub fn failures(response: DynamoDbEventResponse) -> Vec<String> {
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier.unwrap()).collect()
}

/// The position of a record in its stream.
#[must_use]
pub fn sequence_number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap()
}

/// Reads a sample event from `events/`.
#[must_use]
pub fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Reads an instant in RFC 3339.
#[must_use]
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Reads an account id.
#[must_use]
pub fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

/// A customer's only loan, in Shanghai (the customer of A-1 is C-1): four times 250.00 CNY, due on the first of
/// October to January.
#[must_use]
pub fn contract(policy_id: &str, account_id: &str) -> Contract {
    contract_of(
        policy_id,
        account_id,
        &["2023-10-01", "2023-11-01", "2023-12-01", "2024-01-01"].map(str::to_owned),
    )
}

/// A customer's only loan, in Shanghai (the customer of A-1 is C-1): 250.00 CNY on each of the dates.
#[must_use]
pub fn contract_of(policy_id: &str, account_id: &str, due_on: &[String]) -> Contract {
    let installments: Vec<Value> = due_on
        .iter()
        .enumerate()
        .map(|(place, due_on)| json!({ "number": place + 1, "due_on": due_on, "principal": "250.00" }))
        .collect();
    let line = json!({
        "account_id": account_id,
        "customer_id": format!("C-{}", account_id.trim_start_matches("A-")),
        "policy_id": policy_id,
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "opened_on": "2023-09-01",
        "installments": installments,
    });
    parse_book_line(&line.to_string()).unwrap()
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

/// Reads a stream beside the functions, as event JSON.
///
/// The tap is a pump without a function: it sends every record to its on-failure destination, whole and in
/// order.
#[derive(Debug)]
struct Tap {
    pump: Pump,
    nobody: Functions,
    seen: usize,
}

impl Tap {
    fn on(stack: &Stack, mapping: &str) -> Self {
        let template = Template::embedded().unwrap();
        let mut mapping = template.mapping(mapping).unwrap().clone();
        mapping.bisect = false;
        mapping.maximum_retry_attempts = Some(0);
        let table = template.table(&mapping.table).unwrap();
        let pump = Pump::new(&stack.services().db, mapping, &table.name, "nobody".to_owned()).unwrap();
        Self { pump, nobody: stack.functions().clone(), seen: 0 }
    }

    async fn records(&mut self, stack: &Stack) -> Vec<Value> {
        while self.pump.read(&stack.services().db).unwrap() {
            self.pump.deliver(&self.nobody, stack.clock().now()).await;
        }
        let all = self.pump.given_up();
        let new = all[self.seen..].iter().map(|given_up| given_up.record.clone()).collect();
        self.seen = all.len();
        new
    }
}
