use rstest::rstest;
use serde_json::json;

use super::*;

const PAYMENT: &str = include_str!("../../../../events/post-payment.stream.json");
const REVERSAL: &str = include_str!("../../../../events/post-payment.reversal.stream.json");
const SWEEP: &str = include_str!("../../../../events/detect-overdue.schedule.json");

/// A small template with one of each, to which the cases do something.
const SMALL: &str = r#"
Parameters:
  Environment: { Type: String, Default: test }
  Shards: { Type: Number, Default: 4 }
  Secret: { Type: String }
Globals:
  Function:
    Timeout: 60
    Environment:
      Variables:
        THINGS_TABLE: !Ref Things
        LEVEL: info
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub 'x-${Environment}-things'
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
  News:
    Type: AWS::SNS::Topic
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/work/
      Environment:
        Variables:
          LEVEL: debug
          COUNT: !If [Counts, 7, 3]
          NEWS:
            Fn::GetAtt: [News, TopicArn]
          SHARDS:
            Ref: Shards
          NAME:
            Fn::Sub: 'x-${Environment}'
  Feed:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn:
        Fn::GetAtt: [Things, StreamArn]
      FunctionName: !GetAtt Work.Arn
      StartingPosition: TRIM_HORIZON
  Tick:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(1 hour)
      Target:
        Arn: !GetAtt Work.Arn
  Other:
    Type: AWS::IAM::Role
"#;

fn embedded() -> Template {
    Template::embedded().unwrap()
}

#[test]
fn the_template_that_deploys_declares_its_tables() {
    let template = embedded();
    let accounts = template.table("AccountsTable").unwrap();
    assert_eq!(accounts.name, "duewatch-dev-accounts");
    assert_eq!((accounts.hash_key.as_str(), &accounts.range_key), ("account_id", &None));
    assert_eq!(accounts.stream, Some(StreamView::NewAndOldImages));
    assert_eq!(
        accounts.indexes,
        [IndexSpec {
            name: "due".to_owned(),
            hash_key: "due_shard".to_owned(),
            range_key: Some("next_action_at".to_owned()),
            projection: Projection::KeysOnly,
        }]
    );
    let names: Vec<_> = accounts.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["account_id", "due_shard", "next_action_at"]);
    assert!(accounts.attributes.iter().all(|attribute| attribute.kind == AttributeKind::S));

    let payments = template.table("PaymentsTable").unwrap();
    assert_eq!(payments.range_key.as_deref(), Some("payment_id"));
    assert_eq!(payments.stream, Some(StreamView::NewImage));

    let records = template.table("RecordsTable").unwrap();
    assert_eq!((records.hash_key.as_str(), records.range_key.as_deref()), ("pk", Some("sk")));
    assert_eq!(records.stream, None);

    let cases = template.table("CasesTable").unwrap();
    assert_eq!((cases.hash_key.as_str(), cases.range_key.as_deref()), ("account_id", Some("case_id")));
    assert_eq!(cases.stream, None);
    assert_eq!(template.tables.len(), 7);
}

#[test]
fn the_template_that_deploys_declares_its_topics() {
    let names: Vec<_> = embedded().topics.into_iter().map(|topic| topic.name).collect();
    let expected = ["reminders", "account-events", "operations", "tickets", "heartbeat", "archive"];
    assert_eq!(names, expected.map(|name| format!("duewatch-dev-{name}")));
}

#[rstest]
#[case("PaymentsToPostPayment", "PaymentsTable", "PostPaymentFunction")]
#[case("AccountsToSendReminders", "AccountsTable", "SendRemindersFunction")]
#[case("AccountsToRecordHistory", "AccountsTable", "RecordHistoryFunction")]
fn the_streams_feed_their_functions_alike(#[case] id: &str, #[case] table: &str, #[case] function: &str) {
    let template = embedded();
    let mapping = template.mapping(id).unwrap();
    assert_eq!((mapping.table.as_str(), mapping.function.as_str()), (table, function));
    assert_eq!((mapping.batch_size, mapping.parallelization_factor), (100, 10));
    assert_eq!(mapping.batching_window, TimeDelta::zero());
    assert!(mapping.bisect && mapping.report_batch_item_failures);
    assert_eq!(mapping.maximum_retry_attempts, None, "until its records are too old");
    assert_eq!(mapping.maximum_record_age, TimeDelta::hours(22));
    assert_eq!(mapping.on_failure.as_deref(), Some("FailedRecordsBucket"));
    assert!(mapping.matches(&json!({"eventName": "INSERT"})));
    assert!(mapping.matches(&json!({"eventName": "MODIFY"})));
    assert!(!mapping.matches(&json!({"eventName": "REMOVE"})));
}

