//! `replay --against`: two policies on the same facts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;

use duewatch_domain::Policy;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::policy::PolicyRef;
use duewatch_domain::policy::Versions;

use super::course::AccountCourse;
use super::{Engine, Keep, Outputs, ReplayCase, ReplayError, Summary, pure, run};
use crate::input::PolicyFile;
use crate::table::TextTable;

/// The most accounts that are named.
const MOST_NAMED: usize = 10;

/// A figure of a course.
type Figure = (&'static str, fn(&AccountCourse) -> i64);

/// The figures compared over the whole portfolio.
const FIGURES: [Figure; 5] = [
    ("accounts flagged", |course| i64::from(course.flagged)),
    ("accounts restricted", |course| i64::from(course.restricted)),
    DAYS,
    DECISIONS,
    REMINDERS,
];
/// The figures compared for one account, the gravest first; they rank the accounts.
const FIGURES_OF_ONE: [Figure; 3] = [DAYS, DECISIONS, REMINDERS];
const DAYS: Figure = ("days under restriction", |course| course.restricted_days);
const DECISIONS: Figure = ("decisions", |course| course.decisions);
const REMINDERS: Figure = ("reminders planned", |course| course.reminders);

/// The late fees, in currencies: a sum for each, after the other figures.
const LATE_FEES: &str = "late fees charged";

/// The results of two policies for the same accounts.
#[derive(Clone, Debug)]
pub struct Comparison {
    policies: [PolicyRef; 2],
    /// Whether either policy charges a late fee.
    charges: bool,
    accounts: Vec<AccountComparison>,
}

/// The results of both policies for one account.
#[derive(Clone, Debug)]
struct AccountComparison {
    account_id: AccountId,
    currency: Currency,
    courses: [AccountCourse; 2],
}

/// Runs a case by the domain alone and writes the outputs, then runs it again under another policy. The case
/// keeps the other policy.
///
/// # Errors
/// A [`ReplayError`]; the outputs of the first run stay.
pub fn replay_against(
    case: &mut ReplayCase,
    other: PolicyFile,
    outputs: &Outputs,
) -> Result<(Summary, Comparison), ReplayError> {
    let (summary, courses) = run(case, Engine::Pure, outputs)?;
    if !case.earlier.is_empty() {
        return Err(ReplayError::Versions {
            problem: "--against compares one version with another".to_owned(),
        });
    }
    let Some(versions) = Versions::new(vec![other.policy.clone()]) else {
        return Err(ReplayError::Versions { problem: "a run needs a policy".to_owned() });
    };
    case.versions = versions;
    let policy = mem::replace(&mut case.policy, other).policy;
    let others = pure::run(case, None, Keep::default())?.courses;
    let courses = courses.into_iter().zip(others).map(<[AccountCourse; 2]>::from);
    let accounts = case.openings.iter().map(|opening| &opening.account).zip(courses);
    let accounts = accounts.map(|(account, courses)| AccountComparison {
        account_id: account.account_id.clone(),
        currency: account.currency,
        courses,
    });
    let accounts = accounts.collect();
    let policies = [&policy, &case.policy.policy];
    let charges = policies.iter().any(|policy| policy.late_fee.is_some());
    Ok((summary, Comparison { policies: policies.map(Policy::reference), charges, accounts }))
}

/// Both sides and the difference, then the accounts that differ most.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [policy, other] = self.policies.each_ref().map(ToString::to_string);
        let mut sums = TextTable::new(&["", &policy, &other, "difference"]).figures_from(1);
        for (name, figure) in FIGURES {
            let [one, two] =
                [0, 1].map(|side| self.accounts.iter().map(|one| figure(&one.courses[side])).sum::<i64>());
            sums.row([name.to_owned(), one.to_string(), two.to_string(), signed(two - one)]);
        }
        for (currency, [one, two]) in self.late_fees() {
            let sign = if two > one { "+" } else { "" };
            let difference = format!("{sign}{}", currency.text(two - one));
            let name = format!("{LATE_FEES}, {}", currency.code());
            sums.row([name, currency.text(one), currency.text(two), difference]);
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
        let fees = self.charges.then_some(LATE_FEES);
        let headings: Vec<&str> =
            ["account"].into_iter().chain(FIGURES_OF_ONE.map(|(name, _)| name)).chain(fees).collect();
        let mut named = TextTable::new(&headings).figures_from(1);
        for AccountComparison { account_id, currency, courses } in differing.into_iter().take(MOST_NAMED) {
            let cells = FIGURES_OF_ONE.map(|(_, figure)| from_to(courses.each_ref().map(figure)));
            let fees = fees.map(|_| {
                let fees = from_to(courses.each_ref().map(|course| currency.text(course.late_fees)));
                format!("{fees} {}", currency.code())
            });
            named.row([account_id.to_string()].into_iter().chain(cells).chain(fees));
        }
        write!(f, "{named}")
    }
}

impl Comparison {
    /// The accounts that differ, the largest difference first.
    fn differing(&self) -> Vec<&AccountComparison> {
        let difference = |[one, two]: &[AccountCourse; 2]| {
            let figures = FIGURES_OF_ONE.map(|(_, figure)| figure(two).abs_diff(figure(one)));
            (figures, one.late_fees.max(two.late_fees) - one.late_fees.min(two.late_fees))
        };
        let mut differing: Vec<_> =
            self.accounts.iter().filter(|one| one.courses[0] != one.courses[1]).collect();
        differing.sort_by_cached_key(|one| (Reverse(difference(&one.courses)), one.account_id.clone()));
        differing
    }

    /// The late fees of both policies in each currency of the portfolio, by its code; empty where neither
    /// charges.
    fn late_fees(&self) -> impl Iterator<Item = (Currency, [Money; 2])> {
        let mut sums = BTreeMap::new();
        for one in self.accounts.iter().filter(|_| self.charges) {
            let (_, fees) =
                sums.entry(one.currency.code()).or_insert((one.currency, [one.currency.zero(); 2]));
            for (sum, course) in fees.iter_mut().zip(&one.courses) {
                *sum += course.late_fees;
            }
        }
        sums.into_values()
    }
}

fn from_to(sides: [impl ToString; 2]) -> String {
    let [one, two] = sides.map(|side| side.to_string());
    if one == two { one } else { format!("{one} -> {two}") }
}

fn signed(difference: i64) -> String {
    if difference > 0 { format!("+{difference}") } else { difference.to_string() }
}
