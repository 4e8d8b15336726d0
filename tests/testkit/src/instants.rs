//! Dates and instants of texts.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use duewatch_domain::Zone;

/// Reads a date.
#[must_use]
pub fn date(text: &str) -> NaiveDate {
    text.parse().expect(text)
}

/// Reads an instant in RFC 3339.
#[must_use]
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

/// The instant of a local time, or of a date's noon; the earlier one where the clock shows it twice.
#[must_use]
pub fn local_instant(zone: Zone, text: &str) -> DateTime<Utc> {
    let local: NaiveDateTime = match text.parse::<NaiveDate>() {
        Ok(date) => date.and_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap()),
        Err(_) => text.parse().expect(text),
    };
    zone.from_local_datetime(&local).earliest().expect(text).to_utc()
}
