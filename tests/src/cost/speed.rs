//! Durations and rates: of one account, of a peak, of the whole portfolio.

use rust_decimal::Decimal;

use super::inputs::{
    ACCOUNT_BYTES, BATCHES_A_SHARD, DECIDE_CPU_MS, FIRING_SECONDS, INDEX_WRITES, KEEP_CPU_MS, MEMORY_MB,
    MESSAGES_A_BATCH, ONE_CPU_MB, OWN_PAGES, PAGE, PARTITION_GB, PARTITION_WRITES, PASS_CPU_MS, PEAK_SHARE,
    REQUEST_MS, SCHEDULED_SECONDS, SHARD_SECONDS, SIDE_BY_SIDE, TABLE_UNITS, TELL_CPU_MS, WATCH_CPU_MS,
    WATCH_SEGMENTS, unpaid,
};
use super::{
    ANNOUNCE, GB, KEEP, KEEP_DECISION, REMIND, SWEEP, THOUSAND, WATCH, WorkUnits, account_scan_units,
    account_write_units,
};

/// The share of a processor that a function of that memory has. One invocation works on one thread, so that
/// it cannot use more than one processor.
pub(super) fn processor(memory_mb: Decimal) -> Decimal {
    (memory_mb / ONE_CPU_MB.value).min(Decimal::ONE)
}

/// Seconds for one of the accounts of an invocation: the longer of the wait, which eight accounts share, and
/// the processor time.
fn seconds(work: &WorkUnits, cpu_ms: Decimal, memory_mb: Decimal) -> Decimal {
    let wait = work.requests() / SIDE_BY_SIDE.value * REQUEST_MS.value;
    (wait.max(cpu_ms / processor(memory_mb)) + alone_ms(work)) / THOUSAND
}

/// Milliseconds of waits one after another: notes and markers, and a share of each PublishBatch.
fn alone_ms(work: &WorkUnits) -> Decimal {
    let batches = Decimal::from(work.messages) / MESSAGES_A_BATCH.value;
    (Decimal::from(work.small_writes) + batches) * REQUEST_MS.value
}

/// Seconds of an invocation with one record, which shares its waits with no other.
pub(super) fn lone_seconds(work: &WorkUnits, cpu_ms: Decimal) -> Decimal {
    let requests = work.requests() + Decimal::from(work.small_writes + work.messages);
    (requests * REQUEST_MS.value + cpu_ms / processor(MEMORY_MB.value)) / THOUSAND
}

/// Seconds of `detect-overdue` or `post-payment` for one account of several.
#[must_use]
pub fn decide_seconds(work: &WorkUnits, memory_mb: Decimal) -> Decimal {
    seconds(work, DECIDE_CPU_MS.value, memory_mb)
}

/// Milliseconds of processor time of `send-reminders` for one revision.
pub(super) fn tell_cpu_ms(work: &WorkUnits) -> Decimal {
    if work.messages > 0 { TELL_CPU_MS.value } else { PASS_CPU_MS.value }
}

/// Seconds of `send-reminders` for one revision of several.
#[must_use]
pub fn tell_seconds(work: &WorkUnits, memory_mb: Decimal) -> Decimal {
    seconds(work, tell_cpu_ms(work), memory_mb)
}

/// Seconds of `record-history` for one revision of several.
#[must_use]
pub fn keep_seconds(work: &WorkUnits, memory_mb: Decimal) -> Decimal {
    seconds(work, KEEP_CPU_MS.value, memory_mb)
}

/// Seconds of `reconcile-accounts` for one healthy account, with its share of the waits of a page: its Scan and the
/// write of the scan cursor.
#[must_use]
pub fn watch_seconds(memory_mb: Decimal) -> Decimal {
    let page_ms = Decimal::TWO * REQUEST_MS.value / PAGE.value;
    seconds(&WATCH, WATCH_CPU_MS.value, memory_mb) + page_ms / THOUSAND
}

/// Accounts that one firing of `reconcile-accounts` reconciles before it stops.
#[must_use]
pub fn watched_a_firing(memory_mb: Decimal) -> Decimal {
    SCHEDULED_SECONDS.value / watch_seconds(memory_mb)
}

/// Accounts that `reconcile-accounts` reconciles in a day.
#[must_use]
pub fn watched_a_day(memory_mb: Decimal) -> Decimal {
    watched_a_firing(memory_mb) * WATCH_SEGMENTS.value
}

/// Transitions a second of one invocation of the sweep.
#[must_use]
pub fn sweep_rate(memory_mb: Decimal) -> Decimal {
    Decimal::ONE / decide_seconds(&SWEEP, memory_mb)
}

/// Transitions a second that the index allows a shard.
#[must_use]
pub fn shard_rate() -> Decimal {
    PARTITION_WRITES.value / INDEX_WRITES.value
}

/// Transitions a second of one invocation on its shard.
#[must_use]
pub fn swept_rate(memory_mb: Decimal) -> Decimal {
    shard_rate().min(sweep_rate(memory_mb))
}

/// Transitions a second that an on-demand table can write.
#[must_use]
pub fn table_rate() -> Decimal {
    TABLE_UNITS.value / account_write_units()
}

