//! The inputs of the cost page, each with its source.

use rust_decimal::Decimal;

/// An input of the cost page.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub name: &'static str,
    pub value: Decimal,
    pub unit: &'static str,
    pub source: &'static str,
}

const fn input(
    name: &'static str,
    (digits, scale): (u32, u32),
    unit: &'static str,
    source: &'static str,
) -> Input {
    Input { name, value: Decimal::from_parts(digits, 0, 0, false, scale), unit, source }
}

/// DynamoDB writes.
pub const WRITE_PRICE: Input = input(
    "DynamoDB write request units",
    (625, 3),
    "USD a million",
    "AWS price list, on-demand, as of 2026-07-30",
);
/// DynamoDB reads.
pub const READ_PRICE: Input = input(
    "DynamoDB read request units",
    (125, 3),
    "USD a million",
    "AWS price list, on-demand, as of 2026-07-30",
);
/// DynamoDB storage.
pub const STORAGE_PRICE: Input = input(
    "DynamoDB storage",
    (25, 2),
    "USD a GB and month",
    "AWS price list, as of 2026-07-30; the free 25 GB are left out",
);
/// DynamoDB point-in-time recovery.
pub const RECOVERY_PRICE: Input = input(
    "DynamoDB point-in-time recovery",
    (20, 2),
    "USD a GB and month",
    "aws.amazon.com/dynamodb/pricing; only seen quoted: check before relying",
);
/// DynamoDB streams, read by Lambda.
pub const STREAM_PRICE: Input = input(
    "DynamoDB streams, read by Lambda",
    (0, 0),
    "USD",
    "aws.amazon.com/dynamodb/pricing: reads by Lambda triggers are not charged; check before relying",
);
/// Lambda time.
pub const LAMBDA_TIME_PRICE: Input = input(
    "Lambda time, arm64",
    (133_334, 10),
    "USD a GB-second",
    "aws.amazon.com/lambda/pricing, first tier, as quoted on 2026-05-11",
);
/// Lambda invocations.
pub const LAMBDA_CALL_PRICE: Input = input(
    "Lambda invocations",
    (20, 2),
    "USD a million",
    "aws.amazon.com/lambda/pricing, as quoted on 2026-05-11",
);
/// SNS requests.
pub const SNS_PRICE: Input = input(
    "SNS requests, a PublishBatch being one for each 64 KB",
    (50, 2),
    "USD a million",
    "aws.amazon.com/sns/pricing, as quoted on 2026-06-13; batches: AWS Compute Blog, November 2021",
);
/// EventBridge Scheduler.
pub const SCHEDULER_PRICE: Input = input(
    "EventBridge Scheduler invocations",
    (100, 2),
    "USD a million",
    "aws.amazon.com/eventbridge/pricing, as quoted on 2026-03-13; the first 14 million a month are free",
);
/// SQS requests.
pub const SQS_PRICE: Input = input(
    "SQS requests",
    (40, 2),
    "USD a million",
    "aws.amazon.com/sqs/pricing, standard queue, as quoted on 2026-03-14",
);
/// SQS, a queue that keeps the order.
pub const FIFO_PRICE: Input = input(
    "SQS requests of a FIFO queue",
    (50, 2),
    "USD a million",
    "aws.amazon.com/sqs/pricing, as quoted on 2026-06-13",
);
/// CloudWatch Logs.
pub const LOG_PRICE: Input = input(
    "CloudWatch Logs taken in",
    (50, 2),
    "USD a GB",
    "aws.amazon.com/cloudwatch/pricing; from memory: check before relying",
);

/// All prices, in USD, us-east-1.
pub const PRICES: [Input; 12] = [
    WRITE_PRICE,
    READ_PRICE,
    STORAGE_PRICE,
    RECOVERY_PRICE,
    STREAM_PRICE,
    LAMBDA_TIME_PRICE,
    LAMBDA_CALL_PRICE,
    SNS_PRICE,
    SCHEDULER_PRICE,
    SQS_PRICE,
    FIFO_PRICE,
    LOG_PRICE,
];

