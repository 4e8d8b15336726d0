//! The ladder: an account's stage and restrictions on a day, and when they change.
//!
//! While no fact changes, each stage holds in one stretch of days. The whole future of an account is
//! therefore a short timetable. The stage at any instant, and the next instant at which it can change, are
//! look-ups in it. No code steps day by day.
//!
//! A stage says how far behind an account is; its restrictions may follow later. Until they do, because of a
//! first-lapse tolerance or a required notice for example, the restrictions of the milder stages that hold go
//! on.

mod hold_budget;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::case_holds::case_days;
use super::materiality::counted_from;
use super::tolerances::{DayRange, disputed_days, excused, in_process, put_off};
use crate::account::{Account, DeferralReason, DelinquencyHistory, HoldUse, Notice, NoticeOf};
use crate::kernel::{business_date, earlier, number, past_due_from, plus_days};
use crate::ledger::{Allocation, after_pause, after_unpaused_days, due_dates, settled_days};
use crate::policy::{Policy, Restriction, Stage, Timeline, When};

/// The ladder's projection for an account: its stage on a day, and when that next changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct LadderProjection<'p> {
    /// The most severe stage that holds; none: `current`.
    pub(crate) stage: Option<&'p Stage>,
    /// The first day of that stage.
    pub(crate) held_from: Option<NaiveDate>,
    /// The stage whose restrictions are in force.
    pub(crate) restricting: Option<&'p Stage>,
    /// The first day of those restrictions.
    pub(crate) restricted_from: Option<NaiveDate>,
    /// Since when the same restrictions have been in force, of whichever stage.
    pub(crate) in_force_from: Option<NaiveDate>,
    /// Why the stage's own restrictions are deferred; none: they are not.
    pub(crate) deferral: Option<RestrictionDeferral>,
    /// The next day on which any of this changes by itself.
    pub(crate) changes_on: Option<NaiveDate>,
    /// The delinquency history, the day included.
    pub(crate) delinquency_history: DelinquencyHistory,
    /// The use that holds have made of their days, as it is seen.
    pub(crate) holds: HoldUse,
}

/// Why a stage's restrictions are deferred, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RestrictionDeferral {
    pub(crate) by: DeferralReason,
    /// The day on which they take effect; none: not before a fact changes.
    pub(crate) until: Option<NaiveDate>,
}

pub(crate) fn project_ladder<'p>(
    account: &Account,
    allocation: &Allocation,
    timeline: &Timeline<'p>,
    day: NaiveDate,
) -> LadderProjection<'p> {
    let counted_from = counted_from(account, allocation, timeline.current());
    project_ladder_from(account, allocation, timeline, LadderDay::of(day), counted_from)
}

/// A day of the ladder, as it is seen from a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LadderDay {
    pub(crate) day: NaiveDate,
    /// The day on which the facts are known: that day, or one before.
    pub(crate) seen_on: NaiveDate,
}

impl LadderDay {
    /// A day, seen on itself.
    pub(crate) const fn of(day: NaiveDate) -> Self {
        Self { day, seen_on: day }
    }
}

