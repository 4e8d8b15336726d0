//! What a borrower can do: one form each, with faults beside the fields and what was typed before.

use duewatch_domain::account::{DisputeOutcome, PromiseOutcome};
use duewatch_domain::commands::Consent;
use duewatch_domain::policy::{Channel, Language};
use duewatch_text::Value;
use maud::{Markup, html};

use super::{AccountSections, href};

/// The most promises, and the most objections; the rest is in the data.
const MAX_LISTED: usize = 3;
/// The most characters of the borrower's words that the page repeats; all of them are in the data.
const MAX_WORDS: usize = 280;

/// The beginning of a text.
fn beginning(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_WORDS).collect();
    if shown.len() < text.len() {
        shown.push('\u{2026}');
    }
    shown
}

/// The form that was taken just before.
pub(super) fn done(shown: &AccountSections<'_>) -> Markup {
    let say = shown.say;
    let text = match shown.typed.done.as_deref() {
        Some("promise") => say.t("done-promise"),
        Some("dispute") => say.t("done-dispute"),
        Some("reason") => say.t("done-reason"),
        Some("reason-stands") => say.t("done-reason-stands"),
        Some("preferences") => say.t("done-preferences"),
        Some("consent") => say.t("done-consent"),
        Some("feedback") => say.t("done-feedback"),
        _ if !shown.typed.faults.is_empty() => {
            let form = format!("#{}", shown.typed.action);
            return html! { p.fault role="alert" { a href=(form) { (say.t("form-faults")) } } };
        }
        _ => return html! {},
    };
    html! { p.done role="status" { (text) } }
}

pub(super) fn forms(shown: &AccountSections<'_>) -> Markup {
    let say = shown.say;
    html! {
        h2 id="act" { (say.t("act")) }
        (promise(shown))
        (reason(shown))
        (dispute(shown))
        (preferences(shown))
        (consent(shown))
        (feedback(shown))
    }
}

/// A form behind its summary; open where it has faults.
fn form(shown: &AccountSections<'_>, action: &str, title: &str, button: &str, content: &Markup) -> Markup {
    let target = format!("{}accounts/{}/{action}", shown.root, href(shown.view.account_id.as_str()));
    html! {
        details.act id=(action) open[shown.typed.action == action] {
            summary { (title) }
            form method="post" action=(target) {
                input type="hidden" name="token" value=(shown.token);
                input type="hidden" name="key" value=(shown.key);
                (content)
                button type="submit" { (button) }
            }
        }
    }
}

/// A field with its label, its hint and its fault.
fn field(
    shown: &AccountSections<'_>,
    (action, name): (&str, &str),
    (label, hint): (&str, &str),
    kind: &str,
) -> Markup {
    let id = format!("{action}-{name}");
    let fault_id = format!("{id}-fault");
    let fault = shown.typed.fault(action, name);
    let value = shown.typed.value(action, name);
    html! {
        label for=(id) { (label) span.hint { (hint) } }
        @if let Some(fault) = fault { p.fault id=(fault_id) { (fault) } }
        @if kind == "textarea" {
            textarea id=(id) name=(name) maxlength="1000" required aria-describedby=[fault.map(|_| fault_id.as_str())] { (value) }
        } @else {
            input.short id=(id) name=(name) type=(kind) value=(value) autocomplete="off"
                aria-describedby=[fault.map(|_| fault_id.as_str())] required[kind != "text" || name == "amount"];
        }
    }
}

fn promise(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let outcome = |outcome: Option<PromiseOutcome>| match outcome {
        None => say.t("promise-open"),
        Some(PromiseOutcome::Kept) => say.t("promise-kept"),
        Some(PromiseOutcome::Broken) => say.t("promise-broken"),
    };
    let content = html! {
        p { @if shown.policy.promise.is_some() { (say.t("promise-effect")) } @else { (say.t("promise-no-effect")) } }
        (field(shown, ("promise", "amount"), (&say.t("promise-amount"), &say.t("promise-amount-hint")), "text"))
        (field(shown, ("promise", "by"), (&say.t("promise-by"), &say.t("promise-by-hint")), "date"))
    };
    html! {
        @if !view.promises.is_empty() {
            h3 { (say.t("promises")) }
            ul { @for one in view.promises.iter().rev().take(MAX_LISTED) {
                @let amount = say.amount(view.currency, &one.amount);
                @let by = say.date(one.by);
                li { (say.with("promise-line", &[("amount", Value::Text(&amount)), ("date", Value::Text(&by))])) " " (outcome(one.outcome)) }
            } }
        }
        (form(shown, "promise", &say.t("act-promise"), &say.t("promise-button"), &content))
    }
}

fn reason(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let content = html! {
        p { (say.t("reason-effect")) }
        (field(shown, ("reason", "reason"), (&say.t("reason-label"), &say.t("reason-hint")), "textarea"))
    };
    html! {
        @if let Some(cause) = &view.cause {
            h3 { (say.t("cause")) }
            p { q { (beginning(&cause.reason)) } " " span.soft { (say.instant(cause.at, shown.zone)) } }
        }
        (form(shown, "reason", &say.t("act-reason"), &say.t("reason-button"), &content))
    }
}

