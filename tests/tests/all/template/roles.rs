//! Each function has the rights that its code uses, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::resources::{Resource, id_of, list, named, of, resource};

/// The calls of a function's code: the service, its actions, the resource. Writing its logs, using the key
/// and reading its trigger are left out.
type Calls = &'static [(&'static str, &'static str, &'static str)];

const DUE_INDEX: &str = "${AccountsTable.Arn}/index/due";
const ACCOUNTS: &str = "AccountsTable.Arn";
const PAYMENTS: &str = "PaymentsTable.Arn";
const RECORDS: &str = "RecordsTable.Arn";
const ANCHORS: &str = "AnchorsTable.Arn";
const HISTORY: &str = "HistoryTable.Arn";
const POLICIES: &str = "PoliciesTable.Arn";
const CASES: &str = "CasesTable.Arn";
const DUE_CASES: &str = "${CasesTable.Arn}/index/due";
const RECORDED_ENTRIES: &str = "${HistoryTable.Arn}/index/recorded";
const RECORDED_EARLIER: &str = "${RecordsTable.Arn}/index/recorded";
const PLANNED_CONTACTS: &str = "${RecordsTable.Arn}/index/contacts";

const CALLS: [(&str, Calls); 10] = [
    (
        "DetectOverdueFunction",
        &[
            ("dynamodb", "Query", DUE_INDEX),
            ("dynamodb", "Query", DUE_CASES),
            ("dynamodb", "GetItem PutItem UpdateItem", CASES),
            ("dynamodb", "GetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem UpdateItem Query", RECORDS),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "ArchiveTopic"),
            ("sqs", "SendMessage", "SweepsQueue.Arn"),
        ],
    ),
    (
        "SweepShardFunction",
        &[
            ("dynamodb", "Query", DUE_INDEX),
            ("dynamodb", "Query", DUE_CASES),
            ("dynamodb", "GetItem PutItem UpdateItem", CASES),
            ("dynamodb", "GetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "PutItem Query", RECORDS),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "ArchiveTopic"),
        ],
    ),
    (
        "PostPaymentFunction",
        &[
            ("dynamodb", "GetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "GetItem Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "PutItem DeleteItem Query", RECORDS),
            ("sns", "Publish", "TicketsTopic"),
        ],
    ),
    (
        "SendRemindersFunction",
        &[
            ("dynamodb", "GetItem BatchGetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query", RECORDS),
            ("dynamodb", "Query", PLANNED_CONTACTS),
            ("sns", "Publish", "RemindersTopic"),
            ("sns", "Publish", "AccountEventsTopic"),
            ("sns", "Publish", "TicketsTopic"),
        ],
    ),
    (
        "RecordHistoryFunction",
        &[
            ("dynamodb", "PutItem Query", HISTORY),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "PutItem Query", RECORDS),
            ("sns", "Publish", "OperationsTopic"),
            ("sns", "Publish", "TicketsTopic"),
        ],
    ),
    (
        "IntakeFunction",
        &[
            ("dynamodb", "GetItem BatchGetItem PutItem UpdateItem", ACCOUNTS),
            ("dynamodb", "GetItem PutItem UpdateItem Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem DeleteItem ConditionCheckItem Query", RECORDS),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "ArchiveTopic"),
        ],
    ),
    (
        "RecordDeliveryFunction",
        &[
            ("dynamodb", "GetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem UpdateItem ConditionCheckItem Query", RECORDS),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "ArchiveTopic"),
        ],
    ),
    (
        "ReconcileAccountsFunction",
        &[
            ("dynamodb", "GetItem BatchGetItem UpdateItem Scan", ACCOUNTS),
            ("dynamodb", "Query", HISTORY),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query", RECORDS),
            ("dynamodb", "Query", ANCHORS),
            ("sns", "Publish", "AccountEventsTopic"),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "HeartbeatTopic"),
            ("sns", "GetTopicAttributes", "RemindersTopic"),
            ("sns", "GetTopicAttributes", "AccountEventsTopic"),
            ("sns", "GetTopicAttributes", "OperationsTopic"),
            ("sns", "GetTopicAttributes", "TicketsTopic"),
            ("sns", "GetTopicAttributes", "HeartbeatTopic"),
            ("sns", "GetTopicAttributes", "ArchiveTopic"),
        ],
    ),
    (
        "AnchorHistoryFunction",
        &[
            ("dynamodb", "Query", RECORDS),
            ("dynamodb", "Query", RECORDED_ENTRIES),
            ("dynamodb", "Query", RECORDED_EARLIER),
            ("dynamodb", "PutItem Query", ANCHORS),
            ("sns", "Publish", "OperationsTopic"),
        ],
    ),
    (
        "ServeBorrowerFunction",
        &[
            ("dynamodb", "GetItem BatchGetItem UpdateItem", ACCOUNTS),
            ("dynamodb", "Query", PAYMENTS),
            ("dynamodb", "Query", POLICIES),
            ("dynamodb", "GetItem PutItem UpdateItem DeleteItem Query", RECORDS),
            ("sns", "Publish", "RemindersTopic"),
            ("sns", "Publish", "TicketsTopic"),
            ("sns", "Publish", "ArchiveTopic"),
        ],
    ),
];

