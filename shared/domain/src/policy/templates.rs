//! The lender's own templates in a policy, and the places in its text that name them.
//!
//! The renderer checks a template's content. Here a template is a bounded string.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::document::PolicyError;
use super::language::Language;

/// The most templates that a policy may define.
pub const MAX_TEMPLATES: usize = 100;

/// The most bytes of one text.
pub const MAX_TEMPLATE_BYTES: usize = 8_000;

/// The most bytes of all texts of a policy together: the policy must fit into one item with all its other
/// parts.
pub const MAX_TEMPLATES_BYTES: usize = 100_000;

/// The templates of a policy, by name. One of a shipped name replaces the shipped one.
pub type Templates = BTreeMap<String, MessageTemplate>;

/// One message in each language of borrowers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageTemplate {
    pub zh: String,
    pub en: String,
}

impl MessageTemplate {
    /// The text in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}

/// The fault of a policy's templates; none: they are valid.
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

/// A place in a policy that holds or names a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPlace {
    Announcement,
    /// The template of a reminder step, by index from 0.
    Step(usize),
    /// The template for third-party contacts.
    ThirdParties,
    /// Within one of the policy's own templates.
    Template {
        name: String,
        language: Language,
        /// Bytes of the text before the place.
        offset: usize,
    },
}

/// The fault at that place, with line and column as in other errors of a policy. For a text written with
/// escapes, the place is the text's beginning.
#[must_use]
pub fn fault_at(text: &str, place: &TextPlace, problem: String) -> PolicyError {
    PolicyError::at(text, offset(text, place).unwrap_or(0), problem)
}

fn offset(text: &str, place: &TextPlace) -> Option<usize> {
    let spans: Spans = toml::from_str(text).ok()?;
    let named = match place {
        TextPlace::Announcement => spans.announcement?.template,
        TextPlace::Step(step) => spans.reminders?.steps.into_iter().nth(*step)?.template,
        TextPlace::ThirdParties => spans.contact?.contact_persons?.template,
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

/// The parts of a policy that locate its texts.
#[derive(Deserialize)]
struct Spans {
    announcement: Option<Naming>,
    reminders: Option<StepSpans>,
    contact: Option<ContactSpans>,
    #[serde(default)]
    templates: BTreeMap<String, TemplateSpans>,
}

#[derive(Deserialize)]
struct Naming {
    template: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct StepSpans {
    #[serde(default)]
    steps: Vec<Naming>,
}

#[derive(Deserialize)]
struct ContactSpans {
    contact_persons: Option<Naming>,
}

#[derive(Deserialize)]
struct TemplateSpans {
    zh: Spanned<String>,
    en: Spanned<String>,
}
