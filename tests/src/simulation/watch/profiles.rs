//! The checks of contact profiles, read from their items after each transaction: every contact is counted
//! before it leaves, no counted contact vanishes, and counted contacts keep to quiet hours, frequency caps
//! and opt-outs, each calculated here independently.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::policy::{Cap, CapCounts, ContactRules, Per};
use serde_json::Value;

use super::{Checked, Watch, hold};

/// The shortest time for which a counted contact must be remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(28);

/// A contact profile with its planned contacts.
#[derive(Clone, Debug, Default)]
pub(super) struct SeenProfile {
    profile: Value,
    /// The planned contacts, with the instant of their next evaluation.
    requests: BTreeMap<String, DateTime<Utc>>,
}

/// A contact that was counted.
struct Counted<'a> {
    id: &'a str,
    at: DateTime<Utc>,
    channel: &'a str,
}

fn counted(attempt: &Value) -> Option<Counted<'_>> {
    Some(Counted {
        id: attempt["contact_id"].as_str()?,
        at: attempt["at"].as_str()?.parse().ok()?,
        channel: attempt["channel"].as_str()?,
    })
}

fn attempts(person: &Value) -> impl Iterator<Item = (&Value, Counted<'_>)> {
    let all = person["attempts"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().filter_map(|attempt| Some((attempt, counted(attempt)?)))
}

/// Whether a time of day lies within hours that may run past midnight.
fn is_within(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    if from <= until { from <= time && time < until } else { time >= from || time < until }
}

impl Watch {
    /// Checks the items of a contact profile as a transaction has left them.
    pub(in crate::simulation) fn profile_read(&mut self, customer_id: &str, items: &[Value]) -> Checked {
        let written = |item: &Value, name: &str| -> Value {
            serde_json::from_str(item[name]["S"].as_str().unwrap_or_default()).unwrap_or_default()
        };
        let mut now = SeenProfile::default();
        for item in items {
            let sk = item["sk"]["S"].as_str().unwrap_or_default();
            if sk == "person" {
                now.profile = written(item, "person");
            } else if let Some(contact_id) = sk.strip_prefix("planned#") {
                let look_at = written(item, "planned")["look_at"].as_str().and_then(|at| at.parse().ok());
                hold!("items can be read", look_at.is_some(), "{item}");
                now.requests.insert(contact_id.to_owned(), look_at.unwrap_or_default());
            }
        }
        let before = self.profiles.remove(customer_id).unwrap_or_default();
        self.check_profile(customer_id, &before.profile, &now.profile)?;
        self.profiles.insert(customer_id.to_owned(), now);
        Ok(())
    }

    /// A message leaves only if it was counted, and while its contacts are planned.
    pub(super) fn check_leaving(&self, id: &str, data: &Value) -> Checked {
        let customer_id = data["customer_id"].as_str().unwrap_or_default();
        let nobody = SeenProfile::default();
        let known = self.profiles.get(customer_id).unwrap_or(&nobody);
        let is_counted =
            attempts(&known.profile).any(|(_, one)| one.id == id && data["channel"] == one.channel);
        hold!(
            "a contact is counted before it leaves",
            is_counted,
            "{customer_id}: {id} is not: {}",
            known.profile
        );
        for contact in data["contacts"].as_array().into_iter().flatten() {
            let contact_id = contact["contact_id"].as_str().unwrap_or_default();
            let is_planned = known.requests.contains_key(contact_id);
            hold!(
                "a contact leaves once",
                is_planned,
                "{customer_id}: {contact_id} leaves and is not planned"
            );
        }
        Ok(())
    }

    /// The instant of the customer's last consent or opt-out for a channel.
    pub(super) fn consented_at(&self, customer_id: &str, channel: &str) -> Option<DateTime<Utc>> {
        let known = self.profiles.get(customer_id)?;
        known.profile["channels"][channel]["consent"]["by"]["at"].as_str()?.parse().ok()
    }

    /// The earliest evaluation of a planned contact.
    pub(in crate::simulation) fn earliest_contact(&self) -> Option<DateTime<Utc>> {
        self.profiles.values().flat_map(|known| known.requests.values()).min().copied()
    }

    fn check_profile(&mut self, customer_id: &str, before: &Value, now: &Value) -> Checked {
        if before == now {
            return Ok(());
        }
        let revision = |person: &Value| person["revision"].as_u64().unwrap_or_default();
        hold!(
            "one revision",
            revision(now) == revision(before) + 1,
            "{customer_id} went from {} to {}",
            revision(before),
            revision(now)
        );
        for (name, channel) in before["channels"].as_object().into_iter().flatten() {
            let said = |channel: &Value| channel["consent"]["by"]["at"].as_str().map(str::to_owned);
            let (was, is) = (said(channel), said(&now["channels"][name]));
            hold!(
                "an opt-out holds",
                is >= was,
                "{customer_id} said {channel} of {name}, now {}",
                now["channels"][name]
            );
        }
        let last = attempts(now).map(|(_, one)| one.at).max().unwrap_or_default();
        for (_, one) in attempts(before).filter(|(_, one)| last - one.at < REMEMBERED) {
            let is_there = attempts(now).any(|(_, other)| other.id == one.id);
            hold!("a contact is counted once and for good", is_there, "{customer_id}: {} is gone", one.id);
        }
        let mut new = 0;
        for (attempt, one) in attempts(now) {
            if attempts(before).any(|(_, known)| (known.id, known.at) == (one.id, one.at)) {
                continue;
            }
            new += 1;
            self.check_counted(customer_id, before, now, attempt, &one)?;
        }
        self.count("contacts counted", new);
        Ok(())
    }

    /// Checks a newly counted contact against opt-outs, quiet hours and frequency caps.
    fn check_counted(
        &self,
        customer_id: &str,
        before: &Value,
        now: &Value,
        attempt: &Value,
        one: &Counted<'_>,
    ) -> Checked {
        let withdrawn = |known: &Value| known["value"] == "withdrawn";
        let channel = &before["channels"][one.channel]["consent"];
        let latest = |known: &Value| known["by"]["at"].as_str().unwrap_or_default().to_owned();
        let says = if latest(channel) >= latest(&before["consent"]) { channel } else { &before["consent"] };
        hold!(
            "an opt-out holds",
            !withdrawn(says),
            "{customer_id}: {} leaves by {} although {says}",
            one.id,
            one.channel
        );
        for account_id in attempt["accounts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let Some(story) = self.stories.get(account_id) else { continue };
            let zone = story.contract.time_zone;
            let Some(rules) = self.contact_rules(story.contract.policy_id.as_str()) else { continue };
            let local = one.at.with_timezone(&zone);
            let quiet = rules.quiet_hours.iter().find(|hours| {
                hours.channels.iter().any(|channel| channel.as_str() == one.channel)
                    && is_within(local.time(), hours.from, hours.until)
            });
            hold!(
                "quiet hours",
                quiet.is_none(),
                "{customer_id}: {} leaves at {local}, within {quiet:?}",
                one.id
            );
            for cap in
                rules.caps.iter().filter(|cap| (cap.per, cap.counts) == (Per::Person, CapCounts::Contacts))
            {
                let counts = |channel: &str| cap.channels.iter().any(|known| known.as_str() == channel);
                if !counts(one.channel) {
                    continue;
                }
                let date = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
                let first = date(one.at) - TimeDelta::days(i64::from(cap.days) - 1);
                let within = |day: NaiveDate| first <= day && day <= date(one.at);
                // A contact that leaves at the same time under rules without that cap is not limited by it.
                let is_capped = |attempt: &Value, other: &Counted<'_>| {
                    let is_known = attempts(before).any(|(_, known)| known.id == other.id);
                    other.id == one.id || is_known || self.is_capped(attempt, cap)
                };
                let count = attempts(now)
                    .filter(|(_, other)| counts(other.channel) && within(date(other.at)))
                    .filter(|(attempt, other)| is_capped(attempt, other))
                    .count();
                hold!(
                    "caps",
                    count <= usize::try_from(cap.at_most).unwrap_or(usize::MAX),
                    "{customer_id}: {} is the {count}th, {cap:?}",
                    one.id
                );
            }
        }
        Ok(())
    }

    fn is_capped(&self, attempt: &Value, cap: &Cap) -> bool {
        let accounts = attempt["accounts"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let stories = accounts.filter_map(|account_id| self.stories.get(account_id));
        let mut rules = stories.filter_map(|story| self.contact_rules(story.contract.policy_id.as_str()));
        rules.any(|rules| rules.caps.contains(cap))
    }

    fn contact_rules(&self, policy_id: &str) -> Option<&ContactRules> {
        self.policies.get(policy_id)?.last()?.0.contact.as_ref()
    }
}
