//! Batches that a stream mapping gave up on, as its destination keeps them: files, which anybody may have written.
//!
//! So no record is believed. A payment is posted as the payments table states it. A revision of an account must be
//! one that the accounts table vouches for: not later than its account, and the same where it is the same revision or
//! one of the decisions that the account remembers.

use std::collections::BTreeSet;
use std::path::Path;

use duewatch_domain::Account;
use duewatch_handlers::RUN_HERE;
use duewatch_runtime::{NewRevision, read_record};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::{Requeue, RequeueError, Requeued};

/// A batch that a mapping gave up on.
struct FailedBatch {
    function: &'static str,
    records: Vec<Value>,
}

impl Requeue {
    /// Requeues a batch that a stream mapping gave up on, as its destination keeps it: whole at first, and record by
    /// record where the function refuses it. Reports the records that are left, a line each, through `tell`.
    ///
    /// # Errors
    /// When it is no such batch, or a table cannot be read.
    pub async fn failed_batch(
        &self,
        path: &Path,
        text: &str,
        mut tell: impl FnMut(String),
    ) -> Result<Requeued, RequeueError> {
        let fault = |problem: String| RequeueError::File { path: path.display().to_string(), problem };
        let FailedBatch { function, records } = read_batch(text).map_err(fault)?;
        let begun = self.now();
        let (mut proven, mut requeued) = (Vec::with_capacity(records.len()), Requeued::default());
        for record in records {
            match self.prove(function, &record).await? {
                None => proven.push(record),
                Some(reason) => {
                    tell(line(&record, &reason));
                    requeued.left += 1;
                }
            }
        }
        let is_whole =
            proven.is_empty() || self.invoke(function, &json!({ "Records": proven })).await.is_none();
        let mut blocked: BTreeSet<String> = BTreeSet::new();
        for record in &proven {
            let mut left = None;
            if !is_whole {
                let account = account_of(record);
                left = if blocked.contains(&account) {
                    Some("an earlier record of its account failed".to_owned())
                } else {
                    self.invoke(function, &json!({ "Records": [record] })).await
                };
                if left.is_some() {
                    blocked.insert(account);
                }
            }
            if left.is_none() {
                let quarantined = self.quarantined_since(begun, function, id_of(record)).await?;
                left = quarantined.map(|reason| format!("quarantined: {reason}"));
            }
            match left {
                None => requeued.taken += 1,
                Some(reason) => {
                    tell(line(record, &reason));
                    requeued.left += 1;
                }
            }
        }
        Ok(requeued)
    }

    /// Why the tables do not vouch for a record of the accounts stream; none: they do. A record of the payments
    /// stream is proven by its function, which posts what the payments table states.
    async fn prove(&self, function: &str, record: &Value) -> Result<Option<String>, RequeueError> {
        if function == post_payment::NAME {
            return Ok(None);
        }
        let read = to_raw_value(record).map_err(|error| error.to_string());
        let read = read.and_then(|record| read_record(&record));
        // The function quarantines a record that cannot be read, and passes over a removal.
        let Ok(Ok(Some(NewRevision { after, .. }))) = read.map(NewRevision::of) else { return Ok(None) };
        let stored = self.store().account(&after.account_id).await?;
        let (id, revision) = (&after.account_id, after.revision);
        Ok(match stored.map(|stored| stored.account) {
            None => Some(format!("account {id} is not in the accounts table")),
            Some(now) if now.revision < revision => {
                Some(format!("the accounts table has revision {} of {id}, not yet {revision}", now.revision))
            }
            Some(now) if !is_vouched_for(&after, &now) => {
                Some(format!("the accounts table has another revision {revision} of {id}"))
            }
            Some(_) => None,
        })
    }
}

/// Whether the stored account does not contradict an image of it.
fn is_vouched_for(image: &Account, stored: &Account) -> bool {
    if stored.revision == image.revision {
        // An entry of the due index may be dropped without a revision.
        let mut stored = stored.clone();
        stored.status.next_action_at = image.status.next_action_at;
        return stored == *image;
    }
    let remembered = stored.recent_decisions();
    let known = remembered.iter().find(|decision| decision.revision == image.revision);
    match (known, image.decision_of_this_revision()) {
        (Some(known), decided) => decided == Some(known),
        // The account no longer remembers decisions before its oldest.
        (None, Some(decided)) => remembered.first().is_some_and(|oldest| decided.revision < oldest.revision),
        (None, None) => true,
    }
}

fn read_batch(text: &str) -> Result<FailedBatch, String> {
    let kept: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let arn = kept["requestContext"]["functionArn"].as_str().unwrap_or_default();
    let name = arn.split(':').nth(6).unwrap_or_default();
    let function = RUN_HERE.into_iter().find(|function| name.ends_with(&format!("-{function}")));
    let function = function.ok_or_else(|| format!("functionArn: \"{arn}\" is none of ours"))?;
    // The event is stored as text.
    let event: Value = match &kept["payload"] {
        Value::String(text) => serde_json::from_str(text).map_err(|error| error.to_string())?,
        payload => payload.clone(),
    };
    let records = event["Records"].as_array().cloned().unwrap_or_default();
    if records.is_empty() {
        return Err("payload: it holds no records".to_owned());
    }
    Ok(FailedBatch { function, records })
}

/// The id under which a function quarantines the record.
fn id_of(record: &Value) -> &str {
    let sequence_number = || record["dynamodb"]["SequenceNumber"].as_str();
    record["eventID"].as_str().filter(|id| !id.is_empty()).or_else(sequence_number).unwrap_or_default()
}

fn account_of(record: &Value) -> String {
    record["dynamodb"]["Keys"]["account_id"]["S"].as_str().unwrap_or_default().to_owned()
}

fn line(record: &Value, reason: &str) -> String {
    duewatch_domain::printable(format!("{} account {}: {reason}", id_of(record), account_of(record)))
}
