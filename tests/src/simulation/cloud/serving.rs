//! Serves requests and reports their effects to the checks.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Cloud, Running, broken};
use crate::simulation::fault::{Fault, OutageKind};
use crate::simulation::network::{CallerId, NetworkRequest, Reply};
use crate::simulation::ordered_group::WrittenRecord;
use crate::simulation::service::{ServiceRefusal, refuse_topic, serve, serve_partly, topic_of};
use crate::simulation::watch::Checked;

/// The duration of a slow request.
const SLOW: TimeDelta = TimeDelta::seconds(30);

impl Cloud {
    pub(super) fn serve(&mut self, number: u64) -> Checked {
        let Some(request) = self.network.request(number) else { return Ok(()) };
        let takes = TimeDelta::milliseconds(1 + i64::from(self.choices.number(20)));
        self.clock.set(self.now() + takes);
        self.last_served = Some(request.caller);
        let is_ours = self.containers.contains_key(&request.caller);
        self.served += u64::from(is_ours);
        if is_ours && self.strikes(Fault::Slow) {
            self.clock.set(self.now() + SLOW);
        }
        self.network.awake();
        let now = self.now();
        let overdue = |running: &Running| running.killed_at.is_some_and(|at| at <= now);
        let late: Vec<CallerId> =
            self.running.values().filter(|one| overdue(one)).map(|one| one.caller).collect();
        for caller in late {
            self.kill(caller, "the time is up")?;
        }
        if is_ours && !self.containers.contains_key(&request.caller) {
            return Ok(());
        }
        self.watch.count("requests", 1);
        if !is_ours {
            let answer = serve(&self.engines, &request);
            self.observe(&request)?;
            self.network.reply(number, Reply::Answer(answer));
            return Ok(());
        }
        self.serve_faultily(number, &request)
    }

    /// The number of served requests of the functions.
    pub(in crate::simulation) const fn served(&self) -> u64 {
        self.served
    }

    fn serve_faultily(&mut self, number: u64, request: &NetworkRequest) -> Checked {
        let is_write =
            matches!(request.name(), "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems");
        let down = if request.is_for_dynamodb() { OutageKind::DynamoDb } else { OutageKind::Sns };
        let topic = (down == OutageKind::Sns).then(|| topic_of(request)).flatten();
        if topic.is_some() && !self.is_down(down, None) && self.is_down(down, topic) {
            if topic == Some(0) {
                self.refused_at.push(self.now());
            }
            self.watch.count("requests refused by a topic", 1);
            self.network.reply(number, Reply::Answer(refuse_topic(&self.engines, request)));
            return Ok(());
        }
        let refusal = if self.is_down(down, None) || self.strikes(Fault::ServerError) {
            Some(ServiceRefusal::Failed)
        } else if self.strikes(Fault::Throttle) {
            Some(ServiceRefusal::Throttled)
        } else if is_write && self.strikes(Fault::TransactionConflict) {
            Some(ServiceRefusal::TransactionConflict)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.network.reply(number, Reply::Answer(refusal.answer(&self.engines, request)));
            return Ok(());
        }
        if self.strikes(Fault::TimeoutBefore) {
            self.network.reply(number, Reply::TimedOut);
            return Ok(());
        }
        let answer = if self.strikes(Fault::PartialBatch) {
            serve_partly(&self.engines, request, &mut self.choices)
        } else if self.strikes(Fault::StaleIndex) {
            let late = self.past_indexes.answer(request, self.now(), &mut self.choices);
            late.unwrap_or_else(|| serve(&self.engines, request))
        } else {
            serve(&self.engines, request)
        };
        self.observe(request)?;
        if self.strikes(Fault::Kill) {
            return self.kill(request.caller, "killed");
        }
        let reply = if self.strikes(Fault::Panic) {
            Reply::Panic
        } else if self.strikes(Fault::TimeoutAfter) {
            Reply::TimedOut
        } else {
            Reply::Answer(answer)
        };
        self.network.reply(number, reply);
        Ok(())
    }

    /// Reads again each contact profile that a transaction may have changed.
    fn observe_profiles(&mut self, request: &NetworkRequest) -> Checked {
        let body = request.json();
        let mut keys = BTreeSet::new();
        for write in body["TransactItems"].as_array().into_iter().flatten() {
            let item = [&write["Put"]["Item"], &write["Delete"]["Key"]];
            let key = item.iter().find_map(|item| item["pk"]["S"].as_str());
            keys.extend(key.filter(|key| key.starts_with("customer#")).map(str::to_owned));
        }
        for key in keys {
            let query = json!({
                "TableName": self.settings.tables.records,
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :p)",
                "ExpressionAttributeValues": {":pk": {"S": key}, ":p": {"S": "p"}},
                "ConsistentRead": true,
            });
            let answer = self.engines.answer(Some("DynamoDB_20120810.Query"), query.to_string().as_bytes());
            let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let items = answer["Items"].as_array().map_or(&[][..], Vec::as_slice);
            self.watch.profile_read(key.trim_start_matches("customer#"), items)?;
        }
        Ok(())
    }

    /// Checks the effects of a request, and puts its writes onto the streams.
    fn observe(&mut self, request: &NetworkRequest) -> Checked {
        let tables = &self.settings.tables;
        self.watch.served(request, tables)?;
        if !request.is_for_dynamodb() {
            let now = self.now();
            for message in self.engines.sns.take() {
                self.watch.delivered(&message, request.caller, now)?;
                self.report_on(&message);
            }
            for queue in &mut self.queues {
                for message in self.engines.sqs.take(&queue.spec.name, usize::MAX) {
                    self.watch.count("shards handed over", 1);
                    queue.add(message);
                }
            }
            return Ok(());
        }
        if matches!(request.name(), "GetItem" | "Query" | "Scan" | "BatchGetItem") {
            return Ok(());
        }
        if request.name() == "TransactWriteItems" {
            self.observe_profiles(request)?;
        }
        let now = self.now();
        let ahead = self.containers.get(&request.caller).map_or(TimeDelta::zero(), |one| one.clock.ahead);
        for place in 0..self.streams.len() {
            let stream = &mut self.streams[place];
            let events =
                stream.reader.read(&self.engines.db).map_err(|error| broken("streams are read", &error))?;
            for event in events {
                let record = WrittenRecord { event, written_at: now };
                match self.streams[place].function {
                    post_payment::NAME => self.watch.payment_written(&record)?,
                    send_reminders::NAME => {
                        self.watch.account_written(&record, request.caller, now + ahead, now)?;
                        self.past_indexes.keep(now, self.watch.index());
                    }
                    // A second reader of a stream that the arms above checked.
                    _ => {}
                }
                let stream = &mut self.streams[place];
                self.alarms.report("ConsumedWriteCapacityUnits", &stream.mapping.table, now, 1);
                if stream.mapping.matches(&record.event) {
                    let key = record.event["dynamodb"]["Keys"].to_string();
                    let group = key
                        .bytes()
                        .fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
                    let groups = stream.groups.len();
                    stream.groups[group % groups].add(record);
                }
            }
        }
        Ok(())
    }
}
