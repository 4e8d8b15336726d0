//! The terms of an account and its installments, as the lender states them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::{Account, InterestTerms};
use crate::kernel::{
    AccountId, Currency, CustomerId, DrawId, FormatError, InstallmentNumber, Money, PolicyId, Zone,
    read_json, written,
};
use crate::policy::{Restriction, check_restrictions};

/// The terms under which an account is opened: a line of the portfolio file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "struct ContractLine")]
pub struct Contract {
    pub account_id: AccountId,
    pub customer_id: CustomerId,
    pub policy_id: PolicyId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The zone in which the account's days begin.
    pub time_zone: Zone,
    /// The date on which the agreement began.
    #[serde(deserialize_with = "written::date")]
    pub opened_on: NaiveDate,
    /// None: not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest: Option<InterestTerms>,
    pub installments: Vec<NewInstallment>,
    /// The restrictions that the lender has in force already, where a book is taken over. They are no terms: the same
    /// contract without them is the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<Restriction>,
}

impl Contract {
    /// Reads a contract whose installments hold together.
    ///
    /// # Errors
    /// A [`FormatError`] that names the field.
    pub(crate) fn read(json: Value) -> Result<Self, FormatError> {
        let contract: Self = read_json(json)?;
        Account::open(&contract).map_err(|refusal| FormatError::new("", refusal.to_string()))?;
        check_restrictions(&contract.restrictions).map_err(|problem| FormatError::new("", problem))?;
        Ok(contract)
    }
}

/// An installment as the lender states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "struct InstallmentLine")]
pub struct NewInstallment {
    /// Unique within the account.
    pub number: InstallmentNumber,
    #[serde(deserialize_with = "written::date")]
    pub due_on: NaiveDate,
    pub principal: Money,
    /// Contractual interest.
    #[serde(default)]
    pub interest: Money,
    #[serde(default)]
    pub fee: Money,
    /// The draw that the installment repays; none: no draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_id: Option<DrawId>,
}
