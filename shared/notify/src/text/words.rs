//! What a text says, once it is read.

use std::collections::BTreeMap;
use std::fmt::Write;

use duewatch_domain::policy::Language;

/// A pattern: its parts are said one after the other.
pub(super) type Pattern = Vec<Part>;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Itself.
    Text(String),
    /// What the variable of that name holds.
    Variable(String),
    /// One of several patterns, by what a variable holds.
    Select {
        /// The variable.
        variable: String,
        /// When which one is said.
        variants: Vec<(Key, Pattern)>,
        /// What is said otherwise.
        otherwise: Pattern,
    },
}

/// When a variant is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Of that number.
    Number(u32),
    /// Of that text, or of a number of that plural category.
    Name(String),
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A count.
    Number(u32),
    /// Text that is said as it is.
    Text(&'a str),
}

/// A variable of a message, and what it holds.
pub(super) type Argument<'a> = (&'static str, Value<'a>);

/// A message of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// What it says.
    pub(super) value: Option<Pattern>,
    /// What it says in a text message, where that is something else.
    pub(super) short: Option<Pattern>,
}

/// The messages of a text, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) messages: BTreeMap<String, Message>,
}

impl Words {
    /// What a message says; none where there is no such message.
    ///
    /// # Errors
    /// The variable that the message asks for and is not given.
    pub(super) fn say(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
        let pattern = self.messages.get(id).and_then(|message| message.value.as_ref());
        self.pattern(id, pattern, arguments)
    }

    /// What a message says in a text message.
    ///
    /// # Errors
    /// Those of [`Self::say`].
    pub(super) fn say_short(&self, id: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
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

    /// Says a pattern; or else names the variable that is not given. A pattern is as deep as its
    /// reader lets it be.
    fn write<'a>(
        &self,
        said: &mut String,
        pattern: &'a [Part],
        arguments: &[Argument<'_>],
    ) -> Result<(), &'a str> {
        let value = |variable: &'a str| {
            arguments.iter().find(|(name, _)| *name == variable).map(|(_, value)| value).ok_or(variable)
        };
        for part in pattern {
            match part {
                Part::Text(text) => said.push_str(text),
                Part::Variable(variable) => match value(variable)? {
                    // Writing to a string cannot fail.
                    Value::Number(number) => drop(write!(said, "{number}")),
                    Value::Text(text) => said.push_str(text),
                },
                Part::Select { variable, variants, otherwise } => {
                    let value = value(variable)?;
                    let chosen = variants.iter().find(|(key, _)| self.is_of(value, key));
                    self.write(said, chosen.map_or(otherwise, |(_, pattern)| pattern), arguments)?;
                }
            }
        }
        Ok(())
    }

    fn is_of(&self, value: &Value<'_>, key: &Key) -> bool {
        match (value, key) {
            (Value::Number(number), Key::Number(key)) => number == key,
            (Value::Number(number), Key::Name(category)) => category == self.plural(*number),
            (Value::Text(text), Key::Name(key)) => text == key,
            (Value::Text(_), Key::Number(_)) => false,
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
