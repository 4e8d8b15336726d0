use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::primitives::Blob;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use rstest::rstest;

use super::*;

/// The real client of an endpoint that knows the topic `reminders`.
async fn client_of(sns: &LocalSns) -> Client {
    sns.register(&reminders());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_on(listener, sns.clone()));
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(duewatch_runtime::https_client())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

fn reminders() -> String {
    LocalSns::topic_arn("reminders")
}

fn text_attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn entry(id: &str, message: &str) -> PublishBatchRequestEntry {
    PublishBatchRequestEntry::builder().id(id).message(message).build().unwrap()
}

fn entries(ids: &[&str]) -> Vec<PublishBatchRequestEntry> {
    ids.iter().map(|id| entry(id, &format!("message {id}"))).collect()
}

/// The batch's answer, or the error's code.
async fn publish_batch(
    client: &Client,
    entries: Vec<PublishBatchRequestEntry>,
) -> Result<PublishBatchOutput, String> {
    let request =
        client.publish_batch().topic_arn(reminders()).set_publish_batch_request_entries(Some(entries));
    request.send().await.map_err(|error| error.code().unwrap_or_default().to_owned())
}

/// The code and the text with which a single message is refused.
async fn refused(client: &Client, topic_arn: &str, message: &str) -> (String, String) {
    let error = client.publish().topic_arn(topic_arn).message(message).send().await.unwrap_err();
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

fn bodies(delivered: &[Delivered]) -> Vec<&str> {
    delivered.iter().map(|delivered| delivered.message.as_str()).collect()
}

#[tokio::test]
async fn a_message_is_kept_as_it_was_sent() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    let body = "<b>您好</b> & \"bye\"=1+1%\n";
    let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new("abc")).build();
    let answer = client
        .publish()
        .topic_arn(reminders())
        .subject("A subject")
        .message(body)
        .message_attributes("channel", text_attribute("sms & mail"))
        .message_attributes("bytes", bytes.unwrap())
        .send()
        .await
        .unwrap();
    let delivered = sns.delivered();
    assert_eq!(
        delivered,
        [Delivered {
            topic_arn: reminders(),
            message_id: answer.message_id().unwrap().to_owned(),
            subject: Some("A subject".to_owned()),
            message: body.to_owned(),
            attributes: [("bytes", "YWJj"), ("channel", "sms & mail")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            sequence: 1,
        }]
    );
}

#[tokio::test]
async fn a_batch_is_kept_in_its_order() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    let ids = ["j", "i", "h", "g", "f", "e", "d", "c", "b", "a"];
    let mut batch = entries(&ids);
    batch[9] = PublishBatchRequestEntry::builder()
        .id("a")
        .message("message a")
        .message_attributes("channel", text_attribute("push"))
        .build()
        .unwrap();
    let answer = publish_batch(&client, batch).await.unwrap();
    assert!(answer.failed().is_empty());
    let delivered = sns.delivered();
    let answered: Vec<_> =
        answer.successful().iter().map(|entry| (entry.id().unwrap(), entry.message_id().unwrap())).collect();
    let kept: Vec<_> = ids.into_iter().zip(delivered.iter().map(|kept| kept.message_id.as_str())).collect();
    assert_eq!(answered, kept);
    assert_eq!(delivered.iter().map(|kept| kept.sequence).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert_eq!(bodies(&delivered)[0], "message j");
    assert_eq!(delivered[9].attributes["channel"], "push");
}

#[tokio::test]
async fn a_topic_is_known_once_it_is_created() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    let topic_arn = LocalSns::topic_arn("operations");
    assert_eq!(refused(&client, &topic_arn, "hello").await, pair("NotFound", "Topic does not exist"));
    for _ in 0..2 {
        let created = client.create_topic().name("operations").send().await.unwrap();
        assert_eq!(created.topic_arn(), Some(topic_arn.as_str()));
    }
    client.publish().topic_arn(&topic_arn).message("hello").send().await.unwrap();
    let error = client.create_topic().name("no spaces").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameter"));
}

fn pair(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

#[rstest]
#[case::empty("", "Invalid parameter: Empty message")]
#[case::too_long(&"x".repeat(256 * 1024 + 1), "Invalid parameter: Message too long")]
#[case::too_long_in_bytes(&"中".repeat(100_000), "Invalid parameter: Message too long")]
#[case::control("a\u{1}b", "Invalid parameter: Message Reason: U+0001 is not allowed")]
#[tokio::test]
async fn a_message_that_sns_refuses_is_refused(#[case] message: &str, #[case] problem: &str) {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    assert_eq!(refused(&client, &reminders(), message).await, pair("InvalidParameter", problem));
    assert_eq!(sns.delivered(), []);
}

#[tokio::test]
async fn the_longest_message_is_taken() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    let half = "中".repeat(128 * 1024 / 3);
    publish_batch(&client, vec![entry("a", &half), entry("b", &half)]).await.unwrap();
    client.publish().topic_arn(reminders()).message("x".repeat(256 * 1024)).send().await.unwrap();
    assert_eq!(sns.delivered().len(), 3);
}