#[test]
fn the_sweep_fires_every_quarter_of_an_hour() {
    let template = embedded();
    let sweep = template.schedule("SweepSchedule").unwrap();
    assert_eq!(sweep.every, TimeDelta::minutes(15));
    assert_eq!(sweep.function, "DetectOverdueFunction");
    assert_eq!(sweep.name, "duewatch-dev-sweep");
}

#[rstest]
#[case("SweepsToSweepShard", "duewatch-dev-sweeps", false, 5_040, 2, "SweepShardFunction", 1)]
#[case("IntakeToIntake", "duewatch-dev-intake.fifo", true, 360, 100, "IntakeFunction", 10)]
#[case("ReceiptsToRecordDelivery", "duewatch-dev-receipts", false, 360, 100, "RecordDeliveryFunction", 50)]
fn the_queues_feed_their_functions(
    #[case] id: &str,
    #[case] name: &str,
    #[case] fifo: bool,
    #[case] visibility: i64,
    #[case] receives: u32,
    #[case] function: &str,
    #[case] batch_size: u32,
) {
    let template = embedded();
    let mapping = template.queue_mappings.iter().find(|mapping| mapping.logical_id == id).unwrap();
    assert_eq!((mapping.function.as_str(), mapping.batch_size), (function, batch_size));
    assert!(mapping.report_batch_item_failures);
    let queue = template.queue(&mapping.queue).unwrap();
    assert_eq!((queue.name.as_str(), queue.fifo), (name, fifo));
    assert_eq!(queue.visibility_timeout, TimeDelta::seconds(visibility));
    assert_eq!(queue.maximum_receives, Some(receives));
}

#[test]
fn what_is_not_run_here_is_neither_fed_nor_fired() {
    let mut template = embedded();
    template.keep(&["record-history"]);
    let mappings: Vec<_> = template.mappings.iter().map(|mapping| mapping.logical_id.as_str()).collect();
    assert_eq!(mappings, ["AccountsToRecordHistory"]);
    assert_eq!((template.schedules.len(), template.queue_mappings.len()), (0, 0));
    assert_eq!(template.functions.len(), 1);
}

#[rstest]
#[case("DetectOverdueFunction", "detect-overdue", 300)]
#[case("SweepShardFunction", "detect-overdue", 840)]
#[case("PostPaymentFunction", "post-payment", 60)]
#[case("SendRemindersFunction", "send-reminders", 60)]
#[case("RecordHistoryFunction", "record-history", 60)]
#[case("IntakeFunction", "intake", 60)]
#[case("ReconcileAccountsFunction", "reconcile-accounts", 300)]
fn each_function_has_its_directory_and_the_whole_environment(
    #[case] id: &str,
    #[case] directory: &str,
    #[case] timeout: i64,
) {
    let template = embedded();
    let function = template.function(id).unwrap();
    assert_eq!(function.directory, directory);
    assert_eq!(function.timeout, TimeDelta::seconds(timeout));
    let mut environment: Vec<_> =
        function.environment.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let queue = ("SWEEP_QUEUE_URL", EnvValue::Queue("SweepsQueue".to_owned()));
    assert_eq!(environment.contains(&queue), id == "DetectOverdueFunction");
    environment.retain(|variable| *variable != queue);
    for (name, parameter, only) in [
        ("DUEWATCH_REFERENCE_KEYS", "ReferenceKeys", "SendRemindersFunction"),
        ("SENDERS", "Senders", "IntakeFunction"),
        ("DUEWATCH_TOMBSTONE_KEY", "TombstoneKey", "IntakeFunction"),
    ] {
        let own = (name, EnvValue::Parameter(parameter.to_owned()));
        assert_eq!(environment.contains(&own), id == only, "{name} is for {only} alone");
        environment.retain(|variable| *variable != own);
    }
    assert_eq!(
        environment,
        [
            ("ACCOUNTS_TABLE", EnvValue::Table("AccountsTable".to_owned())),
            ("ACCOUNT_EVENTS_TOPIC_ARN", EnvValue::Topic("AccountEventsTopic".to_owned())),
            ("ANCHORS_TABLE", EnvValue::Table("AnchorsTable".to_owned())),
            ("ARCHIVE_TOPIC_ARN", EnvValue::Topic("ArchiveTopic".to_owned())),
            ("CASES_TABLE", EnvValue::Table("CasesTable".to_owned())),
            ("DUE_SHARDS", EnvValue::Parameter("DueShards".to_owned())),
            ("HEARTBEAT_TOPIC_ARN", EnvValue::Topic("HeartbeatTopic".to_owned())),
            ("HISTORY_TABLE", EnvValue::Table("HistoryTable".to_owned())),
            ("METRICS_NAMESPACE", EnvValue::Literal("duewatch-dev".to_owned())),
            ("OPERATIONS_TOPIC_ARN", EnvValue::Topic("OperationsTopic".to_owned())),
            ("PAYMENTS_TABLE", EnvValue::Table("PaymentsTable".to_owned())),
            ("POLICIES_TABLE", EnvValue::Table("PoliciesTable".to_owned())),
            ("POLICY_KEYS", EnvValue::Parameter("PolicyKeys".to_owned())),
            ("RECORDS_TABLE", EnvValue::Table("RecordsTable".to_owned())),
            ("REMINDERS_TOPIC_ARN", EnvValue::Topic("RemindersTopic".to_owned())),
            ("RUST_LOG", EnvValue::Parameter("LogLevel".to_owned())),
            ("TICKETS_TOPIC_ARN", EnvValue::Topic("TicketsTopic".to_owned())),
        ]
    );
    assert_eq!(template.parameter("DueShards").unwrap().default.as_deref(), Some("4"));
}

