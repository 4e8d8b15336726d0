//! From the debts to a day's figures, stage and restrictions, one day after the other.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::Policy;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{DelinquencyPause, InstallmentLabel};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::DayCount;
use duewatch_domain::kernel::Money;
use duewatch_domain::policy::{Class, Exceed, HardshipCause, Restriction, Stage, When};

use super::answers::{Answers, ModelDispute};
use super::books::{Books, Debt};
use super::ledger::{ModelLedger, PaidOn};
use super::memory::{DelinquencyEpisode, Memory};
use super::policies::ModelPolicies;
use super::recorded::{ModelBinding, ModelRecorded};
use super::{ModelAssessment, calendar};

/// The restrictions that each of the customer's other accounts imposes, and since when.
pub(super) type ModelImposed = BTreeMap<AccountId, (DateTime<Utc>, Vec<Restriction>)>;

/// The most days walked to find the first of a delinquency episode.
const MAX_DAYS: u32 = 4_000;

/// The days beyond an evaluation for which late fees are known, where the holds' days are counted ahead.
const HOLDS_LOOK_AHEAD: u64 = 90;

/// The course of an account under a policy while no fact changes.
#[derive(Debug)]
pub(super) struct ModelCourse<'p> {
    pub(super) zone: Tz,
    pub(super) policies: &'p ModelPolicies,
    /// The version that binds now.
    pub(super) policy: &'p Policy,
    pub(super) enforced: bool,
    /// The date of the last schedule replacement.
    pub(super) replaced_on: Option<NaiveDate>,
    /// The date of the last one that counts as forbearance.
    pub(super) forborne_on: Option<NaiveDate>,
    /// The date of the evaluation.
    pub(super) today: NaiveDate,
    ledger: ModelLedger,
    /// The open debts that stages and reminders are about: none is on hold.
    judged: Vec<Debt>,
    pauses: Vec<DelinquencyPause>,
    recorded: ModelRecorded,
    pub(super) answers: Answers,
    /// When each installment was paid, where the policy has a first-lapse tolerance or classes.
    pub(super) paid_on: Vec<PaidOn>,
    /// The material days in a row, and the paused ones of them, on each date from the oldest due date on, as far as they
    /// were asked for.
    material_days: RefCell<Vec<(u32, u32)>>,
    /// The promises and disputes that delay plain reminders.
    waits: Vec<ModelWait>,
    pub(super) memory: Memory,
    /// The days for which the last evaluation vouches; none: the account was never evaluated.
    vouched: Option<[NaiveDate; 2]>,
    /// The first day without any hold, as far as it is found out; none: holds go on.
    holds_over_on: Cell<Option<NaiveDate>>,
    /// The restrictions imposed by the customer's other accounts.
    imposed: Vec<(DateTime<Utc>, Vec<Restriction>)>,
}

/// The figures that stage conditions compare.
#[derive(Debug)]
struct ModelFigures {
    days_past_due: u32,
    delinquent_days: u32,
    overdue: Money,
    unpaid_installments: u32,
    outstanding: Money,
    late_fee: Money,
    /// The days and amounts that stages compare.
    stage_days_past_due: u32,
    stage_delinquent_days: u32,
    stage_installments: u32,
    judged_overdue: Money,
    judged_outstanding: Money,
}

/// A day in the life of an account.
#[derive(Clone, Copy, Debug)]
struct ModelDay {
    date: NaiveDate,
    /// Days since the oldest due date; `paused` counts those within a pause.
    passed: u32,
    paused: u32,
    days_past_due: u32,
    delinquent_days: u32,
}

/// A delay of plain reminders, from an instant until a date begins.
#[derive(Clone, Copy, Debug)]
struct ModelWait {
    since: DateTime<Utc>,
    over_on: NaiveDate,
}

/// The state of one stage.
#[derive(Clone, Copy, Debug, Default)]
struct StageState {
    holds: bool,
    /// The stage's restrictions are in force, or would be if it were the most severe.
    restricts: bool,
}

/// The state of all stages: the most severe that holds, and the one whose restrictions are in force, each
/// with the day on which that began.
#[derive(Debug)]
struct Ladder {
    stages: Vec<StageState>,
    /// Those that restricted on any day.
    restricted: Vec<bool>,
    top: (Option<usize>, Option<NaiveDate>),
    restricting: (Option<usize>, Option<NaiveDate>),
}