/// The same with the date that the stages' days are counted from, where that is known.
pub(crate) fn project_ladder_from<'p>(
    account: &Account,
    allocation: &Allocation,
    timeline: &Timeline<'p>,
    seen: LadderDay,
    counted_from: Option<NaiveDate>,
) -> LadderProjection<'p> {
    let (policy, day) = (timeline.current(), seen.day);
    let terms = LadderTerms::new(account, allocation, timeline, seen, counted_from);
    let mut projection = LadderProjection {
        delinquency_history: terms.delinquency_history,
        changes_on: terms.episode_begins_on,
        holds: terms.hold_use.clone(),
        ..LadderProjection::default()
    };
    if !account.is_enforced() {
        return projection;
    }
    let mut deferred: Vec<(&'p Stage, Option<NaiveDate>)> = Vec::new();
    for stage in policy.stages.iter().rev() {
        let Some(holds) = terms.holds(&stage.when) else { continue };
        if holds.until.is_some_and(|until| until <= day) {
            if projection.stage.is_none() {
                projection.held_from = projection.held_from.max(holds.until);
            }
            let (restricted, _) = terms.restricts_from(stage, holds.from);
            if restricted.is_some_and(|from| Some(from) < holds.until) {
                projection.restricted_from = projection.restricted_from.max(holds.until);
                projection.in_force_from = projection.in_force_from.max(holds.until);
            }
            continue;
        }
        projection.changes_on = earlier(projection.changes_on, holds.until);
        if holds.from > day {
            if projection.stage.is_none() {
                projection.changes_on = earlier(projection.changes_on, Some(holds.from));
            } else {
                deferred.push((stage, terms.restricts_from(stage, holds.from).0));
            }
            continue;
        }
        let is_top = projection.stage.is_none();
        if is_top {
            projection.stage = Some(stage);
            projection.held_from = projection.held_from.max(Some(holds.from));
        }
        let (from, by) = terms.restricts_from(stage, holds.from);
        if let Some(from) = from.filter(|from| *from <= day) {
            projection.restricting = Some(stage);
            projection.restricted_from = projection.restricted_from.max(Some(from));
            projection.in_force_from = projection.in_force_from.max(Some(terms.in_force_since(stage, from)));
            break;
        }
        deferred.push((stage, from));
        if is_top && let Some(by) = by {
            projection.deferral = Some(RestrictionDeferral { by, until: from });
        }
    }
    // Below the stage that holds, one that takes away the same as the one whose restrictions are in force changes nothing when its own begin.
    let in_force = effects(policy, projection.restricting);
    for (_, from) in deferred.into_iter().filter(|(stage, _)| effects(policy, Some(stage)) != in_force) {
        projection.changes_on = earlier(projection.changes_on, from);
    }
    projection
}

/// The restrictions of a stage: the account's own, and those that it imposes on the customer's others.
fn effects<'p>(policy: &'p Policy, stage: Option<&'p Stage>) -> (&'p [Restriction], &'p [Restriction]) {
    (stage.map_or(&[][..], |stage| &stage.restrictions), policy.imposed_restrictions(stage))
}

/// The terms that the stages of one account share on a day.
struct LadderTerms<'a> {
    account: &'a Account,
    allocation: &'a Allocation,
    timeline: &'a Timeline<'a>,
    /// The version that binds now.
    policy: &'a Policy,
    /// The due date of the oldest open installment.
    oldest: Option<NaiveDate>,
    /// The date that the stages' days are counted from.
    counted_from: Option<NaiveDate>,
    /// The first day on which an overdue balance is large enough to move a stage.
    material_from: Option<NaiveDate>,
    delinquency_history: DelinquencyHistory,
    episode_begins_on: Option<NaiveDate>,
    /// The first day after the first-lapse tolerance; none: the tolerance does not apply.
    tolerated_until: Option<NaiveDate>,
    /// The days on which the account waits for a payment in process: no restriction begins on them.
    in_process: Option<DayRange>,
    /// The same days, where no stage begins either.
    waits: Option<DayRange>,
    /// The use that holds have made of their days.
    hold_use: HoldUse,
    /// The days on which a temporary hardship cause defers restrictions.
    excused: Option<DayRange>,
    /// The days on which each dispute defers restrictions.
    disputed: Vec<DayRange>,
    /// The days on which each case defers restrictions.
    in_case: Vec<DayRange>,
    /// The days for which the account status vouches: that of the last assessment, and the last one before anything
    /// could change by itself. A restriction that had begun by then and is not in force follows from a fact or a
    /// version that came later. None: the account was never assessed.
    vouched: Option<[NaiveDate; 2]>,
}

