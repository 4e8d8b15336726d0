//! A schedule, a mapping or a topic that is gone, one after the other: an alarm of the template goes on, and tells a
//! topic that is still there. The template itself says which there are, so a new one is tried by itself.

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::Clock;
use duewatch_domain::Trigger;
use duewatch_domain::policy;
use duewatch_handlers::topic_arn;
use duewatch_stack::sqs::LocalSqs;
use duewatch_stack::template::Template;
use duewatch_stack::{Engines, Stack, StackClock, StreamReader, Transport, local_policy_key};
use duewatch_tests::listening::{Log, listen};
use duewatch_tests::support::{STANDARD, contract, instant, policy_text, put};
use serde_json::{Value, json};

use crate::template::cloudwatch::{Observed, alarms_on, tells};

const BEGINS_AT: &str = "2023-09-04T06:00:00Z";
/// The firings of the schedules, and of everything that comes in.
const STEP: TimeDelta = TimeDelta::minutes(15);
/// Three hours: longer than any alarm over a queue, a stream or a sweep takes to go on.
const STEPS: i32 = 12;

/// A stream, as the run counts its records.
struct Counted {
    table: String,
    reader: StreamReader,
}

/// An installation without one of its parts, in use.
struct Run {
    whole: Template,
    stack: Stack,
    gone: Option<String>,
    streams: Vec<Counted>,
    observed: Observed,
    /// When the message that waits longest was sent to a queue that nobody reads.
    waits_since: Option<(String, DateTime<Utc>)>,
}

impl Run {
    async fn without(gone: Option<&str>) -> Self {
        let clock = StackClock::simulated(instant(BEGINS_AT));
        let whole = Template::embedded().unwrap();
        let engines = Engines::in_memory(&whole, &clock).unwrap();
        let mut rest = whole.clone();
        let stays = |id: &str| gone != Some(id);
        rest.schedules.retain(|schedule| stays(&schedule.logical_id));
        rest.mappings.retain(|mapping| stays(&mapping.logical_id));
        rest.queue_mappings.retain(|mapping| stays(&mapping.logical_id));
        let stack = Stack::over(rest, engines, clock, Transport::InProcess).await.unwrap();
        for topic in whole.topics.iter().filter(|topic| !stays(&topic.logical_id)) {
            stack.services().sns.remove(&topic_arn(&topic.name));
        }
        let text = policy_text(STANDARD);
        stack
            .store()
            .install_policy(&policy::parse(&text).unwrap(), &text, &local_policy_key().unwrap())
            .await
            .unwrap();
        let streams = whole.tables.iter().filter(|table| table.stream.is_some());
        let counted = streams.map(|table| Counted {
            table: table.logical_id.clone(),
            reader: StreamReader::new(&stack.services().db, &table.name).unwrap(),
        });
        let streams = counted.collect();
        let gone = gone.map(str::to_owned);
        Self { whole, stack, gone, streams, observed: Observed::default(), waits_since: None }
    }

    fn now(&self) -> DateTime<Utc> {
        self.stack.clock().now()
    }

    /// Lives for three hours, and says which alarms are on at the end, with the topics that each tells.
    async fn live(mut self) -> Vec<(String, Vec<String>)> {
        let contract = contract(STANDARD, "A-1");
        let opened = self.stack.transitions().open(&contract, self.now(), Trigger::Time);
        Box::pin(opened).await.unwrap();
        for step in 0..STEPS {
            let now = instant(BEGINS_AT) + STEP * step;
            self.stack.clock().set(now);
            let log = Log::default();
            let listening = listen(tracing_subscriber::fmt().json().with_writer(log.clone()).finish());
            self.come_in(step).await;
            self.stack.drain().await.unwrap();
            self.fire(now - instant(BEGINS_AT)).await;
            self.stack.drain().await.unwrap();
            drop(listening);
            for line in log.metrics() {
                self.observed.put_line(&line);
            }
            self.count();
        }
        let end = self.now() + TimeDelta::seconds(1);
        let on = alarms_on(&self.observed, end).into_iter();
        let removed = |topic: &String| self.gone.as_ref() != Some(topic);
        on.map(|alarm| (alarm.id.clone(), tells(&alarm).into_iter().filter(removed).collect())).collect()
    }

