//! Laws of the contact gate: for every contact profile, policy, contact request, zone and instant.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use duewatch_domain::commands::{
    AgreedHours, BreathingSpaceEnded, BreathingSpaceKind, BreathingSpaceStarted, Consent, ContactAttempted,
    ContactFact, PreferencesChanged, ThirdPartyAdded,
};
use duewatch_domain::contact::{
    ContactAttempt, ContactProfile, GateDecision, GateReason, GateRequest, MAX_BREATHING_SPACES,
    MAX_RECENT_CONTACTS, MAX_THIRD_PARTIES, ReceiptOutcome, Stamp, consolidate, gate,
};
use duewatch_domain::kernel::business_date;
use duewatch_domain::policy::{Cap, CapCounts, Channel, ContactRules, Per, QuietHours};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::common::people::{
    ContactNews, ZONES, begin, cap, channel, channels, hear, heard, kind, known, minute, person, quiet,
    rules, time, wish,
};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn is_within(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    // By counting minutes from the beginning: another way than the gate's.
    let minutes = |to: NaiveTime| (to - from).num_seconds().rem_euclid(24 * 3600);
    minutes(time) < minutes(until)
}

/// Whether the local time by chrono-tz lies in quiet hours.
fn is_quiet(
    zone: &str,
    rules: &[QuietHours],
    agreed: &[AgreedHours],
    channel: Channel,
    at: DateTime<Utc>,
) -> bool {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let time = at.with_timezone(&zone).time();
    let is_agreed = agreed.iter().any(|hours| is_within(time, hours.from, hours.until));
    rules.iter().any(|hours| {
        hours.channels.contains(&channel)
            && is_within(time, hours.from, hours.until)
            && !(hours.unless_agreed && is_agreed)
    })
}

