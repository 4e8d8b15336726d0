//! What a book would cost on AWS and how long its days would take, from what a
//! transition was measured to take. `infra/cost.md` explains it; its tables come from
//! here.
//!
//! Nothing here is a float: units, times and money are decimals.

pub mod inputs;
pub mod tables;

use rust_decimal::Decimal;

use self::inputs::{
    ACCOUNT_BYTES, BATCHES_A_SHARD, DECIDE_CPU_MS, ENTRY_BYTES, FIRING_SECONDS, INDEX_WRITES,
    LAMBDA_CALL_PRICE, LAMBDA_TIME_PRICE, LOG_BYTES, LOG_PRICE, MEMORY_MB, MESSAGES_A_BATCH, MONTH_DAYS,
    MOST_SHARDS, ONE_CPU_MB, PAGE, PARTITION_GB, PARTITION_WRITES, PASS_CPU_MS, PEAK_SHARE, READ_PRICE,
    RECORDS_A_CALL, RECOVERY_PRICE, REQUEST_MS, SCAN_CPU_MS, SIDE_BY_SIDE, SMALL_ITEM_BYTES, SNS_PRICE,
    STORAGE_PRICE, SWEEP_SECONDS, TABLE_UNITS, TELL_CPU_MS, WRITE_PRICE, unpaid,
};

const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
const GB: Decimal = Decimal::from_parts(1_073_741_824, 0, 0, false, 0);
const MB_OF_A_GB: Decimal = Decimal::from_parts(1_024, 0, 0, false, 0);
const THOUSAND: Decimal = Decimal::ONE_THOUSAND;
/// Bytes of a write unit.
const WRITE_UNIT: Decimal = Decimal::from_parts(1_024, 0, 0, false, 0);
/// Bytes of a read unit, consistent.
const READ_UNIT: Decimal = Decimal::from_parts(4_096, 0, 0, false, 0);
/// Bytes of a read unit, eventually consistent; a scan is charged for the sum of its bytes.
const SCAN_UNIT: Decimal = Decimal::from_parts(8_192, 0, 0, false, 0);

/// What an invocation does for one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Consistent reads of the account.
    pub account_reads: u32,
    /// Writes of the account, each of which moves its entry in the due index.
    pub account_writes: u32,
    /// Consistent Queries of its payments.
    pub payment_queries: u32,
    /// Writes of items below 1 KB that are in no index.
    pub small_writes: u32,
    /// Messages to SNS.
    pub messages: u32,
    /// Whether it was found by a Query of the due index.
    pub from_index: bool,
}

impl Work {
    /// Read units of the tables; the share of the index page is [`Self::index_reads`].
    #[must_use]
    pub fn reads(&self) -> Decimal {
        // The payments of an account in the middle of its life fit into one unit.
        Decimal::from(self.account_reads) * account_read_units() + Decimal::from(self.payment_queries)
    }

    /// Read units of the index: a page's bytes, eventually consistent.
    #[must_use]
    pub fn index_reads(&self) -> Decimal {
        if self.from_index { ENTRY_BYTES.value / SCAN_UNIT } else { Decimal::ZERO }
    }

    /// Write units of the tables, without the index.
    #[must_use]
    pub fn table_writes(&self) -> Decimal {
        Decimal::from(self.account_writes) * account_write_units() + Decimal::from(self.small_writes)
    }

    /// Write units of the index.
    #[must_use]
    pub fn index_writes(&self) -> Decimal {
        Decimal::from(self.account_writes) * INDEX_WRITES.value
    }

    /// Requests to DynamoDB that accounts side by side share the wait for.
    fn requests(&self) -> Decimal {
        let page = if self.from_index { SIDE_BY_SIDE.value / PAGE.value } else { Decimal::ZERO };
        Decimal::from(self.account_reads + self.account_writes + self.payment_queries) + page
    }
}

/// A kind of transition.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// How many of an account in a month.
    pub a_month: Decimal,
    /// Whether a sweep finds it; otherwise a payment brings it.
    pub swept: bool,
    /// What `detect-overdue` or `post-payment` does.
    pub decide: Work,
    /// What `send-reminders` does.
    pub tell: Work,
    /// What the lender's payment system writes.
    pub lender_writes: u32,
}

