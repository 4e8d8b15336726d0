//! Data at rest is encrypted with our key, retained, and reached over TLS only.

use serde_json::{Value, json};

use super::resources::{TEXT, id_of, list, named, of, resource, resources, texts, whole};

const KEY: &str = "EncryptionKey.Arn";

/// The property of each resource type that names the key for its data. None: the type holds no data.
const ENCRYPTED_BY: [(&str, Option<&str>); 30] = [
    ("AWS::DynamoDB::Table", Some("/Properties/SSESpecification/KMSMasterKeyId")),
    ("AWS::SNS::Topic", Some("/Properties/KmsMasterKeyId")),
    ("AWS::SQS::Queue", Some("/Properties/KmsMasterKeyId")),
    ("AWS::Logs::LogGroup", Some("/Properties/KmsKeyId")),
    ("AWS::SecretsManager::Secret", Some("/Properties/KmsKeyId")),
    (
        "AWS::S3::Bucket",
        Some(
            "/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID",
        ),
    ),
    ("AWS::Backup::BackupVault", Some("/Properties/EncryptionKeyArn")),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        Some("/Properties/DeliveryStreamEncryptionConfigurationInput/KeyARN"),
    ),
    ("AWS::Backup::BackupPlan", None),
    ("AWS::Backup::BackupSelection", None),
    ("AWS::SNS::Subscription", None),
    // Its environment, by the globals.
    ("AWS::Serverless::Function", None),
    ("AWS::KMS::Key", None),
    ("AWS::KMS::Alias", None),
    ("AWS::IAM::Role", None),
    ("AWS::IAM::ManagedPolicy", None),
    ("AWS::SNS::TopicPolicy", None),
    ("AWS::SQS::QueuePolicy", None),
    ("AWS::S3::BucketPolicy", None),
    ("AWS::Lambda::EventSourceMapping", None),
    // It has no payload.
    ("AWS::Scheduler::Schedule", None),
    ("AWS::CloudWatch::Alarm", None),
    ("AWS::CloudWatch::Dashboard", None),
    ("AWS::SNS::Subscription", None),
    ("AWS::Budgets::Budget", None),
    // They pass requests on and keep none.
    ("AWS::ApiGatewayV2::Api", None),
    ("AWS::ApiGatewayV2::Integration", None),
    ("AWS::ApiGatewayV2::Route", None),
    ("AWS::ApiGatewayV2::Stage", None),
    ("AWS::Lambda::Permission", None),
];

#[test]
fn everything_at_rest_is_encrypted_with_our_key() {
    for resource in resources().into_values() {
        let Some((_, place)) = ENCRYPTED_BY.iter().find(|(kind, _)| *kind == resource.kind) else {
            panic!("{} is a {}: does it hold anything?", resource.id, resource.kind)
        };
        if let Some(place) = place {
            let key = resource.body.pointer(place).map(named);
            assert_eq!(key.as_deref(), Some(KEY), "{}", resource.id);
        }
    }
    for table in of("AWS::DynamoDB::Table") {
        let encryption = table.property("SSESpecification");
        assert_eq!(
            (&encryption["SSEEnabled"], &encryption["SSEType"]),
            (&json!(true), &json!("KMS")),
            "{}",
            table.id
        );
    }
    for bucket in of("AWS::S3::Bucket") {
        let by = &bucket.property("BucketEncryption")["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"];
        assert_eq!(by["SSEAlgorithm"], "aws:kms", "{}", bucket.id);
    }
    assert_eq!(named(&whole()["Globals"]["Function"]["KmsKeyArn"]), KEY);
}

