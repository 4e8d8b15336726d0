//! Texts of the lender's own, as a policy brings them, and where a policy's text names them.
//!
//! What a text says is for whoever renders it to judge: here it is a bounded string.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::document::PolicyError;
use super::language::Language;

/// The most templates that a policy may bring.
pub const MAX_TEMPLATES: usize = 100;

/// The most bytes of one text.
pub const MAX_TEMPLATE_BYTES: usize = 8_000;

/// The most bytes of all texts of a policy together: it has to fit into one item, with all else
/// that it says.
pub const MAX_TEMPLATES_BYTES: usize = 100_000;

/// The templates that a policy brings, by name. One of a shipped name takes its place.
pub type Templates = BTreeMap<String, Template>;

/// One message in every language that borrowers are written to in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Template {
    /// The text in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}

/// What is wrong with a policy's templates; none where nothing is.
pub(super) fn fault(templates: &Templates) -> Option<String> {
    if templates.len() > MAX_TEMPLATES {
        return Some(format!("templates: a policy brings at most {MAX_TEMPLATES}"));
    }
    let mut bytes = 0;
    for (name, template) in templates {
        if let Err(problem) = super::check::check_template(name) {
            return Some(format!("templates: {problem}"));
        }
        for (language, text) in [("zh", &template.zh), ("en", &template.en)] {
            if text.trim().is_empty() || text.len() > MAX_TEMPLATE_BYTES {
                return Some(format!("templates.{name}.{language}: 1 to {MAX_TEMPLATE_BYTES} bytes"));
            }
            bytes += text.len();
        }
    }
    (bytes > MAX_TEMPLATES_BYTES)
        .then(|| format!("templates: all texts together have at most {MAX_TEMPLATES_BYTES} bytes"))
}

/// A place in a policy where a text stands or is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPlace {
    /// The template of the announcement.
    Announcement,
    /// The template of a reminder step, from 0.
    Step(usize),
    /// The template for contact persons.
    ContactPersons,
    /// Within a template of the policy's own.
    Template {
        /// Its name.
        name: String,
        /// In which language.
        language: Language,
        /// How many bytes of the text stand before the place.
        offset: usize,
    },
}

/// What is wrong at that place, with line and column as other errors of a policy. Of a text that
/// is written with escapes, the place is where it begins.
#[must_use]
pub fn fault_at(text: &str, place: &TextPlace, problem: String) -> PolicyError {
    PolicyError::at(text, offset(text, place).unwrap_or(0), problem)
}

fn offset(text: &str, place: &TextPlace) -> Option<usize> {
    let spans: Spans = toml::from_str(text).ok()?;
    let named = match place {
        TextPlace::Announcement => spans.announcement?.template,
        TextPlace::Step(step) => spans.reminders?.steps.into_iter().nth(*step)?.template,
        TextPlace::ContactPersons => spans.contact?.contact_persons?.template,
        TextPlace::Template { name, language, offset } => {
            let template = spans.templates.get(name)?;
            let value = match language {
                Language::Zh => &template.zh,
                Language::En => &template.en,
            };
            let start = value.span().start;
            let written = text.get(value.span())?;
            let inside = written.find(value.get_ref().as_str()).map_or(0, |quotes| quotes + offset);
            return Some(start + inside);
        }
    };
    Some(named?.span().start)
}

/// As much of a policy as tells where its texts are.
#[derive(Deserialize)]
struct Spans {
    announcement: Option<Naming>,
    reminders: Option<Steps>,
    contact: Option<Contact>,
    #[serde(default)]
    templates: BTreeMap<String, Written>,
}

#[derive(Deserialize)]
struct Naming {
    template: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Steps {
    #[serde(default)]
    steps: Vec<Naming>,
}

#[derive(Deserialize)]
struct Contact {
    contact_persons: Option<Naming>,
}

#[derive(Deserialize)]
struct Written {
    zh: Spanned<String>,
    en: Spanned<String>,
}
