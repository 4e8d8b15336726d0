//! The late fee of each installment, for any day, in closed form.
//!
//! Between two payments only the day changes. Each stretch of days in which no pause begins or ends, and no
//! installment begins to be charged, is one step, however long. In a step an installment costs the least of
//! three straight lines: its rate, its headroom under the annual cap, and its own cap. Only a cap per month
//! needs a step for each month.
//!
//! Inside, a fee is a whole number of fixed-point units, so that no step rounds and no order of steps
//! matters. Each installment's fee is rounded, half to even, where it is shown or paid.

use chrono::{Datelike, Months};
use rust_decimal::Decimal;

use super::unpaused_days::after_unpaused;
use crate::account::{Account, DelinquencyPause, Installment};
use crate::kernel::{Currency, DayCount, LAST_DATE, Money, date_of, minor, number};
use crate::policy::{LateFee, MAX_RATE_DECIMALS, Policy, Timeline};

/// Days of the year by which an annual rate is divided.
const DAYS_PER_YEAR: i128 = 365;

/// A rate of 1 in the finest steps of a rate.
const RATE_ONE: i128 = 10_i128.pow(MAX_RATE_DECIMALS);

/// Fixed-point units in a minor unit of the currency. The finest daily rate of one minor unit, and the finest
/// annual rate of it divided by the days of the year, are whole units.
///
/// The largest amount due of an account (20 digits of minor units), at the highest rate, over all dates,
/// takes 36 of the 38 available digits.
const FEE_UNITS: i128 = DAYS_PER_YEAR * RATE_ONE;

/// More than any fee, with room for sums.
const UNBOUNDED: i128 = i128::MAX / 8;

/// The first chargeable day of an installment that bears no late fee.
const NEVER: i64 = i64::MAX;

/// The late-fee terms of a version, amounts in fixed-point units.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LateFeeTerms {
    /// The first date whose charge is theirs.
    from: i64,
    /// Unpaused days from the due date without a charge.
    free_days: i64,
    /// A day's charge on one minor unit of principal.
    rate: i128,
    /// Charged once for an installment.
    fixed: i128,
    /// Charged once for an installment when it has so many unpaid, unpaused days, by these days.
    per_stage: Vec<(i64, i128)>,
    /// Headroom that a day adds for one minor unit; none: no annual cap.
    headroom: Option<i128>,
    /// The most that one minor unit of principal costs.
    cap_share: Option<i128>,
    /// The most that an installment costs.
    cap_amount: Option<i128>,
    /// The most that a month costs.
    cap_per_month: Option<i128>,
    /// The first paused date and the date after the last of each pause, by the first paused date.
    pauses: Vec<(i64, i64)>,
    day_count: DayCount,
}

/// Days in a row that lie all in a pause, or all in none. `until` is the day after the last.
enum DayRun {
    Paused { until: i64 },
    Counted { until: i64 },
}

/// Days up to `end` in which no installment begins to elapse or to be charged.
struct Step {
    end: i64,
    /// Whether any installment has elapsed days in them.
    any_elapsed: bool,
}

impl LateFeeTerms {
    /// The terms of a version that binds from the date `from` on.
    fn new(from: i64, account: &Account, policy: &Policy) -> Self {
        let amount = |amount: Money| fee_units(amount.as_decimal(), account.currency.minor_units());
        let paused = |pause: &DelinquencyPause| (number(pause.from), number(pause.until));
        let fee = policy.late_fee.as_ref();
        Self {
            from,
            free_days: i64::from(policy.free_days()),
            rate: fee.map_or(0, |fee| daily_rate(fee, account)),
            fixed: fee.and_then(|fee| fee.fixed).map_or(0, amount),
            per_stage: policy.stage_fees().map(|(days, fee)| (i64::from(days), amount(fee))).collect(),
            headroom: fee
                .and_then(|fee| fee.annual_cap)
                .map(|cap| (steps(cap.cost) - steps(cap.contract_rate)).max(0)),
            cap_share: fee.and_then(|fee| fee.cap_per_installment).map(|share| steps(share) * DAYS_PER_YEAR),
            cap_amount: fee.and_then(|fee| fee.cap_per_installment_amount).map(amount),
            cap_per_month: fee.and_then(|fee| fee.cap_per_month).map(amount),
            pauses: account.pauses.iter().map(paused).collect(),
            day_count: policy.day_count,
        }
    }