/// Writes of a partition.
pub const PARTITION_WRITES: Input = input(
    "writes of a partition, of a table or an index",
    (1_000, 0),
    "units a second",
    "DynamoDB developer guide, partitions; cannot be raised",
);
/// Reads of a partition.
pub const PARTITION_READS: Input = input(
    "reads of a partition",
    (3_000, 0),
    "units a second",
    "DynamoDB developer guide, partitions; cannot be raised",
);
/// Storage of a partition.
pub const PARTITION_GB: Input =
    input("storage of a partition", (10, 0), "GB", "DynamoDB developer guide, partitions");
/// Units of a table.
pub const TABLE_UNITS: Input = input(
    "reads, and writes, of a table on demand",
    (40_000, 0),
    "units a second",
    "DynamoDB developer guide, quotas; raised on request",
);
/// Units of a new table.
pub const NEW_TABLE_WRITES: Input = input(
    "writes of a table that is new; then twice the last peak within 30 minutes",
    (4_000, 0),
    "units a second",
    "DynamoDB developer guide, on-demand; warm throughput can be set beforehand",
);
/// SNS messages.
pub const SNS_MESSAGES: Input = input(
    "SNS messages, batched or not",
    (30_000, 0),
    "a second",
    "AWS general reference: 9,000 in Oregon and Ireland, 1,500 in eight others, 300 elsewhere; raised on request",
);
/// Lambda concurrency.
pub const LAMBDA_CONCURRENCY: Input = input(
    "Lambda invocations at once",
    (1_000, 0),
    "",
    "Lambda developer guide, quotas; raised on request; 1,000 more every 10 seconds",
);
/// Lambda memory of one processor.
pub const ONE_CPU_MB: Input = input(
    "Lambda memory that comes with one processor",
    (1_769, 0),
    "MB",
    "Lambda developer guide, memory; less memory is a share of it",
);

/// All limits.
pub const LIMITS: [Input; 8] = [
    PARTITION_WRITES,
    PARTITION_READS,
    PARTITION_GB,
    TABLE_UNITS,
    NEW_TABLE_WRITES,
    SNS_MESSAGES,
    LAMBDA_CONCURRENCY,
    ONE_CPU_MB,
];

/// Bytes of an account in the middle of its life.
pub const ACCOUNT_BYTES: Input = input(
    "an account of 12 installments, 8 payments and 3 decisions",
    (2_623, 0),
    "bytes",
    "tests/tests/all/capacity.rs, by DynamoDB's rules for item sizes",
);
/// Bytes of the entry in the due index.
pub const ENTRY_BYTES: Input = input(
    "its entry in the due index, with the 100 bytes that DynamoDB adds",
    (170, 0),
    "bytes",
    "tests/tests/all/capacity.rs",
);
/// Bytes of an item in payments or records.
pub const SMALL_ITEM_BYTES: Input = input(
    "an item of payments or records, with the 100 bytes that DynamoDB adds",
    (220, 0),
    "bytes",
    "tests/tests/all/capacity.rs, a payment",
);
/// Firings of the schedule for planned contacts, for each firing of the sweep.
pub const CONTACT_FIRINGS: Input = input(
    "firings of the sweep of contact requests, for each of the sweep of accounts",
    (3, 0),
    "",
    "infra/template.yaml",
);
/// Bytes kept of a reminder: its contact record, and its message.
pub const CONTACT_BYTES: Input = input(
    "the records of a reminder, two items, with the 100 bytes that DynamoDB adds to each",
    (800, 0),
    "bytes",
    "tests/tests/all/capacity.rs",
);
/// Bytes of a history entry without a decision.
pub const HISTORY_ENTRY_BYTES: Input = input(
    "an entry of the history without a decision and its place in the index of its day, with the 100 bytes that DynamoDB adds to each",
    (1_020, 0),
    "bytes",
    "tests/tests/all/capacity.rs",
);
/// Bytes of a history entry with a decision.
pub const DECISION_ENTRY_BYTES: Input = input(
    "an entry of the history with a decision, likewise",
    (1_470, 0),
    "bytes",
    "tests/tests/all/capacity.rs",
);
/// CPU of a decision.
pub const DECIDE_CPU_MS: Input = input(
    "processor time of a sweep's transition or a payment's posting",
    (45, 2),
    "ms",
    "examples/scale.rs, x86_64, outside the embedded services: 0.37 to 0.63",
);
/// CPU of a fan-out with a message.
pub const TELL_CPU_MS: Input = input(
    "processor time of a revision that sends a message",
    (13, 1),
    "ms",
    "examples/scale.rs, likewise: 0.89 to 1.85, the stand-in for Lambda included",
);
/// CPU of a fan-out without one.
pub const PASS_CPU_MS: Input = input(
    "processor time of a revision that sends nothing",
    (85, 2),
    "ms",
    "examples/scale.rs, likewise: 0.74 to 0.94",
);
/// CPU of an entry of the history.
pub const KEEP_CPU_MS: Input = input(
    "processor time of an entry of the history",
    (12, 1),
    "ms",
    "examples/scale.rs, likewise: 1.11 to 1.67",
);
/// CPU of reconciling a healthy account.
pub const WATCH_CPU_MS: Input = input(
    "processor time of reconciling a healthy account",
    (33, 2),
    "ms",
    "examples/scale.rs, likewise: 0.27 without the read of its marker, 0.31 to 0.35 with it",
);

