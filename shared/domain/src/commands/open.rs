//! Accounts opened under a contract.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::apply::Applied;
use super::check::check_date;
use super::contract::Contract;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, AccountStatus, InterestMethod, InterestTerms};
use crate::kernel::{FormatError, MAX_ANNUAL_RATE_DECIMALS, Refusal, Revision, read_json};

command! {
    /// The opening of an account. Under the same terms again it changes nothing.
    pub struct AccountOpened as "account_opened" {
        pub account: Contract,
    }
    example: r#"{ "account": {
        "account_id": "A-1", "customer_id": "C-1", "policy_id": "standard", "currency": "CNY",
        "time_zone": "Asia/Shanghai", "opened_on": "2023-10-01",
        "installments": [{
            "number": 1, "due_on": "2023-10-01", "principal": "250.00", "interest": "2.50", "fee": "0.00"
        }]
    } }"#
}

impl CommandDefinition for AccountOpened {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        if account.contract == checksum(&self.account) {
            Ok(Applied::Unchanged)
        } else {
            Err(Refusal::AccountExists(self.account.account_id.clone()))
        }
    }

    fn read(fields: Value) -> Result<Self, FormatError> {
        let command: Self = read_json(fields)?;
        if !command.account.restrictions.is_empty() {
            let problem = "only a book that is taken over names restrictions".to_owned();
            return Err(FormatError::new("account.restrictions", problem));
        }
        let within = |refusal| FormatError::new("", format!("account.{refusal}"));
        Account::open(&command.account).map_err(within)?;
        Ok(command)
    }
}

impl Account {
    /// Opens an account under its contract: in stage `current`, not yet assessed, at revision 0.
    ///
    /// # Errors
    /// A [`Refusal`] where the contract's installments contradict each other.
    pub fn open(contract: &Contract) -> Result<Self, Refusal> {
        check_date("opened_on", contract.opened_on)?;
        contract.interest.as_ref().map_or(Ok(()), check_interest)?;
        let mut account = Self {
            account_id: contract.account_id.clone(),
            customer_id: contract.customer_id.clone(),
            policy_id: contract.policy_id.clone(),
            currency: contract.currency,
            time_zone: contract.time_zone,
            opened_on: contract.opened_on,
            interest: contract.interest,
            contract: checksum(contract),
            installments: Vec::with_capacity(contract.installments.len()),
            draws: Vec::new(),
            payments: Vec::new(),
            pauses: Vec::new(),
            waivers: Vec::new(),
            enforcement_off: None,
            cause: None,
            score: None,
            in_process: None,
            promises: Vec::new(),
            disputes: Vec::new(),
            cases: Vec::new(),
            reminder_preference: None,
            reported_at: None,
            notices: Vec::new(),
            imposed_by: Vec::new(),
            letters: Vec::new(),
            forborne_on: None,
            new_schedule: None,
            recent_messages: Vec::new(),
            last_command: None,
            unapproved_relief: Vec::new(),
            last_approval: None,
            taken_over: Vec::new(),
            status: AccountStatus::unassessed(),
            revision: Revision::default(),
            bound_versions: Vec::new(),
            recent_decisions: Vec::new(),
            contact_requests: Vec::new(),
        };
        account.take_over_draws(&contract.installments)?;
        account.add_installments(&contract.installments, None)?;
        Ok(account)
    }
}

/// The annual rate lies between 0 and 10, as the rates of a policy do.
fn check_interest(interest: &InterestTerms) -> Result<(), Refusal> {
    let InterestTerms { method, annual_rate } = *interest;
    let problem = if !(Decimal::ZERO..=Decimal::TEN).contains(&annual_rate) {
        "is not between 0 and 10; 0.12 is 12 % a year"
    } else if annual_rate.scale() > MAX_ANNUAL_RATE_DECIMALS {
        "has more than 6 decimals"
    } else if method == InterestMethod::None && !annual_rate.is_zero() {
        "is not 0, the rate of a contract without interest"
    } else {
        return Ok(());
    };
    Err(Refusal::unfit("interest", format!("annual_rate: {annual_rate} {problem}")))
}

/// A checksum over the terms of a contract.
pub(crate) fn checksum(contract: &Contract) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let mut add = |field: &dyn std::fmt::Display| hasher.update(format!("{field}\n").as_bytes());
    add(&contract.account_id);
    add(&contract.customer_id);
    add(&contract.policy_id);
    add(&contract.currency);
    add(&contract.time_zone.name());
    add(&contract.opened_on);
    if let Some(InterestTerms { method, annual_rate }) = contract.interest {
        add(&format_args!("interest {} {}", method.as_str(), annual_rate.normalize()));
    }
    for installment in &contract.installments {
        add(&installment.number);
        add(&installment.due_on);
        for amount in [installment.principal, installment.interest, installment.fee] {
            add(&amount.as_decimal().normalize());
        }
        if let Some(draw_id) = &installment.draw_id {
            add(&format_args!("draw {draw_id}"));
        }
    }
    hasher.finalize()
}
