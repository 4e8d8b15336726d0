//! What a borrower does: each form becomes one command, with the borrower as its actor.
//!
//! The command's id is the form's key. An account that knows it has taken the form before: a second post changes
//! nothing and is answered alike.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_app::{Authority, RecordError, TransitionError, TransitionOutcome, take_command};
use duewatch_domain::commands::{
    BORROWER, Consent, ConsentChanged, ContactFact, DisputeOpened, PreferencesChanged, PromiseMade,
};
use duewatch_domain::kernel::{
    Actor, ActorId, ActorKind, EventId, LAST_DATE, MAX_LEAD_DAYS, MAX_LEADS, MAX_REASON_BYTES, Money, Source,
    business_date, plus_days,
};
use duewatch_domain::policy::{Channel, Language};
use duewatch_domain::{Account, Command, Event, InboundMessage};
use duewatch_store::Feedback;

use crate::forms::Typed;
use crate::pages::account;
use crate::reader::{Fault, SignedInReader, account_of, require_reader};
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::secrets::is_form_key;
use crate::texts::Say;
use crate::{NAME, Pages};

/// Faults by field.
type Faults = BTreeMap<&'static str, String>;

/// The most days ahead for which a payment can be promised.
const MAX_PROMISE_DAYS: i64 = 366;

/// The forms, by the last part of their path.
pub(crate) const ACTIONS: [&str; 6] = ["promise", "dispute", "reason", "preferences", "consent", "feedback"];

/// Takes a form of an account's page.
pub(crate) async fn act(
    pages: &Pages,
    request: &PageRequest,
    id: &str,
    action: &str,
) -> Result<Answer, Fault> {
    let reader = require_reader(pages, request).await?;
    let account = account_of(pages, &reader, id).await?;
    let action = ACTIONS.into_iter().find(|known| *known == action).ok_or(Fault::NotFound)?;
    if !is_form_key(request.field("key")) {
        return Err(Fault::NotOurForm);
    }
    let now = pages.services.clock.now();
    let done = match action {
        "reason" => match text_of(request, "reason") {
            Err(faults) => return again(pages, request, (&reader, &account), action, faults).await,
            Ok(reason) => tell_reason(pages, &account, &reason, now).await?,
        },
        "feedback" => match feedback(request) {
            Err(faults) => return again(pages, request, (&reader, &account), action, faults).await,
            Ok((score, words)) => {
                let said = Feedback {
                    customer_id: &reader.signed_in.customer_id,
                    page: "account",
                    policy_id: &account.policy_id,
                    key: request.field("key"),
                    score,
                    words,
                    at: now,
                };
                // A form that was sent before is counted already.
                pages.services.store().record_feedback(&said).await?;
                action
            }
        },
        _ => match command_of(request, &account, action, now) {
            Err(faults) => return again(pages, request, (&reader, &account), action, faults).await,
            Ok(command) => {
                send(pages, request, (&reader, &account), command, now).await?;
                action
            }
        },
    };
    Ok(Answer::see_other(format!("../{}?done={done}", account::href(id))))
}

/// The page again, with the faults beside the fields and all that was typed.
async fn again(
    pages: &Pages,
    request: &PageRequest,
    (reader, account): (&SignedInReader, &Account),
    action: &str,
    faults: Faults,
) -> Result<Answer, Fault> {
    let fields = request.form.clone().unwrap_or_default();
    let typed = Typed { action: action.to_owned(), fields, faults, done: None };
    account::show(pages, request, reader, account, &typed).await
}

/// Sends a command, unless the account knows it.
async fn send(
    pages: &Pages,
    request: &PageRequest,
    (reader, account): (&SignedInReader, &Account),
    command: Command,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let out = |problem: String| Fault::OutOfReach(problem);
    let event_id: EventId =
        format!("page-{}", request.field("key")).parse().map_err(|_| Fault::NotOurForm)?;
    let source: Source = NAME.parse().map_err(|_| out("no source".to_owned()))?;
    let knows = |account: &Account| {
        account.recent_messages().iter().any(|known| known.event_id == event_id && known.source == source)
    };
    if knows(account) {
        return Ok(());
    }
    let id: ActorId =
        reader.signed_in.customer_id.as_str().parse().map_err(|_| out("no actor".to_owned()))?;
    let message = InboundMessage {
        event_id: event_id.clone(),
        source: source.clone(),
        actor: Actor { kind: ActorKind::Borrower, id },
        sender_id: None,
        event: Event { at: now, account_id: account.account_id.clone(), command },
    };
    match Box::pin(take_command(&pages.services, &message, Authority::OnePerson)).await {
        Ok(_) => Ok(()),
        Err(RecordError::Retry(reason)) => Err(out(reason)),
        Err(RecordError::Poison(reason)) => {
            // A second post of the same form may have been faster, with an instant of its own.
            let stored = pages.services.store().account(&account.account_id).await?;
            if stored.is_some_and(|stored| knows(&stored.account)) { Ok(()) } else { Err(out(reason)) }
        }
    }
}