const SWEEP: Work = Work {
    account_reads: 1,
    account_writes: 1,
    payment_queries: 0,
    small_writes: 0,
    messages: 0,
    from_index: true,
};
const RESTRICT: Work = Work { payment_queries: 1, ..SWEEP };
const POST: Work = Work { from_index: false, ..SWEEP };
/// The standing's change is published and marked.
const ANNOUNCE: Work = Work {
    account_reads: 0,
    account_writes: 0,
    payment_queries: 0,
    small_writes: 1,
    messages: 1,
    from_index: false,
};
/// The last look, the message, the note of the contact, the mark.
const REMIND: Work = Work { account_reads: 1, payment_queries: 1, small_writes: 2, ..ANNOUNCE };
const NOTHING: Work = Work { small_writes: 0, messages: 0, ..ANNOUNCE };

/// The kind that touches every account every month.
pub const BEFORE_DUE: &str = "reminder before the due date";

/// The kinds of transitions of a month, one installment an account.
#[must_use]
pub fn kinds() -> [Kind; 6] {
    let kind = |name, a_month, swept: bool, decide, tell| {
        let lender_writes = u32::from(!swept);
        Kind { name, a_month, swept, decide, tell, lender_writes }
    };
    let late = unpaid(&["late"]);
    [
        kind(BEFORE_DUE, Decimal::ONE, true, SWEEP, REMIND),
        kind("reminder after it", unpaid(&["reminder"]), true, SWEEP, REMIND),
        kind("stage without restrictions", late, true, SWEEP, ANNOUNCE),
        kind(
            "stage with restrictions",
            unpaid(&["limited", "frozen", "suspended"]),
            true,
            RESTRICT,
            ANNOUNCE,
        ),
        kind("payment in time", Decimal::ONE - late, false, POST, NOTHING),
        kind("payment that changes the standing", late, false, POST, ANNOUNCE),
    ]
}

/// Read units of an account, consistently.
#[must_use]
pub fn account_read_units() -> Decimal {
    (ACCOUNT_BYTES.value / READ_UNIT).ceil()
}

/// Write units of an account, without the index.
#[must_use]
pub fn account_write_units() -> Decimal {
    (ACCOUNT_BYTES.value / WRITE_UNIT).ceil()
}

/// Read units of an account in a scan, eventually consistent.
#[must_use]
pub fn account_scan_units() -> Decimal {
    ACCOUNT_BYTES.value / SCAN_UNIT
}

/// The share of a processor that a function of so much memory has. One invocation works
/// on one thread: more than one processor is of no use to it.
fn processor(memory_mb: Decimal) -> Decimal {
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

/// Seconds of `detect-overdue` or `post-payment` for one account.
#[must_use]
pub fn decide_seconds(work: &Work, memory_mb: Decimal) -> Decimal {
    seconds(work, DECIDE_CPU_MS.value, memory_mb)
}

/// Seconds of `send-reminders` for one revision.
#[must_use]
pub fn tell_seconds(work: &Work, memory_mb: Decimal) -> Decimal {
    let cpu_ms = if work.messages > 0 { TELL_CPU_MS.value } else { PASS_CPU_MS.value };
    seconds(work, cpu_ms, memory_mb)
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

/// Transitions a second that a table on demand lets be written.
#[must_use]
pub fn table_rate() -> Decimal {
    TABLE_UNITS.value / account_write_units()
}

/// USD of something in a month, by what it is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Writes of tables.
    pub table_writes: Decimal,
    /// Writes of the due index.
    pub index_writes: Decimal,
    /// Reads.
    pub reads: Decimal,
    /// Lambda: time and invocations.
    pub lambda: Decimal,
    /// SNS.
    pub sns: Decimal,
    /// Logs.
    pub logs: Decimal,
    /// Storage and recovery.
    pub storage: Decimal,
}

impl Bill {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.table_writes + self.index_writes + self.reads + self.lambda + self.sns + self.logs + self.storage
    }

    fn plus(self, other: Self) -> Self {
        Self {
            table_writes: self.table_writes + other.table_writes,
            index_writes: self.index_writes + other.index_writes,
            reads: self.reads + other.reads,
            lambda: self.lambda + other.lambda,
            sns: self.sns + other.sns,
            logs: self.logs + other.logs,
            storage: self.storage + other.storage,
        }
    }
}

fn price(units: Decimal, a_million: Decimal) -> Decimal {
    units * a_million / MILLION
}

