//! Parsing and checking of requests, as SNS does.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

/// The greatest message, attributes included, and the greatest sum of a batch.
pub(super) const MAX_MESSAGE_BYTES: usize = 256 * 1024;
const MAX_ENTRIES: usize = 10;
const MAX_ENTRY_ID: usize = 80;
const MAX_SUBJECT: usize = 100;
const MAX_TOPIC_NAME: usize = 256;

/// Why a request is refused. The texts are SNS's own where it is known to have one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SnsRefusal {
    #[error("Could not find operation {0}")]
    InvalidAction(String),
    #[error("Topic does not exist")]
    NotFound,
    #[error("Invalid parameter: {0}")]
    InvalidParameter(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("The batch request doesn't contain any entries.")]
    EmptyBatch,
    #[error("The batch request contains more entries than permissible.")]
    TooManyEntries,
    #[error("Two or more batch entries in the request have the same Id.")]
    EntryIdsNotDistinct,
    #[error("The Id of a batch entry in a batch request doesn't abide by the specification.")]
    InvalidEntryId,
    #[error("The length of all the messages put together is more than the limit.")]
    BatchTooLong,
    #[error("Topic limit exceeded")]
    TopicLimitExceeded,
    #[error("Rate exceeded")]
    Throttled,
    #[error("Internal failure")]
    InternalError,
}

impl SnsRefusal {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::InvalidAction(_) => "InvalidAction",
            Self::NotFound => "NotFound",
            Self::InvalidParameter(_) => "InvalidParameter",
            Self::InvalidParameterValue(_) => "ParameterValueInvalid",
            Self::EmptyBatch => "EmptyBatchRequest",
            Self::TooManyEntries => "TooManyEntriesInBatchRequest",
            Self::EntryIdsNotDistinct => "BatchEntryIdsNotDistinct",
            Self::InvalidEntryId => "InvalidBatchEntryId",
            Self::BatchTooLong => "BatchRequestTooLong",
            Self::TopicLimitExceeded => "TopicLimitExceeded",
            Self::Throttled => "Throttling",
            Self::InternalError => "InternalError",
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TopicLimitExceeded => StatusCode::FORBIDDEN,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// A well-formed request.
#[derive(Debug)]
pub(super) enum Action {
    CreateTopic { name: String },
    GetTopicAttributes { topic_arn: String },
    Publish { topic_arn: String, message: SnsMessage },
    PublishBatch { topic_arn: String, entries: Vec<SnsEntry> },
}

/// An entry of a batch.
#[derive(Debug)]
pub(super) struct SnsEntry {
    pub(super) id: String,
    pub(super) message: SnsMessage,
}

/// The content of a publication.
#[derive(Debug)]
pub(super) struct SnsMessage {
    pub(super) subject: Option<String>,
    pub(super) body: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// The bytes that count towards the limit.
    bytes: usize,
}

/// Parses a request.
pub(super) fn action(form: Vec<(String, String)>) -> Result<Action, SnsRefusal> {
    let mut form = Fields(form.into_iter().collect());
    match form.take("Action").unwrap_or_default().as_str() {
        "CreateTopic" => Ok(Action::CreateTopic { name: topic_name(&mut form)? }),
        "GetTopicAttributes" => Ok(Action::GetTopicAttributes { topic_arn: topic_arn(&mut form)? }),
        "Publish" => publish(&mut form),
        "PublishBatch" => publish_batch(&mut form),
        other => Err(SnsRefusal::InvalidAction(other.to_owned())),
    }
}

/// The fields of a form, by their dotted names.
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn any_below(&self, prefix: &str) -> bool {
        self.0.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }
}

fn topic_name(form: &mut Fields) -> Result<String, SnsRefusal> {
    let name = form.take("Name").unwrap_or_default();
    let fits = (1..=MAX_TOPIC_NAME).contains(&name.len()) && name.chars().all(is_name_char);
    if fits { Ok(name) } else { Err(SnsRefusal::InvalidParameter("Topic Name".to_owned())) }
}

const fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

fn topic_arn(form: &mut Fields) -> Result<String, SnsRefusal> {
    let arn = form.take("TopicArn").unwrap_or_default();
    if arn.starts_with("arn:") && arn.split(':').count() == 6 {
        return Ok(arn);
    }
    let problem = format!("TopicArn Reason: \"{arn}\" is not the ARN of a topic");
    Err(SnsRefusal::InvalidParameter(problem))
}

