//! The record: what was decided, and which messages were sent.

use duewatch_domain::describe;
use duewatch_domain::formats::DecisionLine;
use duewatch_text::Value;
use duewatch_views::MessageView;
use maud::{Markup, html};

use super::{AccountSections, reasons};

/// The most decisions; the rest is in the data.
const MAX_DECISIONS: usize = 8;
/// The most messages; the rest is in the data.
const MAX_LISTED: usize = 15;

pub(super) fn decisions(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    html! {
        h2 { (say.t("decisions")) }
        @if view.decisions.is_empty() { p { (say.t("decisions-none")) } }
        @for one in view.decisions.iter().rev().take(MAX_DECISIONS) { (decision(shown, one)) }
        p { (say.t("decisions-wrong")) " " a href="#dispute" { (say.t("act-dispute")) } }
    }
}

fn decision(shown: &AccountSections<'_>, one: &DecisionLine<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let effect = match (one.applied.is_empty(), one.lifted.is_empty()) {
        (true, true) => say.t("decision-same"),
        (false, _) => say.t("decision-applied"),
        (true, false) => say.t("decision-lifted"),
    };
    let version = one.policy.version.to_string();
    let rules = [("policy", Value::Text(one.policy.id.as_str())), ("version", Value::Text(&version))];
    html! {
        details {
            summary { (say.instant(one.at, shown.zone)) ": " (effect) }
            @if !one.applied.is_empty() {
                ul { @for restriction in one.applied { li { (describe::restriction(restriction, say.language)) } } }
            }
            @if !one.lifted.is_empty() {
                p { (say.t("decision-lifted-list")) }
                ul { @for restriction in one.lifted { li { (describe::restriction(restriction, say.language)) } } }
            }
            ul { @for reason in &one.reasons { li { (reasons::sentence(say, view.currency, reason)) } } }
            p.soft { (say.with("decision-rules", &rules)) " " code { (one.event_id) } }
        }
    }
}

pub(super) fn messages(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let messages = view.messages.as_deref().unwrap_or_default();
    html! {
        h2 { (say.t("messages")) }
        @if messages.is_empty() { p { (say.t("messages-none")) } }
        ul { @for one in messages.iter().rev().take(MAX_LISTED) { li { (message(shown, one)) } } }
        @if shown.records.has_more { p.soft { (say.t("messages-more")) } }
    }
}

fn message(shown: &AccountSections<'_>, one: &MessageView) -> Markup {
    let say = shown.say;
    let state = say.with("message-state", &[("state", Value::Text(one.state))]);
    html! {
        (say.instant(one.at, shown.zone)) ": "
        (say.with("message-kind", &[("template", Value::Text(&one.template))])) ", " (state)
        @if let Some(channel) = one.channel { " (" (say.channel(channel)) ")" }
    }
}
