//! The interest that a contract agrees.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How a contract reckons its interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterestMethod {
    /// Equal installments of principal and interest together.
    Annuity,
    /// Equal parts of principal, with interest on what is left.
    EqualPrincipal,
    /// Interest on the first principal throughout.
    Flat,
    /// Interest alone until the principal falls due in one sum.
    InterestOnly,
    /// No interest.
    None,
}

impl InterestMethod {
    /// The method as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Annuity => "annuity",
            Self::EqualPrincipal => "equal_principal",
            Self::Flat => "flat",
            Self::InterestOnly => "interest_only",
            Self::None => "none",
        }
    }
}

/// The interest terms of a contract. The schedule states the interest of each installment; these terms say what it
/// was reckoned by, for late fees that follow the contract's rate and for relief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterestTerms {
    pub method: InterestMethod,
    /// A share of the principal a year of 365 days: `0.12` is 12 %.
    #[serde(with = "rust_decimal::serde::str")]
    pub annual_rate: Decimal,
}