/// The calls by which Lambda reads a function's stream in its name.
const STREAM: &str = "DescribeStream GetRecords GetShardIterator";
const QUEUE: &str = "ReceiveMessage DeleteMessage GetQueueAttributes";

/// Rights, each as an action and its resource.
pub(crate) type Rights = BTreeSet<(String, String)>;

fn allow(rights: &mut Rights, service: &str, actions: &str, resource: &str) {
    rights.extend(actions.split(' ').map(|action| (format!("{service}:{action}"), resource.to_owned())));
}

/// The calls of a function's code.
pub(crate) fn called(function: &str) -> Rights {
    let (_, calls) = CALLS.iter().find(|(id, _)| *id == function).unwrap();
    let mut rights = Rights::new();
    for (service, actions, resource) in *calls {
        allow(&mut rights, service, actions, resource);
    }
    rights
}

/// The rights of a function: its code's calls, its logs, the key, and its trigger.
fn needed(function: &Resource) -> Rights {
    let mut rights = called(&function.id);
    let logs = id_of(&function.property("LoggingConfig")["LogGroup"]);
    allow(&mut rights, "logs", "CreateLogStream PutLogEvents", &format!("{logs}.Arn"));
    allow(&mut rights, "kms", "Decrypt GenerateDataKey", "EncryptionKey.Arn");
    for mapping in of("AWS::Lambda::EventSourceMapping") {
        if id_of(mapping.property("FunctionName")) != function.id {
            continue;
        }
        let source = named(mapping.property("EventSourceArn"));
        let (origin, attribute) = source.split_once('.').unwrap();
        if attribute == "StreamArn" {
            allow(&mut rights, "dynamodb", STREAM, &source);
            allow(&mut rights, "dynamodb", "ListStreams", &format!("${{{origin}.Arn}}/stream/*"));
        } else {
            allow(&mut rights, "sqs", QUEUE, &source);
        }
        let destination = &mapping.property("DestinationConfig")["OnFailure"]["Destination"];
        if !destination.is_null() {
            let bucket = id_of(destination);
            allow(&mut rights, "s3", "PutObject", &format!("${{{bucket}.Arn}}/*"));
            allow(&mut rights, "s3", "ListBucket", &format!("{bucket}.Arn"));
        }
    }
    rights
}

/// The resources whose services take on a role, and the place where they name it.
const SERVICE_ROLES: [(&str, &str); 3] = [
    ("ArchiveSubscription", "/Properties/SubscriptionRoleArn"),
    ("ArchiveStream", "/Properties/ExtendedS3DestinationConfiguration/RoleARN"),
    ("BackupSelection", "/Properties/BackupSelection/IamRoleArn"),
];

/// The statements of a role, all of them inline.
fn statements(role: &Resource) -> Vec<Value> {
    assert!(
        role.property("ManagedPolicyArns").is_null(),
        "{}: what a managed policy grants, others decide",
        role.id
    );
    list(role.property("Policies"))
        .iter()
        .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
        .collect()
}

fn granted(role: &Resource) -> Rights {
    let mut rights = Rights::new();
    for statement in statements(role) {
        if statement["Effect"] == "Deny" {
            continue;
        }
        assert_eq!(statement["Effect"], "Allow", "{}", role.id);
        for other in ["NotAction", "NotResource", "Condition", "Principal"] {
            assert!(statement[other].is_null(), "{}: {other} is not compared here", role.id);
        }
        for action in list(&statement["Action"]) {
            for resource in list(&statement["Resource"]) {
                rights.insert((named(&action), named(&resource)));
            }
        }
    }
    rights
}

/// The role of a function.
fn role_of(function: &Resource) -> Resource {
    resource(&id_of(function.property("Role")))
}

