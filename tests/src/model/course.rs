//! From the debts to a day's figures, stage and restrictions, one day after the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::Policy;
use duewatch_domain::account::DelinquencyPause;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::DayCount;
use duewatch_domain::kernel::Money;
use duewatch_domain::policy::HardshipCause;
use duewatch_domain::policy::{Exceed, Restriction, Stage, When};

use super::answers::{Answers, ModelDispute};
use super::books::{Books, Debt};
use super::ledger::ModelLedger;
use super::memory::{DelinquencyEpisode, Memory};
use super::recorded::{ModelBinding, ModelRecorded};
use super::{ModelAssessment, calendar};

/// The restrictions that each of the customer's other accounts imposes.
pub(super) type ModelImposed = BTreeMap<AccountId, Vec<Restriction>>;

/// The most days walked to find the first of a delinquency episode.
const MAX_DAYS: u32 = 4_000;

/// The course of an account under a policy while no fact changes.
#[derive(Debug)]
pub(super) struct ModelCourse<'p> {
    pub(super) zone: Tz,
    pub(super) policy: &'p Policy,
    pub(super) enforced: bool,
    /// The date of the last schedule replacement.
    pub(super) replaced_on: Option<NaiveDate>,
    /// The date of the evaluation.
    pub(super) today: NaiveDate,
    ledger: ModelLedger,
    pauses: Vec<DelinquencyPause>,
    recorded: ModelRecorded,
    pub(super) answers: Answers,
    /// The promises and disputes that delay plain reminders.
    waits: Vec<ModelWait>,
    pub(super) memory: Memory,
    /// The restrictions imposed by the customer's other accounts.
    imposed: Vec<Restriction>,
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
    top: (Option<usize>, Option<NaiveDate>),
    restricting: (Option<usize>, Option<NaiveDate>),
}

impl<'p> ModelCourse<'p> {
    pub(super) fn of(
        books: &Books,
        policy: &'p Policy,
        memory: &Memory,
        imposed: &ModelImposed,
        until: DateTime<Utc>,
    ) -> Self {
        let (today, until) = (
            calendar::business_date(books.zone, until),
            calendar::judged_day(books.zone, policy.day_count, until),
        );
        Self {
            zone: books.zone,
            policy,
            replaced_on: books.replaced_on,
            today,
            ledger: ModelLedger::of(books, policy, until),
            pauses: books.pauses.clone(),
            enforced: books.enforced,
            recorded: books.recorded.clone(),
            answers: books.answers.clone(),
            waits: waits(books, policy),
            memory: memory.clone(),
            imposed: imposed.values().flatten().cloned().collect(),
        }
    }