fn publish(form: &mut Fields) -> Result<Action, SnsRefusal> {
    let topic_arn = topic_arn(form)?;
    let message = message(form, "")?;
    if message.bytes > MAX_MESSAGE_BYTES {
        return Err(SnsRefusal::InvalidParameter("Message too long".to_owned()));
    }
    Ok(Action::Publish { topic_arn, message })
}

fn publish_batch(form: &mut Fields) -> Result<Action, SnsRefusal> {
    let topic_arn = topic_arn(form)?;
    let prefixes: Vec<String> = (1..=MAX_ENTRIES + 1)
        .map(|number| format!("PublishBatchRequestEntries.member.{number}."))
        .take_while(|prefix| form.any_below(prefix))
        .collect();
    match prefixes.len() {
        0 => return Err(SnsRefusal::EmptyBatch),
        1..=MAX_ENTRIES => {}
        _ => return Err(SnsRefusal::TooManyEntries),
    }
    let ids = entry_ids(form, &prefixes)?;
    let messages = prefixes.iter().map(|prefix| message(form, prefix)).collect::<Result<Vec<_>, _>>()?;
    if messages.iter().map(|message| message.bytes).sum::<usize>() > MAX_MESSAGE_BYTES {
        return Err(SnsRefusal::BatchTooLong);
    }
    let entries = ids.into_iter().zip(messages).map(|(id, message)| SnsEntry { id, message }).collect();
    Ok(Action::PublishBatch { topic_arn, entries })
}

fn entry_ids(form: &mut Fields, prefixes: &[String]) -> Result<Vec<String>, SnsRefusal> {
    let ids: Vec<String> =
        prefixes.iter().map(|prefix| form.take(&format!("{prefix}Id")).unwrap_or_default()).collect();
    if !ids.iter().all(|id| (1..=MAX_ENTRY_ID).contains(&id.len()) && id.chars().all(is_name_char)) {
        return Err(SnsRefusal::InvalidEntryId);
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err(SnsRefusal::EntryIdsNotDistinct);
    }
    Ok(ids)
}

fn message(form: &mut Fields, prefix: &str) -> Result<SnsMessage, SnsRefusal> {
    let body = form.take(&format!("{prefix}Message")).unwrap_or_default();
    if body.is_empty() {
        return Err(SnsRefusal::InvalidParameter("Empty message".to_owned()));
    }
    if let Some(character) = body.chars().find(|character| !is_message_char(*character)) {
        let problem = format!("Message Reason: U+{:04X} is not allowed", u32::from(character));
        return Err(SnsRefusal::InvalidParameter(problem));
    }
    let subject = form.take(&format!("{prefix}Subject")).map(subject).transpose()?;
    let (attributes, attribute_bytes) = attributes(form, prefix)?;
    let bytes = body.len() + subject.as_ref().map_or(0, String::len) + attribute_bytes;
    Ok(SnsMessage { subject, body, attributes, bytes })
}

/// The characters that XML 1.0 can carry.
const fn is_message_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn subject(subject: String) -> Result<String, SnsRefusal> {
    let fits = (1..=MAX_SUBJECT).contains(&subject.len())
        && subject.chars().all(|character| matches!(character, ' '..='~'))
        && !subject.starts_with(' ');
    if fits { Ok(subject) } else { Err(SnsRefusal::InvalidParameter("Subject".to_owned())) }
}

/// The attributes, and their size: names, types and values.
fn attributes(form: &mut Fields, prefix: &str) -> Result<(BTreeMap<String, String>, usize), SnsRefusal> {
    let (mut attributes, mut bytes) = (BTreeMap::new(), 0);
    for number in 1.. {
        let entry = format!("{prefix}MessageAttributes.entry.{number}.");
        let Some(name) = form.take(&format!("{entry}Name")) else { break };
        let kind = form.take(&format!("{entry}Value.DataType")).unwrap_or_default();
        let value = attribute_value(form, &entry, &name, &kind)?;
        bytes += name.len() + kind.len() + value.len();
        attributes.insert(name, value);
    }
    Ok((attributes, bytes))
}

fn attribute_value(form: &mut Fields, entry: &str, name: &str, kind: &str) -> Result<String, SnsRefusal> {
    let property = match kind.split('.').next() {
        Some("String" | "Number") => "StringValue",
        Some("Binary") => "BinaryValue",
        _ => {
            let problem = format!("The message attribute '{name}' has an invalid message attribute type.");
            return Err(SnsRefusal::InvalidParameterValue(problem));
        }
    };
    form.take(&format!("{entry}Value.{property}")).filter(|value| !value.is_empty()).ok_or_else(|| {
        SnsRefusal::InvalidParameterValue(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message \
             attribute type '{kind}'."
        ))
    })
}
