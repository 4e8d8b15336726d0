//! The rules of a policy's publication: which version may follow which, and from when on it may bind.

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;

use super::document::PolicyError;
use super::versions::Announcement;
use super::{Policy, PolicyRef};

/// Why a version may not be published. Each refusal says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicationRefusal {
    /// The policy has no version yet.
    #[error("{0}: a policy begins with version 1")]
    NotFirst(PolicyRef),
    #[error("{policy}: version {latest} is the latest, so the next one is version {}", u64::from(*latest) + 1)]
    NotNext { policy: PolicyRef, latest: u32 },
    #[error(
        "{policy}: effective_on: {effective_on} has passed; name a date from {today} on, or say why with \
         --backdate REASON: the version then binds from its publication"
    )]
    InThePast { policy: PolicyRef, effective_on: NaiveDate, today: NaiveDate },
    #[error(
        "{policy}: announcement: version {before} announces stricter terms, and no later version may bind them \
         unannounced; keep the table [announcement]"
    )]
    AnnouncementDropped { policy: PolicyRef, before: u32 },
}

/// Checks that a version may follow the latest one, on a date (UTC): its number is the next, its effective date
/// has not passed, or a reason says why it has, and it keeps the policy's announcement. A policy's first version
/// has number 1 and any effective date.
///
/// # Errors
/// The first [`PublicationRefusal`].
pub fn check_publication(
    latest: Option<&Policy>,
    policy: &Policy,
    today: NaiveDate,
    backdated: Option<&str>,
) -> Result<(), PublicationRefusal> {
    let reference = policy.reference();
    let Some(latest) = latest else {
        return if policy.version == 1 { Ok(()) } else { Err(PublicationRefusal::NotFirst(reference)) };
    };
    if latest.version.checked_add(1) != Some(policy.version) {
        return Err(PublicationRefusal::NotNext { policy: reference, latest: latest.version });
    }
    let has_reason = backdated.is_some_and(|reason| !reason.trim().is_empty());
    if policy.effective_on < today && !has_reason {
        let effective_on = policy.effective_on;
        return Err(PublicationRefusal::InThePast { policy: reference, effective_on, today });
    }
    if latest.announcement.is_some() && policy.announcement.is_none() {
        return Err(PublicationRefusal::AnnouncementDropped { policy: reference, before: latest.version });
    }
    Ok(())
}

/// The text of a policy as it is stored and digested: without a byte-order mark, with line feeds alone, and with
/// one at its end.
#[must_use]
pub fn canonical_text(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    format!("{}\n", text.trim_end())
}

/// The version in a policy's text, with its place.
#[derive(Deserialize)]
struct NumberedText {
    version: Spanned<u32>,
    announcement: Option<toml::Value>,
}

/// The text of a version with another number, as it is published again. Where the text has no announcement, it
/// takes on the given one.
///
/// # Errors
/// When the text is no policy.
pub fn next_version(
    text: &str,
    version: u32,
    announcement: Option<&Announcement>,
) -> Result<String, PolicyError> {
    let numbered: NumberedText = toml::from_str(text).map_err(|error| {
        PolicyError::at(text, error.span().map_or(0, |span| span.start), error.message().to_owned())
    })?;
    let mut next = text.to_owned();
    next.replace_range(numbered.version.span(), &version.to_string());
    if let (None, Some(Announcement { days, channel, template })) = (&numbered.announcement, announcement) {
        let channel = channel.as_str();
        let table =
            format!("[announcement]\ndays = {days}\nchannel = \"{channel}\"\ntemplate = \"{template}\"\n");
        next = format!("{}\n{table}", canonical_text(&next));
    }
    Ok(next)
}