impl<'p> ModelCourse<'p> {
    pub(super) fn of(
        books: &Books,
        policies: &'p ModelPolicies,
        memory: &Memory,
        imposed: &ModelImposed,
        until: DateTime<Utc>,
    ) -> Self {
        let policy = policies.now();
        let judged_day = |at| calendar::judged_day(books.zone, policy.day_count, at);
        let vouched = memory.vouched(until).map(|instants| instants.map(judged_day));
        let (today, until) = (calendar::business_date(books.zone, until), judged_day(until));
        let looks_ahead = policy.holds.as_ref().map_or(0, |_| HOLDS_LOOK_AHEAD);
        let ledger = ModelLedger::of(books, policies, until + Days::new(looks_ahead));
        let is_held =
            |label: &InstallmentLabel| books.pieces.iter().any(|one| one.held && one.label == *label);
        Self {
            zone: books.zone,
            policies,
            policy,
            replaced_on: books.replaced_on,
            forborne_on: books.forborne_on,
            today,
            judged: ledger.debts.iter().filter(|debt| !is_held(&debt.label)).cloned().collect(),
            ledger,
            pauses: books.pauses.clone(),
            enforced: books.enforced,
            recorded: books.recorded.clone(),
            paid_on: if policy.first_lapse_tolerance.is_some() || policy.classification.is_some() {
                ModelLedger::paid_on(books, policies, until)
            } else {
                Vec::new()
            },
            answers: books.answers.clone(),
            material_days: RefCell::default(),
            waits: waits(books, policy),
            memory: memory.clone(),
            vouched,
            holds_over_on: Cell::new(None),
            imposed: imposed.values().cloned().collect(),
        }
    }

    /// The open debts that stages and reminders are about, the oldest first.
    pub(super) fn debts(&self) -> &[Debt] {
        &self.judged
    }

    /// All open debts, the oldest first.
    pub(super) fn all_debts(&self) -> &[Debt] {
        &self.ledger.debts
    }

    pub(super) fn counts_from(&self, day: NaiveDate) -> DateTime<Utc> {
        calendar::counts_from(self.zone, self.policy.day_count, day)
    }

    pub(super) fn judged_day(&self, now: DateTime<Utc>) -> NaiveDate {
        calendar::judged_day(self.zone, self.policy.day_count, now)
    }

    pub(super) fn is_past_due(&self, due_on: NaiveDate, day: NaiveDate) -> bool {
        match self.policy.day_count {
            DayCount::DayAfter => due_on < day,
            DayCount::DueDay => due_on <= day,
        }
    }

    /// The status on a day, reached through every day since the oldest debt fell due.
    pub(super) fn judge(&self, judged_day: NaiveDate) -> ModelAssessment {
        let stages = &self.policy.stages;
        self.holds_over_on.set(None);
        let over_on = self.holds_over_on(judged_day);
        self.holds_over_on.set(over_on);
        let is_first = self.is_first_episode(self.memory.episode_on(self, judged_day));
        let held_back = self.held_back(judged_day, is_first);
        let (mut ladder, day) = self.climb_to(judged_day, is_first, &held_back);
        self.holds_over_on.set(None);
        if !self.enforced {
            (ladder.top, ladder.restricting) = ((None, None), (None, None));
        }
        let name =
            |stage_index: Option<usize>| stage_index.map_or("current", |place| stages[place].name.as_str());
        let past_due = |debt: &&Debt| self.is_past_due(debt.due_on, judged_day);
        let figures = self.figures(&day);
        let classes = self.memory.classes_on(self, judged_day);
        ModelAssessment {
            stage: name(ladder.top.0).to_owned(),
            holds_since: ladder.top.1,
            restricting: name(ladder.restricting.0).to_owned(),
            restricted_since: ladder.restricting.1,
            restrictions: self.restrictions(ladder.restricting.0, judged_day),
            imposes: self.imposes(ladder.restricting.0),
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            overdue: figures.overdue,
            oldest_due_on: self.all_debts().first().filter(past_due).map(|oldest| oldest.due_on),
            outstanding: figures.outstanding,
            late_fee: self.policy.late_fee.map(|_| figures.late_fee),
            unpaid_installments: figures.unpaid_installments,
            class: self.policy.classification.as_ref().and_then(|rules| classes?.class(rules)),
        }
    }

