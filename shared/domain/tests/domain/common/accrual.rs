//! The ledger of an account by stepping through every day: written apart from the rules that it checks, the
//! plain way, in decimals, with one charge a day and one installment after the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::{Account, Installment, LeftOut};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{DayCount, business_date};
use duewatch_domain::policy::{Component, DueClass, LateFee, Overpayment, Policy};
use rust_decimal::Decimal;

/// The amounts due of an account on a day, in cents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SteppedBalances {
    pub(crate) overdue: i128,
    pub(crate) outstanding: i128,
    pub(crate) late_fee: i128,
    pub(crate) unpaid_installments: u32,
    /// The open late fee of each installment past due, in the account's order.
    pub(crate) fees: Vec<i128>,
    /// The paid part of each installment, in the account's order.
    pub(crate) paid: Vec<i128>,
    pub(crate) credit: i128,
}

/// An installment on the current day of the steps.
struct SteppedRow<'a> {
    installment: &'a Installment,
    /// Fee, interest and principal, in cents.
    open: [i128; 3],
    /// The principal due at first, in cents.
    principal: i128,
    /// 365 times the fee, in currency units.
    accrued: Decimal,
    headroom: Decimal,
    taken: i128,
    paid: i128,
    fixed_charged: bool,
    /// Elapsed days outside pauses, whether or not the installment is open.
    unpaused: u32,
    owed_since: Option<NaiveDate>,
}

impl SteppedRow<'_> {
    fn fee_open(&self) -> i128 {
        half_even(self.accrued) + cents(self.installment.kept_late_fee) - self.taken
    }

    /// Whether money received by then may be allocated to it without naming it.
    fn takes_by(&self, came_by: DateTime<Utc>) -> bool {
        let was_left_out = |time: &LeftOut| time.from <= came_by && came_by < time.until;
        self.installment.since.is_none_or(|since| since <= came_by)
            && !self.installment.left_out.iter().any(was_left_out)
    }

    fn falls_due(&self) -> NaiveDate {
        self.owed_since.map_or(self.installment.due_on, |since| since.max(self.installment.due_on))
    }

    fn open_of(&self, component: Component) -> i128 {
        match component {
            Component::Penalty => self.fee_open(),
            Component::Fee => self.open[0],
            Component::Interest => self.open[1],
            Component::Principal => self.open[2],
        }
    }

    fn pay(&mut self, component: Component, money: &mut i128) {
        let part = self.open_of(component).min(*money);
        *money -= part;
        self.paid += part;
        match component {
            Component::Penalty => self.taken += part,
            Component::Fee => self.open[0] -= part,
            Component::Interest => self.open[1] -= part,
            Component::Principal => self.open[2] -= part,
        }
    }

    fn class(&self, day: NaiveDate) -> DueClass {
        if self.installment.replaced || self.falls_due() < day {
            DueClass::PastDue
        } else if self.falls_due() == day {
            DueClass::Due
        } else {
            DueClass::InAdvance
        }
    }
}

/// A 365th of an amount in cents, half to even.
fn half_even(of_365: Decimal) -> i128 {
    let (cents, one) = (of_365.mantissa() * 100, 365 * 10_i128.pow(of_365.scale()));
    let (whole, rest) = (cents / one, cents % one);
    whole + i128::from(2 * rest > one || (2 * rest == one && whole % 2 == 1))
}

fn cents(amount: Money) -> i128 {
    let mut amount = amount.as_decimal();
    amount.rescale(2);
    amount.mantissa()
}

fn asked(installment: &Installment, policy: &Policy) -> [i128; 3] {
    let mut asked = [cents(installment.fee), cents(installment.interest), cents(installment.principal)];
    let mut off = cents(installment.adjusted);
    for component in policy.waterfall.order().iter().rev() {
        let place = match component {
            Component::Penalty => continue,
            Component::Fee => 0,
            Component::Interest => 1,
            Component::Principal => 2,
        };
        let part = off.min(asked[place]);
        asked[place] -= part;
        off -= part;
    }
    asked
}

/// The instants at which what money goes to changes.
fn divides(installment: &Installment) -> Vec<DateTime<Utc>> {
    let mut all: Vec<DateTime<Utc>> = installment.since.into_iter().collect();
    for time in &installment.left_out {
        all.extend([time.from, time.until]);
    }
    all
}

