//! Generated contact profiles, contact rules and contact requests, for the laws of the contact gate.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::commands::{
    AgreedHours, BreathingSpaceEnded, BreathingSpaceKind, BreathingSpaceStarted, ComplaintMade, Consent,
    ConsentChanged, ContactAttempted, ContactFact, PreferencesChanged, ThirdPartyAdded, ThirdPartyApproved,
    ThirdPartyRefused, VulnerabilityRecorded,
};
use duewatch_domain::contact::{
    ContactProfile, GateRequest, GateRequestKind, Receipt, ReceiptOutcome, Stamp,
};
use duewatch_domain::policy::{
    AfterConversation, BreathingSpaceRules, Cap, CapCounts, Channel, ComplaintRules, ContactRules, Per,
    QuietHours,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) const CHANNELS: [Channel; 5] =
    [Channel::Sms, Channel::Email, Channel::Phone, Channel::App, Channel::Letter];
pub(crate) const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Australia/Lord_Howe",
];

/// Instants of forty days, whatever the clocks do in them.
pub(crate) fn begin() -> impl Strategy<Value = DateTime<Utc>> {
    let begins =
        ["2024-03-01T00:00:00Z", "2024-10-15T00:00:00Z", "2018-10-20T00:00:00Z", "2011-12-10T00:00:00Z"];
    select(begins.to_vec()).prop_map(|begin| begin.parse().unwrap())
}

pub(crate) fn minute() -> impl Strategy<Value = i64> {
    0_i64..40 * 24 * 60
}

pub(crate) fn channel() -> impl Strategy<Value = Channel> {
    select(&CHANNELS[..])
}

pub(crate) fn channels() -> impl Strategy<Value = Vec<Channel>> {
    subsequence(&CHANNELS[..], 1..=5).prop_shuffle()
}

pub(crate) fn time() -> impl Strategy<Value = NaiveTime> {
    (0_u32..24, select(&[0_u32, 15, 30, 59][..]))
        .prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
}

/// At most eight hours each, so that two of them leave a part of the day.
pub(crate) fn quiet() -> impl Strategy<Value = QuietHours> {
    (time(), 1_i64..8 * 60, channels(), any::<bool>()).prop_map(|(from, minutes, channels, unless_agreed)| {
        let until = from.overflowing_add_signed(TimeDelta::minutes(minutes)).0;
        QuietHours { from, until, channels, unless_agreed }
    })
}

pub(crate) fn cap() -> impl Strategy<Value = Cap> {
    let per = select(&[Per::Person, Per::Account, Per::Number][..]);
    let counts = select(&[CapCounts::Contacts, CapCounts::Unanswered, CapCounts::Answered][..]);
    (channels(), 1_u32..4, select(&[1_u32, 2, 7][..]), per, counts)
        .prop_map(|(channels, at_most, days, per, counts)| Cap { channels, at_most, days, per, counts })
}

