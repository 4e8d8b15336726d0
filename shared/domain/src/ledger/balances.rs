//! The balances on a day, and the first day on which they meet a condition.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::allocation::{Allocation, OpenInstallment};
use super::late_fee_accrual::AccrualAt;
use super::ledger_run::Ledger;
use crate::account::Account;
use crate::kernel::{Currency, DayCount, LAST_DATE, Money, date_of, number, past_due_from};
use crate::policy::{Component, Policy};

/// Days of the first stretch that is searched for a day; each next stretch is twice as long.
const FIRST_STRETCH_DAYS: i64 = 32;

/// The balances on an assessed day.
///
/// While no fact changes, the overdue balance, its share of the outstanding balance and the number of unpaid
/// installments never fall from one day to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Balance of the installments past due, with their late fee.
    pub overdue: Money,
    /// Balance of all installments, with the late fee.
    pub outstanding: Money,
    /// The unpaid late fee accrued by that day.
    pub late_fee: Money,
    /// Number of installments past due with an open balance.
    pub unpaid_installments: u32,
}

/// The balances that conditions and thresholds compare: without late fees, as if all money had gone to
/// installments before any late fee, and without the installments on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedBalances {
    /// Balance of the installments past due.
    pub overdue: Money,
    /// Balance of all installments.
    pub outstanding: Money,
    /// Number of installments past due with an open balance.
    pub unpaid_installments: usize,
}

impl Allocation {
    /// The balances on `day`, a day that has begun under the policy's day count. For a day before the last
    /// payment they are the balances after that payment took effect.
    #[must_use]
    pub fn balances_on(&self, day: NaiveDate, account: &Account, count: DayCount) -> Balances {
        let past_due = past_due_of(&self.open_installments, number(day), count);
        let unpaid_installments = u32::try_from(past_due.len()).unwrap_or(u32::MAX);
        match &self.ledger {
            Some(ledger) => {
                let balances = ledger.balances_on(number(day), count, account.currency);
                Balances { unpaid_installments, ..balances }
            }
            None => Balances {
                overdue: past_due
                    .iter()
                    .fold(account.currency.zero(), |sum, open_installment| sum + open_installment.amount),
                outstanding: self.outstanding,
                late_fee: account.currency.zero(),
                unpaid_installments,
            },
        }
    }

    /// The balances that conditions compare on `day`, a day that has begun under the policy's day count. Where
    /// late fees count as arrears they are the balances of the day.
    #[must_use]
    pub fn judged_on(&self, day: NaiveDate, account: &Account, count: DayCount) -> JudgedBalances {
        match &self.ledger {
            Some(ledger) if ledger.fees_are_arrears => {
                let balances = ledger.judged().balances_on(number(day), count, account.currency);
                JudgedBalances {
                    overdue: balances.overdue,
                    outstanding: balances.outstanding,
                    unpaid_installments: past_due_of(self.judged_installments(), number(day), count).len(),
                }
            }
            _ => {
                let past_due = past_due_of(self.judged_installments(), number(day), count);
                let overdue = past_due.iter().fold(account.currency.zero(), |sum, one| sum + one.amount);
                let waiting = self.judged_waiting_on(number(day), account.currency);
                let outstanding = self.judged_outstanding + waiting;
                JudgedBalances { overdue, outstanding, unpaid_installments: past_due.len() }
            }
        }
    }

    /// Credit of the judged allocation that waits for a due date after `day`.
    fn judged_waiting_on(&self, day: i64, currency: Currency) -> Money {
        let waiting = self.ledger.iter().flat_map(|ledger| &ledger.judged_waiting);
        let minor = waiting.filter(|(from, _)| *from > day).map(|(_, part)| part).sum();
        Money::of_minor(minor, currency.minor_units())
    }