    /// The open debts, the oldest first.
    pub(super) fn debts(&self) -> &[Debt] {
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
        let is_first = self.is_first_episode(self.memory.episode_on(self, judged_day));
        let mut ladder = Ladder {
            stages: vec![StageState::default(); stages.len()],
            top: (None, None),
            restricting: (None, None),
        };
        let mut day = self.begin(judged_day);
        self.climb(&mut ladder, &day, is_first);
        while day.date < judged_day {
            day = self.next(&day);
            self.climb(&mut ladder, &day, is_first);
        }
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
            restrictions: self.restrictions(ladder.restricting.0),
            imposes: self.imposes(ladder.restricting.0),
            days_past_due: figures.days_past_due,
            delinquent_days: figures.delinquent_days,
            overdue: figures.overdue,
            oldest_due_on: self.debts().first().filter(past_due).map(|oldest| oldest.due_on),
            outstanding: figures.outstanding,
            late_fee: self.policy.late_fee.map(|_| figures.late_fee),
            unpaid_installments: figures.unpaid_installments,
            class: self.policy.classification.as_ref().and_then(|rules| classes?.class(rules)),
        }
    }

    /// The restrictions of the stage and those imposed by other accounts; none where restrictions are not
    /// enforced.
    fn restrictions(&self, restricting: Option<usize>) -> Vec<Restriction> {
        let stage = restricting.map(|place| &self.policy.stages[place].restrictions);
        let mut all = Vec::new();
        for one in stage.into_iter().flatten().chain(&self.imposed) {
            if self.enforced && !all.contains(one) {
                all.push(one.clone());
            }
        }
        all
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
        day.delinquent_days > 0
    }

    /// The first delinquent day, if no fact changes.
    pub(super) fn first_delinquent_day(&self) -> Option<NaiveDate> {
        let mut day = self.begin(self.debts().first()?.due_on);
        for _ in 0..MAX_DAYS {
            if day.delinquent_days > 0 {
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

    /// Whether a notice due at an instant waits for a payment in process that was reported before.
    pub(super) fn notice_waits(&self, at: DateTime<Utc>) -> bool {
        let since = self.in_process_since().is_some_and(|since| since < at);
        since && self.process_over_on().is_some_and(|over_on| at < calendar::begin(self.zone, over_on))
    }

    /// Whether a plain reminder waits: a promise or a dispute delays it too.
    pub(super) fn reminder_waits(&self, at: DateTime<Utc>) -> bool {
        let goes_on = |wait: &ModelWait| wait.since < at && at < calendar::begin(self.zone, wait.over_on);
        self.notice_waits(at) || self.waits.iter().any(goes_on)
    }

    /// The due date of the oldest debt past due on `date`; without one, `date` itself.
    fn begin(&self, date: NaiveDate) -> ModelDay {
        let oldest = self.debts().first().map(|oldest| oldest.due_on);
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

    /// The day after `passed` days since the oldest due date, `paused` of them within a pause.
    fn day(&self, date: NaiveDate, passed: u32, paused: u32) -> ModelDay {
        let oldest = self.debts().first();
        let days_past_due = match self.policy.day_count {
            _ if oldest.is_none_or(|oldest| !self.is_past_due(oldest.due_on, date)) => 0,
            DayCount::DayAfter => passed,
            DayCount::DueDay => passed + 1,
        };
        let delinquent_days = days_past_due.saturating_sub(self.policy.grace_days).saturating_sub(paused);
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
        };
        for (place, debt) in self.debts().iter().enumerate() {
            let fee = self.ledger.fee(place, day.date);
            figures.outstanding += debt.amount;
            if self.is_past_due(debt.due_on, day.date) {
                figures.outstanding += fee;
                figures.overdue += debt.amount + fee;
                figures.late_fee += fee;
                figures.unpaid_installments += 1;
            }
        }
        figures
    }

    /// Moves every stage on to the next day.
    fn climb(&self, ladder: &mut Ladder, day: &ModelDay, is_first: bool) {
        let waits = self.is_in_process(day.date);
        let figures = self.figures(day);
        for (state, stage) in ladder.stages.iter_mut().zip(&self.policy.stages) {
            state.holds = self.holds(&stage.when, &figures, day.date) && (state.holds || !waits);
            state.restricts =
                state.holds && (state.restricts || !self.is_deferred(stage, &figures, day.date, is_first));
        }
        let top = ladder.stages.iter().rposition(|state| state.holds);
        let restricting = ladder.stages.iter().rposition(|state| state.restricts);
        for (known, now) in [(&mut ladder.top, top), (&mut ladder.restricting, restricting)] {
            if known.0 != now {
                *known = (now, Some(day.date));
            }
        }
    }

    fn holds(&self, when: &When, figures: &ModelFigures, day: NaiveDate) -> bool {
        figures.unpaid_installments > 0
            && self.is_material(figures)
            && when.delinquent_days.is_none_or(|least| figures.delinquent_days >= least)
            && when.days_past_due.is_none_or(|least| figures.days_past_due >= least)
            && when.overdue_amount.is_none_or(|least| figures.overdue >= least)
            && when.unpaid_installments.is_none_or(|least| figures.unpaid_installments >= least)
            && when
                .overdue_share
                .is_none_or(|least| figures.overdue.as_decimal() >= least * figures.outstanding.as_decimal())
            && when.cause.is_none_or(|cause| {
                self.recorded.cause.is_some_and(|one| one.what == cause && self.binds(&one, day))
            })
            && when.score_at_most.is_none_or(|most| {
                self.recorded.score.is_some_and(|one| one.what <= most && self.binds(&one, day))
            })
    }

    fn is_material(&self, figures: &ModelFigures) -> bool {
        let Some(rule) = &self.policy.materiality else { return true };
        let share = rule.share * figures.outstanding.as_decimal();
        let exceeded = [figures.overdue > rule.amount, figures.overdue.as_decimal() > share];
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
                || self.is_excused(day)
                || self.is_in_process(day)
                || self.answers.disputes.iter().any(|dispute| self.is_disputed(dispute, day))
                || self.lacks_notice(stage, day))
    }

    /// Whether a minor episode lies within the first-lapse tolerance.
    fn is_tolerated(&self, figures: &ModelFigures) -> bool {
        let tolerance = self.policy.first_lapse_tolerance.as_ref();
        tolerance.is_some_and(|one| figures.delinquent_days <= one.days && figures.overdue <= one.amount)
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
        since.is_some_and(|since| since < day) && self.process_over_on().is_some_and(|over| day < over)
    }

    /// A dispute was opened on an earlier day, is open, and has not exceeded its days.
    fn is_disputed(&self, dispute: &ModelDispute, day: NaiveDate) -> bool {
        let Some(rule) = &self.policy.dispute else { return false };
        let opened_on = self.judged_day(dispute.at);
        opened_on < day
            && day <= opened_on + Days::new(rule.holds_days.into())
            && dispute.closed_at.is_none_or(|at| day < self.judged_day(at))
    }

    /// Whether no notice of the stage left since the overdue debt fell due, or not long enough ago.
    fn lacks_notice(&self, stage: &Stage, day: NaiveDate) -> bool {
        let imposed = stage.restrictions.iter().filter_map(|one| one.notice_days).max();
        let Some(days) = imposed else { return false };
        let of_stage = |of: &NoticeOf| matches!(of, NoticeOf::Stage(name) if *name == stage.name);
        let notice = self.memory.notices.iter().find(|notice| of_stage(&notice.of));
        let left_on =
            notice.and_then(|notice| notice.left_at).map(|at| calendar::business_date(self.zone, at));
        let oldest = self.debts().first().map(|oldest| oldest.due_on);
        left_on.filter(|left_on| Some(*left_on) >= oldest).is_none_or(|on| day < on + Days::new(days.into()))
    }
}

/// The delays of plain reminders beside a payment in process: each promise and each dispute, to the end of
/// its last day, or for as many days as the policy waits.
fn waits(books: &Books, policy: &Policy) -> Vec<ModelWait> {
    let date = |at| calendar::business_date(books.zone, at);
    let at_most = |since, days: u32| date(since) + Days::new(u64::from(days) + 1);
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
