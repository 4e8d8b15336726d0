//! Shrinks a failing seed to its smallest part that still fails.

use std::collections::BTreeSet;

use super::plan::{DAYS, SimulationPlan, Without};
use super::run;
use super::watch::Broken;

/// The most runs of one search.
const MAX_RUNS: usize = 400;

/// The smallest part of a seed that still breaks the promise.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The parts left out.
    pub without: Without,
    /// The broken promise of that part.
    pub broken: Broken,
    /// The number of runs of the search.
    pub runs: usize,
}

struct Search {
    seed: u64,
    best: Shrunk,
}

impl Search {
    /// Leaves more out, if the same promise is still broken.
    fn attempt(&mut self, change: impl FnOnce(&mut Without)) -> bool {
        let mut without = self.best.without.clone();
        change(&mut without);
        if without == self.best.without || self.best.runs >= MAX_RUNS {
            return false;
        }
        self.best.runs += 1;
        match run(SimulationPlan::of(self.seed).without(&without)) {
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
            let plan = SimulationPlan::of(search.seed).without(&search.best.without);
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

/// Searches the smallest part of a seed that still breaks the same promise.
#[must_use]
pub fn shrink(seed: u64, without: &Without, broken: &Broken) -> Shrunk {
    let best = Shrunk { without: without.clone(), broken: broken.clone(), runs: 0 };
    let mut search = Search { seed, best };
    let plan = SimulationPlan::of(seed);
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
