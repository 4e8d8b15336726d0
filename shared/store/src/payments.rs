//! The payments table: facts that the lender's payment system writes.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::{Account, Dated, Origin, PaymentKind};
use duewatch_domain::commands::{Command, PaymentReceived, PaymentReversed};
use duewatch_domain::kernel::MAX_PAYMENTS;
use duewatch_domain::kernel::{AccountId, Actor, EventId, InstallmentNumber, PaymentId, SenderId, Source};
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE, is_in_range};
use duewatch_domain::{Applied, Refusal, printable};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{ReversalFact, Store, StoreError, keys};

/// An item of the payments table: a payment and, once reversed, its reversal. Further attributes are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    pub account_id: AccountId,
    /// Unique within the account.
    pub payment_id: PaymentId,
    pub amount: Money,
    /// `None` for the account's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The value date in the lender's books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    #[serde(default)]
    pub kind: PaymentKind,
    /// The installments that the payment is meant for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    /// When the payment system learnt of it.
    pub received_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed_at: Option<DateTime<Utc>>,
    /// The part that the reversal takes back; `None` for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_amount: Option<Money>,
    /// The date on which the reversal takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_dated: Option<Dated>,
    /// Reversals of further parts, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_reversals: Vec<ReversalFact>,
    /// The id of the command that stated the payment.
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
    /// The id of the command that stated the reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_actor: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_sender_id: Option<SenderId>,
}

/// The attributes of an origin: of the payment, and of its reversal.
pub(crate) const ORIGINS: [[&str; 4]; 2] = [
    ["event_id", "source", "actor", "sender_id"],
    ["reversal_event_id", "reversal_source", "reversal_actor", "reversal_sender_id"],
];

/// An item of the payments table that is no valid payment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payment {payment_id} of account {account_id}: {problem}")]
pub struct FaultyFact {
    /// The item's `account_id`, or `?`.
    pub account_id: String,
    /// The item's `payment_id`, or `?`.
    pub payment_id: String,
    /// The attribute and its fault.
    pub problem: String,
    /// Whether the item may be money all the same: it states an amount above zero and no reversal of the whole.
    pub may_be_money: bool,
    /// When the payment system learnt of it, where that can be read.
    pub received_at: Option<DateTime<Utc>>,
}

impl FaultyFact {
    /// Whether the item may stand for money that is there at `now`.
    #[must_use]
    pub fn may_be_there(&self, now: DateTime<Utc>) -> bool {
        let is_ahead = |at| Refusal::unless_ahead("received_at", at, now).is_err();
        self.may_be_money && !self.received_at.is_some_and(is_ahead)
    }
}