impl<'a> LadderTerms<'a> {
    fn new(
        account: &'a Account,
        allocation: &'a Allocation,
        timeline: &'a Timeline<'a>,
        LadderDay { day, seen_on }: LadderDay,
        counted_from: Option<NaiveDate>,
    ) -> Self {
        let policy = timeline.current();
        let oldest = allocation.judged_installments().first().map(|oldest| oldest.due_on);
        // Before its next action nothing changes by itself.
        let day_of = |at| policy.day_count.judged_day(account.time_zone, at);
        let next_on = account.status.next_action_at.map_or(seen_on, |at| day_of(at).min(seen_on));
        let mut terms = Self {
            account,
            allocation,
            timeline,
            policy,
            oldest,
            counted_from,
            material_from: counted_from.map(|from| past_due_from(policy.day_count, from)),
            delinquency_history: DelinquencyHistory::default(),
            episode_begins_on: None,
            tolerated_until: None,
            in_process: in_process(account, policy),
            waits: None,
            hold_use: HoldUse::default(),
            excused: excused(account, policy),
            disputed: disputed_days(account, policy),
            in_case: case_days(account, policy),
            vouched: account.status.last_assessed_at.map(|at| [day_of(at).min(next_on), next_on]),
        };
        if policy.first_lapse_tolerance.is_some() {
            terms.remember_episodes(day);
        }
        terms.bound_holds(seen_on);
        terms.waits = terms.in_process;
        terms
    }

    fn remember_episodes(&mut self, day: NaiveDate) {
        let (account, policy) = (self.account, self.policy);
        let Some(tolerance) = &policy.first_lapse_tolerance else { return };
        let judged_on = account.status.last_assessed_at;
        let judged_on = judged_on.map(|at| policy.day_count.judged_day(account.time_zone, at));
        let delinquent_from = self.counted_from.map(|from| self.after_delinquent_days(from, 1));
        self.delinquency_history = account.status.delinquency_history.on(day, delinquent_from, judged_on);
        if self.is_last_episode_disproved() {
            self.delinquency_history = self.delinquency_history.without_last();
        }
        self.episode_begins_on = delinquent_from.filter(|from| *from > day);
        if let (Some(counted_from), Some(begin)) = (self.counted_from, delinquent_from)
            && self.delinquency_history.is_first(begin, tolerance.months)
        {
            let over = self.after_delinquent_days(counted_from, tolerance.days.saturating_add(1));
            let minor = tolerance.amount.as_decimal();
            let not_minor = self.overdue_from(over, |overdue, _, _| overdue > minor);
            self.tolerated_until = earlier(Some(over), not_minor);
        }
    }

    /// Whether the facts as they now stand show that no installment was late in the last episode: a value date in
    /// time, a reversal that was a mistake, an installment that was never owed. A payment stamped with the due date
    /// is in time under either day count. The episode keeps the grace of the version that bound when it began.
    fn is_last_episode_disproved(&self) -> bool {
        let history = self.delinquency_history;
        let Some(over_on) = history.last_over_on else { return false };
        let since = number(history.last_since.unwrap_or(over_on));
        let policy = self.timeline.on(since);
        let on_due_date = policy.day_count.on_due_date();
        let replaced_on = self.account.schedule_replaced_on().map(number);
        let due_dates: Vec<NaiveDate> = due_dates(self.account, self.timeline).collect();
        let settled = settled_days(self.account, self.timeline, number(over_on));
        let is_late = |place: usize| {
            let late_from = number(after_delinquent_days(self.account, policy, due_dates[place], 1));
            if late_from > number(over_on) {
                return false;
            }
            // Of a replaced schedule only the paid parts are known.
            let is_replaced = self.account.installments[place].replaced && replaced_on >= Some(since);
            match settled[place] {
                Some(day) if is_replaced => day >= since || late_from >= since,
                Some(day) => day >= late_from + on_due_date && day >= since,
                None => true,
            }
        };
        !(0..settled.len()).any(is_late)
    }

    fn after_delinquent_days(&self, counted_from: NaiveDate, days: u32) -> NaiveDate {
        after_delinquent_days(self.account, self.policy, counted_from, days)
    }

    /// The first day on which the overdue balance, the outstanding balance and the number of installments
    /// past due satisfy a condition that goes on holding as days go by. A day after `last` need not be found.
    fn overdue_from(
        &self,
        last: NaiveDate,
        is_enough: impl Fn(Decimal, Decimal, u64) -> bool,
    ) -> Option<NaiveDate> {
        self.allocation.first_judged_day(self.policy.day_count, self.account.currency, last, is_enough)
    }