    /// The date on which a date's charge is owed, and to whose month it belongs: the next one, or under `due_day` the
    /// date itself, in its last second.
    const fn owed_on(&self, day: i64) -> i64 {
        day + 1 - self.day_count.on_due_date()
    }

    /// The run of days from `day` on that a pause takes out of the count, or does not.
    fn run_from(&self, day: i64) -> DayRun {
        let next = self.pauses.partition_point(|(_, until)| *until <= day);
        match self.pauses.get(next) {
            Some((from, until)) if *from <= day => DayRun::Paused { until: *until },
            Some((from, _)) => DayRun::Counted { until: *from },
            None => DayRun::Counted { until: i64::MAX },
        }
    }
}

/// The first date of the month that comes after a date's month.
fn next_month(date: i64) -> i64 {
    let first = date_of(date).with_day(1).unwrap_or(LAST_DATE);
    first.checked_add_months(Months::new(1)).map_or(i64::MAX, number)
}

/// A day's charge on one minor unit of principal, in fixed-point units.
fn daily_rate(fee: &LateFee, account: &Account) -> i128 {
    match (fee.daily_rate, fee.contract_rate_times, account.interest) {
        (Some(rate), ..) => steps(rate) * DAYS_PER_YEAR,
        // An annual rate is divided by the days of the year.
        (None, Some(times), Some(interest)) => steps(interest.annual_rate * times),
        _ => 0,
    }
}

/// A rate as a number of finest steps.
fn steps(rate: Decimal) -> i128 {
    let mut rate = rate;
    rate.rescale(MAX_RATE_DECIMALS);
    rate.mantissa()
}

/// An amount of major units in fixed-point units. The amount may be finer than the currency, by four decimals
/// at most.
fn fee_units(amount: Decimal, minor_units: u32) -> i128 {
    let mut finest = amount;
    finest.rescale(MAX_RATE_DECIMALS);
    finest.mantissa() * DAYS_PER_YEAR * 10_i128.pow(minor_units)
}

/// The principal of an installment as it falls due.
#[derive(Clone, Copy)]
pub(crate) struct PrincipalDue {
    pub(crate) due_day: i64,
    /// The day on which it falls due, or from which on it is owed if that is later.
    pub(crate) falls_due: i64,
    /// In minor units.
    pub(crate) principal: i128,
}

/// One installment's late fee up to the accrual's day, in fixed-point units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InstallmentFee {
    /// Open principal, in minor units; 0: the installment bears no late fee.
    principal: i128,
    /// Its principal at first.
    principal_due: i128,
    /// The sum of its open principal over all elapsed days.
    principal_days: i128,
    due_on: i64,
    bears: bool,
    /// Its first elapsed day.
    origin: i64,
    /// Its first chargeable day, unless that lies in a pause.
    start: i64,
    accrued: i128,
    /// Remainder of the installment's own cap.
    room: i128,
    /// Remainder of its headroom under the annual cap.
    slack: i128,
    /// Paid or waived part, in minor units.
    taken: i128,
    fixed_to_come: bool,
    /// Late fee that a replaced schedule left to it, in minor units.
    kept: i128,
    /// Accrues, and takes its part of a monthly cap, without counting as open.
    is_left_out: bool,
}

impl InstallmentFee {
    fn new(installment: &Installment, due: PrincipalDue, minor_units: u32, terms: &LateFeeTerms) -> Self {
        let PrincipalDue { due_day, falls_due, principal } = due;
        let bears = !installment.written_off && !installment.replaced;
        let mut fee = Self {
            principal: if bears { principal } else { 0 },
            principal_due: principal,
            principal_days: 0,
            due_on: due_day,
            bears,
            origin: falls_due,
            start: NEVER,
            accrued: 0,
            room: 0,
            slack: 0,
            taken: 0,
            fixed_to_come: true,
            kept: minor(installment.kept_late_fee, minor_units),
            is_left_out: false,
        };
        fee.come_under(terms);
        fee
    }

