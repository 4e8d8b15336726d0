//! Laws of the contact gate: for every person, policy, wish, zone and instant.
#![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

mod common;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use duewatch_domain::contact::{
    AgreedHours, BreathingSpaceKind, BreathingSpaceStarted, ComplaintMade, Consent, ConsentChanged,
    ContactAttempted, ContactPersonAdded, ContactPersonApproved, ContactPersonRefused, Kind,
    MAX_BREATHING_SPACES, MAX_CONTACT_PERSONS, MAX_RECENT_CONTACTS, Person, PersonFact, PreferencesChanged,
    Receipt, ReceiptOutcome, Stamp, Verdict, VulnerabilityRecorded, Why, Wish, consolidate, gate,
};
use duewatch_domain::days::business_date;
use duewatch_domain::policy::{
    AfterConversation, BreathingSpaceRules, Cap, Channel, ComplaintRules, ContactRules, Counts, Per,
    QuietHours,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const CHANNELS: [Channel; 5] = [Channel::Sms, Channel::Email, Channel::Phone, Channel::App, Channel::Letter];
const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Australia/Lord_Howe",
];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Instants of forty days, whatever the clocks do in them.
fn begin() -> impl Strategy<Value = DateTime<Utc>> {
    let begins =
        ["2024-03-01T00:00:00Z", "2024-10-15T00:00:00Z", "2018-10-20T00:00:00Z", "2011-12-10T00:00:00Z"];
    select(begins.to_vec()).prop_map(|begin| begin.parse().unwrap())
}

fn minute() -> impl Strategy<Value = i64> {
    0_i64..40 * 24 * 60
}

fn channel() -> impl Strategy<Value = Channel> {
    select(&CHANNELS[..])
}

fn channels() -> impl Strategy<Value = Vec<Channel>> {
    subsequence(&CHANNELS[..], 1..=5).prop_shuffle()
}

fn time() -> impl Strategy<Value = NaiveTime> {
    (0_u32..24, select(&[0_u32, 15, 30, 59][..]))
        .prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
}

/// At most eight hours each, so that two of them leave some of the day.
fn quiet() -> impl Strategy<Value = QuietHours> {
    (time(), 1_i64..8 * 60, channels(), any::<bool>()).prop_map(|(from, minutes, channels, unless_agreed)| {
        let until = from.overflowing_add_signed(TimeDelta::minutes(minutes)).0;
        QuietHours { from, until, channels, unless_agreed }
    })
}

fn cap() -> impl Strategy<Value = Cap> {
    let per = select(&[Per::Person, Per::Account, Per::Number][..]);
    let counts = select(&[Counts::Contacts, Counts::Unanswered, Counts::Answered][..]);
    (channels(), 1_u32..4, select(&[1_u32, 2, 7][..]), per, counts)
        .prop_map(|(channels, at_most, days, per, counts)| Cap { channels, at_most, days, per, counts })
}

fn rules() -> impl Strategy<Value = ContactRules> {
    let after = (channels(), 1_u32..9, select(&[Per::Person, Per::Account][..]))
        .prop_map(|(channels, days, per)| AfterConversation { channels, days, per });
    let complaint = (0_u32..12, 0_u32..9, 0_u32..20).prop_map(|(quiet_days, min_gap_days, lasts)| {
        ComplaintRules { quiet_days, min_gap_days, min_gap_for_days: lasts }
    });
    let breathing = (1_u32..20, 0_u32..3, 0_u32..9).prop_map(|(days, once_in_months, extra)| {
        BreathingSpaceRules { days, once_in_months, mental_health_extra_days: extra }
    });
    (
        vec(quiet(), 0..3),
        vec(cap(), 0..4),
        weighted(0.3, after),
        subsequence(&CHANNELS[..], 0..2),
        weighted(0.4, complaint),
        weighted(0.4, breathing),
    )
        .prop_map(|(quiet_hours, caps, after, consent_required, complaint, breathing_space)| {
            ContactRules {
                quiet_hours,
                caps,
                after_conversation_days: after,
                consent_required,
                complaint,
                breathing_space,
                ..ContactRules::default()
            }
        })
}

