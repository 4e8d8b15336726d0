//! Where the account stands now, what clears it, what comes next, what still works.

use duewatch_domain::describe;
use duewatch_text::{Argument, Value};
use duewatch_views::{AccountView, OperationAnswer, Situation};
use maud::{Markup, html};

use super::AccountSections;
use crate::texts::Say;

/// The colour of a standing; its sentence says the same in words.
pub(crate) const fn standing_class(standing: &Situation) -> &'static str {
    match standing {
        Situation::OverdueRestricted { .. } | Situation::Overdue { .. } => "standing bad",
        Situation::NothingDue | Situation::DueOn { .. } | Situation::NotOpened { .. } => "standing",
        Situation::PaymentOnItsWay { .. }
        | Situation::OverdueHeld { .. }
        | Situation::OverduePaused { .. }
        | Situation::Restricted
        | Situation::Unknown => "standing warn",
    }
}

/// Where the account stands, in one sentence.
pub(crate) fn standing_sentence(say: Say, view: &AccountView<'_>, standing: &Situation) -> String {
    let money = |amount: &str| say.amount(view.currency, amount);
    let since = match standing {
        Situation::PaymentOnItsWay { since, .. }
        | Situation::OverdueHeld { since, .. }
        | Situation::OverduePaused { since, .. }
        | Situation::OverdueRestricted { since, .. }
        | Situation::Overdue { since, .. } => *since,
        _ => None,
    };
    let date = since.map_or_else(String::new, |since| say.date(since));
    let known = Value::Number(u32::from(since.is_some()));
    let overdue = |id: fn(Say, &[Argument<'_>]) -> String, amount: &str| {
        let amount = money(amount);
        id(say, &[("amount", Value::Text(&amount)), ("date", Value::Text(&date)), ("known", known.clone())])
    };
    match standing {
        Situation::NotOpened { opens_on } => {
            say.with("standing-not-opened", &[("date", Value::Text(&say.date(*opens_on)))])
        }
        Situation::PaymentOnItsWay { amount, .. } => {
            overdue(|say, with| say.with("standing-on-its-way", with), amount)
        }
        Situation::OverdueHeld { amount, .. } => overdue(|say, with| say.with("standing-held", with), amount),
        Situation::OverduePaused { amount, until, .. } => {
            let (amount, until) = (money(amount), say.date(*until));
            let with = [
                ("amount", Value::Text(&amount)),
                ("date", Value::Text(&date)),
                ("known", known),
                ("until", Value::Text(&until)),
            ];
            say.with("standing-paused", &with)
        }
        Situation::OverdueRestricted { amount, .. } => {
            overdue(|say, with| say.with("standing-restricted", with), amount)
        }
        Situation::Overdue { amount, .. } => overdue(|say, with| say.with("standing-overdue", with), amount),
        Situation::Restricted => say.t("standing-other"),
        Situation::DueOn { amount, on } => {
            let with = [("amount", Value::Text(&money(amount))), ("date", Value::Text(&say.date(*on)))];
            say.with("standing-due", &with)
        }
        Situation::NothingDue => say.t("standing-nothing"),
        Situation::Unknown => say.t("standing-unknown"),
    }
}

pub(super) fn standing(shown: &AccountSections<'_>, standing: &Situation) -> Markup {
    let (say, view) = (shown.say, shown.view);
    html! {
        p class=(standing_class(standing)) { (standing_sentence(say, view, standing)) }
        @if !view.restrictions.is_empty() {
            ul { @for one in &view.restrictions { li { (describe::restriction(one, say.language)) } } }
        }
        p {
            a href={ (shown.root) "help#pay" } { (say.t("to-pay")) } " · "
            a href="#act" { (say.t("to-act")) } " · "
            a href={ (shown.root) "help" } { (say.t("to-help")) }
        }
    }
}

pub(super) fn clears(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let Some(clears) = &view.clears else { return html! {} };
    html! {
        h2 { (say.t("clears")) }
        dl.facts {
            dt { (say.t("clears-today")) }
            dd { strong { (say.amount(view.currency, &clears.today)) } }
            dt { (say.t("clears-tomorrow")) }
            dd { (say.amount(view.currency, &clears.tomorrow)) }
        }
        @if let Some(how) = shown.policy.contact.as_ref().and_then(|rules| rules.how_to_pay.of(say.language)) {
            p { strong { (say.t("to-pay")) } ": " (how) }
        }
        p { (say.t("clears-text")) }
    }
}

pub(super) fn next(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    html! {
        h2 { (say.t("next")) }
        @if view.steps.is_empty() {
            p { (say.t("next-none")) }
        } @else {
            p { (say.t("next-text")) }
            ul {
                @for step in &view.steps {
                    li {
                        strong { (say.date(step.on)) } ": "
                        @if step.restrictions.is_empty() { (say.t("next-free")) }
                        @for one in &step.restrictions { (describe::restriction(one, say.language)) " " }
                    }
                }
            }
        }
        @if let Some(at) = view.next_action_at {
            p.soft { (say.with("next-assessment", &[("instant", Value::Text(&say.instant(at, shown.zone)))])) }
        }
    }
}

pub(super) fn works(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let answer = |one: &duewatch_views::OperationView| match (one.answer, one.percent) {
        (OperationAnswer::Allowed, _) => say.t("operation-works"),
        (OperationAnswer::Within, percent) => {
            say.with("operation-within", &[("percent", Value::Number(percent.unwrap_or_default()))])
        }
        (OperationAnswer::Blocked, _) => say.t("operation-blocked"),
    };
    html! {
        h2 { (say.t("works")) }
        dl.facts {
            @for one in &view.operations {
                dt { (say.with("operation", &[("name", Value::Text(&one.operation))])) }
                dd { (answer(one)) }
            }
        }
    }
}

pub(super) fn as_of(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let at = say.instant(view.at, shown.zone);
    let revision = view.revision.to_string();
    let with = [("instant", Value::Text(&at)), ("revision", Value::Text(&revision))];
    html! {
        p.soft { (say.with("as-of", &with)) " " a href={ (shown.root) "data" } { (say.t("own-data")) } }
    }
}