    /// Goes on under the terms of another version. Its caps count the fee that has accrued; a part beyond a
    /// cap stays.
    fn come_under(&mut self, terms: &LateFeeTerms) {
        // The first day after which one day more than the free ones has elapsed.
        let pauses = terms.pauses.iter().copied();
        let charged = after_unpaused(pauses, self.due_on, terms.free_days + 1);
        self.start = if self.bears { (charged - 1).max(self.origin) } else { NEVER };
        let cap_share = terms.cap_share.map_or(UNBOUNDED, |share| share * self.principal_due);
        let cap = cap_share.min(terms.cap_amount.unwrap_or(UNBOUNDED));
        self.room = (cap - self.accrued).max(0);
        self.slack = terms
            .headroom
            .map_or(UNBOUNDED, |headroom| (headroom * self.principal_days - self.accrued).max(0));
    }

    /// The charge for `days` from `day` on, all of them chargeable, within the installment's own caps.
    fn charge(&self, day: i64, days: i64, rules: &LateFeeTerms) -> i128 {
        if days == 0 {
            return 0;
        }
        let fixed = if self.fixed_to_come { rules.fixed } else { 0 };
        let once =
            fixed + self.stage_fees(rules).filter(|(on, _)| *on == day).map(|(_, fee)| fee).sum::<i128>();
        self.within_caps(once, days, rules)
    }

    /// A charge of `once` and of the rate for `days`, as far as the installment's own caps allow.
    fn within_caps(&self, once: i128, days: i64, rules: &LateFeeTerms) -> i128 {
        let days = i128::from(days);
        let rated = days * rules.rate * self.principal + once;
        let headroom = self.slack + days * rules.headroom.unwrap_or(0) * self.principal;
        rated.min(headroom).min(self.room)
    }

    /// The fees per stage, each with the elapsed day that charges it.
    fn stage_fees<'r>(&self, rules: &'r LateFeeTerms) -> impl Iterator<Item = (i64, i128)> + use<'r> {
        let (due_on, bears) = (self.due_on, self.bears);
        rules.per_stage.iter().filter(move |_| bears).map(move |(days, fee)| {
            let pauses = rules.pauses.iter().copied();
            (after_unpaused(pauses, due_on, *days) - 1, *fee)
        })
    }

    /// Whether a stretch that begins on `day` is chargeable.
    fn is_charged(&self, day: i64, paused: bool) -> bool {
        self.principal > 0 && self.start <= day && !paused
    }

    /// The accrued fee, in minor units.
    #[inline]
    fn charged(&self) -> i128 {
        self.kept + if self.accrued == 0 { 0 } else { rounded(self.accrued) }
    }

    /// Whether a part of it is neither paid nor waived.
    #[inline]
    fn is_open(&self) -> bool {
        (self.accrued != 0 || self.kept != 0) && self.open() > 0
    }

    /// The accrued fee that is neither paid nor waived, in minor units.
    #[inline]
    fn open(&self) -> i128 {
        if self.is_left_out { 0 } else { self.charged() - self.taken }
    }
}

/// Fixed-point units in minor units, rounded half to even.
#[inline]
fn rounded(grains: i128) -> i128 {
    // Most fees fit into 64 bits, where a division is several times as fast.
    let (whole, rest) = match (u64::try_from(grains), const { FEE_UNITS as u64 }) {
        (Ok(grains), by) => (i128::from(grains / by), i128::from(grains % by)),
        (Err(_), _) => (grains / FEE_UNITS, grains % FEE_UNITS),
    };
    let up = match (2 * rest).cmp(&FEE_UNITS) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => whole % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    whole + i128::from(up)
}

/// The late fees of an account up to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AccrualState {
    /// Oldest installment first.
    fees: Vec<InstallmentFee>,
    /// Index of the first fee that can still accrue: a fee without principal never does.
    first: usize,
    /// Whether no installment is due before one that it follows, so that none behind the first that has not
    /// begun to elapse has begun.
    in_order: bool,
    /// Days before this one have been charged.
    day: i64,
    /// The charges of the month that has begun, where a version has a monthly cap.
    month_charged: i128,
    /// The first date of the month after it.
    next_month: i64,
    /// Index of the terms that charge `day`.
    term: usize,
}

impl AccrualState {
    fn new(fees: Vec<InstallmentFee>, day: i64) -> Self {
        let in_order = fees.is_sorted_by_key(|fee| fee.due_on);
        Self { fees, first: 0, in_order, day, month_charged: 0, next_month: i64::MIN, term: 0 }
    }

    /// The rest of the monthly cap for the month of `day`.
    fn month_left(&self, rules: &LateFeeTerms) -> i128 {
        rules.cap_per_month.map_or(UNBOUNDED, |cap| (cap - self.month_charged).max(0))
    }

