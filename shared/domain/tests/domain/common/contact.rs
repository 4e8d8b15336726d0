//! A contact profile, its events, and the gate's decisions, in short.

use duewatch_domain::contact::{ContactProfile, GateDecision, GateRequest, GateRequestKind, gate};
use duewatch_domain::formats::parse_message;
use duewatch_domain::policy::presets::PRESETS;
use duewatch_domain::policy::{self, Channel, ContactRules};
use duewatch_domain::{Applied, Refusal, Zone};

use super::instant;

/// The contact rules of a preset.
pub(crate) fn preset(name: &str) -> ContactRules {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    policy::parse(preset.text).unwrap().contact.unwrap()
}

/// Parses a policy's `[contact]` table.
pub(crate) fn rules(table: &str) -> ContactRules {
    super::policy("", &format!("[contact]\n{table}\n")).contact.unwrap()
}

/// A contact profile, with the number of its events.
#[derive(Clone, Debug)]
pub(crate) struct TestProfile {
    pub(crate) profile: ContactProfile,
    events: usize,
}

pub(crate) fn somebody() -> TestProfile {
    TestProfile { profile: ContactProfile::new("C-1".parse().unwrap()), events: 0 }
}

impl TestProfile {
    pub(crate) fn try_learn(&mut self, at: &str, kind: &str, fields: &str) -> Result<Applied, Refusal> {
        self.events += 1;
        let comma = if fields.is_empty() { "" } else { "," };
        let number = self.events;
        let body = format!(
            r#"{{"event_id":"E-{number}","at":"{at}","type":"{kind}","account_id":"A-1"{comma}{fields}}}"#
        );
        self.profile.take(&parse_message(&body).unwrap_or_else(|error| panic!("{error}\n{body}")))
    }

    pub(crate) fn learns(&mut self, at: &str, kind: &str, fields: &str) -> &mut Self {
        let taken = self.try_learn(at, kind, fields);
        assert_eq!(taken, Ok(Applied::Changed), "{kind} {fields}");
        self
    }

    /// A call about A-1 that `by` reports.
    pub(crate) fn called(&mut self, at: &str, by: &str, answered: bool) -> &mut Self {
        let id = self.events;
        let fields =
            format!(r#""contact_id":"call-{id}","channel":"phone","by":"{by}","answered":{answered}"#);
        self.learns(at, "contact_attempted", &fields)
    }

    /// The gate's decision on a contact request, in short.
    pub(crate) fn gate(&self, gate_request: &GateRequest, rules: &ContactRules, at: &str) -> String {
        match gate(&self.profile, gate_request, rules, instant(at)) {
            GateDecision::Send { channel } => format!("send {channel}"),
            GateDecision::Defer { until, reason } => {
                format!("{} until {}", reason.rule(), until.format("%Y-%m-%dT%H:%M:%SZ"))
            }
            GateDecision::Suppress { reason } => format!("never: {}", reason.rule()),
        }
    }
}

/// A reminder of A-1 by these channels, such as `sms email`.
pub(crate) fn wish(zone: &str, channels: &str) -> GateRequest {
    GateRequest {
        contact_id: "W-1".parse().unwrap(),
        account_id: "A-1".parse().unwrap(),
        time_zone: zone.parse::<Zone>().unwrap(),
        kind: GateRequestKind::Reminder,
        channels: channels.split(' ').map(channel).collect(),
        number: None,
        reminder_hold: None,
        reserved_as: None,
    }
}

pub(crate) fn channel(name: &str) -> Channel {
    serde_json::from_value(name.into()).unwrap()
}
