//! The live heap of a sweep: handler, SDK and the code around the engine. The engine's pages belong to C and
//! do not count.
//!
//! The allocator counts for the whole process: this test is a binary of its own.
#![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

use std::sync::Arc;

use duewatch_domain::Trigger;
use duewatch_domain::policy;
use duewatch_stack::{Stack, StackClock, Transport};
use duewatch_tests::support::{self, STANDARD, contract_of, instant, policy_text};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allowed difference for a page of a hundred entries and eight accounts at once. The entries of all due
/// accounts alone would exceed it.
const SLACK: usize = 64 * 1024;

/// Sweeps a portfolio with `due` due accounts, and returns the peak of live heap above the live heap before.
async fn heap_of_a_sweep(due: usize) -> usize {
    let clock = StackClock::simulated(instant("2023-09-01T00:00:00Z"));
    let stack = Stack::start(clock, Transport::InProcess).await.unwrap();
    let text = policy_text(STANDARD);
    stack
        .store()
        .install_policy(&policy::parse(&text).unwrap(), &text, &duewatch_stack::local_policy_key().unwrap())
        .await
        .unwrap();
    // The first sweep finds one account, so that permanent allocations exist.
    for (number, due_on) in
        std::iter::once("2023-09-10").chain(std::iter::repeat_n("2023-10-01", due)).enumerate()
    {
        let contract = contract_of(STANDARD, &format!("A-{number:06}"), &[due_on.to_owned()]);
        let now = instant("2023-09-01T00:00:00Z");
        stack.transitions().open(&contract, now, Trigger::Time).await.unwrap();
    }
    sweep(&stack, "2023-09-14T00:00:00Z", 1).await;
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    // That one account is due again: its next stage.
    sweep(&stack, "2023-10-05T00:00:00Z", due as u64 + 1).await;
    ALLOCATOR.peak_usage() - before
}

async fn sweep(stack: &Stack, at: &str, written: u64) {
    stack.clock().set(instant(at));
    let (store, sns) = (stack.store().clone(), stack.services().sns_client.clone());
    let clock = Arc::new(stack.clock().clone());
    let services = duewatch_runtime::services_over(detect_overdue::NAME, stack.settings(), store, sns, clock);
    // Without a queue one invocation takes all accounts.
    let report = support::sweep(&services).await;
    assert_eq!(report.written as u64, written, "{report:?}");
}

#[tokio::test]
async fn a_sweep_of_four_times_as_many_takes_no_more_heap() {
    // A page and a half of each of the four shards.
    let few = Box::pin(heap_of_a_sweep(600)).await;
    let many = Box::pin(heap_of_a_sweep(2_400)).await;
    assert!(few > 0);
    assert!(many <= few + SLACK, "{few} bytes for 600 accounts, {many} for 2,400");
}
