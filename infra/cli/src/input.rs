//! Readers of the lender's files: policy, portfolio, events.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use clap::ValueEnum;
use duewatch_domain::formats::{
    BOOK_COLUMNS, BookRow, FormatError, parse_book_line, parse_book_rows, parse_event_line,
};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::{self, PolicyError};
use duewatch_domain::{Contract, Event, Policy};
use duewatch_notify::text;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a file is unusable.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read at all.
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// A line violates the format.
    #[error("{}:{line}: {error}", path.display())]
    Line {
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// The field and its fault.
        error: FormatError,
    },
    /// The policy is invalid.
    #[error("{}: {error}", path.display())]
    Policy {
        path: PathBuf,
        /// The line and its fault.
        error: PolicyError,
    },
}

/// The format of a portfolio file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BookFormat {
    /// One account a line, as JSON.
    #[default]
    Jsonl,
    /// One installment a row, with a header.
    Csv,
}

impl BookFormat {
    /// The requested format, else the one that the file's name indicates.
    #[must_use]
    pub fn of(path: &Path, asked: Option<Self>) -> Self {
        let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        asked.unwrap_or(if is_csv { Self::Csv } else { Self::Jsonl })
    }
}

/// A policy with the text that it was read from.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    pub policy: Policy,
    /// The text of the document.
    pub text: String,
}

/// A value from one line of a file.
#[derive(Clone, Debug)]
pub struct NumberedLine<T> {
    /// Counted from 1.
    pub line: u64,
    pub value: T,
}

/// Reads a file as text, without the byte order mark that spreadsheets write at its beginning.
fn read(path: &Path) -> Result<String, InputError> {
    let mut bytes =
        fs::read(path).map_err(|source| InputError::Unreadable { path: path.to_owned(), source })?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let (before, rest) = error.as_bytes().split_at_checked(valid).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let byte = rest.first().copied().unwrap_or_default();
        let problem = format!("byte {column} of the line is {byte:#04x}, which is no UTF-8");
        InputError::Line { path: path.to_owned(), line, error: FormatError::new("", problem) }
    })
}

/// Reads and checks a policy.
///
/// # Errors
/// When the file cannot be read or is no valid policy.
pub fn read_policy(path: &Path) -> Result<PolicyFile, InputError> {
    let text = read(path)?;
    let policy = policy::parse(&text).map_err(|error| InputError::Policy { path: path.to_owned(), error })?;
    Ok(PolicyFile { policy, text })
}

/// Reads and checks a policy that is to bind, with the texts that it names and brings.
///
/// # Errors
/// As [`read_policy`], and when a text is missing or cannot be rendered.
pub fn read_policy_and_texts(path: &Path) -> Result<PolicyFile, InputError> {
    let file = read_policy(path)?;
    text::check(&file.policy).map_err(|fault| {
        let error = policy::fault_at(&file.text, &fault.place, fault.problem);
        InputError::Policy { path: path.to_owned(), error }
    })?;
    Ok(file)
}

/// Reads a portfolio file: the valid accounts, and the faults of the others.
///
/// # Errors
/// When the file itself cannot be read.
pub fn read_book(
    path: &Path,
    format: BookFormat,
) -> Result<(Vec<NumberedLine<Contract>>, Vec<InputError>), InputError> {
    parse_book(path, &read(path)?, format)
}

/// Reads a portfolio from its text; `path` appears in its faults.
///
/// # Errors
/// When the text is no portfolio at all.
pub fn parse_book(
    path: &Path,
    text: &str,
    format: BookFormat,
) -> Result<(Vec<NumberedLine<Contract>>, Vec<InputError>), InputError> {
    let read = match format {
        BookFormat::Jsonl => parse_lines(text, parse_book_line),
        BookFormat::Csv => parse_csv(path, text)?,
    };
    let mut accounts: Vec<NumberedLine<Contract>> = Vec::with_capacity(read.len());
    let mut faults = Vec::new();
    let mut seen: HashMap<AccountId, u64> = HashMap::with_capacity(read.len());
    let fault = |line, error| InputError::Line { path: path.to_owned(), line, error };
    for (line, result) in read {
        match result {
            Ok(contract) => match seen.get(&contract.account_id) {
                Some(earlier) => {
                    let problem = format!("\"{}\" is on line {earlier} already", contract.account_id);
                    faults.push(fault(line, FormatError::new("account_id", problem)));
                }
                None => {
                    seen.insert(contract.account_id.clone(), line);
                    accounts.push(NumberedLine { line, value: contract });
                }
            },
            Err(error) => faults.push(fault(line, error)),
        }
    }
    Ok((accounts, faults))
}

