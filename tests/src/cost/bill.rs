//! The costs of one transition, of a month, and of a pass over the whole portfolio.

use rust_decimal::Decimal;

use super::inputs::{
    ACCOUNT_BYTES, CONTACT_BYTES, CONTACT_FIRINGS, DECIDE_CPU_MS, DECISION_ENTRY_BYTES, DEFAULT_SHARDS,
    ENTRY_BYTES, FIFO_PRICE, FIRING_SECONDS, HISTORY_ENTRY_BYTES, INDEX_WRITES, KEEP_CPU_MS,
    LAMBDA_CALL_PRICE, LAMBDA_TIME_PRICE, LOG_BYTES, LOG_PRICE, MEMORY_MB, MESSAGES_A_BATCH, MONTH_DAYS,
    PAGE, POLLS_A_MINUTE, READ_PRICE, RECEIPTS_A_MESSAGE, RECORDS_A_CALL, RECOVERY_PRICE, SCHEDULER_PRICE,
    SMALL_ITEM_BYTES, SNS_PRICE, SQS_PRICE, STORAGE_PRICE, WRITE_PRICE, unpaid,
};
use super::speed::{decide_seconds, judge_seconds, lone_seconds, tell_cpu_ms, watch_seconds};
use super::{
    ComesBy, GB, IDLE, KEEP, MILLION, POST, RECEIPT, SWEEP, TransitionKind, WATCH, WorkUnits,
    account_read_units, account_scan_units, kinds,
};

const MB_OF_A_GB: Decimal = Decimal::from_parts(1_024, 0, 0, false, 0);
const DAY_SECONDS: Decimal = Decimal::from_parts(86_400, 0, 0, false, 0);
const DAY_MINUTES: Decimal = Decimal::from_parts(1_440, 0, 0, false, 0);
const MONTHS: Decimal = Decimal::from_parts(12, 0, 0, false, 0);
/// A message of a queue is sent, received and deleted, one at a time in the most expensive case.
const MESSAGE_REQUESTS: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// A cost in USD, by service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    pub table_writes: Decimal,
    pub index_writes: Decimal,
    pub reads: Decimal,
    /// Time and invocations.
    pub lambda: Decimal,
    pub sns: Decimal,
    /// SQS and schedules.
    pub queues: Decimal,
    pub logs: Decimal,
    /// Storage and recovery.
    pub storage: Decimal,
}

