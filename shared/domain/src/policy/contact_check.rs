//! Checks of contact rules, and warnings for their author.

use std::collections::BTreeSet;

use chrono::{NaiveTime, Timelike};

use super::Policy;
use super::channel::Channel;
use super::check::{PolicyFault, PolicyPlace, at, check_template};
use super::contact_rules::{
    Cap, CapCounts, ContactRules, MAX_CAP, MAX_CAPS, MAX_QUIET_HOURS, MAX_REPORT_HOURS, MAX_WINDOW_DAYS, Per,
    QuietHours, is_within,
};

/// The most months of `once_in_months` of a breathing space.
pub const MAX_ONCE_IN_MONTHS: u32 = 120;

/// The most bytes of a text that messages carry.
const MAX_TEXT_BYTES: usize = 500;

const DAY_MINUTES: u32 = 24 * 60;

/// The first fault of a policy's contact rules.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyFault> {
    let Some(rules) = &policy.contact else { return Ok(()) };
    let contact = PolicyPlace::Key("contact");
    if rules.quiet_hours.len() > MAX_QUIET_HOURS {
        return Err(at(contact)(format!("contact.quiet_hours: at most {MAX_QUIET_HOURS}")));
    }
    if rules.caps.len() > MAX_CAPS {
        return Err(at(contact)(format!("contact.caps: at most {MAX_CAPS}")));
    }
    for (place, hours) in rules.quiet_hours.iter().enumerate() {
        check_quiet(&rules.quiet_hours[..=place], hours).map_err(at(PolicyPlace::QuietHours(place)))?;
    }
    for (place, cap) in rules.caps.iter().enumerate() {
        check_cap(cap).map_err(at(PolicyPlace::Cap(place)))?;
    }
    check_others(rules).map_err(at(contact))
}

fn check_quiet(so_far: &[QuietHours], hours: &QuietHours) -> Result<(), String> {
    if hours.from == hours.until {
        return Err(format!(
            "contact.quiet_hours: from {} until {0} is the whole day",
            hours.from.format("%H:%M")
        ));
    }
    check_channels("contact.quiet_hours", &hours.channels)?;
    let all_day = hours.channels.iter().find(|channel| {
        let minutes: BTreeSet<u32> =
            so_far.iter().filter(|one| one.channels.contains(channel)).flat_map(minutes).collect();
        minutes.len() == DAY_MINUTES as usize
    });
    match all_day {
        Some(channel) => {
            Err(format!("contact.quiet_hours: {channel} is quiet all day, so that nothing ever leaves"))
        }
        None => Ok(()),
    }
}

/// The minutes of a day that lie in the quiet hours.
fn minutes(hours: &QuietHours) -> impl Iterator<Item = u32> + use<> {
    let minute = |time: NaiveTime| time.hour() * 60 + time.minute();
    let (from, until) = (minute(hours.from), minute(hours.until));
    let length = (until + DAY_MINUTES - from) % DAY_MINUTES;
    (from..from + length).map(|minute| minute % DAY_MINUTES)
}

fn check_cap(cap: &Cap) -> Result<(), String> {
    check_channels("contact.caps", &cap.channels)?;
    between("contact.caps: at_most", cap.at_most, 1, MAX_CAP)?;
    between("contact.caps: days", cap.days, 1, MAX_WINDOW_DAYS)
}

