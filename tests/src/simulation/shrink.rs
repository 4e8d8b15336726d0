//! From a seed that fails to the least of it that still fails.

use std::collections::BTreeSet;

use super::plan::{DAYS, Plan, Without};
use super::run;
use super::watch::Broken;

/// The most runs that a search takes.
const MAX_RUNS: usize = 400;

/// The least of a seed that still breaks the promise.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What can be left out.
    pub without: Without,
    /// How the promise is broken then.
    pub broken: Broken,
    /// How many runs that took.
    pub runs: usize,
}

struct Search {
    seed: u64,
    best: Shrunk,
}

impl Search {
    /// Leaves more out, where the same promise is still broken.
    fn attempt(&mut self, change: impl FnOnce(&mut Without)) -> bool {
        let mut without = self.best.without.clone();
        change(&mut without);
        if without == self.best.without || self.best.runs >= MAX_RUNS {
            return false;
        }
        self.best.runs += 1;
        match run(Plan::of(self.seed).without(&without)) {
            Err(broken) if broken.promise == self.best.broken.promise => {
                self.best.without = without;
                self.best.broken = broken;
                true
            }
            _ => false,
        }
    }

    /// Leaves out as many happenings as possible: halves first, then quarters, then one by one.
    fn drop_happenings(&mut self) {
        let all = |search: &Self| -> Vec<usize> {
            let plan = Plan::of(search.seed).without(&search.best.without);
            plan.happenings.iter().map(|happening| happening.number).collect()
        };
        let mut size = all(self).len().div_ceil(2);
        while size > 0 {
            for part in all(self).chunks(size) {
                self.attempt(|without| without.happenings.extend(part));
            }
            size /= 2;
        }
    }
}

/// Looks for the least of a seed that still breaks the same promise.
#[must_use]
pub fn shrink(seed: u64, without: &Without, broken: &Broken) -> Shrunk {
    let best = Shrunk { without: without.clone(), broken: broken.clone(), runs: 0 };
    let mut search = Search { seed, best };
    let plan = Plan::of(seed);
    for days in [DAYS / 2, DAYS / 4, DAYS / 8, 2, 1, 1] {
        while search.best.without.days + days < DAYS && search.attempt(|without| without.days += days) {}
    }
    let faults: BTreeSet<_> = plan.faults.keys().copied().collect();
    search.attempt(|without| without.faults.extend(&faults));
    search.attempt(|without| without.outages.extend(0..plan.outages.len()));
    for account in 0..plan.book.len() {
        search.attempt(|without| without.accounts.extend([account]));
    }
    for fault in faults {
        search.attempt(|without| without.faults.extend([fault]));
    }
    for outage in 0..plan.outages.len() {
        search.attempt(|without| without.outages.extend([outage]));
    }
    search.drop_happenings();
    search.best
}
