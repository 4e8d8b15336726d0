//! Begins work, and handles its end.

use chrono::TimeDelta;
use duewatch_app::{Clock, Deadline};
use duewatch_cli::requeue::Requeue;
use duewatch_domain::commands::Contract;
use duewatch_domain::formats::message_line;
use duewatch_domain::kernel::{Actor, ActorKind};
use duewatch_domain::{Command, Event, InboundMessage, policy};
use duewatch_handlers::{Handlers, WaitingMessage, queue_event, scheduled_event};
use duewatch_stack::local_reference_keys;
use duewatch_stack::sns::Delivered;
use serde_json::{Value, json};

use super::{
    Cloud, Coming, Running, SKEW_SECONDS, SWEEP, Schedule, Stream, TaskKind, TaskOutcome, WATCH, broken,
};
use crate::simulation::attacks::may_send;
use crate::simulation::containers::{Clients, Container, Invoked, SkewedClock, clients, invoke, services};
use crate::simulation::executor::TaskId;
use crate::simulation::fault::Fault;
use crate::simulation::lender;
use crate::simulation::network::CallerId;
use crate::simulation::ordered_group::{Handled, Lost, WrittenRecord};
use crate::simulation::plan::{Deed, PlannedDeed};
use crate::simulation::queue::SimulatedQueue;
use crate::simulation::watch::{Checked, grounds_of, hold};

const MAX_CONTAINERS: usize = 4;
/// The number of old batches kept to be delivered once more.
const PAST_BATCHES: usize = 20;
/// The retries of an asynchronous invocation by Lambda.
const ASYNC_RETRIES: u32 = 2;

/// The time after which every container uses a published version: a minute in the cache, and the difference
/// between two clocks.
const QUEUED_AFTER: TimeDelta = TimeDelta::seconds(70);

impl Cloud {
    pub(super) fn begin(&mut self, coming: Coming) -> Checked {
        match coming {
            Coming::Firing { schedule, tried } => {
                let event = scheduled_event("simulated", self.now());
                let Schedule { function, timeout, .. } = self.schedules[schedule];
                self.invoke(function, &event, timeout, TaskKind::Firing { schedule, tried });
                self.watch.count("firings", 1);
            }
            Coming::Happening(happening) => self.happen(*happening)?,
            Coming::Message(message) => self.enqueue(intake::NAME, message),
            Coming::Receipt(message) => self.enqueue(record_delivery::NAME, message),
            Coming::OutageEnds(outage) => self.outage_ends(outage)?,
        }
        Ok(())
    }

    pub(super) fn deliver(&mut self, stream: usize, group: usize) {
        let now = self.now();
        let Stream { mapping, groups, function, timeout, .. } = &mut self.streams[stream];
        let most = usize::try_from(mapping.batch_size).unwrap_or(1);
        let most = 1 + usize::try_from(self.choices.number(16)).unwrap_or_default().min(most - 1);
        let most = if self.choices.is_scripted() { 100 } else { most };
        let (records, lost) = groups[group].take(mapping, most, now);
        let (function, timeout) = (*function, *timeout);
        self.watch.lost(function, &lost);
        if let Some(records) = records {
            let mapping = &self.streams[stream].mapping.logical_id;
            self.alarms.report("PolledEventCount", mapping, now, records.len() as u64);
            self.deliver_records(stream, Some(group), function, timeout, records);
        }
    }

    fn deliver_records(
        &mut self,
        stream: usize,
        group: Option<usize>,
        function: &'static str,
        timeout: TimeDelta,
        records: Vec<WrittenRecord>,
    ) {
        let events: Vec<&Value> = records.iter().map(|record| &record.event).collect();
        let event = json!({ "Records": events });
        self.watch.count("batches", 1);
        self.invoke(function, &event, timeout, TaskKind::Batch { stream, group, records });
    }

    pub(super) fn receive(&mut self, queue: usize) {
        let now = self.now();
        let most = usize::try_from(self.queues[queue].mapping.batch_size).unwrap_or(1);
        let most = if self.choices.is_scripted() {
            most
        } else {
            1 + usize::try_from(self.choices.number(10)).unwrap_or_default().min(most - 1)
        };
        let messages = self.queues[queue].take(most, now);
        if !messages.is_empty() {
            self.deliver_messages(queue, true, messages);
        }
    }