    /// The fees that may have begun to elapse before `day`, and no others where they are in order.
    fn begun_before(&self, day: i64) -> impl Iterator<Item = &InstallmentFee> {
        let in_order = self.in_order;
        self.fees[self.first..].iter().take_while(move |fee| !in_order || fee.due_on < day)
    }

    /// Charges the days before `to`, each by the terms of its version.
    fn advance(&mut self, terms: &AllTerms, to: i64) {
        let to = to.min(number(LAST_DATE));
        while let Some(next) = terms.versions.get(self.term + 1).filter(|next| next.from <= to) {
            self.advance_under(terms, next.from);
            self.day = self.day.max(next.from);
            self.term += 1;
            self.fees.iter_mut().for_each(|fee| fee.come_under(next));
            if let Some(principals) = terms.base_from(self.term) {
                self.first = 0;
                let bearing = self.fees.iter_mut().zip(principals).filter(|(fee, _)| fee.bears);
                bearing.for_each(|(fee, principal)| fee.principal = *principal);
            }
        }
        self.advance_under(terms, to);
    }

    fn advance_under(&mut self, terms: &AllTerms, to: i64) {
        let rules = &terms.versions[self.term];
        while self.fees.get(self.first).is_some_and(|fee| fee.principal == 0) {
            self.first += 1;
        }
        while self.day < to {
            let Step { end, any_elapsed } = self.next_step(rules, to);
            if any_elapsed {
                let (paused, run_end) = match rules.run_from(self.day) {
                    DayRun::Paused { until } => (true, until),
                    DayRun::Counted { until } => (false, until),
                };
                let mut end = end.min(run_end);
                if terms.have_monthly_cap {
                    let owed_on = rules.owed_on(self.day);
                    self.begin_month(owed_on);
                    end = end.min(self.next_month - (owed_on - self.day));
                }
                let begun = || self.begun_before(self.day + 1);
                let charges_once = |fee: &InstallmentFee| {
                    fee.is_charged(self.day, false)
                        && (rules.fixed > 0 && fee.fixed_to_come
                            || fee.stage_fees(rules).any(|(on, _)| on == self.day))
                };
                if !paused && (rules.fixed > 0 || !rules.per_stage.is_empty()) && begun().any(charges_once) {
                    end = self.day + 1;
                }
                self.charge(terms, end - self.day, paused);
                self.day = end;
            } else {
                self.day = end;
            }
        }
    }

    /// The next step, up to `to` at most.
    fn next_step(&self, rules: &LateFeeTerms, to: i64) -> Step {
        let mut step = Step { end: to, any_elapsed: false };
        for fee in self.begun_before(to) {
            if fee.principal == 0 || fee.due_on >= step.end {
                continue;
            }
            if fee.origin > self.day {
                step.end = step.end.min(fee.origin);
                continue;
            }
            step.any_elapsed = true;
            if fee.start > self.day {
                step.end = step.end.min(fee.start);
            }
            let coming = fee.stage_fees(rules).map(|(on, _)| on).filter(|on| *on > self.day);
            step.end = coming.fold(step.end, i64::min);
        }
        step
    }

    /// Begins the month of a date, unless it has begun.
    fn begin_month(&mut self, date: i64) {
        if date >= self.next_month {
            self.month_charged = 0;
            self.next_month = next_month(date);
        }
    }

    /// Charges `days` in which nothing changes.
    fn charge(&mut self, terms: &AllTerms, days: i64, paused: bool) {
        let rules = &terms.versions[self.term];
        let (counts_month, tracks_principal) = (terms.have_monthly_cap, self.term + 1 < terms.versions.len());
        let day = self.day;
        let whole_days = self.days_within_month(rules, days, paused);
        if counts_month {
            self.month_charged += self.charges(rules, whole_days, paused);
        }
        let mut month_left = self.month_left(rules);
        let raised = i128::from(days) * rules.headroom.unwrap_or(0);
        let behind = if self.in_order { day } else { i64::MAX };
        for fee in self.fees[self.first..].iter_mut().take_while(|fee| fee.due_on <= behind) {
            if fee.principal == 0 || fee.origin > day {
                continue;
            }
            if fee.is_charged(day, paused) {
                let mut charge = fee.charge(day, whole_days, rules);
                if whole_days < days {
                    // The day that reaches the monthly cap charges the oldest installment first.
                    let part = (fee.charge(day, whole_days + 1, rules) - charge).min(month_left);
                    month_left -= part;
                    self.month_charged += part;
                    charge += part;
                }
                fee.accrued += charge;
                fee.room -= charge;
                fee.slack -= charge;
                fee.fixed_to_come = false;
            }
            fee.slack += raised * fee.principal;
            if tracks_principal {
                fee.principal_days += i128::from(days) * fee.principal;
            }
        }
    }

