//! The account where the dates of payments matter: one date after the other, each payment on its own date,
//! one charge for each late day.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::InstallmentLabel;
use duewatch_domain::kernel::DayCount;
use duewatch_domain::kernel::{Money, PaymentId};
use duewatch_domain::policy::{Component, DueClass, LateFee, Overpayment};
use rust_decimal::{Decimal, RoundingStrategy};

use super::books::{Books, Debt, ModelPayment, ModelWaiver, Piece};
use super::calendar;
use super::policies::ModelPolicies;

/// The days by which an annual rate is divided.
const DAYS_OF_YEAR: Decimal = Decimal::from_parts(365, 0, 0, false, 0);

/// More days than a calendar moves a due date.
const LONGEST_MOVE: u16 = 60;

/// An account's open debts under a policy, with the growth of its late fee.
#[derive(Debug, Default)]
pub(super) struct ModelLedger {
    /// By due date; of two on one date, in the contract's order. As if no payment had paid a late fee, unless the
    /// policy counts late fees as arrears.
    pub(super) debts: Vec<Debt>,
    /// The open debts with the late fees paid in the order of the policy, and their late fees.
    shown: Vec<Debt>,
    /// The open late fee of each debt, by evaluated day.
    fees: BTreeMap<NaiveDate, Vec<Money>>,
    /// The day on which the last payment or waiver counts. As the facts now stand it also counts on the days
    /// before: the open amount of those days is the same.
    stands_on: Option<NaiveDate>,
    /// Credit that is allocated only at a later due date, with that date.
    waiting: Vec<(NaiveDate, Money)>,
    /// The same where no payment pays a late fee.
    judged_waiting: Vec<(NaiveDate, Money)>,
    /// The open principal of each installment at the end of each date, and the date on which it was paid.
    principals: BTreeMap<NaiveDate, Vec<Decimal>>,
    /// The oldest installment past due at each letter, by the letter's number.
    addressed: BTreeMap<usize, Option<usize>>,
    pub(super) paid: Vec<PaidOn>,
}

/// Whether the dates of payments matter under one of the versions.
pub(super) fn is_dated(policies: &ModelPolicies) -> bool {
    policies.any(|policy| {
        policy.late_fee.is_some()
            || policy.waterfall.entries().is_some()
            || policy.overpayment != Overpayment::Next
    })
}

/// What is settled of a piece at an instant. Credit that waits for a due date settles nothing yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// Of its own amounts.
    pub(super) paid: Money,
    pub(super) paid_as_fee: Money,
    pub(super) fee_open: Money,
}

/// When an installment was paid, by the dates of the payments.
#[derive(Clone, Copy, Debug)]
pub(super) struct PaidOn {
    pub(super) due_on: NaiveDate,
    /// None: some of it is open.
    pub(super) on: Option<NaiveDate>,
    pub(super) replaced: bool,
}

impl ModelLedger {
    /// The ledger up to an evaluated day.
    pub(super) fn of(books: &Books, policies: &ModelPolicies, until: NaiveDate) -> Self {
        if is_dated(policies) {
            let without_fee = policies.without_fee();
            let judged = ModelLedgerSteps::of(books, &without_fee, None).walk(until);
            if !policies.any(|policy| policy.late_fee.is_some()) {
                return judged;
            }
            let shown = ModelLedgerSteps::of(books, policies, Some(&judged)).walk(until);
            if fees_are_arrears(policies.now()) {
                return shown;
            }
            return Self { debts: judged.debts, judged_waiting: judged.judged_waiting, ..shown };
        }
        let mut debts = books.debts();
        for debt in &mut debts {
            debt.due_on = moved(policies, &debt.label, debt.due_on);
        }
        debts.sort_by_key(|debt| debt.due_on);
        Self { shown: debts.clone(), debts, ..Self::default() }
    }

    /// The open late fee of the debt at an index, on a day that was walked to.
    pub(super) fn fee(&self, place: usize, day: NaiveDate) -> Money {
        let day = self.stands_on.map_or(day, |stands_on| stands_on.max(day));
        let first = self.fees.keys().next();
        if first.is_none_or(|first| day < *first) { Money::ZERO } else { self.fees[&day][place] }
    }

    /// Credit that is not allocated on a day but will be later.
    pub(super) fn waits_on(&self, day: NaiveDate) -> Money {
        self.waiting.iter().filter(|(date, _)| *date > day).map(|(_, amount)| *amount).sum()
    }