pub(crate) fn rules() -> impl Strategy<Value = ContactRules> {
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

/// A fact, made from a sequence number and an instant.
pub(crate) fn fact() -> impl Strategy<Value = ContactFact> {
    let by = || "somebody".to_owned();
    let day = || {
        weighted(0.5, 0_i64..60).prop_map(|days| {
            days.map(|days| "2024-03-01".parse::<NaiveDate>().unwrap() + TimeDelta::days(days))
        })
    };
    let third_party_id = || (0..4).prop_map(|number| format!("CP-{number}").parse().unwrap());
    let consent = (weighted(0.8, channel()), any::<bool>()).prop_map(move |(channel, given)| {
        let consent = if given { Consent::Given } else { Consent::Withdrawn };
        ContactFact::Consent(ConsentChanged { channel, consent, by: by() })
    });
    let hours = vec((time(), 1_i64..600), 0..3).prop_map(|hours| {
        let hours = hours.into_iter().map(|(from, minutes)| {
            let until = from.overflowing_add_signed(TimeDelta::minutes(minutes)).0;
            AgreedHours { from, until }
        });
        hours.collect()
    });
    let preferences = (weighted(0.5, select(&ZONES[..])), weighted(0.7, hours)).prop_map(|(zone, agreed)| {
        ContactFact::Preferences(PreferencesChanged {
            time_zone: zone.map(|zone| zone.parse().unwrap()),
            agreed_hours: agreed,
            ..PreferencesChanged::default()
        })
    });
    let attempted = (0..40, channel(), any::<bool>()).prop_map(move |(id, channel, answered)| {
        ContactFact::Attempted(ContactAttempted {
            contact_id: format!("call-{id}").parse().unwrap(),
            channel,
            by: by(),
            answered,
            attempted_at: None,
            number: None,
        })
    });
    let complaint = weighted(0.5, channel())
        .prop_map(|channel| ContactFact::Complaint(ComplaintMade { channel, reason: String::new() }));
    let started = (any::<bool>(), day()).prop_map(|(standard, until)| {
        let kind = if standard { BreathingSpaceKind::Standard } else { BreathingSpaceKind::MentalHealth };
        ContactFact::BreathingSpaceStarted(BreathingSpaceStarted { kind, until })
    });
    let vulnerable = day()
        .prop_map(|until| ContactFact::Vulnerability(VulnerabilityRecorded { until, reason: String::new() }));
    let added = third_party_id().prop_map(|third_party_id| {
        ContactFact::ThirdPartyAdded(ThirdPartyAdded { third_party_id, relation: "spouse".to_owned() })
    });
    let approved = third_party_id().prop_map(move |third_party_id| {
        ContactFact::ThirdPartyApproved(ThirdPartyApproved {
            third_party_id,
            by: by(),
            reason: String::new(),
        })
    });
    let refused = third_party_id()
        .prop_map(|third_party_id| ContactFact::ThirdPartyRefused(ThirdPartyRefused { third_party_id }));
    prop_oneof![
        3 => consent,
        2 => preferences,
        6 => attempted,
        1 => complaint,
        1 => started,
        1 => Just(ContactFact::BreathingSpaceEnded(BreathingSpaceEnded {})),
        1 => vulnerable,
        1 => added,
        1 => approved,
        1 => refused,
    ]
}

/// A fact through one of two accounts, a contact point, or a receipt.
#[derive(Clone, Debug)]
pub(crate) enum ContactNews {
    Fact(ContactFact),
    Point(Channel, bool),
    Receipt(Channel, usize, ReceiptOutcome),
}

pub(crate) fn heard() -> impl Strategy<Value = ContactNews> {
    let outcomes = [
        ReceiptOutcome::Delivered,
        ReceiptOutcome::Bounced,
        ReceiptOutcome::Complained,
        ReceiptOutcome::OptedOut,
        ReceiptOutcome::Answered,
        ReceiptOutcome::Unanswered,
    ];
    prop_oneof![
        6 => fact().prop_map(ContactNews::Fact),
        1 => (channel(), any::<bool>()).prop_map(|(channel, there)| ContactNews::Point(channel, there)),
        1 => (channel(), 0_usize..4, select(outcomes.to_vec()))
            .prop_map(|(channel, message, outcome)| ContactNews::Receipt(channel, message, outcome)),
    ]
}

pub(crate) fn person() -> ContactProfile {
    ContactProfile::new("C-1".parse().unwrap())
}

/// Applies the event of that number, which also chooses the account.
pub(crate) fn hear(profile: &mut ContactProfile, number: usize, at: DateTime<Utc>, heard: &ContactNews) {
    let by = Stamp::of_core(at, format!("E-{number}").parse().unwrap());
    match heard {
        ContactNews::Fact(fact) => {
            let account_id = format!("A-{}", number % 2).parse().unwrap();
            profile.apply(&account_id, fact, &by).unwrap();
        }
        ContactNews::Point(channel, is_there) => {
            profile.point_changed(*channel, *is_there, &by).unwrap();
        }
        ContactNews::Receipt(channel, message, outcome) => {
            // Each receipt has its own message: a delivery provider reports one under one id.
            let message_id = format!("call-{message}").parse().unwrap();
            let receipt = Receipt { message_id, at, outcome: *outcome, reason: None };
            profile.apply_receipt(*channel, &receipt);
        }
    }
}

/// A contact profile with its facts up to the last minute.
pub(crate) fn known(begin: DateTime<Utc>, heard: &[(i64, ContactNews)]) -> ContactProfile {
    let mut profile = person();
    for (number, (minute, one)) in heard.iter().enumerate() {
        hear(&mut profile, number, begin + TimeDelta::minutes(*minute), one);
    }
    profile
}

pub(crate) fn wish(number: usize, account: usize, zone: &str, channels: Vec<Channel>) -> GateRequest {
    GateRequest {
        contact_id: format!("W-{number}").parse().unwrap(),
        account_id: format!("A-{account}").parse().unwrap(),
        time_zone: zone.parse().unwrap(),
        kind: GateRequestKind::Reminder,
        channels,
        number: None,
        reminder_hold: None,
        reserved_as: None,
    }
}

pub(crate) fn kind() -> impl Strategy<Value = GateRequestKind> {
    prop_oneof![3 => Just(GateRequestKind::Reminder), 1 => Just(GateRequestKind::Notice), 1 => Just(GateRequestKind::Announcement)]
}
