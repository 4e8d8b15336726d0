//! Exact decimal amounts and ISO 4217 currencies.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most digits of an amount before the decimal point, and so of the sum of all amounts due on an account:
/// a written amount must be readable again.
///
/// With at most four minor units this leaves nine digits of headroom in a [`Decimal`], so that no sum over a
/// bounded account can overflow.
pub const MAX_INTEGER_DIGITS: usize = 15;

/// An exact amount in the currency of the account that it belongs to.
///
/// Formats hold it as a decimal in a string, never as a JSON number: `"250.00"`. A float never comes near it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// Zero, as written without decimals.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The amount as a plain decimal.
    #[must_use]
    pub const fn as_decimal(self) -> Decimal {
        self.0
    }

    /// An amount from a whole number of minor units: `from_minor(25_000, 2)` is `250.00`.
    #[must_use]
    pub fn from_minor(minor: i64, minor_units: u32) -> Self {
        Self(Decimal::new(minor, minor_units.min(Decimal::MAX_SCALE)))
    }

    /// An amount from more minor units than 64 bits hold; zero beyond the range of a decimal.
    pub(crate) fn of_minor(minor: i128, minor_units: u32) -> Self {
        Self(Decimal::try_from_i128_with_scale(minor, minor_units).unwrap_or_default())
    }

    /// Zero, written with as many decimals.
    #[must_use]
    pub fn zeroed(self) -> Self {
        Self(Decimal::new(0, self.0.scale()))
    }

    /// Whether the amount is exactly zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub(crate) fn is_zero_ref(&self) -> bool {
        self.is_zero()
    }

    /// Whether the amount is greater than zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }

    /// Whether the amount is less than zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether the amount has no more than [`MAX_INTEGER_DIGITS`], so that it is readable once it is written.
    #[must_use]
    pub fn is_readable(self) -> bool {
        self.0.trunc().mantissa().unsigned_abs() < 10_u128.pow(MAX_INTEGER_DIGITS as u32)
    }

    /// The digits behind the decimal point, as written.
    #[must_use]
    pub const fn decimals(self) -> u32 {
        self.0.scale()
    }
}

/// The error of a text that is no decimal amount: it holds the text's beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no amount: write a decimal in a string, such as \"250.00\", of at most {MAX_INTEGER_DIGITS} digits \
     before the point"
)]
pub struct NoAmount(String);

impl FromStr for Money {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        Self::read(text, MAX_INTEGER_DIGITS)
    }
}

impl Money {
    fn read(text: &str, most: usize) -> Result<Self, NoAmount> {
        let no = || NoAmount(text.chars().take(40).collect());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(no()),
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let bounded = (1..=most).contains(&whole.len()) && fraction.len() <= MAX_INTEGER_DIGITS - 3;
        if !bounded || !digits(whole) || !digits(fraction) {
            return Err(no());
        }
        Decimal::from_str(text).map(Self).map_err(|_| no())
    }
}

/// Amounts to which late fees were added: they may have more digits than an amount that is stated.
pub(crate) mod grown {
    use serde::{Deserialize, Deserializer, de};

    use super::Money;

    /// More than the largest amount has at the highest rate over all dates.
    const MAX_GROWN_DIGITS: usize = 21;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        read(&String::deserialize(deserializer)?)
    }

    pub(crate) fn option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| read(&text)).transpose()
    }

    fn read<E: de::Error>(text: &str) -> Result<Money, E> {
        Money::read(text, MAX_GROWN_DIGITS).map_err(E::custom)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Money;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal in a string, such as \"250.00\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// An ISO 4217 currency with minor units.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: iso_currency::Currency,
    minor_units: u32,
}

