//! `replay --against`: two policies on the same facts.

use std::cmp::Reverse;
use std::fmt;
use std::mem;

use duewatch_domain::ids::AccountId;
use duewatch_domain::policy::PolicyRef;

use super::course::Course;
use super::{Case, Engine, Outputs, ReplayError, Summary, pure, run};
use crate::input::PolicyFile;
use crate::table::Table;

/// How many accounts are named.
const MOST_NAMED: usize = 10;

/// A figure of a course.
type Figure = (&'static str, fn(&Course) -> i64);

/// What is compared over the whole book.
const FIGURES: [Figure; 5] = [
    ("accounts flagged", |course| i64::from(course.flagged)),
    ("accounts restricted", |course| i64::from(course.restricted)),
    DAYS,
    DECISIONS,
    REMINDERS,
];
/// What is compared of one account, the gravest first: by these the accounts are ranked.
const FIGURES_OF_ONE: [Figure; 3] = [DAYS, DECISIONS, REMINDERS];
const DAYS: Figure = ("days under restriction", |course| course.restricted_days);
const DECISIONS: Figure = ("decisions", |course| course.decisions);
const REMINDERS: Figure = ("reminders planned", |course| course.reminders);

/// What two policies made of the same accounts.
#[derive(Clone, Debug)]
pub struct Comparison {
    policies: [PolicyRef; 2],
    accounts: Vec<(AccountId, [Course; 2])>,
}

/// Runs a case by the domain alone and writes what it gives, then runs it again under another
/// policy. The case is left with that one.
///
/// # Errors
/// A [`ReplayError`]; what the first run has written stays.
pub fn replay_against(
    case: &mut Case,
    other: PolicyFile,
    outputs: &Outputs,
) -> Result<(Summary, Comparison), ReplayError> {
    let (summary, courses) = run(case, Engine::Pure, outputs)?;
    let policy = mem::replace(&mut case.policy, other).policy;
    let others = pure::run(case, None, false)?.courses;
    let accounts = case.openings.iter().map(|opening| opening.account.account_id.clone());
    let accounts = accounts.zip(courses.into_iter().zip(others).map(<[Course; 2]>::from)).collect();
    let policies = [policy.reference(), case.policy.policy.reference()];
    Ok((summary, Comparison { policies, accounts }))
}

/// Both sides and the difference, then the accounts that differ most.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [policy, other] = self.policies.each_ref().map(ToString::to_string);
        let mut sums = Table::new(&["", &policy, &other, "difference"]).figures_from(1);
        for (name, figure) in FIGURES {
            let [one, two] = [0, 1]
                .map(|side| self.accounts.iter().map(|(_, courses)| figure(&courses[side])).sum::<i64>());
            sums.row([name.to_owned(), one.to_string(), two.to_string(), signed(two - one)]);
        }
        write!(f, "{sums}")?;
        let differing = self.differing();
        if differing.is_empty() {
            return writeln!(f, "\nNo account would have been treated differently.");
        }
        writeln!(
            f,
            "\nAccounts with a difference: {} of {}{}",
            differing.len(),
            self.accounts.len(),
            if differing.len() > MOST_NAMED {
                format!("; the largest {MOST_NAMED}:")
            } else {
                ":".to_owned()
            },
        )?;
        let headings: Vec<&str> =
            ["account"].into_iter().chain(FIGURES_OF_ONE.map(|(name, _)| name)).collect();
        let mut named = Table::new(&headings).figures_from(1);
        for (account_id, courses) in differing.into_iter().take(MOST_NAMED) {
            let cells = FIGURES_OF_ONE.map(|(_, figure)| {
                let [one, two] = courses.each_ref().map(figure);
                if one == two { one.to_string() } else { format!("{one} -> {two}") }
            });
            named.row([account_id.to_string()].into_iter().chain(cells));
        }
        write!(f, "{named}")
    }
}

impl Comparison {
    /// The accounts that differ, the largest difference first.
    fn differing(&self) -> Vec<&(AccountId, [Course; 2])> {
        let difference = |courses: &[Course; 2]| {
            FIGURES_OF_ONE.map(|(_, figure)| figure(&courses[1]).abs_diff(figure(&courses[0])))
        };
        let mut differing: Vec<_> =
            self.accounts.iter().filter(|(_, courses)| courses[0] != courses[1]).collect();
        differing
            .sort_by_cached_key(|(account_id, courses)| (Reverse(difference(courses)), account_id.clone()));
        differing
    }
}

fn signed(difference: i64) -> String {
    if difference > 0 { format!("+{difference}") } else { difference.to_string() }
}
