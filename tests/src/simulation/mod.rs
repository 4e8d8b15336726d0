#![doc = include_str!("README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a simulation's own input is known to be good, and what is not ends the test"
)]

mod alarms;
mod attacks;
mod capture;
mod choices;
mod cloud;
mod containers;
mod executor;
mod exhaustive;
mod fault;
mod lender;
mod network;
mod ordered_group;
mod plan;
mod queue;
mod service;
mod shrink;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

pub use self::attacks::Rewriting;
pub use self::exhaustive::{Scenario, Tried, every_fault, every_order, scenarios};
pub use self::fault::{Fault, Outage, OutageKind};
pub use self::plan::{DAYS, Deed, PlannedDeed, SimulationPlan, Without};
pub use self::shrink::{Shrunk, shrink};
pub use self::watch::Broken;

use self::capture::Capture;
use self::choices::Choices;
use self::cloud::Cloud;
use self::network::SIMULATED_PANIC;
use crate::listening::listen;

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulationReport {
    /// By the name of the counted event.
    pub counts: BTreeMap<&'static str, u64>,
    /// The strikes of each fault.
    pub struck: BTreeMap<Fault, u64>,
}

impl SimulationReport {
    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        for (fault, count) in &other.struck {
            *self.struck.entry(*fault).or_default() += count;
        }
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "  {what:<32} {count:>12}")?;
        }
        writeln!(f, "faults that struck")?;
        for (fault, count) in &self.struck {
            writeln!(f, "  {:<32} {count:>12}", fault.to_string())?;
        }
        Ok(())
    }
}

/// Runs a plan on this thread.
///
/// # Errors
/// The first promise that was broken.
pub fn run(plan: SimulationPlan) -> Result<SimulationReport, Broken> {
    let seed = plan.seed;
    run_with(plan, Choices::seeded(seed ^ 0x5eed)).ended
}

/// The end of a run.
struct Run {
    ended: Result<SimulationReport, Broken>,
    choices: Option<Choices>,
    served: u64,
}

fn run_with(plan: SimulationPlan, choices: Choices) -> Run {
    quiet_panics();
    // The SDK draws the pauses of its retries from this generator.
    fastrand::seed(plan.seed);
    let capture = Capture::default();
    let _metrics = listen(capture.clone());
    let mut cloud = match Cloud::new(plan, choices, capture) {
        Ok(cloud) => cloud,
        Err(broken) => return Run { ended: Err(broken), choices: None, served: 0 },
    };
    let lived = catch_unwind(AssertUnwindSafe(|| cloud.live()));
    let lived = lived.unwrap_or_else(|_| {
        Err(Broken { promise: "nothing panics", how: "the simulation itself did".to_owned() })
    });
    Run {
        ended: lived.map(|()| cloud.watch.report()),
        choices: Some(cloud.choices().clone()),
        served: cloud.served(),
    }
}

/// Suppresses the output of injected panics, which are caught.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_ours =
                panic.payload().downcast_ref::<String>().is_some_and(|text| text == SIMULATED_PANIC);
            if !is_ours {
                shown(panic);
            }
        }));
    });
}
