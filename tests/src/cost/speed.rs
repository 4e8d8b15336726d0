//! How long it takes: one account, a peak, the whole book.

use rust_decimal::Decimal;

use super::inputs::{
    ACCOUNT_BYTES, BATCHES_A_SHARD, DECIDE_CPU_MS, FIRING_SECONDS, INDEX_WRITES, KEEP_CPU_MS, MEMORY_MB,
    MESSAGES_A_BATCH, ONE_CPU_MB, OWN_PAGES, PAGE, PARTITION_GB, PARTITION_WRITES, PASS_CPU_MS, PEAK_SHARE,
    REQUEST_MS, SCHEDULED_SECONDS, SHARD_SECONDS, SIDE_BY_SIDE, TABLE_UNITS, TELL_CPU_MS, WATCH_CPU_MS,
    WATCH_SEGMENTS, unpaid,
};
use super::{
    ANNOUNCE, GB, KEEP, KEEP_DECISION, REMIND, SWEEP, THOUSAND, WATCH, Work, account_scan_units,
    account_write_units,
};

/// The share of a processor that a function of so much memory has. One invocation works
/// on one thread: more than one processor is of no use to it.
pub(super) fn processor(memory_mb: Decimal) -> Decimal {
    (memory_mb / ONE_CPU_MB.value).min(Decimal::ONE)
}

/// Seconds that one of the accounts of an invocation takes: the longer of the wait, which
/// eight share, and the processor's time.
fn seconds(work: &Work, cpu_ms: Decimal, memory_mb: Decimal) -> Decimal {
    let wait = work.requests() / SIDE_BY_SIDE.value * REQUEST_MS.value;
    (wait.max(cpu_ms / processor(memory_mb)) + alone_ms(work)) / THOUSAND
}

/// Milliseconds that are waited for one after another: notes and marks, and a share of
/// each PublishBatch.
fn alone_ms(work: &Work) -> Decimal {
    let batches = Decimal::from(work.messages) / MESSAGES_A_BATCH.value;
    (Decimal::from(work.small_writes) + batches) * REQUEST_MS.value
}

/// Seconds of an invocation that has one record: nothing is there to share the wait with.
pub(super) fn lone_seconds(work: &Work, cpu_ms: Decimal) -> Decimal {
    let requests = work.requests() + Decimal::from(work.small_writes + work.messages);
    (requests * REQUEST_MS.value + cpu_ms / processor(MEMORY_MB.value)) / THOUSAND
}

/// Seconds of `detect-overdue` or `post-payment` for one account of several.
#[must_use]
pub fn decide_seconds(work: &Work, memory_mb: Decimal) -> Decimal {
    seconds(work, DECIDE_CPU_MS.value, memory_mb)
}

/// Milliseconds of the processor that `send-reminders` takes for one revision.
pub(super) fn tell_cpu_ms(work: &Work) -> Decimal {
    if work.messages > 0 { TELL_CPU_MS.value } else { PASS_CPU_MS.value }
}

/// Seconds of `send-reminders` for one revision of several.
#[must_use]
pub fn tell_seconds(work: &Work, memory_mb: Decimal) -> Decimal {
    seconds(work, tell_cpu_ms(work), memory_mb)
}

/// Seconds of `record-history` for one revision of several.
#[must_use]
pub fn keep_seconds(work: &Work, memory_mb: Decimal) -> Decimal {
    seconds(work, KEEP_CPU_MS.value, memory_mb)
}

/// Seconds of `watch-gaps` for one healthy account, with its share of what a page waits
/// for alone: its Scan and the note of how far the round has come.
#[must_use]
pub fn watch_seconds(memory_mb: Decimal) -> Decimal {
    let page_ms = Decimal::TWO * REQUEST_MS.value / PAGE.value;
    seconds(&WATCH, WATCH_CPU_MS.value, memory_mb) + page_ms / THOUSAND
}

/// Accounts that one firing of the watch looks at before it stops.
#[must_use]
pub fn watched_a_firing(memory_mb: Decimal) -> Decimal {
    SCHEDULED_SECONDS.value / watch_seconds(memory_mb)
}

/// Accounts that the watch looks at in a day.
#[must_use]
pub fn watched_a_day(memory_mb: Decimal) -> Decimal {
    watched_a_firing(memory_mb) * WATCH_SEGMENTS.value
}