    /// The stages whose restrictions came to light in a hold, as it is seen on a day, each with the day on which they did.
    fn held_back(&self, seen_on: NaiveDate, is_first: bool) -> Vec<(usize, NaiveDate)> {
        let mut held_back: Vec<(usize, NaiveDate)> = Vec::new();
        for known_on in self.vouched.into_iter().flatten().filter(|on| *on <= seen_on && self.is_held(*on)) {
            let (ladder, _) = self.climb_to(known_on, is_first, &held_back);
            held_back.extend(self.new_in(&ladder).into_iter().map(|place| (place, known_on)));
        }
        held_back
    }

    /// The days from one on, as seen on it, on which a hold keeps back a restriction that is not in force: at most so
    /// many. All holds have begun by then, so none follows where none goes on.
    pub(super) fn kept_back_from(&self, today: NaiveDate, most: usize) -> BTreeSet<NaiveDate> {
        let is_first = self.is_first_episode(self.memory.episode_on(self, today));
        let held_back = self.held_back(today, is_first);
        let (mut ladder, mut day) = self.climb_to(today, is_first, &held_back);
        let mut days = BTreeSet::new();
        while days.len() < most && (day.date == today || self.is_waited_for(day.date)) {
            let is_held = self.is_waited_for(day.date) && !self.is_paused(day.date);
            if is_held && self.is_kept_back(&ladder, &day, is_first) {
                days.insert(day.date);
            }
            if day.days_past_due == 0 {
                (ladder, day) = self.climb_to(calendar::next(day.date), is_first, &held_back);
            } else {
                day = self.next(&day);
                self.climb(&mut ladder, &day, is_first, &held_back);
            }
        }
        days
    }

    /// Whether a restriction that is not in force would be, if it were not for a hold.
    fn is_kept_back(&self, ladder: &Ladder, day: &ModelDay, is_first: bool) -> bool {
        let figures = self.figures(day);
        let known = &self.memory.restrictions;
        let is_delinquent = self.stage_days(day).1 > 0;
        self.policy.stages.iter().zip(&ladder.stages).any(|(stage, state)| {
            let is_missing = stage.restrictions.iter().any(|one| !known.contains(one));
            let would_restrict = self.holds(&stage.when, &figures, day.date)
                && !(is_first && self.is_tolerated(&figures))
                && !self.lacks_notice(stage, day.date);
            is_delinquent && is_missing && would_restrict && !state.restricts
        })
    }

    /// The restrictions of the stage and those imposed by other accounts; none where restrictions are not
    /// enforced.
    fn restrictions(&self, restricting: Option<usize>, day: NaiveDate) -> Vec<Restriction> {
        let stage = restricting.map(|place| &self.policy.stages[place].restrictions);
        let mut all = Vec::new();
        let begun = self.imposed.iter().filter(|(since, _)| {
            let imposed_on = self.judged_day(*since);
            !self.is_paused(imposed_on) || self.begins_outside_pauses(imposed_on) <= day
        });
        for one in stage.into_iter().flatten().chain(begun.flat_map(|(_, imposed)| imposed)) {
            if self.enforced && !all.contains(one) {
                all.push(one.clone());
            }
        }
        all
    }

    /// The first day from this one on that is not paused.
    fn begins_outside_pauses(&self, day: NaiveDate) -> NaiveDate {
        let mut day = day;
        while self.is_paused(day) {
            day = calendar::next(day);
        }
        day
    }

    /// The restrictions imposed on the customer's other accounts, from the rule's stage on.
    fn imposes(&self, restricting: Option<usize>) -> Vec<Restriction> {
        let (Some(rule), Some(place)) = (&self.policy.customer, restricting) else { return Vec::new() };
        let reached = self.policy.stages[..=place].iter().any(|stage| stage.name == rule.stage);
        if reached { rule.restrictions.clone() } else { Vec::new() }
    }

    /// Whether the account has delinquent days on a date.
    pub(super) fn is_delinquent(&self, date: NaiveDate) -> bool {
        let mut day = self.begin(date);
        while day.date < date {
            day = self.next(&day);
        }
        self.stage_days(&day).1 > 0
    }

    /// Whether a debt on hold has delinquent days on a date, which no stage counts.
    pub(super) fn is_delinquent_on_hold(&self, date: NaiveDate) -> bool {
        let mut on_hold = self.all_debts().iter().filter(|debt| !self.debts().contains(debt));
        on_hold.any(|debt| self.days_since(debt.due_on, date).1 > 0)
    }

