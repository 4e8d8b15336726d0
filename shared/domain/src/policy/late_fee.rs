//! Late fees: rates, free days and caps.

use rust_decimal::Decimal;

use super::Policy;
use super::bounds::MAX_DAYS;
use super::restriction::RestrictionKind;
use super::stage::Stage;
use crate::kernel::{MAX_ANNUAL_RATE_DECIMALS, Money};

/// The most decimals of a rate: the ninth is a thousandth of a cent a day on a million.
pub const MAX_RATE_DECIMALS: u32 = 9;

/// The most decimals of a fee's amount: no currency has more.
const MAX_AMOUNT_DECIMALS: u32 = 4;

/// The highest daily rate: 1 % a day is 365 % a year.
const MAX_DAILY_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// The highest annual rate: 1,000 %.
const MAX_ANNUAL_RATE: Decimal = Decimal::from_parts(10, 0, 0, false, 0);

/// The late fee: the charge for an installment that is not paid in time, beside its own amounts.
///
/// The fee is the `penalty` component of its installment. An installment's elapsed days begin on its due
/// date. Paused days are free, and so are the first [`Policy::free_days`] unpaused ones. All caps are cuts: a
/// day's charge that a cap cuts is never made up for later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LateFee {
    /// The share of the open principal charged for each chargeable day, as simple interest with no fee on a
    /// fee: `0.0005` is 0.05 % a day. Contracts under Chinese law charge 1.3 to 1.5 times the contract's
    /// rate.
    pub daily_rate: Option<Decimal>,
    /// In place of a daily rate: so many times the contract's annual rate, divided by 365. An account whose
    /// contract does not state its rate has none.
    pub contract_rate_times: Option<Decimal>,
    /// In the account's currency, charged once per installment, on the first chargeable day with open
    /// principal.
    pub fixed: Option<Money>,
    /// In the account's currency, for each notice of a stage that leaves while an installment is past due,
    /// charged to the oldest on the day on which it leaves.
    pub per_letter: Option<Money>,
    /// Unpaused days without a charge, from the due date; none: the policy's `grace_days`.
    pub free_days: Option<u32>,
    /// A share of the installment's principal, 0 to 1.
    pub cap_per_installment: Option<Decimal>,
    /// In the account's currency.
    pub cap_per_installment_amount: Option<Money>,
    /// The most that all installments together cost in a calendar month of the account's zone, in its
    /// currency. Within a day the oldest installment comes first.
    pub cap_per_month: Option<Money>,
    /// The most that the contract's interest and the fee cost together per year: `0.24` is the cap of
    /// assisted lending in China.
    pub annual_cap: Option<AnnualCap>,
    /// Whether late fees count as arrears: days, stages and the fee's base then follow the waterfall, late fees
    /// included. Otherwise they follow the money as if it had all gone to installments first, so that no fee
    /// makes an installment late that was paid in time.
    pub fee_arrears_count: bool,
}

/// The cap on the all-in cost, as shares of the principal per year of 365 days.
///
/// An installment's fee never exceeds the difference of the two rates, divided by 365, times the sum of its
/// open principal over all days since its due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnualCap {
    /// `annual_cost_cap`: the all-in cost.
    pub cost: Decimal,
    /// `contract_annual_rate`: the contract's interest, as a part of that cost.
    pub contract_rate: Decimal,
}

impl Policy {
    /// Whether late fees count as arrears.
    pub(crate) fn fees_are_arrears(&self) -> bool {
        self.late_fee.is_some_and(|fee| fee.fee_arrears_count)
    }

    /// The fees per stage: the unpaid, unpaused days of an installment that bring each, and the amount.
    pub(crate) fn stage_fees(&self) -> impl Iterator<Item = (u32, Money)> {
        self.stages.iter().filter_map(|stage| {
            let days = stage.when.delinquent_days?.saturating_add(self.grace_days);
            Some((days, stage.late_fee?))
        })
    }

    /// Unpaused days from an installment's due date without a late fee: the grace, or more.
    #[must_use]
    pub fn free_days(&self) -> u32 {
        self.late_fee.and_then(|fee| fee.free_days).unwrap_or(self.grace_days)
    }
}

/// The first fault of a policy's late fee.
pub(super) fn check(policy: &Policy) -> Result<(), String> {
    let Some(fee) = &policy.late_fee else {
        return Ok(());
    };
    let is_charged = [fee.fixed, fee.per_letter].into_iter().flatten().next().is_some()
        || policy.stages.iter().any(|stage| stage.late_fee.is_some());
    if fee.daily_rate.is_none() && fee.contract_rate_times.is_none() && !is_charged {
        return Err("late_fee: it needs a daily_rate, a fixed amount, or both; \
                    contract_rate_times, per_stage and per_letter are others"
            .to_owned());
    }
    if fee.daily_rate.is_some() && fee.contract_rate_times.is_some() {
        return Err(
            "late_fee.contract_rate_times: it takes the place of daily_rate, which is there too".to_owned()
        );
    }
    rate("daily_rate", fee.daily_rate, MAX_DAILY_RATE)?;
    check_times(fee)?;
    policy.stages.iter().try_for_each(|stage| check_stage_fee(policy, stage))?;
    rate("cap_per_installment", fee.cap_per_installment, Decimal::ONE)?;
    for (field, value) in [
        ("fixed", fee.fixed),
        ("per_letter", fee.per_letter),
        ("cap_per_installment_amount", fee.cap_per_installment_amount),
        ("cap_per_month", fee.cap_per_month),
    ] {
        amount(field, value)?;
    }
    if let Some(days) = fee.free_days {
        if days < policy.grace_days {
            return Err(format!(
                "late_fee.free_days: {days} would charge in grace, which is {} days",
                policy.grace_days
            ));
        }
        if days > MAX_DAYS {
            return Err(format!("late_fee.free_days: {days} is more than {MAX_DAYS}"));
        }
    }
    check_caps(fee)?;
    policy.stages.iter().try_for_each(|stage| check_raised(fee, stage))
}

