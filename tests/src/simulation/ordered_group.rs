//! An ordered group of a stream, as Lambda delivers it: one batch at a time, tried again from the lowest
//! failed record, split in two when it fails as a whole, given up when it is too old or was tried too often.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_stack::template::StreamMapping;
use serde_json::Value;

/// The retention of a stream.
const RETENTION: TimeDelta = TimeDelta::hours(24);
/// The longest wait of Lambda before a retry.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(20);

/// A record of a stream, and the instant it was written.
#[derive(Clone, Debug)]
pub(super) struct WrittenRecord {
    pub(super) event: Value,
    pub(super) written_at: DateTime<Utc>,
}

impl WrittenRecord {
    pub(super) fn sequence_number(&self) -> &str {
        self.event["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
    }

    pub(super) fn event_id(&self) -> &str {
        self.event["eventID"].as_str().unwrap_or_default()
    }
}

/// A batch in delivery.
#[derive(Clone, Debug)]
struct OrderedBatch {
    records: Vec<WrittenRecord>,
    tried: u32,
}

/// The answer of an invocation to a batch.
#[derive(Clone, Debug)]
pub(super) enum Handled {
    All,
    /// The record of this sequence number, and all after it, are to be delivered again.
    From(String),
    Failed,
}

/// Records that no function has taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost {
    /// Records sent to the on-failure destination.
    pub(super) given_up: Vec<WrittenRecord>,
    /// Records that outlived the retention of their stream unread.
    pub(super) forgotten: Vec<WrittenRecord>,
}

/// One ordered group of a stream.
#[derive(Debug, Default)]
pub(super) struct OrderedGroup {
    waiting: VecDeque<WrittenRecord>,
    open: VecDeque<OrderedBatch>,
    in_flight: Option<OrderedBatch>,
    not_before: DateTime<Utc>,
    gathers: TimeDelta,
}

impl OrderedGroup {
    /// An ordered group that lets records gather for a while before it delivers them.
    pub(super) fn gathering(gathers: TimeDelta) -> Self {
        Self { gathers, ..Self::default() }
    }

    /// Delivers at once from now on.
    pub(super) fn gather_no_more(&mut self) {
        self.gathers = TimeDelta::zero();
    }

    pub(super) fn add(&mut self, record: WrittenRecord) {
        self.waiting.push_back(record);
    }

    /// The instant of the next delivery; none: no record waits, or a batch is in flight.
    pub(super) fn ready_at(&self) -> Option<DateTime<Utc>> {
        match (&self.in_flight, self.open.front(), self.waiting.front()) {
            (Some(_), _, _) | (None, None, None) => None,
            (None, Some(_), _) => Some(self.not_before),
            (None, None, Some(first)) => Some(self.not_before.max(first.written_at + self.gathers)),
        }
    }

    /// The next batch, of at most `most` records, and the records lost before it.
    pub(super) fn take(
        &mut self,
        mapping: &StreamMapping,
        most: usize,
        now: DateTime<Utc>,
    ) -> (Option<Vec<WrittenRecord>>, Lost) {
        let mut lost = Lost::default();
        while self.waiting.front().is_some_and(|record| now - record.written_at > RETENTION) {
            lost.forgotten.extend(self.waiting.pop_front());
        }
        let mut batch = self.open.pop_front().unwrap_or_else(|| {
            let size = most.min(self.waiting.len());
            OrderedBatch { records: self.waiting.drain(..size).collect(), tried: 0 }
        });
        let (young, old) = batch
            .records
            .into_iter()
            .partition(|record| now - record.written_at <= mapping.maximum_record_age);
        lost.given_up = old;
        batch.records = young;
        if batch.records.is_empty() {
            return (None, lost);
        }
        let records = batch.records.clone();
        self.in_flight = Some(batch);
        (Some(records), lost)
    }

