//! Dates and instants as the formats write them: `2023-10-05`, `2023-10-05T09:30:00+08:00`.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de};

fn parse<E: de::Error>(text: &str) -> Result<NaiveDate, E> {
    // The parser also accepts signs and blanks.
    let date = text.parse().ok().filter(|date: &NaiveDate| date.to_string() == text);
    date.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        E::custom(format_args!("\"{shown}\" is no date; write one such as 2023-10-05"))
    })
}

pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

pub(crate) fn maybe_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(|text| parse(&text)).transpose()
}

fn parse_instant<E: de::Error>(text: &str) -> Result<DateTime<Utc>, E> {
    let instant = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    let instant = instant.ok().filter(|instant| super::is_in_range(instant.date_naive()));
    instant.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        E::custom(format_args!("\"{shown}\" is no instant; write one such as 2023-10-05T09:30:00+08:00"))
    })
}

pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    parse_instant(&String::deserialize(deserializer)?)
}

pub(crate) fn maybe_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(|text| parse_instant(&text)).transpose()
}
