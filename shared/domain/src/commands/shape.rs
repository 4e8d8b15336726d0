//! The shape of a field in the formats: the JSON Schema of an event and its documentation follow from it.
//!
//! All of it is constant data. A function that prints no schema does not carry it.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::contract::{Contract, NewInstallment};
use super::customer_facts::{BreathingSpaceKind, Consent};
use super::payment_in_process::ProcessOutcome;
use crate::account::{
    AccruedFee, CaseOutcome, Dated, DisputeOutcome, PaymentKind, PaymentMethod, PromiseOutcome, ScheduleKind,
};
use crate::kernel::{
    CaseId, ContactId, Currency, DisputeId, DrawId, InstallmentNumber, Money, PaymentId, PromiseId,
    ThirdPartyId, Zone,
};
use crate::policy::{CaseKind, Channel, HardshipCause, Language, StageName};

/// The JSON that a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A definition that all schemas share, such as `date`.
    Defined(&'static str),
    Text,
    /// A text that is not blank.
    Name,
    Flag,
    /// A whole number from 0.
    Count {
        at_most: u32,
    },
    OneOf(&'static [&'static str]),
    List {
        of: &'static Shape,
        /// None: the account's bounds decide.
        at_most: Option<usize>,
    },
    Object(&'static [WireField]),
    /// The shape, or null in place of an absent field.
    Nullable(&'static Shape),
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    Optional,
    /// Exactly one of the fields so marked must be there.
    OneOfThese,
}

/// A field of a command in the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireField {
    /// The key in JSON.
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
}

/// A type that fields have.
pub(crate) trait Shaped {
    /// The JSON in which the formats write it.
    const SHAPE: Shape;
    /// Whether a field of the type may be left out without further ado.
    const PRESENCE: Presence = Presence::Required;
}

impl WireField {
    /// The field of that name with the shape of its type.
    pub(crate) const fn of<T: Shaped>(name: &'static str) -> Self {
        Self { name, shape: T::SHAPE, presence: T::PRESENCE }
    }

    /// The same field under another key than the struct's.
    pub(crate) const fn key(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// A text that must not be blank.
    pub(crate) const fn not_blank(self) -> Self {
        let shape = match self.shape {
            Shape::Nullable(_) => Shape::Nullable(&Shape::Name),
            _ => Shape::Name,
        };
        Self { shape, ..self }
    }

    /// A field that may be left out, and then has its type's default.
    pub(crate) const fn optional(self) -> Self {
        Self { presence: Presence::Optional, ..self }
    }

    /// A field with narrower bounds than its type.
    pub(crate) const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// One of several fields of which exactly one is there.
    pub(crate) const fn one_of_these(self) -> Self {
        Self { presence: Presence::OneOfThese, ..self }
    }
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = Shape::Nullable(&T::SHAPE);
    const PRESENCE: Presence = Presence::Optional;
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List { of: &T::SHAPE, at_most: None };
}

macro_rules! shapes {
    ($($type:ty => $shape:expr,)*) => {
        $(impl Shaped for $type {
            const SHAPE: Shape = $shape;
        })*
    };
}

shapes! {
    String => Shape::Text,
    bool => Shape::Flag,
    u32 => Shape::Defined("number"),
    InstallmentNumber => Shape::Defined("number"),
    Money => Shape::Defined("amount"),
    Currency => Shape::Defined("currency"),
    NaiveDate => Shape::Defined("date"),
    NaiveTime => Shape::Defined("time"),
    DateTime<Utc> => Shape::Defined("instant"),
    Channel => Shape::Defined("channel"),
    Contract => Shape::Defined("account"),
    NewInstallment => Shape::Defined("installment"),
    CaseId => Shape::Defined("id"),
    ContactId => Shape::Defined("id"),
    DisputeId => Shape::Defined("id"),
    DrawId => Shape::Defined("id"),
    PaymentId => Shape::Defined("id"),
    PromiseId => Shape::Defined("id"),
    ThirdPartyId => Shape::Defined("id"),
    StageName => Shape::Name,
    Zone => Shape::Name,
    PaymentKind => Shape::OneOf(&["repayment", "merchant_refund", "goodwill"]),
    Dated => Shape::OneOf(&["original", "reversal"]),
    ScheduleKind => Shape::OneOf(&["correction", "due_date_change", "forbearance", "re_age"]),
    AccruedFee => Shape::OneOf(&["keep", "waive", "move"]),
    PaymentMethod => Shape::OneOf(&["auto_debit", "transfer", "card", "cash"]),
    ProcessOutcome => Shape::OneOf(&["arrived", "failed"]),
    HardshipCause => Shape::OneOf(&["temporary", "long_term", "unknown"]),
    PromiseOutcome => Shape::OneOf(&["kept", "broken"]),
    DisputeOutcome => Shape::OneOf(&["upheld", "rejected", "withdrawn"]),
    CaseKind => Shape::OneOf(&CaseKind::NAMES),
    CaseOutcome => Shape::OneOf(&["upheld", "rejected", "withdrawn"]),
    Consent => Shape::OneOf(&["given", "withdrawn"]),
    Language => Shape::OneOf(&["zh", "en"]),
    BreathingSpaceKind => Shape::OneOf(&["standard", "mental_health"]),
}