    /// Whether an installment was late within the days of an episode, by the dates of the payments as they now stand.
    pub(super) fn was_late(&self, episode: (NaiveDate, NaiveDate)) -> bool {
        let (since, over_on) = episode;
        // The version under which it began.
        let policy = self.policies.on(since);
        self.paid_on.iter().any(|paid| {
            // A payment of the date itself is in time where the days count from its end.
            let mut date = paid.due_on;
            let mut late_days = 0_u32;
            let mut first_late = None;
            while date <= over_on && first_late.is_none() {
                let (counted, next) = (date, calendar::next(date));
                let day = match policy.day_count {
                    DayCount::DayAfter => next,
                    DayCount::DueDay => date,
                };
                late_days += u32::from(!self.is_paused(counted));
                first_late = (late_days > policy.grace_days).then_some(day);
                date = next;
            }
            let Some(first_late) = first_late.filter(|first_late| *first_late <= over_on) else {
                return false;
            };
            let in_time = |on: NaiveDate| match policy.day_count {
                DayCount::DayAfter => on < first_late,
                DayCount::DueDay => on <= first_late,
            };
            let of_replaced = paid.replaced && self.replaced_on.is_some_and(|on| on >= since);
            match paid.on {
                None => true,
                Some(on) if of_replaced => on >= since || first_late >= since,
                Some(on) => !in_time(on) && on >= since,
            }
        })
    }

    /// Whether an installment was past due by so many days at the end of a date from `since` on, by the dates of the
    /// payments as they now stand. A schedule replaced since proves nothing.
    pub(super) fn was_past_due_by(&self, class: &Class, since: NaiveDate) -> bool {
        // By the version of that day, where it had the class.
        let policy = self.policies.on(since);
        let classes = policy.classification.iter().flat_map(|rules| &rules.classes);
        let then = classes.into_iter().find(|one| one.name == class.name).unwrap_or(class);
        let days = then.days_past_due;
        if self.replaced_on >= Some(since) {
            return true;
        }
        self.paid_on.iter().any(|paid| {
            // The installment is open at the end of each date before the one of its payment, and was open on that
            // date until the payment.
            let mut date = paid.due_on;
            let mut count = 0;
            loop {
                date = calendar::next(date);
                count += 1;
                let is_known = match policy.day_count {
                    DayCount::DayAfter => date <= self.today,
                    DayCount::DueDay => date <= calendar::next(self.today),
                };
                let is_open = paid.on.is_none_or(|on| date <= on);
                if !is_open || (!is_known && paid.on.is_none()) {
                    return false;
                }
                if count >= days && paid.on.is_none_or(|on| on >= since) {
                    return true;
                }
            }
        })
    }

    /// The first delinquent day, if no fact changes.
    pub(super) fn first_delinquent_day(&self) -> Option<NaiveDate> {
        let mut day = self.begin(self.debts().first()?.due_on);
        for _ in 0..MAX_DAYS {
            if self.stage_days(&day).1 > 0 {
                return Some(day.date);
            }
            day = self.next(&day);
        }
        None
    }

    /// The date on which the wait for a payment in process ends.
    fn process_over_on(&self) -> Option<NaiveDate> {
        let most = self.policy.payment_in_process.as_ref()?.max_days;
        let process = self.recorded.process?;
        let since = calendar::business_date(self.zone, process.since);
        Some(process.until.min(since + Days::new(most.into())))
    }

    fn in_process_since(&self) -> Option<DateTime<Utc>> {
        self.recorded.process.map(|process| process.since)
    }

    /// Whether a notice due at an instant waits: in a pause, and for a payment in process that was reported before.
    pub(super) fn notice_waits(&self, at: DateTime<Utc>) -> bool {
        self.is_paused(calendar::business_date(self.zone, at)) || self.process_waits(at)
    }

    fn process_waits(&self, at: DateTime<Utc>) -> bool {
        let since = self.in_process_since().is_some_and(|since| since < at);
        since && self.process_over_on().is_some_and(|over_on| at < calendar::begin(self.zone, over_on))
    }

    /// Whether a plain reminder waits: a promise or a dispute delays it too. One that announces a due date waits for
    /// no pause.
    pub(super) fn reminder_waits(&self, at: DateTime<Utc>, is_coming: bool) -> bool {
        let goes_on = |wait: &ModelWait| wait.since < at && at < calendar::begin(self.zone, wait.over_on);
        let is_paused = !is_coming && self.is_paused(calendar::business_date(self.zone, at));
        is_paused || self.process_waits(at) || self.waits.iter().any(goes_on)
    }