#[test]
fn the_key_rotates_and_outlives_the_stack() {
    let [key] = of("AWS::KMS::Key").try_into().unwrap();
    assert_eq!(*key.property("EnableKeyRotation"), json!(true));
    assert_eq!(key.body["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(*key.property("PendingWindowInDays"), json!(30));
}

#[test]
fn a_service_may_use_the_key_for_this_stage_only() {
    let key = resource("EncryptionKey");
    let statements = list(&key.property("KeyPolicy")["Statement"]);
    let mut services = Vec::new();
    for statement in &statements {
        let sid = statement["Sid"].as_str().unwrap();
        match &statement["Principal"]["Service"] {
            Value::Null => assert_eq!(
                named(&statement["Principal"]["AWS"]),
                "arn:${AWS::Partition}:iam::${AWS::AccountId}:root",
                "{sid}"
            ),
            service => {
                services.push(named(service));
                let bound = texts(&statement["Condition"]["ArnLike"]);
                assert!(
                    matches!(bound.as_slice(), [arn] if arn.contains("duewatch-${Environment}-")),
                    "{sid}: {bound:?}"
                );
            }
        }
    }
    services.sort();
    assert_eq!(
        services,
        [
            "budgets.amazonaws.com",
            "cloudwatch.amazonaws.com",
            "logs.${AWS::Region}.${AWS::URLSuffix}",
            "sns.amazonaws.com"
        ]
    );
}

#[test]
fn every_table_can_be_brought_back_and_is_not_deleted_by_mistake() {
    assert_eq!(whole()["Parameters"]["DeletionProtection"]["Default"], "true");
    for table in of("AWS::DynamoDB::Table") {
        let recovery = table.property("PointInTimeRecoverySpecification");
        assert_eq!(recovery["PointInTimeRecoveryEnabled"], true, "{}", table.id);
        assert_eq!(named(table.property("DeletionProtectionEnabled")), "DeletionProtection", "{}", table.id);
    }
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Backup::BackupVault"] {
        for kept in of(kind) {
            assert_eq!(kept.body["DeletionPolicy"], "RetainExceptOnCreate", "{}", kept.id);
            assert_eq!(kept.body["UpdateReplacePolicy"], "Retain", "{}", kept.id);
        }
    }
}

#[test]
fn every_table_is_backed_up_daily_into_a_vault_that_refuses_to_delete() {
    let vault = resource("Vault");
    let lock = vault.property("LockConfiguration");
    assert_eq!(lock["MinRetentionDays"], json!({"Ref": "BackupDays"}));
    assert!(whole()["Parameters"]["BackupDays"]["MaxValue"].as_i64() <= lock["MaxRetentionDays"].as_i64());
    let plan = resource("BackupPlan");
    let rule = &plan.property("BackupPlan")["BackupPlanRule"][0];
    assert_eq!(id_of(&rule["TargetBackupVault"]), "Vault");
    assert_eq!(rule["Lifecycle"]["DeleteAfterDays"], lock["MinRetentionDays"]);
    let selection = resource("BackupSelection");
    let selected = list(&selection.property("BackupSelection")["Resources"]);
    let mut selected: Vec<String> = selected.iter().map(id_of).collect();
    selected.sort();
    let tables: Vec<String> = of("AWS::DynamoDB::Table").into_iter().map(|table| table.id).collect();
    assert_eq!(selected, tables);
    assert_eq!(whole()["Parameters"]["BackupVault"]["Default"], "true");
}

#[test]
fn the_archive_keeps_what_a_backup_needs_and_no_longer() {
    let rules = resource("ArchiveBucket").property("LifecycleConfiguration")["Rules"].clone();
    assert_eq!(rules[0]["ExpirationInDays"], json!({"Ref": "BackupDays"}));
    assert_eq!(
        whole()["Parameters"]["BackupDays"]["MinValue"],
        json!(35),
        "as long as recovery to an instant"
    );
    let subscription = resource("ArchiveSubscription");
    assert_eq!(id_of(subscription.property("TopicArn")), "ArchiveTopic");
    assert_eq!(id_of(subscription.property("Endpoint")), "ArchiveStream");
    assert_eq!(*subscription.property("RawMessageDelivery"), json!(true));
    let stream = resource("ArchiveStream");
    let destination = stream.property("ExtendedS3DestinationConfiguration");
    assert_eq!(id_of(&destination["BucketARN"]), "ArchiveBucket");
    let hints = &destination["BufferingHints"];
    assert_eq!(hints["IntervalInSeconds"], json!(60), "the recovery point of operations.md");
}

#[test]
fn only_records_and_the_history_expire() {
    for table in of("AWS::DynamoDB::Table") {
        let expiry = table.property("TimeToLiveSpecification");
        if ["RecordsTable", "HistoryTable"].contains(&table.id.as_str()) {
            assert_eq!(*expiry, json!({"AttributeName": "expires_at", "Enabled": true}));
        } else {
            assert!(expiry.is_null(), "{}", table.id);
        }
    }
}

#[test]
fn every_function_has_a_log_group_of_its_own_that_forgets() {
    let functions = of("AWS::Serverless::Function");
    for function in &functions {
        let logs = resource(&id_of(&function.property("LoggingConfig")["LogGroup"]));
        let name = named(function.property("FunctionName"));
        assert_eq!(named(logs.property("LogGroupName")), format!("/aws/lambda/{name}"));
        assert_eq!(named(logs.property("RetentionInDays")), "LogRetentionDays", "{}", logs.id);
    }
    // One more is the access log of the pages.
    assert_eq!(of("AWS::Logs::LogGroup").len(), functions.len() + 1);
    assert_eq!(named(resource("PagesLogs").property("RetentionInDays")), "LogRetentionDays");
}

#[test]
fn every_topic_queue_and_bucket_is_reached_over_tls_only() {
    let mut guarded = Vec::new();
    for (kind, targets) in [
        ("AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::BucketPolicy", "Bucket"),
    ] {
        for policy in of(kind) {
            let denied = list(&policy.property("PolicyDocument")["Statement"]).into_iter().any(|statement| {
                statement["Effect"] == "Deny"
                    && statement["Principal"] == "*"
                    && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
            });
            assert!(denied, "{}", policy.id);
            guarded.extend(list(policy.property(targets)).iter().map(id_of));
        }
    }
    guarded.sort();
    let mut all: Vec<String> = ["AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::S3::Bucket"]
        .into_iter()
        .flat_map(of)
        .map(|resource| resource.id)
        .collect();
    all.sort();
    assert_eq!(guarded, all);
}

#[test]
fn nobody_is_let_in_who_is_not_named() {
    for policy in
        ["AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"].into_iter().flat_map(of)
    {
        for statement in list(&policy.property("PolicyDocument")["Statement"]) {
            if statement["Effect"] == "Allow" {
                let service = statement["Principal"]["Service"].as_str();
                let is_named = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"].map(Some);
                assert!(is_named.contains(&service), "{}: {statement}", policy.id);
                assert!(
                    !statement["Condition"]["StringEquals"]["aws:SourceAccount"].is_null(),
                    "{}",
                    policy.id
                );
            }
        }
    }
    for bucket in of("AWS::S3::Bucket") {
        let blocked = bucket.property("PublicAccessBlockConfiguration").as_object().unwrap().clone();
        assert!(blocked.len() == 4 && blocked.values().all(|is| *is == json!(true)), "{}", bucket.id);
    }
}

#[test]
fn every_arn_that_is_spelt_out_holds_in_every_partition() {
    let spelt_out: Vec<String> = texts(&whole()).into_iter().filter(|text| text.contains("arn:")).collect();
    assert!(!spelt_out.is_empty());
    for text in spelt_out {
        for (place, _) in text.match_indices("arn:") {
            assert!(text[place..].starts_with("arn:${AWS::Partition}:"), "{text}");
        }
    }
}

#[test]
fn names_bear_the_stage() {
    let name_of = [
        ("AWS::DynamoDB::Table", "TableName"),
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::Serverless::Function", "FunctionName"),
        ("AWS::Scheduler::Schedule", "Name"),
        ("AWS::CloudWatch::Alarm", "AlarmName"),
        ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ];
    for (kind, property) in name_of {
        for resource in of(kind) {
            assert!(
                named(resource.property(property)).starts_with("duewatch-${Environment}"),
                "{}",
                resource.id
            );
        }
    }
    let metrics = &whole()["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"];
    assert_eq!(
        named(metrics),
        "duewatch-${Environment}",
        "or one environment's sweep keeps another's alarm quiet"
    );
}

#[test]
fn no_update_replaces_what_holds_data() {
    let policy: Value = serde_json::from_str(include_str!("../../../../infra/stack-policy.json")).unwrap();
    let [allowed, denied] = policy["Statement"].as_array().unwrap().as_slice() else {
        panic!("one statement allows, one denies: {policy}")
    };
    assert_eq!((&allowed["Effect"], &allowed["Action"]), (&json!("Allow"), &json!("Update:*")));
    assert_eq!(
        (&denied["Effect"], &denied["Action"]),
        (&json!("Deny"), &json!(["Update:Replace", "Update:Delete"]))
    );
    // Logs may go, and no topic keeps what was sent on it.
    let without_data = ["AWS::Logs::LogGroup", "AWS::SNS::Topic"];
    let with_data =
        ENCRYPTED_BY.iter().filter(|(kind, place)| place.is_some() && !without_data.contains(kind));
    let mut expected: Vec<&str> = with_data.map(|(kind, _)| *kind).chain(["AWS::KMS::Key"]).collect();
    expected.sort_unstable();
    assert_eq!(denied["Condition"]["StringEquals"]["ResourceType"], json!(expected));
}

#[test]
fn no_deployment_makes_a_new_key_that_signs() {
    for secret in of("AWS::SecretsManager::Secret") {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(secret.body[policy], json!("Retain"), "{}", secret.id);
        }
        // Nothing that it is made of follows from a parameter that an upgrade may change.
        let generated = secret.property("GenerateSecretString");
        assert!(texts(generated).iter().all(|text| !text.contains("${")), "{}: {generated}", secret.id);
    }
    let operations = include_str!("../../../../infra/operations.md");
    for section in ["## Deploy\n", "## Upgrade\n"] {
        let text = operations.split(section).nth(1).unwrap().split("\n## ").next().unwrap();
        assert!(!text.contains("openssl"), "{section}: a key that is made there replaces the one before");
    }
}

