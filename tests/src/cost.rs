//! Calculates the cost of a portfolio on AWS and the duration of its days, from the measured work of a
//! transition. `infra/cost.md` explains the model; its tables come from here.
//!
//! Units, times and money are decimals, never floats.

pub mod bill;
pub mod facts;
mod figures;
pub mod inputs;
pub mod speed;
pub mod tables;

use rust_decimal::Decimal;

use self::inputs::{
    ACCOUNT_BYTES, COMMANDS_A_MONTH, ENTRY_BYTES, INDEX_WRITES, MONTH_DAYS, PAGE, SIDE_BY_SIDE, unpaid,
};

const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
const GB: Decimal = Decimal::from_parts(1_073_741_824, 0, 0, false, 0);
const THOUSAND: Decimal = Decimal::ONE_THOUSAND;
/// Bytes of a write unit.
const WRITE_UNIT: Decimal = Decimal::from_parts(1_024, 0, 0, false, 0);
/// Bytes of a read unit, consistent.
const READ_UNIT: Decimal = Decimal::from_parts(4_096, 0, 0, false, 0);
/// Bytes of a read unit, eventually consistent; a scan is charged for the sum of its bytes.
const SCAN_UNIT: Decimal = Decimal::from_parts(8_192, 0, 0, false, 0);

/// The work of one function for one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkUnits {
    /// Consistent reads of the account.
    pub account_reads: u32,
    /// Writes of the account, each of which moves its entry in the due index.
    pub account_writes: u32,
    /// Consistent Queries of the account's payments, and reads of a single one.
    pub payment_queries: u32,
    /// Consistent reads of the account's records, one read unit each: its newest history entry, its marker.
    pub record_reads: u32,
    /// Writes of items below 1 KB that are in no index.
    pub small_writes: u32,
    /// Transactions on the records of the customer: contacts planned, counted, ended.
    pub transactions: u32,
    /// Write units of these transactions, twice those of the items, with the entries in the index of planned
    /// contacts.
    pub transaction_units: u32,
    /// Write units of the history entry, with its place in the index of its day.
    pub entry_units: u32,
    pub messages: u32,
    /// Whether a Query of the due index found the account.
    pub from_index: bool,
}

impl WorkUnits {
    /// Read units of the tables; the share of the index page is [`Self::index_reads`].
    #[must_use]
    pub fn reads(&self) -> Decimal {
        // The payments of an account in the middle of its life fit into one unit.
        Decimal::from(self.account_reads) * account_read_units()
            + Decimal::from(self.payment_queries + self.record_reads)
    }

    /// Read units of the index: a page's bytes, eventually consistent.
    #[must_use]
    pub fn index_reads(&self) -> Decimal {
        if self.from_index { ENTRY_BYTES.value / SCAN_UNIT } else { Decimal::ZERO }
    }

    /// Write units of the tables, without the index.
    #[must_use]
    pub fn table_writes(&self) -> Decimal {
        Decimal::from(self.account_writes) * account_write_units()
            + Decimal::from(self.small_writes + self.transaction_units + self.entry_units)
    }

    /// Write units of the due index.
    #[must_use]
    pub fn index_writes(&self) -> Decimal {
        Decimal::from(self.account_writes) * INDEX_WRITES.value
    }

    /// Requests to DynamoDB whose wait is shared by accounts side by side.
    fn requests(&self) -> Decimal {
        let page = if self.from_index { SIDE_BY_SIDE.value / PAGE.value } else { Decimal::ZERO };
        let entry = u32::from(self.entry_units > 0);
        let reads = self.account_reads + self.payment_queries + self.record_reads;
        Decimal::from(reads + self.account_writes + self.transactions + entry) + page
    }
}

/// The source of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComesBy {
    Sweep,
    /// The payments stream.
    Payment,
    /// The queue of commands.
    Command,
}

/// A kind of transition.
#[derive(Clone, Copy, Debug)]
pub struct TransitionKind {
    pub name: &'static str,
    /// Transitions of one account a month.
    pub a_month: Decimal,
    pub comes_by: ComesBy,
    /// The work of `detect-overdue`, `post-payment` or `intake`.
    pub decide: WorkUnits,
    /// The work of `send-reminders`.
    pub tell: WorkUnits,
    /// The work of `record-history`.
    pub keep: WorkUnits,
}