    /// A payment, a hint for the sweep of a shard, and a message for the queue that nobody reads.
    async fn come_in(&mut self, step: i32) {
        let client = &self.stack.services().dynamodb_client;
        let payment = json!({
            "account_id": "A-1",
            "payment_id": format!("P-{step}"),
            "amount": "0.01",
            "currency": "CNY",
            "kind": "repayment",
            "received_at": self.now().to_rfc3339(),
        });
        put(client, &self.stack.settings().tables.payments, &payment).await;
        self.send("SweepsQueue", &json!({"shard": 0}).to_string()).await;
        let unread = self.whole.queue_mappings.iter().find(|one| Some(&one.logical_id) == self.gone.as_ref());
        if let Some(queue) = unread.map(|mapping| mapping.queue.clone()) {
            self.send(&queue, "{}").await;
            let now = self.now();
            self.waits_since.get_or_insert((queue, now));
        }
    }

    async fn send(&self, queue: &str, body: &str) {
        let queue = self.whole.queue(queue).unwrap();
        let mut send = self.stack.services().sqs_client.send_message();
        if queue.fifo {
            send = send.message_group_id("A-1").message_deduplication_id(self.now().to_rfc3339());
        }
        send.queue_url(LocalSqs::queue_url(&queue.name)).message_body(body).send().await.unwrap();
    }

    /// Fires the schedules whose time has come; a failure is counted as Lambda counts it.
    async fn fire(&mut self, since: TimeDelta) {
        for schedule in self.stack.schedules().to_vec() {
            if since.num_seconds() % schedule.every.max(STEP).num_seconds() != 0 {
                continue;
            }
            let failed = i64::from(self.stack.fire(&schedule).await.is_err());
            let at = self.now();
            self.observed.put(("AWS/Lambda", "Errors", &schedule.function), at, failed);
        }
    }

    /// The metrics of AWS's own services.
    fn count(&mut self) {
        let now = self.now();
        for Counted { table, reader } in &mut self.streams {
            let records = reader.read(&self.stack.services().db).unwrap();
            let Some(written) = some(&records) else { continue };
            let put = ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", table.as_str());
            self.observed.put(put, now, written);
            for mapping in self.whole.mappings.iter().filter(|mapping| mapping.table == *table) {
                let polled: Vec<&Value> = records.iter().filter(|record| mapping.matches(record)).collect();
                if let Some(polled) =
                    some(&polled).filter(|_| Some(&mapping.logical_id) != self.gone.as_ref())
                {
                    self.observed.put(("AWS/Lambda", "PolledEventCount", &mapping.logical_id), now, polled);
                }
            }
        }
        if let Some((queue, since)) = &self.waits_since {
            // SQS states it by the minute.
            for at in (0..STEP.num_minutes()).map(|back| now - TimeDelta::minutes(back)) {
                let put = ("AWS/SQS", "ApproximateAgeOfOldestMessage", queue.as_str());
                self.observed.put(put, at, (at - *since).num_seconds().max(0));
            }
        }
    }
}

/// The number of records, where there are any: CloudWatch has no data point otherwise.
fn some<T>(records: &[T]) -> Option<i64> {
    (!records.is_empty()).then_some(i64::try_from(records.len()).unwrap())
}

#[tokio::test]
async fn nothing_that_works_raises_an_alarm() {
    assert_eq!(Run::without(None).await.live().await, []);
}

#[tokio::test]
async fn no_schedule_mapping_or_topic_stops_without_an_alarm_that_reaches_the_staff() {
    let template = Template::embedded().unwrap();
    let schedules = template.schedules.iter().map(|one| &one.logical_id);
    let streams = template.mappings.iter().map(|one| &one.logical_id);
    let queues = template.queue_mappings.iter().map(|one| &one.logical_id);
    let topics = template.topics.iter().map(|one| &one.logical_id);
    let parts: Vec<&String> = schedules.chain(streams).chain(queues).chain(topics).collect();
    assert!(parts.len() >= 15, "{parts:?}");
    for part in parts {
        let on = Run::without(Some(part)).await.live().await;
        let reaches = |(_, tells): &(String, Vec<String>)| {
            tells.iter().any(|topic| ["OperationsTopic", "TicketsTopic"].contains(&topic.as_str()))
        };
        assert!(on.iter().any(reaches), "{part} is gone, and the alarms that are on are {on:?}");
    }
}
