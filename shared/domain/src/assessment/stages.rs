//! The ladder: an account's stage and restrictions on a day, and when they change.
//!
//! While no fact changes, each stage holds in one stretch of days. The whole future of an account is
//! therefore a short timetable. The stage at any instant, and the next instant at which it can change, are
//! look-ups in it. No code steps day by day.
//!
//! A stage says how far behind an account is; its restrictions may follow later. Until they do, because of a
//! first-lapse tolerance or a required notice for example, the restrictions of the milder stages that hold go
//! on.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::tolerances::{DayRange, disputed_days, excused, in_process, put_off};
use crate::account::{Account, DeferralReason, DelinquencyHistory, Notice, NoticeOf};
use crate::kernel::{business_date, earlier, past_due_from, plus_days};
use crate::ledger::{Allocation, after_unpaused_days};
use crate::policy::{Policy, Stage, When};

/// The ladder's projection for an account: its stage on a day, and when that next changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LadderProjection<'p> {
    /// The most severe stage that holds; none: `current`.
    pub(crate) stage: Option<&'p Stage>,
    /// The first day of that stage.
    pub(crate) held_from: Option<NaiveDate>,
    /// The stage whose restrictions are in force.
    pub(crate) restricting: Option<&'p Stage>,
    /// The first day of those restrictions.
    pub(crate) restricted_from: Option<NaiveDate>,
    /// Why the stage's own restrictions are deferred; none: they are not.
    pub(crate) deferral: Option<RestrictionDeferral>,
    /// The next day on which any of this changes by itself.
    pub(crate) changes_on: Option<NaiveDate>,
    /// The delinquency history, the day included.
    pub(crate) delinquency_history: DelinquencyHistory,
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
    policy: &'p Policy,
    day: NaiveDate,
) -> LadderProjection<'p> {
    let terms = LadderTerms::new(account, allocation, policy, day);
    let mut projection = LadderProjection {
        delinquency_history: terms.delinquency_history,
        changes_on: terms.episode_begins_on,
        ..LadderProjection::default()
    };
    if !account.is_enforced() {
        return projection;
    }
    for stage in policy.stages.iter().rev() {
        let Some(holds) = terms.holds(&stage.when) else { continue };
        if holds.until.is_some_and(|until| until <= day) {
            if projection.stage.is_none() {
                projection.held_from = projection.held_from.max(holds.until);
            }
            let (restricted, _) = terms.restricts_from(stage, holds.from);
            if restricted.is_some_and(|from| Some(from) < holds.until) {
                projection.restricted_from = projection.restricted_from.max(holds.until);
            }
            continue;
        }
        projection.changes_on = earlier(projection.changes_on, holds.until);
        if holds.from > day {
            projection.changes_on = earlier(projection.changes_on, Some(holds.from));
            continue;
        }
        let is_top = projection.stage.is_none();
        if is_top {
            projection.stage = Some(stage);
            projection.held_from = projection.held_from.max(Some(holds.from));
        }
        let (from, by) = terms.restricts_from(stage, holds.from);
        if from.is_some_and(|from| from <= day) {
            projection.restricting = Some(stage);
            projection.restricted_from = projection.restricted_from.max(from);
            break;
        }
        projection.changes_on = earlier(projection.changes_on, from);
        if is_top && let Some(by) = by {
            projection.deferral = Some(RestrictionDeferral { by, until: from });
        }
    }
    projection
}

/// The terms that the stages of one account share on a day.
struct LadderTerms<'a> {
    account: &'a Account,
    allocation: &'a Allocation,
    policy: &'a Policy,
    /// The due date that days are counted from.
    oldest: Option<NaiveDate>,
    /// The first day on which an overdue balance is large enough to move a stage.
    material_from: Option<NaiveDate>,
    delinquency_history: DelinquencyHistory,
    episode_begins_on: Option<NaiveDate>,
    /// The first day after the first-lapse tolerance; none: the tolerance does not apply.
    tolerated_until: Option<NaiveDate>,
    /// The days on which the account waits for a payment in process.
    in_process: Option<DayRange>,
    /// The days on which a temporary hardship cause defers restrictions.
    excused: Option<DayRange>,
    /// The days on which each dispute defers restrictions.
    disputed: Vec<DayRange>,
}

impl<'a> LadderTerms<'a> {
    fn new(account: &'a Account, allocation: &'a Allocation, policy: &'a Policy, day: NaiveDate) -> Self {
        let oldest = allocation.open_installments.first().map(|oldest| oldest.due_on);
        let mut terms = Self {
            account,
            allocation,
            policy,
            oldest,
            material_from: oldest.map(|oldest| past_due_from(policy.day_count, oldest)),
            delinquency_history: DelinquencyHistory::default(),
            episode_begins_on: None,
            tolerated_until: None,
            in_process: in_process(account, policy),
            excused: excused(account, policy),
            disputed: disputed_days(account, policy),
        };
        if let Some(materiality) = &policy.materiality {
            terms.material_from = terms.overdue_from(NaiveDate::MAX, |overdue, outstanding, _| {
                materiality.is_exceeded(overdue, outstanding)
            });
        }
        if policy.first_lapse_tolerance.is_some() {
            terms.remember_episodes(day);
        }
        terms
    }