#[test]
fn every_function_may_do_exactly_what_its_code_does() {
    let functions = of("AWS::Serverless::Function");
    let ids: BTreeSet<&str> = functions.iter().map(|function| function.id.as_str()).collect();
    assert_eq!(ids, CALLS.iter().map(|(id, _)| *id).collect(), "every function is in the table");
    for function in functions {
        assert_eq!(granted(&role_of(&function)), needed(&function), "{}", function.id);
        assert!(function.property("Policies").is_null(), "{}: its role says what it may do", function.id);
    }
}

/// The actions by which an item or a table is changed or removed.
const CHANGES: &str = "UpdateItem DeleteItem BatchWriteItem PartiQLInsert PartiQLUpdate PartiQLDelete \
                       UpdateTimeToLive DeleteTable";

/// The denials of a role, whatever else it may be granted: those that always hold, and those on a condition.
fn denials(role: &Resource) -> (Rights, Vec<(Rights, Value)>) {
    let (mut always, mut conditional) = (Rights::new(), Vec::new());
    for statement in statements(role).iter().filter(|statement| statement["Effect"] == "Deny") {
        let mut denied = Rights::new();
        for action in list(&statement["Action"]) {
            for resource in list(&statement["Resource"]) {
                denied.insert((named(&action), named(&resource)));
            }
        }
        match &statement["Condition"] {
            Value::Null => always.extend(denied),
            condition => conditional.push((denied, condition.clone())),
        }
    }
    (always, conditional)
}

#[test]
fn no_function_changes_or_removes_an_anchor_an_entry_or_a_policy_and_one_alone_puts_each() {
    for function in of("AWS::Serverless::Function") {
        let mut expected = Rights::new();
        for (table, writer) in
            [(ANCHORS, "AnchorHistoryFunction"), (HISTORY, "RecordHistoryFunction"), (POLICIES, "nobody")]
        {
            allow(&mut expected, "dynamodb", CHANGES, table);
            if function.id != writer {
                allow(&mut expected, "dynamodb", "PutItem", table);
            }
        }
        assert_eq!(denials(&role_of(&function)).0, expected, "{}", function.id);
    }
}

#[test]
fn no_function_writes_an_entry_or_a_policy_where_earlier_releases_kept_them() {
    let keys = ["history#*", "policy#*"];
    for function in of("AWS::Serverless::Function") {
        let (_, conditional) = denials(&role_of(&function));
        let own = if function.id == PAGES { 2 } else { 0 };
        let Some((denied, condition)) = conditional.first().filter(|_| conditional.len() == 1 + own) else {
            panic!("{}: {conditional:?}", function.id)
        };
        let mut expected = Rights::new();
        allow(&mut expected, "dynamodb", "PutItem UpdateItem DeleteItem BatchWriteItem", RECORDS);
        assert_eq!(*denied, expected, "{}", function.id);
        assert_eq!(*condition, json!({"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": keys}}));
    }
}

/// The function that answers borrowers, and so meets whoever writes requests.
const PAGES: &str = "ServeBorrowerFunction";

#[test]
fn the_pages_write_a_customers_records_sessions_and_codes_and_read_nothing_of_operations() {
    let (_, conditional) = denials(&role_of(&resource(PAGES)));
    let (mut writes, mut reads) = (Rights::new(), Rights::new());
    allow(&mut writes, "dynamodb", "PutItem UpdateItem DeleteItem", RECORDS);
    allow(&mut reads, "dynamodb", "GetItem Query", RECORDS);
    let written = ["customer#*", "feedback#*", "message#*", "session#*", "sign-in#*", "sign-in-count#*"];
    let hidden = ["quarantine#*", "dropped#*", "tombstone#*", "proposals", "parked"];
    assert_eq!(
        conditional[1..],
        [
            (writes, json!({"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": written}})),
            (reads, json!({"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": hidden}})),
        ]
    );
}

/// The rights of whoever publishes policies: the publisher signs, too.
const PUBLISHER: Calls = &[
    ("kms", "Decrypt GenerateDataKey", "EncryptionKey.Arn"),
    ("dynamodb", "ConditionCheckItem GetItem PutItem Query", POLICIES),
    ("dynamodb", "GetItem Query", RECORDS),
    ("dynamodb", "DescribeTable Scan UpdateItem", ACCOUNTS),
];

/// The calls of the commands that publish policies.
pub(crate) fn called_by_the_publisher() -> Rights {
    let mut rights = Rights::new();
    for (service, actions, resource) in PUBLISHER {
        allow(&mut rights, service, actions, resource);
    }
    rights
}