/// All measured inputs.
pub const MEASURED: [Input; 11] = [
    ACCOUNT_BYTES,
    ENTRY_BYTES,
    SMALL_ITEM_BYTES,
    CONTACT_BYTES,
    HISTORY_ENTRY_BYTES,
    DECISION_ENTRY_BYTES,
    DECIDE_CPU_MS,
    TELL_CPU_MS,
    PASS_CPU_MS,
    KEEP_CPU_MS,
    WATCH_CPU_MS,
];

/// Index writes of a transition.
pub const INDEX_WRITES: Input = input(
    "index writes of a transition: one entry leaves, one comes",
    (2, 0),
    "units",
    "tests/tests/all/capacity.rs",
);
/// Entries of an index page.
pub const PAGE: Input = input(
    "entries that one Query of the index reads, accounts that one Scan of the reconciliation reads",
    (100, 0),
    "",
    "detect-overdue, reconcile-accounts",
);
/// Accounts side by side.
pub const SIDE_BY_SIDE: Input = input(
    "accounts that an invocation works on side by side",
    (8, 0),
    "",
    "detect-overdue, reconcile-accounts, runtime",
);
/// Lambda memory.
pub const MEMORY_MB: Input = input("memory of each function", (256, 0), "MB", "infra/template.yaml");
/// The interval between firings.
pub const FIRING_SECONDS: Input =
    input("the sweep and the reconciliation fire every", (900, 0), "s", "infra/template.yaml");
/// The run time of a scheduled invocation.
pub const SCHEDULED_SECONDS: Input =
    input("their invocation stops by itself after", (295, 0), "s", "infra/template.yaml, Deadline::RESERVE");
/// Pages of a shard before it is handed over.
pub const OWN_PAGES: Input = input(
    "pages of a shard that the sweep takes before it hands the shard over",
    (5, 0),
    "",
    "detect-overdue",
);
/// The run time of a shard's invocation.
pub const SHARD_SECONDS: Input = input(
    "an invocation for a shard stops by itself after",
    (835, 0),
    "s",
    "infra/template.yaml, Deadline::RESERVE",
);
/// Shards worked off at once.
pub const SHARDS_AT_ONCE: Input =
    input("shards that are swept at once at most", (10, 0), "", "infra/template.yaml, SweepConcurrency");
/// Segments of the scan by `reconcile-accounts`.
pub const WATCH_SEGMENTS: Input =
    input("segments of the table that reconciliation visits in a day", (96, 0), "", "reconcile-accounts");
/// Batches of a stream shard at once.
pub const BATCHES_A_SHARD: Input =
    input("batches of a stream shard at once", (10, 0), "", "infra/template.yaml");
/// Messages of a batch.
pub const MESSAGES_A_BATCH: Input = input("messages of a PublishBatch", (10, 0), "", "shared/notify");
/// Shards of the due index where the parameter `DueShards` is left out.
pub const DEFAULT_SHARDS: Input = input("shards of the due index", (4, 0), "", "infra/template.yaml");
/// Most shards.
pub const MOST_SHARDS: Input = input("most shards of the due index", (100, 0), "", "shared/store");

