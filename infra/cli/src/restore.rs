//! `restore`: replays the archive into tables that were restored to an instant.
//!
//! Erasures come first, so that no erased data is used meanwhile, and once more in their place, for a command before
//! them may bring data back. One that was completed in its place is not repeated: it would take what came after it. Then the commands follow in the order in which they were accepted, through the use case of
//! `intake`; accounts side by side. A known command changes nothing, so a replay may be repeated and may begin too
//! early. Nothing leaves meanwhile: a replay asks for a stop of sending.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::{Authority, CONCURRENCY, CommandOutcome, RecordError, Services, take_command};
use duewatch_domain::formats::{ArchivedCommand, ArchivedErasure, parse_message};
use duewatch_domain::kernel::CustomerId;
use duewatch_notify::{COMMAND_ARCHIVED, ERASURE_ARCHIVED};
use duewatch_store::{HoldScope, Store, StoreError};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::customer::{CustomerError, erase};
use crate::progress::Progress;

/// How far the clocks of functions may be apart: so long before the instant a replay begins.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);
/// The most lines that one replay reads.
const MAX_LINES: usize = 5_000_000;
/// How deep folders are searched: a delivery stream writes one for year, month, day and hour each.
const MAX_DEPTH: usize = 8;
/// How often a command is tried that fails for a reason that may pass.
const MAX_ATTEMPTS: usize = 5;

/// Why nothing, or not all, was replayed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A file cannot be read, or holds something else than the archive.
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    #[error("the archive has more than {MAX_LINES} lines; begin later")]
    TooMany,
    /// Messages could leave before opt-outs are replayed.
    #[error("sending is not stopped; `duewatch stop sending` comes first")]
    NotHeld,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("customer {0}: {1}")]
    Erasure(CustomerId, Box<CustomerError>),
}

/// The lines of an archive since an instant, in the order in which they were archived.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    at: DateTime<Utc>,
    what: Archived,
}

#[derive(Clone, Debug)]
enum Archived {
    Command(Box<ArchivedCommand>),
    Erasure(CustomerId),
}

/// The result of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Customers whose data was erased again.
    pub erasures: usize,
    /// Commands that changed something.
    pub applied: usize,
    /// Commands that were known.
    pub known: usize,
    /// Commands among these whose texts an erasure has made unreadable.
    pub without_texts: usize,
    /// Contact points that an erasure has made unreadable.
    pub erased_points: usize,
    /// Commands that were not taken.
    pub left: usize,
}

/// A line of the archive, as it was published.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    time: DateTime<Utc>,
    data: Value,
}

impl Archive {
    /// Reads files, and folders of files, of an archive. A file holds JSON values one after another, with or without
    /// line feeds. Of a command that was archived twice the first is taken.
    ///
    /// # Errors
    /// [`RestoreError::File`], or [`RestoreError::TooMany`].
    pub fn read(paths: &[PathBuf], since: DateTime<Utc>) -> Result<Self, RestoreError> {
        let mut entries = Vec::new();
        for path in paths {
            read_into(path, since - CLOCKS_APART, &mut entries, MAX_DEPTH)?;
        }
        entries.sort_by_key(Entry::order);
        let mut seen = BTreeSet::new();
        entries.retain(|entry| match &entry.what {
            Archived::Command(command) => seen.insert(identity(&command.message)),
            Archived::Erasure(_) => true,
        });
        Ok(Self { entries })
    }

    fn erasures(&self) -> impl Iterator<Item = (&CustomerId, DateTime<Utc>)> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            Archived::Erasure(customer_id) => Some((customer_id, entry.at)),
            Archived::Command(_) => None,
        })
    }
}

impl Entry {
    /// At one instant of the clock the commands' own instants decide, and their ids.
    fn order(&self) -> (DateTime<Utc>, String) {
        let text = |message: &Map<String, Value>, field| {
            message.get(field).and_then(Value::as_str).map(str::to_owned)
        };
        let then = match &self.what {
            Archived::Command(command) => {
                let (at, id) = (text(&command.message, "at"), text(&command.message, "event_id"));
                format!("{} {}", at.unwrap_or_default(), id.unwrap_or_default())
            }
            Archived::Erasure(customer_id) => customer_id.to_string(),
        };
        (self.at, then)
    }
}