    fn deliver_messages(&mut self, queue: usize, received: bool, messages: Vec<WaitingMessage>) {
        let SimulatedQueue { spec, function, timeout, .. } = &self.queues[queue];
        let (mut event, function, timeout) = (queue_event(&spec.name, &messages), *function, *timeout);
        for record in event["Records"].as_array_mut().into_iter().flatten() {
            let sender = record["messageId"].as_str().and_then(|id| self.senders.get(id));
            if let Some(sender) = sender {
                record["attributes"]["SenderId"] = json!(sender);
            }
        }
        self.watch.count("batches of messages", 1);
        if function == intake::NAME {
            self.watch.handed(&messages, self.clock.now());
        }
        self.invoke(function, &event, timeout, TaskKind::Messages { queue, received, messages });
    }

    fn enqueue(&mut self, function: &'static str, message: WaitingMessage) {
        if let Some(queue) = self.queues.iter_mut().find(|queue| queue.function == function) {
            queue.add(message);
        }
    }

    /// The delivery provider of a message sends a receipt within a day, or never.
    pub(super) fn report_on(&mut self, sent: &Delivered) {
        let body: Value = serde_json::from_str(&sent.message).unwrap_or_default();
        if body["type"] != "duewatch.contact.due.v1" || self.choices.is_scripted() || self.is_quiet {
            return;
        }
        let outcome = match self.choices.number(20) {
            0..10 => "delivered",
            10 | 11 => "bounced",
            12 => "opted_out",
            13 => "complained",
            14 => "answered",
            15 => "unanswered",
            _ => return,
        };
        let at = self.now() + TimeDelta::minutes(i64::from(self.choices.number(1_440)));
        let receipt = json!({"message_id": body["id"], "at": at.to_rfc3339(), "outcome": outcome});
        let message_id = format!("r-{}", self.number());
        let message =
            WaitingMessage { message_id, body: receipt.to_string(), group: None, sent_at: at, received: 0 };
        if self.strikes(Fault::Duplicate) {
            let again = WaitingMessage { message_id: format!("r-{}", self.number()), ..message.clone() };
            self.watch.reported(&again);
            self.come(at + TimeDelta::hours(1), Coming::Receipt(again));
        }
        self.watch.reported(&message);
        self.come(at, Coming::Receipt(message));
    }

    /// The lender's systems, or another sender, send a body; sometimes once more, hours or days later.
    fn send(&mut self, sender: Option<&'static str>, account: &str, body: String) {
        let message_id = self.sender_named(sender);
        let (now, group) = (self.now(), Some(account.to_owned()));
        let message = WaitingMessage { message_id, body, group, sent_at: now, received: 0 };
        for (fault, later) in
            [(Fault::Duplicate, TimeDelta::hours(1)), (Fault::OldWindow, TimeDelta::days(3))]
        {
            if self.strikes(fault) {
                let again = WaitingMessage { message_id: self.sender_named(sender), ..message.clone() };
                self.come(now + later, Coming::Message(again));
            }
        }
        self.watch.sent_to_queue(&message);
        self.enqueue(intake::NAME, message);
    }

    /// A new id of a message, under which SQS states its sender.
    fn sender_named(&mut self, sender: Option<&'static str>) -> String {
        let message_id = format!("m-{}", self.number());
        self.senders.extend(sender.map(|sender| (message_id.clone(), sender)));
        message_id
    }

    fn invoke(&mut self, function: &'static str, event: &Value, timeout: TimeDelta, work: TaskKind) {
        let caller = self.container(function);
        self.watch.begins(caller);
        let Some(container) = self.containers.get_mut(&caller) else { return };
        container.is_busy = true;
        let deadline = Deadline::at(container.clock.now() + timeout);
        let (services, shards) = (container.services.clone(), container.shards.clone());
        let task = self.executor.spawn({
            let call = invoke(services, shards, function, event, deadline, self.segments());
            async move { TaskOutcome::Invoked(call.await) }
        });
        let killed_at = Some(self.now() + timeout);
        self.running.insert(task, Running { caller, work, killed_at, metrics: Vec::new() });
    }

