//! The tables of `infra/cost.md`.

use rust_decimal::{Decimal, RoundingStrategy};

use super::inputs::{
    ASSUMED, DEFAULT_SHARDS, FIRING_SECONDS, Input, LIMITS, MEASURED, MEMORY_MB, MONTH_DAYS, MOST_SHARDS,
    ONE_CPU_MB, PAYMENT_HOURS, PRICES, SETTINGS, TABLE_UNITS, UNPAID,
};
use super::{
    BEFORE_DUE, Bill, Kind, SWEEP, a_day, account_read_units, account_scan_units, account_write_units,
    bill_of, break_even_share, decide_seconds, index_bill, kinds, monthly_bill, needed, partitions,
    pass_bill, peaks, publication_bill, scan_invocations, scan_seconds, shard_rate, sweep_rate, table_rate,
    tell_seconds, work_off_seconds, work_off_seconds_today,
};
use crate::scale::report::grouped;

/// The books that the page reckons for.
const BOOKS: [(&str, u32); 3] = [("1 million", 1), ("10 million", 10), ("100 million", 100)];

/// A table, with the name that it has on the page.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its text, in Markdown.
    pub text: String,
}

/// All tables, in the order of the page.
#[must_use]
pub fn all() -> Vec<Table> {
    let table = |name, text| Table { name, text };
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

fn is_not_before_due(kind: &Kind) -> bool {
    kind.name != BEFORE_DUE
}

fn accounts(millions: u32) -> Decimal {
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
    markdown(&["Days after the due date, and what happens", "still unpaid"], &rows)
}

fn units_table() -> String {
    let rows: Vec<Vec<String>> = kinds()
        .iter()
        .map(|kind| {
            let work = |of: fn(&super::Work) -> Decimal| of(&kind.decide) + of(&kind.tell);
            vec![
                kind.name.to_owned(),
                fixed(work(super::Work::reads) + work(super::Work::index_reads), 2),
                whole(work(super::Work::table_writes) + Decimal::from(kind.lender_writes)),
                whole(work(super::Work::index_writes)),
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
    let sum = |name: &str, wanted: fn(&Kind) -> bool| {
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
        row("logs", |bill| bill.logs),
        row("storage and recovery, after a year", |bill| bill.storage),
        row("**a month**", Bill::total),
        row("**a day**", |bill| bill.total() / MONTH_DAYS.value),
    ];
    let mut before_due = vec!["of it, reminders before the due date, a month".to_owned()];
    before_due.extend(BOOKS.iter().map(|(_, millions)| {
        let each = kinds().first().map_or(Decimal::ZERO, |kind| bill_of(kind).total() * kind.a_month);
        fixed(each * accounts(*millions), 2)
    }));
    rows.push(before_due);
    markdown(&["USD", "1 million", "10 million", "100 million"], &rows)
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
    for (memory, words) in [(MEMORY_MB.value, "as it is set"), (ONE_CPU_MB.value, "one processor")] {
        rows.push(vec![
            format!("one invocation of the sweep, {} MB, {words}", whole(memory)),
            whole(sweep_rate(memory)),
        ]);
    }
    let remind = peaks()[1].tell;
    for (memory, words) in [(MEMORY_MB.value, "as it is set"), (ONE_CPU_MB.value, "one processor")] {
        rows.push(vec![
            format!("one batch of `send-reminders` with reminders, {} MB, {words}", whole(memory)),
            whole(Decimal::ONE / tell_seconds(&remind, memory)),
        ]);
    }
    markdown(&["What limits", "transitions a second"], &rows)
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
                whole(needed.sweeps),
                whole(needed.table_writes),
                whole(needed.fan_outs),
                whole(needed.stream_shards),
                whole(partitions(accounts(millions))),
            ]);
        }
    }
    markdown(
        &[
            "Peak",
            "transitions",
            "a second, in 15 minutes",
            "K",
            "sweeps at once",
            "table writes a second",
            "fan-outs at once",
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
                duration(work_off_seconds_today(transitions)),
                with(DEFAULT_SHARDS.value, MEMORY_MB.value),
                with(DEFAULT_SHARDS.value, ONE_CPU_MB.value),
                with(Decimal::from(16), ONE_CPU_MB.value),
                with(MOST_SHARDS.value, ONE_CPU_MB.value),
            ]);
        }
    }
    markdown(
        &[
            "Peak",
            "today: one invocation",
            "one a shard, K = 4, 256 MB",
            "K = 4, 1,769 MB",
            "K = 16, 1,769 MB",
            "K = 100, 1,769 MB",
        ],
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
            row("rolling check, a pass over the book a day", |accounts| pass_bill(accounts).total()),
            row("the same, a month", |accounts| pass_bill(accounts).total() * MONTH_DAYS.value),
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
        &["USD a month, or what is said", "1 million", "10 million", "100 million"],
        &[
            row("due index, with reminders before the due date", &|accounts| {
                fixed(index_bill(accounts, |_| true).total(), 2)
            }),
            row("due index, without them", &|accounts| {
                fixed(index_bill(accounts, is_not_before_due).total(), 2)
            }),
            row("scan, every night", &|accounts| fixed(nightly(accounts), 2)),
            row("scan, every 15 minutes", &|accounts| fixed(nightly(accounts) * firings, 2)),
            row("time of a scan within the table's quota", &|accounts| duration(scan_seconds(accounts))),
            row("invocations at once for that", &|accounts| whole(scan_invocations(accounts))),
        ],
    )
}

