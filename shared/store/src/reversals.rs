//! Reversals in the payments table, on the items of their payments.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::account::{Dated, Origin};
use duewatch_domain::kernel::{AccountId, Actor, EventId, Money, PaymentId, SenderId, Source};
use serde::{Deserialize, Serialize};

use crate::payments::{ORIGINS, origin_of, stated_source};
use crate::{PaymentFact, Store, StoreError, WriteConflict, keys, retry_conflicts};

/// The attribute with the reversals after the first.
const FURTHER: &str = "further_reversals";

/// A reversal of a payment, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReversalFact {
    pub reversed_at: DateTime<Utc>,
    /// The part that is taken back; `None` for all that no reversal took back before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default)]
    pub dated: Dated,
    /// The id of the command that stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The system that stated it; none: the lender's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who acted; none: the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Who sent that command, as the queue states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<SenderId>,
}

impl ReversalFact {
    /// A reversal of which nobody says who stated it.
    #[must_use]
    pub const fn of(reversed_at: DateTime<Utc>, amount: Option<Money>, dated: Dated) -> Self {
        Self { reversed_at, amount, dated, event_id: None, source: None, actor: None, sender_id: None }
    }

    /// The reversal as that origin states it.
    #[must_use]
    pub fn stated_by(self, origin: Origin) -> Self {
        let Origin { event_id, source, actor, sender_id } = origin;
        Self { event_id, source: stated_source(source), actor, sender_id, ..self }
    }

    /// Who stated the reversal; none: its item does not say.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        origin_of(&self.event_id, &self.source, &self.actor, &self.sender_id)
    }

    /// Whether both take back the same at the same time.
    fn is_same(&self, other: &Self) -> bool {
        (self.reversed_at, self.amount, self.dated) == (other.reversed_at, other.amount, other.dated)
    }
}

/// The result of writing a reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversalPut {
    New,
    /// It was there already, or nothing of the payment was left to be taken back.
    Known,
    /// There is no payment of that id.
    NoPayment,
    /// It would take back more than that.
    Beyond(Money),
}

impl Store {
    /// Writes a reversal as a payment system does: onto the payment's item. A repeated call keeps the first one,
    /// and its origin.
    ///
    /// # Errors
    /// When a call fails, or other writers keep winning.
    pub async fn record_reversal(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        reversal: ReversalFact,
    ) -> Result<ReversalPut, StoreError> {
        // The amount of a part is compared with the payment's, which is read for it.
        if reversal.amount.is_none() && self.put_first(account_id, payment_id, &reversal).await? {
            return Ok(ReversalPut::New);
        }
        retry_conflicts(async || self.add_reversal(account_id, payment_id, &reversal).await).await
    }

    async fn add_reversal(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        reversal: &ReversalFact,
    ) -> Result<ReversalPut, StoreError> {
        let payments = self.payments_table();
        let item = payments.get(keys::payment_key(account_id, payment_id)).await?;
        let Some(item) = item else { return Ok(ReversalPut::NoPayment) };
        let before = item.get(FURTHER).cloned();
        // An item that cannot be read is quarantined by its own stream record.
        let Ok(fact) = PaymentFact::from_image(item.into()) else { return Ok(ReversalPut::Known) };
        let known = fact.reversals();
        let mut left = fact.amount;
        for one in &known {
            left = left - one.amount.unwrap_or(left);
        }
        if known.iter().any(|one| one.is_same(reversal)) || !left.is_positive() {
            return Ok(ReversalPut::Known);
        }
        if reversal.amount.is_some_and(|amount| amount > left) {
            return Ok(ReversalPut::Beyond(left));
        }
        let is_written = if known.is_empty() {
            self.put_first(account_id, payment_id, reversal).await?
        } else {
            let mut further = fact.further_reversals;
            further.push(reversal.clone());
            let fault = |error| StoreError::codec(payments.name, payment_id.as_str(), error);
            let further = serde_dynamo::to_attribute_value(further).map_err(fault)?;
            let update = payments
                .update(keys::payment_key(account_id, payment_id))
                .update_expression(format!("SET {FURTHER} = :further"))
                .expression_attribute_values(":further", further);
            let update = match before {
                None => update.condition_expression(format!("attribute_not_exists({FURTHER})")),
                Some(before) => update
                    .condition_expression(format!("{FURTHER} = :before"))
                    .expression_attribute_values(":before", before),
            };
            payments.update_if(update).await?
        };
        if is_written {
            return Ok(ReversalPut::New);
        }
        Err(WriteConflict::Payment { account_id: account_id.clone(), payment_id: payment_id.clone() }.into())
    }

    /// Writes the first reversal of a payment. Returns whether there is such a payment, not reversed yet.
    async fn put_first(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        reversal: &ReversalFact,
    ) -> Result<bool, StoreError> {
        let payments = self.payments_table();
        let fault = |error| StoreError::codec(payments.name, payment_id.as_str(), error);
        let text = |text: String| AttributeValue::S(text);
        let actor =
            reversal.actor.as_ref().map(serde_dynamo::to_attribute_value).transpose().map_err(fault)?;
        let dated = match reversal.dated {
            Dated::Original => "original",
            Dated::Reversal => "reversal",
        };
        let [_, [event_id_name, source_name, actor_name, sender_name]] = ORIGINS;
        let at = reversal.reversed_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let attributes = HashMap::from([
            ("reversed_at", Some(text(at))),
            ("reversal_amount", reversal.amount.map(|amount| text(amount.to_string()))),
            ("reversal_dated", Some(text(dated.to_owned()))),
            (event_id_name, reversal.event_id.as_ref().map(|id| text(id.to_string()))),
            (source_name, reversal.source.as_ref().map(|source| text(source.to_string()))),
            (actor_name, actor),
            (sender_name, reversal.sender_id.as_ref().map(|sender| text(sender.to_string()))),
        ]);
        let mut update = payments
            .update(keys::payment_key(account_id, payment_id))
            .condition_expression("attribute_exists(payment_id) AND attribute_not_exists(reversed_at)");
        let mut set = Vec::with_capacity(attributes.len());
        for (name, value) in attributes.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            set.push(format!("{name} = :{name}"));
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        payments.update_if(update.update_expression(format!("SET {}", set.join(", ")))).await
    }
}