/// A fact, as a sequence number and an instant make it.
fn fact() -> impl Strategy<Value = PersonFact> {
    let by = || "somebody".to_owned();
    let day = || {
        weighted(0.5, 0_i64..60).prop_map(|days| {
            days.map(|days| "2024-03-01".parse::<NaiveDate>().unwrap() + TimeDelta::days(days))
        })
    };
    let person_id = || (0..4).prop_map(|number| format!("CP-{number}").parse().unwrap());
    let consent = (weighted(0.8, channel()), any::<bool>()).prop_map(move |(channel, given)| {
        let consent = if given { Consent::Given } else { Consent::Withdrawn };
        PersonFact::Consent(ConsentChanged { channel, consent, by: by() })
    });
    let hours = vec((time(), 1_i64..600), 0..3).prop_map(|hours| {
        let hours = hours.into_iter().map(|(from, minutes)| {
            let until = from.overflowing_add_signed(TimeDelta::minutes(minutes)).0;
            AgreedHours { from, until }
        });
        hours.collect()
    });
    let preferences = (weighted(0.5, select(&ZONES[..])), weighted(0.7, hours)).prop_map(|(zone, agreed)| {
        PersonFact::Preferences(PreferencesChanged {
            time_zone: zone.map(|zone| zone.parse().unwrap()),
            agreed_hours: agreed,
            ..PreferencesChanged::default()
        })
    });
    let attempted = (0..40, channel(), any::<bool>()).prop_map(move |(id, channel, answered)| {
        PersonFact::Attempted(ContactAttempted {
            contact_id: format!("call-{id}").parse().unwrap(),
            channel,
            by: by(),
            answered,
            attempted_at: None,
            number: None,
        })
    });
    let complaint = weighted(0.5, channel())
        .prop_map(|channel| PersonFact::Complaint(ComplaintMade { channel, reason: String::new() }));
    let started = (any::<bool>(), day()).prop_map(|(standard, until)| {
        let kind = if standard { BreathingSpaceKind::Standard } else { BreathingSpaceKind::MentalHealth };
        PersonFact::BreathingSpaceStarted(BreathingSpaceStarted { kind, until })
    });
    let vulnerable = day()
        .prop_map(|until| PersonFact::Vulnerability(VulnerabilityRecorded { until, reason: String::new() }));
    let added = person_id().prop_map(|person_id| {
        PersonFact::ContactPersonAdded(ContactPersonAdded { person_id, relation: "spouse".to_owned() })
    });
    let approved = person_id().prop_map(move |person_id| {
        PersonFact::ContactPersonApproved(ContactPersonApproved {
            person_id,
            by: by(),
            reason: String::new(),
        })
    });
    let refused = person_id()
        .prop_map(|person_id| PersonFact::ContactPersonRefused(ContactPersonRefused { person_id }));
    prop_oneof![
        3 => consent,
        2 => preferences,
        6 => attempted,
        1 => complaint,
        1 => started,
        1 => Just(PersonFact::BreathingSpaceEnded),
        1 => vulnerable,
        1 => added,
        1 => approved,
        1 => refused,
    ]
}

/// Something that becomes known: a fact through one of two accounts, a contact point, a receipt.
#[derive(Clone, Debug)]
enum Heard {
    Fact(PersonFact),
    Point(Channel, bool),
    Receipt(Channel, usize, ReceiptOutcome),
}