    /// The same where no payment pays a late fee.
    pub(super) fn judged_waits_on(&self, day: NaiveDate) -> Money {
        self.judged_waiting.iter().filter(|(date, _)| *date > day).map(|(_, amount)| *amount).sum()
    }

    /// The open debts of which amounts are shown.
    pub(super) fn shown(&self) -> &[Debt] {
        &self.shown
    }

    /// What is settled of each piece at an instant, in the order of the books.
    pub(super) fn settled(books: &Books, policies: &ModelPolicies, at: DateTime<Utc>) -> Vec<Settled> {
        Self::stepped_to(books, policies, at, |steps| {
            let mut settled = vec![None; steps.rows.len()];
            for row in &steps.rows {
                let own = row.asked - row.open.iter().sum::<Decimal>();
                let (paid, fee) = (steps.money(own), steps.money(row.paid_as_fee));
                settled[row.place] =
                    Some(Settled { paid, paid_as_fee: fee, fee_open: steps.money(row.fee_open()) });
            }
            settled.into_iter().flatten().collect()
        })
    }

    /// The money that nothing has taken at an instant, and the part of each payment that nothing took by name, in the
    /// order in which the payments counted.
    pub(super) fn credit(
        books: &Books,
        policies: &ModelPolicies,
        at: DateTime<Utc>,
    ) -> (Money, Vec<(PaymentId, Money)>) {
        Self::stepped_to(books, policies, at, |steps| {
            let unnamed = steps.unnamed.iter().map(|(id, amount)| (id.clone(), steps.money(*amount)));
            (steps.money(steps.credit), unnamed.collect())
        })
    }

    /// Reads the steps that an instant has reached.
    fn stepped_to<T>(
        books: &Books,
        policies: &ModelPolicies,
        at: DateTime<Utc>,
        read: impl FnOnce(&ModelLedgerSteps<'_>) -> T,
    ) -> T {
        let today = calendar::business_date(books.zone, at);
        let judged = calendar::judged_day(books.zone, policies.now().day_count, at);
        let without_fee = policies.without_fee();
        let base = ModelLedgerSteps::of(books, &without_fee, None).walk(today);
        let mut steps = ModelLedgerSteps::of(books, policies, Some(&base));
        steps.step_to(today, judged);
        read(&steps)
    }

    /// When each installment was paid, by the dates of the payments and without late fees.
    pub(super) fn paid_on(books: &Books, policies: &ModelPolicies, until: NaiveDate) -> Vec<PaidOn> {
        let without_fee = policies.without_fee();
        ModelLedgerSteps::of(books, &without_fee, None).walk(until).paid
    }
}

fn fees_are_arrears(policy: &Policy) -> bool {
    policy.late_fee.is_some_and(|fee| fee.fee_arrears_count)
}

/// The date by which a debt is to be paid: the first that is not before the date to which its own version moves the
/// contract's date, or the version of the contract's date once that is over. A chargeback is due on its very day.
fn moved(policies: &ModelPolicies, label: &InstallmentLabel, due_on: NaiveDate) -> NaiveDate {
    if !matches!(label, InstallmentLabel::Number(_)) || !policies.any(|policy| policy.business_days.is_some())
    {
        return due_on;
    }
    let moved_by = |policy: &Policy| match &policy.business_days {
        Some(rule) => calendar::moved(rule, due_on),
        None => due_on,
    };
    let begin = due_on - Days::new(LONGEST_MOVE.into());
    let mut dates = begin.iter_days().take(usize::from(2 * LONGEST_MOVE + 1));
    dates.find(|date| moved_by(policies.on((*date).min(due_on))) <= *date).unwrap_or(due_on)
}

/// An installment while it accrues and is paid.
#[derive(Debug)]
struct ModelRow<'a> {
    piece: &'a Piece,
    /// Its index in the books.
    place: usize,
    /// After the business day rule.
    due_on: NaiveDate,
    /// The date since which it is owed; none: since the contract.
    owed_since: Option<NaiveDate>,
    /// The number of divisions that must have passed before money may settle it.
    owed_after: usize,
    /// The numbers of divisions passed between which it was written off.
    left_out: Vec<[usize; 2]>,
    /// Open fee, interest and principal.
    open: [Decimal; 3],
    /// The sum of its own amounts at first, and the principal of them.
    asked: Decimal,
    principal: Decimal,
    /// 365 times the late fee, so that no division rounds.
    accrued: Decimal,
    /// The accrued late fee, rounded half to even.
    fee: Decimal,
    /// 365 times the room under the cap on the annual cost.
    room: Decimal,
    /// The sum of the open principal over the days since its due date.
    principal_days: Decimal,
    is_fixed_charged: bool,
    /// Late days outside pauses.
    unpaused: u32,
    /// Late fee kept from the schedule before; zero where no version has a late fee.
    kept: Decimal,
    /// The part of the late fee that was paid or waived.
    taken: Decimal,
    /// The part of `taken` that was paid.
    paid_as_fee: Decimal,
    /// What payments that name it and others had as its share, and spent on late fees of the others.
    displaced: Decimal,
    /// The date on which the last part of its own amounts was paid.
    paid_on: Option<NaiveDate>,
}