impl Bill {
    /// The sum over all services.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.table_writes
            + self.index_writes
            + self.reads
            + self.lambda
            + self.sns
            + self.queues
            + self.logs
            + self.storage
    }

    fn plus(self, other: Self) -> Self {
        Self {
            table_writes: self.table_writes + other.table_writes,
            index_writes: self.index_writes + other.index_writes,
            reads: self.reads + other.reads,
            lambda: self.lambda + other.lambda,
            sns: self.sns + other.sns,
            queues: self.queues + other.queues,
            logs: self.logs + other.logs,
            storage: self.storage + other.storage,
        }
    }

    fn times(self, times: Decimal) -> Self {
        Self {
            table_writes: self.table_writes * times,
            index_writes: self.index_writes * times,
            reads: self.reads * times,
            lambda: self.lambda * times,
            sns: self.sns * times,
            queues: self.queues * times,
            logs: self.logs * times,
            storage: self.storage * times,
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

/// The cost of the tables, SNS and the invocation's time.
fn work_bill(work: &WorkUnits, seconds: Decimal) -> Bill {
    Bill {
        table_writes: price(work.table_writes(), WRITE_PRICE.value),
        index_writes: price(work.index_writes(), WRITE_PRICE.value),
        reads: price(work.reads() + work.index_reads(), READ_PRICE.value),
        lambda: lambda_time(seconds),
        sns: price(Decimal::from(work.messages) / RECORDS_A_CALL.value, SNS_PRICE.value),
        ..Bill::default()
    }
}

/// The cost of an invocation beside its time.
fn call_bill() -> Bill {
    Bill {
        lambda: price(Decimal::ONE, LAMBDA_CALL_PRICE.value),
        logs: LOG_BYTES.value / GB * LOG_PRICE.value,
        ..Bill::default()
    }
}

/// The cost of a record that is alone in its invocation.
fn lone_bill(work: &WorkUnits, cpu_ms: Decimal) -> Bill {
    work_bill(work, lone_seconds(work, cpu_ms)).plus(call_bill().times(Decimal::ONE / RECORDS_A_CALL.value))
}

/// The cost of one transition of a kind.
#[must_use]
pub fn bill_of(kind: &TransitionKind) -> Bill {
    decide_bill(kind).plus(tell_bill(&kind.tell)).plus(keep_bill(&kind.keep))
}

fn decide_bill(kind: &TransitionKind) -> Bill {
    let bill = match kind.comes_by {
        ComesBy::Sweep => work_bill(&kind.decide, decide_seconds(&kind.decide, MEMORY_MB.value)),
        ComesBy::Payment | ComesBy::Command => lone_bill(&kind.decide, DECIDE_CPU_MS.value),
    };
    let requests = if kind.comes_by == ComesBy::Command { MESSAGE_REQUESTS } else { Decimal::ZERO };
    bill.plus(Bill {
        table_writes: price(Decimal::from(kind.lender_writes()), WRITE_PRICE.value),
        queues: price(requests, FIFO_PRICE.value),
        ..Bill::default()
    })
}

fn tell_bill(tell: &WorkUnits) -> Bill {
    lone_bill(tell, tell_cpu_ms(tell))
}

fn keep_bill(keep: &WorkUnits) -> Bill {
    lone_bill(keep, KEEP_CPU_MS.value)
}

/// The cost of a portfolio in a month, with the storage of a year.
#[must_use]
pub fn monthly_bill(accounts: Decimal) -> Bill {
    let transitions =
        kinds().iter().fold(Bill::default(), |sum, kind| sum.plus(bill_of(kind).times(kind.a_month)));
    let storage = Bill { storage: stored_price(stored_bytes()), ..Bill::default() };
    transitions
        .plus(receipts_bill(Decimal::ONE))
        .plus(watch_bill(Decimal::ONE).times(MONTH_DAYS.value))
        .plus(storage)
        .times(accounts)
        .plus(idle_bill())
}

/// USD a month for stored bytes.
fn stored_price(bytes: Decimal) -> Decimal {
    bytes / GB * (STORAGE_PRICE.value + RECOVERY_PRICE.value)
}

/// The cost of the history in a month: its reads, writes and invocations, and the storage of a year's
/// entries.
#[must_use]
pub fn history_bill(accounts: Decimal) -> Bill {
    let kept =
        kinds().iter().fold(Bill::default(), |sum, kind| sum.plus(keep_bill(&kind.keep).times(kind.a_month)));
    let storage = Bill { storage: stored_price(history_bytes_a_year()), ..Bill::default() };
    kept.plus(storage).times(accounts)
}

/// Messages to the borrower of an account in a month.
fn reminders_a_month() -> Decimal {
    Decimal::ONE + unpaid(&["reminder"])
}

/// The cost of a month's receipts.
#[must_use]
pub fn receipts_bill(accounts: Decimal) -> Bill {
    let queues = price(MESSAGE_REQUESTS, SQS_PRICE.value);
    let one = lone_bill(&RECEIPT, DECIDE_CPU_MS.value).plus(Bill { queues, ..Bill::default() });
    one.times(reminders_a_month() * RECEIPTS_A_MESSAGE.value * accounts)
}

/// Bytes of an account in all tables after a year: the account, its index entry, a year of payments, a year's
/// contact records, its marker and its contact profile, a year of its history.
#[must_use]
pub fn stored_bytes() -> Decimal {
    let reminders = reminders_a_month() * MONTHS;
    ACCOUNT_BYTES.value
        + ENTRY_BYTES.value
        + (MONTHS + Decimal::TWO) * SMALL_ITEM_BYTES.value
        + reminders * CONTACT_BYTES.value
        + history_bytes_a_year()
}

/// Bytes by which the history of an account grows in a year.
#[must_use]
pub fn history_bytes_a_year() -> Decimal {
    let bytes = |kind: &TransitionKind| {
        if kind.keep == KEEP { HISTORY_ENTRY_BYTES.value } else { DECISION_ENTRY_BYTES.value }
    };
    kinds().iter().map(|kind| kind.a_month * bytes(kind)).sum::<Decimal>() * MONTHS
}

/// USD a month for another year of history.
#[must_use]
pub fn history_growth(accounts: Decimal) -> Decimal {
    stored_price(history_bytes_a_year()) * accounts
}

/// Firings of a schedule in a month.
#[must_use]
pub fn firings_a_month() -> Decimal {
    DAY_SECONDS / FIRING_SECONDS.value * MONTH_DAYS.value
}

/// Requests to SQS in a month when every firing hands over every shard: one request sends ten shards, then
/// one receives and one deletes each.
#[must_use]
pub fn hand_over_requests(shards: Decimal) -> Decimal {
    firings_a_month() * ((shards / MESSAGES_A_BATCH.value).ceil() + Decimal::TWO * shards)
}

/// Requests to SQS in a month by which Lambda polls an empty queue.
#[must_use]
pub fn polls_a_month() -> Decimal {
    POLLS_A_MINUTE.value * DAY_MINUTES * MONTH_DAYS.value
}

/// The cost of a month without any account: two schedules, two polled queues, and in the most expensive case
/// every shard handed over at every firing.
#[must_use]
pub fn idle_bill() -> Bill {
    let firings = firings_a_month() * (Decimal::TWO + CONTACT_FIRINGS.value);
    let handed_over = firings_a_month() * DEFAULT_SHARDS.value;
    let requests = hand_over_requests(DEFAULT_SHARDS.value) + polls_a_month();
    let queues = price(firings, SCHEDULER_PRICE.value)
        + price(requests + polls_a_month(), SQS_PRICE.value)
        + price(polls_a_month(), FIFO_PRICE.value);
    Bill { queues, ..call_bill().times(firings + handed_over) }
}

/// A day of `reconcile-accounts`: each account's share of a page, its further reads, and its share of the writes of
/// the scan cursor.
#[must_use]
pub fn watch_bill(accounts: Decimal) -> Bill {
    let one = work_bill(&WATCH, watch_seconds(MEMORY_MB.value)).plus(Bill {
        reads: price(account_scan_units(), READ_PRICE.value),
        table_writes: price(Decimal::ONE / PAGE.value, WRITE_PRICE.value),
        ..Bill::default()
    });
    one.times(accounts)
}

/// One scan that reads and evaluates the whole portfolio.
#[must_use]
pub fn pass_bill(accounts: Decimal) -> Bill {
    let one = Bill {
        reads: price(account_scan_units(), READ_PRICE.value),
        lambda: lambda_time(judge_seconds()),
        ..Bill::default()
    };
    one.times(accounts)
}

/// Publication of a policy: the portfolio is read, each account's entry in the due index moves earlier, and
/// each account is evaluated once more on the effective date. Both writes pass both readers of the stream.
#[must_use]
pub fn publication_bill(accounts: Decimal) -> Bill {
    let placed = work_bill(&WorkUnits { account_reads: 0, ..POST }, decide_seconds(&POST, MEMORY_MB.value));
    let judged = work_bill(&SWEEP, decide_seconds(&SWEEP, MEMORY_MB.value));
    let followed = tell_bill(&IDLE).plus(keep_bill(&KEEP));
    let one = pass_bill(Decimal::ONE).plus(placed).plus(judged).plus(followed.times(Decimal::TWO));
    one.times(accounts)
}

/// The cost of the due index alone in a month: its writes, the reads that find and fetch due accounts, its
/// storage.
#[must_use]
pub fn index_bill(accounts: Decimal, wanted: impl Fn(&TransitionKind) -> bool) -> Bill {
    let mut bill = Bill { storage: stored_price(ENTRY_BYTES.value), ..Bill::default() };
    for kind in kinds().iter().filter(|kind| wanted(kind)) {
        bill.index_writes += price(kind.decide.index_writes(), WRITE_PRICE.value) * kind.a_month;
        if kind.comes_by == ComesBy::Sweep {
            let reads = kind.decide.index_reads() + account_read_units();
            bill.reads += price(reads, READ_PRICE.value) * kind.a_month;
        }
    }
    bill.times(accounts)
}

/// The share of the portfolio that must move in the index a day for a nightly scan to cost the same: the cost
/// of scanning an account, divided by the index cost of an account that moves.
#[must_use]
pub fn break_even_share() -> Decimal {
    let scanned = price(account_scan_units(), READ_PRICE.value);
    let due = price(INDEX_WRITES.value, WRITE_PRICE.value)
        + price(SWEEP.index_reads() + account_read_units(), READ_PRICE.value);
    scanned / due
}

/// USD a month for pages that find no due account and no due case, with `shards` shards: half a unit each.
#[must_use]
pub fn idle_pages(shards: Decimal) -> Decimal {
    price(firings_a_month() * shards, READ_PRICE.value)
}