fn heard() -> impl Strategy<Value = Heard> {
    let outcomes = [
        ReceiptOutcome::Delivered,
        ReceiptOutcome::Bounced,
        ReceiptOutcome::Complained,
        ReceiptOutcome::OptedOut,
        ReceiptOutcome::Answered,
        ReceiptOutcome::Unanswered,
    ];
    prop_oneof![
        6 => fact().prop_map(Heard::Fact),
        1 => (channel(), any::<bool>()).prop_map(|(channel, there)| Heard::Point(channel, there)),
        1 => (channel(), 0_usize..4, select(outcomes.to_vec()))
            .prop_map(|(channel, message, outcome)| Heard::Receipt(channel, message, outcome)),
    ]
}

fn person() -> Person {
    Person::new("C-1".parse().unwrap())
}

/// The event of that number; the account goes with the number.
fn hear(person: &mut Person, number: usize, at: DateTime<Utc>, heard: &Heard) {
    let by = Stamp { at, event_id: format!("E-{number}").parse().unwrap() };
    match heard {
        Heard::Fact(fact) => {
            let account_id = format!("A-{}", number % 2).parse().unwrap();
            person.apply(&account_id, fact, &by).unwrap();
        }
        Heard::Point(channel, is_there) => {
            person.point_changed(*channel, *is_there, &by);
        }
        Heard::Receipt(channel, message, outcome) => {
            // Each message of its own: a sender reports one under one id.
            let message_id = format!("call-{message}").parse().unwrap();
            let receipt = Receipt { message_id, at, outcome: *outcome, reason: None };
            person.receive(*channel, &receipt);
        }
    }
}

/// Somebody of whom things have become known up to the last minute.
fn known(begin: DateTime<Utc>, heard: &[(i64, Heard)]) -> Person {
    let mut person = person();
    for (number, (minute, one)) in heard.iter().enumerate() {
        hear(&mut person, number, begin + TimeDelta::minutes(*minute), one);
    }
    person
}

fn wish(number: usize, account: usize, zone: &str, channels: Vec<Channel>) -> Wish {
    Wish {
        contact_id: format!("W-{number}").parse().unwrap(),
        account_id: format!("A-{account}").parse().unwrap(),
        time_zone: zone.parse().unwrap(),
        kind: Kind::Reminder,
        channels,
        number: None,
        held: None,
        reserved_as: None,
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => Just(Kind::Reminder), 1 => Just(Kind::Notice), 1 => Just(Kind::Announcement)]
}

fn is_within(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    // By counting minutes from the beginning: another way than the gate's.
    let minutes = |to: NaiveTime| (to - from).num_seconds().rem_euclid(24 * 3600);
    minutes(time) < minutes(until)
}