/// A payment or a waiver, and the date on which it counts.
#[derive(Debug)]
struct ModelEntry<'a> {
    on: NaiveDate,
    at: DateTime<Utc>,
    kind: ModelEntryKind<'a>,
}

#[derive(Debug)]
enum ModelEntryKind<'a> {
    /// A payment, the number of divisions before it, and its shares for the pieces it names where no fee
    /// takes a part.
    Payment(&'a ModelPayment, usize, Vec<(usize, Money)>),
    Waiver(&'a ModelWaiver),
    /// The letter of that number.
    Letter(usize),
}

/// Which leftovers of a replaced schedule have their turn.
#[derive(Clone, Copy)]
enum Leftovers {
    Taken,
    /// Those past due by their own date.
    PastDue,
    /// The others, and nothing else.
    NotPastDue,
}

struct ModelLedgerSteps<'a> {
    books: &'a Books,
    policies: &'a ModelPolicies,
    rows: Vec<ModelRow<'a>>,
    entries: Vec<ModelEntry<'a>>,
    /// The date that the walk has reached.
    date: NaiveDate,
    credit: Decimal,
    /// What each payment put on no installment by name.
    unnamed: Vec<(PaymentId, Decimal)>,
    /// The number of divisions before the last payment.
    passed: usize,
    /// The version of the last charge.
    charged_by: Option<u32>,
    /// The month of the last charge, and 365 times its charges.
    month: ((i32, u32), Decimal),
    /// The allocation whose principal bears the fee; none: this one.
    base: Option<&'a ModelLedger>,
    ledger: ModelLedger,
}

impl<'a> ModelLedgerSteps<'a> {
    fn of(books: &'a Books, policies: &'a ModelPolicies, base: Option<&'a ModelLedger>) -> Self {
        let has_fees = policies.any(|policy| policy.late_fee.is_some());
        let divisions: Vec<DateTime<Utc>> = books.dividing().iter().map(|division| division.at).collect();
        let mut rows: Vec<ModelRow<'a>> = books
            .pieces
            .iter()
            .enumerate()
            .map(|(place, piece)| {
                let since = books.since(piece).map(|division| division.at);
                let passed = |at| divisions.partition_point(|division| *division <= at);
                let left_out = piece.left_out.iter();
                let left_out =
                    left_out.map(|(from, until)| [*from, *until].map(|one| passed(books.divisions[one].at)));
                let open = asked(piece, policies.on(NaiveDate::MIN));
                ModelRow {
                    piece,
                    place,
                    due_on: moved(policies, &piece.label, piece.due_on),
                    owed_since: since.map(|at| calendar::business_date(books.zone, at)),
                    owed_after: since.map_or(0, passed),
                    left_out: left_out.collect(),
                    open,
                    asked: open.iter().sum(),
                    principal: open[2],
                    accrued: Decimal::ZERO,
                    fee: Decimal::ZERO,
                    room: Decimal::ZERO,
                    principal_days: Decimal::ZERO,
                    is_fixed_charged: false,
                    unpaused: 0,
                    kept: if has_fees { piece.kept_fee.as_decimal() } else { Decimal::ZERO },
                    taken: Decimal::ZERO,
                    paid_as_fee: Decimal::ZERO,
                    displaced: Decimal::ZERO,
                    paid_on: (open.iter().sum::<Decimal>().is_zero()).then_some(NaiveDate::MIN),
                }
            })
            .collect();
        rows.sort_by(|one, other| {
            (one.piece.due_on, &one.piece.label).cmp(&(other.piece.due_on, &other.piece.label))
        });
        Self {
            books,
            policies,
            rows,
            entries: entries(books, policies, &divisions),
            date: NaiveDate::MIN,
            credit: Decimal::ZERO,
            unnamed: Vec::new(),
            passed: 0,
            charged_by: None,
            month: ((0, 0), Decimal::ZERO),
            base,
            ledger: ModelLedger::default(),
        }
    }