proptest! {
    #![proptest_config(cases(3000))]

    // chrono-tz knows the rules as of March 2025, and of earlier decades less.
    #[test]
    fn nothing_leaves_in_quiet_hours_in_any_zone(
        zone in select(&TZ_VARIANTS[..]),
        second in 725_846_400_i64..1_767_225_600,
        quiet in vec(quiet(), 1..3),
        agreed in vec((time(), 1_i64..600), 0..2),
        channel in channel(),
    ) {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        let agreed: Vec<AgreedHours> = agreed
            .into_iter()
            .map(|(from, minutes)| AgreedHours {
                from,
                until: from.overflowing_add_signed(TimeDelta::minutes(minutes)).0,
            })
            .collect();
        let preferences = PreferencesChanged { agreed_hours: Some(agreed.clone()), ..Default::default() };
        let mut profile = person();
        let long_ago = DateTime::from_timestamp(0, 0).unwrap();
        hear(&mut profile, 0, long_ago, &ContactNews::Fact(ContactFact::Preferences(preferences)));
        let rules = ContactRules { quiet_hours: quiet.clone(), ..ContactRules::default() };
        let gate_request = wish(0, 0, zone.name(), vec![channel]);
        match gate(&profile, &gate_request, &rules, now) {
            GateDecision::Send { .. } => prop_assert!(!is_quiet(zone.name(), &quiet, &agreed, channel, now)),
            GateDecision::Defer { until, reason: GateReason::QuietHours { .. } } => {
                prop_assert!(is_quiet(zone.name(), &quiet, &agreed, channel, now));
                prop_assert!(until > now);
                prop_assert!(until <= now + TimeDelta::hours(26 + 24), "{} is far from {}", until, now);
                prop_assert!(!is_quiet(zone.name(), &quiet, &agreed, channel, until), "{}", until);
                let at_last = gate(&profile, &gate_request, &rules, until);
                prop_assert_eq!(at_last, GateDecision::Send { channel });
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

/// A request before the gate of a customer who has been heard.
#[derive(Debug)]
struct AtTheGate {
    begin: DateTime<Utc>,
    heard: Vec<(i64, ContactNews)>,
    profile: ContactProfile,
    rules: ContactRules,
    request: GateRequest,
    now: DateTime<Utc>,
}

fn at_the_gate() -> impl Strategy<Value = AtTheGate> {
    let request = (select(&ZONES[..]), channels(), kind());
    (begin(), vec((minute(), heard()), 0..14), rules(), request, minute()).prop_map(
        |(begin, heard, rules, (zone, channels, kind), minute)| AtTheGate {
            profile: known(begin, &heard),
            request: GateRequest { kind, ..wish(0, 0, zone, channels) },
            now: begin + TimeDelta::minutes(minute),
            begin,
            heard,
            rules,
        },
    )
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn what_waits_waits_for_something_later_and_then_no_more(
        AtTheGate { profile, rules, request, now, .. } in at_the_gate(),
    ) {
        if let GateDecision::Defer { until, .. } = gate(&profile, &request, &rules, now) {
            prop_assert!(until > now);
            let then = gate(&profile, &request, &rules, until);
            prop_assert!(!matches!(then, GateDecision::Defer { .. }), "{:?}", then);
        }
    }

    #[test]
    fn a_channel_that_was_opted_out_of_or_is_gone_is_never_used(
        AtTheGate { begin, heard, profile, rules, request, now } in at_the_gate(),
    ) {
        let decision = gate(&profile, &request, &rules, now);
        if let GateDecision::Send { channel } = decision {
            // The last consent for the channel, by instant and then by event id.
            let mut said: Vec<(Stamp, bool)> = Vec::new();
            let mut point: Option<(Stamp, bool)> = None;
            for (number, (minute, one)) in heard.iter().enumerate() {
                let at = begin + TimeDelta::minutes(*minute);
                let by = Stamp::of_core(at, format!("E-{number}").parse().unwrap());
                match one {
                    ContactNews::Fact(ContactFact::Consent(change)) if change.channel.is_none_or(|one| one == channel) => {
                        said.push((by, change.consent == Consent::Given));
                    }
                    ContactNews::Receipt(on, message, ReceiptOutcome::Complained | ReceiptOutcome::OptedOut) if *on == channel => {
                        let event_id = format!("call-{message}").parse().unwrap();
                        said.push((Stamp::of_core(at, event_id), false));
                    }
                    ContactNews::Point(on, is_there) if *on == channel && point.as_ref().is_none_or(|(last, _)| *last < by) => {
                        point = Some((by, *is_there));
                    }
                    _ => {}
                }
            }
            let last = said.into_iter().max_by(|one, other| one.0.cmp(&other.0));
            prop_assert!(last.is_none_or(|(_, given)| given));
            prop_assert!(point.is_none_or(|(_, is_there)| is_there));
            prop_assert!(request.channels.contains(&channel));
        }
    }

    /// Requests at any instants, in any order: exactly the contacts that leave are counted.
    #[test]
    fn caps_are_never_exceeded_whatever_the_order_of_requests(
        begin in begin(),
        groups in vec((0_i64..12 * 24 * 60, vec((0_usize..3, channels()), 1..4)), 1..30),
        caps in vec(cap(), 1..4),
        quiet_hours in vec(quiet(), 0..2),
        zone in select(&ZONES[..]),
    ) {
        let rules = ContactRules { caps, quiet_hours, ..ContactRules::default() };
        let mut profile = person();
        let mut number = 0;
        for (minute, group) in &groups {
            let now = begin + TimeDelta::minutes(*minute);
            let gate_requests: Vec<(GateRequest, &ContactRules)> = group
                .iter()
                .map(|(account, channels)| {
                    number += 1;
                    (wish(number, *account, zone, channels.clone()), &rules)
                })
                .collect();
            let leaving = consolidate(&profile, &gate_requests, now);
            let spoken_for: usize = leaving.messages.iter().map(|(_, places)| places.len()).sum();
            let sent = leaving.decisions.iter().filter(|one| matches!(one, GateDecision::Send { .. })).count();
            prop_assert_eq!(spoken_for, sent);
            for (message, places) in leaving.messages {
                for place in places {
                    prop_assert_eq!(&leaving.decisions[place], &GateDecision::Send { channel: message.channel });
                    prop_assert!(message.accounts.contains(&gate_requests[place].0.account_id));
                }
                profile.keep(message);
            }
        }
        let zone = zone.parse().unwrap();
        for cap in &rules.caps {
            for account in ["A-0", "A-1", "A-2"] {
                let days: Vec<NaiveDate> = profile
                    .attempts()
                    .iter()
                    .filter(|one| cap.channels.contains(&one.channel))
                    .filter(|one| {
                        cap.per != Per::Account || one.accounts.iter().any(|id| id.as_str() == account)
                    })
                    .map(|one| business_date(zone, one.at))
                    .collect();
                for first in &days {
                    let last = *first + TimeDelta::days(i64::from(cap.days) - 1);
                    let within = days.iter().filter(|day| (*first..=last).contains(*day)).count();
                    prop_assert!(within <= cap.at_most as usize, "{} in {:?} from {}", within, cap, first);
                }
            }
        }
    }

    #[test]
    fn facts_that_come_twice_or_in_another_order_give_the_same_profile(
        begin in begin(),
        heard in vec((0_i64..600, heard(), any::<bool>()), 0..24),
        shuffle in vec(any::<u32>(), 48),
    ) {
        let mut order: Vec<usize> = (0..heard.len()).collect();
        let again = (0..heard.len()).filter(|place| heard[*place].2);
        order.extend(again);
        let mut keyed: Vec<(u32, usize)> = shuffle.into_iter().zip(order).collect();
        keyed.sort_unstable();
        let (mut one, mut other) = (person(), person());
        // A receipt comes after its message: the messages exist from the beginning.
        for profile in [&mut one, &mut other] {
            for message in 0..4 {
                let id = format!("call-{message}").parse().unwrap();
                let attempt = ContactAttempt::reserved(
                    id, Channel::Phone, vec!["A-0".parse().unwrap()], None, begin,
                );
                profile.keep(attempt);
            }
        }
        for (number, (minute, fact, _)) in heard.iter().enumerate() {
            hear(&mut one, number, begin + TimeDelta::minutes(*minute), fact);
        }
        for (_, number) in keyed {
            let (minute, fact, _) = &heard[number];
            hear(&mut other, number, begin + TimeDelta::minutes(*minute), fact);
        }
        prop_assert_eq!(&one, &other);
        let written = serde_json::to_string(&one).unwrap();
        prop_assert_eq!(serde_json::from_str::<ContactProfile>(&written).unwrap(), one);
    }
}

#[test]
fn what_a_profile_keeps_is_bounded_and_what_is_forgotten_counts() {
    let begin: DateTime<Utc> = "2024-06-01T00:00:00Z".parse().unwrap();
    let mut profile = person();
    let attempted = |id: usize, channel| {
        ContactNews::Fact(ContactFact::Attempted(ContactAttempted {
            contact_id: format!("call-{id}").parse().unwrap(),
            channel,
            by: "agency".to_owned(),
            answered: false,
            attempted_at: None,
            number: None,
        }))
    };
    hear(&mut profile, 0, begin, &attempted(0, Channel::Phone));
    for number in 1..=MAX_RECENT_CONTACTS {
        let at = begin + TimeDelta::minutes(i64::try_from(number).unwrap());
        hear(&mut profile, number, at, &attempted(number, Channel::Email));
        let started = BreathingSpaceStarted { kind: BreathingSpaceKind::Standard, until: None };
        hear(&mut profile, number, at, &ContactNews::Fact(ContactFact::BreathingSpaceStarted(started)));
        hear(
            &mut profile,
            number,
            at,
            &ContactNews::Fact(ContactFact::BreathingSpaceEnded(BreathingSpaceEnded {})),
        );
    }
    assert_eq!(profile.attempts().len(), MAX_RECENT_CONTACTS);
    assert_eq!(profile.forgotten_through(), Some(begin));
    let spaces = profile.breathing_spaces(None, "Asia/Shanghai".parse().unwrap());
    assert_eq!(spaces.len(), MAX_BREATHING_SPACES);

    // The call is pruned; its possible existence is remembered.
    let cap = Cap {
        channels: vec![Channel::Phone],
        at_most: 1,
        days: 1,
        per: Per::Person,
        counts: CapCounts::Contacts,
    };
    let rules = ContactRules { caps: vec![cap], ..ContactRules::default() };
    let gate_request = wish(0, 0, "Asia/Shanghai", vec![Channel::Phone]);
    let ended = begin + TimeDelta::days(2);
    assert_eq!(gate(&profile, &gate_request, &rules, ended), GateDecision::Send { channel: Channel::Phone });
    let early = ContactRules { caps: vec![Cap { days: 7, ..rules.caps[0].clone() }], ..rules };
    assert!(matches!(
        gate(&profile, &gate_request, &early, ended),
        GateDecision::Defer { reason: GateReason::Cap { .. }, .. }
    ));

    // A month at the least, whatever the windows.
    profile.prune(7, begin + TimeDelta::days(30));
    assert_eq!(profile.attempts().len(), MAX_RECENT_CONTACTS);
    profile.prune(7, begin + TimeDelta::days(35));
    assert!(profile.attempts().is_empty() && profile.forgotten_through().is_none());
}

#[test]
fn third_parties_are_bounded() {
    let mut profile = person();
    let at: DateTime<Utc> = "2024-06-01T00:00:00Z".parse().unwrap();
    let mut add = |number: usize| {
        let third_party_id = format!("CP-{number}").parse().unwrap();
        let fact =
            ContactFact::ThirdPartyAdded(ThirdPartyAdded { third_party_id, relation: "kin".to_owned() });
        let by = Stamp::of_core(at, format!("E-{number}").parse().unwrap());
        profile.apply(&"A-1".parse().unwrap(), &fact, &by)
    };
    assert!((0..MAX_THIRD_PARTIES).all(|number| add(number).is_ok()));
    assert!(add(MAX_THIRD_PARTIES).is_err());
    assert!(add(0).is_ok(), "who is known is known");
}
