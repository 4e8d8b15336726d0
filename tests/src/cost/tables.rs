//! The tables of `infra/cost.md`.

use rust_decimal::Decimal;

use super::bill::{
    Bill, bill_of, history_bill, index_bill, monthly_bill, pass_bill, publication_bill, receipts_bill,
    watch_bill,
};
use super::figures::{duration, fixed, percent, whole};
use super::inputs::{
    ASSUMED, DEFAULT_SHARDS, Input, LIMITS, MEASURED, MEMORY_MB, MONTH_DAYS, MOST_SHARDS, ONE_CPU_MB, PRICES,
    READ_PRICE, SETTINGS, UNPAID,
};
use super::speed::{
    keep_seconds, needed, partitions, peaks, scan_invocations, scan_seconds, shard_rate, sweep_rate,
    table_rate, tell_seconds, watch_seconds, work_off_seconds,
};
use super::{BEFORE_DUE, TransitionKind, WorkUnits, a_day, account_scan_units, kinds};

/// The portfolio sizes of the page.
const BOOKS: [(&str, u32); 3] = [("1 million", 1), ("10 million", 10), ("100 million", 100)];

/// A table with its name on the page.
#[derive(Clone, Debug)]
pub struct CostTable {
    pub name: &'static str,
    /// In Markdown.
    pub text: String,
}

/// All tables, in the order of the page.
#[must_use]
pub fn all() -> Vec<CostTable> {
    let table = |name, text| CostTable { name, text };
    vec![
        table("prices", listed("Price", &PRICES)),
        table("limits", listed("Limit", &LIMITS)),
        table("measured", listed("Measured", &MEASURED)),
        table("settings", listed("Setting", &SETTINGS)),
        table("assumed", listed("Assumption", &ASSUMED)),
        table("unpaid", unpaid_table()),
        table("units", units_table()),
        table("transitions", transitions_table()),
        table("bill", bill_table()),
        table("rates", rates_table()),
        table("peaks", peaks_table()),
        table("work-off", work_off_table()),
        table("whole-book", whole_book_table()),
        table("scan", scan_table()),
    ]
}

pub(super) fn is_not_before_due(kind: &TransitionKind) -> bool {
    kind.name != BEFORE_DUE
}

pub(super) fn accounts(millions: u32) -> Decimal {
    Decimal::from(millions) * super::MILLION
}