    /// The days on which all the conditions hold, if the facts stay as they are.
    fn holds(&self, when: &When) -> Option<DayRange> {
        let counted_from = self.counted_from?;
        let mut from = self.material_from?;
        let mut until = None;
        if let Some(days) = when.days_past_due {
            let days = i64::from(days) - self.policy.day_count.on_due_date();
            from = from.max(plus_days(counted_from, days));
        }
        if let Some(days) = when.delinquent_days.filter(|days| *days > 0) {
            from = from.max(self.after_delinquent_days(counted_from, days));
        }
        if when.overdue_amount.is_some() || when.overdue_share.is_some() || when.unpaid_installments.is_some()
        {
            from = from.max(self.enough_overdue_from(when)?);
        }
        if let Some(cause) = when.cause {
            let recorded = self.account.cause.as_ref().filter(|recorded| recorded.cause == cause)?;
            from = from.max(self.day_of(recorded.at));
            until = earlier(until, recorded.until);
        }
        if let Some(most) = when.score_at_most {
            let recorded = self.account.score.as_ref().filter(|recorded| recorded.score <= most)?;
            from = from.max(self.day_of(recorded.at));
            until = earlier(until, recorded.until);
        }
        let from = put_off(from, self.waits);
        until.is_none_or(|until| from < until).then_some(DayRange { from, until })
    }

    /// The first day on which the overdue amount, its share and the number of installments past due are
    /// enough.
    fn enough_overdue_from(&self, when: &When) -> Option<NaiveDate> {
        self.overdue_from(NaiveDate::MAX, |overdue, outstanding, count| {
            let share = when.overdue_share.and_then(|share| share.checked_mul(outstanding));
            when.overdue_amount.is_none_or(|least| overdue >= least.as_decimal())
                && share.is_none_or(|least| overdue >= least)
                && when.unpaid_installments.is_none_or(|least| count >= u64::from(least))
        })
    }

    /// The first day on which the restrictions of a stage that holds from `held_from` are in force, and the
    /// last reason that defers them; no day: not before a fact changes.
    fn restricts_from(
        &self,
        stage: &Stage,
        held_from: NaiveDate,
    ) -> (Option<NaiveDate>, Option<DeferralReason>) {
        if stage.restrictions.is_empty() {
            return (Some(held_from), None);
        }
        let Some(begins) = self.begins(stage, held_from) else { return (None, Some(DeferralReason::Notice)) };
        let HoldDeferral { from, by, .. } = self.deferral_by_holds(stage, begins);
        (Some(from), by)
    }

    /// The first day on which the restrictions of a stage would be in force without any hold; none: not before its
    /// notice has left.
    fn begins(&self, stage: &Stage, held_from: NaiveDate) -> Option<DeferredDay> {
        let mut begins = (held_from, None);
        if let Some(until) = self.tolerated_until {
            begins = deferred(begins, until, DeferralReason::FirstLapseTolerance);
        }
        if let Some(days) = stage.notice_days() {
            let sent_on = self.noticed_on(stage)?;
            begins = deferred(begins, plus_days(sent_on, i64::from(days)), DeferralReason::Notice);
        }
        Some(begins)
    }

    /// The days on which holds keep back the restrictions of a stage that would begin on a day.
    fn deferral_by_holds(&self, stage: &Stage, begins: DeferredDay) -> HoldDeferral {
        let (from, by) = self.after_holds(begins);
        let mut held = HoldDeferral { since: begins.0, from, by };
        // A fact that comes during a hold lets no restriction begin before the hold ends, whatever it says of the days
        // before. What had begun by the last assessment and is not in force was held back then.
        let is_new = |vouched: &[NaiveDate; 2]| from < vouched[1] && !self.is_in_force(stage);
        for known_on in self.vouched.filter(is_new).into_iter().flatten() {
            let (held_until, hold) = self.after_holds((known_on, None));
            if held.from < known_on && held_until > known_on {
                held = HoldDeferral { since: known_on, from: held_until, by: hold };
            }
        }
        held
    }