    /// The accrued fees of all installments, paid and waived parts too, in minor units.
    fn charged(&self) -> i128 {
        self.fees.iter().map(InstallmentFee::charged).sum()
    }

    /// The charge of all installments for `days`, before the monthly cap.
    fn charges(&self, rules: &LateFeeTerms, days: i64, paused: bool) -> i128 {
        self.begun_before(self.day + 1)
            .filter(|fee| fee.is_charged(self.day, paused) && fee.origin <= self.day)
            .map(|fee| fee.charge(self.day, days, rules))
            .sum()
    }

    /// How many of `days` fit whole under the monthly cap.
    fn days_within_month(&self, rules: &LateFeeTerms, days: i64, paused: bool) -> i64 {
        let month_left = self.month_left(rules);
        if rules.cap_per_month.is_none() || self.charges(rules, days, paused) <= month_left {
            return days;
        }
        let (mut whole, mut beyond) = (0, days);
        while beyond - whole > 1 {
            let middle = whole + (beyond - whole) / 2;
            if self.charges(rules, middle, paused) <= month_left {
                whole = middle;
            } else {
                beyond = middle;
            }
        }
        whole
    }
}

/// The late-fee accrual of an account's installments, by their indexes, from the oldest due date on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LateFeeAccrual {
    terms: AllTerms,
    state: AccrualState,
    /// Fees charged to the installments that are no longer counted, in minor units.
    charged_before: i128,
}

/// The late fees of a later day.
#[derive(Clone, Debug)]
pub(crate) struct AccrualAt<'m> {
    terms: &'m AllTerms,
    state: std::borrow::Cow<'m, AccrualState>,
    /// The count of the days that it is asked for.
    day_count: DayCount,
}

/// The first date that is not charged yet on a day of a day count.
const fn uncharged_from(day: i64, count: DayCount) -> i64 {
    day + count.on_due_date()
}

impl LateFeeAccrual {
    /// The accrual before any day has elapsed, with the principal due of each installment.
    pub(crate) fn new(
        account: &Account,
        timeline: &Timeline<'_>,
        principals: impl Iterator<Item = PrincipalDue>,
    ) -> Self {
        let versions: Vec<LateFeeTerms> =
            timeline.iter().map(|(from, policy)| LateFeeTerms::new(from, account, policy)).collect();
        let have_monthly_cap = versions.iter().any(|terms| terms.cap_per_month.is_some());
        let first = &versions[0];
        let minor_units = account.currency.minor_units();
        let fees: Vec<InstallmentFee> = account
            .installments
            .iter()
            .zip(principals)
            .map(|(installment, due)| InstallmentFee::new(installment, due, minor_units, first))
            .collect();
        let day = fees.iter().map(|fee| fee.due_on).min().unwrap_or(0);
        let terms = AllTerms { versions, bases: Vec::new(), have_monthly_cap };
        Self { terms, state: AccrualState::new(fees, day), charged_before: 0 }
    }

    /// Charges the dates before `day`: the night that begins on each, or under `due_day` its last second.
    pub(crate) fn advance(&mut self, day: i64) {
        self.state.advance(&self.terms, day);
    }

    /// An installment's open fee, in minor units.
    pub(crate) fn open(&self, place: usize) -> i128 {
        self.state.fees[place].open()
    }

    /// Whether an installment has an open fee.
    pub(crate) fn is_any_open(&self) -> bool {
        self.state.fees.iter().any(InstallmentFee::is_open)
    }

    /// Whether an installment may be charged on a date: no pause takes it out, and it is owed longer than is free.
    pub(crate) fn is_chargeable(&self, place: usize, day: i64) -> bool {
        let rules = &self.terms.versions[self.state.term];
        let start = self.state.fees[place].start;
        start != NEVER && rules.owed_on(start) <= day && matches!(rules.run_from(day), DayRun::Counted { .. })
    }