fn check_others(rules: &ContactRules) -> Result<(), String> {
    if let Some(after) = &rules.after_conversation_days {
        check_channels("contact.after_conversation_days", &after.channels)?;
        between("contact.after_conversation_days.days", after.days, 1, MAX_WINDOW_DAYS)?;
    }
    if let Some(complaint) = &rules.complaint {
        between("contact.complaint.quiet_days", complaint.quiet_days, 0, MAX_WINDOW_DAYS)?;
        between("contact.complaint.min_gap_days", complaint.min_gap_days, 0, MAX_WINDOW_DAYS)?;
        between("contact.complaint.min_gap_for_days", complaint.min_gap_for_days, 0, MAX_WINDOW_DAYS)?;
    }
    if let Some(space) = &rules.breathing_space {
        between("contact.breathing_space.days", space.days, 1, MAX_WINDOW_DAYS)?;
        between("contact.breathing_space.once_in_months", space.once_in_months, 0, MAX_ONCE_IN_MONTHS)?;
        let extra = space.mental_health_extra_days;
        between("contact.breathing_space.mental_health_extra_days", extra, 0, MAX_WINDOW_DAYS)?;
    }
    if let Some(third_party_rules) = &rules.third_parties {
        between(
            "contact.contact_persons.delinquent_days",
            third_party_rules.delinquent_days,
            1,
            MAX_WINDOW_DAYS,
        )?;
        between("contact.contact_persons.failed_attempts", third_party_rules.failed_attempts, 1, MAX_CAP)?;
        check_template(&third_party_rules.template)
            .map_err(|problem| format!("contact.contact_persons.{problem}"))?;
    }
    if let Some(receipts) = &rules.receipts {
        check_channels("contact.receipts", &receipts.channels)?;
        between("contact.receipts.within_hours", receipts.within_hours, 1, MAX_REPORT_HOURS)?;
    }
    if let Some(address) = &rules.address
        && !address.starts_with("https://")
    {
        return Err(format!("contact.address: \"{address}\" does not begin with https://"));
    }
    let texts = [
        ("address", rules.address.as_deref()),
        ("how_to_pay.zh", rules.how_to_pay.zh.as_deref()),
        ("how_to_pay.en", rules.how_to_pay.en.as_deref()),
        ("how_to_appeal.zh", rules.how_to_appeal.zh.as_deref()),
        ("how_to_appeal.en", rules.how_to_appeal.en.as_deref()),
    ];
    for (field, text) in texts {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
            return Err(format!(
                "contact.{field}: a text has 1 to {MAX_TEXT_BYTES} bytes and no control characters"
            ));
        }
    }
    Ok(())
}

fn check_channels(field: &str, channels: &[Channel]) -> Result<(), String> {
    if channels.is_empty() {
        return Err(format!("{field}: channels: it names none, and so means nothing"));
    }
    Ok(())
}

fn between(field: &str, value: u32, least: u32, most: u32) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{field}: {value} is not between {least} and {most}"))
    }
}

/// Warnings about the contact rules, for their author.
pub(super) fn warnings(policy: &Policy) -> Vec<PolicyFault> {
    let Some(rules) = &policy.contact else { return Vec::new() };
    let mut warnings = Vec::new();
    for (place, hours) in rules.quiet_hours.iter().enumerate() {
        warnings.extend(sends_in_quiet_hours(policy, hours).map(at(PolicyPlace::QuietHours(place))));
    }
    for (place, cap) in rules.caps.iter().enumerate() {
        let found = [expects_answers(cap), is_never_reached(rules, place, cap)];
        warnings.extend(found.into_iter().flatten().map(at(PolicyPlace::Cap(place))));
    }
    warnings
}

/// Reminders are scheduled for an hour in which none leaves.
fn sends_in_quiet_hours(policy: &Policy, hours: &QuietHours) -> Option<String> {
    let reminders = policy.reminders.as_ref()?;
    let (send_at, from, until) = (reminders.send_at, hours.from, hours.until);
    let is_quiet =
        if from < until { from <= send_at && send_at < until } else { from <= send_at || send_at < until };
    let step = reminders.steps.iter().find(|step| hours.channels.contains(&step.channel))?;
    is_quiet.then(|| {
        format!(
            "contact.quiet_hours: reminders.send_at, {}, lies in them, so that every reminder by {} waits \
             until {}; let them be sent at {2} or later",
            send_at.format("%H:%M"),
            step.channel,
            until.format("%H:%M"),
        )
    })
}

/// Only a call has an answer to count.
fn expects_answers(cap: &Cap) -> Option<String> {
    let channel = cap.channels.iter().find(|channel| **channel != Channel::Phone)?;
    (cap.counts != CapCounts::Contacts).then(|| {
        format!(
            "contact.caps: nobody answers a message by {channel}, so that counts says nothing of it; \
             let it name phone alone, or leave it out"
        )
    })
}

/// Another frequency cap is always reached first.
fn is_never_reached(rules: &ContactRules, place: usize, cap: &Cap) -> Option<String> {
    let others = rules.caps.iter().enumerate().filter(|(other, _)| *other != place);
    let covers = |other: &Cap| {
        let counts = other.counts == cap.counts || other.counts == CapCounts::Contacts;
        counts
            && (other.per == cap.per || other.per == Per::Person)
            && is_within(&cap.channels, &other.channels)
            && other.days >= cap.days
            && other.at_most <= cap.at_most
    };
    let (_, other) = others.into_iter().find(|(other_place, other)| {
        // Of two equal caps the later one is redundant.
        covers(other) && (*other != cap || *other_place < place)
    })?;
    Some(format!(
        "contact.caps: {} in {} days is never reached: another cap allows {} in {} days; leave it out",
        cap.at_most, cap.days, other.at_most, other.days
    ))
}
