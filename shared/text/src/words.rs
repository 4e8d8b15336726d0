//! A text after parsing.

use std::collections::BTreeMap;
use std::fmt::Write;

use duewatch_domain::policy::Language;

/// A pattern: its parts, concatenated.
pub(crate) type Pattern = Vec<PatternPart>;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatternPart {
    /// Literal text.
    Text(String),
    /// The value of the named variable.
    Variable(String),
    /// One of several patterns, chosen by a variable's value.
    Select {
        variable: String,
        /// Each pattern with the key that chooses it.
        variants: Vec<(VariantSelector, Pattern)>,
        /// The default pattern.
        otherwise: Pattern,
    },
}

/// The key of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VariantSelector {
    /// Chosen by this number.
    Number(u32),
    /// Chosen by this text, or by a number of this plural category.
    Name(String),
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Number(u32),
    /// Text, inserted unchanged.
    Text(&'a str),
}

/// A variable of a message, with its value.
pub type Argument<'a> = (&'static str, Value<'a>);

/// A message of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FluentMessage {
    pub(crate) value: Option<Pattern>,
    /// The form for text messages, where it differs.
    pub(crate) short: Option<Pattern>,
}

/// The messages of a text, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub(crate) language: Language,
    pub(crate) messages: BTreeMap<String, FluentMessage>,
}

impl Words {
    /// Whether there is a message of that name with a text.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.messages.get(id).is_some_and(|message| message.value.is_some())
    }

    /// The names of the messages, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.messages.keys().map(String::as_str)
    }

    /// A message's text; `None` where there is no such message.
    ///
    /// # Errors
    /// The variable that the message uses and the caller does not provide.
    pub fn say(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
        let pattern = self.messages.get(id).and_then(|message| message.value.as_ref());
        self.pattern(id, pattern, arguments)
    }

    /// A message's form for text messages.
    ///
    /// # Errors
    /// As [`Self::say`].
    pub fn say_short(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
        let pattern =
            self.messages.get(id).and_then(|message| message.short.as_ref().or(message.value.as_ref()));
        self.pattern(id, pattern, arguments)
    }

    fn pattern(
        &self,
        id: &str,
        pattern: Option<&Pattern>,
        arguments: &[Argument<'_>],
    ) -> Result<Option<String>, String> {
        let Some(pattern) = pattern else { return Ok(None) };
        let mut said = String::new();
        let unknown = |variable| format!("{id}: there is no variable ${variable}");
        self.write(&mut said, pattern, arguments).map_err(unknown).map(|()| Some(said))
    }

    /// Writes a pattern, or names the variable that is not provided. The reader bounds a pattern's depth.
    fn write<'a>(
        &self,
        said: &mut String,
        pattern: &'a [PatternPart],
        arguments: &[Argument<'_>],
    ) -> Result<(), &'a str> {
        let value = |variable: &'a str| {
            arguments.iter().find(|(name, _)| *name == variable).map(|(_, value)| value).ok_or(variable)
        };
        for part in pattern {
            match part {
                PatternPart::Text(text) => said.push_str(text),
                PatternPart::Variable(variable) => match value(variable)? {
                    // Writing to a string cannot fail.
                    Value::Number(number) => drop(write!(said, "{number}")),
                    Value::Text(text) => said.push_str(text),
                },
                PatternPart::Select { variable, variants, otherwise } => {
                    let value = value(variable)?;
                    let chosen = variants.iter().find(|(key, _)| self.is_of(value, key));
                    self.write(said, chosen.map_or(otherwise, |(_, pattern)| pattern), arguments)?;
                }
            }
        }
        Ok(())
    }

    fn is_of(&self, value: &Value<'_>, key: &VariantSelector) -> bool {
        match (value, key) {
            (Value::Number(number), VariantSelector::Number(key)) => number == key,
            (Value::Number(number), VariantSelector::Name(category)) => category == self.plural(*number),
            (Value::Text(text), VariantSelector::Name(key)) => text == key,
            (Value::Text(_), VariantSelector::Number(_)) => false,
        }
    }

    /// The plural category of a whole number (CLDR, cardinals).
    fn plural(&self, number: u32) -> &'static str {
        match (self.language, number) {
            (Language::En, 1) => "one",
            (Language::En | Language::Zh, _) => "other",
        }
    }
}
