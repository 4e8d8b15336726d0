//! The engine that calls the domain alone.
//!
//! Accounts do not touch each other, so each core takes a share of them and
//! walks it through a window of days; each is written, in order of
//! date, while the next is computed. Memory holds the accounts and two windows of lines, never the output.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::mpsc;
use std::thread;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::days::{end_of_day, plus_days, start_of_day};
use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject};
use duewatch_domain::ids::AccountId;
use duewatch_domain::reminder::Intent;
use duewatch_domain::{Account, Applied, Cause, Command, Decision, Refusal};

use super::course::Course;
use super::{Case, Opening, ReplayError, Step, Taken, Tally};
use crate::progress::Progress;

/// Days whose lines are held in memory at once.
const WINDOW_DAYS: i64 = 8;

/// What a run gave.
pub(super) struct Ran {
    pub(super) tally: Tally,
    /// The decisions, where they are kept.
    pub(super) taken: Vec<Taken>,
    /// In the order of the case's openings.
    pub(super) courses: Vec<Course>,
}

pub(super) fn run(
    case: &Case,
    daily: Option<&mut (dyn Write + Send)>,
    keep: bool,
) -> Result<Ran, ReplayError> {
    let mut steps: Vec<Vec<usize>> = vec![Vec::new(); case.openings.len()];
    for (place, step) in case.steps.iter().enumerate() {
        steps[step.account].push(place);
    }
    let mut walks: Vec<Walk<'_>> = case
        .openings
        .iter()
        .zip(steps)
        .map(|(opening, steps)| Walk::new(case, opening, steps, keep))
        .collect();
    match daily {
        None => walk_all(case, &mut walks, None)?,
        Some(output) => thread::scope(|scope| {
            let (full, to_write) = mpsc::sync_channel::<Window>(1);
            let (written, empty) = mpsc::channel::<Window>();
            let writer = scope.spawn(move || write_windows(output, &to_write, &written));
            let walked = walk_all(case, &mut walks, Some(Lines { full, empty }));
            let wrote = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            walked.and(wrote.map_err(ReplayError::from))
        })?,
    }
    let mut ran =
        Ran { tally: Tally::default(), taken: Vec::new(), courses: Vec::with_capacity(walks.len()) };
    for mut walk in walks {
        walk.close();
        ran.tally.add(walk.tally);
        ran.courses.push(std::mem::take(&mut walk.course));
        ran.taken.extend(walk.into_taken());
    }
    Ok(ran)
}

/// Walks one account through a case: how it ends, and every decision on the way.
///
/// # Errors
/// When an event of that account is refused.
pub fn walk_account(
    case: &Case,
    account_id: &AccountId,
) -> Result<Option<(Account, Vec<Decision>)>, ReplayError> {
    let Some(place) = case.openings.iter().position(|one| &one.account.account_id == account_id) else {
        return Ok(None);
    };
    let steps = (0..case.steps.len()).filter(|step| case.steps[*step].account == place).collect();
    let mut walk = Walk::new(case, &case.openings[place], steps, true);
    let mut day = case.from;
    while day <= case.to {
        walk.through(day, None).map_err(|(step, refusal)| case.refused(&case.steps[step], &refusal))?;
        day = plus_days(day, 1);
    }
    Ok(Some((walk.account, walk.decisions)))
}

/// The lines of a window: of each share of the accounts, of each day.
type Window = Vec<Vec<Vec<u8>>>;

/// Where windows go to be written, and come back from to be filled again.
struct Lines {
    full: mpsc::SyncSender<Window>,
    empty: mpsc::Receiver<Window>,
}

fn write_windows(
    output: &mut (dyn Write + Send),
    to_write: &mpsc::Receiver<Window>,
    written: &mpsc::Sender<Window>,
) -> std::io::Result<()> {
    for mut window in to_write {
        let days = window.iter().map(Vec::len).max().unwrap_or(0);
        for day in 0..days {
            for share in &mut window {
                output.write_all(&share[day])?;
                share[day].clear();
            }
        }
        // Nobody takes it back after the last one.
        let _ = written.send(window);
    }
    Ok(())
}