#[tokio::test]
async fn what_is_no_topic_is_refused() {
    let client = client_of(&LocalSns::new()).await;
    let (code, _) = refused(&client, "reminders", "hello").await;
    assert_eq!(code, "InvalidParameter");
}

#[rstest]
#[case::empty(vec![], "EmptyBatchRequest")]
#[case::eleven(entries(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]), "TooManyEntriesInBatchRequest")]
#[case::same_id(entries(&["1", "2", "1"]), "BatchEntryIdsNotDistinct")]
#[case::bad_id(entries(&["A-1:7"]), "InvalidBatchEntryId")]
#[case::long_id(entries(&[&"x".repeat(81)]), "InvalidBatchEntryId")]
#[case::empty_message(vec![entry("1", "fine"), entry("2", "")], "InvalidParameter")]
#[case::too_long(vec![entry("1", &"x".repeat(200_000)), entry("2", &"x".repeat(100_000))], "BatchRequestTooLong")]
#[tokio::test]
async fn a_batch_that_sns_refuses_is_refused_whole(
    #[case] batch: Vec<PublishBatchRequestEntry>,
    #[case] code: &str,
) {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    assert_eq!(publish_batch(&client, batch).await.unwrap_err(), code);
    assert_eq!(sns.delivered(), []);
}

#[rstest]
#[case::unknown_type("Text", Some("value"))]
#[case::no_value("String", None)]
#[case::empty_value("String", Some(""))]
#[tokio::test]
async fn an_attribute_without_type_or_value_is_refused(#[case] kind: &str, #[case] value: Option<&str>) {
    let client = client_of(&LocalSns::new()).await;
    let attribute =
        MessageAttributeValue::builder().data_type(kind).set_string_value(value.map(str::to_owned)).build();
    let request = client.publish().topic_arn(reminders()).message("hello");
    let error = request.message_attributes("channel", attribute.unwrap()).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ParameterValueInvalid"));
}

#[tokio::test]
async fn chosen_entries_fail_inside_a_batch_that_succeeds() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    sns.fail_entries(SnsFault::Entries {
        count: 2,
        containing: "A-2".to_owned(),
        code: "Throttled".to_owned(),
        sender_fault: false,
    });
    let batch = || vec![entry("one", "to A-1"), entry("two", "to A-2"), entry("three", "to A-3")];
    for _ in 0..2 {
        let answer = publish_batch(&client, batch()).await.unwrap();
        let successful: Vec<_> = answer.successful().iter().map(|entry| entry.id().unwrap()).collect();
        assert_eq!(successful, ["one", "three"]);
        let [failed] = answer.failed() else { panic!("{:?}", answer.failed()) };
        assert_eq!((failed.id(), failed.code(), failed.sender_fault()), ("two", "Throttled", false));
        assert_eq!(bodies(&sns.take()), ["to A-1", "to A-3"]);
    }
    let answer = publish_batch(&client, batch()).await.unwrap();
    assert!(answer.failed().is_empty());
    assert_eq!(bodies(&sns.take()), ["to A-1", "to A-2", "to A-3"]);
}

#[rstest]
#[case::internal_error(SnsFault::InternalError { count: 2 }, "InternalError", 0)]
#[case::throttled(SnsFault::Throttled { count: 2 }, "Throttling", 0)]
#[case::answer_lost(SnsFault::AnswerLost { count: 2 }, "InternalError", 2)]
#[tokio::test]
async fn the_next_requests_fail_and_then_no_more(
    #[case] fault: SnsFault,
    #[case] code: &str,
    #[case] kept: usize,
) {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    sns.fail_entries(fault);
    for _ in 0..2 {
        assert_eq!(publish_batch(&client, entries(&["1"])).await.unwrap_err(), code);
    }
    assert_eq!(sns.take().len(), kept);
    publish_batch(&client, entries(&["1"])).await.unwrap();
    assert_eq!(sns.take().len(), 1);
}

#[tokio::test]
async fn a_client_that_retries_gets_through() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    let retrying = client.config().to_builder().retry_config(RetryConfig::standard()).build();
    sns.fail_entries(SnsFault::Throttled { count: 1 });
    publish_batch(&Client::from_conf(retrying), entries(&["1"])).await.unwrap();
    assert_eq!(sns.delivered().len(), 1);
}

#[tokio::test]
async fn only_so_much_is_kept_and_the_rest_is_counted() {
    let sns = LocalSns::keeping(3);
    let client = client_of(&sns).await;
    publish_batch(&client, entries(&["1", "2", "3", "4", "5"])).await.unwrap();
    assert_eq!(bodies(&sns.delivered()), ["message 3", "message 4", "message 5"]);
    assert_eq!(sns.dropped(), 2);
}

#[tokio::test]
async fn a_viewer_sees_what_comes_after_it() {
    let sns = LocalSns::new();
    let client = client_of(&sns).await;
    publish_batch(&client, entries(&["1"])).await.unwrap();
    let mut live = sns.subscribe();
    publish_batch(&client, entries(&["2", "3"])).await.unwrap();
    assert_eq!(live.recv().await.unwrap().message, "message 2");
    assert_eq!(live.recv().await.unwrap().message, "message 3");
    assert!(live.try_recv().is_err());
}