    /// The first day on which the judged overdue balance, the judged outstanding balance and the number of
    /// installments past due satisfy a condition that goes on holding as days go by. A day after `last` need not
    /// be found.
    pub(crate) fn first_judged_day(
        &self,
        count: DayCount,
        currency: Currency,
        last: NaiveDate,
        is_enough: impl Fn(Decimal, Decimal, u64) -> bool,
    ) -> Option<NaiveDate> {
        let open = self.judged_installments();
        if let Some(ledger) = self.ledger.as_ref().filter(|ledger| ledger.fees_are_arrears) {
            return ledger.judged().first_day(count, currency, last, |balances| {
                let (overdue, outstanding) =
                    (balances.overdue.as_decimal(), balances.outstanding.as_decimal());
                balances.unpaid_installments > 0
                    && is_enough(overdue, outstanding, u64::from(balances.unpaid_installments))
            });
        }
        let outstanding = self.judged_outstanding.as_decimal();
        let waiting = self.ledger.as_ref().map_or(&[][..], |ledger| &ledger.judged_waiting);
        if waiting.is_empty() {
            let mut overdue = Decimal::ZERO;
            for (one, installments) in open.iter().zip(1_u64..) {
                overdue += one.amount.as_decimal();
                if is_enough(overdue, outstanding, installments) {
                    return Some(past_due_from(count, one.due_on));
                }
            }
            return None;
        }
        // Where credit pays an installment on its due date, the outstanding balance falls that day.
        let falls = open.iter().map(|one| falls_past_due(count, one.due_on));
        let mut days: Vec<i64> = falls.chain(waiting.iter().map(|(day, _)| *day)).collect();
        days.sort_unstable();
        days.dedup();
        days.into_iter().find_map(|day| {
            let past_due = past_due_of(open, day, count);
            let overdue = past_due.iter().map(|one| one.amount.as_decimal()).sum::<Decimal>();
            let outstanding = outstanding + self.judged_waiting_on(day, currency).as_decimal();
            let is_found = !past_due.is_empty() && is_enough(overdue, outstanding, past_due.len() as u64);
            is_found.then(|| date_of(day))
        })
    }

    /// The late fee charged by `day`, a day that has begun under the policy's day count, since the first due date:
    /// its open, its paid and its waived part. For a day before the last payment it is the fee of the payment's
    /// day.
    #[must_use]
    pub fn late_fee_charged_on(&self, day: NaiveDate, currency: Currency, count: DayCount) -> Money {
        let accrual = self.ledger.as_ref().and_then(|ledger| ledger.late_fees.as_ref());
        let charged =
            accrual.map_or(0, |accrual| accrual.charged_before() + accrual.on(number(day), count).charged());
        Money::of_minor(charged, currency.minor_units())
    }

    /// The open components of an installment on `day`, in the order of the waterfall. The late fee is the
    /// penalty.
    #[must_use]
    pub fn open_components(
        &self,
        open_installment: &OpenInstallment,
        day: NaiveDate,
        account: &Account,
        policy: &Policy,
    ) -> Vec<(Component, Money)> {
        let Some(ledger) = self.ledger.as_deref() else {
            let paid = self.paid[open_installment.place];
            return account.installments[open_installment.place].open_components(
                paid,
                &policy.waterfall,
                account.currency,
            );
        };
        let Some(place) = ledger.index_of(open_installment.place) else { return Vec::new() };
        let [fee, interest, principal] = ledger.shown[place].open;
        let penalty = ledger.fees_on(number(day), policy.day_count).map_or(0, |fees| fees.open(place));
        let minor_units = account.currency.minor_units();
        let open = policy.waterfall.order().map(|component| {
            let open = match component {
                Component::Penalty => penalty,
                Component::Fee => fee,
                Component::Interest => interest,
                Component::Principal => principal,
            };
            (component, Money::of_minor(open, minor_units))
        });
        open.into_iter().filter(|(_, amount)| !amount.is_zero()).collect()
    }

    /// The installments of which an amount or a late fee is open as the waterfall has it, by due date; none is
    /// written off. Their amounts are without the late fee.
    #[must_use]
    pub fn shown_installments(&self, currency: Currency) -> Vec<OpenInstallment> {
        let Some(ledger) = &self.ledger else { return self.open_installments.clone() };
        let shown = ledger.shown.iter().map(|line| OpenInstallment {
            place: line.place,
            due_on: line.due_on,
            amount: Money::of_minor(line.open.iter().sum(), currency.minor_units()),
        });
        shown.collect()
    }