#[test]
fn a_release_goes_first_to_a_tenth_and_back_when_an_alarm_goes_off() {
    let globals = &whole()["Globals"]["Function"];
    let preference = &globals["DeploymentPreference"];
    assert_eq!(preference["Type"], "Canary10Percent10Minutes");
    let alarms: Vec<String> = list(&preference["Alarms"]).iter().map(id_of).collect();
    assert_eq!(alarms, ["ErrorsAlarm", "QuarantineAlarm"]);
    assert_eq!(whole()["Parameters"]["CanaryDeployments"]["Default"], "true");
    for function in of("AWS::Serverless::Function") {
        assert_eq!(named(function.property("AutoPublishCodeSha256")), "Release", "{}", function.id);
    }
    // A trigger of the function itself would pass the canary by.
    let mappings = of("AWS::Lambda::EventSourceMapping").into_iter();
    let schedules = of("AWS::Scheduler::Schedule").into_iter();
    let targets = mappings
        .map(|mapping| mapping.property("FunctionName").clone())
        .chain(schedules.map(|schedule| schedule.property("Target")["Arn"].clone()));
    for target in targets {
        assert!(named(&target).ends_with(".Alias"), "{target}");
    }
}

#[test]
fn every_deployment_of_the_documents_names_its_release() {
    let operations = include_str!("../../../../infra/operations.md");
    let mut deployments = 0;
    for after in operations.split("\naws cloudformation deploy ").skip(1) {
        let command: Vec<&str> = after.split_inclusive('\n').collect();
        let last = command.iter().position(|line| !line.trim_end().ends_with('\\')).unwrap();
        let command = command[..=last].concat();
        assert!(command.contains("Release="), "the functions would keep their code and settings: {command}");
        deployments += 1;
    }
    assert!(deployments >= 5, "{deployments}");
}

