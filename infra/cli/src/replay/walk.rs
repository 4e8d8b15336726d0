//! One account in a run, day by day.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::account::ImposedBy;
use duewatch_domain::assessment::{is_still_due, request_hold};
use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject};
use duewatch_domain::kernel::{Revision, last_instant_of_day, plus_days, start_of_day};
use duewatch_domain::{Account, Applied, Command, Decision, Refusal, Trigger, allocate_at, assess};

use super::course::AccountCourse;
use super::{EventStep, Keep, LineRecord, Opening, ReplayCase, Tally};

/// An account at a day of a run.
pub(super) struct AccountWalk<'a> {
    case: &'a ReplayCase,
    pub(super) opening: &'a Opening,
    pub(super) account: Account,
    /// The account as its last day ended; none: no other account goes on after it.
    last_day: Option<Box<Account>>,
    pub(super) is_open: bool,
    lines: DailyLines<'a>,
    /// Whether notices leave: a day's line then depends on when earlier notices left, and not on the facts
    /// alone.
    notifies: bool,
    /// The indices of its steps in the case.
    pub(super) steps: Vec<usize>,
    next_step: usize,
    keep: Keep,
    pub(super) tally: Tally,
    pub(super) course: AccountCourse,
    pub(super) decisions: Vec<Decision>,
    /// The contact requests of all revisions.
    requests: Vec<(Revision, ContactRequest)>,
    /// Notices that wait for their time.
    waiting: Vec<WaitingNotice>,
}

/// A notice that was caught up, and waits for the next time of sending.
struct WaitingNotice {
    request: ContactRequest,
    /// The account's stage when it was requested.
    stage: String,
    leaves_at: DateTime<Utc>,
}

impl<'a> AccountWalk<'a> {
    pub(super) fn new(case: &'a ReplayCase, opening: &'a Opening, steps: Vec<usize>, keep: Keep) -> Self {
        let announced = case.versions.iter().any(|policy| policy.announcement.is_some());
        let mut steps_of_reminders =
            case.versions.iter().flat_map(|policy| &policy.reminders).flat_map(|table| &table.steps);
        Self {
            case,
            opening,
            account: opening.account.clone(),
            last_day: None,
            is_open: false,
            lines: DailyLines::new(&opening.account, &case.versions),
            notifies: announced || steps_of_reminders.any(|step| step.notice_of.is_some()),
            steps,
            next_step: 0,
            keep,
            tally: Tally::default(),
            course: AccountCourse::default(),
            decisions: Vec::new(),
            requests: Vec::new(),
            waiting: Vec::new(),
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
                self.send_notices(notices, self.opening.opens_at);
            }
            while let Some(step) = self.step().filter(|step| step.at < next_day) {
                let place = self.steps[self.next_step];
                self.next_step += 1;
                self.take(step).map_err(|refusal| (place, refusal))?;
            }
            if is_swept && self.is_open {
                self.sweep_until(last_instant_of_day(zone, day));
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
    pub(super) fn open(&mut self) -> VecDeque<ContactRequest> {
        self.is_open = true;
        let trigger = if self.opening.by_event { Trigger::Fact } else { Trigger::Time };
        self.judge_once(self.opening.opens_at, trigger);
        self.notices().collect()
    }

    /// Whether the next step can lie within `day`: no zone is so far from UTC that a
    /// date ends after the next one does there.
    fn may_step(&self, day: NaiveDate) -> bool {
        self.step().is_some_and(|step| step.at.date_naive() <= plus_days(day, 1))
    }

    fn step(&self) -> Option<&'a EventStep> {
        self.steps.get(self.next_step).map(|place| &self.case.steps[*place])
    }

    pub(super) fn take(&mut self, step: &EventStep) -> Result<(), Refusal> {
        self.sweep_until(step.at);
        let is_due = self.account.is_due(step.at);
        let is_money = matches!(step.command, Command::PaymentReceived(_) | Command::PaymentReversed(_));
        // A payment that is there when a restriction is about to be imposed comes before it.
        let restricts =
            |account: &Account| account.assess_by(&self.case.versions, step.at).restricts(account);
        let money_first = is_due && is_money && restricts(&self.account);
        if is_due && !money_first {
            self.judge(step.at, Trigger::Time);
        }
        let timeline = self.case.versions.timeline(&self.account, step.at);
        match self.account.apply_under(&step.command, step.received_at, Some(&timeline))? {
            Applied::Changed => {
                self.lines.changed();
                self.judge(step.at, Trigger::Fact);
            }
            Applied::Unchanged if money_first => self.judge(step.at, Trigger::Time),
            Applied::Unchanged => {}
        }
        Ok(())
    }

    fn sweep_until(&mut self, until: DateTime<Utc>) {
        while let Some(due) = self.due_at() {
            let firing = self.case.firings.at_or_after(due);
            if firing > until {
                break;
            }
            self.fire(firing);
        }
    }

    /// The earliest instant at which the account is due, or a notice that waits for its time.
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        let account = if self.is_open { self.account.due_at() } else { None };
        account.into_iter().chain(self.waiting.iter().map(|notice| notice.leaves_at)).min()
    }

    /// A firing of the sweeps: an evaluation of the account, then of the notices that wait, where either is due.
    pub(super) fn fire(&mut self, firing: DateTime<Utc>) {
        if self.is_open && self.account.is_due(firing) {
            self.judge(firing, Trigger::Time);
        }
        let (due, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|notice| notice.leaves_at <= firing);
        self.waiting = waiting;
        let due: Vec<WaitingNotice> = due;
        for notice in due {
            self.evaluate_notice(notice, firing);
        }
    }