/// Whether the clock that chrono-tz shows lies in quiet hours.
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
        let mut person = person();
        let long_ago = DateTime::from_timestamp(0, 0).unwrap();
        hear(&mut person, 0, long_ago, &Heard::Fact(PersonFact::Preferences(preferences)));
        let rules = ContactRules { quiet_hours: quiet.clone(), ..ContactRules::default() };
        let wish = wish(0, 0, zone.name(), vec![channel]);
        match gate(&person, &wish, &rules, now) {
            Verdict::Send { .. } => prop_assert!(!is_quiet(zone.name(), &quiet, &agreed, channel, now)),
            Verdict::Defer { until, why: Why::QuietHours { .. } } => {
                prop_assert!(is_quiet(zone.name(), &quiet, &agreed, channel, now));
                prop_assert!(until > now);
                prop_assert!(until <= now + TimeDelta::hours(26 + 24), "{} is far from {}", until, now);
                prop_assert!(!is_quiet(zone.name(), &quiet, &agreed, channel, until), "{}", until);
                let at_last = gate(&person, &wish, &rules, until);
                prop_assert_eq!(at_last, Verdict::Send { channel });
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn what_waits_waits_for_something_later_and_then_no_more(
        begin in begin(),
        heard in vec((minute(), heard()), 0..14),
        rules in rules(),
        zone in select(&ZONES[..]),
        channels in channels(),
        kind in kind(),
        minute in minute(),
    ) {
        let person = known(begin, &heard);
        let wish = Wish { kind, ..wish(0, 0, zone, channels) };
        let now = begin + TimeDelta::minutes(minute);
        if let Verdict::Defer { until, .. } = gate(&person, &wish, &rules, now) {
            prop_assert!(until > now);
            let then = gate(&person, &wish, &rules, until);
            prop_assert!(!matches!(then, Verdict::Defer { .. }), "{:?}", then);
        }
    }

    #[test]
    fn a_channel_that_was_opted_out_of_or_is_gone_is_never_used(
        begin in begin(),
        heard in vec((minute(), heard()), 0..14),
        rules in rules(),
        zone in select(&ZONES[..]),
        channels in channels(),
        kind in kind(),
        minute in minute(),
    ) {
        let person = known(begin, &heard);
        let wish = Wish { kind, ..wish(0, 0, zone, channels) };
        let verdict = gate(&person, &wish, &rules, begin + TimeDelta::minutes(minute));
        if let Verdict::Send { channel } = verdict {
            // The last word on the channel, by instant and then by event id.
            let mut said: Vec<(Stamp, bool)> = Vec::new();
            let mut point: Option<(Stamp, bool)> = None;
            for (number, (minute, one)) in heard.iter().enumerate() {
                let at = begin + TimeDelta::minutes(*minute);
                let by = Stamp { at, event_id: format!("E-{number}").parse().unwrap() };
                match one {
                    Heard::Fact(PersonFact::Consent(change)) if change.channel.is_none_or(|one| one == channel) => {
                        said.push((by, change.consent == Consent::Given));
                    }
                    Heard::Receipt(on, message, ReceiptOutcome::Complained | ReceiptOutcome::OptedOut) if *on == channel => {
                        let event_id = format!("call-{message}").parse().unwrap();
                        said.push((Stamp { at, event_id }, false));
                    }
                    Heard::Point(on, is_there) if *on == channel && point.as_ref().is_none_or(|(last, _)| *last < by) => {
                        point = Some((by, *is_there));
                    }
                    _ => {}
                }
            }
            let last = said.into_iter().max_by(|one, other| one.0.cmp(&other.0));
            prop_assert!(last.is_none_or(|(_, given)| given));
            prop_assert!(point.is_none_or(|(_, is_there)| is_there));
            prop_assert!(wish.channels.contains(&channel));
        }
    }

    /// Wishes at any instants, in any order: what leaves is counted, and nothing else is.
    #[test]
    fn caps_are_never_exceeded_whatever_the_order_of_wishes(
        begin in begin(),
        groups in vec((0_i64..12 * 24 * 60, vec((0_usize..3, channels()), 1..4)), 1..30),
        caps in vec(cap(), 1..4),
        quiet_hours in vec(quiet(), 0..2),
        zone in select(&ZONES[..]),
    ) {
        let rules = ContactRules { caps, quiet_hours, ..ContactRules::default() };
        let mut person = person();
        let mut number = 0;
        for (minute, group) in &groups {
            let now = begin + TimeDelta::minutes(*minute);
            let wishes: Vec<(Wish, &ContactRules)> = group
                .iter()
                .map(|(account, channels)| {
                    number += 1;
                    (wish(number, *account, zone, channels.clone()), &rules)
                })
                .collect();
            let leaving = consolidate(&person, &wishes, now);
            let spoken_for: usize = leaving.messages.iter().map(|(_, places)| places.len()).sum();
            let sent = leaving.verdicts.iter().filter(|one| matches!(one, Verdict::Send { .. })).count();
            prop_assert_eq!(spoken_for, sent);
            for (message, places) in leaving.messages {
                for place in places {
                    prop_assert_eq!(&leaving.verdicts[place], &Verdict::Send { channel: message.channel });
                    prop_assert!(message.accounts.contains(&wishes[place].0.account_id));
                }
                person.keep(message);
            }
        }
        let zone = zone.parse().unwrap();
        for cap in &rules.caps {
            for account in ["A-0", "A-1", "A-2"] {
                let days: Vec<NaiveDate> = person
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
    fn facts_that_come_twice_or_in_another_order_give_the_same_person(
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
        // A receipt comes after its message: those are there from the beginning.
        for person in [&mut one, &mut other] {
            for message in 0..4 {
                let id = format!("call-{message}").parse().unwrap();
                let attempt = duewatch_domain::contact::Attempt::reserved(
                    id, Channel::Phone, vec!["A-0".parse().unwrap()], None, begin,
                );
                person.keep(attempt);
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
        prop_assert_eq!(serde_json::from_str::<Person>(&written).unwrap(), one);
    }
}

#[test]
fn what_a_person_keeps_is_bounded_and_what_is_forgotten_counts() {
    let begin: DateTime<Utc> = "2024-06-01T00:00:00Z".parse().unwrap();
    let mut person = person();
    let attempted = |id: usize, channel| {
        Heard::Fact(PersonFact::Attempted(ContactAttempted {
            contact_id: format!("call-{id}").parse().unwrap(),
            channel,
            by: "agency".to_owned(),
            answered: false,
            attempted_at: None,
            number: None,
        }))
    };
    hear(&mut person, 0, begin, &attempted(0, Channel::Phone));
    for number in 1..=MAX_RECENT_CONTACTS {
        let at = begin + TimeDelta::minutes(i64::try_from(number).unwrap());
        hear(&mut person, number, at, &attempted(number, Channel::Email));
        let started = BreathingSpaceStarted { kind: BreathingSpaceKind::Standard, until: None };
        hear(&mut person, number, at, &Heard::Fact(PersonFact::BreathingSpaceStarted(started)));
        hear(&mut person, number, at, &Heard::Fact(PersonFact::BreathingSpaceEnded));
    }
    assert_eq!(person.attempts().len(), MAX_RECENT_CONTACTS);
    assert_eq!(person.forgotten_through(), Some(begin));
    let spaces = person.breathing_spaces(None, "Asia/Shanghai".parse().unwrap());
    assert_eq!(spaces.len(), MAX_BREATHING_SPACES);

    // The call is forgotten; that there may have been one is not.
    let cap = Cap {
        channels: vec![Channel::Phone],
        at_most: 1,
        days: 1,
        per: Per::Person,
        counts: Counts::Contacts,
    };
    let rules = ContactRules { caps: vec![cap], ..ContactRules::default() };
    let wish = wish(0, 0, "Asia/Shanghai", vec![Channel::Phone]);
    let ended = begin + TimeDelta::days(2);
    assert_eq!(gate(&person, &wish, &rules, ended), Verdict::Send { channel: Channel::Phone });
    let early = ContactRules { caps: vec![Cap { days: 7, ..rules.caps[0].clone() }], ..rules };
    assert!(matches!(gate(&person, &wish, &early, ended), Verdict::Defer { why: Why::Cap { .. }, .. }));

    person.prune(7, begin + TimeDelta::days(30));
    assert!(person.attempts().is_empty() && person.forgotten_through().is_none());
}

#[test]
fn contact_persons_are_bounded() {
    let mut person = person();
    let at: DateTime<Utc> = "2024-06-01T00:00:00Z".parse().unwrap();
    let mut add = |number: usize| {
        let person_id = format!("CP-{number}").parse().unwrap();
        let fact =
            PersonFact::ContactPersonAdded(ContactPersonAdded { person_id, relation: "kin".to_owned() });
        let by = Stamp { at, event_id: format!("E-{number}").parse().unwrap() };
        person.apply(&"A-1".parse().unwrap(), &fact, &by)
    };
    assert!((0..MAX_CONTACT_PERSONS).all(|number| add(number).is_ok()));
    assert!(add(MAX_CONTACT_PERSONS).is_err());
    assert!(add(0).is_ok(), "who is known is known");
}