/// Reads a portfolio file in which every line must be valid.
///
/// # Errors
/// The first fault.
pub fn read_whole_book(path: &Path, format: BookFormat) -> Result<Vec<NumberedLine<Contract>>, InputError> {
    let (accounts, faults) = read_book(path, format)?;
    faults.into_iter().next().map_or(Ok(accounts), Err)
}

/// Reads events, in the order of the file.
///
/// # Errors
/// The first fault.
pub fn read_events(path: &Path) -> Result<Vec<NumberedLine<Event>>, InputError> {
    let text = read(path)?;
    parse_lines(&text, parse_event_line)
        .into_iter()
        .map(|(line, result)| match result {
            Ok(value) => Ok(NumberedLine { line, value }),
            Err(error) => Err(InputError::Line { path: path.to_owned(), line, error }),
        })
        .collect()
}

type Parsed<T> = Vec<(u64, Result<T, FormatError>)>;

/// Parses every non-blank line, on all cores, in the order of the file.
fn parse_lines<T: Send>(text: &str, parse: impl Fn(&str) -> Result<T, FormatError> + Sync) -> Parsed<T> {
    let lines: Vec<(u64, &str)> =
        (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = lines.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let parse = &parse;
        let parts: Vec<_> = lines
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    part.iter().map(|(number, line)| (*number, parse(line))).collect::<Vec<_>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| match part.join() {
                Ok(parsed) => parsed,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn parse_csv(path: &Path, text: &str) -> Result<Parsed<Contract>, InputError> {
    let fault = |line, field: &str, problem: String| InputError::Line {
        path: path.to_owned(),
        line,
        error: FormatError::new(field, problem),
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| fault(1, "", error.to_string()))?.clone();
    for (place, column) in header.iter().enumerate() {
        if !BOOK_COLUMNS.contains(&column) {
            let problem = format!("unknown column; there are {}", BOOK_COLUMNS.join(", "));
            return Err(fault(1, column, problem));
        }
        if header.iter().take(place).any(|earlier| earlier == column) {
            return Err(fault(1, column, "the column is there twice".to_owned()));
        }
    }
    let mut rows = Vec::new();
    let mut lines = LineCounter { text, read: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| fault(lines.line_of(error.position()), "", row_fault(&error)))?;
        let line = lines.line_of(record.position());
        let fields = header.iter().zip(record.iter()).map(|(c, v)| (c.to_owned(), v.to_owned())).collect();
        rows.push(BookRow { line, fields });
    }
    Ok(parse_book_rows(rows))
}

/// The fault of a row, without the line that the reader of CSV counts in its own way.
fn row_fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields, the header has {expected_len}")
        }
        _ => error.to_string(),
    }
}

/// Counts the lines of a file as an editor does. The reader of CSV takes a row to begin between the two characters
/// that end a line in files from Windows, and so on the line before.
struct LineCounter<'t> {
    text: &'t str,
    /// The bytes counted so far.
    read: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of a position, from 1. Positions come in their order.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let bytes = self.text.as_bytes();
        let start = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.read);
        let ends = bytes.iter().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        for place in self.read..(start + ends).min(bytes.len()) {
            let is_end = match bytes[place] {
                b'\n' => true,
                b'\r' => bytes.get(place + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(is_end);
        }
        self.read = self.read.max(start + ends);
        self.line
    }
}