#[test]
fn long_forms_globals_and_defaults_are_read() {
    let template = Template::parse(SMALL).unwrap();
    assert_eq!(template.table("Things").unwrap().name, "x-test-things");
    assert_eq!(template.topic("News").unwrap().name, "News");
    let work = template.function("Work").unwrap();
    assert_eq!(
        work.environment,
        [
            ("COUNT".to_owned(), EnvValue::Literal("3".to_owned())),
            ("LEVEL".to_owned(), EnvValue::Literal("debug".to_owned())),
            ("NAME".to_owned(), EnvValue::Literal("x-test".to_owned())),
            ("NEWS".to_owned(), EnvValue::Topic("News".to_owned())),
            ("SHARDS".to_owned(), EnvValue::Parameter("Shards".to_owned())),
            ("THINGS_TABLE".to_owned(), EnvValue::Table("Things".to_owned())),
        ]
    );
    assert_eq!(work.timeout, TimeDelta::seconds(60));
    let feed = template.mapping("Feed").unwrap();
    assert_eq!((feed.batch_size, feed.parallelization_factor), (100, 1));
    assert!(!feed.bisect && !feed.report_batch_item_failures);
    assert_eq!(feed.maximum_retry_attempts, None);
    assert_eq!(feed.maximum_record_age, TimeDelta::hours(24));
    assert!(feed.matches(&json!({"eventName": "REMOVE"})));
    assert_eq!(template.parameter("Secret").unwrap().default, None);
    assert!(matches!(
        template.table("News"),
        Err(TemplateError::NotDeclared { kind: "table", name }) if name == "News"
    ));
}

