//! Amounts and dates as a language writes them.

use chrono::NaiveDate;
use duewatch_domain::describe;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::policy::Language;

/// An amount's digits with the currency's minor units, in groups of three: `1,234.50`. Both
/// languages write them so (CLDR: `#,##0.###`).
#[must_use]
pub fn amount(currency: Currency, amount: Money) -> String {
    grouped(&currency.text(amount))
}

/// A decimal number with its whole digits in groups of three.
#[must_use]
pub fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut grouped = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A date in words: 2026年1月5日, 5 January 2026.
#[must_use]
pub fn date(date: NaiveDate, language: Language) -> String {
    describe::date(date, language)
}