/// A table of a heading and its rows; all columns but the first are figures.
fn markdown(heading: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let ruler: Vec<String> =
        (0..heading.len()).map(|column| if column == 0 { "---" } else { "---:" }.to_owned()).collect();
    let mut lines = vec![line(&heading), line(&ruler)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n") + "\n"
}

fn listed(heading: &str, inputs: &[Input]) -> String {
    let mut text = format!("| {heading} | | | Source |\n| --- | ---: | --- | --- |\n");
    for input in inputs {
        let value =
            if input.value.is_integer() { whole(input.value) } else { input.value.normalize().to_string() };
        text.push_str(&format!("| {} | {value} | {} | {} |\n", input.name, input.unit, input.source));
    }
    text
}

fn unpaid_table() -> String {
    let rows: Vec<Vec<String>> =
        UNPAID.iter().map(|(day, share)| vec![(*day).to_owned(), percent(*share, 1)]).collect();
    markdown(&["Days after the due date, and the event", "still unpaid"], &rows)
}

fn units_table() -> String {
    let rows: Vec<Vec<String>> = kinds()
        .iter()
        .map(|kind| {
            let work = |of: fn(&WorkUnits) -> Decimal| of(&kind.decide) + of(&kind.tell) + of(&kind.keep);
            vec![
                kind.name.to_owned(),
                fixed(work(WorkUnits::reads) + work(WorkUnits::index_reads), 2),
                whole(work(WorkUnits::table_writes) + Decimal::from(kind.lender_writes())),
                whole(work(WorkUnits::index_writes)),
                whole(Decimal::from(kind.tell.messages)),
                fixed(bill_of(kind).total() * super::MILLION, 2),
            ]
        })
        .collect();
    markdown(
        &[
            "Transition",
            "read units",
            "write units",
            "index write units",
            "messages",
            "USD a million, all in",
        ],
        &rows,
    )
}

fn transitions_table() -> String {
    let mut rows: Vec<Vec<String>> = kinds()
        .iter()
        .map(|kind| {
            let mut row = vec![kind.name.to_owned(), fixed(kind.a_month, 3)];
            row.extend(
                BOOKS
                    .iter()
                    .map(|(_, millions)| whole(kind.a_month * accounts(*millions) / MONTH_DAYS.value)),
            );
            row
        })
        .collect();
    let sum = |name: &str, wanted: fn(&TransitionKind) -> bool| {
        let each: Decimal = kinds().iter().filter(|kind| wanted(kind)).map(|kind| kind.a_month).sum();
        let mut row = vec![name.to_owned(), fixed(each, 3)];
        row.extend(BOOKS.iter().map(|(_, millions)| whole(a_day(accounts(*millions), wanted))));
        row
    };
    rows.push(sum("**all but reminders before the due date**", is_not_before_due));
    rows.push(sum("**all**", |_| true));
    markdown(&["Transitions", "an account a month", "1 million, a day", "10 million", "100 million"], &rows)
}

fn bill_table() -> String {
    let bills: Vec<Bill> = BOOKS.iter().map(|(_, millions)| monthly_bill(accounts(*millions))).collect();
    let row = |name: &str, of: fn(&Bill) -> Decimal| {
        let mut row = vec![name.to_owned()];
        row.extend(bills.iter().map(|bill| fixed(of(bill), 2)));
        row
    };
    let mut rows = vec![
        row("writes of the tables", |bill| bill.table_writes),
        row("writes of the due index", |bill| bill.index_writes),
        row("reads", |bill| bill.reads),
        row("Lambda", |bill| bill.lambda),
        row("SNS", |bill| bill.sns),
        row("SQS and schedules", |bill| bill.queues),
        row("logs", |bill| bill.logs),
        row("storage and recovery, after a year", |bill| bill.storage),
        row("**a month**", Bill::total),
        row("**a day**", |bill| bill.total() / MONTH_DAYS.value),
    ];
    let of_it = |name: &str, of: fn(Decimal) -> Decimal| {
        let mut row = vec![name.to_owned()];
        row.extend(BOOKS.iter().map(|(_, millions)| fixed(of(accounts(*millions)), 2)));
        row
    };
    rows.push(of_it("of it, a month: reminders before the due date", before_due_bill));
    rows.push(of_it("of it, a month: receipts of messages", |accounts| receipts_bill(accounts).total()));
    rows.push(of_it("of it, a month: the history", |accounts| history_bill(accounts).total()));
    rows.push(of_it("of it, a month: reconciliation", watch_month));
    markdown(&["USD", "1 million", "10 million", "100 million"], &rows)
}

fn before_due_bill(accounts: Decimal) -> Decimal {
    let before_due = kinds().into_iter().filter(|kind| kind.name == BEFORE_DUE);
    before_due.map(|kind| bill_of(&kind).total() * kind.a_month).sum::<Decimal>() * accounts
}

fn watch_month(accounts: Decimal) -> Decimal {
    watch_bill(accounts).total() * MONTH_DAYS.value
}

fn rates_table() -> String {
    let mut rows = vec![
        vec![
            "a shard of the due index: its partition's writes, by two a transition".to_owned(),
            whole(shard_rate()),
        ],
        vec![
            "the accounts table on demand: its quota, by the units of an account".to_owned(),
            whole(table_rate()),
        ],
    ];
    let [_, remind] = peaks();
    for (memory, words) in [(MEMORY_MB.value, "as it is set"), (ONE_CPU_MB.value, "one processor")] {
        let mut limit = |what: &str, seconds: Decimal| {
            let name = format!("{what}, {} MB, {words}", whole(memory));
            rows.push(vec![name, whole(Decimal::ONE / seconds)]);
        };
        limit("one invocation of the sweep", Decimal::ONE / sweep_rate(memory));
        limit("one batch of `send-reminders` with reminders", tell_seconds(&remind.tell, memory));
        limit("one batch of `record-history`", keep_seconds(&remind.keep, memory));
        limit("one invocation of reconciliation, accounts", watch_seconds(memory));
    }
    markdown(&["Limit", "transitions a second"], &rows)
}

fn peaks_table() -> String {
    let mut rows = Vec::new();
    for peak in &peaks() {
        for (book, millions) in BOOKS {
            let needed = needed(peak, accounts(millions));
            rows.push(vec![
                format!("{}, {book}", peak.name),
                whole(peak.share * accounts(millions)),
                whole(needed.rate),
                whole(needed.shards),
                whole(needed.shards_of_one_cpu),
                whole(needed.table_writes),
                whole(needed.record_writes),
                whole(needed.fan_outs),
                whole(needed.histories),
                whole(needed.stream_shards),
                whole(partitions(accounts(millions))),
            ]);
        }
    }
    markdown(
        &[
            "Peak",
            "transitions",
            "a second, in one firing",
            "K, 256 MB",
            "K, 1,769 MB",
            "writes a second, accounts",
            "writes a second, records",
            "fan-outs at once",
            "histories at once",
            "stream shards for that",
            "partitions by size",
        ],
        &rows,
    )
}

fn work_off_table() -> String {
    let mut rows = Vec::new();
    for peak in &peaks() {
        for (book, millions) in BOOKS {
            let transitions = peak.share * accounts(millions);
            let with = |shards, memory| duration(work_off_seconds(transitions, shards, memory));
            rows.push(vec![
                format!("{}, {book}", peak.name),
                with(DEFAULT_SHARDS.value, MEMORY_MB.value),
                with(DEFAULT_SHARDS.value, ONE_CPU_MB.value),
                with(Decimal::from(16), ONE_CPU_MB.value),
                with(MOST_SHARDS.value, ONE_CPU_MB.value),
            ]);
        }
    }
    markdown(
        &["Peak", "today: K = 4, 256 MB", "K = 4, 1,769 MB", "K = 16, 1,769 MB", "K = 100, 1,769 MB"],
        &rows,
    )
}

fn whole_book_table() -> String {
    let row = |name: &str, of: fn(Decimal) -> Decimal| {
        let mut row = vec![name.to_owned()];
        row.extend(BOOKS.iter().map(|(_, millions)| fixed(of(accounts(*millions)), 2)));
        row
    };
    markdown(
        &["USD", "1 million", "10 million", "100 million"],
        &[
            row("reconciliation, a day", |accounts| watch_bill(accounts).total()),
            row("reconciliation, a month", watch_month),
            row("of it, the pages of accounts", |accounts| {
                accounts * account_scan_units() * READ_PRICE.value / super::MILLION * MONTH_DAYS.value
            }),
            row("publication of a policy, once", |accounts| publication_bill(accounts).total()),
        ],
    )
}

fn scan_table() -> String {
    let row = |name: &str, of: &dyn Fn(Decimal) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend(BOOKS.iter().map(|(_, millions)| of(accounts(*millions))));
        row
    };
    let nightly = |accounts: Decimal| pass_bill(accounts).total() * MONTH_DAYS.value;
    let firings = Decimal::from(96);
    markdown(
        &["USD a month, or as stated", "1 million", "10 million", "100 million"],
        &[
            row("due index, with reminders before the due date", &|accounts| {
                fixed(index_bill(accounts, |_| true).total(), 2)
            }),
            row("due index, without them", &|accounts| {
                fixed(index_bill(accounts, is_not_before_due).total(), 2)
            }),
            row("reconciliation, once a day", &|accounts| fixed(watch_month(accounts), 2)),
            row("scan, every night", &|accounts| fixed(nightly(accounts), 2)),
            row("scan, every 15 minutes", &|accounts| fixed(nightly(accounts) * firings, 2)),
            row("time of a scan within the table's quota", &|accounts| duration(scan_seconds(accounts))),
            row("invocations at once for that", &|accounts| whole(scan_invocations(accounts))),
        ],
    )
}