#[rstest]
#[case::no_key("KeySchema: [{ AttributeName: id, KeyType: HASH }]", "", "Things: KeySchema is missing")]
#[case::key_kind(
    "KeyType: HASH",
    "KeyType: CASH",
    "Things: KeySchema.0.KeyType must be HASH or RANGE, found \"CASH\""
)]
#[case::view(
    "NEW_IMAGE",
    "ALL",
    "Things: StreamSpecification.StreamViewType must be KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES, found \"ALL\""
)]
#[case::no_stream(
    "StreamSpecification: { StreamViewType: NEW_IMAGE }",
    "",
    "Things: StreamSpecification, which Feed reads, is missing"
)]
#[case::unknown_parameter(
    "x-${Environment}-things",
    "x-${AWS::Region}",
    "Things: TableName refers to AWS::Region, which must be a parameter with a default of this template"
)]
#[case::no_default(
    "x-${Environment}-things",
    "x-${Secret}",
    "Things: TableName refers to Secret, which must be a parameter with a default of this template"
)]
#[case::open_sub(
    "x-${Environment}-things",
    "x-${Stage",
    "Things: TableName must be a Sub whose ${ close, found !Sub \"x-${Stage\""
)]
#[case::wrong_stream(
    "[Things, StreamArn]",
    "[News, StreamArn]",
    "Feed: EventSourceArn refers to News, which must be the StreamArn of a table of this template"
)]
#[case::start(
    "TRIM_HORIZON",
    "LATEST",
    "Feed: StartingPosition must be TRIM_HORIZON, the only start that loses nothing, found \"LATEST\""
)]
#[case::batch(
    "StartingPosition: TRIM_HORIZON",
    "StartingPosition: TRIM_HORIZON\n      BatchSize: 0",
    "Feed: BatchSize must be 1 to 10000, found 0"
)]
#[case::age(
    "StartingPosition: TRIM_HORIZON",
    "StartingPosition: TRIM_HORIZON\n      MaximumRecordAgeInSeconds: 59",
    "Feed: MaximumRecordAgeInSeconds must be -1, or 60 to 604800 seconds, found 59"
)]
#[case::filter(
    "StartingPosition: TRIM_HORIZON",
    "StartingPosition: TRIM_HORIZON\n      FilterCriteria: { Filters: [{ Pattern: '{\"a\": [{\"prefix\": \"b\"}]}' }] }",
    "Feed: FilterCriteria.Filters.0.Pattern: $.a: unknown operator {\"prefix\":\"b\"}; known are objects, lists of exact texts, and {\"exists\": true|false}"
)]
#[case::cron(
    "rate(1 hour)",
    "cron(0 * * * ? *)",
    "Tick: ScheduleExpression must be rate(N minutes), rate(N hours) or rate(N days), found \"cron(0 * * * ? *)\""
)]
#[case::target(
    "        Arn: !GetAtt Work.Arn",
    "        Arn: !GetAtt Things.Arn",
    "Tick: Target.Arn refers to Things, which must be a function of this template"
)]
#[case::env(
    "COUNT: !If [Counts, 7, 3]",
    "COUNT: !Ref Other",
    "Work: Environment.Variables.COUNT refers to Other, which must be a table's name, a topic's ARN, a queue's URL or a parameter of this template"
)]
#[case::events(
    "CodeUri: ../target/lambda/work/",
    "CodeUri: ../target/lambda/work/\n      Events: {}",
    "Work: Events must be left out, for it cannot be run here, found a mapping of 0"
)]
#[case::timeout(
    "Timeout: 60",
    "Timeout: 901",
    "template: Globals.Function.Timeout must be 1 to 900 seconds, found 901"
)]
#[case::projection(
    "StreamSpecification: { StreamViewType: NEW_IMAGE }",
    "StreamSpecification: { StreamViewType: NEW_IMAGE }\n      GlobalSecondaryIndexes: [{ IndexName: i, KeySchema: [{ AttributeName: id, KeyType: HASH }], Projection: { ProjectionType: INCLUDE } }]",
    "Things: GlobalSecondaryIndexes.0.Projection.ProjectionType must be KEYS_ONLY or ALL, found \"INCLUDE\""
)]
#[case::no_type("    Type: AWS::IAM::Role", "    Kind: role", "Other: Type is missing")]
fn what_cannot_be_run_is_named(#[case] was: &str, #[case] is: &str, #[case] message: &str) {
    assert!(SMALL.contains(was), "the case replaces nothing");
    let error = Template::parse(&SMALL.replace(was, is)).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[rstest]
#[case("")]
#[case("just text")]
#[case("[1, 2]")]
#[case("Resources: 1")]
#[case("Resources: { 1: {} }")]
#[case("a: [")]
#[case("Resources: { A: { Type: !Ref B } }")]
fn what_is_no_template_is_an_error(#[case] text: &str) {
    Template::parse(text).unwrap_err();
}

#[rstest]
#[case("rate(1 minute)", 60)]
#[case("rate(15 minutes)", 900)]
#[case("rate(1 hour)", 3_600)]
#[case("rate(2 days)", 172_800)]
fn rates_are_read(#[case] expression: &str, #[case] seconds: i64) {
    let template = Template::parse(&SMALL.replace("rate(1 hour)", expression)).unwrap();
    assert_eq!(template.schedule("Tick").unwrap().every, TimeDelta::seconds(seconds));
}

#[rstest]
#[case("rate(0 minutes)")]
#[case("rate(-1 minutes)")]
#[case("rate(4294967295 days)")]
#[case("rate(1 week)")]
#[case("rate(1minute)")]
#[case("every hour")]
fn what_is_no_rate_is_refused(#[case] expression: &str) {
    Template::parse(&SMALL.replace("rate(1 hour)", expression)).unwrap_err();
}

#[rstest]
#[case::one_of(r#"{"eventName": ["INSERT", "MODIFY"]}"#, true)]
#[case::none_of(r#"{"eventName": ["REMOVE"]}"#, false)]
#[case::nested(r#"{"dynamodb": {"NewImage": {"kind": {"S": ["repayment"]}}}}"#, true)]
#[case::nested_other(r#"{"dynamodb": {"NewImage": {"kind": {"S": ["goodwill"]}}}}"#, false)]
#[case::all_fields(
    r#"{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["goodwill"]}}}}"#,
    false
)]
#[case::leaf_is_there(r#"{"dynamodb": {"NewImage": {"kind": {"S": [{"exists": true}]}}}}"#, true)]
#[case::leaf_is_not_there(r#"{"dynamodb": {"NewImage": {"gone": {"S": [{"exists": false}]}}}}"#, true)]
#[case::leaf_is_there_after_all(r#"{"dynamodb": {"NewImage": {"kind": {"S": [{"exists": false}]}}}}"#, false)]
#[case::an_object_is_no_leaf(r#"{"dynamodb": {"NewImage": [{"exists": true}]}}"#, false)]
#[case::either(r#"{"eventName": ["REMOVE", {"exists": true}]}"#, true)]
#[case::in_a_list(r#"{"tags": ["two"]}"#, true)]
#[case::in_no_list(r#"{"tags": ["three"]}"#, false)]
#[case::a_number_is_no_text(r#"{"size": ["1"]}"#, false)]
#[case::case_matters(r#"{"eventName": ["insert"]}"#, false)]
fn patterns_match_as_lambda_does(#[case] pattern: &str, #[case] expected: bool) {
    let record = json!({
        "eventName": "INSERT",
        "tags": ["one", "two"],
        "size": 1,
        "dynamodb": {"NewImage": {"kind": {"S": "repayment"}}},
    });
    assert_eq!(FilterPattern::parse(pattern).unwrap().matches(&record), expected);
}

