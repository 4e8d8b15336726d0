//! Times of day as the formats write them: `22:00`.

use chrono::NaiveTime;
use serde::{Deserialize, Deserializer, Serializer, de};

fn parse<E: de::Error>(text: &str) -> Result<NaiveTime, E> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok();
    time.filter(|time| time.format("%H:%M").to_string() == text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        E::custom(format_args!("\"{shown}\" is no time of day; write one such as \"22:00\""))
    })
}

pub(crate) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%H:%M"))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

/// The same for an optional time.
pub(crate) mod maybe {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<NaiveTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveTime>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| super::parse(&text)).transpose()
    }
}
