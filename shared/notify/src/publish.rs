//! Publishing in batches whose entries may fail one by one.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};

/// How often an entry is tried before it is reported as failed.
pub const MAX_ATTEMPTS: usize = 3;
/// The most entries SNS takes in one batch.
const MAX_ENTRIES: usize = 10;
/// The most bytes SNS takes in one batch, attributes included.
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// The topic of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// To borrowers, through the delivery providers of each channel.
    Reminders,
    /// To the lender's other systems.
    AccountEvents,
    /// To the staff on call, at any hour.
    Operations,
    /// To those who work off what needs no waking.
    Tickets,
    /// To a watch outside the AWS account, which alerts when nothing comes.
    Heartbeat,
    /// To the bucket of accepted commands.
    Archive,
}

impl Topic {
    /// The order in which the topics are served.
    const ALL: [Self; 6] = [
        Self::AccountEvents,
        Self::Reminders,
        Self::Operations,
        Self::Tickets,
        Self::Heartbeat,
        Self::Archive,
    ];

    /// Whether the topic tells borrowers or other systems: its messages stop while sending is on hold. The staff
    /// and the watch outside are told all the same.
    #[must_use]
    pub const fn leaves(self) -> bool {
        matches!(self, Self::Reminders | Self::AccountEvents)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reminders => "reminders",
            Self::AccountEvents => "account-events",
            Self::Operations => "operations",
            Self::Tickets => "tickets",
            Self::Heartbeat => "heartbeat",
            Self::Archive => "archive",
        })
    }
}

/// The ARNs of the topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// `reminders`
    pub reminders: String,
    /// `account-events`
    pub account_events: String,
    /// `operations`
    pub operations: String,
    /// `tickets`
    pub tickets: String,
    /// `heartbeat`
    pub heartbeat: String,
    /// `archive`
    pub archive: String,
}

impl Topics {
    fn arn(&self, topic: Topic) -> &str {
        match topic {
            Topic::Reminders => &self.reminders,
            Topic::AccountEvents => &self.account_events,
            Topic::Operations => &self.operations,
            Topic::Tickets => &self.tickets,
            Topic::Heartbeat => &self.heartbeat,
            Topic::Archive => &self.archive,
        }
    }
}

/// An outgoing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    pub topic: Topic,
    /// A CloudEvents body.
    pub body: String,
    /// The attributes that subscribers filter on.
    pub attributes: BTreeMap<&'static str, String>,
}

impl OutboundMessage {
    fn bytes(&self) -> usize {
        let attributes: usize =
            self.attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
        self.body.len() + attributes
    }
}

/// A message that could not be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedMessage {
    /// The message's index in the published slice.
    pub place: usize,
    /// SNS's reason.
    pub reason: String,
}

/// The messages that could not be published. The others have left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of the messages were not published; the first because: {}", .0.len(), .0.first().map_or("", |f| &f.reason))]
pub struct NotifyError(pub Vec<FailedMessage>);

/// Publishes to the topics.
#[derive(Clone, Debug)]
pub struct Notifier {
    client: Client,
    topics: Topics,
}

impl Notifier {
    /// A publisher over a client.
    #[must_use]
    pub const fn new(client: Client, topics: Topics) -> Self {
        Self { client, topics }
    }

    /// Publishes all messages, ten a request. SNS may accept some entries of a batch and refuse others, on
    /// HTTP 200. Refused entries are retried, at most [`MAX_ATTEMPTS`] times in all, unless SNS reports a
    /// sender's fault.
    ///
    /// # Errors
    /// [`NotifyError`] with the messages that have not left.
    pub async fn publish(&self, messages: &[OutboundMessage]) -> Result<(), NotifyError> {
        let mut failed = Vec::new();
        for topic in Topic::ALL {
            let places: Vec<usize> = (0..messages.len()).filter(|at| messages[*at].topic == topic).collect();
            for batch in batches(messages, places) {
                failed.extend(self.publish_batch(topic, messages, batch).await);
            }
        }
        failed.sort_by_key(|failed| failed.place);
        if failed.is_empty() { Ok(()) } else { Err(NotifyError(failed)) }
    }

