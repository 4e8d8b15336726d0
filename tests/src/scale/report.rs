//! Writes the report as text.

use std::fmt;
use std::time::Duration;

use super::BenchmarkReport;
use super::measure::{Measured, percentile};

impl fmt::Display for BenchmarkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.on_disk { "on disk" } else { "in memory" };
        writeln!(
            f,
            "{} accounts of 12 installments, the engine {place}; {} % are due on 31 January, one in ten of them pays late",
            grouped(u64::from(self.book.accounts)),
            self.book.peak_percent
        )?;
        writeln!(f, "\n{HEADER}")?;
        for (name, measured) in &self.stretches {
            writeln!(f, "{}", line(name, measured))?;
        }
        writeln!(f, "\nRequests of one, by operation and table")?;
        for (name, measured) in &self.stretches {
            writeln!(f, "  {name:<28} {}", operations(measured))?;
        }
        writeln!(f)?;
        times(f, "payment to lift", &self.lifts)?;
        times(f, "payment to the news of it at SNS", &self.news)?;
        if let Some(kib) = self.peak_resident_kib {
            writeln!(f, "peak resident memory of the process, the engine's pages in it: {} MiB", kib / 1024)?;
        }
        writeln!(f, "all of it: {} s", self.took.as_secs())
    }
}

const HEADER: &str = "                                 count  a second    CPU us  requests     write      read  SNS reqs  heap KiB\n                                                   of one    of one  units of 1  units of 1  of 100      at most";

fn line(name: &str, measured: &Measured) -> String {
    let cpu = measured.own_cpu_micros().map_or_else(|| "?".to_owned(), |micros| micros.to_string());
    format!(
        "{name:<28} {:>9} {:>9} {cpu:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        measured.count,
        measured.a_second(),
        hundredths(measured.requests() * 100, measured.count),
        hundredths(measured.write_halves() * 50, measured.count),
        hundredths(measured.read_halves() * 50, measured.count),
        hundredths(measured.sns_requests * 10_000, measured.count),
        measured.heap_bytes.div_ceil(1024),
    )
}

fn operations(measured: &Measured) -> String {
    let mut parts: Vec<String> = measured
        .charged
        .iter()
        .map(|((operation, table), consumed)| {
            let table = table.rsplit('-').next().unwrap_or(table);
            format!("{operation} {table} {}", hundredths(consumed.requests * 100, measured.count))
        })
        .collect();
    if let Some(bytes) = measured.sns_bytes.checked_div(measured.sns_requests) {
        parts.push(format!("PublishBatch of {bytes} bytes"));
    }
    parts.join(", ")
}

fn times(f: &mut fmt::Formatter<'_>, what: &str, sorted: &[Duration]) -> fmt::Result {
    let at = |percent| percentile(sorted, percent).map(milliseconds).unwrap_or_default();
    writeln!(f, "{what}: p50 {} ms, p99 {} ms, over {}", at(50), at(99), sorted.len())
}

fn milliseconds(time: Duration) -> String {
    hundredths(u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / 10, 1)
}

/// `sum` hundredths divided by `count`, in text.
fn hundredths(sum: u64, count: u64) -> String {
    let each = sum / count.max(1);
    format!("{}.{:02}", each / 100, each % 100)
}

/// With a comma every three digits.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_cut_to_hundredths() {
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(hundredths(350, 3), "1.16");
        assert_eq!(hundredths(1, 0), "0.01");
    }
}
