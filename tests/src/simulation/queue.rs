//! A queue, as Lambda reads it: at least once, the messages of a group in order and one batch of them at a
//! time. A failed message is hidden for a while and received again; after too many receives it goes to the
//! dead-letter queue.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_handlers::WaitingMessage;
use duewatch_stack::template::{QueueMapping, QueueSpec};

/// The most receives of a message where the queue declares none.
const DEFAULT_RECEIVES: u32 = 100;

/// One queue with its mapping.
#[derive(Debug)]
pub(super) struct SimulatedQueue {
    pub(super) spec: QueueSpec,
    pub(super) mapping: QueueMapping,
    pub(super) function: &'static str,
    pub(super) timeout: TimeDelta,
    groups: BTreeMap<String, MessageGroup>,
}

#[derive(Debug, Default)]
struct MessageGroup {
    waiting: VecDeque<WaitingMessage>,
    in_flight: bool,
    not_before: DateTime<Utc>,
}

impl MessageGroup {
    fn ready_at(&self) -> Option<DateTime<Utc>> {
        (!self.in_flight && !self.waiting.is_empty()).then_some(self.not_before)
    }
}

impl SimulatedQueue {
    pub(super) const fn new(
        spec: QueueSpec,
        mapping: QueueMapping,
        function: &'static str,
        timeout: TimeDelta,
    ) -> Self {
        Self { spec, mapping, function, timeout, groups: BTreeMap::new() }
    }

    /// Adds a message; a message without a group forms its own.
    pub(super) fn add(&mut self, message: WaitingMessage) {
        let group = message.group.clone().unwrap_or_else(|| message.message_id.clone());
        self.groups.entry(group).or_default().waiting.push_back(message);
    }

    /// The instant at which a message can be received.
    pub(super) fn ready_at(&self) -> Option<DateTime<Utc>> {
        self.groups.values().filter_map(MessageGroup::ready_at).min()
    }

    /// The instant at which the oldest message was sent that waits.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.groups.values().flat_map(|group| &group.waiting).map(|message| message.sent_at).min()
    }

    /// The next batch, of at most `most` messages: those of one group in their order.
    pub(super) fn take(&mut self, most: usize, now: DateTime<Utc>) -> Vec<WaitingMessage> {
        let mut batch = Vec::new();
        let ready = self.groups.values_mut().filter(|group| group.ready_at().is_some_and(|at| at <= now));
        for group in ready {
            let size = (most - batch.len()).min(group.waiting.len());
            if size == 0 {
                break;
            }
            group.in_flight = true;
            for message in group.waiting.iter_mut().take(size) {
                message.received += 1;
                batch.push(message.clone());
            }
        }
        batch
    }

    /// Applies the answer to a received batch; returns the messages for the dead-letter queue.
    pub(super) fn handled(
        &mut self,
        batch: &[WaitingMessage],
        has_failed: impl Fn(&WaitingMessage) -> bool,
        now: DateTime<Utc>,
    ) -> Vec<WaitingMessage> {
        let most = self.spec.maximum_receives.unwrap_or(DEFAULT_RECEIVES);
        let mut dead = Vec::new();
        for message in batch {
            let name = message.group.as_ref().unwrap_or(&message.message_id);
            let Some(group) = self.groups.get_mut(name) else { continue };
            group.in_flight = false;
            if !has_failed(message) {
                group.waiting.retain(|one| one.message_id != message.message_id);
            } else if message.received >= most {
                group.waiting.retain(|one| one.message_id != message.message_id);
                dead.push(message.clone());
            } else {
                group.not_before = now + self.spec.visibility_timeout;
            }
        }
        self.groups.retain(|_, group| !group.waiting.is_empty());
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn queue(messages: &[(&str, &str)]) -> SimulatedQueue {
        let spec = QueueSpec {
            logical_id: "Q".to_owned(),
            name: "q.fifo".to_owned(),
            fifo: true,
            visibility_timeout: TimeDelta::seconds(60),
            maximum_receives: Some(2),
        };
        let mapping = QueueMapping {
            logical_id: "M".to_owned(),
            queue: "Q".to_owned(),
            function: "F".to_owned(),
            batch_size: 10,
            report_batch_item_failures: true,
        };
        let mut queue = SimulatedQueue::new(spec, mapping, "intake", TimeDelta::seconds(60));
        for (group, id) in messages {
            queue.add(WaitingMessage {
                message_id: (*id).to_owned(),
                body: String::new(),
                group: Some((*group).to_owned()),
                sent_at: at(0),
                received: 0,
            });
        }
        queue
    }

    fn ids(batch: &[WaitingMessage]) -> Vec<&str> {
        batch.iter().map(|one| one.message_id.as_str()).collect()
    }

    #[test]
    fn a_group_waits_for_the_one_that_failed() {
        let mut queue = queue(&[("A", "1"), ("A", "2"), ("B", "3")]);
        let batch = queue.take(10, at(0));
        assert_eq!(ids(&batch), ["1", "2", "3"]);
        assert_eq!(queue.ready_at(), None, "one batch of a group at a time");
        assert!(queue.handled(&batch, |one| one.message_id != "3", at(0)).is_empty());
        assert_eq!(queue.ready_at(), Some(at(60)));
        assert!(queue.take(10, at(59)).is_empty());
        let batch = queue.take(1, at(60));
        assert_eq!(ids(&batch), ["1"]);
        assert_eq!(ids(&queue.handled(&batch, |_| true, at(60))), ["1"], "received twice, it is dead");
        assert_eq!(ids(&queue.take(10, at(60))), ["2"]);
    }
}