    /// The topics that do not answer: they are gone, or out of reach.
    pub async fn missing_topics(&self) -> Vec<Topic> {
        let mut missing = Vec::new();
        for topic in Topic::ALL {
            let asked = self.client.get_topic_attributes().topic_arn(self.topics.arn(topic));
            if asked.send().await.is_err() {
                missing.push(topic);
            }
        }
        missing
    }

    /// Publishes one batch, and returns the messages that have not left in the end.
    async fn publish_batch(
        &self,
        topic: Topic,
        messages: &[OutboundMessage],
        batch: Vec<usize>,
    ) -> Vec<FailedMessage> {
        let mut given_up = Vec::new();
        let mut entries = BTreeMap::new();
        for place in batch {
            match entry(place, &messages[place]) {
                Ok(entry) => drop(entries.insert(place, entry)),
                Err(error) => given_up.push(FailedMessage { place, reason: error.to_string() }),
            }
        }
        let mut open: Vec<usize> = entries.keys().copied().collect();
        let mut last: BTreeMap<usize, String> = BTreeMap::new();
        for _ in 0..MAX_ATTEMPTS {
            if open.is_empty() {
                break;
            }
            let chosen = open.iter().filter_map(|place| entries.get(place).cloned()).collect();
            let answer = self
                .client
                .publish_batch()
                .topic_arn(self.topics.arn(topic))
                .set_publish_batch_request_entries(Some(chosen))
                .send()
                .await;
            match answer {
                Ok(answer) => {
                    let mut again = Vec::new();
                    for fault in answer.failed() {
                        let Ok(place) = fault.id().parse::<usize>() else { continue };
                        let reason = format!("{}: {}", fault.code(), fault.message().unwrap_or_default());
                        if fault.sender_fault() {
                            given_up.push(FailedMessage { place, reason });
                        } else {
                            last.insert(place, reason);
                            again.push(place);
                        }
                    }
                    open = again;
                }
                Err(error) => {
                    let reason = match (error.code(), error.message()) {
                        (Some(code), Some(message)) => format!("{code}: {message}"),
                        _ => DisplayErrorContext(&error).to_string(),
                    };
                    last.extend(open.iter().map(|place| (*place, reason.clone())));
                }
            }
        }
        given_up.extend(
            open.into_iter()
                .map(|place| FailedMessage { place, reason: last.remove(&place).unwrap_or_default() }),
        );
        given_up
    }
}

/// Batches of at most ten messages and 256 KiB.
fn batches(messages: &[OutboundMessage], places: Vec<usize>) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for place in places {
        let bytes = messages[place].bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes <= room => {
                room -= bytes;
                batch.push(place);
            }
            _ => {
                room = MAX_BATCH_BYTES.saturating_sub(bytes);
                batches.push(vec![place]);
            }
        }
    }
    batches
}

fn entry(
    place: usize,
    message: &OutboundMessage,
) -> Result<PublishBatchRequestEntry, aws_sdk_sns::error::BuildError> {
    let mut entry = PublishBatchRequestEntry::builder().id(place.to_string()).message(&message.body);
    for (name, value) in message.attributes.iter().filter(|(_, value)| !value.is_empty()) {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build()?;
        entry = entry.message_attributes(*name, value);
    }
    entry.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> OutboundMessage {
        OutboundMessage { topic: Topic::Reminders, body: "x".repeat(bytes), attributes: BTreeMap::new() }
    }

    #[test]
    fn a_batch_holds_ten_messages_and_256_kib() {
        let small: Vec<OutboundMessage> = (0..23).map(|_| message(10)).collect();
        let sizes: Vec<usize> = batches(&small, (0..23).collect()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 10, 3]);
        let large: Vec<OutboundMessage> = (0..5).map(|_| message(100 * 1024)).collect();
        let sizes: Vec<usize> = batches(&large, (0..5).collect()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }
}
