//! Reminder days and times that a borrower chooses.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::customer_facts::{ContactFact, PreferencesChanged};
use crate::account::{Account, ReminderPreference};
use crate::kernel::{Refusal, business_date};

impl Account {
    /// Applies a fact about contacting the customer, as far as it concerns the account.
    pub(crate) fn apply_contact_fact(
        &mut self,
        fact: &ContactFact,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        fact.check()?;
        Ok(match fact {
            ContactFact::Preferences(preferences) => self.prefer(preferences, at),
            _ => Applied::Unchanged,
        })
    }

    fn prefer(&mut self, preferences: &PreferencesChanged, at: DateTime<Utc>) -> Applied {
        let before = self.reminder_preference.clone();
        let (mut days_before, mut time) =
            before.clone().map_or((Vec::new(), None), |known| (known.days_before, known.at));
        if let Some(days) = &preferences.remind_days_before {
            days_before.clone_from(days);
            days_before.sort_unstable();
            days_before.dedup();
        }
        time = preferences.remind_at.or(time);
        let is_same = before.is_some_and(|known| known.days_before == days_before && known.at == time);
        if is_same || !preferences.plans() {
            return Applied::Unchanged;
        }
        let since = business_date(self.time_zone, at);
        self.reminder_preference = Some(ReminderPreference { days_before, at: time, since });
        Applied::Changed
    }
}