    /// The date so many unpaused days after another. Counting on the due day, a paused date is free itself; counting
    /// from the day after, the day that follows it.
    pub(super) fn after_unpaused(&self, date: NaiveDate, days: i64) -> NaiveDate {
        let (mut date, mut left) = (date, days);
        while left > 0 {
            let next = calendar::next(date);
            let counted = match self.policy.day_count {
                DayCount::DayAfter => date,
                DayCount::DueDay => next,
            };
            left -= i64::from(!self.is_paused(counted));
            date = next;
        }
        date
    }

    /// The due date of the oldest debt past due on `date`; without one, `date` itself.
    fn begin(&self, date: NaiveDate) -> ModelDay {
        let oldest = self.all_debts().first().map(|oldest| oldest.due_on);
        let date = oldest.filter(|due_on| self.is_past_due(*due_on, date)).unwrap_or(date);
        self.day(date, 0, 0)
    }

    fn next(&self, day: &ModelDay) -> ModelDay {
        let (passed, paused) = (day.passed + 1, day.paused + u32::from(self.is_paused(day.date)));
        self.day(calendar::next(day.date), passed, paused)
    }

    fn is_paused(&self, day: NaiveDate) -> bool {
        self.pauses.iter().any(|pause| pause.from <= day && day < pause.until)
    }

    /// The days past due and the delinquent days that stages ask for: those since which the overdue balance has been
    /// material without a break, where the policy has materiality.
    fn stage_days(&self, day: &ModelDay) -> (u32, u32) {
        if self.policy.materiality.is_none() {
            let Some(oldest) = self.debts().first() else { return (0, 0) };
            if self.all_debts().first() == Some(oldest) {
                return (day.days_past_due, day.delinquent_days);
            }
            return self.days_since(oldest.due_on, day.date);
        }
        let Some(oldest) = self.debts().first().map(|oldest| oldest.due_on) else { return (0, 0) };
        let Ok(place) = usize::try_from((day.date - oldest).num_days()) else { return (0, 0) };
        // Each date goes on from the one before it.
        let mut known = self.material_days.borrow_mut();
        while known.len() <= place {
            let date = oldest + Days::new(known.len() as u64);
            let (count, free) = known.last().copied().unwrap_or_default();
            let counted = match self.policy.day_count {
                DayCount::DayAfter => date - Days::new(1),
                DayCount::DueDay => date,
            };
            let is_material = self.is_past_due(oldest, date) && self.is_material(date);
            let next = (count + 1, free + u32::from(self.is_paused(counted)));
            known.push(if is_material { next } else { (0, 0) });
        }
        let (count, free) = known[place];
        (count, count.saturating_sub(self.policy.grace_days).saturating_sub(free))
    }

    /// The days past due and the delinquent days of a debt, counted one by one.
    fn days_since(&self, due_on: NaiveDate, date: NaiveDate) -> (u32, u32) {
        let (mut counted, mut free, mut stepping) = (0, 0, due_on);
        while self.is_past_due(due_on, date) && stepping <= date {
            let gone_by = match self.policy.day_count {
                DayCount::DayAfter => stepping < date,
                DayCount::DueDay => true,
            };
            counted += u32::from(gone_by);
            free += u32::from(gone_by && self.is_paused(stepping));
            stepping = calendar::next(stepping);
        }
        (counted, counted.saturating_sub(self.policy.grace_days).saturating_sub(free))
    }

    /// The date from which the material days are counted, like a due date, if no fact changes.
    pub(super) fn material_date(&self) -> Option<NaiveDate> {
        let mut date = self.debts().first()?.due_on;
        for _ in 0..MAX_DAYS {
            if self.is_past_due(self.debts().first()?.due_on, date) && self.is_material(date) {
                return Some(match self.policy.day_count {
                    DayCount::DayAfter => date - Days::new(1),
                    DayCount::DueDay => date,
                });
            }
            date = calendar::next(date);
        }
        None
    }

    /// The overdue and the outstanding balance that conditions compare, and the number of debts past due.
    fn judged_balances(&self, date: NaiveDate) -> (Money, Money, u32) {
        let (mut overdue, mut outstanding, mut count) = (Money::ZERO, self.ledger.judged_waits_on(date), 0);
        for debt in self.debts() {
            outstanding += debt.amount;
            if self.is_past_due(debt.due_on, date) {
                overdue += debt.amount;
                count += 1;
            }
        }
        (overdue, outstanding, count)
    }