/// Records the borrower's reason. A cause that an officer recorded stands.
async fn tell_reason(
    pages: &Pages,
    account: &Account,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<&'static str, Fault> {
    let transitions = &pages.services.transitions;
    let told = transitions.record_borrower_cause(&account.account_id, reason, now, now).await;
    match told {
        Ok(TransitionOutcome::Deferred(_, blocked)) => {
            pages.services.alerts.alert_blocked_payment(&account.account_id, &blocked, now).await;
            Ok("reason")
        }
        Ok(TransitionOutcome::Unchanged) if account.cause().is_some_and(|cause| cause.by != BORROWER) => {
            Ok("reason-stands")
        }
        Ok(_) => Ok("reason"),
        Err(TransitionError::Store(error)) => Err(error.into()),
        Err(TransitionError::Refused(refusal)) => Err(Fault::OutOfReach(refusal.to_string())),
    }
}

/// The command of a form, or the faults of its fields.
fn command_of(
    request: &PageRequest,
    account: &Account,
    action: &str,
    now: DateTime<Utc>,
) -> Result<Command, Faults> {
    match action {
        "promise" => promise(request, account, now),
        "dispute" => dispute(request),
        "preferences" => preferences(request),
        _ => consent(request),
    }
}

fn fault(field: &'static str, problem: String) -> Faults {
    Faults::from([(field, problem)])
}

fn promise(request: &PageRequest, account: &Account, now: DateTime<Utc>) -> Result<Command, Faults> {
    let say = Say { language: request.language };
    let mut faults = Faults::new();
    let typed = request.field("amount").trim().replace([',', '\u{ff0c}', ' '], "");
    let amount = typed.parse::<Money>().ok().filter(|amount| amount.is_positive());
    let amount = amount.and_then(|amount| account.currency.exact(amount).ok());
    if amount.is_none() {
        faults.insert("amount", say.t("fault-amount"));
    }
    let today = business_date(account.time_zone, now);
    let by = request.field("by").trim().parse::<NaiveDate>().ok();
    let by = by.filter(|by| *by >= today && *by < plus_days(today, MAX_PROMISE_DAYS) && *by < LAST_DATE);
    if by.is_none() {
        faults.insert("by", say.t("fault-day"));
    }
    let promise_id = request.field("key").parse().ok();
    match (amount, by, promise_id) {
        (Some(amount), Some(by), Some(promise_id)) => {
            Ok(Command::PromiseMade(PromiseMade { promise_id, amount, until: plus_days(by, 1) }))
        }
        _ => Err(faults),
    }
}

/// A text that is neither empty nor too long.
fn text_of(request: &PageRequest, field: &'static str) -> Result<String, Faults> {
    let say = Say { language: request.language };
    let text = request.field(field).trim();
    if text.is_empty() {
        Err(fault(field, say.t("fault-text")))
    } else if text.len() > MAX_REASON_BYTES {
        Err(fault(field, say.t("fault-long")))
    } else {
        Ok(text.to_owned())
    }
}

/// A score from 1 to 5, and words that may be left out.
fn feedback(request: &PageRequest) -> Result<(u32, &str), Faults> {
    let say = Say { language: request.language };
    let score = request.field("score").parse().ok().filter(|score| (1..=5).contains(score));
    let words = request.field("words").trim();
    match score {
        None => Err(fault("score", say.t("fault-choice"))),
        Some(_) if words.len() > MAX_REASON_BYTES => Err(fault("words", say.t("fault-long"))),
        Some(score) => Ok((score, words)),
    }
}

fn dispute(request: &PageRequest) -> Result<Command, Faults> {
    let reason = text_of(request, "what")?;
    let say = Say { language: request.language };
    let dispute_id = request.field("key").parse();
    let dispute_id = dispute_id.map_err(|_| fault("what", say.t("fault-text")))?;
    Ok(Command::DisputeOpened(DisputeOpened { dispute_id, reason }))
}

fn preferences(request: &PageRequest) -> Result<Command, Faults> {
    let say = Say { language: request.language };
    let mut faults = Faults::new();
    let language = match request.field("language") {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    };
    if language.is_none() {
        faults.insert("language", say.t("fault-choice"));
    }
    let days =
        request.field("days").split([',', '\u{ff0c}', ' ']).map(str::trim).filter(|day| !day.is_empty());
    let days: Option<Vec<u32>> =
        days.take(MAX_LEADS + 1).map(|day| day.parse().ok().filter(|day| *day <= MAX_LEAD_DAYS)).collect();
    let days = days.filter(|days| days.len() <= MAX_LEADS);
    if days.is_none() {
        faults.insert("days", say.t("fault-days"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let changed = PreferencesChanged { language, remind_days_before: days, ..PreferencesChanged::default() };
    Ok(Command::Contact(ContactFact::Preferences(changed)))
}

fn consent(request: &PageRequest) -> Result<Command, Faults> {
    let say = Say { language: request.language };
    let channel = match request.field("channel") {
        "all" => None,
        "sms" => Some(Channel::Sms),
        "email" => Some(Channel::Email),
        "phone" => Some(Channel::Phone),
        "app" => Some(Channel::App),
        "letter" => Some(Channel::Letter),
        _ => return Err(fault("channel", say.t("fault-choice"))),
    };
    let changed = ConsentChanged { channel, consent: Consent::Withdrawn, by: BORROWER.to_owned() };
    Ok(Command::Contact(ContactFact::Consent(changed)))
}