    /// The open late fee of the installment at that index on `day`.
    pub(super) fn late_fee_open(
        &self,
        place: usize,
        day: NaiveDate,
        currency: Currency,
        count: DayCount,
    ) -> Money {
        let open = self.ledger.as_ref().and_then(|ledger| {
            let shown = ledger.index_of(place)?;
            Some(ledger.fees_on(number(day), count)?.open(shown))
        });
        Money::of_minor(open.unwrap_or(0), currency.minor_units())
    }

    /// Whether a balance can change from one day to the next though no installment falls past due.
    pub(crate) fn moves_daily(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| {
            !ledger.waiting.is_empty() || ledger.late_fees.as_ref().is_some_and(|accrual| accrual.runs())
        })
    }
}

impl Ledger {
    /// The index in `shown` of the installment at that index of the account's list.
    pub(super) fn index_of(&self, place: usize) -> Option<usize> {
        self.shown.iter().position(|line| line.place == place)
    }

    /// What late fees that count as arrears are judged by.
    fn judged(&self) -> &Self {
        self.without_held.as_deref().unwrap_or(self)
    }

    /// The balances on `day`.
    fn balances_on(&self, day: i64, count: DayCount, currency: Currency) -> Balances {
        let past_due = self.shown.partition_point(|line| falls_past_due(count, line.due_on) <= day);
        let late_fee = self.late_fees.as_ref().map_or(0, |accrual| accrual.open_of(past_due, day, count));
        self.balances(day, past_due, late_fee, currency)
    }