/// Transitions a second of one invocation of the sweep.
#[must_use]
pub fn sweep_rate(memory_mb: Decimal) -> Decimal {
    Decimal::ONE / decide_seconds(&SWEEP, memory_mb)
}

/// Transitions a second that the index lets a shard have.
#[must_use]
pub fn shard_rate() -> Decimal {
    PARTITION_WRITES.value / INDEX_WRITES.value
}

/// Transitions a second that one invocation works off of its shard.
#[must_use]
pub fn swept_rate(memory_mb: Decimal) -> Decimal {
    shard_rate().min(sweep_rate(memory_mb))
}

/// Transitions a second that a table on demand lets be written.
#[must_use]
pub fn table_rate() -> Decimal {
    TABLE_UNITS.value / account_write_units()
}

/// Many accounts that come due at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Peak {
    /// What it is.
    pub name: &'static str,
    /// Of the book.
    pub share: Decimal,
    /// What a sweep does for each.
    pub decide: Work,
    /// What `send-reminders` does then.
    pub tell: Work,
    /// What `record-history` does then.
    pub keep: Work,
}

/// The instants at which most comes due: one time zone, the month's last day.
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

/// What it takes to work a peak off in one firing of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    /// Transitions a second.
    pub rate: Decimal,
    /// Shards of the due index, each with an invocation as it is set.
    pub shards: Decimal,
    /// Shards of the due index, each with an invocation that has a processor.
    pub shards_of_one_cpu: Decimal,
    /// Write units a second of the accounts table.
    pub table_writes: Decimal,
    /// Write units a second of the records table.
    pub record_writes: Decimal,
    /// Invocations of `send-reminders` at once.
    pub fan_outs: Decimal,
    /// Invocations of `record-history` at once.
    pub histories: Decimal,
    /// Shards of the accounts stream, for the more of the two.
    pub stream_shards: Decimal,
}

/// What it takes for a peak of a book.
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
        record_writes: rate * (peak.tell.table_writes() + peak.keep.table_writes()),
        fan_outs,
        histories,
        stream_shards: (fan_outs.max(histories) / BATCHES_A_SHARD.value).ceil(),
    }
}

/// Transitions that the scheduled invocation works off itself.
#[must_use]
pub fn own_transitions(shards: Decimal) -> Decimal {
    OWN_PAGES.value * PAGE.value * shards
}

/// Seconds after which it hands the rest over, where there is a rest in every shard.
#[must_use]
pub fn own_seconds(shards: Decimal, memory_mb: Decimal) -> Decimal {
    own_transitions(shards) / swept_rate(memory_mb)
}

/// Transitions a second of one invocation a shard, all at once: the slower of the shards
/// and the table on demand.
fn handed_over_rate(shards: Decimal, memory_mb: Decimal) -> Decimal {
    (swept_rate(memory_mb) * shards).min(table_rate())
}

/// Transitions that one firing works off: those that the scheduled invocation takes, then
/// one invocation a shard until it stops.
#[must_use]
pub fn swept_a_firing(shards: Decimal, memory_mb: Decimal) -> Decimal {
    own_transitions(shards) + handed_over_rate(shards, memory_mb) * SHARD_SECONDS.value
}

/// Seconds to work a peak off.
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

/// Partitions of the accounts table by its size; it has a stream shard for each.
#[must_use]
pub fn partitions(accounts: Decimal) -> Decimal {
    (accounts * ACCOUNT_BYTES.value / GB / PARTITION_GB.value).ceil()
}

/// Reminders a second that one shard of the accounts stream bears.
#[must_use]
pub fn stream_shard_rate() -> Decimal {
    BATCHES_A_SHARD.value / tell_seconds(&REMIND, MEMORY_MB.value)
}

/// Seconds of a scan, with as many segments as it takes to read as fast as the table on
/// demand lets it.
#[must_use]
pub fn scan_seconds(accounts: Decimal) -> Decimal {
    accounts * account_scan_units() / TABLE_UNITS.value
}

/// Seconds of the invocations of a scan, for one account: those of the watch, which is
/// rather too much, for its other reads are in it.
#[must_use]
pub fn judge_seconds() -> Decimal {
    WATCH_CPU_MS.value / processor(MEMORY_MB.value) / THOUSAND
}

/// Invocations at once that judge as fast as that.
#[must_use]
pub fn scan_invocations(accounts: Decimal) -> Decimal {
    (judge_seconds() * accounts / scan_seconds(accounts)).ceil()
}
