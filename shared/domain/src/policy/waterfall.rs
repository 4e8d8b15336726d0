//! The waterfall: the order in which a payment is allocated.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A component of an installment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The late fee.
    Penalty,
    Fee,
    /// The contract's interest.
    Interest,
    Principal,
}

impl Component {
    const ALL: [Self; 4] = [Self::Penalty, Self::Fee, Self::Interest, Self::Principal];

    /// Its index among the installment's own components: fee, interest, principal. None: the late fee, which
    /// is no part of the schedule.
    pub(crate) const fn index(self) -> Option<usize> {
        match self {
            Self::Penalty => None,
            Self::Fee => Some(0),
            Self::Interest => Some(1),
            Self::Principal => Some(2),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Penalty => "penalty",
            Self::Fee => "fee",
            Self::Interest => "interest",
            Self::Principal => "principal",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The due date of an installment relative to the date of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DueClass {
    PastDue,
    Due,
    InAdvance,
}

impl DueClass {
    const ALL: [Self; 3] = [Self::PastDue, Self::Due, Self::InAdvance];

    const fn as_str(self) -> &'static str {
        match self {
            Self::PastDue => "past_due",
            Self::Due => "due",
            Self::InAdvance => "in_advance",
        }
    }
}

/// A component of the installments of one due class, such as `past_due_penalty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaterfallEntry {
    pub class: DueClass,
    pub component: Component,
}

impl WaterfallEntry {
    const NONE: Self = Self { class: DueClass::PastDue, component: Component::Penalty };

    /// The entry of that name.
    fn named(name: &str) -> Option<Self> {
        DueClass::ALL
            .into_iter()
            .flat_map(|class| Component::ALL.map(|component| Self { class, component }))
            .find(|entry| entry.to_string() == name)
    }
}

impl fmt::Display for WaterfallEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.class.as_str(), self.component)
    }
}

/// The order in which a payment is allocated.
///
/// Four components: the oldest installment first, and within it in that order. Twelve entries (Fineract's):
/// each in turn, over all installments of its class, oldest first; those in advance installment by
/// installment, as [`Overpayment`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waterfall {
    order: [Component; 4],
    entries: Option<[WaterfallEntry; 12]>,
}

impl Waterfall {
    /// An installment's components in the order of allocation; of twelve entries, those past due.
    #[must_use]
    pub const fn order(&self) -> &[Component; 4] {
        &self.order
    }

    /// The twelve entries; none: the waterfall has four components.
    #[must_use]
    pub const fn entries(&self) -> Option<&[WaterfallEntry; 12]> {
        self.entries.as_ref()
    }

    /// Whether all past-due components are allocated before any other: always with four components, with
    /// twelve entries only if the first four are past due.
    #[must_use]
    pub fn begins_past_due(&self) -> bool {
        let past_due = |entry: &WaterfallEntry| entry.class == DueClass::PastDue;
        self.entries.is_none_or(|entries| entries[..Component::ALL.len()].iter().all(past_due))
    }

    /// The order of components within an installment of that class.
    #[must_use]
    pub fn order_of(&self, class: DueClass) -> [Component; 4] {
        let Some(entries) = &self.entries else {
            return self.order;
        };
        let mut order = self.order;
        let of_class = entries.iter().filter(|entry| entry.class == class);
        for (place, entry) in order.iter_mut().zip(of_class) {
            *place = entry.component;
        }
        order
    }

    /// The order of four components; none unless each is named once.
    #[must_use]
    pub fn new(order: [Component; 4]) -> Option<Self> {
        are_unique(&order).then_some(Self { order, entries: None })
    }

    /// The order of twelve entries; none unless each component of each class is named once.
    #[must_use]
    pub fn of_entries(entries: [WaterfallEntry; 12]) -> Option<Self> {
        let waterfall = Self { order: Self::default().order, entries: Some(entries) };
        are_unique(&entries)
            .then(|| Self { order: waterfall.order_of(DueClass::PastDue), entries: Some(entries) })
    }

    /// The order of those names, four components or twelve entries; none if they are neither.
    pub(super) fn named(names: &[String]) -> Option<Self> {
        if names.len() == Component::ALL.len() {
            let mut order = Component::ALL;
            for (place, name) in order.iter_mut().zip(names) {
                *place = Component::ALL.into_iter().find(|component| component.as_str() == name)?;
            }
            return Self::new(order);
        }
        let mut entries = [WaterfallEntry::NONE; 12];
        if names.len() != entries.len() {
            return None;
        }
        for (place, name) in entries.iter_mut().zip(names) {
            *place = WaterfallEntry::named(name)?;
        }
        Self::of_entries(entries)
    }
}

fn are_unique<T: PartialEq>(all: &[T]) -> bool {
    (1..all.len()).all(|place| !all[..place].contains(&all[place]))
}

impl Default for Waterfall {
    fn default() -> Self {
        Self { order: Component::ALL, entries: None }
    }
}

/// The allocation of money beyond the installments past due or due on its date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overpayment {
    /// To the next installments.
    #[default]
    Next,
    /// To the last installments, backwards: the loan ends earlier.
    Last,
    /// The money waits as credit and is allocated to each installment on its due date.
    Credit,
}