#[test]
fn the_api_is_throttled_and_its_access_log_has_no_query_no_cookie_and_no_reader() {
    let stage = resource("PagesStage");
    let limits = stage.property("DefaultRouteSettings");
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        assert_eq!(named(&limits[limit]), "PagesPerSecond");
    }
    let log = stage.property("AccessLogSettings");
    assert_eq!(named(&log["DestinationArn"]), "PagesLogs.Arn");
    let format: Value = serde_json::from_str(log["Format"].as_str().unwrap()).unwrap();
    let mut logged = texts(&format);
    logged.sort();
    let expected = ["httpMethod", "requestId", "requestTime", "responseLatency", "responseLength", "status"];
    assert_eq!(logged, expected.map(|name| format!("$context.{name}")));
    let route = resource("PagesRoute");
    assert_eq!(*route.property("RouteKey"), json!("$default"));
    assert_eq!(id_of(resource("PagesIntegration").property("IntegrationUri")), "ServeBorrowerFunction");
    assert_eq!(id_of(resource("PagesPermission").property("FunctionName")), "ServeBorrowerFunction");
    for alias in [
        resource("PagesIntegration").property("IntegrationUri"),
        resource("PagesPermission").property("FunctionName"),
    ] {
        assert!(named(alias).ends_with(".Alias"), "{alias}");
    }
}

#[test]
fn every_check_that_is_left_out_says_why() {
    let mut skips = 0;
    for resource in resources().into_values() {
        for skip in list(&resource.body["Metadata"]["checkov"]["skip"]) {
            skips += 1;
            assert!(skip["id"].as_str().unwrap().starts_with("CKV_"), "{}: {skip}", resource.id);
            assert!(skip["comment"].as_str().unwrap().len() > 20, "{}: {skip}", resource.id);
        }
    }
    assert!(skips > 0);
    assert!(!TEXT.contains("cfn-lint:"), "what cfn-lint finds is mended, not left out");
}
