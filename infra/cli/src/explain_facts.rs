//! The facts of `explain` in sentences: payments, pauses, operations and messages, from the account's view.

use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::account::PaymentKind;
use duewatch_views::{AccountView, MessageView, OperationAnswer, PaymentState, PaymentView};

/// The newest payments and messages that are shown; `--json` has all.
const SHOWN: usize = 12;

/// The operations that still work, and those that do not.
pub(crate) fn operations(view: &AccountView<'_>) -> Vec<String> {
    let of = |wanted| {
        let some = view.operations.iter().filter(move |one| one.answer == wanted);
        let names = some.map(|one| match one.percent {
            Some(percent) => format!("{} (within {percent} % of the credit line)", one.operation),
            None => one.operation.clone(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let sentences = [
        ("Still works", of(OperationAnswer::Allowed)),
        ("Works within a limit", of(OperationAnswer::Within)),
        ("Blocked", of(OperationAnswer::Blocked)),
    ];
    let said = sentences.into_iter().filter(|(_, names)| !names.is_empty());
    said.map(|(words, names)| format!("  {words}: {names}.")).collect()
}

/// The pauses, over, running and to come.
pub(crate) fn pauses(view: &AccountView<'_>) -> Vec<String> {
    let words = view.pauses.iter().map(|pause| {
        let running = if pause.is_running { ", running" } else { "" };
        format!("  Paused from {} until {}, exclusive{running}.", pause.from, pause.until)
    });
    words.collect()
}

/// The newest payments.
pub(crate) fn payments(view: &AccountView<'_>) -> Vec<String> {
    if view.payments.is_empty() {
        return vec!["  No payment has been received.".to_owned()];
    }
    newest(&view.payments, "payments", |payment| payment_words(payment, view.currency))
}

fn payment_words(payment: &PaymentView, currency: &str) -> String {
    let kind = match payment.kind {
        PaymentKind::Repayment => "Payment",
        PaymentKind::MerchantRefund => "Merchant refund",
        PaymentKind::Goodwill => "Goodwill",
    };
    let state = match payment.state {
        PaymentState::Received => String::new(),
        PaymentState::PartlyReversed => ", a part of it taken back".to_owned(),
        PaymentState::Reversed => ", taken back".to_owned(),
    };
    format!(
        "  {kind} {}: {} {currency}, received {}, dated {}{state}.",
        payment.payment_id,
        payment.amount,
        written(payment.received_at),
        payment.value_date,
    )
}

/// The newest messages; nothing where the source of the account knows none.
pub(crate) fn messages(view: &AccountView<'_>) -> Vec<String> {
    let Some(messages) = &view.messages else { return Vec::new() };
    if messages.is_empty() {
        return vec!["  No message was planned.".to_owned()];
    }
    newest(messages, "messages", message_words)
}

fn message_words(message: &MessageView) -> String {
    let by = message.channel.map_or_else(String::new, |channel| format!(" by {channel}"));
    let id = message.message_id.as_ref().map_or_else(String::new, |id| format!(", message {id}"));
    let reason = message.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("  Message \"{}\": {}{by} {}{id}{reason}.", message.template, message.state, written(message.at))
}

fn newest<T>(all: &[T], noun: &str, words: impl Fn(&T) -> String) -> Vec<String> {
    let left_out = all.len().saturating_sub(SHOWN);
    let before = (left_out > 0).then(|| format!("  {left_out} earlier {noun}."));
    before.into_iter().chain(all.iter().skip(left_out).map(words)).collect()
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