/// USD of an invocation's time.
fn lambda_time(seconds: Decimal) -> Decimal {
    seconds * MEMORY_MB.value / MB_OF_A_GB * LAMBDA_TIME_PRICE.value
}

/// What one transition of a kind costs.
#[must_use]
pub fn bill_of(kind: &Kind) -> Bill {
    let (decide, tell) = (&kind.decide, &kind.tell);
    let seconds = decide_seconds(decide, MEMORY_MB.value) + tell_seconds(tell, MEMORY_MB.value);
    let stream_records = Decimal::from(1 + u32::from(!kind.swept));
    let calls = stream_records / RECORDS_A_CALL.value;
    Bill {
        table_writes: price(
            decide.table_writes() + tell.table_writes() + Decimal::from(kind.lender_writes),
            WRITE_PRICE.value,
        ),
        index_writes: price(decide.index_writes(), WRITE_PRICE.value),
        reads: price(decide.reads() + decide.index_reads() + tell.reads(), READ_PRICE.value),
        lambda: lambda_time(seconds) + price(calls, LAMBDA_CALL_PRICE.value),
        sns: price(Decimal::from(tell.messages) / RECORDS_A_CALL.value, SNS_PRICE.value),
        logs: calls * LOG_BYTES.value / GB * LOG_PRICE.value,
        storage: Decimal::ZERO,
    }
}

/// What a book costs in a month, with what it holds after a year.
#[must_use]
pub fn monthly_bill(accounts: Decimal) -> Bill {
    let transitions = kinds().iter().fold(Bill::default(), |sum, kind| {
        let one = bill_of(kind);
        let times = accounts * kind.a_month;
        sum.plus(Bill {
            table_writes: one.table_writes * times,
            index_writes: one.index_writes * times,
            reads: one.reads * times,
            lambda: one.lambda * times,
            sns: one.sns * times,
            logs: one.logs * times,
            storage: Decimal::ZERO,
        })
    });
    let storage = accounts * stored_bytes() / GB * (STORAGE_PRICE.value + RECOVERY_PRICE.value);
    Bill { storage, ..transitions }
}

/// Bytes that an account takes in all tables after a year: itself, its entry, a year of
/// payments, the notes of a year's reminders, its mark.
#[must_use]
pub fn stored_bytes() -> Decimal {
    let year = Decimal::from(12);
    let reminders = (Decimal::ONE + unpaid(&["reminder"])) * year;
    ACCOUNT_BYTES.value + ENTRY_BYTES.value + (year + reminders + Decimal::ONE) * SMALL_ITEM_BYTES.value
}

/// Transitions a day, of those kinds that are wanted.
#[must_use]
pub fn a_day(accounts: Decimal, wanted: impl Fn(&Kind) -> bool) -> Decimal {
    kinds().iter().filter(|kind| wanted(kind)).map(|kind| kind.a_month).sum::<Decimal>() * accounts
        / MONTH_DAYS.value
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
    /// What follows.
    pub tell: Work,
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
        },
        Peak { name: "10:00: reminder before due", share: PEAK_SHARE.value, decide: SWEEP, tell: REMIND },
    ]
}

/// What it takes to work a peak off within one interval of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    /// Transitions a second.
    pub rate: Decimal,
    /// Shards of the due index, so that each stays within its partition's writes.
    pub shards: Decimal,
    /// Invocations of the sweep at once.
    pub sweeps: Decimal,
    /// Write units a second of the accounts table.
    pub table_writes: Decimal,
    /// Invocations of `send-reminders` at once.
    pub fan_outs: Decimal,
    /// Shards of the accounts stream, for so many invocations.
    pub stream_shards: Decimal,
}

/// What it takes for a peak of a book.
#[must_use]
pub fn needed(peak: &Peak, accounts: Decimal) -> Needed {
    let rate = peak.share * accounts / FIRING_SECONDS.value;
    let sweeps = (rate * decide_seconds(&peak.decide, MEMORY_MB.value)).ceil();
    let fan_outs = (rate * tell_seconds(&peak.tell, MEMORY_MB.value)).ceil();
    Needed {
        rate,
        shards: (rate / shard_rate()).ceil(),
        sweeps,
        table_writes: rate * account_write_units(),
        fan_outs,
        stream_shards: (fan_outs / BATCHES_A_SHARD.value).ceil(),
    }
}