    /// Steps through the dates up to `today`, on which the days up to `judged` are charged.
    fn step_to(&mut self, today: NaiveDate, judged: NaiveDate) {
        let entries = std::mem::take(&mut self.entries);
        let dues = self.rows.iter().flat_map(|row| [row.due_on, row.falls_due()]);
        let mut date = dues.chain(entries.iter().map(|entry| entry.on)).fold(today, NaiveDate::min);
        let last = entries.iter().map(|entry| entry.on).fold(today, NaiveDate::max);
        while date <= last {
            self.step(date, &entries, date <= judged);
            date = calendar::next(date);
        }
    }

    /// One date: what is charged, falls due and comes in.
    fn step(&mut self, date: NaiveDate, entries: &[ModelEntry<'a>], charges: bool) {
        self.date = date;
        // Counting from the day after, a payment of the day before came in time. Counting on the due day, every
        // payment of that date came in time.
        if charges && self.policy().day_count == DayCount::DayAfter {
            self.charge(date);
        }
        self.allocate_falling_due(date);
        for (place, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.on == date) {
            self.enter(entry, entries.get(place + 1..).unwrap_or_default());
        }
        if charges && self.policy().day_count == DayCount::DueDay {
            self.charge(date);
        }
    }

    /// Walks to the requested day and past every dated entry.
    fn walk(mut self, until: NaiveDate) -> ModelLedger {
        let entries = std::mem::take(&mut self.entries);
        let dues = || self.rows.iter().flat_map(|row| [row.due_on, row.falls_due()]);
        let came = || entries.iter().map(|entry| entry.on);
        let mut date = dues().chain(came()).fold(until, NaiveDate::min);
        let mut last = came().fold(until, NaiveDate::max);
        if self.credit_waits() {
            last = dues().fold(last, NaiveDate::max);
        }
        self.ledger.stands_on = entries.last().map(|entry| match self.policies.now().day_count {
            DayCount::DayAfter => entry.on,
            DayCount::DueDay => entry.on - TimeDelta::days(1),
        });
        while date <= last {
            self.step(date, &entries, true);
            if self.policies.any(|policy| policy.late_fee.is_some()) {
                self.note_fees(date);
            }
            let principals = self.rows.iter().map(|row| row.open[2]).collect();
            self.ledger.principals.insert(date, principals);
            date = calendar::next(date);
        }
        // As the facts now stand, every debt due by the last entry counts as settled all along.
        if let Some(last) = entries.last() {
            self.ledger.waiting.retain(|(date, _)| *date > last.on);
        }
        self.closed()
    }

    /// The open debts at the end, and the open late fee of each day.
    fn closed(mut self) -> ModelLedger {
        let fees = std::mem::take(&mut self.ledger.fees);
        let is_owed = |row: &ModelRow<'_>| {
            let owes = row.open.iter().sum::<Decimal>() + row.fee_open();
            !row.piece.written_off && owes > Decimal::ZERO
        };
        let mut owed: Vec<usize> = (0..self.rows.len()).filter(|place| is_owed(&self.rows[*place])).collect();
        owed.sort_by_key(|place| self.rows[*place].due_on);
        let debt = |place: &usize| {
            let row = &self.rows[*place];
            let amount = self.money(row.open.iter().sum());
            Debt { label: row.piece.label.clone(), due_on: row.due_on, amount }
        };
        let debts: Vec<Debt> = owed.iter().map(debt).collect();
        let open = |place: &usize, fees: &[Money]| {
            let row = &self.rows[*place];
            (fees[*place] + self.money(row.kept) - self.money(row.taken)).max(Money::ZERO)
        };
        let fees =
            fees.iter().map(|(day, fees)| (*day, owed.iter().map(|place| open(place, fees)).collect()));
        let fees = fees.collect();
        let paid = self.rows.iter().map(|row| PaidOn {
            due_on: row.due_on,
            on: row.paid_on,
            replaced: row.piece.replaced,
        });
        let paid = paid.collect();
        let judged_waiting = self.ledger.waiting.clone();
        ModelLedger { shown: debts.clone(), debts, fees, paid, judged_waiting, ..self.ledger }
    }

    #[expect(clippy::expect_used, reason = "what a test owes is no astronomical amount")]
    fn money(&self, mut amount: Decimal) -> Money {
        let minor_units = self.books.currency.minor_units();
        amount.rescale(minor_units);
        Money::from_minor(i64::try_from(amount.mantissa()).expect("a small amount"), minor_units)
    }

