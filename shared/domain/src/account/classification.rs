//! The regulatory class of an account, as it was last assessed.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::policy::ClassName;

/// An account's regulatory class, with the date that the next assessment continues from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// The due date of the oldest unpaid installment, past due or not, as known at the last assessment; none:
    /// no installment was unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_from: Option<NaiveDate>,
    /// The classes that hold, mildest first; empty: the normal class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) held: Vec<HeldClass>,
}

/// A class that holds. A more severe class may hold with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldClass {
    pub name: ClassName,
    /// The first day in this class or a more severe one: the day on which the days past due reached the
    /// class's threshold, or on which that became known.
    pub since: NaiveDate,
    /// The day on which probation ends if the cure lasts; none: the class is not cured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation_until: Option<NaiveDate>,
}

impl Classification {
    /// The most severe class that holds; none: the normal class.
    #[must_use]
    pub fn class(&self) -> Option<&HeldClass> {
        self.held.last()
    }
}

/// The class in the words of explanations.
impl fmt::Display for HeldClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, since {} in it or in a worse one", self.name, self.since)?;
        self.probation_until.map_or(Ok(()), |until| write!(f, ", on probation until {until}"))
    }
}
