//! The sentences of `infra/cost.md` with figures, so that no figure is written by hand.

use rust_decimal::Decimal;

use super::bill::{
    break_even_share, firings_a_month, hand_over_requests, history_bill, history_bytes_a_year,
    history_growth, idle_bill, idle_pages, index_bill, monthly_bill, pass_bill, watch_bill,
};
use super::figures::{duration, fixed, percent, whole};
use super::inputs::{
    CONTACT_FIRINGS, DEFAULT_SHARDS, FIRING_SECONDS, MEMORY_MB, MONTH_DAYS, MOST_SHARDS, ONE_CPU_MB,
    PARTITION_GB, PAYMENT_HOURS, SCHEDULED_SECONDS, SHARDS_AT_ONCE, SQS_PRICE, TABLE_UNITS,
};
use super::speed::{
    decide_seconds, own_seconds, own_transitions, peaks, shard_rate, stream_shard_rate, swept_a_firing,
    table_rate, watch_seconds, watched_a_day, watched_a_firing,
};
use super::tables::{accounts, is_not_before_due};
use super::{ComesBy, SWEEP, THOUSAND, a_day, account_read_units, account_scan_units, account_write_units};

/// SNS messages a second in the region with the lowest limit.
const FEWEST_MESSAGES: Decimal = Decimal::from_parts(300, 0, 0, false, 0);
const HOUR_SECONDS: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// All sentences, in the order of the page.
#[must_use]
pub fn facts() -> Vec<String> {
    [units(), bill(), idle(), sweeps(), watch(), limits(), scans()].concat()
}

fn units() -> Vec<String> {
    let ms = |seconds: Decimal| fixed(seconds * THOUSAND, 2);
    vec![
        format!(
            "Of this account: read units {}, write units {}, and {} of a read unit in a scan.",
            whole(account_read_units()),
            whole(account_write_units()),
            fixed(account_scan_units(), 2)
        ),
        format!(
            "A sweep's transition takes {} ms of an invocation of 256 MB and {} ms of one of 1,769 MB.",
            ms(decide_seconds(&SWEEP, MEMORY_MB.value)),
            ms(decide_seconds(&SWEEP, ONE_CPU_MB.value))
        ),
        format!(
            "Reconciling an account takes {} ms and {} ms.",
            ms(watch_seconds(MEMORY_MB.value)),
            ms(watch_seconds(ONE_CPU_MB.value))
        ),
    ]
}

fn bill() -> Vec<String> {
    let book = accounts(1);
    let all = monthly_bill(book).total();
    let of_all = |part: Decimal| percent(part / all, 0);
    vec![
        format!(
            "Of a million accounts' bill, reconciliation is {}, the history {}, and the index {}.",
            of_all(watch_bill(book).total() * MONTH_DAYS.value),
            of_all(history_bill(book).total()),
            of_all(index_bill(book, |_| true).total())
        ),
        format!(
            "A year of it is {} bytes an account, and adds {} USD a month for each million accounts.",
            whole(history_bytes_a_year()),
            fixed(history_growth(book), 2)
        ),
    ]
}

fn idle() -> Vec<String> {
    let cents = |usd: Decimal| whole(usd * Decimal::ONE_HUNDRED);
    let requests = hand_over_requests(MOST_SHARDS.value);
    vec![
        format!(
            "Without any account, two schedules of {} firings a month and one of {}, three queues that Lambda \
             asks, and four shards handed over at every firing cost {} cents a month.",
            whole(firings_a_month()),
            whole(firings_a_month() * CONTACT_FIRINGS.value),
            cents(idle_bill().total())
        ),
        format!(
            "A hundred shards handed over at every firing are {} requests to SQS a month, {} cents.",
            whole(requests),
            cents(requests * SQS_PRICE.value / super::MILLION)
        ),
        format!(
            "With a hundred shards, idle pages cost {} cents a month.",
            cents(idle_pages(MOST_SHARDS.value))
        ),
    ]
}