/// The sentences of the page that bear a figure, so that no figure stands there by hand.
#[must_use]
pub fn facts() -> Vec<String> {
    let today = sweep_rate(MEMORY_MB.value);
    let [midnight, reminders] = peaks();
    let interval = FIRING_SECONDS.value;
    let per_firing = today * super::SWEEP_SECONDS.value;
    vec![
        format!(
            "Of this account: read units {}, write units {}, and {} of a read unit in a scan.",
            whole(account_read_units()),
            whole(account_write_units()),
            fixed(account_scan_units(), 2)
        ),
        format!(
            "A sweep's transition takes {} ms of an invocation of 256 MB and {} ms of one of 1,769 MB.",
            fixed(decide_seconds(&SWEEP, MEMORY_MB.value) * super::THOUSAND, 2),
            fixed(decide_seconds(&SWEEP, ONE_CPU_MB.value) * super::THOUSAND, 2)
        ),
        format!("One firing of the sweep works off {} transitions before it stops.", whole(per_firing)),
        format!(
            "That is the month-end midnight of {} accounts, or the reminder peak of {}.",
            whole(per_firing / midnight.share),
            whole(per_firing / reminders.share)
        ),
        format!(
            "A nightly scan costs what the due index costs when {} of the book moves a day, by a sweep or a \
             payment. Here {} move, and {} without reminders before the due date.",
            percent(break_even_share(), 1),
            percent(a_day(Decimal::ONE, |_| true), 1),
            percent(a_day(Decimal::ONE, is_not_before_due), 1)
        ),
        format!(
            "For what the index costs, the book could be scanned {} times a day.",
            fixed(
                index_bill(accounts(1), |_| true).total()
                    / (pass_bill(accounts(1)).total() * MONTH_DAYS.value),
                1
            )
        ),
        format!(
            "Four shards work off the reminder peak of {} accounts within 15 minutes, a hundred that of {}.",
            whole(interval * shard_rate() * DEFAULT_SHARDS.value / reminders.share),
            whole(interval * shard_rate() * MOST_SHARDS.value / reminders.share)
        ),
        format!(
            "The table's quota of {} write units is {} transitions a second, and the reminder peak of {} accounts.",
            whole(TABLE_UNITS.value),
            whole(table_rate()),
            whole(interval * table_rate() / reminders.share)
        ),
        format!(
            "Of 100 million accounts, {} payments a second are posted in the {} hours.",
            whole(a_day(accounts(100), |kind| !kind.swept) / (PAYMENT_HOURS.value * Decimal::from(3_600))),
            whole(PAYMENT_HOURS.value)
        ),
    ]
}

/// Rounded to a whole number, with commas.
fn whole(value: Decimal) -> String {
    let rounded = value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    u64::try_from(rounded).map_or_else(|_| rounded.to_string(), grouped)
}

/// With so many digits after the point, and commas before it.
fn fixed(value: Decimal, digits: u32) -> String {
    let rounded = value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    let whole_part = whole(rounded.trunc());
    let text = format!("{rounded:.*}", digits as usize);
    match text.split_once('.') {
        Some((_, fraction)) => format!("{whole_part}.{fraction}"),
        None => whole_part,
    }
}

fn percent(share: Decimal, digits: u32) -> String {
    format!("{} %", fixed(share * Decimal::ONE_HUNDRED, digits))
}

/// In the unit that suits.
fn duration(seconds: Decimal) -> String {
    let minutes = seconds / Decimal::from(60);
    if seconds < Decimal::from(120) {
        format!("{} s", whole(seconds.ceil()))
    } else if minutes < Decimal::from(120) {
        format!("{} min", whole(minutes.ceil()))
    } else {
        format!("{} h", fixed(minutes / Decimal::from(60), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_and_grouped() {
        assert_eq!(whole(Decimal::new(123_455, 1)), "12,346");
        assert_eq!(fixed(Decimal::new(1_234_567, 3), 2), "1,234.57");
        assert_eq!(fixed(Decimal::ONE, 2), "1.00");
        assert_eq!(duration(Decimal::from(119)), "119 s");
        assert_eq!(duration(Decimal::from(601)), "11 min");
        assert_eq!(duration(Decimal::from(9_000)), "2.5 h");
    }
}