/// A multiple of the contract's rate.
fn check_times(fee: &LateFee) -> Result<(), String> {
    let Some(times) = fee.contract_rate_times else { return Ok(()) };
    if !(Decimal::ZERO..=Decimal::TEN).contains(&times) {
        return Err(format!("late_fee.contract_rate_times: {times} is not between 0 and 10"));
    }
    // The contract's rate has six decimals, and the product no more than a rate.
    if times.scale() > MAX_RATE_DECIMALS - MAX_ANNUAL_RATE_DECIMALS {
        return Err(format!("late_fee.contract_rate_times: {times} has more than 3 decimals"));
    }
    Ok(())
}

/// A fee per stage is due on a known day of an installment, and not before the free days are over.
fn check_stage_fee(policy: &Policy, stage: &Stage) -> Result<(), String> {
    let Some(fee) = stage.late_fee else { return Ok(()) };
    let name = &stage.name;
    amount(&format!("per_stage.{name}"), Some(fee))?;
    let Some(days) = stage.when.delinquent_days.filter(|days| *days > 0 && stage.when.asks_for_days_alone())
    else {
        return Err(format!(
            "late_fee.per_stage: stage \"{name}\" has no day of its own; a fee is for a stage that asks for \
             delinquent_days and nothing else"
        ));
    };
    let day = days.saturating_add(policy.grace_days);
    if day <= policy.free_days() {
        return Err(format!(
            "late_fee.per_stage: stage \"{name}\" begins on day {day} past due, within the {} free days",
            policy.free_days()
        ));
    }
    Ok(())
}

/// The contract's rate, raised by a restriction, must not alone exceed the cap on the all-in cost.
fn check_raised(fee: &LateFee, stage: &Stage) -> Result<(), String> {
    let Some(AnnualCap { cost, contract_rate }) = fee.annual_cap else { return Ok(()) };
    let rates = stage.restrictions.iter().filter(|one| one.kind == RestrictionKind::RaiseRate);
    for percent in rates.filter_map(|one| one.percent) {
        let raised = contract_rate * Decimal::from(percent) / Decimal::ONE_HUNDRED;
        if raised > cost {
            return Err(format!(
                "late_fee.annual_cost_cap: {cost} is its own cap, and raise_rate to {percent} % in stage \"{}\" \
                 would charge {}",
                stage.name,
                raised.normalize(),
            ));
        }
    }
    Ok(())
}

fn check_caps(fee: &LateFee) -> Result<(), String> {
    for (field, cap) in
        [("cap_per_installment_amount", fee.cap_per_installment_amount), ("cap_per_month", fee.cap_per_month)]
    {
        if let (Some(fixed), Some(cap)) = (fee.fixed, cap)
            && fixed > cap
        {
            return Err(format!("late_fee.fixed: {fixed} is more than its own {field}, {cap}"));
        }
    }
    if let (Some(rate), Some(cap)) = (fee.daily_rate, fee.cap_per_installment)
        && rate > cap
    {
        return Err(format!("late_fee.daily_rate: {rate} is more than its own cap_per_installment, {cap}"));
    }
    let Some(AnnualCap { cost, contract_rate }) = fee.annual_cap else {
        return Ok(());
    };
    rate("annual_cost_cap", Some(cost), MAX_ANNUAL_RATE)?;
    rate("contract_annual_rate", Some(contract_rate), MAX_ANNUAL_RATE)?;
    if contract_rate > cost {
        return Err(format!(
            "late_fee.contract_annual_rate: {contract_rate} is above the annual_cost_cap already, {cost}"
        ));
    }
    Ok(())
}

fn rate(field: &str, value: Option<Decimal>, most: Decimal) -> Result<(), String> {
    let Some(value) = value else {
        return Ok(());
    };
    if !(Decimal::ZERO..=most).contains(&value) {
        return Err(format!("late_fee.{field}: {value} is not between 0 and {most}"));
    }
    if value.scale() > MAX_RATE_DECIMALS {
        return Err(format!("late_fee.{field}: {value} has more than {MAX_RATE_DECIMALS} decimals"));
    }
    Ok(())
}

fn amount(field: &str, value: Option<Money>) -> Result<(), String> {
    let Some(value) = value else {
        return Ok(());
    };
    if value.is_negative() {
        return Err(format!("late_fee.{field}: {value} is less than zero"));
    }
    if value.decimals() > MAX_AMOUNT_DECIMALS {
        return Err(format!("late_fee.{field}: {value} has more than {MAX_AMOUNT_DECIMALS} decimals"));
    }
    Ok(())
}
