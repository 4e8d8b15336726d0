//! Events: one command a line, as JSON, with the instant at which it became known.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ids::check_ids;
use super::read_object;
use crate::commands::{Command, EVENT_TYPES, Event, InboundMessage};
use crate::kernel::{
    AccountId, Actor, FIRST_DATE, FormatError, LAST_DATE, NoId, Source, is_in_range, read_json,
};

/// Reads one line of an events file.
///
/// # Errors
/// A [`FormatError`] that names the field.
pub fn parse_event_line(line: &str) -> Result<Event, FormatError> {
    let fields = read_object(line)?;
    check_ids(&fields)?;
    event(fields)
}

/// Reads a message: an event with an `event_id`, and with the sender where it is not the lender's own system.
///
/// # Errors
/// A [`FormatError`] that names the field.
pub fn parse_message(body: &str) -> Result<InboundMessage, FormatError> {
    let mut fields = read_object(body)?;
    check_ids(&fields)?;
    let event_id = take_text(&mut fields, "event_id")?
        .parse()
        .map_err(|problem: NoId| FormatError::new("event_id", problem.to_string()))?;
    let sent = ["source", "actor"].into_iter().filter_map(|name| fields.remove_entry(name)).collect();
    let SenderFields { source, actor } = read_json(Value::Object(sent))?;
    let source = source.unwrap_or_default();
    let actor = actor.unwrap_or_else(|| Actor::system(&source));
    Ok(InboundMessage { event_id, source, actor, sender_id: None, event: event(fields)? })
}

/// The sender of a message.
#[derive(Deserialize)]
struct SenderFields {
    /// None: the lender's own system.
    source: Option<Source>,
    /// None: the system that sends.
    actor: Option<Actor>,
}

fn event(mut fields: Map<String, Value>) -> Result<Event, FormatError> {
    let at = instant(&take_text(&mut fields, "at")?)?;
    let account_id: AccountId = take_text(&mut fields, "account_id")?
        .parse()
        .map_err(|problem: NoId| FormatError::new("account_id", problem.to_string()))?;
    let name = take_text(&mut fields, "type")?;
    let command = Command::read(&name, Value::Object(fields)).ok_or_else(|| unknown_type(&name))??;
    if let Command::AccountOpened(opened) = &command
        && opened.account.account_id != account_id
    {
        let other = &opened.account.account_id;
        let problem = format!("\"{other}\" is not the event's account_id, \"{account_id}\"");
        return Err(FormatError::new("account.account_id", problem));
    }
    Ok(Event { at, account_id, command })
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<String, FormatError> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(FormatError::new(name, format!("{other} is no string"))),
        None => Err(FormatError::new("", format!("missing field `{name}`"))),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, FormatError> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| {
        let problem = format!(
            "\"{text}\" is no instant: write RFC 3339 with an offset, such as 2023-10-05T09:30:00+08:00"
        );
        FormatError::new("at", problem)
    })?;
    let instant = instant.to_utc();
    if !is_in_range(instant.date_naive()) {
        return Err(FormatError::new("at", format!("{text} is not between {FIRST_DATE} and {LAST_DATE}")));
    }
    Ok(instant)
}

fn unknown_type(name: &str) -> FormatError {
    let shown: String = name.chars().take(60).collect();
    FormatError::new("type", format!("\"{shown}\" is no event type; there are {}", EVENT_TYPES.join(", ")))
}
