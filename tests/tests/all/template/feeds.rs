//! The triggers of the functions: streams, queues, schedules. No record is lost on the way.

use std::collections::BTreeMap;

use serde_json::json;

use super::resources::{Resource, id_of, named, of, resource, whole};

/// The mappings of streams, and those of queues.
fn mappings() -> (Vec<Resource>, Vec<Resource>) {
    of("AWS::Lambda::EventSourceMapping")
        .into_iter()
        .partition(|mapping| named(mapping.property("EventSourceArn")).ends_with(".StreamArn"))
}

/// The timeout of an invocation, in seconds.
fn timeout_of(function: &Resource) -> i64 {
    let own = function.property("Timeout").as_i64();
    own.unwrap_or_else(|| whole()["Globals"]["Function"]["Timeout"].as_i64().unwrap())
}

#[test]
fn every_mapping_reports_partial_failures() {
    for mapping in of("AWS::Lambda::EventSourceMapping") {
        assert_eq!(
            *mapping.property("FunctionResponseTypes"),
            json!(["ReportBatchItemFailures"]),
            "{}: or a batch is taken as done when a part of it failed",
            mapping.id
        );
        assert!(mapping.property("BatchSize").is_i64(), "{}: a batch has a bound", mapping.id);
    }
}

#[test]
fn every_stream_bisects_tries_until_it_is_too_late_and_keeps_what_it_gives_up() {
    let (streams, _) = mappings();
    assert_eq!(streams.len(), 3);
    for mapping in streams {
        assert_eq!(*mapping.property("BisectBatchOnFunctionError"), json!(true), "{}", mapping.id);
        assert_eq!(*mapping.property("StartingPosition"), json!("TRIM_HORIZON"), "{}", mapping.id);
        assert_eq!(*mapping.property("MaximumRetryAttempts"), json!(-1), "{}", mapping.id);
        let age = mapping.property("MaximumRecordAgeInSeconds").as_i64().unwrap();
        assert!((3_600..86_400).contains(&age), "{}: within what the stream remembers", mapping.id);
        let kept = resource(&id_of(&mapping.property("DestinationConfig")["OnFailure"]["Destination"]));
        assert_eq!(kept.kind, "AWS::S3::Bucket", "{}: a queue is not told the records", mapping.id);
        let filters = mapping.property("FilterCriteria")["Filters"].as_array().unwrap();
        assert_eq!(filters.len(), 1, "{}", mapping.id);
        assert_eq!(
            *mapping.property("MetricsConfig"),
            json!({"Metrics": ["EventCount"]}),
            "{}: or the alarm does not see what goes to the bucket",
            mapping.id
        );
    }
}

#[test]
fn a_stream_has_two_readers_at_most() {
    let (streams, _) = mappings();
    let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mapping in streams {
        readers
            .entry(named(mapping.property("EventSourceArn")))
            .or_default()
            .push(id_of(mapping.property("FunctionName")));
    }
    for (stream, mut readers) in readers {
        let all = readers.len();
        readers.sort();
        readers.dedup();
        assert!(all == readers.len() && all <= 2, "{stream}: {readers:?}");
    }
}

#[test]
fn every_queue_has_a_bound_on_its_readers_and_dead_letters_in_the_end() {
    let (_, queues) = mappings();
    assert_eq!(queues.len(), 3);
    for mapping in queues {
        assert!(!mapping.property("ScalingConfig")["MaximumConcurrency"].is_null(), "{}", mapping.id);
        let queue = resource(&id_of(mapping.property("EventSourceArn")));
        let redrive = queue.property("RedrivePolicy");
        let dead_letters = resource(&id_of(&redrive["deadLetterTargetArn"]));
        let tries = redrive["maxReceiveCount"].as_i64().unwrap();
        assert!((1..=1_000).contains(&tries), "{}", queue.id);

        let name = named(queue.property("QueueName"));
        assert_eq!(name.ends_with(".fifo"), *queue.property("FifoQueue") == json!(true), "{name}");
        assert_eq!(dead_letters.property("FifoQueue"), queue.property("FifoQueue"), "{name}");
        let sources = &dead_letters.property("RedriveAllowPolicy")["sourceQueueArns"];
        let sources: Vec<String> = sources.as_array().unwrap().iter().map(named).collect();
        assert!(
            matches!(sources.as_slice(), [source] if source.ends_with(&format!(":{name}"))),
            "{}: it takes from {name} alone",
            dead_letters.id
        );

        // A message keeps the instant of its first send.
        let retention = |queue: &Resource| queue.property("MessageRetentionPeriod").as_i64().unwrap();
        let visibility = queue.property("VisibilityTimeout").as_i64().unwrap();
        assert!(visibility * (tries + 1) <= retention(&queue), "{name}: it expires before it is given up");
        assert!(retention(&queue) <= retention(&dead_letters), "{name}");
        let function = resource(&id_of(mapping.property("FunctionName")));
        let window = mapping.property("MaximumBatchingWindowInSeconds").as_i64().unwrap_or(0);
        assert!(
            visibility >= 6 * timeout_of(&function) + window,
            "{name}: a message comes back while {} works on it",
            function.id
        );
    }
}

#[test]
fn intake_keeps_the_order_of_each_account() {
    let queue = resource("IntakeQueue");
    assert_eq!(*queue.property("FifoQueue"), json!(true));
    assert_eq!(*queue.property("DeduplicationScope"), json!("messageGroup"));
    assert!(queue.property("ContentBasedDeduplication").is_null(), "the event's id is what counts");
}

#[test]
fn schedules_go_by_utc_and_give_up_when_the_next_firing_comes() {
    for schedule in of("AWS::Scheduler::Schedule") {
        assert_eq!(*schedule.property("ScheduleExpressionTimezone"), json!("UTC"), "{}", schedule.id);
        let (minutes, rate) = match schedule.id.as_str() {
            "ContactSchedule" => (5, "rate(5 minutes)"),
            "AnchorHistorySchedule" => (360, "rate(6 hours)"),
            _ => (15, "rate(15 minutes)"),
        };
        assert_eq!(*schedule.property("ScheduleExpression"), rate, "{}", schedule.id);
        let target = schedule.property("Target");
        assert_eq!(target["RetryPolicy"]["MaximumEventAgeInSeconds"], minutes * 60, "{}", schedule.id);
        let function = resource(&id_of(&target["Arn"]));
        assert_eq!(
            function.property("EventInvokeConfig")["MaximumEventAgeInSeconds"],
            minutes * 60,
            "{}: or firings pile up behind a throttled one",
            function.id
        );
    }
}

#[test]
fn concurrency_is_reserved_only_when_asked_for() {
    let whole = whole();
    assert_eq!(whole["Parameters"]["ReservedConcurrency"]["Default"], 0);
    assert_eq!(
        whole["Conditions"]["ReserveConcurrency"],
        json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "ReservedConcurrency"}, 0]}]})
    );
    assert_eq!(
        whole["Globals"]["Function"]["ReservedConcurrentExecutions"],
        json!({"Fn::If": ["ReserveConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]})
    );
}