    /// Pays one component of one installment.
    fn pay(&mut self, place: usize, component: Component, money: &mut Decimal) {
        let fee_open = self.rows[place].fee_open();
        let row = &mut self.rows[place];
        let part = match component {
            Component::Penalty => fee_open.min(*money),
            _ => row.open[index(component)].min(*money),
        };
        *money -= part;
        match component {
            Component::Penalty => {
                row.taken += part;
                row.paid_as_fee += part;
            }
            _ => row.open[index(component)] -= part,
        }
        if row.paid_on.is_none() && row.open.iter().sum::<Decimal>().is_zero() {
            row.paid_on = Some(self.date);
        }
    }

    fn enter(&mut self, entry: &ModelEntry<'_>, later: &[ModelEntry<'_>]) {
        match &entry.kind {
            ModelEntryKind::Waiver(waiver) => self.waive(waiver),
            ModelEntryKind::Letter(number) => self.charge_letter(*number, entry.on),
            ModelEntryKind::Payment(payment, passed, named) => {
                self.passed = self.passed.max(*passed);
                self.receive(payment, named, entry.on);
                // The rest settles the debts that arise before the next payment.
                let next = later.iter().find_map(|entry| match entry.kind {
                    ModelEntryKind::Payment(_, passed, _) => Some(passed),
                    ModelEntryKind::Waiver(_) | ModelEntryKind::Letter(_) => None,
                });
                let all = self.books.dividing().len();
                while self.passed < next.unwrap_or(all) {
                    self.passed += 1;
                    self.allocate(entry.on);
                }
            }
        }
    }

    /// Charges the oldest installment past due for a letter.
    fn charge_letter(&mut self, number: usize, date: NaiveDate) {
        let policy = self.policy().clone();
        let own = self.oldest_past_due(date);
        self.ledger.addressed.insert(number, own);
        let base = self.base.filter(|_| !fees_are_arrears(&policy));
        let addressed = base.map_or(own, |base| base.addressed.get(&number).copied().flatten());
        let (Some(place), Some(fee)) = (addressed, policy.late_fee) else { return };
        let Some(per_letter) = fee.per_letter else { return };
        // Counting from the day after, the night before is counted already; on the due day, the date is not yet.
        let (gone_by, to_count) = match policy.day_count {
            DayCount::DayAfter => (date - TimeDelta::days(1), 0),
            DayCount::DueDay => (date, 1),
        };
        let row = &self.rows[place];
        let is_paused = self.books.pauses.iter().any(|pause| pause.from <= date && date < pause.until);
        let is_free = row.unpaused + to_count <= fee.free_days.unwrap_or(policy.grace_days);
        if is_paused || is_free || row.owed_since.is_some_and(|since| since > gone_by) {
            return;
        }
        self.begin_month(date);
        let (month_cap, charged) =
            (fee.cap_per_month.map(|cap| cap.as_decimal() * DAYS_OF_YEAR), self.month.1);
        let units = self.books.currency.minor_units();
        let row = &mut self.rows[place];
        let charge = row.within_caps(&fee, per_letter.as_decimal() * DAYS_OF_YEAR);
        let charge = month_cap.map_or(charge, |cap| charge.min((cap - charged).max(Decimal::ZERO)));
        row.accrue(charge, units);
        self.month.1 += charge;
        if self.policy().day_count == DayCount::DueDay {
            // It is owed at once, before the date itself counts.
            self.note_fees(date - TimeDelta::days(1));
        }
    }

    /// Notes the late fees as those of an evaluated day.
    fn note_fees(&mut self, day: NaiveDate) {
        let fees = self.rows.iter().map(|row| self.money(row.fee)).collect();
        self.ledger.fees.insert(day, fees);
    }

    /// The oldest installment past due that bears a fee.
    fn oldest_past_due(&self, date: NaiveDate) -> Option<usize> {
        let is_late = |row: &&ModelRow<'_>| {
            !row.piece.written_off
                && !row.piece.replaced
                && row.open[2] > Decimal::ZERO
                && row.falls_due() < date
        };
        let late = self.rows.iter().filter(is_late).map(|row| row.due_on).min()?;
        self.rows.iter().position(|row| is_late(&row) && row.due_on == late)
    }

    fn waive(&mut self, waiver: &ModelWaiver) {
        let mut left = waiver.amount.map(Money::as_decimal);
        for place in 0..self.rows.len() {
            if waiver.number.is_none_or(|number| self.rows[place].piece.is(number)) {
                let open = self.rows[place].fee_open();
                let part = left.map_or(open, |left| open.min(left));
                self.rows[place].taken += part;
                left = left.map(|left| left - part);
            }
        }
    }

    /// Allocates a payment to the installments it names, then by the policy. A payment for several gives each
    /// its share without late fee, plus that installment's late fee, plus the parts of earlier shares that
    /// were spent on other late fees. Naming one installment twice is naming it once.
    fn receive(&mut self, payment: &ModelPayment, named: &[(usize, Money)], date: NaiveDate) {
        let mut money = payment.amount.as_decimal();
        for (piece, share) in named {
            for place in 0..self.rows.len() {
                let row = &self.rows[place];
                if row.place != *piece {
                    continue;
                }
                let share = share.as_decimal();
                let most = share + row.fee_open() + row.paid_as_fee + row.displaced;
                let there = money;
                let mut part = if named.len() == 1 { money } else { money.min(most) };
                money -= part;
                for component in self.order_within(row.class(date)) {
                    self.pay(place, component, &mut part);
                }
                money += part;
                if named.len() > 1 && money.is_zero() && share > there {
                    let row = &mut self.rows[place];
                    row.displaced += (share - there).min(row.open.iter().sum());
                }
            }
        }
        self.unnamed.push((payment.id.clone(), money));
        self.credit += money;
        self.allocate(date);
    }

    /// The components of one installment of a due class, in the policy's order.
    fn order_within(&self, class: DueClass) -> Vec<Component> {
        match self.policy().waterfall.entries() {
            None => self.policy().waterfall.order().to_vec(),
            Some(entries) => {
                entries.iter().filter(|entry| entry.class == class).map(|entry| entry.component).collect()
            }
        }
    }

    /// Allocates all remaining credit as far as the date allows.
    fn allocate(&mut self, date: NaiveDate) {
        match self.policy().waterfall.entries() {
            None => {
                let order = self.policy().waterfall.order().to_vec();
                let all = [DueClass::PastDue, DueClass::Due, DueClass::InAdvance];
                if self.policy().overpayment == Overpayment::Next {
                    self.allocate_classes(&all, &order, date, Leftovers::Taken);
                } else {
                    for class in all {
                        self.allocate_classes(&[class], &order, date, Leftovers::Taken);
                    }
                }
            }
            Some(entries) => {
                // One entry after the other; the entries in advance together, installment by installment.
                let mut turns: Vec<(DueClass, Vec<Component>)> = Vec::new();
                for entry in entries {
                    let is_more = entry.class == DueClass::InAdvance;
                    match turns.last_mut() {
                        Some((DueClass::InAdvance, components)) if is_more => {
                            components.push(entry.component)
                        }
                        _ => turns.push((entry.class, vec![entry.component])),
                    }
                }
                let is_past_due = |(class, _): &(DueClass, Vec<Component>)| *class == DueClass::PastDue;
                let all_past_due: Vec<Component> =
                    turns.iter().filter(|turn| is_past_due(turn)).flat_map(|(_, all)| all.clone()).collect();
                let last = turns.iter().rposition(is_past_due);
                for (turn, (class, components)) in turns.iter().enumerate() {
                    self.allocate_classes(&[*class], components, date, Leftovers::PastDue);
                    if Some(turn) == last {
                        self.allocate_classes(&[*class], &all_past_due, date, Leftovers::NotPastDue);
                    }
                }
            }
        }
    }

    fn allocate_classes(
        &mut self,
        classes: &[DueClass],
        components: &[Component],
        date: NaiveDate,
        leftovers: Leftovers,
    ) {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        if *classes == [DueClass::InAdvance] {
            match self.policy().overpayment {
                Overpayment::Next => {}
                Overpayment::Last => places.reverse(),
                Overpayment::Credit => return,
            }
        }
        for place in places {
            let row = &self.rows[place];
            let was_left_out =
                row.left_out.iter().any(|[from, until]| *from <= self.passed && self.passed < *until);
            if row.piece.written_off || row.owed_after > self.passed || was_left_out {
                continue;
            }
            let comes_early = row.piece.replaced && row.falls_due() >= date;
            let is_its_turn = match leftovers {
                Leftovers::Taken => true,
                Leftovers::PastDue => !comes_early,
                Leftovers::NotPastDue => comes_early,
            };
            if !classes.contains(&row.class(date)) || !is_its_turn {
                continue;
            }
            let mut credit = self.credit;
            for component in components {
                self.pay(place, *component, &mut credit);
            }
            self.credit = credit;
        }
    }

    /// The version that binds on the date that the walk has reached.
    fn policy(&self) -> &'a Policy {
        self.policies.on(self.date)
    }

    fn credit_waits(&self) -> bool {
        self.policies.any(|policy| policy.overpayment == Overpayment::Credit)
    }

    /// Allocates the credit to the debts that are due.
    fn settle_due(&mut self, date: NaiveDate) {
        if self.policy().overpayment == Overpayment::Credit {
            return self.allocate(date);
        }
        let order = self.order_within(DueClass::Due);
        self.allocate_classes(&[DueClass::Due], &order, date, Leftovers::Taken);
    }

    /// Allocates waiting credit to the debts that fall due.
    fn allocate_falling_due(&mut self, date: NaiveDate) {
        let before = self.credit;
        if self.credit_waits() {
            self.settle_due(date);
        }
        self.ledger.waiting.push((date, self.money(before - self.credit)));
    }

    fn begin_month(&mut self, day: NaiveDate) {
        let month = (day.year(), day.month());
        if self.month.0 != month {
            self.month = (month, Decimal::ZERO);
        }
    }

    /// Charges each installment past due for one more day.
    fn charge(&mut self, day: NaiveDate) {
        let yesterday = day - TimeDelta::days(1);
        // The day that has passed.
        let gone_by = match self.policy().day_count {
            DayCount::DayAfter => yesterday,
            DayCount::DueDay => day,
        };
        let policy = self.policies.on(gone_by).clone();
        let fee = policy.late_fee.unwrap_or_default();
        if self.charged_by != Some(policy.version) {
            // The caps of a new version count what accrued before.
            for row in &mut self.rows {
                let headroom = fee.annual_cap.map_or(Decimal::ZERO, |cap| cap.cost - cap.contract_rate);
                row.room = (headroom * row.principal_days).max(row.accrued);
            }
            self.charged_by = Some(policy.version);
        }
        self.begin_month(day);
        let month_cap = fee.cap_per_month.map(|cap| cap.as_decimal() * DAYS_OF_YEAR);
        let free_days = fee.free_days.unwrap_or(policy.grace_days);
        let units = self.books.currency.minor_units();
        let contract_rate = self.books.annual_rate.unwrap_or_default();
        let is_paused = self.books.pauses.iter().any(|pause| pause.from <= gone_by && gone_by < pause.until);
        let base =
            self.base.filter(|_| !fees_are_arrears(&policy)).and_then(|base| base.principals.get(&gone_by));
        for (place, row) in self.rows.iter_mut().enumerate() {
            let principal = base.map_or(row.open[2], |base| base[place]);
            if gone_by < row.due_on {
                continue;
            }
            row.unpaused += u32::from(!is_paused);
            let is_owed = row.owed_since.is_none_or(|since| since <= gone_by);
            let bears_none = row.piece.written_off || row.piece.replaced;
            if bears_none || !is_owed || principal.is_zero() {
                continue;
            }
            if let Some(cap) = fee.annual_cap {
                row.room += (cap.cost - cap.contract_rate) * principal;
            }
            row.principal_days += principal;
            if !is_paused && row.unpaused > free_days {
                let charge = row.charge(&policy, &fee, principal, contract_rate);
                let charge =
                    month_cap.map_or(charge, |cap| charge.min((cap - self.month.1).max(Decimal::ZERO)));
                row.accrue(charge, units);
                row.is_fixed_charged = true;
                self.month.1 += charge;
            }
        }
    }
}

