//! Why: the rule, its version, and the figures that met it.

use duewatch_domain::formats::ReasonLine;
use duewatch_text::Value;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::{AccountSections, href};
use crate::texts::Say;

pub(super) fn why(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let Some(figures) = &view.figures else { return html! {} };
    let version = view.policy.version.to_string();
    let rules = [("policy", Value::Text(view.policy.id.as_str())), ("version", Value::Text(&version))];
    let days = |count| say.with("days", &[("count", Value::Number(count))]);
    html! {
        h2 { (say.t("why")) }
        ul { @for reason in &view.reasons { li { (sentence(say, view.currency, reason)) } } }
        @if figures.unpaid_installments > 0 {
            dl.facts {
                dt { (say.t("figure-past-due")) }
                dd { (days(figures.days_past_due)) }
                dt { (say.t("figure-delinquent")) }
                dd { (days(figures.delinquent_days)) }
                @if let Some(material) = figures.material_days {
                    dt { (say.t("figure-material")) }
                    dd { (days(material)) }
                }
                dt { (say.t("figure-installments")) }
                dd { (figures.unpaid_installments) }
            }
        }
        dl.facts {
            @if let Some(fee) = &figures.late_fee {
                dt { (say.t("figure-fee")) }
                dd { (say.amount(view.currency, fee)) }
            }
            dt { (say.t("figure-outstanding")) }
            dd { (say.amount(view.currency, &figures.outstanding)) }
        }
        p {
            (say.with("why-rules", &rules)) " "
            a href={ (shown.root) "policies/" (href(view.policy.id.as_str())) } { (say.t("why-read")) }
        }
    }
}

/// A reason in the language of the page. The rules are a closed list of the domain's.
pub(super) fn sentence(say: Say, currency: &str, reason: &ReasonLine) -> String {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (threshold, value) = (text(&reason.threshold), text(&reason.value));
    let figures = [("threshold", Value::Text(&threshold)), ("value", Value::Text(&value))];
    let amounts = || (say.amount(currency, &threshold), say.amount(currency, &value));
    match reason.rule {
        "delinquent_days" => say.with("reason-delinquent", &figures),
        "days_past_due" => say.with("reason-past-due", &figures),
        "overdue_amount" => {
            let (threshold, value) = amounts();
            let with = [("threshold", Value::Text(&threshold)), ("value", Value::Text(&value))];
            say.with("reason-amount", &with)
        }
        "overdue_share" => say.with("reason-share", &figures),
        "unpaid_installments" => say.with("reason-installments", &figures),
        "cause" => say.with("reason-cause", &figures),
        "score_at_most" => say.with("reason-score", &figures),
        "restrictions_held" => deferred(say, &threshold, &reason.value),
        "customer" => say.with("reason-customer", &figures),
        "accrued_fee" => say.with("reason-fee", &[("value", Value::Text(&say.amount(currency, &value)))]),
        "nothing_overdue" => say.t("reason-nothing"),
        "installments_held" => say.t("reason-held"),
        "below_materiality" => say.t("reason-small"),
        "below_every_stage" => say.t("reason-below"),
        "enforcement_off" => say.t("reason-off"),
        // A rule that this page does not know is stated as the domain words it.
        _ => reason.sentence.clone(),
    }
}

fn deferred(say: Say, by: &str, until: &Json) -> String {
    let date = until.as_str().and_then(|date| date.parse().ok()).map(|date| say.date(date));
    match date {
        Some(date) => {
            say.with("reason-deferred-until", &[("by", Value::Text(by)), ("date", Value::Text(&date))])
        }
        None => say.with("reason-deferred", &[("by", Value::Text(by))]),
    }
}
