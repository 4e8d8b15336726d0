//! The engine that calls the domain alone.
//!
//! Accounts are independent, or only those of one customer depend on each other. So each core takes a share
//! of them and walks it through a window of days. Each window is written, in order of date, while the next is
//! computed. Memory holds the accounts and two windows of lines, never the output.

use std::io::Write;
use std::sync::mpsc;
use std::thread;

use chrono::NaiveDate;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::plus_days;
use duewatch_domain::{Account, Decision, Refusal};

use super::course::AccountCourse;
use super::group::CustomerGroup;
use super::walk::AccountWalk;
use super::{Keep, LineRecord, ReplayCase, ReplayError, Tally};
use crate::progress::Progress;

/// Days whose lines are held in memory at once.
const WINDOW_DAYS: i64 = 8;

/// The result of a run.
pub(super) struct Ran {
    pub(super) tally: Tally,
    /// The decisions, where they are kept.
    pub(super) decisions: Vec<LineRecord>,
    /// The contact requests, where they are kept.
    pub(super) contacts: Vec<LineRecord>,
    /// In the order of the case's openings.
    pub(super) courses: Vec<AccountCourse>,
}

/// The accounts on their way through the run.
enum AccountWalks<'a> {
    /// Independent accounts.
    Apart(Vec<AccountWalk<'a>>),
    /// Accounts grouped by customer.
    Together(Vec<CustomerGroup<'a>>),
}

impl<'a> AccountWalks<'a> {
    fn new(case: &'a ReplayCase, keep: Keep) -> Self {
        let mut steps: Vec<Vec<usize>> = vec![Vec::new(); case.openings.len()];
        for (place, step) in case.steps.iter().enumerate() {
            steps[step.account].push(place);
        }
        let walks = case.openings.iter().zip(steps);
        let walks = walks.map(|(opening, steps)| AccountWalk::new(case, opening, steps, keep));
        if !case.judges_together() {
            return Self::Apart(walks.collect());
        }
        let mut walks: Vec<Option<AccountWalk<'a>>> = walks.map(Some).collect();
        let mut take = |place: usize| walks.get_mut(place).and_then(Option::take).map(|walk| (place, walk));
        let groups = case.by_customer().into_values();
        Self::Together(
            groups
                .map(|places| CustomerGroup::new(case, places.into_iter().filter_map(&mut take).collect()))
                .collect(),
        )
    }

    /// In the order of the case's openings.
    fn into_walks(self) -> Vec<AccountWalk<'a>> {
        match self {
            Self::Apart(walks) => walks,
            Self::Together(groups) => {
                let mut members: Vec<_> = groups.into_iter().flat_map(|group| group.members).collect();
                members.sort_by_key(|member| member.place);
                members.into_iter().map(|member| member.walk).collect()
            }
        }
    }
}

pub(super) fn run(
    case: &ReplayCase,
    daily: Option<&mut (dyn Write + Send)>,
    keep: Keep,
) -> Result<Ran, ReplayError> {
    let mut walks = AccountWalks::new(case, keep);
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
    let walks = walks.into_walks();
    let mut ran = Ran {
        tally: Tally::default(),
        decisions: Vec::new(),
        contacts: Vec::new(),
        courses: Vec::with_capacity(walks.len()),
    };
    for mut walk in walks {
        walk.close();
        ran.tally.add(walk.tally);
        ran.courses.push(std::mem::take(&mut walk.course));
        ran.contacts.extend(walk.contacts());
        ran.decisions.extend(walk.into_decisions());
    }
    Ok(ran)
}

/// Walks all accounts through a case, in the order of its openings; none: the account was not open.
///
/// # Errors
/// When an event of one of them is refused.
pub fn walk_accounts(case: &ReplayCase) -> Result<Vec<Option<Account>>, ReplayError> {
    case.check_customers()?;
    let mut walks = AccountWalks::new(case, Keep { accounts: true, ..Keep::default() });
    walk_all(case, &mut walks, None)?;
    let walks = walks.into_walks().into_iter();
    Ok(walks
        .map(|walk| (walk.is_open && walk.opening.first_day <= case.to).then(|| walk.into_account()))
        .collect())
}

/// An account at the end of a run, with its decisions.
#[derive(Clone, Debug)]
pub struct ReplayedAccount {
    pub account: Account,
    /// Every decision of the run.
    pub decisions: Vec<Decision>,
    /// The customer's other accounts, by id, where one can restrict another.
    pub others: Vec<Account>,
}

