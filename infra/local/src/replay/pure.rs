//! The engine that calls the domain alone.
//!
//! Accounts do not touch each other, so each core takes a share of them and
//! walks it through a window of days; the windows are then written in order of
//! date. Memory holds the accounts and one window of lines, never the output.

use std::io::Write;
use std::thread;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::days::{end_of_day, plus_days, start_of_day};
use duewatch_domain::formats::DailyLines;
use duewatch_domain::{Account, Applied, Cause, Refusal};

use super::{Case, Opening, ReplayError, Step, Taken};
use crate::progress::Progress;

/// Days whose lines are held in memory at once.
const WINDOW_DAYS: i64 = 16;

pub(super) fn run(
    case: &Case,
    mut daily: Option<&mut (dyn Write + Send)>,
) -> Result<Vec<Taken>, ReplayError> {
    let mut steps: Vec<Vec<usize>> = vec![Vec::new(); case.openings.len()];
    for (place, step) in case.steps.iter().enumerate() {
        steps[step.account].push(place);
    }
    let mut walks: Vec<Walk<'_>> =
        case.openings.iter().zip(steps).map(|(opening, steps)| Walk::new(case, opening, steps)).collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = walks.len().div_ceil(workers).max(1);
    let write_lines = daily.is_some();
    let mut progress = Progress::new("replay", (case.to - case.from).num_days().unsigned_abs() + 1);

    let mut window_from = case.from;
    while window_from <= case.to {
        let window_to = plus_days(window_from, WINDOW_DAYS - 1).min(case.to);
        let parts: Vec<Part> = thread::scope(|scope| {
            let parts: Vec<_> = walks
                .chunks_mut(share)
                .map(|walks| scope.spawn(move || walk(walks, window_from, window_to, write_lines)))
                .collect();
            parts
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        if let Some((step, refusal)) = parts.iter().filter_map(|part| part.refused.clone()).min_by_key(|(step, _)| *step) {
            return Err(case.refused(&case.steps[step], refusal));
        }
        if let Some(output) = &mut daily {
            let days = parts.iter().map(|part| part.lines.len()).max().unwrap_or(0);
            for day in 0..days {
                for part in &parts {
                    output.write_all(&part.lines[day])?;
                }
            }
        }
        progress.set((window_to - case.from).num_days().unsigned_abs() + 1);
        window_from = plus_days(window_to, 1);
    }
    Ok(walks.into_iter().flat_map(|walk| walk.taken).collect())
}

/// What one core has to say of a window.
#[derive(Default)]
struct Part {
    /// The lines of each day.
    lines: Vec<Vec<u8>>,
    /// The first step that was refused.
    refused: Option<(usize, Refusal)>,
}

fn walk(walks: &mut [Walk<'_>], from: NaiveDate, to: NaiveDate, write_lines: bool) -> Part {
    let mut part = Part::default();
    let days = (to - from).num_days().unsigned_abs() + 1;
    part.lines.resize_with(usize::try_from(days).unwrap_or(0), Vec::new);
    for walk in walks {
        let mut day = from;
        for lines in &mut part.lines {
            if let Err(refused) = walk.through(day, write_lines.then_some(lines)) {
                if part.refused.as_ref().is_none_or(|(step, _)| refused.0 < *step) {
                    part.refused = Some(refused);
                }
                break;
            }
            day = plus_days(day, 1);
        }
    }
    part
}

/// One account on its way through the days.
struct Walk<'a> {
    case: &'a Case,
    opening: &'a Opening,
    account: Account,
    open: bool,
    lines: DailyLines<'a>,
    steps: Vec<usize>,
    next_step: usize,
    taken: Vec<Taken>,
}

impl<'a> Walk<'a> {
    fn new(case: &'a Case, opening: &'a Opening, steps: Vec<usize>) -> Self {
        Self {
            case,
            opening,
            account: opening.account.clone(),
            open: false,
            lines: DailyLines::new(&opening.account, &case.policy.policy),
            steps,
            next_step: 0,
            taken: Vec::new(),
        }
    }

    /// Goes through one day: what time brings, what becomes known, the day's line.
    fn through(&mut self, day: NaiveDate, lines: Option<&mut Vec<u8>>) -> Result<(), (usize, Refusal)> {
        let zone = self.account.time_zone;
        let busy = self.steps.get(self.next_step).is_some()
            || !self.open
            || self.account.standing.next_action_at.is_some();
        if busy {
            let next_day = start_of_day(zone, plus_days(day, 1));
            if !self.open && self.opening.opens_at < next_day {
                self.open = true;
                let cause = if self.opening.by_event { Cause::Fact } else { Cause::Time };
                self.judge(self.opening.opens_at, cause);
            }
            while let Some(step) = self.step().filter(|step| step.at < next_day) {
                let (place, step) = (self.steps[self.next_step], step);
                self.next_step += 1;
                self.take(step).map_err(|refusal| (place, refusal))?;
            }
            if day == self.case.to {
                self.sweep_until(end_of_day(zone, day));
            }
        }
        if let Some(lines) = lines.filter(|_| self.open && day >= self.opening.first_day) {
            self.lines.write(&self.account, day, lines);
        }
        Ok(())
    }

    fn step(&self) -> Option<&'a Step> {
        self.steps.get(self.next_step).map(|place| &self.case.steps[*place])
    }

    fn take(&mut self, step: &Step) -> Result<(), Refusal> {
        self.sweep_until(step.at);
        if self.account.standing.is_due(step.at) {
            self.judge(step.at, Cause::Time);
        }
        if self.account.apply(&step.command, step.received_at)? == Applied::Changed {
            self.lines.changed();
            self.judge(step.at, Cause::Fact);
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

    fn judge(&mut self, now: DateTime<Utc>, cause: Cause) {
        self.account.judge(&self.case.policy.policy, now, cause);
        if let Some(decision) = self.account.decision_of_this_revision() {
            self.taken.push(Taken {
                account_id: self.account.account_id.clone(),
                currency: self.account.currency,
                decision: decision.clone(),
            });
        }
    }
}