impl TransitionKind {
    /// Write units of the lender's payment system.
    #[must_use]
    pub fn lender_writes(&self) -> u32 {
        u32::from(self.comes_by == ComesBy::Payment)
    }
}

const IDLE: WorkUnits = WorkUnits {
    account_reads: 0,
    account_writes: 0,
    payment_queries: 0,
    record_reads: 0,
    small_writes: 0,
    transactions: 0,
    transaction_units: 0,
    entry_units: 0,
    messages: 0,
    from_index: false,
};
const SWEEP: WorkUnits = WorkUnits { account_reads: 1, account_writes: 1, from_index: true, ..IDLE };
const RESTRICT: WorkUnits = WorkUnits { payment_queries: 1, ..SWEEP };
const POST: WorkUnits = WorkUnits { from_index: false, ..SWEEP };
/// A payment is posted as the payments table states it.
const POST_PAYMENT: WorkUnits = WorkUnits { payment_queries: 1, ..POST };
/// The change of the account status is published and marked.
const ANNOUNCE: WorkUnits = WorkUnits { small_writes: 1, messages: 1, ..IDLE };
/// The contact request is planned; the contact profile is read, the account and its payments once more; the
/// message is counted, published and ended; the revision is marked.
const REMIND: WorkUnits = WorkUnits {
    account_reads: 1,
    payment_queries: 1,
    record_reads: 1,
    transactions: 3,
    transaction_units: 18,
    ..ANNOUNCE
};
/// The newest entry is read, the next one is put.
const KEEP: WorkUnits = WorkUnits { record_reads: 1, entry_units: 2, ..IDLE };
const KEEP_DECISION: WorkUnits = WorkUnits { entry_units: 3, ..KEEP };
/// The work of `record-delivery` for a receipt: it looks up the message, reads and writes the contact
/// profile, and adds the receipt to the message as it is by then.
pub const RECEIPT: WorkUnits =
    WorkUnits { record_reads: 3, transactions: 1, transaction_units: 2, small_writes: 1, ..IDLE };
/// The reads of `reconcile-accounts` for a healthy account beside its page: its payments, its newest history entry,
/// its marker.
pub const WATCH: WorkUnits = WorkUnits { payment_queries: 1, record_reads: 2, ..IDLE };

/// The kind of transition that touches every account every month.
pub const BEFORE_DUE: &str = "reminder before the due date";

/// The kinds of transitions of a month, one installment an account.
#[must_use]
pub fn kinds() -> [TransitionKind; 7] {
    let kind = |name, a_month, comes_by, [decide, tell, keep]: [WorkUnits; 3]| TransitionKind {
        name,
        a_month,
        comes_by,
        decide,
        tell,
        keep,
    };
    let late = unpaid(&["late"]);
    let restricted = unpaid(&["limited", "frozen", "suspended"]);
    let in_time = Decimal::ONE - late;
    let (sweep, payment, command) = (ComesBy::Sweep, ComesBy::Payment, ComesBy::Command);
    [
        kind(BEFORE_DUE, Decimal::ONE, sweep, [SWEEP, REMIND, KEEP]),
        kind("reminder after it", unpaid(&["reminder"]), sweep, [SWEEP, REMIND, KEEP]),
        kind("stage without restrictions", late, sweep, [SWEEP, ANNOUNCE, KEEP_DECISION]),
        kind("stage with restrictions", restricted, sweep, [RESTRICT, ANNOUNCE, KEEP_DECISION]),
        kind("payment in time", in_time, payment, [POST_PAYMENT, IDLE, KEEP]),
        kind(
            "payment that changes the account status",
            late,
            payment,
            [POST_PAYMENT, ANNOUNCE, KEEP_DECISION],
        ),
        kind("command of the lender", COMMANDS_A_MONTH.value, command, [POST, IDLE, KEEP]),
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

/// Transitions a day, of the kinds that `wanted` picks.
#[must_use]
pub fn a_day(accounts: Decimal, wanted: impl Fn(&TransitionKind) -> bool) -> Decimal {
    kinds().iter().filter(|kind| wanted(kind)).map(|kind| kind.a_month).sum::<Decimal>() * accounts
        / MONTH_DAYS.value
}
