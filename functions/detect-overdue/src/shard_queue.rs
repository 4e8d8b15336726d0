//! Shards of the due index that are too large for one invocation.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_types::SdkConfig;
use duewatch_store::MAX_DUE_SHARDS;
use serde::{Deserialize, Serialize};

/// The variable that names the queue of shards. Only the scheduled function has it: the function that reads
/// from the queue never sends to it.
pub const SWEEP_QUEUE_URL: &str = "SWEEP_QUEUE_URL";

/// The most entries SQS takes in one batch.
const MAX_ENTRIES: usize = 10;
/// How often an entry is tried.
const MAX_ATTEMPTS: usize = 3;

/// A message of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardMessage {
    /// The shard of the due index to sweep.
    pub shard: u32,
}

impl ShardMessage {
    /// Parses a message.
    ///
    /// # Errors
    /// The fault of a malformed message.
    pub fn parse(body: &str) -> Result<Self, String> {
        let message: Self = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if message.shard < MAX_DUE_SHARDS {
            Ok(message)
        } else {
            Err(format!("shard: {} is none, there are at most {MAX_DUE_SHARDS}", message.shard))
        }
    }
}

/// The queue of shards.
#[derive(Clone, Debug)]
pub struct ShardQueue {
    client: Client,
    url: String,
}

impl ShardQueue {
    /// A queue over a client, by its URL.
    #[must_use]
    pub const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// The queue that the environment names, if any.
    #[must_use]
    pub fn from_env(config: &SdkConfig) -> Option<Self> {
        let url = std::env::var(SWEEP_QUEUE_URL).ok().filter(|url| !url.is_empty())?;
        Some(Self::new(Client::new(config), url))
    }

    /// Hands shards to the queue, ten a request. Returns the shards that failed; the next firing of the
    /// schedule finds them again.
    pub async fn send(&self, shards: &[u32]) -> Vec<u32> {
        let mut not_sent = Vec::new();
        for batch in shards.chunks(MAX_ENTRIES) {
            let mut open = batch.to_vec();
            for _ in 0..MAX_ATTEMPTS {
                if open.is_empty() {
                    break;
                }
                open = self.send_batch(open).await;
            }
            not_sent.extend(open);
        }
        not_sent
    }

    /// Sends a batch, of which some entries may fail on HTTP 200.
    async fn send_batch(&self, shards: Vec<u32>) -> Vec<u32> {
        let entries: Result<Vec<_>, _> = shards
            .iter()
            .map(|shard| {
                let body = serde_json::to_string(&ShardMessage { shard: *shard }).unwrap_or_default();
                SendMessageBatchRequestEntry::builder().id(shard.to_string()).message_body(body).build()
            })
            .collect();
        let Ok(entries) = entries else { return shards };
        let sent =
            self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        match sent {
            Ok(answer) => answer.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect(),
            Err(error) => {
                let code = error.code().map(str::to_owned);
                let error = code.unwrap_or_else(|| DisplayErrorContext(error).to_string());
                tracing::warn!(error, "shards were not handed over");
                shards
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_a_shard() {
        assert_eq!(ShardMessage::parse(r#"{"shard":3}"#), Ok(ShardMessage { shard: 3 }));
        for body in ["", "3", r#"{"shard":100}"#, r#"{"shard":-1}"#, r#"{"shard":1,"all":true}"#] {
            assert!(ShardMessage::parse(body).is_err(), "{body}");
        }
    }
}