    /// The day after `passed` days since the oldest due date, `paused` of them within a pause.
    fn day(&self, date: NaiveDate, passed: u32, paused: u32) -> ModelDay {
        let oldest = self.all_debts().first();
        let days_past_due = match self.policy.day_count {
            _ if oldest.is_none_or(|oldest| !self.is_past_due(oldest.due_on, date)) => 0,
            DayCount::DayAfter => passed,
            DayCount::DueDay => passed + 1,
        };
        // Counting on the due day, a paused date is free itself; counting from the day after, the day that follows.
        let free = match self.policy.day_count {
            DayCount::DayAfter => paused,
            DayCount::DueDay => paused + u32::from(days_past_due > 0 && self.is_paused(date)),
        };
        let delinquent_days = days_past_due.saturating_sub(self.policy.grace_days).saturating_sub(free);
        ModelDay { date, passed, paused, days_past_due, delinquent_days }
    }

    fn figures(&self, day: &ModelDay) -> ModelFigures {
        let mut figures = ModelFigures {
            days_past_due: day.days_past_due,
            delinquent_days: day.delinquent_days,
            overdue: Money::ZERO,
            unpaid_installments: 0,
            outstanding: self.ledger.waits_on(day.date),
            late_fee: Money::ZERO,
            stage_days_past_due: 0,
            stage_delinquent_days: 0,
            stage_installments: 0,
            judged_overdue: Money::ZERO,
            judged_outstanding: Money::ZERO,
        };
        (figures.stage_days_past_due, figures.stage_delinquent_days) = self.stage_days(day);
        let mut arrears = (Money::ZERO, self.ledger.waits_on(day.date));
        for (place, debt) in self.ledger.shown().iter().enumerate() {
            let fee = self.ledger.fee(place, day.date);
            let is_past_due = self.is_past_due(debt.due_on, day.date);
            let fee = if is_past_due { fee } else { Money::ZERO };
            let overdue = if is_past_due { debt.amount + fee } else { Money::ZERO };
            figures.outstanding += debt.amount + fee;
            figures.overdue += overdue;
            figures.late_fee += fee;
            if self.debts().iter().any(|judged| judged.label == debt.label) {
                arrears.0 += overdue;
                arrears.1 += debt.amount + fee;
            }
        }
        let past_due = self.all_debts().iter().filter(|debt| self.is_past_due(debt.due_on, day.date));
        figures.unpaid_installments = u32::try_from(past_due.count()).unwrap_or(u32::MAX);
        (figures.judged_overdue, figures.judged_outstanding, figures.stage_installments) =
            self.judged_balances(day.date);
        if self.policy.late_fee.is_some_and(|fee| fee.fee_arrears_count) {
            (figures.judged_overdue, figures.judged_outstanding) = arrears;
        }
        figures
    }

    /// Climbs day by day since the oldest debt fell due. What is held back does not restrict before its date.
    fn climb_to(
        &self,
        last: NaiveDate,
        is_first: bool,
        held_back: &[(usize, NaiveDate)],
    ) -> (Ladder, ModelDay) {
        let mut ladder = Ladder {
            stages: vec![StageState::default(); self.policy.stages.len()],
            restricted: vec![false; self.policy.stages.len()],
            top: (None, None),
            restricting: (None, None),
        };
        let mut day = self.begin(last);
        self.climb(&mut ladder, &day, is_first, held_back);
        while day.date < last {
            day = self.next(&day);
            self.climb(&mut ladder, &day, is_first, held_back);
        }
        (ladder, day)
    }

    /// Moves every stage on to the next day.
    fn climb(&self, ladder: &mut Ladder, day: &ModelDay, is_first: bool, held_back: &[(usize, NaiveDate)]) {
        let waits = self.is_in_process(day.date);
        let figures = self.figures(day);
        for (place, (state, stage)) in ladder.stages.iter_mut().zip(&self.policy.stages).enumerate() {
            state.holds = self.holds(&stage.when, &figures, day.date) && (state.holds || !waits);
            state.restricts =
                state.holds && (state.restricts || !self.is_deferred(stage, &figures, day.date, is_first));
            state.restricts &= !held_back.iter().any(|(held, until)| *held == place && day.date < *until);
            ladder.restricted[place] |= state.restricts;
        }
        let top = ladder.stages.iter().rposition(|state| state.holds);
        let restricting = ladder.stages.iter().rposition(|state| state.restricts);
        for (known, now) in [(&mut ladder.top, top), (&mut ladder.restricting, restricting)] {
            if known.0 != now {
                *known = (now, Some(day.date));
            }
        }
    }