    /// An idle container, or a new one.
    fn container(&mut self, function: &'static str) -> CallerId {
        let of_function = |(_, one): &(&CallerId, &Container)| one.function == function;
        let all: Vec<CallerId> = self.containers.iter().filter(of_function).map(|(id, _)| *id).collect();
        let idle: Vec<CallerId> = all.iter().copied().filter(|id| !self.containers[id].is_busy).collect();
        if !idle.is_empty() && (all.len() >= MAX_CONTAINERS || self.choices.number(4) > 0) {
            return idle[usize::try_from(self.choices.number(idle.len() as u32)).unwrap_or_default()];
        }
        let caller = CallerId(self.number());
        let seconds = i64::from(self.choices.number(2 * SKEW_SECONDS as u32)) - SKEW_SECONDS;
        let ahead = TimeDelta::seconds(if self.skews() { seconds } else { 0 });
        let clock = SkewedClock { clock: self.clock.clone(), ahead };
        let container =
            Container::start(function, &self.settings, &self.shards_url, &self.network, caller, clock);
        self.containers.insert(caller, container);
        caller
    }

    pub(super) fn publish(&mut self, id: &str, text: &str) -> Checked {
        let parsed = policy::parse(text).map_err(|error| broken("it starts", &error))?;
        let item = json!({
            "TableName": self.settings.tables.policies,
            "Item": {
                "pk": {"S": format!("policy#{id}")},
                "sk": {"S": format!("version#{:010}", parsed.version)},
                "version": {"N": parsed.version.to_string()},
                "document": {"S": text},
            },
        });
        self.put(&item)?;
        self.watch.published_policy(parsed, self.now());
        Ok(())
    }

    /// Puts an item as a caller without functions of its own.
    pub(super) fn put(&mut self, request: &Value) -> Checked {
        let answer = self.engines.answer(Some("DynamoDB_20120810.PutItem"), request.to_string().as_bytes());
        hold!("it starts", answer.status == 200, "{}", answer.body);
        Ok(())
    }

    fn happen(&mut self, happening: PlannedDeed) -> Checked {
        self.watch.count("happenings", 1);
        let caller = CallerId(self.number());
        let contract = happening.account.map(|place| self.plan.book[place].clone());
        match &happening.deed {
            Deed::Publish(place, version) => {
                let (id, versions) = self.plan.policies[*place];
                // The accounts are queued only when every container uses the version, as the command does.
                let at = self.now() + QUEUED_AFTER;
                let queued = PlannedDeed { at, deed: Deed::Queue(*place, *version), ..happening.clone() };
                self.come(at, Coming::Happening(Box::new(queued)));
                return self.publish(id, versions[*version]);
            }
            Deed::Fire => {
                self.come(happening.at, Coming::Firing { schedule: SWEEP, tried: 0 });
                return Ok(());
            }
            Deed::Open => self.watch.opening(contract.as_ref().map_or(&self.plan.book[0], |one| one)),
            Deed::Command(command) => return self.command(contract, None, &happening, command),
            Deed::SentBy(sender, command) => {
                return self.command(contract, Some(*sender), &happening, command);
            }
            Deed::Forge(record) => {
                let record = WrittenRecord { event: record.clone(), written_at: self.now() };
                let place = self.streams.iter().position(|stream| stream.function == post_payment::NAME);
                let Some(place) = place else { return Ok(()) };
                let timeout = self.streams[place].timeout;
                self.deliver_records(place, None, post_payment::NAME, timeout, vec![record]);
                return Ok(());
            }
            Deed::Rewrite(kind) => {
                let Some(contract) = contract else { return Ok(()) };
                return self.rewrite(contract.account_id.as_str(), *kind);
            }
            Deed::Garble(body) => {
                let Some(contract) = contract else { return Ok(()) };
                self.send(None, contract.account_id.as_str(), (*body).to_owned());
                return Ok(());
            }
            _ => {}
        }
        let policy = match &happening.deed {
            Deed::Queue(place, version) => policy::parse(self.plan.policies[*place].1[*version]).ok(),
            _ => None,
        };
        let Clients { dynamodb, sns, .. } = clients(&self.network, caller);
        if let Deed::Requeue(record) = happening.deed {
            let keys = local_reference_keys().map_err(|error| broken("it starts", &error))?;
            let clock = SkewedClock { clock: self.clock.clone(), ahead: TimeDelta::zero() };
            let handlers = Handlers::over(keys, |function| {
                let (dynamodb, sns) = (dynamodb.clone(), sns.clone());
                services(function, &self.settings, dynamodb, sns, clock.clone())
            });
            let requeued = lender::requeue(Requeue::new(handlers), record);
            let task = self.executor.spawn(async move { TaskOutcome::Lender(Box::pin(requeued).await) });
            let running = Running { caller, work: TaskKind::Lender, killed_at: None, metrics: Vec::new() };
            self.running.insert(task, running);
            return Ok(());
        }
        if let (Deed::Erase, Some(contract)) = (&happening.deed, &contract) {
            self.watch.erasing(contract, caller, self.clock.now());
        }
        let clock = SkewedClock { clock: self.clock.clone(), ahead: TimeDelta::zero() };
        let services = services("duewatch", &self.settings, dynamodb, sns, clock);
        let task = self.executor.spawn(async move {
            TaskOutcome::Lender(Box::pin(lender::does(&services, contract, policy, happening)).await)
        });
        let running = Running { caller, work: TaskKind::Lender, killed_at: None, metrics: Vec::new() };
        self.running.insert(task, running);
        Ok(())
    }

