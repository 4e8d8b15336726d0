//! The readers of single properties.

use chrono::TimeDelta;

use super::error::TemplateError;
use super::filter::FilterPattern;
use super::node::Node;
use super::{AttributeKind, AttributeSpec, IndexSpec, Projection, StreamView};

/// The longest accepted rate, in days. The bound keeps the arithmetic far from its limits.
const MAX_RATE_DAYS: i64 = 366;

/// How long a stream keeps its records.
const STREAM_RETENTION_SECONDS: i64 = 86_400;

/// Refuses a property that makes AWS behave differently from this machine.
pub(super) fn refuse(node: &Node<'_>, property: &str) -> Result<(), TemplateError> {
    node.get(property).map_or(Ok(()), |node| Err(node.unexpected("left out, for it cannot be run here")))
}

pub(super) fn keys(node: &Node<'_>) -> Result<(String, Option<String>), TemplateError> {
    let schema = node.need("KeySchema")?;
    let (mut hash, mut range) = (None, None);
    for element in schema.items()? {
        let name = element.need("AttributeName")?.text()?.to_owned();
        let kind = element.need("KeyType")?;
        match kind.text()? {
            "HASH" => hash = Some(name),
            "RANGE" => range = Some(name),
            _ => return Err(kind.unexpected("HASH or RANGE")),
        }
    }
    Ok((hash.ok_or_else(|| schema.unexpected("a list with a HASH key"))?, range))
}

pub(super) fn attribute(node: &Node<'_>) -> Result<AttributeSpec, TemplateError> {
    let kind = node.need("AttributeType")?;
    let kind = match kind.text()? {
        "S" => AttributeKind::S,
        "N" => AttributeKind::N,
        "B" => AttributeKind::B,
        _ => return Err(kind.unexpected("S, N or B")),
    };
    Ok(AttributeSpec { name: node.need("AttributeName")?.text()?.to_owned(), kind })
}

pub(super) fn index(node: &Node<'_>) -> Result<IndexSpec, TemplateError> {
    let (hash_key, range_key) = keys(node)?;
    Ok(IndexSpec {
        name: node.need("IndexName")?.text()?.to_owned(),
        hash_key,
        range_key,
        projection: projection(&node.need("Projection")?)?,
    })
}

fn projection(node: &Node<'_>) -> Result<Projection, TemplateError> {
    let kind = node.need("ProjectionType")?;
    match kind.text()? {
        "KEYS_ONLY" => Ok(Projection::KeysOnly),
        "ALL" => Ok(Projection::All),
        _ => Err(kind.unexpected("KEYS_ONLY or ALL")),
    }
}

pub(super) fn stream_view(node: &Node<'_>) -> Result<StreamView, TemplateError> {
    let view = node.need("StreamViewType")?;
    match view.text()? {
        "KEYS_ONLY" => Ok(StreamView::KeysOnly),
        "NEW_IMAGE" => Ok(StreamView::NewImage),
        "OLD_IMAGE" => Ok(StreamView::OldImage),
        "NEW_AND_OLD_IMAGES" => Ok(StreamView::NewAndOldImages),
        _ => Err(view.unexpected("KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES")),
    }
}

/// A number from 1 to `most`.
pub(super) fn count(
    node: &Node<'_>,
    property: &str,
    default: i64,
    most: i64,
    expected: &'static str,
) -> Result<u32, TemplateError> {
    let Some(node) = node.get(property) else { return Ok(u32::try_from(default).unwrap_or(1)) };
    count_of(&node, most, expected)
}

pub(super) fn count_of(node: &Node<'_>, most: i64, expected: &'static str) -> Result<u32, TemplateError> {
    u32::try_from(node.number(1..=most, expected)?).map_err(|_| node.unexpected(expected))
}

pub(super) fn seconds(
    node: &Node<'_>,
    property: &str,
    default: i64,
    most: i64,
    expected: &'static str,
) -> Result<TimeDelta, TemplateError> {
    let seconds = node.get(property).map_or(Ok(default), |node| node.number(0..=most, expected))?;
    Ok(TimeDelta::seconds(seconds))
}

pub(super) fn reports_failures(node: &Node<'_>) -> Result<bool, TemplateError> {
    let mut reports = false;
    for kind in node.items_of("FunctionResponseTypes")? {
        if kind.text()? != "ReportBatchItemFailures" {
            return Err(kind.unexpected("ReportBatchItemFailures"));
        }
        reports = true;
    }
    Ok(reports)
}

/// -1, like an absent property, means without end.
pub(super) fn retry_attempts(node: &Node<'_>) -> Result<Option<u32>, TemplateError> {
    let Some(node) = node.get("MaximumRetryAttempts") else { return Ok(None) };
    Ok(u32::try_from(node.number(-1..=10_000, "-1 to 10000")?).ok())
}

/// -1, like an absent property, means as long as the stream keeps records.
pub(super) fn record_age(node: &Node<'_>) -> Result<TimeDelta, TemplateError> {
    let age = match node.get("MaximumRecordAgeInSeconds") {
        None => -1,
        Some(node) => node.number(-1..=604_800, "-1, or 60 to 604800 seconds").and_then(|age| match age {
            0..60 => Err(node.unexpected("-1, or 60 to 604800 seconds")),
            age => Ok(age),
        })?,
    };
    let bounded = if age < 0 { STREAM_RETENTION_SECONDS } else { age.min(STREAM_RETENTION_SECONDS) };
    Ok(TimeDelta::seconds(bounded))
}

pub(super) fn filters(node: &Node<'_>) -> Result<Vec<FilterPattern>, TemplateError> {
    let Some(criteria) = node.get("FilterCriteria") else { return Ok(Vec::new()) };
    let mut filters = Vec::new();
    for filter in criteria.items_of("Filters")? {
        let node = filter.need("Pattern")?;
        filters.push(FilterPattern::parse(node.text()?).map_err(|error| TemplateError::Pattern {
            resource: node.resource().to_owned(),
            property: node.property(),
            error,
        })?);
    }
    Ok(filters)
}

/// The period of a rate expression such as `rate(15 minutes)`.
pub(super) fn rate(node: &Node<'_>) -> Result<TimeDelta, TemplateError> {
    parse_rate(node.text()?).ok_or_else(|| node.unexpected("rate(N minutes), rate(N hours) or rate(N days)"))
}

fn parse_rate(expression: &str) -> Option<TimeDelta> {
    let (number, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    let every = match unit {
        "minute" | "minutes" => TimeDelta::try_minutes(number.into()),
        "hour" | "hours" => TimeDelta::try_hours(number.into()),
        "day" | "days" => TimeDelta::try_days(number.into()),
        _ => None,
    };
    every.filter(|every| *every <= TimeDelta::days(MAX_RATE_DAYS))
}

/// The last component of the code's path.
pub(super) fn directory(node: &Node<'_>) -> Result<String, TemplateError> {
    let name = node
        .text()?
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|name| !matches!(*name, "" | "." | ".."));
    name.map(str::to_owned).ok_or_else(|| node.unexpected("the path of a directory"))
}
