//! The payments table: facts that the lender's payment system writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::account::{Account, Dated, PaymentKind};
use duewatch_domain::commands::{Command, PaymentReceived};
use duewatch_domain::kernel::MAX_PAYMENTS;
use duewatch_domain::kernel::{AccountId, InstallmentNumber, PaymentId};
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE, is_in_range};
use duewatch_domain::{Applied, Refusal, shown};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};

/// An item of the payments table: a payment and, once it is undone, its reversal.
/// Attributes that are none of ours are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    /// Whose money it is.
    pub account_id: AccountId,
    /// Unique within the account.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// In what; none: the account's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The date that the lender's books give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// What kind of money it is.
    #[serde(default)]
    pub kind: PaymentKind,
    /// The installments it was paid for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    /// When the payment system learnt of it.
    pub received_at: DateTime<Utc>,
    /// When it was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed_at: Option<DateTime<Utc>>,
    /// Which date the reversal takes effect on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_dated: Option<Dated>,
}

/// An item of the payments table that states no payment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payment {payment_id} of account {account_id}: {problem}")]
pub struct FaultyFact {
    /// Its `account_id`, where it has one.
    pub account_id: String,
    /// Its `payment_id`, where it has one.
    pub payment_id: String,
    /// The attribute and what is wrong with it.
    pub problem: String,
}

impl PaymentFact {
    /// The item of a payment that was received.
    #[must_use]
    pub fn received(account_id: AccountId, payment: &PaymentReceived, received_at: DateTime<Utc>) -> Self {
        Self {
            account_id,
            payment_id: payment.payment_id.clone(),
            amount: payment.amount,
            currency: payment.currency,
            value_date: payment.value_date,
            kind: payment.kind,
            applies_to: payment.applies_to.clone(),
            received_at,
            reversed_at: None,
            reversal_dated: None,
        }
    }

    /// Reads a fact from an image.
    ///
    /// # Errors
    /// A [`FaultyFact`] that names the attribute.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Self, FaultyFact> {
        let text = |name: &str| match image.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => shown(text.clone()),
            _ => "?".to_owned(),
        };
        let (account_id, payment_id) = (text("account_id"), text("payment_id"));
        let image = serde_dynamo::AttributeValue::M(image.into());
        let reader = serde_dynamo::Deserializer::from_attribute_value(image);
        let fact: Result<Self, _> = serde_path_to_error::deserialize(reader);
        fact.map_err(|error| shown(format!("{}: {}", error.path(), error.inner())))
            .and_then(Self::in_range)
            .map_err(|problem| FaultyFact { account_id, payment_id, problem })
    }

    fn in_range(self) -> Result<Self, String> {
        let instants = [("received_at", Some(self.received_at)), ("reversed_at", self.reversed_at)];
        for (name, at) in instants {
            if let Some(at) = at.filter(|at| !is_in_range(at.date_naive())) {
                return Err(format!("{name}: {at} is not between {FIRST_DATE} and {LAST_DATE}"));
            }
        }
        Ok(self)
    }

    /// What makes it another payment than the one that is given, under the same id.
    fn differs_from(&self, other: &Self) -> Option<Refusal> {
        let differs = |field, before: String, now: String| Refusal::PaymentDiffers {
            payment_id: self.payment_id.clone(),
            field,
            before,
            now,
        };
        if self.amount != other.amount {
            return Some(differs("amount", self.amount.to_string(), other.amount.to_string()));
        }
        if let (Some(before), Some(now)) = (self.currency, other.currency)
            && before != now
        {
            return Some(differs("currency", before.to_string(), now.to_string()));
        }
        (self.kind != other.kind)
            .then(|| differs("kind", self.kind.as_str().to_owned(), other.kind.as_str().to_owned()))
    }

    /// The commands that the fact stands for, and when each became known.
    #[must_use]
    pub fn commands(&self) -> Vec<(Command, DateTime<Utc>)> {
        let mut commands = vec![(
            Command::PaymentReceived(PaymentReceived {
                payment_id: self.payment_id.clone(),
                amount: self.amount,
                currency: self.currency,
                value_date: self.value_date,
                kind: self.kind,
                applies_to: self.applies_to.clone(),
            }),
            self.received_at,
        )];
        if let Some(reversed_at) = self.reversed_at {
            let dated = self.reversal_dated.unwrap_or_default();
            let payment_id = self.payment_id.clone();
            commands.push((Command::PaymentReversed { payment_id, dated }, reversed_at));
        }
        commands
    }

    /// Posts the fact to an account: all of it, or none.
    ///
    /// # Errors
    /// The [`Refusal`] of what cannot be posted; the account is then as it was.
    pub fn post_to(&self, account: &mut Account) -> Result<Applied, Refusal> {
        let mut posted = account.clone();
        let mut applied = Applied::Unchanged;
        for (command, at) in self.commands() {
            if posted.apply(&command, at)? == Applied::Changed {
                applied = Applied::Changed;
            }
        }
        if applied == Applied::Changed {
            *account = posted;
        }
        Ok(applied)
    }
}