/// All settings of the product.
pub const SETTINGS: [Input; 15] = [
    INDEX_WRITES,
    PAGE,
    SIDE_BY_SIDE,
    MEMORY_MB,
    FIRING_SECONDS,
    SCHEDULED_SECONDS,
    CONTACT_FIRINGS,
    OWN_PAGES,
    SHARD_SECONDS,
    SHARDS_AT_ONCE,
    WATCH_SEGMENTS,
    BATCHES_A_SHARD,
    MESSAGES_A_BATCH,
    DEFAULT_SHARDS,
    MOST_SHARDS,
];

/// The duration of a request to DynamoDB.
pub const REQUEST_MS: Input =
    input("a request to DynamoDB or SNS", (5, 0), "ms", "assumed, within a region; not measured on AWS");
/// Days of a month.
pub const MONTH_DAYS: Input = input("days of a month", (30, 0), "", "assumed");
/// Hours of a day in which payments arrive.
pub const PAYMENT_HOURS: Input = input("hours of a day in which payments come in", (8, 0), "", "assumed");
/// The share of accounts that are due on the month's last day, in one time zone.
pub const PEAK_SHARE: Input = input(
    "accounts that are due on the month's last day, in one time zone",
    (20, 2),
    "of the book",
    "assumed",
);
/// Bytes of logs and metrics of an invocation.
pub const LOG_BYTES: Input = input("logs and metrics of an invocation", (1_000, 0), "bytes", "assumed");
/// Records of an invocation.
pub const RECORDS_A_CALL: Input = input(
    "records of a stream invocation on an ordinary day",
    (1, 0),
    "",
    "assumed, the dearest case: there is no batching window; at a peak it is up to 100",
);
/// Commands of an account in a month.
pub const COMMANDS_A_MONTH: Input = input(
    "commands of an account in a month: openings, pauses, changes of its installments",
    (10, 2),
    "",
    "assumed; payments are reckoned apart, and contact points are not reckoned with",
);
/// Receipts of a message.
pub const RECEIPTS_A_MESSAGE: Input = input(
    "receipts of a message",
    (1, 0),
    "",
    "assumed: each is reported as delivered, and nothing else of it; one a request",
);
/// Polls of an idle queue.
pub const POLLS_A_MINUTE: Input = input(
    "requests a minute by which Lambda asks an idle queue",
    (15, 0),
    "",
    "assumed: five at once, of 20 seconds each",
);

/// All assumed inputs.
pub const ASSUMED: [Input; 9] = [
    REQUEST_MS,
    MONTH_DAYS,
    PAYMENT_HOURS,
    PEAK_SHARE,
    LOG_BYTES,
    RECORDS_A_CALL,
    COMMANDS_A_MONTH,
    RECEIPTS_A_MESSAGE,
    POLLS_A_MINUTE,
];

/// The share of all installments that is still open a number of days after the due date. The days are those
/// on which the sample policy acts.
pub const UNPAID: [(&str, Decimal); 9] = [
    ("2: reminder", Decimal::from_parts(150, 0, 0, false, 3)),
    ("4: late", Decimal::from_parts(100, 0, 0, false, 3)),
    ("5: reminder", Decimal::from_parts(90, 0, 0, false, 3)),
    ("12: reminder", Decimal::from_parts(60, 0, 0, false, 3)),
    ("18: limited", Decimal::from_parts(40, 0, 0, false, 3)),
    ("25: reminder", Decimal::from_parts(30, 0, 0, false, 3)),
    ("33: frozen", Decimal::from_parts(20, 0, 0, false, 3)),
    ("50: reminder", Decimal::from_parts(15, 0, 0, false, 3)),
    ("63: suspended", Decimal::from_parts(10, 0, 0, false, 3)),
];

/// The open share, summed over the points of [`UNPAID`] of these kinds.
#[must_use]
pub fn unpaid(kinds: &[&str]) -> Decimal {
    UNPAID
        .iter()
        .filter(|(day, _)| kinds.iter().any(|kind| day.ends_with(kind)))
        .map(|(_, share)| *share)
        .sum()
}