/// What makes a command the same: account, source, event id, and the type, for a receipt yields two facts of one id.
fn identity(message: &Map<String, Value>) -> [String; 4] {
    ["account_id", "source", "event_id", "type"]
        .map(|field| message.get(field).and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn read_into(
    path: &Path,
    since: DateTime<Utc>,
    entries: &mut Vec<Entry>,
    depth: usize,
) -> Result<(), RestoreError> {
    let failed = |problem: String| RestoreError::File { path: path.to_owned(), problem };
    if path.is_dir() {
        if depth == 0 {
            return Err(failed("it lies too deep".to_owned()));
        }
        for inner in fs::read_dir(path).map_err(|error| failed(error.to_string()))? {
            let inner = inner.map_err(|error| failed(error.to_string()))?;
            read_into(&inner.path(), since, entries, depth - 1)?;
        }
        return Ok(());
    }
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    for line in serde_json::Deserializer::from_str(&text).into_iter::<Line>() {
        let Line { kind, time, data } = line.map_err(|error| failed(error.to_string()))?;
        if time < since {
            continue;
        }
        let what = match kind.as_str() {
            COMMAND_ARCHIVED => serde_json::from_value(data).map(Archived::Command),
            ERASURE_ARCHIVED => serde_json::from_value(data)
                .map(|erased: ArchivedErasure| Archived::Erasure(erased.customer_id)),
            other => return Err(failed(format!("\"{other}\" is no line of the archive"))),
        };
        entries.push(Entry { at: time, what: what.map_err(|error| failed(error.to_string()))? });
        if entries.len() > MAX_LINES {
            return Err(RestoreError::TooMany);
        }
    }
    Ok(())
}

/// Replays an archive. `keys` reads the records table that has the keys of the archive: the newest there is. Reports
/// the commands that are not taken, a line each, through `tell`.
///
/// # Errors
/// When sending is not stopped, an erasure fails, or a call does.
pub async fn replay(
    services: &Services,
    keys: &Store,
    archive: &Archive,
    by: &str,
    mut tell: impl FnMut(String),
) -> Result<Restored, RestoreError> {
    if !services.store().hold(HoldScope::Sending).await?.is_some_and(|hold| hold.is_on) {
        return Err(RestoreError::NotHeld);
    }
    let mut restored = Restored::default();
    let mut erased = LastErasures::new();
    for (customer_id, at) in archive.erasures() {
        if erased.insert(customer_id, at).is_none()
            && !services.store().was_erased_at(customer_id, at).await?
        {
            erase_again(services, customer_id, by, services.clock.now()).await?;
            restored.erasures += 1;
        }
    }
    let mut progress = Progress::new("commands", archive.entries.len() as u64);
    let mut done = 0;
    for stretch in archive.entries.chunk_by(|one, other| one.is_command() && other.is_command()) {
        let mut accounts: BTreeMap<&str, Vec<(DateTime<Utc>, &ArchivedCommand)>> = BTreeMap::new();
        for entry in stretch {
            match &entry.what {
                Archived::Erasure(customer_id) => {
                    if !services.store().was_erased_at(customer_id, entry.at).await? {
                        erase_again(services, customer_id, by, entry.at).await?;
                    }
                }
                Archived::Command(command) => {
                    let account = command.message.get("account_id").and_then(Value::as_str);
                    accounts.entry(account.unwrap_or_default()).or_default().push((entry.at, command));
                }
            }
        }
        let taken = stream::iter(accounts.into_values())
            .map(|commands| take_in_order(services, keys, &erased, commands))
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        for one in taken.into_iter().flatten() {
            one.count(&mut restored, &mut tell);
        }
        done += stretch.len() as u64;
        progress.set(done);
    }
    Ok(restored)
}

impl Entry {
    const fn is_command(&self) -> bool {
        matches!(self.what, Archived::Command(_))
    }
}

async fn erase_again(
    services: &Services,
    customer_id: &CustomerId,
    by: &str,
    at: DateTime<Utc>,
) -> Result<(), RestoreError> {
    let erased = erase(services, customer_id, by, at).await;
    erased.map(drop).map_err(|error| RestoreError::Erasure(customer_id.clone(), Box::new(error)))
}

/// What became of a command.
enum Replayed {
    Taken { outcome: CommandOutcome, is_without_texts: bool },
    ErasedPoint,
    Left { command: String, reason: String },
}

impl Replayed {
    fn count(self, restored: &mut Restored, tell: &mut impl FnMut(String)) {
        match self {
            Self::Taken { outcome, is_without_texts } => {
                restored.without_texts += usize::from(is_without_texts);
                match outcome {
                    CommandOutcome::Applied => restored.applied += 1,
                    CommandOutcome::Known | CommandOutcome::Proposed => restored.known += 1,
                }
            }
            Self::ErasedPoint => restored.erased_points += 1,
            Self::Left { command, reason } => {
                restored.left += 1;
                tell(format!("{command}: {reason}"));
            }
        }
    }
}

/// When each customer's data was erased last.
type LastErasures<'a> = BTreeMap<&'a CustomerId, DateTime<Utc>>;

async fn take_in_order(
    services: &Services,
    keys: &Store,
    erased: &LastErasures<'_>,
    commands: Vec<(DateTime<Utc>, &ArchivedCommand)>,
) -> Vec<Replayed> {
    let mut taken = Vec::with_capacity(commands.len());
    for (at, command) in commands {
        let replayed = Box::pin(take(services, keys, erased, at, command)).await;
        taken.push(replayed.unwrap_or_else(|reason| {
            let [account_id, _, event_id, kind] = identity(&command.message);
            Replayed::Left { command: format!("account {account_id} {kind} {event_id}"), reason }
        }));
    }
    taken
}

/// Takes one command, with its texts where its customer's key is still there.
async fn take(
    services: &Services,
    keys: &Store,
    erased: &LastErasures<'_>,
    at: DateTime<Utc>,
    archived: &ArchivedCommand,
) -> Result<Replayed, String> {
    let texts = match &archived.sealed {
        None => Some(Map::new()),
        Some(sealed) => {
            let texts = keys.open_sealed(sealed).await.map_err(|error| error.to_string())?;
            if texts.is_none() && erased.get(&sealed.customer_id).is_none_or(|erased| *erased < at) {
                return Err(
                    "the key of its texts is not there, and no erasure explains it; --keys-from names the \
                            records table that has it"
                        .to_owned(),
                );
            }
            texts
        }
    };
    let is_without_texts = texts.is_none();
    if is_without_texts && archived.is_contact_point() {
        return Ok(Replayed::ErasedPoint);
    }
    let message =
        parse_message(&archived.line(texts.unwrap_or_default())).map_err(|error| error.to_string())?;
    let mut attempts = 1;
    loop {
        // Whoever had to approve it did so before it was archived.
        match Box::pin(take_command(services, &message, Authority::Exempt)).await {
            Ok(outcome) => return Ok(Replayed::Taken { outcome, is_without_texts }),
            Err(RecordError::Retry(_)) if attempts < MAX_ATTEMPTS => attempts += 1,
            Err(RecordError::Retry(reason) | RecordError::Poison(reason)) => return Err(reason),
        }
    }
}