impl PaymentFact {
    /// The item of a received payment, not reversed.
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
            reversal_amount: None,
            reversal_dated: None,
            further_reversals: Vec::new(),
            event_id: None,
            source: None,
            actor: None,
            sender_id: None,
            reversal_event_id: None,
            reversal_source: None,
            reversal_actor: None,
            reversal_sender_id: None,
        }
    }

    /// The payment as that origin states it.
    #[must_use]
    pub fn stated_by(self, origin: Origin) -> Self {
        let Origin { event_id, source, actor, sender_id } = origin;
        Self { event_id, source: stated_source(source), actor, sender_id, ..self }
    }

    /// Who stated the payment; none: its item does not say.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        origin_of(&self.event_id, &self.source, &self.actor, &self.sender_id)
    }

    /// The reversals, in their order.
    #[must_use]
    pub fn reversals(&self) -> Vec<ReversalFact> {
        let first = self.reversed_at.map(|reversed_at| ReversalFact {
            reversed_at,
            amount: self.reversal_amount,
            dated: self.reversal_dated.unwrap_or_default(),
            event_id: self.reversal_event_id.clone(),
            source: self.reversal_source.clone(),
            actor: self.reversal_actor.clone(),
            sender_id: self.reversal_sender_id.clone(),
        });
        first.into_iter().chain(self.further_reversals.iter().cloned()).collect()
    }

    /// Reads a fact from an item's image. An attribute of an origin that cannot be read is ignored: no money
    /// waits for it.
    ///
    /// # Errors
    /// A [`FaultyFact`] that names the attribute.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Self, FaultyFact> {
        let image = readable(image);
        let faulty = FaultyFact::of(&image);
        let image = serde_dynamo::AttributeValue::M(image.into());
        let reader = serde_dynamo::Deserializer::from_attribute_value(image);
        let fact: Result<Self, _> = serde_path_to_error::deserialize(reader);
        fact.map_err(|error| printable(format!("{}: {}", error.path(), error.inner())))
            .and_then(Self::in_range)
            .map_err(|problem| FaultyFact { problem, ..faulty })
    }

    /// Whether the fact is money that may be there at `now`, even where its account refuses it: it is above zero,
    /// stands at least in a part, and is not dated ahead of the clock.
    #[must_use]
    pub fn may_be_there(&self, now: DateTime<Utc>) -> bool {
        self.standing().is_positive() && self.check_clock(now).is_ok()
    }

    /// The part that no reversal takes back.
    fn standing(&self) -> Money {
        let mut left = self.amount;
        for reversal in self.reversals() {
            left = left - reversal.amount.unwrap_or(left).min(left);
        }
        left
    }

    /// Refuses a payment or a reversal that is dated ahead of the clock.
    fn check_clock(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        Refusal::unless_ahead("received_at", self.received_at, now)?;
        let mut reversals = self.reversals().into_iter();
        reversals.try_for_each(|reversal| Refusal::unless_ahead("reversed_at", reversal.reversed_at, now))
    }

    fn in_range(self) -> Result<Self, String> {
        let reversed = self.reversals().into_iter().map(|reversal| ("reversed_at", reversal.reversed_at));
        for (name, at) in std::iter::once(("received_at", self.received_at)).chain(reversed) {
            if !is_in_range(at.date_naive()) {
                return Err(format!("{name}: {at} is not between {FIRST_DATE} and {LAST_DATE}"));
            }
        }
        Ok(self)
    }

    /// The first difference to another payment of the same id that makes it a different payment.
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

    /// The commands that the fact stands for, each with the instant when it became known.
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
        commands.extend(self.reversals().into_iter().map(|reversal| {
            let ReversalFact { reversed_at, amount, dated, .. } = reversal;
            let payment_id = self.payment_id.clone();
            (Command::PaymentReversed(PaymentReversed { payment_id, amount, dated }), reversed_at)
        }));
        commands
    }

    /// Posts the fact to an account at `now`: payment and reversal, or neither.
    ///
    /// # Errors
    /// The [`Refusal`] of a fact that cannot be posted, or is dated ahead of the clock; the account is then
    /// unchanged.
    pub fn post_to(&self, account: &mut Account, now: DateTime<Utc>) -> Result<Applied, Refusal> {
        self.check_clock(now)?;
        let mut posted = account.clone();
        let mut applied = Applied::Unchanged;
        let of_reversals = self.reversals().into_iter().map(|reversal| reversal.origin());
        let origins = std::iter::once(self.origin()).chain(of_reversals);
        for ((command, at), origin) in self.commands().into_iter().zip(origins) {
            if posted.apply_from(&command, at, origin)? == Applied::Changed {
                applied = Applied::Changed;
            }
        }
        if applied == Applied::Changed {
            *account = posted;
        }
        Ok(applied)
    }
}

pub(crate) fn origin_of(
    event_id: &Option<EventId>,
    source: &Option<Source>,
    actor: &Option<Actor>,
    sender_id: &Option<SenderId>,
) -> Option<Origin> {
    let is_stated = event_id.is_some() || source.is_some() || actor.is_some() || sender_id.is_some();
    is_stated.then(|| Origin {
        event_id: event_id.clone(),
        source: source.clone().unwrap_or_default(),
        actor: actor.clone(),
        sender_id: sender_id.clone(),
    })
}

/// The source where it is not the lender's own system.
pub(crate) fn stated_source(source: Source) -> Option<Source> {
    (!source.is_core()).then_some(source)
}

/// The key of an item of the payments table, as the keys of a stream record name it.
///
/// # Errors
/// A [`FaultyFact`] that names the attribute.
pub fn payment_key_of(keys: &serde_dynamo::Item) -> Result<(AccountId, PaymentId), FaultyFact> {
    fn part<T: FromStr<Err: Display>>(keys: &serde_dynamo::Item, name: &str) -> Result<T, FaultyFact> {
        let fault = |problem| FaultyFact { problem, ..FaultyFact::of(keys) };
        match keys.get(name) {
            Some(serde_dynamo::AttributeValue::S(id)) => {
                id.parse().map_err(|error| fault(printable(format!("{name}: {error}"))))
            }
            _ => Err(fault(format!("{name}: the record's keys lack it"))),
        }
    }
    Ok((part(keys, keys::ACCOUNT_ID)?, part(keys, keys::PAYMENT_ID)?))
}

