//! The regulatory class of an account, as it was last assessed.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::policy::ClassName;

/// What an account is classified by from one judgement to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// The due date of the oldest unpaid installment, past due or not, as it was known;
    /// none: nothing was owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_from: Option<NaiveDate>,
    /// The classes that hold, mildest first; none: the normal one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) held: Vec<HeldClass>,
}

/// A class that holds, or a more severe one with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldClass {
    /// Which one.
    pub name: ClassName,
    /// Since when the account has been in it or in a more severe one: the day on which its
    /// days past due were enough, or on which that became known.
    pub since: NaiveDate,
    /// On which day its probation is over, where it is cured and stays so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation_until: Option<NaiveDate>,
}

impl Classification {
    /// The class that the account is in; none: the normal one.
    #[must_use]
    pub fn class(&self) -> Option<&HeldClass> {
        self.held.last()
    }
}

/// The class as explanations name it.
impl fmt::Display for HeldClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, since {} in it or in a worse one", self.name, self.since)?;
        self.probation_until.map_or(Ok(()), |until| write!(f, ", on probation until {until}"))
    }
}