fn walk_all(case: &Case, walks: &mut [Walk<'_>], lines: Option<Lines>) -> Result<(), ReplayError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = walks.len().div_ceil(workers).max(1);
    let mut progress = Progress::new("replay", (case.to - case.from).num_days().unsigned_abs() + 1);
    let mut first_refused: Option<(usize, Refusal)> = None;
    let mut window_from = case.from;
    while window_from <= case.to {
        let window_to = plus_days(window_from, WINDOW_DAYS - 1).min(case.to);
        let days = usize::try_from((window_to - window_from).num_days() + 1).unwrap_or(0);
        let mut window = lines.as_ref().and_then(|lines| lines.empty.try_recv().ok()).unwrap_or_default();
        window.resize_with(walks.len().div_ceil(share), Vec::new);
        let refused = thread::scope(|scope| {
            let parts: Vec<_> = walks
                .chunks_mut(share)
                .zip(&mut window)
                .map(|(walks, buffers)| {
                    buffers.resize_with(days, Vec::new);
                    let write = lines.is_some();
                    scope.spawn(move || walk(walks, window_from, buffers, write))
                })
                .collect();
            parts
                .into_iter()
                .filter_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .min_by_key(|(step, _)| *step)
        });
        // The days of one zone begin while those of another still end: the step that
        // comes first may lie in the next window.
        let is_last = first_refused.is_some() || window_to == case.to;
        first_refused = first_refused.into_iter().chain(refused).min_by_key(|(step, _)| *step);
        if let Some((step, refusal)) = first_refused.as_ref().filter(|_| is_last) {
            return Err(case.refused(&case.steps[*step], refusal));
        }
        if let Some(lines) = &lines
            && lines.full.send(window).is_err()
        {
            // The writer has failed and says why when it is joined.
            return Ok(());
        }
        progress.set((window_to - case.from).num_days().unsigned_abs() + 1);
        window_from = plus_days(window_to, 1);
    }
    // Without it the writer would wait for more.
    drop(lines);
    Ok(())
}

/// Takes one share of the accounts through a window, and says which step was
/// the first to be refused.
fn walk(
    walks: &mut [Walk<'_>],
    from: NaiveDate,
    days: &mut [Vec<u8>],
    write: bool,
) -> Option<(usize, Refusal)> {
    let mut first: Option<(usize, Refusal)> = None;
    for walk in walks {
        let mut day = from;
        for lines in &mut *days {
            if let Err(refused) = walk.through(day, write.then_some(lines)) {
                if first.as_ref().is_none_or(|(step, _)| refused.0 < *step) {
                    first = Some(refused);
                }
                break;
            }
            day = plus_days(day, 1);
        }
    }
    first
}

/// One account on its way through the days.
struct Walk<'a> {
    case: &'a Case,
    opening: &'a Opening,
    account: Account,
    open: bool,
    lines: DailyLines<'a>,
    /// Whether notices leave: then a day's line follows from when those before it did, and
    /// not from the facts alone.
    notifies: bool,
    steps: Vec<usize>,
    next_step: usize,
    keep: bool,
    tally: Tally,
    course: Course,
    decisions: Vec<Decision>,
}

impl<'a> Walk<'a> {
    fn new(case: &'a Case, opening: &'a Opening, steps: Vec<usize>, keep: bool) -> Self {
        let mut steps_of_reminders = case.policy.policy.reminders.iter().flat_map(|table| &table.steps);
        Self {
            case,
            opening,
            account: opening.account.clone(),
            open: false,
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

    /// Goes through one day: what time brings, what becomes known, the day's line.
    fn through(&mut self, day: NaiveDate, lines: Option<&mut Vec<u8>>) -> Result<(), (usize, Refusal)> {
        let zone = self.account.time_zone;
        let is_swept = day == self.case.to || self.notifies;
        if !self.open || is_swept || self.may_step(day) {
            let next_day = start_of_day(zone, plus_days(day, 1));
            if !self.open && self.opening.opens_at < next_day {
                self.open = true;
                let cause = if self.opening.by_event { Cause::Fact } else { Cause::Time };
                self.judge(self.opening.opens_at, cause);
            }
            while let Some(step) = self.step().filter(|step| step.at < next_day) {
                let place = self.steps[self.next_step];
                self.next_step += 1;
                self.take(step).map_err(|refusal| (place, refusal))?;
            }
            if is_swept && self.open {
                self.sweep_until(end_of_day(zone, day));
            }
        }
        if let Some(lines) = lines.filter(|_| self.open && day >= self.opening.first_day) {
            self.lines.write(&self.account, day, lines);
        }
        Ok(())
    }

    /// Whether the next step can lie within `day`: no zone is so far from UTC that a
    /// date ends after the next one does there.
    fn may_step(&self, day: NaiveDate) -> bool {
        self.step().is_some_and(|step| step.at.date_naive() <= plus_days(day, 1))
    }

    fn step(&self) -> Option<&'a Step> {
        self.steps.get(self.next_step).map(|place| &self.case.steps[*place])
    }

    fn take(&mut self, step: &Step) -> Result<(), Refusal> {
        self.sweep_until(step.at);
        let is_due = self.account.standing.is_due(step.at);
        let is_money = matches!(step.command, Command::PaymentReceived(_) | Command::PaymentReversed { .. });
        // Money that is there when a restriction is about to go out comes before it.
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

    /// Judges the account; the notices that it plans leave at once, as they do where there
    /// is a function to send them.
    fn judge(&mut self, now: DateTime<Utc>, cause: Cause) {
        self.judge_once(now, cause);
        let mut notices: VecDeque<Intent> = self.notices().collect();
        // A stage has one notice a debt, so they come to an end.
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
        self.course.judged(&self.account, self.opening.first_day);
        if let Some(decision) = self.account.decision_of_this_revision() {
            self.tally.add(Tally::of(!decision.applied.is_empty(), !decision.lifted.is_empty()));
            if self.keep {
                self.decisions.push(decision.clone());
            }
        }
    }

    fn close(&mut self) {
        if self.open {
            self.course.closed(&self.account, &self.case.policy.policy, self.case.to);
        }
    }

    fn into_taken(self) -> impl Iterator<Item = Taken> {
        let Account { account_id, currency, .. } = self.account;
        self.decisions.into_iter().map(move |decision| {
            let subject = DecisionSubject { account_id: &account_id, currency };
            Taken {
                at: decision.at,
                // Plain data: the only way to fail is a map with keys that are no strings.
                line: serde_json::to_string(&DecisionLine::new(subject, &decision)).unwrap_or_default(),
                account_id: account_id.clone(),
                revision: decision.revision,
            }
        })
    }
}
