//! Formats figures for the page.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::scale::report::grouped;

/// Rounded to a whole number, with commas.
pub(super) fn whole(value: Decimal) -> String {
    let rounded = value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    u64::try_from(rounded).map_or_else(|_| rounded.to_string(), grouped)
}

/// With `digits` digits after the point, and commas before it.
pub(super) fn fixed(value: Decimal, digits: u32) -> String {
    let rounded = value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    let whole_part = whole(rounded.trunc());
    let text = format!("{rounded:.*}", digits as usize);
    match text.split_once('.') {
        Some((_, fraction)) => format!("{whole_part}.{fraction}"),
        None => whole_part,
    }
}

pub(super) fn percent(share: Decimal, digits: u32) -> String {
    format!("{} %", fixed(share * Decimal::ONE_HUNDRED, digits))
}

/// In the unit that suits the length.
pub(super) fn duration(seconds: Decimal) -> String {
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