    /// The first day from a beginning on that lies in no hold, and the last reason before it.
    fn after_holds(&self, begins: DeferredDay) -> DeferredDay {
        let mut begins = begins;
        // Each hold may end within another.
        for _ in 0..2 + self.disputed.len() + self.in_case.len() + self.account.pauses.len() {
            let (before, _) = begins;
            begins = deferred(begins, after_pause(&self.account.pauses, begins.0), DeferralReason::Pause);
            begins = deferred(begins, put_off(begins.0, self.excused), DeferralReason::TemporaryCause);
            begins = deferred(begins, put_off(begins.0, self.in_process), DeferralReason::PaymentInProcess);
            for disputed in &self.disputed {
                begins = deferred(begins, put_off(begins.0, Some(*disputed)), DeferralReason::Dispute);
            }
            for in_case in &self.in_case {
                begins = deferred(begins, put_off(begins.0, Some(*in_case)), DeferralReason::Case);
            }
            if begins.0 == before {
                break;
            }
        }
        begins
    }

    /// Whether the account bears restrictions of the kinds of a stage, or of a severer one that goes over to it.
    fn is_in_force(&self, stage: &Stage) -> bool {
        let present = &self.account.status.restrictions;
        let bears = |one: &Restriction| present.iter().any(|known| known.kind == one.kind);
        let severer = self.policy.stages.iter().rev().take_while(|one| one.name != stage.name);
        let mut severer = severer.filter(|one| !one.restrictions.is_empty());
        stage.restrictions.iter().all(bears) || severer.any(|one| one.restrictions.iter().all(bears))
    }

    /// Since when the restrictions of a stage that begin on `from` have been in force: before them, those of a milder
    /// stage may have taken away the same.
    fn in_force_since(&self, stage: &Stage, from: NaiveDate) -> NaiveDate {
        let is_it = |one: &Stage| one.name == stage.name;
        let milder =
            self.policy.stages.iter().position(is_it).map_or(&[][..], |place| &self.policy.stages[..place]);
        if !milder.iter().any(|before| before.restrictions == stage.restrictions) {
            return from;
        }
        let mut since = from;
        for before in milder.iter().rev() {
            let Some(holds) = self.holds(&before.when) else { continue };
            let begins = self.restricts_from(before, holds.from).0.filter(|begins| *begins < since);
            let Some(begins) = begins.filter(|_| holds.until.is_none_or(|until| until >= since)) else {
                continue;
            };
            if before.restrictions != stage.restrictions {
                break;
            }
            since = begins;
        }
        since
    }

    /// The day on which the first notice of a stage about the present overdue balance left.
    fn noticed_on(&self, stage: &Stage) -> Option<NaiveDate> {
        let oldest = self.oldest?;
        let is_of = |notice: &&Notice| matches!(&notice.of, NoticeOf::Stage(name) if *name == stage.name);
        let sent = self.account.notices.iter().filter(is_of).filter_map(|notice| notice.sent_at);
        sent.map(|at| business_date(self.account.time_zone, at)).filter(|sent_on| *sent_on >= oldest).min()
    }

    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self.policy.day_count.judged_day(self.account.time_zone, at)
    }
}

/// The days on which holds keep restrictions back.
struct HoldDeferral {
    since: NaiveDate,
    /// The first day after them, on which the restrictions are in force.
    from: NaiveDate,
    /// The last reason that deferred them.
    by: Option<DeferralReason>,
}

/// A day on which a restriction begins, and the last reason that deferred it to that day.
type DeferredDay = (NaiveDate, Option<DeferralReason>);

/// The day deferred to `until`, where that is later.
fn deferred(day: DeferredDay, until: NaiveDate, by: DeferralReason) -> DeferredDay {
    if until > day.0 { (until, Some(by)) } else { day }
}

/// The first day with `days` delinquent days.
fn after_delinquent_days(
    account: &Account,
    policy: &Policy,
    counted_from: NaiveDate,
    days: u32,
) -> NaiveDate {
    let unpaused = i64::from(days) + i64::from(policy.grace_days);
    after_unpaused_days(&account.pauses, policy.day_count, counted_from, unpaused)
}