/// Seconds to work off a peak with so many shards, one invocation a shard at once: the
/// slower of the shards and the table on demand.
#[must_use]
pub fn work_off_seconds(transitions: Decimal, shards: Decimal, memory_mb: Decimal) -> Decimal {
    let shard = shard_rate().min(sweep_rate(memory_mb));
    transitions / (shard * shards.min(MOST_SHARDS.value)).min(table_rate())
}

/// Seconds to work off a peak as the product does today: one invocation walks all shards,
/// stops before its deadline, and the next firing goes on.
#[must_use]
pub fn work_off_seconds_today(transitions: Decimal) -> Decimal {
    let a_firing = sweep_rate(MEMORY_MB.value) * SWEEP_SECONDS.value;
    let full = (transitions / a_firing).ceil() - Decimal::ONE;
    full * FIRING_SECONDS.value + (transitions - full * a_firing) / sweep_rate(MEMORY_MB.value)
}

/// Partitions of the accounts table by its size; it has a stream shard for each.
#[must_use]
pub fn partitions(accounts: Decimal) -> Decimal {
    (accounts * ACCOUNT_BYTES.value / GB / PARTITION_GB.value).ceil()
}

/// The read of the whole book: a nightly scan, or a day of the rolling check.
#[must_use]
pub fn pass_bill(accounts: Decimal) -> Bill {
    let seconds = SCAN_CPU_MS.value / processor(MEMORY_MB.value) / THOUSAND * accounts;
    Bill {
        reads: price(accounts * account_scan_units(), READ_PRICE.value),
        lambda: lambda_time(seconds),
        ..Bill::default()
    }
}

/// Publishing a policy: the book is read, each account gets an earlier place in the index,
/// and is judged once more on the effective date.
#[must_use]
pub fn publication_bill(accounts: Decimal) -> Bill {
    let pass = pass_bill(accounts);
    let writes = account_write_units();
    let seconds = decide_seconds(&POST, MEMORY_MB.value) + decide_seconds(&SWEEP, MEMORY_MB.value);
    Bill {
        table_writes: price(Decimal::TWO * writes * accounts, WRITE_PRICE.value),
        index_writes: price(Decimal::TWO * INDEX_WRITES.value * accounts, WRITE_PRICE.value),
        reads: pass.reads + price((SWEEP.reads() + SWEEP.index_reads()) * accounts, READ_PRICE.value),
        lambda: pass.lambda + lambda_time(seconds) * accounts,
        ..Bill::default()
    }
}

/// What only the due index costs, in a month: its writes, the reads that find and fetch
/// what is due, its storage.
#[must_use]
pub fn index_bill(accounts: Decimal, wanted: impl Fn(&Kind) -> bool) -> Bill {
    let mut bill = Bill {
        storage: accounts * ENTRY_BYTES.value / GB * (STORAGE_PRICE.value + RECOVERY_PRICE.value),
        ..Bill::default()
    };
    for kind in kinds().iter().filter(|kind| wanted(kind)) {
        let times = accounts * kind.a_month;
        bill.index_writes += price(kind.decide.index_writes(), WRITE_PRICE.value) * times;
        if kind.swept {
            let reads = kind.decide.index_reads() + account_read_units();
            bill.reads += price(reads, READ_PRICE.value) * times;
        }
    }
    bill
}

/// Of the book, the share that must move in the index a day for a nightly scan to cost the
/// same: what a scan reads of an account, by what the index takes of one that moves.
#[must_use]
pub fn break_even_share() -> Decimal {
    let scanned = price(account_scan_units(), READ_PRICE.value);
    let due = price(INDEX_WRITES.value, WRITE_PRICE.value)
        + price(SWEEP.index_reads() + account_read_units(), READ_PRICE.value);
    scanned / due
}

/// Seconds of a scan, with as many segments as it takes to read as fast as the table on
/// demand lets it.
#[must_use]
pub fn scan_seconds(accounts: Decimal) -> Decimal {
    accounts * account_scan_units() / TABLE_UNITS.value
}

/// Invocations at once that judge as fast as that.
#[must_use]
pub fn scan_invocations(accounts: Decimal) -> Decimal {
    let cpu = SCAN_CPU_MS.value / processor(MEMORY_MB.value) / THOUSAND * accounts;
    (cpu / scan_seconds(accounts)).ceil()
}