#[test]
fn whoever_publishes_may_write_policies_and_the_hold_and_nothing_else_of_records() {
    let [policy] = of("AWS::IAM::ManagedPolicy").try_into().unwrap();
    let (mut granted, mut conditional) = (Rights::new(), Vec::new());
    for statement in list(&policy.property("PolicyDocument")["Statement"]) {
        assert_eq!(statement["Effect"], "Allow");
        let mut rights = Rights::new();
        for action in list(&statement["Action"]) {
            rights.insert((named(&action), named(&statement["Resource"])));
        }
        match &statement["Condition"] {
            Value::Null => granted.extend(rights),
            condition => conditional.push((rights, condition.clone())),
        }
    }
    assert_eq!(granted, called_by_the_publisher());
    let hold = Rights::from([("dynamodb:PutItem".to_owned(), RECORDS.to_owned())]);
    let settings = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["settings"]}});
    assert_eq!(conditional, [(hold, settings)]);
    assert_eq!(
        *policy.property("Roles"),
        json!({"Fn::If": ["HasPublisher", [{"Ref": "PolicyPublisherRole"}], {"Ref": "AWS::NoValue"}]})
    );
}

#[test]
fn no_right_is_on_everything_and_none_is_a_pattern_of_actions() {
    for role in of("AWS::IAM::Role") {
        for (action, resource) in granted(&role) {
            assert!(!action.contains('*'), "{}: {action}", role.id);
            assert_ne!(resource, "*", "{}: {action}", role.id);
        }
    }
}

#[test]
fn every_role_is_that_of_one_function_one_schedule_or_one_service() {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for function in of("AWS::Serverless::Function") {
        used.entry(id_of(function.property("Role"))).or_default().push(function.id);
    }
    for schedule in of("AWS::Scheduler::Schedule") {
        used.entry(id_of(&schedule.property("Target")["RoleArn"])).or_default().push(schedule.id);
    }
    for (id, role) in SERVICE_ROLES {
        let (resource, place) = (resource(id), role);
        used.entry(id_of(resource.body.pointer(place).unwrap())).or_default().push(resource.id);
    }
    for role in of("AWS::IAM::Role") {
        assert_eq!(used.remove(&role.id).unwrap_or_default().len(), 1, "{}", role.id);
    }
    assert!(used.is_empty(), "{used:?} are no roles of the template");
}

#[test]
fn only_the_service_that_runs_it_takes_a_role_on() {
    let trusted = |role: &Resource| {
        let document = role.property("AssumeRolePolicyDocument");
        let [statement] = document["Statement"].as_array().unwrap().as_slice() else {
            panic!("{}: one statement", role.id)
        };
        assert_eq!(statement["Action"], "sts:AssumeRole");
        (statement["Principal"].clone(), statement["Condition"].clone())
    };
    for function in of("AWS::Serverless::Function") {
        let (principal, _) = trusted(&role_of(&function));
        assert_eq!(principal, json!({"Service": "lambda.amazonaws.com"}), "{}", function.id);
    }
    for schedule in of("AWS::Scheduler::Schedule") {
        let role = resource(&id_of(&schedule.property("Target")["RoleArn"]));
        let (principal, condition) = trusted(&role);
        assert_eq!(principal, json!({"Service": "scheduler.amazonaws.com"}), "{}", schedule.id);
        assert_eq!(
            condition["StringEquals"]["aws:SourceAccount"],
            json!({"Ref": "AWS::AccountId"}),
            "{}: or another account's schedule could use it",
            schedule.id
        );
    }
}

#[test]
fn a_schedule_may_invoke_its_function_alone() {
    for schedule in of("AWS::Scheduler::Schedule") {
        let target = schedule.property("Target");
        let role = resource(&id_of(&target["RoleArn"]));
        let expected = Rights::from([("lambda:InvokeFunction".to_owned(), named(&target["Arn"]))]);
        assert_eq!(granted(&role), expected, "{}", schedule.id);
    }
}

#[test]
fn no_function_may_send_to_a_queue_that_feeds_it() {
    let mappings = of("AWS::Lambda::EventSourceMapping");
    let mut senders = 0;
    for function in of("AWS::Serverless::Function") {
        let fed: Vec<String> = mappings
            .iter()
            .filter(|mapping| id_of(mapping.property("FunctionName")) == function.id)
            .map(|mapping| named(mapping.property("EventSourceArn")))
            .collect();
        for (action, target) in granted(&role_of(&function)) {
            if action.starts_with("sqs:Send") {
                senders += 1;
                assert!(!fed.contains(&target), "{} feeds itself by {target}", function.id);
            }
        }
    }
    assert_eq!(senders, 1, "the sweep fans out, and nothing else sends");
}