    /// Whether a hold defers what is new on a day.
    fn is_held(&self, day: NaiveDate) -> bool {
        self.is_paused(day) || self.is_waited_for(day)
    }

    /// Whether a hold that is no pause goes on on a day, and its days are not used up.
    fn is_waited_for(&self, day: NaiveDate) -> bool {
        let is_disputed = || self.answers.disputes.iter().any(|dispute| self.is_disputed(dispute, day));
        !self.are_holds_over(day) && (self.is_excused(day) || self.is_in_process(day) || is_disputed())
    }

    fn are_holds_over(&self, day: NaiveDate) -> bool {
        self.holds_over_on.get().is_some_and(|over_on| over_on <= day)
    }

    /// The stages that would have restricted by now, though the last evaluation found neither their restrictions in
    /// force nor those of a severer stage.
    fn new_in(&self, ladder: &Ladder) -> Vec<usize> {
        let bears = |stage: &Stage| {
            let known = &self.memory.restrictions;
            stage.restrictions.iter().all(|one| known.iter().any(|known| known.kind == one.kind))
        };
        let stages = &self.policy.stages;
        let is_new = |place: &usize| {
            let mut severer = stages[place + 1..].iter().filter(|one| !one.restrictions.is_empty());
            let restricted = ladder.restricted[*place] && !stages[*place].restrictions.is_empty();
            restricted && !bears(&stages[*place]) && !severer.any(bears)
        };
        (0..stages.len()).filter(is_new).collect()
    }

    fn holds(&self, when: &When, figures: &ModelFigures, day: NaiveDate) -> bool {
        figures.stage_installments > 0
            && self.is_material(day)
            && when.delinquent_days.is_none_or(|least| figures.stage_delinquent_days >= least)
            && when.days_past_due.is_none_or(|least| figures.stage_days_past_due >= least)
            && when.overdue_amount.is_none_or(|least| figures.judged_overdue >= least)
            && when.unpaid_installments.is_none_or(|least| figures.stage_installments >= least)
            && when.overdue_share.is_none_or(|least| {
                figures.judged_overdue.as_decimal() >= least * figures.judged_outstanding.as_decimal()
            })
            && when.cause.is_none_or(|cause| {
                self.recorded.cause.is_some_and(|one| one.what == cause && self.binds(&one, day))
            })
            && when.score_at_most.is_none_or(|most| {
                self.recorded.score.is_some_and(|one| one.what <= most && self.binds(&one, day))
            })
    }

    fn is_material(&self, day: NaiveDate) -> bool {
        let Some(rule) = &self.policy.materiality else { return true };
        let (overdue, outstanding, _) = match self.policy.late_fee.is_some_and(|fee| fee.fee_arrears_count) {
            false => self.judged_balances(day),
            true => {
                let (mut overdue, mut outstanding) = (Money::ZERO, self.ledger.waits_on(day));
                for (place, debt) in self.ledger.shown().iter().enumerate() {
                    if !self.debts().iter().any(|judged| judged.label == debt.label) {
                        continue;
                    }
                    outstanding += debt.amount;
                    if self.is_past_due(debt.due_on, day) {
                        let fee = self.ledger.fee(place, day);
                        outstanding += fee;
                        overdue += debt.amount + fee;
                    }
                }
                (overdue, outstanding, 0)
            }
        };
        let share = rule.share * outstanding.as_decimal();
        let exceeded = [overdue > rule.amount, overdue.as_decimal() > share];
        match rule.exceed {
            Exceed::Both => exceeded == [true, true],
            Exceed::Either => exceeded != [false, false],
        }
    }

    /// Binds from the day on which it became known until the day before it ends.
    fn binds<T>(&self, one: &ModelBinding<T>, day: NaiveDate) -> bool {
        self.judged_day(one.at) <= day && one.until.is_none_or(|until| day < until)
    }

    /// Whether the restrictions of a stage that holds are deferred on a day.
    fn is_deferred(&self, stage: &Stage, figures: &ModelFigures, day: NaiveDate, is_first: bool) -> bool {
        !stage.restrictions.is_empty()
            && ((is_first && self.is_tolerated(figures))
                || self.is_held(day)
                || self.lacks_notice(stage, day))
    }