    /// The first day on which the balances are `enough`, if the facts stay as they are. The condition must go
    /// on holding once it holds. A day after `last` need not be found.
    ///
    /// Days on which an installment falls past due are tried in turn; the days between them are bisected.
    pub(crate) fn first_day(
        &self,
        count: DayCount,
        currency: Currency,
        last: NaiveDate,
        enough: impl Fn(&Balances) -> bool,
    ) -> Option<NaiveDate> {
        let open_installment = &self.shown;
        let falls = |place: usize| falls_past_due(count, open_installment[place].due_on);
        let ends_its_date =
            |place: usize| place + 1 == open_installment.len() || falls(place + 1) > falls(place);
        let with = |day, past_due, late_fee| enough(&self.balances(day, past_due, late_fee, currency));
        let open_of =
            |past_due, fees: &Option<AccrualAt<'_>>| fees.as_ref().map_or(0, |fees| fees.open_of(past_due));
        // Where an upper bound of the fees is not enough, as often, the fees need not be charged.
        let may_be_enough = |day, past_due, fees: &Option<AccrualAt<'_>>| {
            with(day, past_due, fees.as_ref().map_or(0, |fees| fees.open_at_most(past_due, day)))
        };
        let is_enough = |day, past_due, fees: &mut Option<AccrualAt<'_>>| {
            with(day, past_due, open_of(past_due, fees)) || {
                fees.iter_mut().for_each(|fees| fees.advance(day));
                with(day, past_due, open_of(past_due, fees))
            }
        };
        let first_within = |day, last, past_due, fees: &mut Option<AccrualAt<'_>>| {
            first_within(day, last, fees, |day, fees| {
                may_be_enough(day, past_due, fees) && is_enough(day, past_due, fees)
            })
        };
        let mut fees = self.fees_on(self.day, count);
        let mut place = 0;
        // Up to the day of the last fact the fees are those of that day.
        while place < open_installment.len() && falls(place) <= self.day {
            let day = falls(place);
            place += 1;
            if ends_its_date(place - 1) && with(day, place, open_of(place, &fees)) {
                return Some(date_of(day));
            }
        }
        let last = number(last);
        if !with(last, open_installment.len(), open_of(open_installment.len(), &fees))
            && !enough(&self.upper_bounds(open_installment.len(), last, count, currency))
        {
            return None;
        }
        let mut day = self.day;
        while place < open_installment.len() && falls(place) <= last {
            let (before, next) = (place, falls(place));
            while place < open_installment.len() && falls(place) == next {
                place += 1;
            }
            if may_be_enough(next, place, &fees) {
                if before > 0
                    && let Some(found) = first_within(day, next - 1, before, &mut fees)
                {
                    return Some(date_of(found));
                }
                if is_enough(next, place, &mut fees) {
                    return Some(date_of(next));
                }
            }
            day = next;
        }
        if place == 0 {
            return None;
        }
        first_within(day, last.min(number(LAST_DATE)), place, &mut fees).map(date_of)
    }

    /// The balances on `day`, on which the first `past_due` open installments are past due and `late_fee` of
    /// their late fees is open, in minor units.
    fn balances(&self, day: i64, past_due: usize, late_fee: i128, currency: Currency) -> Balances {
        let waiting: i128 = self.waiting.iter().filter(|(from, _)| *from > day).map(|(_, part)| part).sum();
        let money = |minor| Money::of_minor(minor, currency.minor_units());
        let unpaid = past_due - self.left_out.partition_point(|place| *place < past_due);
        Balances {
            overdue: money(self.open_before(past_due) + late_fee),
            outstanding: money(self.open_before(self.shown.len()) + late_fee + waiting),
            late_fee: money(late_fee),
            unpaid_installments: u32::try_from(unpaid).unwrap_or(u32::MAX),
        }
    }

    /// Upper bounds of the balances on any day up to `last`.
    fn upper_bounds(&self, unpaid: usize, last: i64, count: DayCount, currency: Currency) -> Balances {
        let fees = self.late_fees.as_ref().map_or(0, |accrual| accrual.at_most(last, count));
        let all = Money::of_minor(self.open_before(unpaid) + fees, currency.minor_units());
        Balances {
            overdue: all,
            outstanding: all,
            late_fee: Money::of_minor(fees, currency.minor_units()),
            unpaid_installments: u32::try_from(unpaid).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn fees_on(&self, day: i64, count: DayCount) -> Option<AccrualAt<'_>> {
        self.late_fees.as_ref().map(|accrual| accrual.on(day, count))
    }

    /// Open amount of the first `place` open installments without late fees, in minor units.
    pub(super) fn open_before(&self, place: usize) -> i128 {
        place.checked_sub(1).map_or(0, |last| self.shown[last].open_so_far)
    }
}

/// The open installments that are past due on a day, of those in the order of their due dates.
fn past_due_of(open: &[OpenInstallment], day: i64, count: DayCount) -> &[OpenInstallment] {
    &open[..open.partition_point(|one| falls_past_due(count, one.due_on) <= day)]
}

/// The first day on which an installment due on `due_on` is past due.
fn falls_past_due(count: DayCount, due_on: NaiveDate) -> i64 {
    number(due_on) + 1 - count.on_due_date()
}

/// The first day after `day` and up to `last` on which `is_enough` holds. `is_enough` may advance the fees to
/// the day that it is called with. The fees must be of no later day than `day` before the call. They are of
/// no later day than `last` after it where no day is found.
fn first_within<'m>(
    day: i64,
    last: i64,
    fees: &mut Option<AccrualAt<'m>>,
    is_enough: impl Fn(i64, &mut Option<AccrualAt<'m>>) -> bool,
) -> Option<i64> {
    let (mut before, mut stretch) = (day, FIRST_STRETCH_DAYS);
    while before < last {
        let mut after = (before + stretch).min(last);
        let mut later = fees.clone();
        if !is_enough(after, &mut later) {
            (before, *fees, stretch) = (after, later, stretch * 2);
            continue;
        }
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            let mut later = fees.clone();
            if is_enough(middle, &mut later) {
                after = middle;
            } else {
                (before, *fees) = (middle, later);
            }
        }
        return Some(after);
    }
    None
}