#[rstest]
#[case("no json")]
#[case("[]")]
#[case("{}")]
#[case(r#"{"a": []}"#)]
#[case(r#"{"a": {}}"#)]
#[case(r#"{"a": "b"}"#)]
#[case(r#"{"a": [1]}"#)]
#[case(r#"{"a": [null]}"#)]
#[case(r#"{"a": [{"exists": "yes"}]}"#)]
#[case(r#"{"a": [{"exists": true, "prefix": "b"}]}"#)]
#[case(r#"{"a": [{"anything-but": ["b"]}]}"#)]
#[case(r#"{"a": [{"numeric": [">", 1]}]}"#)]
#[case(r#"{"$or": [{"a": ["b"]}]}"#)]
#[case(r#"{"$or": {"a": ["b"]}}"#)]
fn a_pattern_that_cannot_be_evaluated_is_refused(#[case] pattern: &str) {
    FilterPattern::parse(pattern).unwrap_err();
}

#[rstest]
#[case(PAYMENT, "INSERT", 7)]
#[case(REVERSAL, "MODIFY", 9)]
fn the_sample_stream_events_pass_the_filter(
    #[case] text: &str,
    #[case] name: &str,
    #[case] attributes: usize,
) {
    let event: Value = serde_json::from_str(text).unwrap();
    let template = embedded();
    let mapping = template.mapping("PaymentsToPostPayment").unwrap();
    let table = template.table(&mapping.table).unwrap();
    for record in event["Records"].as_array().unwrap() {
        assert!(mapping.matches(record));
        assert_eq!(record["dynamodb"]["StreamViewType"], table.stream.unwrap().as_str());
        assert!(
            record["eventSourceARN"].as_str().unwrap().contains(&format!(":table/{}/stream/", table.name))
        );
    }
    let event: aws_lambda_events::dynamodb::Event = serde_json::from_str(text).unwrap();
    assert_eq!(event.records[0].event_name, name);
    assert_eq!(event.records[0].change.new_image.len(), attributes);
}

#[test]
fn the_sample_firing_is_of_the_schedule() {
    let event: Value = serde_json::from_str(SWEEP).unwrap();
    let schedule = embedded().schedule("SweepSchedule").unwrap().name.clone();
    assert!(event["resources"][0].as_str().unwrap().ends_with(&format!(":schedule/default/{schedule}")));
    assert_eq!(event["detail"], "{}");
}