    fn remember_episodes(&mut self, day: NaiveDate) {
        let (account, policy) = (self.account, self.policy);
        let Some(tolerance) = &policy.first_lapse_tolerance else { return };
        let judged_on = account.status.last_assessed_at;
        let judged_on = judged_on.map(|at| policy.day_count.judged_day(account.time_zone, at));
        let delinquent_from = self.oldest.map(|oldest| self.after_delinquent_days(oldest, 1));
        self.delinquency_history = account.status.delinquency_history.on(day, delinquent_from, judged_on);
        self.episode_begins_on = delinquent_from.filter(|from| *from > day);
        if let (Some(oldest), Some(begin)) = (self.oldest, delinquent_from)
            && self.delinquency_history.is_first(begin, tolerance.months)
        {
            let over = self.after_delinquent_days(oldest, tolerance.days.saturating_add(1));
            let minor = tolerance.amount.as_decimal();
            let not_minor = self.overdue_from(over, |overdue, _, _| overdue > minor);
            self.tolerated_until = earlier(Some(over), not_minor);
        }
    }

    /// The first day with `days` delinquent days.
    fn after_delinquent_days(&self, oldest: NaiveDate, days: u32) -> NaiveDate {
        let on_due_date = self.policy.day_count.on_due_date();
        let unpaused = i64::from(days) + i64::from(self.policy.grace_days) - on_due_date;
        after_unpaused_days(&self.account.pauses, oldest, unpaused)
    }

    /// The first day on which the overdue balance, the outstanding balance and the number of installments
    /// past due satisfy a condition that goes on holding as days go by. A day after `last` need not be found.
    fn overdue_from(
        &self,
        last: NaiveDate,
        is_enough: impl Fn(Decimal, Decimal, u64) -> bool,
    ) -> Option<NaiveDate> {
        let (open_installment, count) = (&self.allocation.open_installments, self.policy.day_count);
        if open_installment.is_empty() {
            return None;
        }
        if let Some(ledger) = &self.allocation.ledger {
            return ledger.first_day(open_installment, count, self.account.currency, last, |balances| {
                let (overdue, outstanding) =
                    (balances.overdue.as_decimal(), balances.outstanding.as_decimal());
                is_enough(overdue, outstanding, u64::from(balances.unpaid_installments))
            });
        }
        let outstanding = self.allocation.outstanding.as_decimal();
        let mut overdue = Decimal::ZERO;
        for (one, installments) in open_installment.iter().zip(1_u64..) {
            overdue += one.amount.as_decimal();
            if is_enough(overdue, outstanding, installments) {
                return Some(past_due_from(count, one.due_on));
            }
        }
        None
    }

    /// The days on which all the conditions hold, if the facts stay as they are.
    fn holds(&self, when: &When) -> Option<DayRange> {
        let oldest = self.oldest?;
        let mut from = self.material_from?;
        let mut until = None;
        if let Some(days) = when.days_past_due {
            from = from.max(plus_days(oldest, i64::from(days) - self.policy.day_count.on_due_date()));
        }
        if let Some(days) = when.delinquent_days.filter(|days| *days > 0) {
            from = from.max(self.after_delinquent_days(oldest, days));
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
        let from = put_off(from, self.in_process);
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
        let mut from = held_from;
        let mut by = None;
        let mut wait = |until: NaiveDate, reason| {
            if until > from {
                (from, by) = (until, Some(reason));
            }
            from
        };
        let mut begins = wait(self.tolerated_until.unwrap_or(held_from), DeferralReason::FirstLapseTolerance);
        if let Some(days) = stage.notice_days() {
            let Some(sent_on) = self.noticed_on(stage) else { return (None, Some(DeferralReason::Notice)) };
            begins = wait(plus_days(sent_on, i64::from(days)), DeferralReason::Notice);
        }
        // Each deferral may end within another.
        for _ in 0..2 + self.disputed.len() {
            begins = wait(put_off(begins, self.excused), DeferralReason::TemporaryCause);
            begins = wait(put_off(begins, self.in_process), DeferralReason::PaymentInProcess);
            for disputed in &self.disputed {
                begins = wait(put_off(begins, Some(*disputed)), DeferralReason::Dispute);
            }
        }
        (Some(from), by)
    }

    /// The day on which a stage's last notice left, if the notice was about the present overdue balance.
    fn noticed_on(&self, stage: &Stage) -> Option<NaiveDate> {
        let oldest = self.oldest?;
        let is_of = |notice: &&Notice| matches!(&notice.of, NoticeOf::Stage(name) if *name == stage.name);
        let notice = self.account.notices.iter().find(is_of)?;
        let sent_on = business_date(self.account.time_zone, notice.sent_at?);
        (sent_on >= oldest).then_some(sent_on)
    }

    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self.policy.day_count.judged_day(self.account.time_zone, at)
    }
}
