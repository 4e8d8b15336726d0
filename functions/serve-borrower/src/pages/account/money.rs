//! The plan, and the money: received, reversed, on its way.

use duewatch_domain::policy::Component;
use duewatch_text::Value;
use duewatch_views::{InstallmentState, InstallmentView, PaymentState, PaymentView};
use maud::{Markup, html};

use super::{AccountSections, href};

/// The most rows of a table before the rest is left to the data.
const MAX_ROWS: usize = 24;
/// The most payments that wait to be posted.
const MAX_ARRIVING: usize = 5;

pub(super) fn plan(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    if view.installments.is_empty() {
        return html! {};
    }
    let rows = first_open(&view.installments);
    let left = u32::try_from(view.installments.len() - rows.len()).unwrap_or(u32::MAX);
    html! {
        h2 id="plan" { (say.t("plan")) }
        div.wide role="region" aria-labelledby="plan" tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (say.t("plan-due")) }
                    th scope="col" { (say.t("plan-state")) }
                    th.amount scope="col" { (say.t("plan-amount")) }
                    th.amount scope="col" { (say.t("plan-paid")) }
                    th.amount scope="col" { (say.t("plan-open")) }
                } }
                tbody { @for one in rows { (row(shown, one)) } }
            }
        }
        @if left > 0 { p.soft { (say.with("plan-left", &[("count", Value::Number(left))])) } }
        p { a href={ (shown.root) "accounts/" (href(view.account_id.as_str())) "/due-dates.ics" } { (say.t("plan-calendar")) } }
    }
}

/// The part of a long plan that matters: from shortly before the first open installment on.
fn first_open(installments: &[InstallmentView]) -> &[InstallmentView] {
    let is_open =
        |one: &InstallmentView| matches!(one.state, InstallmentState::PastDue | InstallmentState::Upcoming);
    let first = installments.iter().position(is_open).unwrap_or_default().saturating_sub(3);
    let first = if installments.len() <= MAX_ROWS { 0 } else { first.min(installments.len() - MAX_ROWS) };
    let rows = installments.get(first..).unwrap_or_default();
    rows.get(..MAX_ROWS).unwrap_or(rows)
}

fn row(shown: &AccountSections<'_>, one: &InstallmentView) -> Markup {
    let (say, currency) = (shown.say, shown.view.currency);
    let state = match one.state {
        _ if one.held_since.is_some() => say.t("state-held"),
        InstallmentState::Paid => say.t("state-paid"),
        InstallmentState::Upcoming => say.t("state-upcoming"),
        InstallmentState::PastDue => say.t("state-past-due"),
        InstallmentState::WrittenOff => say.t("state-written-off"),
        InstallmentState::Replaced => say.t("state-replaced"),
    };
    let part = |component| match component {
        Component::Penalty => say.t("part-penalty"),
        Component::Fee => say.t("part-fee"),
        Component::Interest => say.t("part-interest"),
        Component::Principal => say.t("part-principal"),
    };
    html! {
        tr {
            th scope="row" { (say.date(one.due_on)) }
            td data-label=(say.t("plan-state")) { (state) }
            td.amount data-label=(say.t("plan-amount")) { (duewatch_text::grouped(&one.amount_due)) }
            td.amount data-label=(say.t("plan-paid")) { (duewatch_text::grouped(&one.paid)) }
            td.amount data-label=(say.t("plan-open")) {
                (duewatch_text::grouped(&one.open))
                @if one.state == InstallmentState::PastDue {
                    @for piece in one.open_parts.iter().filter(|_| one.open_parts.len() > 1) {
                        br; span.soft { (part(piece.component)) " " (say.amount(currency, &piece.amount)) }
                    }
                }
            }
        }
    }
}

pub(super) fn payments(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let latest = view.payments.iter().rev().take(MAX_ROWS);
    html! {
        h2 id="payments" { (say.t("payments")) }
        (on_their_way(shown))
        @if let Some(credit) = &view.credit {
            p { (say.with("payments-credit", &[("amount", Value::Text(&say.amount(view.currency, &credit.amount)))])) }
        }
        @if view.payments.is_empty() {
            p { (say.t("payments-none")) }
        } @else {
            div.wide role="region" aria-labelledby="payments" tabindex="0" {
                table {
                    thead { tr {
                        th scope="col" { (say.t("payments-received")) }
                        th.amount scope="col" { (say.t("plan-amount")) }
                        th scope="col" { (say.t("plan-state")) }
                        th scope="col" { (say.t("payments-id")) }
                    } }
                    tbody { @for one in latest { (payment(shown, one)) } }
                }
            }
        }
        p.soft { (say.t("payments-missing")) }
    }
}

fn payment(shown: &AccountSections<'_>, one: &PaymentView) -> Markup {
    let say = shown.say;
    let state = match one.state {
        PaymentState::Received => say.t("payment-received"),
        PaymentState::PartlyReversed => say.t("payment-partly"),
        PaymentState::Reversed => say.t("payment-reversed"),
    };
    html! {
        tr {
            th scope="row" { (say.instant(one.received_at, shown.zone)) }
            td.amount data-label=(say.t("plan-amount")) { (duewatch_text::grouped(&one.amount)) }
            td data-label=(say.t("plan-state")) { (state) }
            td data-label=(say.t("payments-id")) { code { (one.payment_id.as_str()) } }
        }
    }
}

/// Money that is under way, and money that has come and is not posted.
fn on_their_way(shown: &AccountSections<'_>) -> Markup {
    let (say, view) = (shown.say, shown.view);
    let Some(arriving) = &shown.arriving else {
        return html! { p.note { (say.t("payments-out-of-reach")) } };
    };
    let more = u32::try_from(arriving.len().saturating_sub(MAX_ARRIVING)).unwrap_or(u32::MAX);
    html! {
        @for one in arriving.iter().take(MAX_ARRIVING) {
            @let amount = say.amount(view.currency, &one.amount);
            @let at = say.instant(one.received_at, shown.zone);
            p.note {
                (say.with("payment-arriving", &[("amount", Value::Text(&amount)), ("instant", Value::Text(&at))])) " "
                code { (one.payment_id.as_str()) }
            }
        }
        @if more > 0 { p.note { (say.with("payments-more", &[("count", Value::Number(more))])) } }
        @if let Some(process) = &view.in_process {
            @match (process.failed_at, process.next_try_on) {
                (None, _) => p.note { (say.with("payment-under-way", &[("date", Value::Text(&say.date(process.until)))])) },
                (Some(_), Some(next)) => p.note { (say.with("payment-tried-again", &[("date", Value::Text(&say.date(next)))])) },
                (Some(_), None) => p.note { (say.t("payment-failed")) },
            }
        }
    }
}
