//! One account in a run, day by day.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::AskedBy;
use duewatch_domain::account::Intent;
use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{end_of_day, plus_days, start_of_day};
use duewatch_domain::{Account, Applied, Cause, Command, Decision, Refusal};

use super::course::Course;
use super::{Case, Opening, Step, Taken, Tally};

/// An account at a day of a run.
pub(super) struct Walk<'a> {
    case: &'a Case,
    pub(super) opening: &'a Opening,
    pub(super) account: Account,
    pub(super) is_open: bool,
    lines: DailyLines<'a>,
    /// Whether notices leave: a day's line then depends on when earlier notices left, and not on the facts
    /// alone.
    notifies: bool,
    /// The indices of its steps in the case.
    pub(super) steps: Vec<usize>,
    next_step: usize,
    keep: bool,
    pub(super) tally: Tally,
    pub(super) course: Course,
    pub(super) decisions: Vec<Decision>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(case: &'a Case, opening: &'a Opening, steps: Vec<usize>, keep: bool) -> Self {
        let mut steps_of_reminders = case.policy.policy.reminders.iter().flat_map(|table| &table.steps);
        Self {
            case,
            opening,
            account: opening.account.clone(),
            is_open: false,
            lines: DailyLines::new(&opening.account, &case.policy.policy),
            notifies: steps_of_reminders.any(|step| step.notice_of.is_some()),
            steps,
            next_step: 0,
            keep,
            tally: Tally::default(),
            course: Course::default(),
            decisions: Vec::new(),
        }
    }

    /// Walks through one day: elapsed time, events, the day's line.
    pub(super) fn through(
        &mut self,
        day: NaiveDate,
        lines: Option<&mut Vec<u8>>,
    ) -> Result<(), (usize, Refusal)> {
        let zone = self.account.time_zone;
        let is_swept = day == self.case.to || self.notifies;
        if !self.is_open || is_swept || self.may_step(day) {
            let next_day = start_of_day(zone, plus_days(day, 1));
            if !self.is_open && self.opening.opens_at < next_day {
                let notices = self.open();
                self.leave(notices, self.opening.opens_at);
            }
            while let Some(step) = self.step().filter(|step| step.at < next_day) {
                let place = self.steps[self.next_step];
                self.next_step += 1;
                self.take(step).map_err(|refusal| (place, refusal))?;
            }
            if is_swept && self.is_open {
                self.sweep_until(end_of_day(zone, day));
            }
        }
        if let Some(lines) = lines {
            self.write(day, lines);
        }
        Ok(())
    }

    /// Writes the line of a day that is over, where the account has one.
    pub(super) fn write(&mut self, day: NaiveDate, lines: &mut Vec<u8>) {
        if self.is_open && day >= self.opening.first_day {
            self.lines.write(&self.account, day, lines);
        }
    }

    /// Opens the account. Returns the notices that it plans, which the caller lets leave.
    pub(super) fn open(&mut self) -> VecDeque<Intent> {
        self.is_open = true;
        let cause = if self.opening.by_event { Cause::Fact } else { Cause::Time };
        self.judge_once(self.opening.opens_at, cause);
        self.notices().collect()
    }

    /// Whether the next step can lie within `day`: no zone is so far from UTC that a
    /// date ends after the next one does there.
    fn may_step(&self, day: NaiveDate) -> bool {
        self.step().is_some_and(|step| step.at.date_naive() <= plus_days(day, 1))
    }

    fn step(&self) -> Option<&'a Step> {
        self.steps.get(self.next_step).map(|place| &self.case.steps[*place])
    }

    pub(super) fn take(&mut self, step: &Step) -> Result<(), Refusal> {
        self.sweep_until(step.at);
        let is_due = self.account.standing.is_due(step.at);
        let is_money = matches!(step.command, Command::PaymentReceived(_) | Command::PaymentReversed { .. });
        // A payment that is there when a restriction is about to be imposed comes before it.
        let money_first =
            is_due && is_money && self.account.would_be_restricted(&self.case.policy.policy, step.at);
        if is_due && !money_first {
            self.judge(step.at, Cause::Time);
        }
        match self.account.apply(&step.command, step.received_at)? {
            Applied::Changed => {
                self.lines.changed();
                self.judge(step.at, Cause::Fact);
            }
            Applied::Unchanged if money_first => self.judge(step.at, Cause::Time),
            Applied::Unchanged => {}
        }
        Ok(())
    }

    fn sweep_until(&mut self, until: DateTime<Utc>) {
        while let Some(due) = self.account.standing.next_action_at {
            let firing = self.case.firings.at_or_after(due);
            if firing > until {
                break;
            }
            self.judge(firing, Cause::Time);
        }
    }

    /// Applies the current cross-restrictions of the customer's other accounts. Returns the notices of the
    /// elapsed time before, which the caller lets leave; `None` where nothing changed.
    pub(super) fn heed(&mut self, others: Vec<AskedBy>, now: DateTime<Utc>) -> Option<VecDeque<Intent>> {
        // The case was checked: no customer has more accounts than can be assessed together.
        if self.account.clone().heed(others.clone()) != Ok(Applied::Changed) {
            return None;
        }
        let mut notices = VecDeque::new();
        if self.account.standing.is_due(now) {
            self.judge_once(now, Cause::Time);
            notices.extend(self.notices());
        }
        let _ = self.account.heed(others);
        self.lines.changed();
        self.judge_once(now, Cause::Fact);
        notices.extend(self.notices());
        Some(notices)
    }

    /// Assesses the account; its planned notices leave at once, as a sending function would let them.
    pub(super) fn judge(&mut self, now: DateTime<Utc>, cause: Cause) {
        self.judge_once(now, cause);
        let notices = self.notices().collect();
        self.leave(notices, now);
    }

    /// Lets notices leave, and those that are planned in turn.
    pub(super) fn leave(&mut self, mut notices: VecDeque<Intent>, now: DateTime<Utc>) {
        // A stage has one notice a debt, so the loop ends.
        while let Some(notice) = notices.pop_front() {
            let Some(of) = &notice.notice_of else { continue };
            if self.account.notice_left(of, notice.planned_at, now) == Applied::Changed {
                self.lines.changed();
                self.judge_once(now, Cause::Fact);
                notices.extend(self.notices());
            }
        }
    }

    fn notices(&self) -> impl Iterator<Item = Intent> {
        self.account.intents.clone().into_iter().filter(|intent| intent.notice_of.is_some())
    }

    fn judge_once(&mut self, now: DateTime<Utc>, cause: Cause) {
        self.account.judge(&self.case.policy.policy, now, cause);
        if now >= self.opening.closes_before {
            // The walk continues for the customer's other accounts alone, whose days end later.
            return;
        }
        self.course.judged(&self.account, self.opening.first_day);
        if let Some(decision) = self.account.decision_of_this_revision() {
            self.tally.add(Tally::of(!decision.applied.is_empty(), !decision.lifted.is_empty()));
            if self.keep {
                self.decisions.push(decision.clone());
            }
        }
    }

    pub(super) fn close(&mut self) {
        if self.is_open {
            self.course.closed(&self.account, &self.case.policy.policy, self.case.to);
        }
    }

    pub(super) fn into_taken(self) -> impl Iterator<Item = Taken> {
        let Account { account_id, currency, .. } = self.account;
        self.decisions.into_iter().map(move |decision| {
            let subject = DecisionSubject { account_id: &account_id, currency };
            Taken {
                at: decision.at,
                // Plain data: only a map whose keys are no strings can fail here.
                line: serde_json::to_string(&DecisionLine::new(subject, &decision)).unwrap_or_default(),
                account_id: account_id.clone(),
                revision: decision.revision,
            }
        })
    }
}