impl Currency {
    /// The three-letter ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.code.code()
    }

    /// Digits behind the decimal point: 2 for CNY, 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn minor_units(self) -> u32 {
        self.minor_units
    }

    /// The amount with exactly the currency's decimals.
    ///
    /// # Errors
    /// [`TooManyDecimals`] when the amount, as written, has more of them.
    pub fn exact(self, amount: Money) -> Result<Money, TooManyDecimals> {
        if amount.decimals() > self.minor_units {
            return Err(TooManyDecimals { amount, decimals: amount.decimals(), currency: self });
        }
        let mut decimal = amount.0;
        decimal.rescale(self.minor_units);
        Ok(Money(decimal))
    }

    /// The amount as text with the currency's decimals: `0` in CNY is `0.00`.
    #[must_use]
    pub fn text(self, amount: Money) -> String {
        let mut decimal = amount.0;
        decimal.rescale(self.minor_units);
        decimal.to_string()
    }

    /// Zero with the currency's decimals.
    #[must_use]
    pub fn zero(self) -> Money {
        Money::from_minor(0, self.minor_units)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The error of an amount with more decimals than its currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{amount} has {decimals} decimals, {currency} has {}", currency.minor_units())]
pub struct TooManyDecimals {
    pub amount: Money,
    pub decimals: u32,
    pub currency: Currency,
}

/// The error of a code that names no currency with minor units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no ISO 4217 currency; write a code such as CNY")]
pub struct NoCurrency(String);

impl FromStr for Currency {
    type Err = NoCurrency;

    fn from_str(code: &str) -> Result<Self, NoCurrency> {
        let no = || NoCurrency(code.chars().take(40).collect());
        let currency = iso_currency::Currency::from_code(code).ok_or_else(no)?;
        let minor_units = currency.exponent().ok_or_else(no)?;
        Ok(Self { code: currency, minor_units: u32::from(minor_units) })
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The amount in minor units.
pub(crate) fn minor(amount: Money, minor_units: u32) -> i128 {
    let mut decimal = amount.as_decimal();
    if decimal.is_zero() {
        return 0;
    }
    if decimal.scale() != minor_units {
        decimal.rescale(minor_units);
    }
    decimal.mantissa()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("250.00", Some("250.00"))]
    #[case("0", Some("0"))]
    #[case("-3.5", Some("-3.5"))]
    #[case("123456789012345.1234", Some("123456789012345.1234"))]
    #[case("0.123456789012", Some("0.123456789012"))]
    #[case("0.1234567890123", None)]
    #[case("1.0_0", None)]
    #[case("1234567890123456", None)]
    #[case("", None)]
    #[case("-", None)]
    #[case("+1", None)]
    #[case("1.", None)]
    #[case(".5", None)]
    #[case("1e3", None)]
    #[case("1_000", None)]
    #[case("1,000", None)]
    #[case(" 1", None)]
    #[case("١", None)]
    #[case("NaN", None)]
    fn an_amount_is_a_plain_decimal(#[case] text: &str, #[case] expected: Option<&str>) {
        let parsed: Result<Money, _> = text.parse();
        assert_eq!(parsed.ok().map(|m| m.to_string()).as_deref(), expected);
    }

    #[test]
    fn an_amount_as_a_json_number_is_refused() {
        assert!(serde_json::from_str::<Money>("250").is_err());
        assert!(serde_json::from_str::<Money>("250.0").is_err());
        assert!(serde_json::from_str::<Money>("\"250.0\"").is_ok());
    }

    #[rstest]
    #[case("CNY", "250", Ok("250.00"))]
    #[case("JPY", "250", Ok("250"))]
    #[case("KWD", "1.234", Ok("1.234"))]
    #[case("CNY", "1.234", Err("1.234 has 3 decimals, CNY has 2"))]
    #[case("JPY", "1.0", Err("1.0 has 1 decimals, JPY has 0"))]
    fn a_currency_fixes_the_decimals(
        #[case] code: &str,
        #[case] amount: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let currency: Currency = code.parse().unwrap();
        let exact = currency.exact(amount.parse().unwrap());
        assert_eq!(
            exact.map(|m| m.to_string()).map_err(|e| e.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn amounts_add_up() {
        let amounts: [Money; 3] = ["1.10", "2.20", "-0.30"].map(|amount| amount.parse().unwrap());
        assert_eq!(amounts.into_iter().sum::<Money>().to_string(), "3.00");
    }

    #[test]
    fn a_currency_shows_its_code() {
        let currency: Currency = "CNY".parse().unwrap();
        assert_eq!(format!("{currency} {currency:?}"), "CNY CNY");
    }

    #[test]
    fn unknown_currencies_and_those_without_minor_units_are_refused() {
        assert!("XXQ".parse::<Currency>().is_err());
        assert!("cny".parse::<Currency>().is_err());
        assert!("XAU".parse::<Currency>().is_err());
    }
}