impl ModelRow<'_> {
    fn fee_open(&self) -> Decimal {
        self.fee + self.kept - self.taken
    }

    fn accrue(&mut self, charge: Decimal, units: u32) {
        self.accrued += charge;
        let half_even = RoundingStrategy::MidpointNearestEven;
        self.fee = (self.accrued / DAYS_OF_YEAR).round_dp_with_strategy(units, half_even);
    }

    /// A debt falls due at the earliest on the date since which it is owed.
    fn falls_due(&self) -> NaiveDate {
        self.owed_since.map_or(self.due_on, |since| since.max(self.due_on))
    }

    /// The due class on a date. Payments under a replaced schedule stay allocated.
    fn class(&self, date: NaiveDate) -> DueClass {
        let falls_due = self.falls_due();
        if self.piece.replaced || falls_due < date {
            DueClass::PastDue
        } else if falls_due == date {
            DueClass::Due
        } else {
            DueClass::InAdvance
        }
    }

    /// 365 times the charge of one day, within the caps of the installment.
    fn charge(&self, policy: &Policy, fee: &LateFee, principal: Decimal, contract_rate: Decimal) -> Decimal {
        let mut charge = fee.daily_rate.unwrap_or_default() * principal * DAYS_OF_YEAR;
        charge += fee.contract_rate_times.unwrap_or_default() * contract_rate * principal;
        for stage in &policy.stages {
            let begins = stage.when.delinquent_days.map(|days| days + policy.grace_days);
            if let Some(per_stage) = stage.late_fee.filter(|_| begins == Some(self.unpaused)) {
                charge += per_stage.as_decimal() * DAYS_OF_YEAR;
            }
        }
        if let Some(fixed) = fee.fixed.filter(|_| !self.is_fixed_charged) {
            charge += fixed.as_decimal() * DAYS_OF_YEAR;
        }
        self.within_caps(fee, charge)
    }

    /// As much of 365 times a charge as the caps of the installment allow.
    fn within_caps(&self, fee: &LateFee, charge: Decimal) -> Decimal {
        let mut charge = charge;
        let amount = fee.cap_per_installment_amount.map(|most| most.as_decimal() * DAYS_OF_YEAR);
        let share = fee.cap_per_installment.map(|share| share * self.principal * DAYS_OF_YEAR);
        let annual = fee.annual_cap.map(|_| self.room);
        for most in [amount, share, annual].into_iter().flatten() {
            charge = charge.min((most - self.accrued).max(Decimal::ZERO));
        }
        charge
    }
}