fn sweeps() -> Vec<String> {
    let shards = DEFAULT_SHARDS.value;
    let [midnight, reminders] = peaks();
    let as_set = swept_a_firing(shards, MEMORY_MB.value);
    let reminded = |shards, memory| whole(swept_a_firing(shards, memory) / reminders.share);
    vec![
        format!(
            "The scheduled invocation takes {} accounts of each shard itself. At 256 MB that takes {} with four \
             shards, and {} with a hundred; the rest is handed over after it.",
            whole(own_transitions(Decimal::ONE)),
            duration(own_seconds(shards, MEMORY_MB.value)),
            duration(own_seconds(MOST_SHARDS.value, MEMORY_MB.value))
        ),
        format!("As it is set, one firing of the sweep works off {} transitions.", whole(as_set)),
        format!(
            "That is the month-end midnight of {} accounts, or the reminder peak of {}.",
            whole(as_set / midnight.share),
            whole(as_set / reminders.share)
        ),
        format!(
            "With {} shards, as many as are swept at once, it is the reminder peak of {}.",
            whole(SHARDS_AT_ONCE.value),
            reminded(SHARDS_AT_ONCE.value, MEMORY_MB.value)
        ),
        format!("Four of 1,769 MB work off that of {} accounts.", reminded(shards, ONE_CPU_MB.value)),
    ]
}

fn watch() -> Vec<String> {
    vec![
        format!(
            "One invocation of {} s reconciles {} accounts. That is {} a day; with 1,769 MB it is {}.",
            whole(SCHEDULED_SECONDS.value),
            whole(watched_a_firing(MEMORY_MB.value)),
            whole(watched_a_day(MEMORY_MB.value)),
            whole(watched_a_day(ONE_CPU_MB.value))
        ),
        format!(
            "With 100 million accounts a round takes {} days.",
            fixed(accounts(100) / watched_a_day(MEMORY_MB.value), 0)
        ),
    ]
}

fn limits() -> Vec<String> {
    let [_, reminders] = peaks();
    let interval = FIRING_SECONDS.value;
    vec![
        format!(
            "Ten batches of a stream shard bear {} reminders a second. A table of one partition, {} GB, has one \
             such shard: in 15 minutes that is the reminder peak of {} accounts.",
            whole(stream_shard_rate()),
            whole(PARTITION_GB.value),
            whole(interval * stream_shard_rate() / reminders.share)
        ),
        format!(
            "In a reminder peak the records table takes {} write units for each transition, the accounts table {}.",
            whole(reminders.tell.table_writes()),
            whole(reminders.decide.table_writes())
        ),
        format!("A shard takes {} transitions a second.", whole(shard_rate())),
        format!(
            "The table's quota of {} write units is {} transitions a second, and the reminder peak of {} accounts.",
            whole(TABLE_UNITS.value),
            whole(table_rate()),
            whole(interval * table_rate() / reminders.share)
        ),
        format!(
            "At {}, a reminder peak of a million accounts takes {}.",
            whole(FEWEST_MESSAGES),
            duration(accounts(1) * reminders.share / FEWEST_MESSAGES)
        ),
        format!(
            "Of 100 million accounts, {} payments a second are posted in the {} hours.",
            whole(
                a_day(accounts(100), |kind| kind.comes_by == ComesBy::Payment)
                    / (PAYMENT_HOURS.value * HOUR_SECONDS)
            ),
            whole(PAYMENT_HOURS.value)
        ),
        format!(
            "Spread over an announcement of {} days, 100 million accounts are {} a second.",
            whole(MONTH_DAYS.value),
            whole(accounts(100) / (MONTH_DAYS.value * Decimal::from(24) * HOUR_SECONDS))
        ),
    ]
}

fn scans() -> Vec<String> {
    let book = accounts(1);
    let index = index_bill(book, |_| true).total();
    let nightly = pass_bill(book).total() * MONTH_DAYS.value;
    vec![
        format!(
            "A nightly scan costs as much as the due index when {} of the book moves a day, by a sweep, a \
             payment or a command. Here {} move, and {} without reminders before the due date.",
            percent(break_even_share(), 1),
            percent(a_day(Decimal::ONE, |_| true), 1),
            percent(a_day(Decimal::ONE, is_not_before_due), 1)
        ),
        format!(
            "For the price of the index, the book could be scanned {} times a day.",
            fixed(index / nightly, 1)
        ),
        format!(
            "Reconciliation costs {} times as much as a nightly scan, because it also reads each account's payments, \
             history and marker.",
            fixed(watch_bill(book).total() * MONTH_DAYS.value / nightly, 1)
        ),
        format!(
            "A million accounts' nightly scan is {} USD a month cheaper than their index.",
            fixed(index - nightly, 2)
        ),
    ]
}