/// Walks one account through a case, with the customer's others where one can restrict another.
///
/// # Errors
/// When an event of one of them is refused.
pub fn walk_account(
    case: &ReplayCase,
    account_id: &AccountId,
) -> Result<Option<ReplayedAccount>, ReplayError> {
    let Some(place) = case.openings.iter().position(|one| &one.account.account_id == account_id) else {
        return Ok(None);
    };
    case.check_customers()?;
    let customer_id = &case.openings[place].account.customer_id;
    let walk_of = |place: usize| {
        let steps = (0..case.steps.len()).filter(|step| case.steps[*step].account == place).collect();
        AccountWalk::new(
            case,
            &case.openings[place],
            steps,
            Keep { decisions: true, accounts: true, ..Keep::default() },
        )
    };
    if !case.judges_together() {
        let (mut walk, mut day) = (walk_of(place), case.from);
        while day <= case.to {
            walk.through(day, None).map_err(|(step, refusal)| case.refused(&case.steps[step], &refusal))?;
            day = plus_days(day, 1);
        }
        let (account, decisions) = (walk.account, walk.decisions);
        return Ok(Some(ReplayedAccount { account, decisions, others: Vec::new() }));
    }
    let places = case.by_customer().remove(customer_id).unwrap_or_default();
    let walks = places.into_iter().map(|place| (place, walk_of(place)));
    let mut group = CustomerGroup::new(case, walks.collect());
    group.through(case.to, false).map_err(|(step, refusal)| case.refused(&case.steps[step], &refusal))?;
    let (mut walked, mut others) = (None, Vec::new());
    for mut member in group.members {
        if member.place == place {
            let decisions = std::mem::take(&mut member.walk.decisions);
            walked = Some((member.walk.into_account(), decisions));
        } else if member.walk.is_open {
            others.push(member.walk.into_account());
        }
    }
    Ok(walked.map(|(account, decisions)| ReplayedAccount { account, decisions, others }))
}

/// The lines of a window: of each share of the accounts, of each day.
type Window = Vec<Vec<Vec<u8>>>;

/// The channels by which windows go to the writer, and come back to be filled again.
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
        // No share takes the window back after the last one.
        let _ = written.send(window);
    }
    Ok(())
}

fn walk_all(
    case: &ReplayCase,
    walks: &mut AccountWalks<'_>,
    lines: Option<Lines>,
) -> Result<(), ReplayError> {
    let mut progress = Progress::new("replay", (case.to - case.from).num_days().unsigned_abs() + 1);
    let mut first_refused: Option<(usize, Refusal)> = None;
    let mut window_from = case.from;
    while window_from <= case.to {
        let window_to = plus_days(window_from, WINDOW_DAYS - 1).min(case.to);
        let days = usize::try_from((window_to - window_from).num_days() + 1).unwrap_or(0);
        let mut window = lines.as_ref().and_then(|lines| lines.empty.try_recv().ok()).unwrap_or_default();
        let write = lines.is_some();
        let refused = match walks {
            AccountWalks::Apart(walks) => walk_apart(walks, window_from, days, &mut window, write),
            AccountWalks::Together(groups) => walk_together(groups, window_to, days, &mut window, write),
        };
        // The days of one zone begin while those of another still end: the step that comes first may lie in
        // the next window.
        let is_last = first_refused.is_some() || window_to == case.to;
        first_refused = first_refused.into_iter().chain(refused).min_by_key(|(step, _)| *step);
        if let Some((step, refusal)) = first_refused.as_ref().filter(|_| is_last) {
            return Err(case.refused(&case.steps[*step], refusal));
        }
        if let Some(lines) = &lines
            && lines.full.send(window).is_err()
        {
            // The writer has failed, and returns its error when it is joined.
            return Ok(());
        }
        progress.set((window_to - case.from).num_days().unsigned_abs() + 1);
        window_from = plus_days(window_to, 1);
    }
    // Without this the writer would wait for more.
    drop(lines);
    Ok(())
}

/// The accounts of one core's share.
fn share_of(count: usize) -> usize {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    count.div_ceil(workers).max(1)
}

/// Walks independent accounts through a window, and returns the first refused step.
fn walk_apart(
    walks: &mut [AccountWalk<'_>],
    from: NaiveDate,
    days: usize,
    window: &mut Window,
    write: bool,
) -> Option<(usize, Refusal)> {
    let share = share_of(walks.len());
    window.resize_with(walks.len().div_ceil(share), Vec::new);
    thread::scope(|scope| {
        let parts: Vec<_> = walks
            .chunks_mut(share)
            .zip(window)
            .map(|(walks, buffers)| {
                buffers.resize_with(days, Vec::new);
                scope.spawn(move || walk(walks, from, buffers, write))
            })
            .collect();
        first_refused(parts)
    })
}

/// Walks groups through a window, each with all of a customer's accounts, and returns the first refused step.
fn walk_together(
    groups: &mut [CustomerGroup<'_>],
    to: NaiveDate,
    days: usize,
    window: &mut Window,
    write: bool,
) -> Option<(usize, Refusal)> {
    let share = share_of(groups.len());
    let refused = thread::scope(|scope| {
        let parts: Vec<_> = groups
            .chunks_mut(share)
            .map(|groups| {
                scope.spawn(move || {
                    let refused = groups.iter_mut().filter_map(|group| group.through(to, write).err());
                    refused.min_by_key(|(step, _)| *step)
                })
            })
            .collect();
        first_refused(parts)
    });
    // A line is written at its account's index, in any group.
    let members = || groups.iter().map(|group| group.members.len()).sum();
    window.resize_with(if write { members() } else { 0 }, Vec::new);
    for member in groups.iter_mut().flat_map(|group| &mut group.members) {
        if let Some(lines) = window.get_mut(member.place) {
            *lines = member.take_lines(days);
        }
    }
    refused
}

fn first_refused(
    parts: Vec<thread::ScopedJoinHandle<'_, Option<(usize, Refusal)>>>,
) -> Option<(usize, Refusal)> {
    parts
        .into_iter()
        .filter_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        .min_by_key(|(step, _)| *step)
}

/// Walks one share of the accounts through a window, and returns the first refused step.
fn walk(
    walks: &mut [AccountWalk<'_>],
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