fn dispute(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let outcome = |outcome: Option<DisputeOutcome>| match outcome {
        None => say.t("dispute-open"),
        Some(DisputeOutcome::Upheld) => say.t("dispute-upheld"),
        Some(DisputeOutcome::Rejected) => say.t("dispute-rejected"),
        Some(DisputeOutcome::Withdrawn) => say.t("dispute-withdrawn"),
    };
    let content = html! {
        p { @if shown.policy.dispute.is_some() { (say.t("dispute-effect")) } @else { (say.t("dispute-no-effect")) } }
        (field(shown, ("dispute", "what"), (&say.t("dispute-label"), &say.t("dispute-hint")), "textarea"))
    };
    html! {
        @if !view.disputes.is_empty() {
            h3 { (say.t("disputes")) }
            ul { @for one in view.disputes.iter().rev().take(MAX_LISTED) {
                li { (say.instant(one.at, shown.zone)) ": " q { (beginning(&one.reason)) } " " (outcome(one.outcome)) }
            } }
        }
        (form(shown, "dispute", &say.t("act-dispute"), &say.t("dispute-button"), &content))
    }
}

fn preferences(shown: &AccountSections<'_>) -> Markup {
    let (say, records) = (shown.say, shown.records);
    let known = match records.profile.language() {
        Some(Language::Zh) => "zh",
        Some(Language::En) => "en",
        None => "",
    };
    let typed = shown.typed.value("preferences", "language");
    let chosen = if typed.is_empty() { known } else { typed };
    let fault = shown.typed.fault("preferences", "language");
    let content = html! {
        label for="preferences-language" { (say.t("preferences-language")) }
        @if let Some(fault) = fault { p.fault id="preferences-language-fault" { (fault) } }
        select id="preferences-language" name="language" aria-describedby=[fault.map(|_| "preferences-language-fault")] {
            option value="zh" selected[chosen == "zh"] lang="zh-CN" { "\u{4e2d}\u{6587}" }
            option value="en" selected[chosen != "zh"] lang="en" { "English" }
        }
        (field(shown, ("preferences", "days"), (&say.t("preferences-days"), &say.t("preferences-days-hint")), "text"))
    };
    form(shown, "preferences", &say.t("act-preferences"), &say.t("preferences-button"), &content)
}

fn consent(shown: &AccountSections<'_>) -> Markup {
    let (say, profile) = (shown.say, &shown.records.profile);
    let channels = [Channel::Sms, Channel::Email, Channel::Phone, Channel::App, Channel::Letter];
    let withdrawn: Vec<Channel> =
        channels.into_iter().filter(|one| profile.consent(*one) == Some(Consent::Withdrawn)).collect();
    let fault = shown.typed.fault("consent", "channel");
    let content = html! {
        p { (say.t("consent-effect")) }
        label for="consent-channel" { (say.t("consent-label")) }
        @if let Some(fault) = fault { p.fault id="consent-fault" { (fault) } }
        select id="consent-channel" name="channel" aria-describedby=[fault.map(|_| "consent-fault")] {
            @for one in channels { option value=(one.as_str()) { (say.channel(one)) } }
            option value="all" { (say.t("consent-all")) }
        }
    };
    html! {
        @if profile.has_refused() {
            p { (say.t("consent-refused")) }
        } @else if !withdrawn.is_empty() {
            p { (say.t("consent-withdrawn")) " " @for one in &withdrawn { (say.channel(*one)) " " } }
        }
        (form(shown, "consent", &say.t("act-consent"), &say.t("consent-button"), &content))
    }
}

fn feedback(shown: &AccountSections<'_>) -> Markup {
    let say = shown.say;
    let score_fault = shown.typed.fault("feedback", "score");
    let words_fault = shown.typed.fault("feedback", "words");
    let content = html! {
        label for="feedback-score" { (say.t("feedback-score")) }
        @if let Some(fault) = score_fault { p.fault id="feedback-score-fault" { (fault) } }
        select id="feedback-score" name="score" aria-describedby=[score_fault.map(|_| "feedback-score-fault")] {
            @for score in (1..=5).rev() { option value=(score) { (say.with("feedback-of-five", &[("score", Value::Number(score))])) } }
        }
        label for="feedback-words" { (say.t("feedback-words")) }
        @if let Some(fault) = words_fault { p.fault id="feedback-words-fault" { (fault) } }
        textarea id="feedback-words" name="words" maxlength="1000" aria-describedby=[words_fault.map(|_| "feedback-words-fault")] {
            (shown.typed.value("feedback", "words"))
        }
    };
    form(shown, "feedback", &say.t("act-feedback"), &say.t("feedback-button"), &content)
}
