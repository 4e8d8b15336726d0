//! The lender's systems. Their own calls never fail, because repeated calls are their concern; but they run
//! beside everything else.

use std::path::Path;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_app::{Services, Transitions};
use duewatch_cli::customer::erase;
use duewatch_cli::publish::queue_accounts;
use duewatch_cli::requeue::{Requeue, Requeued};
use duewatch_domain::account::Dated;
use duewatch_domain::commands::Contract;
use duewatch_domain::{Policy, Trigger};
use duewatch_store::ReversalFact;
use serde_json::{Value, json};

use super::plan::{Deed, PlannedDeed};
use super::watch::NEWER_SCHEMA;

/// The tries while other writers keep changing the account.
const TRIES: usize = 50;

/// The tries of an erasure, which reads a month of quarantine each time.
const ERASED_AGAIN: usize = 5;

/// Does the deed of a happening. A refusal is no error.
pub(super) async fn does(
    services: &Services,
    contract: Option<Contract>,
    policy: Option<Policy>,
    happening: PlannedDeed,
) -> Result<(), String> {
    let transitions = &services.transitions;
    let (store, at) = (transitions.store(), happening.at);
    let said = |error: &dyn std::fmt::Display| error.to_string();
    if let (Deed::Queue(..), Some(policy)) = (&happening.deed, policy) {
        return queue_accounts(store, &policy, at).await.map(drop).map_err(|error| said(&error));
    }
    let Some(contract) = contract else { return Ok(()) };
    match happening.deed {
        Deed::Open => {
            for _ in 0..TRIES {
                match transitions.open(&contract, at, Trigger::Time).await {
                    Err(error) if error.is_transient() => {}
                    Err(error) => return Err(error.to_string()),
                    Ok(_) => return Ok(()),
                }
            }
            Err(format!("{} was not opened", contract.account_id))
        }
        Deed::Pay(item) | Deed::Poison(item) => put(transitions, &item).await,
        Deed::Reverse { payment_id, dated, amount } => {
            let payment_id = payment_id.parse().map_err(|error| said(&error))?;
            let dated = if dated == "original" { Dated::Original } else { Dated::Reversal };
            let reversal = ReversalFact::of(at, amount, dated);
            let reversed = store.record_reversal(&contract.account_id, &payment_id, reversal).await;
            reversed.map(drop).map_err(|error| said(&error))
        }
        Deed::Note { payment_id } => note(transitions, &contract, &payment_id).await,
        Deed::Newer => newer(transitions, &contract).await,
        Deed::Remove { payment_id } => remove(transitions, &contract, &payment_id).await,
        Deed::Erase => {
            let mut erased = erase(services, &contract.customer_id, "officer-8", at).await;
            for _ in 0..ERASED_AGAIN {
                if erased.is_ok() {
                    break;
                }
                erased = erase(services, &contract.customer_id, "officer-8", at).await;
            }
            erased.map(drop).map_err(|error| said(&error))
        }
        Deed::Command(_)
        | Deed::SentBy(..)
        | Deed::Garble(_)
        | Deed::Publish(..)
        | Deed::Queue(..)
        | Deed::Fire
        | Deed::Forge(_)
        | Deed::Requeue(_)
        | Deed::Rewrite(_) => Ok(()),
    }
}

/// Requeues a file of failed records that was made by hand: its one record is left, and the line says why.
pub(super) async fn requeue(requeue: Requeue, record: Value) -> Result<(), String> {
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:duewatch-dev-{}", post_payment::NAME);
    let payload = json!({ "Records": [record] }).to_string();
    let text = json!({ "requestContext": { "functionArn": arn }, "payload": payload }).to_string();
    let came = requeue.failed_batch(Path::new("made-up.json"), &text, drop).await;
    match came.map_err(|error| error.to_string())? {
        Requeued { taken: 0, left: 1 } => Ok(()),
        other => Err(format!("a payment that nobody made was requeued: {other:?}")),
    }
}

/// A write whose condition does not hold is none: the payment system knows.
fn unless_refused<T, E, R>(
    written: Result<T, SdkError<E, R>>,
    is_condition: fn(&E) -> bool,
) -> Result<(), String> {
    match written {
        Err(error) if !error.as_service_error().is_some_and(is_condition) => Err(error.to_string()),
        _ => Ok(()),
    }
}

async fn put(transitions: &Transitions, item: &Value) -> Result<(), String> {
    let item: serde_dynamo::Item = serde_dynamo::to_item(item).map_err(|error| error.to_string())?;
    let store = transitions.store();
    let put = store
        .client()
        .put_item()
        .table_name(&store.tables().payments)
        .set_item(Some(item.into()))
        .condition_expression("attribute_not_exists(payment_id)")
        .send()
        .await;
    unless_refused(put, |error| error.is_conditional_check_failed_exception())
}

/// The payment system writes an attribute of its own.
async fn note(transitions: &Transitions, contract: &Contract, payment_id: &str) -> Result<(), String> {
    let store = transitions.store();
    let update = store
        .client()
        .update_item()
        .table_name(&store.tables().payments)
        .key("account_id", AttributeValue::S(contract.account_id.to_string()))
        .key("payment_id", AttributeValue::S(payment_id.to_owned()))
        .update_expression("SET settled_in_batch = :batch")
        .condition_expression("attribute_exists(payment_id)")
        .expression_attribute_values(":batch", AttributeValue::S("B-1".to_owned()))
        .send()
        .await;
    unless_refused(update, |error| error.is_conditional_check_failed_exception())
}

async fn remove(transitions: &Transitions, contract: &Contract, payment_id: &str) -> Result<(), String> {
    let store = transitions.store();
    let delete = store
        .client()
        .delete_item()
        .table_name(&store.tables().payments)
        .key("account_id", AttributeValue::S(contract.account_id.to_string()))
        .key("payment_id", AttributeValue::S(payment_id.to_owned()))
        .send()
        .await;
    delete.map(drop).map_err(|error| error.to_string())
}

async fn newer(transitions: &Transitions, contract: &Contract) -> Result<(), String> {
    let store = transitions.store();
    let update = store
        .client()
        .update_item()
        .table_name(&store.tables().accounts)
        .key("account_id", AttributeValue::S(contract.account_id.to_string()))
        .update_expression("SET #schema = :newer, risk_class = :class, revision = revision + :one")
        .condition_expression("attribute_exists(account_id)")
        .expression_attribute_names("#schema", "schema")
        .expression_attribute_values(":newer", AttributeValue::N(NEWER_SCHEMA.to_owned()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":class", AttributeValue::S("A".to_owned()))
        .send()
        .await;
    drop(update);
    Ok(())
}
