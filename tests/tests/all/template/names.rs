//! The physical names of everything that holds data or that a lender's systems address, bit by bit. Under
//! another name CloudFormation would put a new and empty resource in the place of the old one.

use super::resources::{list, of, whole};

/// The names that the resources of a type bear where every parameter has its default, by logical id.
fn physical(kind: &str, property: &str) -> Vec<(String, String)> {
    let parameters = whole()["Parameters"].as_object().unwrap().clone();
    let filled = |pattern: &str| {
        parameters.iter().fold(pattern.to_owned(), |name, (parameter, spec)| {
            name.replace(&format!("${{{parameter}}}"), spec["Default"].as_str().unwrap_or("?"))
        })
    };
    let named = |pattern: &serde_json::Value| filled(pattern["Fn::Sub"].as_str().unwrap());
    of(kind).iter().map(|resource| (resource.id.clone(), named(resource.property(property)))).collect()
}

fn check(kind: &str, property: &str, expected: &[(&str, &str)]) {
    let names = physical(kind, property);
    let names: Vec<(&str, &str)> = names.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    assert_eq!(names, expected, "{kind}");
}

#[test]
fn the_tables_keep_their_names() {
    check(
        "AWS::DynamoDB::Table",
        "TableName",
        &[
            ("AccountsTable", "duewatch-dev-accounts"),
            ("AnchorsTable", "duewatch-dev-anchors"),
            ("CasesTable", "duewatch-dev-cases"),
            ("HistoryTable", "duewatch-dev-history"),
            ("PaymentsTable", "duewatch-dev-payments"),
            ("PoliciesTable", "duewatch-dev-policies"),
            ("RecordsTable", "duewatch-dev-records"),
        ],
    );
}

#[test]
fn the_indexes_keep_their_names_and_keys() {
    let mut indexes = Vec::new();
    for table in of("AWS::DynamoDB::Table") {
        for index in list(table.property("GlobalSecondaryIndexes")) {
            let keys = list(&index["KeySchema"]);
            let keys: Vec<&str> = keys.iter().map(|key| key["AttributeName"].as_str().unwrap()).collect();
            indexes.push(format!("{} {} {}", table.id, index["IndexName"].as_str().unwrap(), keys.join(" ")));
        }
    }
    assert_eq!(
        indexes,
        [
            "AccountsTable due due_shard next_action_at",
            "CasesTable due due_shard next_action_at",
            "HistoryTable recorded recorded_shard recorded_as",
            "RecordsTable contacts contact_shard contact_at",
            "RecordsTable recorded recorded_shard recorded_as",
        ]
    );
}

#[test]
fn the_topics_keep_their_names() {
    check(
        "AWS::SNS::Topic",
        "TopicName",
        &[
            ("AccountEventsTopic", "duewatch-dev-account-events"),
            ("ArchiveTopic", "duewatch-dev-archive"),
            ("HeartbeatTopic", "duewatch-dev-heartbeat"),
            ("OperationsTopic", "duewatch-dev-operations"),
            ("RemindersTopic", "duewatch-dev-reminders"),
            ("TicketsTopic", "duewatch-dev-tickets"),
        ],
    );
}

#[test]
fn the_queues_keep_their_names() {
    check(
        "AWS::SQS::Queue",
        "QueueName",
        &[
            ("IntakeDeadLetters", "duewatch-dev-intake-dead-letters.fifo"),
            ("IntakeQueue", "duewatch-dev-intake.fifo"),
            ("ReceiptsDeadLetters", "duewatch-dev-receipts-dead-letters"),
            ("ReceiptsQueue", "duewatch-dev-receipts"),
            ("SweepsDeadLetters", "duewatch-dev-sweeps-dead-letters"),
            ("SweepsQueue", "duewatch-dev-sweeps"),
        ],
    );
}

#[test]
fn the_key_keeps_its_alias() {
    check("AWS::KMS::Alias", "AliasName", &[("EncryptionKeyAlias", "alias/duewatch-dev")]);
}

/// Named by CloudFormation, after their logical ids.
#[test]
fn a_resource_without_a_name_keeps_its_logical_id() {
    let ids = |kind| of(kind).into_iter().map(|resource| resource.id).collect::<Vec<_>>();
    assert_eq!(ids("AWS::KMS::Key"), ["EncryptionKey"]);
    assert_eq!(ids("AWS::S3::Bucket"), ["ArchiveBucket", "FailedRecordsBucket"]);
}
