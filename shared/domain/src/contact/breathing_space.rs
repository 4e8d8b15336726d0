//! Breathing spaces: which ones count, and until when.
//!
//! The profile keeps the facts, and the breathing spaces are derived from them. Facts may therefore come in
//! any order, and a policy may change.

use chrono::NaiveDate;

use super::profile::ContactProfile;
use crate::commands::BreathingSpaceKind;
use crate::kernel::{Zone, business_date, plus_days, plus_months};
use crate::policy::BreathingSpaceRules;

/// A breathing space that counts under the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreathingSpace {
    pub kind: BreathingSpaceKind,
    /// The day on which the breathing space became known.
    pub from: NaiveDate,
    /// The first date after it; none: not known yet.
    pub until: Option<NaiveDate>,
}

impl BreathingSpace {
    /// Whether the breathing space lasts on `day`.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.until.is_none_or(|until| day < until)
    }
}

impl ContactProfile {
    /// The breathing spaces that count, in the order in which they became known. A standard one does not
    /// count if it comes too soon after another. Days are those of `zone`.
    #[must_use]
    pub fn breathing_spaces(&self, rules: Option<&BreathingSpaceRules>, zone: Zone) -> Vec<BreathingSpace> {
        let mut counting: Vec<BreathingSpace> = Vec::new();
        for started in self.breathing_starts() {
            let from = business_date(zone, started.at());
            // A breathing space includes the day of its reported end.
            let mut ends = self.breathing_ends().iter().filter(|end| end.at >= started.at());
            let ended = ends.next().map(|end| plus_days(business_date(zone, end.at), 1));
            let (kind, said) = (started.value.kind, started.value.until);
            let until = match kind {
                BreathingSpaceKind::Standard => {
                    // The day on which it became known is day 0, and the last day counts.
                    let least = rules.map(|rules| plus_days(from, i64::from(rules.days) + 1));
                    [said.or(least), ended].into_iter().flatten().min()
                }
                BreathingSpaceKind::MentalHealth => {
                    let treated_until = [said, ended].into_iter().flatten().min();
                    let more = rules.map_or(0, |rules| rules.mental_health_extra_days);
                    treated_until.map(|until| plus_days(until, i64::from(more)))
                }
            };
            if kind == BreathingSpaceKind::MentalHealth || !comes_too_soon(&counting, from, rules) {
                counting.push(BreathingSpace { kind, from, until });
            }
        }
        counting
    }
}

/// Whether a standard breathing space ended less than `once_in_months` before `from`, or still lasts.
fn comes_too_soon(counting: &[BreathingSpace], from: NaiveDate, rules: Option<&BreathingSpaceRules>) -> bool {
    let Some(months) = rules.map(|rules| rules.once_in_months).filter(|months| *months > 0) else {
        return false;
    };
    let mut others = counting.iter().filter(|other| other.kind == BreathingSpaceKind::Standard);
    others.any(|other| other.until.is_none_or(|until| from < plus_months(until, months)))
}
