//! Alarms report every fault by themselves.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::resources::{Resource, id_of, list, named, of, resource};

const OPERATIONS: &str = include_str!("../../../../infra/operations.md");

/// A metric of an alarm: its namespace, its name, its one dimension.
type Metric = (String, String, String);

fn metric(of: &Value) -> Metric {
    let [dimension] = of["Dimensions"].as_array().unwrap().as_slice() else { panic!("{of}: one dimension") };
    (named(&of["Namespace"]), named(&of["MetricName"]), named(&dimension["Value"]))
}

/// Every metric of an alarm.
fn metrics(alarm: &Resource) -> BTreeSet<Metric> {
    let properties = &alarm.body["Properties"];
    if !properties["MetricName"].is_null() {
        return BTreeSet::from([metric(properties)]);
    }
    list(&properties["Metrics"])
        .iter()
        .filter(|part| part["Expression"].is_null())
        .map(|part| metric(&part["MetricStat"]["Metric"]))
        .collect()
}

fn ids(kind: &str) -> BTreeSet<String> {
    of(kind).into_iter().map(|resource| resource.id).collect()
}

/// The logical ids that an alarm's metrics of one name belong to.
fn watched(alarm: &str, name: &str) -> BTreeSet<String> {
    metrics(&resource(alarm))
        .into_iter()
        .filter(|(_, metric, _)| metric == name)
        .map(|(_, _, about)| about.split('.').next().unwrap().to_owned())
        .collect()
}

/// Holds that an alarm watches a metric of a function of ours.
pub(crate) fn watched_metric(alarm: &str, function: &str, name: &str) {
    let expected = ("duewatch-${Environment}".to_owned(), name.to_owned(), function.to_owned());
    assert!(metrics(&resource(alarm)).contains(&expected), "{alarm} does not watch {name} of {function}");
}

/// The alarms that wake nobody: each message that they count is a ticket already.
const TICKETS: [&str; 4] = ["BlockedMessagesAlarm", "GapsAlarm", "QuarantineAlarm", "RestrictionsHeldAlarm"];

#[test]
fn every_alarm_pages_or_opens_a_ticket_and_says_when_it_is_over() {
    for alarm in of("AWS::CloudWatch::Alarm") {
        let (operations, tickets) = (json!({"Ref": "OperationsTopic"}), json!({"Ref": "TicketsTopic"}));
        let expected = match alarm.id.as_str() {
            id if TICKETS.contains(&id) => json!([tickets]),
            "TopicsMissingAlarm" => json!([operations, tickets]),
            _ => json!([operations]),
        };
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(*alarm.property(actions), expected, "{}", alarm.id);
        }
        assert!(alarm.property("AlarmDescription").is_string(), "{}", alarm.id);
        assert!(!metrics(&alarm).is_empty(), "{}", alarm.id);
    }
}

#[test]
fn every_function_that_fails_or_is_throttled_is_seen() {
    let functions = ids("AWS::Serverless::Function");
    assert_eq!(watched("ErrorsAlarm", "Errors"), functions);
    assert_eq!(watched("ThrottlesAlarm", "Throttles"), functions);
}

#[test]
fn every_stream_that_lags_or_gives_up_is_seen() {
    let mut behind = BTreeSet::new();
    for alarm in of("AWS::CloudWatch::Alarm") {
        behind.extend(watched(&alarm.id, "IteratorAge"));
    }
    let mut fed = BTreeSet::new();
    let mut streams = BTreeSet::new();
    for mapping in of("AWS::Lambda::EventSourceMapping") {
        if named(mapping.property("EventSourceArn")).ends_with(".StreamArn") {
            fed.insert(id_of(mapping.property("FunctionName")));
            streams.insert(mapping.id);
        }
    }
    assert_eq!(behind, fed);
    assert_eq!(watched("GivenUpAlarm", "OnFailureDestinationDeliveredEventCount"), streams);
    assert_eq!(watched("GivenUpAlarm", "DroppedEventCount"), streams, "the bucket may refuse them too");
}