    /// A sender sends a command about an account to the queue. Its texts name it, so that they are found again.
    fn command(
        &mut self,
        contract: Option<Contract>,
        sender: Option<&'static str>,
        happening: &PlannedDeed,
        command: &Command,
    ) -> Checked {
        let Some(contract) = contract else { return Ok(()) };
        let event_id = format!("H-{}", happening.number);
        let texts = grounds_of(&event_id);
        let event_id = event_id.parse().map_err(|error| broken("it starts", &error))?;
        let account_id = contract.account_id.clone();
        let event = Event { at: happening.at, account_id, command: command.clone() };
        let mut message = InboundMessage::of_core(event_id, event);
        if sender.is_none() && happening.number.is_multiple_of(3) {
            message.source = "desk".parse().map_err(|error| broken("it starts", &error))?;
            let id = "officer-7".parse().map_err(|error| broken("it starts", &error))?;
            message.actor = Actor { kind: ActorKind::Officer, id };
        }
        let may_send = sender.is_none_or(|sender| may_send(sender, command));
        self.watch.message(&message, may_send);
        let line =
            message_line(&message).replace(r#""reason":"simulated""#, &format!(r#""reason":"{texts}""#));
        self.send(sender, contract.account_id.as_str(), line);
        Ok(())
    }

    pub(super) fn ended(&mut self, task: TaskId, outcome: TaskOutcome) -> Checked {
        let Some(Running { caller, work, metrics, .. }) = self.running.remove(&task) else { return Ok(()) };
        if let Some(container) = self.containers.get_mut(&caller) {
            container.is_busy = false;
        }
        match (work, outcome) {
            (TaskKind::Lender, TaskOutcome::Lender(done)) => {
                let done = self.watch.erased(caller, done);
                done.map_err(|problem| broken("the lender's systems are served", &problem))
            }
            (TaskKind::Audit, TaskOutcome::Audited(audited)) => {
                let audited = audited.map_err(|problem| broken("a history is audited", &problem))?;
                self.watch.audited(&audited)
            }
            (TaskKind::Audit, _) => Err(broken("a history is audited", "the audit panicked")),
            (TaskKind::Lender, TaskOutcome::Invoked(_) | TaskOutcome::Audited(_)) => {
                Err(broken("the lender's systems are served", &"a call of theirs panicked"))
            }
            (TaskKind::Firing { schedule, tried }, TaskOutcome::Invoked(answer)) => {
                if let Ok(answer) = &answer
                    && schedule == WATCH
                {
                    let unheeded = answer["unheeded"].as_u64().unwrap_or(0);
                    hold!(
                        "undisturbed, accounts apply what the others impose",
                        unheeded == 0 || !self.is_undisturbed(),
                        "reconcile-accounts found {unheeded} that did not"
                    );
                    self.watch.watched(answer);
                }
                if answer.is_err() && tried < ASYNC_RETRIES {
                    let again = Coming::Firing { schedule, tried: tried + 1 };
                    self.come(self.now() + TimeDelta::minutes(1), again);
                }
                Ok(())
            }
            (TaskKind::Batch { stream, group, records }, TaskOutcome::Invoked(answer)) => {
                if answer.is_ok() {
                    for line in &metrics {
                        self.watch.metrics(self.streams[stream].function, line, records.len())?;
                    }
                }
                self.handled(stream, group, records, &answer);
                Ok(())
            }
            (TaskKind::Messages { queue, received, messages }, TaskOutcome::Invoked(answer)) => {
                self.messages_handled(queue, received, messages, &answer, &metrics)
            }
            (_, TaskOutcome::Lender(_) | TaskOutcome::Audited(_)) => Ok(()),
        }
    }

    fn handled(
        &mut self,
        stream: usize,
        group: Option<usize>,
        records: Vec<WrittenRecord>,
        answer: &Invoked,
    ) {
        let failures = answer.as_ref().map(|answer| answer["batchItemFailures"].clone());
        let handled = match failures {
            Err(_) => Handled::Failed,
            Ok(failures) => match failures[0]["itemIdentifier"].as_str() {
                Some(number) => Handled::From(number.to_owned()),
                None => Handled::All,
            },
        };
        let now = self.now();
        if let Some(group) = group {
            let Stream { mapping, groups, function, .. } = &mut self.streams[stream];
            let given_up = groups[group].handled(mapping, &handled, now);
            self.watch.lost(function, &Lost { given_up, forgotten: Vec::new() });
        }
        let (function, timeout) = (self.streams[stream].function, self.streams[stream].timeout);
        if matches!(handled, Handled::All) && group.is_some() {
            if self.strikes(Fault::Duplicate) {
                self.deliver_records(stream, None, function, timeout, records.clone());
            }
            let past = &mut self.streams[stream].past;
            if past.len() >= PAST_BATCHES {
                past.pop_front();
            }
            past.push_back(records);
        }
        if self.strikes(Fault::OldWindow) {
            let past = &self.streams[stream].past;
            let place = self.choices.number(past.len().max(1) as u32) as usize;
            if let Some(records) = self.streams[stream].past.get(place).cloned() {
                self.deliver_records(stream, None, function, timeout, records);
            }
        }
    }

    fn messages_handled(
        &mut self,
        queue: usize,
        received: bool,
        messages: Vec<WaitingMessage>,
        answer: &Invoked,
        metrics: &[Value],
    ) -> Checked {
        let failures = answer.as_ref().map(|answer| answer["batchItemFailures"].clone());
        let has_failed = |message: &WaitingMessage| match &failures {
            Err(_) => true,
            Ok(failures) => failures
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["itemIdentifier"] == message.message_id)),
        };
        let now = self.now();
        let function = self.queues[queue].function;
        if [intake::NAME, record_delivery::NAME].contains(&function) {
            if failures.is_ok() {
                for line in metrics {
                    self.watch.metrics(function, line, messages.len())?;
                }
            }
            let done = messages.iter().filter(|message| !has_failed(message));
            self.watch.messages_done(done);
        }
        if received {
            let dead = self.queues[queue].handled(&messages, has_failed, now);
            self.watch.dead_letters(&dead);
            if failures.is_ok() && self.strikes(Fault::Duplicate) {
                self.deliver_messages(queue, false, messages);
            }
        }
        Ok(())
    }

    /// Kills an invocation where it stands.
    pub(super) fn kill(&mut self, caller: CallerId, why: &str) -> Checked {
        let task = self.running.iter().find(|(_, running)| running.caller == caller).map(|(task, _)| *task);
        self.network.hang_up(caller);
        self.containers.remove(&caller);
        match task {
            Some(task) => {
                self.executor.kill(task);
                self.ended(task, TaskOutcome::Invoked(Err(why.to_owned())))
            }
            None => Ok(()),
        }
    }
}