/// The amounts due of fee, interest and principal. A reduction takes from the component that is settled last;
/// an increase adds to that component.
fn asked(piece: &Piece, policy: &Policy) -> [Decimal; 3] {
    let mut imposed = piece.parts.map(Money::as_decimal);
    let mut off = imposed.iter().sum::<Decimal>() - piece.due.as_decimal();
    let order = policy.waterfall.order();
    for component in order.iter().rev().filter(|component| **component != Component::Penalty) {
        let part = off.min(imposed[index(*component)]);
        imposed[index(*component)] -= part;
        off -= part;
    }
    imposed
}

/// The index of a component in an installment; a late fee has none.
fn index(component: Component) -> usize {
    match component {
        Component::Fee => 0,
        Component::Interest => 1,
        Component::Principal | Component::Penalty => 2,
    }
}

/// The payments and waivers in the order in which they count: by date, then by the instant they became known.
/// A payment counts from its value date, or from its day of receipt if that is earlier, but never before a
/// payment received ahead of a division that it follows.
fn entries<'a>(
    books: &'a Books,
    policies: &ModelPolicies,
    divisions: &[DateTime<Utc>],
) -> Vec<ModelEntry<'a>> {
    let date = |at| calendar::business_date(books.zone, at);
    let waivers = books.waivers.iter().map(|waiver| ModelEntry {
        on: date(waiver.at),
        at: waiver.at,
        kind: ModelEntryKind::Waiver(waiver),
    });
    let letters = books.letters.iter().enumerate().filter(|(_, at)| policies.letter_costs(date(**at)));
    let letters = letters.map(|(number, at)| ModelEntry {
        on: date(*at),
        at: *at,
        kind: ModelEntryKind::Letter(number),
    });
    let mut entries: Vec<ModelEntry<'a>> = letters.chain(waivers).collect();
    let mut payments: Vec<ModelEntry<'a>> = Vec::new();
    for (payment, named) in books.named() {
        let passed = divisions.iter().filter(|division| **division <= payment.received_at).count();
        let came_on = date(payment.received_at);
        let own = payment.value_date.map_or(came_on, |value_date| value_date.min(came_on));
        let before = payments.iter().filter(|other| match other.kind {
            ModelEntryKind::Payment(_, others, _) => others < passed,
            ModelEntryKind::Waiver(_) | ModelEntryKind::Letter(_) => false,
        });
        let on = before.map(|other| other.on).max().map_or(own, |before| before.max(own));
        payments.push(ModelEntry {
            on,
            at: payment.received_at,
            kind: ModelEntryKind::Payment(payment, passed, named),
        });
    }
    entries.append(&mut payments);
    entries.sort_by_key(|entry| (entry.on, entry.at));
    entries
}