#[test]
fn every_dead_letter_is_seen() {
    let dead: BTreeSet<String> = of("AWS::SQS::Queue")
        .into_iter()
        .map(|queue| queue.property("RedrivePolicy")["deadLetterTargetArn"].clone())
        .filter(|target| !target.is_null())
        .map(|target| id_of(&target))
        .collect();
    assert_eq!(watched("DeadLettersAlarm", "ApproximateNumberOfMessagesVisible"), dead);
}

#[test]
fn what_is_quarantined_is_seen_whoever_quarantines_it() {
    // All but reconcile-accounts, which counts the records that other functions quarantined.
    let expected = [
        "detect-overdue",
        "intake",
        "post-payment",
        "record-delivery",
        "record-history",
        "send-reminders",
        "sweep-shard",
    ];
    let quarantined = watched("QuarantineAlarm", "quarantined");
    assert_eq!(quarantined.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn money_that_the_table_does_not_state_is_seen() {
    assert_eq!(watched("UnprovenAlarm", "unproven"), ["reconcile-accounts".to_owned()].into());
}

#[test]
fn a_restriction_that_money_holds_back_for_a_day_is_seen() {
    let sweeps = ["detect-overdue", "sweep-shard"].map(str::to_owned);
    assert_eq!(watched("RestrictionsHeldAlarm", "restrictions_deferred"), sweeps.into());
    let alarm = resource("RestrictionsHeldAlarm");
    let period = list(alarm.property("Metrics"))[1]["MetricStat"]["Period"].as_u64().unwrap();
    let periods = alarm.property("EvaluationPeriods").as_u64().unwrap();
    assert_eq!(period * periods, 24 * 60 * 60, "for a day");
    assert!(period > 75 * 60, "an hour and a sweep lie between two evaluations");
}

#[test]
fn a_schedule_that_does_not_fire_is_an_alarm_and_not_a_silence() {
    for (alarm, function) in [
        ("SweepSilentAlarm", "detect-overdue"),
        ("ContactsSilentAlarm", "send-reminders"),
        ("ReconcileAccountsSilentAlarm", "reconcile-accounts"),
        ("AnchorHistorySilentAlarm", "anchor-history"),
    ] {
        let alarm = resource(alarm);
        assert_eq!(*alarm.property("TreatMissingData"), json!("breaching"), "{}", alarm.id);
        assert_eq!(*alarm.property("Statistic"), json!("SampleCount"), "{}", alarm.id);
        assert!(metrics(&alarm).iter().all(|(_, _, of)| of == function), "{}", alarm.id);
    }
    for (alarm, metric, function) in [
        ("OldestDueAlarm", "oldest_due_seconds", "detect-overdue"),
        ("OldestRequestAlarm", "oldest_request_seconds", "send-reminders"),
    ] {
        let oldest = resource(alarm);
        assert_eq!(watched(&oldest.id, metric), [function.to_owned()].into());
        assert_ne!(*oldest.property("TreatMissingData"), json!("notBreaching"), "nobody looked");
    }
    let fired: BTreeSet<String> = of("AWS::Scheduler::Schedule")
        .iter()
        .map(|schedule| id_of(&schedule.property("Target")["Arn"]))
        .collect();
    let seen = [
        "AnchorHistoryFunction",
        "DetectOverdueFunction",
        "ReconcileAccountsFunction",
        "SendRemindersFunction",
    ];
    assert_eq!(fired, seen.map(str::to_owned).into(), "each schedule has an alarm of its silence");
}

#[test]
fn a_mapping_that_is_disabled_is_seen_by_what_it_leaves_unread() {
    let (mut streams, mut tables, mut queues) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for mapping in of("AWS::Lambda::EventSourceMapping") {
        let source = id_of(mapping.property("EventSourceArn"));
        match resource(&source).kind.as_str() {
            "AWS::SQS::Queue" => drop(queues.insert(source)),
            _ => drop((streams.insert(mapping.id), tables.insert(source))),
        }
    }
    assert_eq!(watched("UnreadStreamAlarm", "PolledEventCount"), streams);
    assert_eq!(watched("UnreadStreamAlarm", "ConsumedWriteCapacityUnits"), tables);
    let mut aged = BTreeSet::new();
    for alarm in of("AWS::CloudWatch::Alarm") {
        aged.extend(watched(&alarm.id, "ApproximateAgeOfOldestMessage"));
    }
    assert_eq!(aged, queues);
}

#[test]
fn every_table_that_refuses_calls_for_their_number_is_seen() {
    let tables = ids("AWS::DynamoDB::Table");
    assert_eq!(watched("TableReadThrottlesAlarm", "ReadThrottleEvents"), tables);
    assert_eq!(watched("TableWriteThrottlesAlarm", "WriteThrottleEvents"), tables);
}

#[test]
fn an_archive_that_falls_behind_or_is_not_reached_is_seen() {
    assert_eq!(
        watched("ArchiveBehindAlarm", "DeliveryToS3.DataFreshness"),
        ["ArchiveStream".to_owned()].into()
    );
    assert_eq!(watched("UndeliveredAlarm", "NumberOfNotificationsFailed"), ids("AWS::SNS::Topic"));
}

#[test]
fn messages_that_cannot_leave_are_seen() {
    watched_metric("UnsentAlarm", "send-reminders", "unsent");
    watched_metric("BlockedMessagesAlarm", "send-reminders", "unrenderable");
    watched_metric("BlockedMessagesAlarm", "send-reminders", "persons_failed");
}

#[test]
fn pages_that_fail_lack_words_or_are_tried_for_codes_are_seen() {
    for (alarm, metric) in [
        ("PagesFailedAlarm", "pages_failed"),
        ("PagesWithoutWordsAlarm", "pages_without_words"),
        ("CodesWrongAlarm", "codes_wrong"),
        ("CodesAskedAlarm", "codes_asked"),
    ] {
        watched_metric(alarm, "serve-borrower", metric);
    }
}

#[test]
fn policies_that_are_taken_unsigned_are_seen() {
    watched_metric("UnsignedPoliciesAlarm", "detect-overdue", "policies_unsigned");
}

#[test]
fn the_heartbeat_the_topics_and_a_stop_of_all_that_leaves_are_seen() {
    watched_metric("HeartbeatSilentAlarm", "reconcile-accounts", "heartbeats");
    watched_metric("TopicsMissingAlarm", "reconcile-accounts", "topics_missing");
    watched_metric("SendingHeldAlarm", "send-reminders", "sending_held");
    let topics: BTreeSet<String> = ids("AWS::SNS::Topic");
    assert_eq!(watched("UndeliveredAlarm", "NumberOfNotificationsFailed"), topics);
}

#[test]
fn the_spend_is_watched_once_a_limit_is_named() {
    let budget = resource("SpendBudget");
    assert_eq!(budget.body["Condition"], "WatchesSpend");
    assert_eq!(super::resources::whole()["Parameters"]["MonthlyBudget"]["Default"], "");
    let notifications = list(budget.property("NotificationsWithSubscribers"));
    let kinds: Vec<String> =
        notifications.iter().map(|one| named(&one["Notification"]["NotificationType"])).collect();
    assert_eq!(kinds, ["ACTUAL", "FORECASTED"]);
    for one in &notifications {
        assert_eq!(id_of(&one["Subscribers"][0]["Address"]), "TicketsTopic");
    }
}

#[test]
fn our_metrics_are_those_of_a_function_of_this_stage() {
    let functions: BTreeSet<String> = of("AWS::Serverless::Function")
        .iter()
        .map(|function| named(function.property("FunctionName")).replace("duewatch-${Environment}-", ""))
        .collect();
    for alarm in of("AWS::CloudWatch::Alarm") {
        for (namespace, name, about) in metrics(&alarm) {
            if !namespace.starts_with("AWS/") {
                assert_eq!(namespace, "duewatch-${Environment}", "{}", alarm.id);
                assert!(functions.contains(&about), "{}: {name} of {about}", alarm.id);
            }
        }
    }
}

#[test]
fn a_sum_has_one_result_and_no_more_metrics_than_cloudwatch_takes() {
    for alarm in of("AWS::CloudWatch::Alarm") {
        let parts = list(alarm.property("Metrics"));
        if parts.is_empty() {
            continue;
        }
        assert!(parts.len() <= 10 + 1, "{}: ten and the expression", alarm.id);
        let results = parts.iter().filter(|part| part["ReturnData"] != json!(false)).count();
        assert_eq!(results, 1, "{}", alarm.id);
        let ids: BTreeSet<&str> = parts.iter().map(|part| part["Id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), parts.len(), "{}", alarm.id);
    }
}

#[test]
fn operations_says_of_every_alarm_what_to_do() {
    let explained: BTreeSet<&str> = OPERATIONS
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name))
        .collect();
    let alarms: Vec<String> = of("AWS::CloudWatch::Alarm")
        .iter()
        .map(|alarm| named(alarm.property("AlarmName")).replace("duewatch-${Environment}-", ""))
        .collect();
    assert_eq!(explained, alarms.iter().map(String::as_str).collect());
}

/// The shell functions that operations.md defines, for its commands.
const DEFINED: [&str; 7] = ["output", "resource", "logs", "schedule", "mappings", "queue", "arn"];

#[test]
fn every_alarm_has_a_command_and_the_page_says_whom_it_tells() {
    for function in DEFINED {
        assert!(OPERATIONS.contains(&format!("\n{function}() {{ ")), "{function} is not defined");
    }
    for alarm in of("AWS::CloudWatch::Alarm") {
        let name = named(alarm.property("AlarmName")).replace("duewatch-${Environment}-", "");
        let row = OPERATIONS.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        let [_, _, meaning, action, _] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let commands: Vec<&str> = action.split('`').skip(1).step_by(2).collect();
        let is_command = |code: &&&str| {
            let word = code.split(' ').next().unwrap();
            code.contains(' ') && (["aws", "duewatch"].contains(&word) || DEFINED.contains(&word))
        };
        assert!(commands.iter().any(|code| is_command(&code)), "{name}: {commands:?}");
        assert_eq!(
            meaning.contains("ticket"),
            super::cloudwatch::tells(&alarm).contains("TicketsTopic"),
            "{name}"
        );
    }
}

#[test]
fn the_dashboard_is_json_that_names_what_is_there() {
    let [dashboard] = of("AWS::CloudWatch::Dashboard").try_into().unwrap();
    let body: Value = serde_json::from_str(&named(dashboard.property("DashboardBody"))).unwrap();
    let names: BTreeSet<String> = ["AWS::Serverless::Function", "AWS::SQS::Queue"]
        .into_iter()
        .flat_map(of)
        .flat_map(|resource| {
            [resource.property("FunctionName").clone(), resource.property("QueueName").clone()]
        })
        .filter(|name| !name.is_null())
        .map(|name| named(&name))
        .collect();
    for widget in body["widgets"].as_array().unwrap() {
        assert_eq!(widget["properties"]["region"], "${AWS::Region}");
        for line in widget["properties"]["metrics"].as_array().unwrap() {
            let about = line[3].as_str().unwrap();
            if let Some(function) = about.strip_prefix("duewatch-${Environment}-") {
                assert!(names.contains(about), "{function} is not in the template");
            } else if let Some(mapping) = about.strip_prefix("${") {
                resource(mapping.trim_end_matches('}'));
            }
        }
    }
}