    /// Charges an installment once, on a date, within its own caps and that of the date's month.
    pub(crate) fn charge_once(&mut self, place: usize, day: i64, fee: Money, currency: Currency) {
        let state = &mut self.state;
        let rules = &self.terms.versions[state.term];
        if self.terms.have_monthly_cap {
            state.begin_month(day);
        }
        let month_left = state.month_left(rules);
        let fee = fee_units(fee.as_decimal(), currency.minor_units());
        let line = &mut state.fees[place];
        let charge = line.within_caps(fee, 0, rules).min(month_left);
        line.accrued += charge;
        line.room -= charge;
        line.slack -= charge;
        state.month_charged += charge;
    }

    /// Records that a part of the open fee was paid or waived.
    pub(crate) fn take(&mut self, place: usize, part: i128) {
        self.state.fees[place].taken += part;
    }

    /// Records an installment's open principal from the accrual's day on.
    pub(crate) fn set_principal(&mut self, place: usize, principal: i128) {
        let fee = &mut self.state.fees[place];
        if fee.bears {
            fee.principal = principal;
            self.state.first = if principal > 0 { self.state.first.min(place) } else { self.state.first };
        }
    }

    /// Records the principals that the version of that index begins to charge, instead of those of the version
    /// before.
    pub(crate) fn change_base_at(&mut self, term: usize, principals: Vec<i128>) {
        self.terms.bases.push((term, principals));
    }

    /// Whether any later day adds a fee to an installment, or can.
    pub(crate) fn may_accrue(&self, place: usize) -> bool {
        self.state.fees[place].bears && self.terms.largest_principal(&self.state, place) > 0
    }

    /// Counts no fee of an installment as open any more. It goes on accruing.
    pub(crate) fn leave_out(&mut self, place: usize) {
        self.state.fees[place].is_left_out = true;
    }

    /// Keeps only the installments at those indexes, in that order, and renumbers them. The fees of the others no
    /// longer grow.
    pub(crate) fn keep(&mut self, places: impl Iterator<Item = usize> + Clone) {
        let all = self.state.charged();
        for (_, principals) in &mut self.terms.bases {
            *principals = places.clone().map(|place| principals[place]).collect();
        }
        let AccrualState { day, month_charged, next_month, term, .. } = self.state;
        let mut kept = std::mem::take(&mut self.state.fees);
        if places.clone().is_sorted() {
            // Each moves to a place that has been read.
            let mut count = 0;
            for place in places {
                kept[count] = kept[place];
                count += 1;
            }
            kept.truncate(count);
        } else {
            kept = places.map(|place| kept[place]).collect();
        }
        self.state = AccrualState { month_charged, next_month, term, ..AccrualState::new(kept, day) };
        self.charged_before += all - self.state.charged();
    }

    /// Fees charged to the installments that are no longer counted, in minor units.
    pub(crate) const fn charged_before(&self) -> i128 {
        self.charged_before
    }

    /// The fees on `day`, a day that has begun under a day count, or on the accrual's own day where that is later.
    pub(crate) fn on(&self, day: i64, count: DayCount) -> AccrualAt<'_> {
        let state = std::borrow::Cow::Borrowed(&self.state);
        let mut accrual = AccrualAt { terms: &self.terms, state, day_count: count };
        accrual.advance(day);
        accrual
    }

    /// The open fees of the first `count` installments on `day`, in minor units: those that are past due by then, in
    /// the order of their due dates. The others bear no fee by then.
    pub(crate) fn open_of(&self, count: usize, day: i64, day_count: DayCount) -> i128 {
        let (state, to) = (&self.state, uncharged_from(day, day_count));
        let open = |fees: &[InstallmentFee]| fees.iter().map(InstallmentFee::open).sum();
        let past_due = &state.fees[..count];
        if state.day >= to {
            return open(past_due);
        }
        let first = state.first.min(count);
        let mut later = AccrualState { fees: past_due.to_vec(), first, ..*state };
        later.advance(&self.terms, to);
        open(&later.fees)
    }

    /// Whether any later day adds a fee, or can.
    pub(crate) fn runs(&self) -> bool {
        (0..self.state.fees.len()).any(|place| self.may_accrue(place))
    }

    /// An upper bound of all open fees until the day `last` of a day count, in minor units.
    pub(crate) fn at_most(&self, last: i64, count: DayCount) -> i128 {
        let days = uncharged_from(last, count).min(number(LAST_DATE)) - self.state.day;
        let months = i128::from(days / 28 + 2);
        let coming = &self.terms.versions[self.state.term..];
        let by_month = coming.iter().map(|terms| terms.cap_per_month.map_or(UNBOUNDED, |cap| cap * months));
        let by_month = by_month.max().unwrap_or(UNBOUNDED);
        let of_each = (0..self.state.fees.len())
            .map(|place| self.terms.at_most(&self.state, place, days))
            .sum::<i128>();
        let to_come = if days > 0 { of_each.min(by_month) } else { 0 };
        let open: i128 = self.state.fees.iter().map(InstallmentFee::open).sum();
        // Each fee is rounded by itself.
        open + to_come / FEE_UNITS + 1 + self.state.fees.len() as i128
    }
}