    /// Whether a minor episode lies within the first-lapse tolerance.
    fn is_tolerated(&self, figures: &ModelFigures) -> bool {
        let tolerance = self.policy.first_lapse_tolerance.as_ref();
        tolerance.is_some_and(|one| {
            figures.stage_delinquent_days <= one.days && figures.judged_overdue <= one.amount
        })
    }

    /// Whether no delinquency episode ended shortly before this one, which is running or still to come.
    fn is_first_episode(&self, episode: DelinquencyEpisode) -> bool {
        let Some(tolerance) = &self.policy.first_lapse_tolerance else { return false };
        let begin = episode.since.or_else(|| self.first_delinquent_day());
        match (episode.over_on, begin) {
            (Some(over_on), Some(begin)) => over_on + Months::new(tolerance.months) <= begin,
            _ => true,
        }
    }

    /// A temporary hardship cause was recorded on an earlier day and still binds.
    fn is_excused(&self, day: NaiveDate) -> bool {
        let (Some(rule), Some(cause)) = (&self.policy.cause, self.recorded.cause) else { return false };
        let recorded_on = self.judged_day(cause.at);
        let over_on = recorded_on + Days::new(rule.temporary_holds_days.into());
        cause.what == HardshipCause::Temporary
            && recorded_on < day
            && day < over_on
            && self.binds(&cause, day)
    }

    /// A payment in process was reported on an earlier day.
    fn is_in_process(&self, day: NaiveDate) -> bool {
        let since = self.in_process_since().map(|since| self.judged_day(since));
        !self.are_holds_over(day)
            && since.is_some_and(|since| since < day)
            && self.process_over_on().is_some_and(|over| day < over)
    }

    /// A dispute was opened on an earlier day, is open, and has not exceeded its days.
    fn is_disputed(&self, dispute: &ModelDispute, day: NaiveDate) -> bool {
        let Some(rule) = &self.policy.dispute else { return false };
        let opened_on = self.judged_day(dispute.at);
        opened_on < day
            && day < opened_on + Days::new(rule.holds_days.into())
            && dispute.closed_at.is_none_or(|at| day < self.judged_day(at))
    }

    /// Whether no notice of the stage left since the overdue debt fell due, or not long enough ago.
    fn lacks_notice(&self, stage: &Stage, day: NaiveDate) -> bool {
        let imposed = stage.restrictions.iter().filter_map(|one| one.notice_days).max();
        let Some(days) = imposed else { return false };
        let of_stage = |of: &NoticeOf| matches!(of, NoticeOf::Stage(name) if *name == stage.name);
        let left = self.memory.notices.iter().filter(|notice| of_stage(&notice.of));
        let left_on =
            left.filter_map(|notice| notice.left_at).map(|at| calendar::business_date(self.zone, at));
        let oldest = self.debts().first().map(|oldest| oldest.due_on);
        let first = left_on.filter(|left_on| Some(*left_on) >= oldest).min();
        first.is_none_or(|on| day < on + Days::new(days.into()))
    }
}

/// The delays of plain reminders beside a payment in process: each promise and each dispute, to the end of
/// its last day, or for as many days as the policy waits.
fn waits(books: &Books, policy: &Policy) -> Vec<ModelWait> {
    let date = |at| calendar::business_date(books.zone, at);
    let at_most = |since, days: u32| date(since) + Days::new(days.into());
    let mut waits = Vec::new();
    for (promise, rule) in
        books.answers.promises.iter().filter_map(|one| Some((one, policy.promise.as_ref()?)))
    {
        let over =
            promise.ended_at.into_iter().chain(books.kept_at(promise)).map(|at| calendar::next(date(at)));
        let over_on = over.chain([promise.until, at_most(promise.at, rule.max_days)]).min();
        waits.extend(over_on.map(|over_on| ModelWait { since: promise.at, over_on }));
    }
    for (dispute, rule) in
        books.answers.disputes.iter().filter_map(|one| Some((one, policy.dispute.as_ref()?)))
    {
        let over = dispute.closed_at.map(|at| calendar::next(date(at)));
        let over_on = over.into_iter().chain([at_most(dispute.at, rule.holds_days)]).min();
        waits.extend(over_on.map(|over_on| ModelWait { since: dispute.at, over_on }));
    }
    waits
}
