//! What is settled of an account's installments at an instant, for the commands that depend on it.

use chrono::{DateTime, Utc};

use super::allocation::{Allocation, allocate, unnamed_money};
use super::ledger_run::run_allocation_to;
use crate::account::{Account, Installment};
use crate::kernel::{DayCount, Money, business_date, number};
use crate::policy::Timeline;

/// The amounts paid on an installment. Credit that waits for its due date has not paid it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PaidAmounts {
    /// Of its own amounts.
    pub(crate) own: Money,
    pub(crate) late_fee: Money,
}

/// The payments of an account as they are allocated at an instant.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    allocation: Allocation,
    minor_units: u32,
    /// The day of the instant, in the policy's day count.
    day: i64,
    day_count: DayCount,
}

impl Settlement {
    /// By the versions that bound the account; none: by the plain allocation, which knows no late fee.
    pub(crate) fn of(account: &Account, timeline: Option<&Timeline<'_>>, at: DateTime<Utc>) -> Self {
        let minor_units = account.currency.minor_units();
        match timeline {
            None => {
                Self { allocation: allocate(account), minor_units, day: 0, day_count: DayCount::default() }
            }
            Some(timeline) => {
                let day_count = timeline.current().day_count;
                let day = day_count.judged_day(account.time_zone, at);
                let today = number(business_date(account.time_zone, at));
                let allocation = match timeline.keeps_a_ledger() {
                    true => run_allocation_to(account, timeline, today),
                    false => allocate(account),
                };
                Self { allocation, minor_units, day: number(day), day_count }
            }
        }
    }

    /// Money that no installment has taken, the credit that waits for due dates included.
    pub(crate) fn credit(&self) -> Money {
        match &self.allocation.ledger {
            None => self.allocation.credit,
            Some(ledger) => Money::of_minor(ledger.credit_by_now, self.minor_units),
        }
    }

    /// The payments with the money that no installment has taken by name, the newest first.
    pub(crate) fn unnamed_money(&self, account: &Account) -> Vec<(usize, Money)> {
        let unnamed = match &self.allocation.ledger {
            None => unnamed_money(account),
            Some(ledger) => ledger.unnamed.clone(),
        };
        let money = |(place, part): (usize, i128)| (place, Money::of_minor(part, self.minor_units));
        unnamed.into_iter().rev().map(money).collect()
    }

    /// The late fees that are open, with the indexes of their installments.
    pub(crate) fn open_late_fees(&self) -> Vec<(usize, Money)> {
        let Some(ledger) = &self.allocation.ledger else { return Vec::new() };
        let Some(fees) = ledger.fees_on(self.day, self.day_count) else { return Vec::new() };
        let shown = ledger.shown.iter().enumerate();
        let open =
            shown.map(|(shown, line)| (line.place, Money::of_minor(fees.open(shown), self.minor_units)));
        open.filter(|(_, fee)| fee.is_positive()).collect()
    }

    /// The amounts paid on the installment at that index.
    pub(crate) fn paid(&self, place: usize) -> PaidAmounts {
        let money = |minor| Money::of_minor(minor, self.minor_units);
        match &self.allocation.ledger {
            None => PaidAmounts { own: self.allocation.paid[place], late_fee: money(0) },
            Some(ledger) => {
                let (own, late_fee) = ledger.paid_by_now[place];
                PaidAmounts { own: money(own), late_fee: money(late_fee) }
            }
        }
    }

    /// Whether nothing is open of the installment at that index, its late fee included.
    pub(crate) fn is_settled(&self, place: usize, installment: &Installment) -> bool {
        let fee_open = || {
            let ledger = self.allocation.ledger.as_ref()?;
            let shown = ledger.index_of(place)?;
            ledger.fees_on(self.day, self.day_count).map(|fees| fees.open(shown))
        };
        self.paid(place).own >= installment.amount_due() && fee_open().unwrap_or(0) == 0
    }
}