/// What became of a payment that was to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentPut {
    /// It is in the table now.
    New,
    /// It was there.
    Known,
    /// Another one is there under its id, and stays: how it differs.
    Differs(String),
}

/// A page of the payments Query.
const PAGE: i32 = 500;

impl Store {
    /// All payments of an account that the table holds, consistently: a fact, or
    /// what is wrong with the item.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn payments_of(
        &self,
        account_id: &AccountId,
    ) -> Result<Vec<Result<PaymentFact, FaultyFact>>, StoreError> {
        let table = &self.tables.payments;
        let mut facts = Vec::new();
        let mut from = None;
        // One page more than an account can hold is enough to see that it is too many.
        while facts.len() <= MAX_PAYMENTS {
            let sent = self
                .client
                .query()
                .table_name(table)
                .key_condition_expression("account_id = :account")
                .expression_attribute_values(":account", AttributeValue::S(account_id.to_string()))
                .consistent_read(true)
                .limit(PAGE)
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .send()
                .await;
            let answer = self.answered(table, sent)?;
            let items = answer.items.unwrap_or_default();
            facts.extend(items.into_iter().map(|item| PaymentFact::from_image(item.into())));
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                break;
            }
        }
        Ok(facts)
    }

    /// Writes a payment as a payment system does: a new one is put; one that is
    /// there with the same money is left alone; one with other money is written
    /// over, and `post-payment` refuses it. A reversal that is there stays there.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_payment(&self, fact: &PaymentFact) -> Result<(), StoreError> {
        let table = &self.tables.payments;
        let item: serde_dynamo::Item = serde_dynamo::to_item(fact)
            .map_err(|error| StoreError::codec(table, fact.payment_id.as_str(), error))?;
        let item: HashMap<String, AttributeValue> = item.into();
        let mut update = self.client.update_item().table_name(table);
        let mut set = Vec::with_capacity(item.len());
        for (name, value) in item {
            if name == "account_id" || name == "payment_id" {
                update = update.key(name, value);
            } else {
                set.push(format!("#{name} = :{name}"));
                update = update
                    .expression_attribute_names(format!("#{name}"), &name)
                    .expression_attribute_values(format!(":{name}"), value);
            }
        }
        let mut condition =
            "attribute_not_exists(payment_id) OR #amount <> :amount OR #kind <> :kind".to_owned();
        if fact.currency.is_some() {
            condition.push_str(" OR attribute_not_exists(#currency) OR #currency <> :currency");
        }
        let update = update
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(condition)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        self.answered_if(table, update.send().await)?;
        Ok(())
    }

    /// Puts a payment that is not there yet; one that is there stays as it is.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn put_payment(&self, fact: &PaymentFact) -> Result<PaymentPut, StoreError> {
        let table = &self.tables.payments;
        let item: serde_dynamo::Item = serde_dynamo::to_item(fact)
            .map_err(|error| StoreError::codec(table, fact.payment_id.as_str(), error))?;
        let put = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item.into()))
            .condition_expression("attribute_not_exists(payment_id)")
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        if self.answered_if(table, put)?.is_some() {
            return Ok(PaymentPut::New);
        }
        let sent = self
            .client
            .get_item()
            .table_name(table)
            .key("account_id", AttributeValue::S(fact.account_id.to_string()))
            .key("payment_id", AttributeValue::S(fact.payment_id.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let there = self.answered(table, sent)?.item.unwrap_or_default();
        Ok(match PaymentFact::from_image(there.into()) {
            Err(faulty) => PaymentPut::Differs(faulty.to_string()),
            Ok(there) => match there.differs_from(fact) {
                Some(refusal) => PaymentPut::Differs(refusal.to_string()),
                None => PaymentPut::Known,
            },
        })
    }

    /// Writes a reversal as a payment system does: onto the payment's item. Says
    /// whether there was such a payment.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_reversal(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        reversed_at: DateTime<Utc>,
        dated: Dated,
    ) -> Result<bool, StoreError> {
        let table = &self.tables.payments;
        let at = reversed_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let dated = match dated {
            Dated::Original => "original",
            Dated::Reversal => "reversal",
        };
        let update = self
            .client
            .update_item()
            .table_name(table)
            .key("account_id", AttributeValue::S(account_id.to_string()))
            .key("payment_id", AttributeValue::S(payment_id.to_string()))
            .update_expression(
                "SET reversed_at = if_not_exists(reversed_at, :at), \
                 reversal_dated = if_not_exists(reversal_dated, :dated)",
            )
            .condition_expression("attribute_exists(payment_id)")
            .expression_attribute_values(":at", AttributeValue::S(at))
            .expression_attribute_values(":dated", AttributeValue::S(dated.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        Ok(self.answered_if(table, update)?.is_some())
    }
}