    /// Applies the answer to the batch in flight; returns the records that are given up.
    pub(super) fn handled(
        &mut self,
        mapping: &StreamMapping,
        handled: &Handled,
        now: DateTime<Utc>,
    ) -> Vec<WrittenRecord> {
        let Some(mut batch) = self.in_flight.take() else { return Vec::new() };
        let place = match handled {
            Handled::All => return Vec::new(),
            // An unknown sequence number means the whole batch, as on Lambda.
            Handled::From(number) => {
                batch.records.iter().position(|record| record.sequence_number() == number).unwrap_or(0)
            }
            Handled::Failed => 0,
        };
        if place > 0 {
            // Part of the batch was taken: the rest counts its tries anew.
            batch.records.drain(..place);
            batch.tried = 0;
        } else if matches!(handled, Handled::Failed) && batch.records.len() > 1 && mapping.bisect {
            let second = batch.records.split_off(batch.records.len().div_ceil(2));
            self.open.push_front(OrderedBatch { records: second, tried: batch.tried });
        } else if mapping.maximum_retry_attempts.is_some_and(|most| batch.tried >= most) {
            return batch.records;
        } else {
            batch.tried += 1;
        }
        let pause = TimeDelta::seconds(1 << batch.tried.min(11));
        self.not_before = now + pause.min(LONGEST_PAUSE);
        self.open.push_front(batch);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use duewatch_stack::template::Template;
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn mapping() -> StreamMapping {
        let template = Template::embedded().unwrap();
        template.mapping("PaymentsToPostPayment").unwrap().clone()
    }

    /// An ordered group of `records` records, written a second apart.
    fn lane(records: i64) -> OrderedGroup {
        let mut group = OrderedGroup::default();
        for number in 0..records {
            let event =
                json!({"eventID": format!("e{number}"), "dynamodb": {"SequenceNumber": number.to_string()}});
            group.add(WrittenRecord { event, written_at: at(number) });
        }
        group
    }

    fn numbers(batch: Option<Vec<WrittenRecord>>) -> Vec<String> {
        batch.unwrap_or_default().iter().map(|record| record.sequence_number().to_owned()).collect()
    }

    #[test]
    fn what_follows_the_lowest_failure_is_delivered_again() {
        let (mut group, mapping) = (lane(4), mapping());
        assert_eq!(numbers(group.take(&mapping, 3, at(10)).0), ["0", "1", "2"]);
        assert_eq!(group.ready_at(), None, "one batch at a time");
        assert!(group.handled(&mapping, &Handled::From("1".to_owned()), at(10)).is_empty());
        assert!(group.ready_at().unwrap() > at(10));
        assert_eq!(numbers(group.take(&mapping, 3, at(20)).0), ["1", "2"]);
        group.handled(&mapping, &Handled::All, at(20));
        assert_eq!(numbers(group.take(&mapping, 3, at(21)).0), ["3"]);
    }

    #[test]
    fn records_gather() {
        let mut group = OrderedGroup::gathering(TimeDelta::seconds(300));
        assert_eq!(group.ready_at(), None);
        group.add(WrittenRecord { event: json!({}), written_at: at(0) });
        group.add(WrittenRecord { event: json!({}), written_at: at(200) });
        assert_eq!(group.ready_at(), Some(at(300)));
    }

    #[test]
    fn a_batch_that_fails_as_a_whole_is_split() {
        let (mut group, mapping) = (lane(3), mapping());
        group.take(&mapping, 3, at(10));
        group.handled(&mapping, &Handled::Failed, at(10));
        assert_eq!(numbers(group.take(&mapping, 3, at(20)).0), ["0", "1"]);
        group.handled(&mapping, &Handled::All, at(20));
        assert_eq!(numbers(group.take(&mapping, 3, at(21)).0), ["2"]);
    }

    #[test]
    fn what_was_tried_too_often_is_given_up() {
        let (mut group, mut mapping) = (lane(1), mapping());
        mapping.maximum_retry_attempts = Some(1);
        group.take(&mapping, 1, at(10));
        assert!(group.handled(&mapping, &Handled::Failed, at(10)).is_empty());
        group.take(&mapping, 1, at(20));
        assert_eq!(group.handled(&mapping, &Handled::Failed, at(20)).len(), 1);
        assert_eq!(group.ready_at(), None);
    }

    #[test]
    fn what_is_too_old_goes_to_the_bucket_and_what_is_a_day_old_is_forgotten() {
        let (mut group, mapping) = (lane(3), mapping());
        let (batch, lost) = group.take(&mapping, 10, at(24 * 3600 + 1));
        assert!(batch.is_none());
        assert_eq!((lost.forgotten.len(), lost.given_up.len()), (1, 2));
    }
}
