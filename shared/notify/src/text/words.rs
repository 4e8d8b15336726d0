//! What a Fluent resource says.

use std::fmt;

use duewatch_domain::policy::describe::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// The messages of a resource, in one language.
pub(super) struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("languages", &self.bundle.locales).finish_non_exhaustive()
    }
}

/// A variable of a message, and its value.
pub(super) type Argument<'a> = (&'static str, FluentValue<'a>);

impl Words {
    /// Those of a text; otherwise what is wrong with it, and so many bytes from its beginning.
    pub(super) fn new(text: &str, language: Language) -> Result<Self, (usize, String)> {
        let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
            let first = errors.into_iter().min_by_key(|error| error.pos.start);
            first.map_or((0, String::new()), |error| (error.pos.start, error.kind.to_string()))
        })?;
        let locale = match language {
            Language::Zh => "zh",
            Language::En => "en",
        };
        let mut bundle = FluentBundle::new_concurrent(vec![locale.parse().unwrap_or_default()]);
        // The marks around what is filled in would stand in every text message.
        bundle.set_use_isolating(false);
        let twice = |errors: Vec<_>| (0, errors.first().map_or_else(String::new, ToString::to_string));
        bundle.add_resource(resource).map_err(|errors: Vec<fluent_bundle::FluentError>| twice(errors))?;
        Ok(Self { bundle })
    }

    /// What a message says; none where there is no such message.
    ///
    /// # Errors
    /// What cannot be said, in Fluent's words.
    pub(super) fn say(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
        self.pattern(id, None, arguments)
    }

    /// What a message says in a text message: its attribute `sms`, or else itself.
    ///
    /// # Errors
    /// Those of [`Self::say`].
    pub(super) fn say_short(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
        match self.pattern(id, Some("sms"), arguments)? {
            Some(said) => Ok(Some(said)),
            None => self.say(id, arguments),
        }
    }

    fn pattern(
        &self,
        id: &str,
        attribute: Option<&str>,
        arguments: &[Argument<'_>],
    ) -> Result<Option<String>, String> {
        let Some(message) = self.bundle.get_message(id) else { return Ok(None) };
        let pattern = match attribute {
            None => message.value(),
            Some(attribute) => message.get_attribute(attribute).map(|one| one.value()),
        };
        let Some(pattern) = pattern else { return Ok(None) };
        let arguments: FluentArgs<'_> =
            arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
        errors.first().map_or_else(|| Ok(Some(said)), |error| Err(format!("{id}: {error}")))
    }
}