/// A payment, a waiver or a letter on its date.
#[derive(Clone, Debug)]
struct SteppedFact {
    on: NaiveDate,
    at: DateTime<Utc>,
    /// Index of the payment; `waiver` likewise.
    payment: Option<usize>,
    waiver: Option<usize>,
    is_letter: bool,
}

fn facts(account: &Account) -> Vec<SteppedFact> {
    let local = |at| business_date(account.time_zone, at);
    let divisions = |at: DateTime<Utc>| {
        let mut all: Vec<_> = account.installments().iter().flat_map(divides).collect();
        all.sort();
        all.dedup();
        all.into_iter().filter(|division| *division <= at).count()
    };
    let mut facts: Vec<SteppedFact> = Vec::new();
    for at in account.letters() {
        facts.push(SteppedFact { on: local(*at), at: *at, payment: None, waiver: None, is_letter: true });
    }
    for (place, waiver) in account.waivers().iter().enumerate() {
        let (on, at) = (local(waiver.at), waiver.at);
        facts.push(SteppedFact { on, at, payment: None, waiver: Some(place), is_letter: false });
    }
    for (place, payment) in account.payments().iter().enumerate() {
        if !payment.is_effective() {
            continue;
        }
        let at = payment.received_at;
        let before = facts
            .iter()
            .filter(|other| other.payment.is_some() && divisions(other.at) < divisions(at))
            .map(|other| other.on);
        let own = payment.value_date.min(local(at));
        let on = before.max().map_or(own, |before| before.max(own));
        facts.push(SteppedFact { on, at, payment: Some(place), waiver: None, is_letter: false });
    }
    facts.sort_by_key(|fact| (fact.on, fact.at));
    facts
}

/// Steps to `day`. No payment may name more than one installment.
///
/// Unless late fees count as arrears, they are charged on the principal that is open when no payment pays a late
/// fee, and the installments past due are those of that way.
pub(crate) fn stepped(account: &Account, policy: &Policy, day: NaiveDate) -> SteppedBalances {
    let without_fee = Policy { late_fee: None, ..policy.clone() };
    let (mut base, mut unused) = (Base::default(), Base::default());
    let judged = step_through(account, &without_fee, day, None, &mut base);
    if policy.late_fee.is_none_or(|fee| fee.fee_arrears_count) {
        return step_through(account, policy, day, None, &mut unused);
    }
    let shown = step_through(account, policy, day, Some(&base), &mut unused);
    SteppedBalances { unpaid_installments: judged.unpaid_installments, ..shown }
}

/// What a late fee is charged on.
#[derive(Default)]
struct Base {
    /// The open principal of each installment at the end of each date, in cents.
    principals: BTreeMap<NaiveDate, Vec<i128>>,
    /// The oldest installment past due when each letter left.
    addressed: Vec<Option<usize>>,
}

fn step_through(
    account: &Account,
    policy: &Policy,
    day: NaiveDate,
    base: Option<&Base>,
    own: &mut Base,
) -> SteppedBalances {
    let mut steps = AccrualSteps {
        account,
        policy,
        rows: account
            .installments()
            .iter()
            .map(|installment| SteppedRow {
                installment,
                open: asked(installment, policy),
                principal: asked(installment, policy)[2],
                accrued: Decimal::ZERO,
                headroom: Decimal::ZERO,
                taken: 0,
                paid: 0,
                fixed_charged: false,
                unpaused: 0,
                owed_since: installment.since.map(|since| business_date(account.time_zone, since)),
            })
            .collect(),
        credit: 0,
        came_by: DateTime::<Utc>::MIN_UTC,
        month: (0, 0),
        month_left: Decimal::ZERO,
    };
    let shift = i64::from(policy.day_count == DayCount::DueDay);
    let facts = facts(account);
    let first =
        facts.iter().map(|fact| fact.on).chain(steps.rows.iter().map(|row| row.installment.due_on)).min();
    let mut next = 0;
    let mut date = first.unwrap_or(day) - TimeDelta::days(2);
    // On each date the waiting credit is allocated first, then the day's payments; then the day elapses.
    let last = facts.last().map_or(day, |fact| fact.on.max(day));
    while date <= last {
        steps.credit_falls_due(date);
        while next < facts.len() && facts[next].on == date {
            if facts[next].is_letter {
                let addressed = steps.oldest_past_due(date);
                let letter = own.addressed.len();
                own.addressed.push(addressed);
                steps.letter(date, base.map_or(addressed, |base| base.addressed[letter]));
            }
            steps.happen(&facts[next], date);
            next += 1;
        }
        steps.credit_falls_due(date);
        // The remaining credit settles the debts that arise before the next payment.
        if facts[..next].iter().any(|fact| fact.payment.is_some()) {
            let more = facts[next..].iter().find(|fact| fact.payment.is_some());
            steps.came(more.map_or(DateTime::<Utc>::MAX_UTC, |more| more.at), date);
        }
        own.principals.insert(date, steps.rows.iter().map(|row| row.open[2]).collect());
        if date - TimeDelta::days(shift) < day {
            steps.elapse(date - TimeDelta::days(shift), base.map(|base| &base.principals[&date][..]));
        }
        date += TimeDelta::days(1);
    }
    assert_eq!(next, facts.len(), "a fact lies after the day");
    steps.on(day)
}

