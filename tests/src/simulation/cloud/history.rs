//! The history as an attacker changes it, and its audit at the end.

use duewatch_cli::audit::{AuditError, audit};
use duewatch_stack::local_anchor_key;
use duewatch_store::AnchorWitness;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Cloud, Running, TaskKind, TaskOutcome, broken};
use crate::simulation::attacks::Rewriting;
use crate::simulation::containers::{Clients, clients};
use crate::simulation::network::CallerId;
use crate::simulation::watch::{Checked, hold};

/// The contradictions between an account's history and the anchors.
#[derive(Clone, Debug)]
pub(in crate::simulation) struct Audited {
    pub(in crate::simulation) account_id: String,
    pub(in crate::simulation) contradictions: Vec<String>,
}

impl Cloud {
    /// Audits the history of each account by the anchors, as `duewatch audit` does with the digests that
    /// `operations` received.
    pub(super) fn audit(&mut self) -> Checked {
        let key = local_anchor_key().map_err(|error| broken("it starts", &error))?;
        let witness =
            AnchorWitness { keys: vec![key.public_key()], digests: self.watch.anchors_sent().to_vec() };
        let caller = CallerId(self.number());
        let Clients { dynamodb, .. } = clients(&self.network, caller);
        let store = self.settings.store(dynamodb);
        let (accounts, now) = (self.watch.opened(), self.now());
        let task = self.executor.spawn(async move {
            let mut all = Vec::new();
            for account_id in accounts {
                let contradictions = match audit(&store, &account_id, &witness, now, &mut Vec::new()).await {
                    Err(AuditError::Broken { anchors, .. }) => {
                        anchors.iter().map(ToString::to_string).collect()
                    }
                    Err(error) => return TaskOutcome::Audited(Err(error.to_string())),
                    Ok(()) => Vec::new(),
                };
                all.push(Audited { account_id: account_id.to_string(), contradictions });
            }
            TaskOutcome::Audited(Ok(all))
        });
        let running = Running { caller, work: TaskKind::Audit, killed_at: None, metrics: Vec::new() };
        self.running.insert(task, running);
        Ok(())
    }

    /// An attacker who may write the tables changes what is anchored of an account's history, and hashes the chain
    /// anew. Nothing is done before an anchor vouches for the account.
    pub(super) fn rewrite(&mut self, account_id: &str, kind: Rewriting) -> Checked {
        let days = self.query_all(&self.settings.tables.anchors, "days")?;
        let days = || days.iter().filter_map(|day| day["sk"]["S"].as_str());
        let (Some(oldest), Some(newest)) = (days().min(), days().max()) else { return Ok(()) };
        let table = self.settings.tables.history.clone();
        let mut entries = self.query_all(&table, &format!("history#{account_id}"))?;
        let is_anchored = |entry: &Value| {
            let day = entry["recorded_shard"]["S"].as_str().and_then(|shard| shard.split_once('#'));
            day.is_some_and(|(day, _)| oldest <= day && day <= newest)
        };
        let Some(last) = entries.iter().rposition(is_anchored) else { return Ok(()) };
        let was = |name: &str| entries[last][name]["S"].as_str().unwrap_or_default().to_owned();
        self.watch.forged(account_id, (was("sk"), was("hash")), kind);
        match kind {
            Rewriting::Cut => {
                for gone in entries.drain(last..).collect::<Vec<_>>() {
                    self.delete(&table, &gone)?;
                }
            }
            Rewriting::Amend | Rewriting::SignAnew => {
                amend(&mut entries, last);
                for entry in &entries[last..] {
                    self.put(&json!({ "TableName": table, "Item": entry }))?;
                }
            }
        }
        if kind == Rewriting::SignAnew {
            let anchors = self.settings.tables.anchors.clone();
            for item in self.all(&anchors, &json!({ "TableName": anchors }), "Scan")? {
                self.delete(&anchors, &item)?;
            }
        }
        Ok(())
    }

    fn query_all(&self, table: &str, pk: &str) -> Result<Vec<Value>, super::Broken> {
        let query = json!({
            "TableName": table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": true,
        });
        self.all(table, &query, "Query")
    }

    fn all(&self, table: &str, request: &Value, operation: &str) -> Result<Vec<Value>, super::Broken> {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = self.engines.answer(Some(&target), request.to_string().as_bytes());
        let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        hold!("it starts", answer["LastEvaluatedKey"].is_null(), "{table} has more than one page");
        Ok(answer["Items"].as_array().cloned().unwrap_or_default())
    }

    fn delete(&self, table: &str, item: &Value) -> Checked {
        let key = json!({ "pk": item["pk"], "sk": item["sk"] });
        let request = json!({ "TableName": table, "Key": key }).to_string();
        let answer = self.engines.answer(Some("DynamoDB_20120810.DeleteItem"), request.as_bytes());
        hold!("it starts", answer.status == 200, "{}", answer.body);
        Ok(())
    }
}

/// Changes the text of an entry, and hashes it and all above it anew, in the index too.
fn amend(entries: &mut [Value], from: usize) {
    let text = |entry: &Value, name: &str| entry[name]["S"].as_str().unwrap_or_default().to_owned();
    let mut said: Value = serde_json::from_str(&text(&entries[from], "entry")).unwrap_or_default();
    said["at"] = json!("2011-01-01T00:00:00Z");
    entries[from]["entry"] = json!({ "S": said.to_string() });
    for place in from..entries.len() {
        let below = place.checked_sub(1).map(|below| text(&entries[below], "hash"));
        let previous =
            if place == from { text(&entries[place], "previous") } else { below.unwrap_or_default() };
        let hashed = format!("{previous}\n{}", text(&entries[place], "entry"));
        let hash: String = Sha256::digest(hashed).iter().map(|byte| format!("{byte:02x}")).collect();
        let old = text(&entries[place], "hash");
        let recorded_as = text(&entries[place], "recorded_as").replace(&old, &hash);
        let entry = &mut entries[place];
        entry["previous"] = json!({ "S": previous });
        entry["hash"] = json!({ "S": hash });
        if !recorded_as.is_empty() {
            entry["recorded_as"] = json!({ "S": recorded_as });
        }
    }
}