/// The terms of all versions, oldest first; the first charges all days before the second.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AllTerms {
    versions: Vec<LateFeeTerms>,
    /// The open principal of each installment as a version begins to charge it, by the version's index, where the
    /// version before charges another.
    bases: Vec<(usize, Vec<i128>)>,
    have_monthly_cap: bool,
}

impl AllTerms {
    /// The open principal of each installment from a version on; none: it is that of the version before.
    fn base_from(&self, term: usize) -> Option<&[i128]> {
        self.bases.iter().find(|(from, _)| *from == term).map(|(_, principals)| principals.as_slice())
    }

    /// The most principal of an installment that is charged from the state's day on.
    fn largest_principal(&self, state: &AccrualState, place: usize) -> i128 {
        let coming = self.bases.iter().filter(|(from, _)| *from > state.term);
        coming.map(|(_, principals)| principals[place]).fold(state.fees[place].principal, i128::max)
    }

    /// An upper bound of what an installment is charged in `days` from the state's day on.
    fn at_most(&self, state: &AccrualState, place: usize, days: i64) -> i128 {
        let fee = &state.fees[place];
        match &self.versions[state.term..] {
            [only] if days <= 0 => fee.charge(state.day, 0, only),
            [only] => {
                let fixed = if fee.fixed_to_come { only.fixed } else { 0 };
                let per_stage = only.per_stage.iter().map(|(_, fee)| fee).sum::<i128>();
                fee.within_caps(fixed + per_stage, days, only)
            }
            coming => {
                let rate = coming.iter().map(|terms| terms.rate).max().unwrap_or(0);
                let fixed = coming.iter().map(|terms| terms.fixed).max().unwrap_or(0);
                let per_stage =
                    |terms: &LateFeeTerms| terms.per_stage.iter().map(|(_, fee)| fee).sum::<i128>();
                let per_stage = coming.iter().map(per_stage).sum::<i128>();
                i128::from(days) * rate * self.largest_principal(state, place) + fixed + per_stage
            }
        }
    }
}

impl AccrualAt<'_> {
    /// The accrued fees of all counted installments, paid and waived parts too, in minor units.
    pub(crate) fn charged(&self) -> i128 {
        self.state.charged()
    }

    /// Advances to `day`; an earlier day changes nothing.
    pub(crate) fn advance(&mut self, day: i64) {
        let to = uncharged_from(day, self.day_count);
        if self.state.day < to {
            self.state.to_mut().advance(self.terms, to);
        }
    }

    /// The open fees of the first `count` installments, in minor units.
    pub(crate) fn open_of(&self, count: usize) -> i128 {
        self.state.fees.iter().take(count).map(InstallmentFee::open).sum()
    }

    /// An upper bound of their open fees on `day`, in minor units.
    pub(crate) fn open_at_most(&self, count: usize, day: i64) -> i128 {
        let days = (uncharged_from(day, self.day_count) - self.state.day).max(0);
        let to_come = |place| self.terms.at_most(&self.state, place, days);
        let at_most = |(place, fee): (usize, &InstallmentFee)| {
            fee.kept + rounded(fee.accrued + to_come(place)) - fee.taken
        };
        self.state.fees.iter().enumerate().take(count).map(at_most).sum()
    }

    /// An installment's open fee, in minor units.
    pub(crate) fn open(&self, place: usize) -> i128 {
        self.state.fees[place].open()
    }
}