    /// The last look at a notice, as a sending function takes it: it leaves, waits, or has lost its reason.
    fn evaluate_notice(&mut self, notice: WaitingNotice, now: DateTime<Utc>) {
        let WaitingNotice { request, stage, .. } = notice;
        let timeline = self.case.versions.timeline(&self.account, now);
        let allocation = allocate_at(&self.account, &timeline);
        let assessed = assess(&self.account, &timeline, now);
        if !is_still_due(&self.account, &allocation, &stage, assessed.stage_name(), &request) {
            return;
        }
        match request_hold(&self.account, timeline.current(), &request, now) {
            Some(hold) => {
                let leaves_at = request.sent_from(&self.account, timeline.current(), hold.until);
                self.waiting.push(WaitingNotice { request, stage, leaves_at });
            }
            None => self.send_notices([request].into(), now),
        }
    }

    /// Applies the current cross-restrictions of the customer's other accounts. Returns the notices of the
    /// elapsed time before, which the caller lets leave; `None` where nothing changed.
    pub(super) fn apply_cross_restrictions(
        &mut self,
        others: Vec<ImposedBy>,
        now: DateTime<Utc>,
    ) -> Option<VecDeque<ContactRequest>> {
        // The case was checked: no customer has more accounts than can be assessed together.
        if self.account.clone().replace_imposed_by(others.clone()) != Ok(Applied::Changed) {
            return None;
        }
        let mut notices = VecDeque::new();
        if self.account.is_due(now) {
            self.judge_once(now, Trigger::Time);
            notices.extend(self.notices());
        }
        let _ = self.account.replace_imposed_by(others);
        self.lines.changed();
        self.judge_once(now, Trigger::Fact);
        notices.extend(self.notices());
        Some(notices)
    }

    /// Assesses the account; its planned notices leave at once, as a sending function would let them, unless they
    /// are caught up: those wait for the next time of sending.
    pub(super) fn judge(&mut self, now: DateTime<Utc>, trigger: Trigger) {
        self.judge_once(now, trigger);
        let notices = self.notices().collect();
        self.send_notices(notices, now);
    }

    /// Lets notices leave, and those that are planned in turn.
    pub(super) fn send_notices(&mut self, mut notices: VecDeque<ContactRequest>, now: DateTime<Utc>) {
        // A stage has one notice a debt, so the loop ends.
        while let Some(notice) = notices.pop_front() {
            let Some(of) = &notice.notice_of else { continue };
            if let Some(leaves_at) = notice.not_before.filter(|leaves_at| *leaves_at > now) {
                let stage = self.account.status.stage.to_string();
                self.waiting.push(WaitingNotice { request: notice, stage, leaves_at });
                continue;
            }
            if self.account.notice_left(of, notice.planned_at, now) == Applied::Changed {
                self.lines.changed();
                self.judge_once(now, Trigger::Fact);
                notices.extend(self.notices());
            }
        }
    }

    fn notices(&self) -> impl Iterator<Item = ContactRequest> {
        self.account.contact_requests.clone().into_iter().filter(|request| request.notice_of.is_some())
    }

    fn judge_once(&mut self, now: DateTime<Utc>, trigger: Trigger) {
        self.account.judge(&self.case.versions, now, trigger);
        if now >= self.opening.closes_before {
            // The walk continues for the customer's other accounts alone, whose days end later.
            return;
        }
        let begins = self.case.begins(self.account.time_zone);
        if self.keep.contacts {
            let revision = self.account.revision;
            self.requests.extend(self.account.contact_requests.iter().map(|one| (revision, one.clone())));
        }
        self.course.assessed(&self.account, self.opening.first_day, now >= begins);
        if let Some(decision) = self.account.decision_of_this_revision().filter(|one| one.at >= begins) {
            self.tally.add(Tally::of(!decision.applied.is_empty(), !decision.lifted.is_empty()));
            if self.keep.decisions {
                self.decisions.push(decision.clone());
            }
        }
    }

    /// Keeps the account as a day ends, where it is its last and the customer's other accounts go on in other zones.
    pub(super) fn day_over(&mut self, day: NaiveDate) {
        if self.keep.accounts && day == self.case.to {
            self.last_day = Some(Box::new(self.account.clone()));
        }
    }

    /// The account as its last day ended.
    pub(super) fn into_account(self) -> Account {
        self.last_day.map_or(self.account, |account| *account)
    }

    pub(super) fn close(&mut self) {
        if self.is_open {
            self.course.closed(&self.account, &self.case.versions, self.case.to);
        }
    }

    /// The lines of the contact requests of the run.
    pub(super) fn contacts(&self) -> impl Iterator<Item = LineRecord> {
        let line = |(revision, request): &(Revision, ContactRequest)| {
            LineRecord::of_request(self.case, &self.account.account_id, *revision, request)
        };
        self.requests.iter().filter_map(line)
    }

    pub(super) fn into_decisions(self) -> impl Iterator<Item = LineRecord> {
        let Account { account_id, currency, .. } = self.account;
        self.decisions.into_iter().map(move |decision| {
            let subject = DecisionSubject { account_id: &account_id, currency };
            LineRecord {
                at: decision.at,
                // Plain data: only a map whose keys are no strings can fail here.
                line: serde_json::to_string(&DecisionLine::new(subject, &decision)).unwrap_or_default(),
                account_id: account_id.clone(),
                revision: decision.revision,
            }
        })
    }
}