struct AccrualSteps<'a> {
    account: &'a Account,
    policy: &'a Policy,
    rows: Vec<SteppedRow<'a>>,
    credit: i128,
    /// The receipt of the latest payment: a debt that arises later waits for the next.
    came_by: DateTime<Utc>,
    month: (i32, u32),
    month_left: Decimal,
}

impl AccrualSteps<'_> {
    fn happen(&mut self, fact: &SteppedFact, date: NaiveDate) {
        if let Some(place) = fact.waiver {
            let waiver = &self.account.waivers()[place];
            let mut left = waiver.amount.map_or(i128::MAX, cents);
            for row in &mut self.rows {
                if waiver.number.is_none() || waiver.number == row.installment.number() {
                    let part = row.fee_open().min(left);
                    row.taken += part;
                    left -= part;
                }
            }
        }
        if let Some(place) = fact.payment {
            let payment = &self.account.payments()[place];
            self.came(payment.received_at, date);
            let mut money = cents(payment.standing());
            assert!(payment.applies_to.len() <= 1);
            if let Some(number) = payment.applies_to.first() {
                let policy = self.policy;
                let came_by = self.came_by;
                let named = self.rows.iter_mut().find(|row| row.installment.number() == Some(*number));
                if let Some(row) =
                    named.filter(|row| row.installment.since.is_none_or(|since| since <= came_by))
                {
                    for component in policy.waterfall.order_of(row.class(date)) {
                        row.pay(component, &mut money);
                    }
                }
            }
            self.credit += money;
            self.allocate(date);
        }
    }

    /// Allocates the remaining credit to the debts that arose by `at`, one division of time after the other.
    fn came(&mut self, at: DateTime<Utc>, date: NaiveDate) {
        let mut divisions: Vec<_> = self.account.installments().iter().flat_map(divides).collect();
        divisions.sort();
        for division in divisions.into_iter().filter(|division| *division <= at).chain([at]) {
            self.came_by = self.came_by.max(division);
            self.allocate(date);
        }
    }

    fn credit_falls_due(&mut self, date: NaiveDate) {
        if self.policy.overpayment != Overpayment::Credit {
            return;
        }
        let order = self.policy.waterfall.order_of(DueClass::Due);
        let in_turn = self.policy.waterfall.entries().is_some();
        let falls_due = |row: &&mut SteppedRow<'_>| row.falls_due() <= date && !row.installment.written_off;
        let mut rows: Vec<&mut SteppedRow<'_>> = self.rows.iter_mut().filter(falls_due).collect();
        // Twelve entries cross all due installments, each in turn; four pay installment by installment.
        let turns = if in_turn { order.map(|one| vec![one]).to_vec() } else { vec![order.to_vec()] };
        for components in turns {
            for row in &mut rows {
                for component in &components {
                    row.pay(*component, &mut self.credit);
                }
            }
        }
    }

    fn allocate(&mut self, date: NaiveDate) {
        let (policy, came_by) = (self.policy, self.came_by);
        let mut passes: Vec<(Option<DueClass>, Vec<Component>)> = Vec::new();
        match policy.waterfall.entries() {
            None if policy.overpayment == Overpayment::Next => {
                passes.push((None, policy.waterfall.order().to_vec()));
            }
            None => {
                for class in [DueClass::PastDue, DueClass::Due, DueClass::InAdvance] {
                    passes.push((Some(class), policy.waterfall.order().to_vec()));
                }
            }
            Some(entries) => {
                for entry in entries {
                    match passes.last_mut() {
                        Some((class, components))
                            if *class == Some(DueClass::InAdvance) && entry.class == DueClass::InAdvance =>
                        {
                            components.push(entry.component);
                        }
                        _ => passes.push((Some(entry.class), vec![entry.component])),
                    }
                }
            }
        }
        // What a replaced schedule left behind and is not past due by its date comes after all that is.
        let is_past_due = |(class, _): &(Option<DueClass>, Vec<Component>)| *class == Some(DueClass::PastDue);
        let of_entries = policy.waterfall.entries().is_some();
        let last = passes.iter().rposition(is_past_due).filter(|_| of_entries);
        let mut turns: Vec<(Option<DueClass>, Vec<Component>, Option<bool>)> = Vec::new();
        for (place, (class, components)) in passes.iter().enumerate() {
            turns.push((*class, components.clone(), of_entries.then_some(false)));
            if Some(place) == last {
                let all = passes.iter().filter(|one| is_past_due(one)).flat_map(|(_, all)| all.clone());
                turns.push((*class, all.collect(), Some(true)));
            }
        }
        for (class, components, early) in turns {
            let in_advance = class == Some(DueClass::InAdvance);
            if in_advance && policy.overpayment == Overpayment::Credit {
                continue;
            }
            let mut rows: Vec<&mut SteppedRow<'_>> = self
                .rows
                .iter_mut()
                .filter(|row| !row.installment.written_off)
                .filter(|row| row.takes_by(came_by))
                .filter(|row| class.is_none_or(|class| row.class(date) == class))
                .filter(|row| {
                    early.is_none_or(|early| early == (row.installment.replaced && row.falls_due() >= date))
                })
                .collect();
            if in_advance && policy.overpayment == Overpayment::Last {
                rows.reverse();
            }
            for row in rows {
                for component in &components {
                    row.pay(*component, &mut self.credit);
                }
            }
        }
    }

    /// The oldest installment past due that bears a fee.
    fn oldest_past_due(&self, date: NaiveDate) -> Option<usize> {
        let is_late = |row: &&SteppedRow<'_>| {
            let bears = !row.installment.written_off && !row.installment.replaced;
            bears && row.open[2] > 0 && row.falls_due() < date
        };
        let oldest = self.rows.iter().filter(is_late).map(|row| row.installment.due_on).min()?;
        self.rows.iter().position(|row| is_late(&row) && row.installment.due_on == oldest)
    }

    fn begin_month(&mut self, date: NaiveDate, fee: &LateFee) {
        if (date.year(), date.month()) != self.month {
            self.month = (date.year(), date.month());
            self.month_left = fee.cap_per_month.map_or(Decimal::MAX, |cap| cap.as_decimal() * of_year());
        }
    }

    /// Charges an installment for a letter of that date.
    fn letter(&mut self, date: NaiveDate, addressed: Option<usize>) {
        let (Some(fee), Some(place)) = (self.policy.late_fee, addressed) else { return };
        let Some(per_letter) = fee.per_letter else { return };
        // On the due day the letter's own date counts, from the day after only the dates before it.
        let today = u32::from(self.policy.day_count == DayCount::DueDay);
        let owed_by = date - TimeDelta::days(i64::from(1 - today));
        let row = &self.rows[place];
        let is_paused = self.account.pauses().iter().any(|pause| pause.from <= date && date < pause.until);
        let is_free = row.unpaused + today <= self.policy.free_days();
        if is_paused || is_free || row.owed_since.is_some_and(|since| since > owed_by) {
            return;
        }
        self.begin_month(date, &fee);
        let row = &mut self.rows[place];
        let charge = within_caps(&fee, row, per_letter.as_decimal() * of_year()).min(self.month_left);
        row.accrued += charge;
        if fee.cap_per_month.is_some() {
            self.month_left -= charge;
        }
    }

    /// Charges an elapsed day. Under `due_day` day 0 of an installment is the day before its due date.
    fn elapse(&mut self, day: NaiveDate, base: Option<&[i128]>) {
        let Some(fee) = self.policy.late_fee else { return };
        let shift = i64::from(self.policy.day_count == DayCount::DueDay);
        // The date on which the day's charge is owed.
        let counted_on = day + TimeDelta::days(1);
        let passes = day + TimeDelta::days(shift);
        self.begin_month(counted_on, &fee);
        for (place, row) in self.rows.iter_mut().enumerate() {
            let principal = base.map_or(row.open[2], |base| base[place]);
            let principal = Decimal::new(i64::try_from(principal).unwrap(), 2);
            let first = row.installment.due_on - TimeDelta::days(shift);
            let paused =
                self.account.pauses().iter().any(|pause| pause.from <= passes && passes < pause.until);
            row.unpaused += u32::from(day >= first && !paused);
            let owed = row.owed_since.is_none_or(|since| since - TimeDelta::days(shift) <= day);
            let bears = !row.installment.written_off && !row.installment.replaced;
            if !bears || principal.is_zero() || day < first || !owed {
                continue;
            }
            if let Some(cap) = fee.annual_cap {
                row.headroom += (cap.cost - cap.contract_rate) * principal;
            }
            if paused || row.unpaused <= self.policy.free_days() {
                continue;
            }
            let contract_rate =
                self.account.interest.map(|interest| interest.annual_rate).unwrap_or_default();
            let mut more = fee.contract_rate_times.unwrap_or_default() * contract_rate * principal;
            for stage in &self.policy.stages {
                let begins = stage.when.delinquent_days.map(|days| days + self.policy.grace_days);
                if begins == Some(row.unpaused) {
                    more += stage.late_fee.map(Money::as_decimal).unwrap_or_default() * of_year();
                }
            }
            let charge = charge(&fee, row, principal, more).min(self.month_left);
            row.accrued += charge;
            row.fixed_charged = true;
            if fee.cap_per_month.is_some() {
                self.month_left -= charge;
            }
        }
    }

    fn on(&self, day: NaiveDate) -> SteppedBalances {
        let mut stepped = SteppedBalances { credit: self.credit, ..SteppedBalances::default() };
        for row in &self.rows {
            let past_due = match self.policy.day_count {
                DayCount::DayAfter => row.installment.due_on < day,
                DayCount::DueDay => row.installment.due_on <= day,
            };
            let owes = row.open.iter().sum::<i128>() + row.fee_open();
            stepped.paid.push(row.paid);
            stepped.fees.push(if row.installment.written_off { 0 } else { row.fee_open() });
            if row.installment.written_off || owes == 0 {
                continue;
            }
            stepped.outstanding += owes;
            if past_due {
                stepped.overdue += owes;
                stepped.late_fee += row.fee_open();
                stepped.unpaid_installments += 1;
            }
        }
        stepped
    }
}

fn of_year() -> Decimal {
    Decimal::from(365)
}

/// 365 times a day's charge, before the month's cap; `more` comes beside the daily rate and the fixed fee.
fn charge(fee: &LateFee, row: &SteppedRow<'_>, principal: Decimal, more: Decimal) -> Decimal {
    let mut charge = fee.daily_rate.unwrap_or_default() * of_year() * principal + more;
    if let Some(fixed) = fee.fixed.filter(|_| !row.fixed_charged) {
        charge += fixed.as_decimal() * of_year();
    }
    within_caps(fee, row, charge)
}

/// As much of 365 times a charge as the installment's own caps allow.
fn within_caps(fee: &LateFee, row: &SteppedRow<'_>, mut charge: Decimal) -> Decimal {
    if fee.annual_cap.is_some() {
        charge = charge.min(row.headroom - row.accrued);
    }
    if let Some(cap) = fee.cap_per_installment_amount {
        charge = charge.min(cap.as_decimal() * of_year() - row.accrued);
    }
    if let Some(share) = fee.cap_per_installment {
        let whole = Decimal::new(i64::try_from(row.principal).unwrap(), 2);
        charge = charge.min(share * whole * of_year() - row.accrued);
    }
    charge
}