impl FaultyFact {
    /// The fault of an image, whose problem is yet to be told.
    fn of(image: &serde_dynamo::Item) -> Self {
        use serde_dynamo::AttributeValue::{N, S};
        let text = |name: &str| match image.get(name) {
            Some(S(text) | N(text)) => Some(text.as_str()),
            _ => None,
        };
        let id = |name: &str| match image.get(name) {
            Some(S(id)) => printable(id.clone()),
            _ => "?".to_owned(),
        };
        let amount = text("amount").and_then(|amount| amount.trim().parse::<Money>().ok());
        let is_reversed = image.contains_key("reversed_at") && !image.contains_key("reversal_amount");
        Self {
            account_id: id(keys::ACCOUNT_ID),
            payment_id: id(keys::PAYMENT_ID),
            problem: String::new(),
            may_be_money: amount.is_some_and(Money::is_positive) && !is_reversed,
            received_at: text("received_at").and_then(|at| at.parse().ok()),
        }
    }
}

/// The image without the attributes of origins that cannot be read.
fn readable(image: serde_dynamo::Item) -> serde_dynamo::Item {
    let mut image: HashMap<String, serde_dynamo::AttributeValue> = image.into();
    for [event_id, source, actor, sender_id] in ORIGINS {
        drop_unreadable::<EventId>(&mut image, event_id);
        drop_unreadable::<Source>(&mut image, source);
        drop_unreadable::<Actor>(&mut image, actor);
        drop_unreadable::<SenderId>(&mut image, sender_id);
    }
    image.into()
}

fn drop_unreadable<T: DeserializeOwned>(
    image: &mut HashMap<String, serde_dynamo::AttributeValue>,
    name: &str,
) {
    if let Some(value) = image.get(name)
        && serde_dynamo::from_attribute_value::<_, T>(value.clone()).is_err()
    {
        image.remove(name);
    }
}

/// The result of putting a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentPut {
    New,
    /// The same payment was in the table already.
    Known,
    /// Another payment of that id is in the table, and stays: the difference.
    Differs(String),
}

/// Items in one page of the payments Query.
const PAGE: i32 = 500;

impl Store {
    /// One payment of the table, read consistently: a fact, or the fault of its item; none: there is no such item.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn payment(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
    ) -> Result<Option<Result<PaymentFact, FaultyFact>>, StoreError> {
        let item = self.payments_table().get(keys::payment_key(account_id, payment_id)).await?;
        Ok(item.map(|item| PaymentFact::from_image(item.into())))
    }

    /// All payments of an account in the table, read consistently: each a fact, or the fault of its item.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn payments_of(
        &self,
        account_id: &AccountId,
    ) -> Result<Vec<Result<PaymentFact, FaultyFact>>, StoreError> {
        let payments = self.payments_table();
        let mut facts = Vec::new();
        let mut from = None;
        // One page more than an account can hold suffices to show the excess.
        while facts.len() <= MAX_PAYMENTS {
            let query = payments.query(keys::OF_ACCOUNT, [(":account", account_id.to_string())]);
            let query = query.consistent_read(true).limit(PAGE).set_exclusive_start_key(from);
            let page = payments.page(query).await?;
            facts.extend(page.items.into_iter().map(|item| PaymentFact::from_image(item.into())));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(facts)
    }

    /// Writes a payment as a payment system does. A new payment is put; a known one with the same money is
    /// left as it is. A known one with other money is overwritten, and `post-payment` refuses it. An existing
    /// reversal stays.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_payment(&self, fact: &PaymentFact) -> Result<(), StoreError> {
        let payments = self.payments_table();
        let item: serde_dynamo::Item = serde_dynamo::to_item(fact)
            .map_err(|error| StoreError::codec(payments.name, fact.payment_id.as_str(), error))?;
        let item: HashMap<String, AttributeValue> = item.into();
        let mut update = payments.update(HashMap::new());
        let mut set = Vec::with_capacity(item.len());
        for (name, value) in item {
            if name == keys::ACCOUNT_ID || name == keys::PAYMENT_ID {
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
        let update =
            update.update_expression(format!("SET {}", set.join(", "))).condition_expression(condition);
        payments.update_if(update).await.map(drop)
    }

    /// Puts a payment unless one of its id is there, which stays as it is.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn put_payment(&self, fact: &PaymentFact) -> Result<PaymentPut, StoreError> {
        let payments = self.payments_table();
        let item: serde_dynamo::Item = serde_dynamo::to_item(fact)
            .map_err(|error| StoreError::codec(payments.name, fact.payment_id.as_str(), error))?;
        let put = payments.put(item.into()).condition_expression("attribute_not_exists(payment_id)");
        if payments.put_if(put).await? {
            return Ok(PaymentPut::New);
        }
        let there = payments.get(keys::payment_key(&fact.account_id, &fact.payment_id)).await?;
        let there = there.unwrap_or_default();
        Ok(match PaymentFact::from_image(there.into()) {
            Err(faulty) => PaymentPut::Differs(faulty.to_string()),
            Ok(there) => match there.differs_from(fact) {
                Some(refusal) => PaymentPut::Differs(refusal.to_string()),
                None => PaymentPut::Known,
            },
        })
    }
}