/// A moment at which many accounts are due.
#[derive(Clone, Copy, Debug)]
pub struct Peak {
    pub name: &'static str,
    /// Of the portfolio.
    pub share: Decimal,
    /// The work of a sweep for each account.
    pub decide: WorkUnits,
    /// The work of `send-reminders` that follows.
    pub tell: WorkUnits,
    /// The work of `record-history` that follows.
    pub keep: WorkUnits,
}

/// The instants at which most accounts are due: one time zone, the month's last day.
#[must_use]
pub fn peaks() -> [Peak; 2] {
    [
        Peak {
            name: "midnight: late",
            share: PEAK_SHARE.value * unpaid(&["late"]),
            decide: SWEEP,
            tell: ANNOUNCE,
            keep: KEEP_DECISION,
        },
        Peak {
            name: "10:00: reminder before due",
            share: PEAK_SHARE.value,
            decide: SWEEP,
            tell: REMIND,
            keep: KEEP,
        },
    ]
}

/// The resources that work off a peak in one firing of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    /// Transitions a second.
    pub rate: Decimal,
    /// Shards of the due index, each with an invocation of the default memory.
    pub shards: Decimal,
    /// Shards of the due index, each with an invocation of one whole processor.
    pub shards_of_one_cpu: Decimal,
    /// Write units a second of the accounts table.
    pub table_writes: Decimal,
    /// Write units a second of the records table.
    pub record_writes: Decimal,
    /// Invocations of `send-reminders` at once.
    pub fan_outs: Decimal,
    /// Invocations of `record-history` at once.
    pub histories: Decimal,
    /// Shards of the accounts stream, for the slower of its two readers.
    pub stream_shards: Decimal,
}

/// The resources for a peak of a portfolio.
#[must_use]
pub fn needed(peak: &Peak, accounts: Decimal) -> Needed {
    let rate = peak.share * accounts / SHARD_SECONDS.value;
    let fan_outs = (rate * tell_seconds(&peak.tell, MEMORY_MB.value)).ceil();
    let histories = (rate * keep_seconds(&peak.keep, MEMORY_MB.value)).ceil();
    Needed {
        rate,
        shards: (rate / swept_rate(MEMORY_MB.value)).ceil(),
        shards_of_one_cpu: (rate / swept_rate(ONE_CPU_MB.value)).ceil(),
        table_writes: rate * peak.decide.table_writes(),
        record_writes: rate * peak.tell.table_writes(),
        fan_outs,
        histories,
        stream_shards: (fan_outs.max(histories) / BATCHES_A_SHARD.value).ceil(),
    }
}

/// Transitions that the scheduled invocation completes itself.
#[must_use]
pub fn own_transitions(shards: Decimal) -> Decimal {
    OWN_PAGES.value * PAGE.value * shards
}

/// Seconds after which the scheduled invocation hands the rest over, where every shard has a rest.
#[must_use]
pub fn own_seconds(shards: Decimal, memory_mb: Decimal) -> Decimal {
    own_transitions(shards) / swept_rate(memory_mb)
}

/// Transitions a second of one invocation a shard, all at once: limited by the shards or by the on-demand
/// table.
fn handed_over_rate(shards: Decimal, memory_mb: Decimal) -> Decimal {
    (swept_rate(memory_mb) * shards).min(table_rate())
}

/// Transitions of one firing: those of the scheduled invocation, then those of one invocation a shard until
/// it stops.
#[must_use]
pub fn swept_a_firing(shards: Decimal, memory_mb: Decimal) -> Decimal {
    own_transitions(shards) + handed_over_rate(shards, memory_mb) * SHARD_SECONDS.value
}

/// Seconds to work off a peak.
#[must_use]
pub fn work_off_seconds(transitions: Decimal, shards: Decimal, memory_mb: Decimal) -> Decimal {
    let a_firing = swept_a_firing(shards, memory_mb);
    let full = (transitions / a_firing).ceil() - Decimal::ONE;
    let last = transitions - full * a_firing;
    let own = last.min(own_transitions(shards));
    full * FIRING_SECONDS.value
        + own / swept_rate(memory_mb)
        + (last - own) / handed_over_rate(shards, memory_mb)
}

/// Partitions of the accounts table by its size, each with a stream shard.
#[must_use]
pub fn partitions(accounts: Decimal) -> Decimal {
    (accounts * ACCOUNT_BYTES.value / GB / PARTITION_GB.value).ceil()
}

/// Reminders a second that one shard of the accounts stream carries.
#[must_use]
pub fn stream_shard_rate() -> Decimal {
    BATCHES_A_SHARD.value / tell_seconds(&REMIND, MEMORY_MB.value)
}

/// Seconds of a scan, with enough segments to reach the read limit of an on-demand table.
#[must_use]
pub fn scan_seconds(accounts: Decimal) -> Decimal {
    accounts * account_scan_units() / TABLE_UNITS.value
}

/// Seconds of a scan's invocations for one account. The CPU time of `reconcile-accounts` overstates it, because its
/// other reads are included.
#[must_use]
pub fn judge_seconds() -> Decimal {
    WATCH_CPU_MS.value / processor(MEMORY_MB.value) / THOUSAND
}

/// Concurrent invocations that evaluate at the rate of the scan.
#[must_use]
pub fn scan_invocations(accounts: Decimal) -> Decimal {
    (judge_seconds() * accounts / scan_seconds(accounts)).ceil()
}
