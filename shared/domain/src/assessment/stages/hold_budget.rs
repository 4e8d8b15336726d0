//! The bound of holds: in one delinquency episode they keep restrictions back on so many days in all, over all kinds
//! and items together.
//!
//! The days that are gone were counted at the last assessment, which told on which days holds would keep a restriction
//! back while no fact changes. So the count does not depend on when an account is assessed, and a fact that comes
//! changes the later days alone. On the day on which the days are used up every hold ends.

use chrono::NaiveDate;

use super::{HoldDeferral, LadderTerms};
use crate::account::{DelinquencyPause, HeldDays, HoldUse};
use crate::kernel::earlier;
use crate::policy::Stage;

/// The most stretches of held days that an account remembers.
const MAX_STRETCHES: usize = 16;

impl LadderTerms<'_> {
    /// Ends the holds on the day on which their days of this episode are used up, as it is seen on `seen_on`.
    pub(super) fn bound_holds(&mut self, seen_on: NaiveDate) {
        let (account, most) = (self.account, self.policy.most_held_days());
        let known = &account.status.holds;
        if most.is_none() && known.is_none() {
            return;
        }
        let from = earlier(self.counted_from, self.held_from());
        let begins_on = from.map(|from| self.after_delinquent_days(from, 1));
        let known = match begins_on {
            Some(begins_on) if begins_on <= seen_on => known.clone(),
            // Another episode has days of its own.
            _ => HoldUse::default(),
        };
        let Some(most) = most else {
            let HoldUse { money_days, money_on, .. } = known;
            self.hold_use = HoldUse { money_days, money_on, ..HoldUse::default() };
            return;
        };
        let over_on = known.over_on.or_else(|| known.used_up_on(most, seen_on));
        let over_on = over_on.filter(|over_on| *over_on <= seen_on);
        self.hold_use = HoldUse { over_on, ..known.on(seen_on) };
        if over_on.is_some() {
            return self.end_holds(over_on);
        }
        // The facts of an account that was never assessed were known all along.
        let counted_until = if account.status.last_assessed_at.is_some() { seen_on } else { NaiveDate::MIN };
        let first = begins_on.map_or(seen_on, |begins_on| begins_on.max(counted_until));
        self.hold_use.held = self.kept_back_from(first);
        let used_up_on = self.hold_use.used_up_on(most, first);
        if let Some(used_up_on) = used_up_on {
            keep_before(&mut self.hold_use.held, used_up_on);
        }
        self.end_holds(used_up_on);
    }

    /// The due date of the oldest open installment on hold. No stage counts its days; it is overdue all the same, so a
    /// hold on the last installment does not end the episode.
    fn held_from(&self) -> Option<NaiveDate> {
        let is_held = |place: usize| self.account.installments[place].hold.is_some();
        let open = &self.allocation.open_installments;
        self.allocation.without_held.as_ref()?;
        open.iter().find(|one| is_held(one.place)).map(|one| one.due_on)
    }

    fn end_holds(&mut self, ends_on: Option<NaiveDate>) {
        let of_facts = self.in_process.iter_mut().chain(&mut self.excused);
        for hold in of_facts.chain(&mut self.disputed).chain(&mut self.in_case) {
            hold.until = earlier(hold.until, ends_on);
        }
    }

    /// The days from a day on on which a hold keeps back a restriction that is not in force, pauses left out.
    fn kept_back_from(&self, first: NaiveDate) -> Vec<HeldDays> {
        let has_holds = self.in_process.is_some()
            || self.excused.is_some()
            || !self.disputed.is_empty()
            || !self.in_case.is_empty();
        if !self.account.is_enforced() || !has_holds {
            return Vec::new();
        }
        let present = &self.account.status.restrictions;
        let is_missing =
            |stage: &&Stage| stage.restrictions.iter().any(|restriction| !present.contains(restriction));
        let kept_back = self.policy.stages.iter().filter(is_missing).filter_map(|stage| {
            let holds = self.holds(&stage.when)?;
            let HoldDeferral { since, from, .. } =
                self.deferral_by_holds(stage, self.begins(stage, holds.from)?);
            let until = holds.until.map_or(from, |until| until.min(from));
            Some(HeldDays { from: since.max(first), until }).filter(|days| days.from < days.until)
        });
        union_outside_pauses(kept_back.collect(), &self.account.pauses)
    }
}

/// The days of any of the stretches that lie in no pause, in order and without overlap.
fn union_outside_pauses(mut stretches: Vec<HeldDays>, pauses: &[DelinquencyPause]) -> Vec<HeldDays> {
    stretches.sort_by_key(|one| (one.from, one.until));
    let mut union: Vec<HeldDays> = Vec::with_capacity(stretches.len());
    for one in stretches {
        match union.last_mut() {
            Some(last) if one.from <= last.until => last.until = last.until.max(one.until),
            _ => union.push(one),
        }
    }
    let mut days: Vec<HeldDays> = union.into_iter().flat_map(|one| outside_pauses(one, pauses)).collect();
    days.truncate(MAX_STRETCHES);
    days
}

/// The parts of a stretch that lie in no pause. Pauses are in order.
fn outside_pauses(stretch: HeldDays, pauses: &[DelinquencyPause]) -> Vec<HeldDays> {
    let (mut from, mut parts) = (stretch.from, Vec::new());
    for pause in pauses.iter().filter(|pause| pause.until > stretch.from && pause.from < stretch.until) {
        if from < pause.from {
            parts.push(HeldDays { from, until: pause.from });
        }
        from = from.max(pause.until);
    }
    if from < stretch.until {
        parts.push(HeldDays { from, until: stretch.until });
    }
    parts
}

/// Keeps the days before a day.
fn keep_before(days: &mut Vec<HeldDays>, over_on: NaiveDate) {
    days.retain_mut(|one| {
        one.until = one.until.min(over_on);
        one.from < one.until
    });
}
