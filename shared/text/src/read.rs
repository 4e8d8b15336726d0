//! The reader of Fluent texts.
//!
//! The parser is Fluent's own. This module keeps a part of its tree: patterns of text, variables and choices,
//! with terms inlined where they are used. It finds every fault, with its place, when a text is read, so
//! that rendering has none left to meet.

use std::collections::BTreeMap;

use duewatch_domain::policy::Language;
use fluent_syntax::ast::{self, Entry, Expression, InlineExpression, PatternElement, VariantKey};
use fluent_syntax::parser;
use fluent_syntax::unicode::unescape_unicode_to_string;

use crate::words::{FluentMessage, Pattern, PatternPart, VariantSelector, Words};

/// The greatest depth of nested placeables, and of terms.
const MAX_DEPTH: usize = 8;
/// The most bytes of a text with its terms inlined; each part counts as one more.
const MAX_BYTES: usize = 32_000;
/// The byte offset of a fault in a text, and the fault.
pub type SourceFault = (usize, String);

/// The variables of a message, by its name; or why a text has no such message.
pub type VariablesOf = fn(&str) -> Result<&'static [&'static str], String>;

/// The messages that a text may have.
#[derive(Clone, Copy, Debug)]
pub enum TextForm {
    /// Names and variables of its own, and a short form of each as the attribute `sms`.
    Open,
    /// The named messages alone, each with its variables and without attributes.
    Fixed(VariablesOf),
}

/// Reads a text.
///
/// # Errors
/// Its first fault.
pub fn read(text: &str, language: Language, form: TextForm) -> Result<Words, SourceFault> {
    if let Some(offset) = too_deep(text) {
        return Err((offset, format!("no more than {MAX_DEPTH} placeables stand in one another")));
    }
    let resource = parser::parse(text).map_err(|(_, errors)| {
        let first = errors.into_iter().min_by_key(|error| error.pos.start);
        first.map_or((0, String::new()), |error| {
            (error.pos.start, format!("this is not Fluent: {}", error.kind))
        })
    })?;
    let mut reader = Reader { text, terms: BTreeMap::new(), bytes: 0 };
    for entry in &resource.body {
        if let Entry::Term(term) = entry
            && reader.terms.insert(term.id.name, &term.value).is_some()
        {
            return Err(reader.fault(term.id.name, format!("-{} is there twice", term.id.name)));
        }
    }
    let mut messages = BTreeMap::new();
    for entry in &resource.body {
        match entry {
            Entry::Message(message) => {
                let name = message.id.name;
                let read = reader.message(message, form)?;
                if messages.insert(name.to_owned(), read).is_some() {
                    return Err(reader.fault(name, format!("\"{name}\" is there twice")));
                }
            }
            // An unused term must be valid too.
            Entry::Term(term) => drop(reader.pattern(&term.value, Some(&[]), 0)?),
            _ => {}
        }
    }
    Ok(Words { language, messages })
}

/// The offset of the first placeable that is nested too deep. Fluent's own parser sets no limit.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            // Outside a placeable a quote is a character like any other; no string spans lines.
            b'"' if depth > 0 => is_quoted = !is_quoted,
            b'\n' => is_quoted = false,
            b'{' if !is_quoted => depth += 1,
            b'}' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(offset);
        }
    }
    None
}

/// The variables that a pattern may use; `None` for any.
type AllowedVariables = Option<&'static [&'static str]>;

struct Reader<'a> {
    text: &'a str,
    terms: BTreeMap<&'a str, &'a ast::Pattern<&'a str>>,
    /// Bytes read so far.
    bytes: usize,
}

impl<'a> Reader<'a> {
    /// A fault at a part of the text.
    fn fault(&self, part: &str, problem: String) -> SourceFault {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        (offset.min(self.text.len()), problem)
    }

    fn message(
        &mut self,
        message: &ast::Message<&'a str>,
        form: TextForm,
    ) -> Result<FluentMessage, SourceFault> {
        let name = message.id.name;
        let known = match form {
            TextForm::Open => None,
            TextForm::Fixed(variables_of) => {
                Some(variables_of(name).map_err(|problem| self.fault(name, problem))?)
            }
        };
        let mut read = FluentMessage::default();
        for attribute in &message.attributes {
            let name = attribute.id.name;
            if matches!(form, TextForm::Fixed(_)) || name != "sms" {
                let problem = format!("\".{name}\": no part of a template has attributes");
                return Err(self.fault(name, problem));
            }
            read.short = Some(self.pattern(&attribute.value, known, 0)?);
        }
        read.value = message.value.as_ref().map(|value| self.pattern(value, known, 0)).transpose()?;
        Ok(read)
    }

    /// Reads a pattern at a depth of nested terms.
    fn pattern(
        &mut self,
        pattern: &ast::Pattern<&'a str>,
        known: AllowedVariables,
        depth: usize,
    ) -> Result<Pattern, SourceFault> {
        let mut parts = Vec::new();
        for element in &pattern.elements {
            self.bytes += 1 + match element {
                PatternElement::TextElement { value } => value.len(),
                PatternElement::Placeable { .. } => 0,
            };
            if self.bytes > MAX_BYTES {
                return Err((0, format!("with its terms put in, a text has at most {MAX_BYTES} bytes")));
            }
            match element {
                PatternElement::TextElement { value } => parts.push(PatternPart::Text((*value).to_owned())),
                PatternElement::Placeable { expression } => {
                    self.expression(&mut parts, expression, known, depth)?;
                }
            }
        }
        Ok(parts)
    }

    fn expression(
        &mut self,
        parts: &mut Pattern,
        expression: &Expression<&'a str>,
        known: AllowedVariables,
        depth: usize,
    ) -> Result<(), SourceFault> {
        let (selector, variants) = match expression {
            Expression::Inline(inline) => return self.inline(parts, inline, known, depth),
            Expression::Select { selector, variants } => (selector, variants),
        };
        let InlineExpression::VariableReference { id } = selector else {
            let place = variants.first().map_or("", |variant| key_text(&variant.key));
            return Err(self.fault(place, "only a variable chooses between variants".to_owned()));
        };
        let variable = self.variable(id.name, known)?;
        let (mut chosen, mut otherwise) = (Vec::new(), Vec::new());
        for variant in variants {
            let pattern = self.pattern(&variant.value, known, depth)?;
            if variant.default {
                otherwise.clone_from(&pattern);
            }
            chosen.push((self.key(&variant.key)?, pattern));
        }
        parts.push(PatternPart::Select { variable, variants: chosen, otherwise });
        Ok(())
    }

    fn key(&self, key: &VariantKey<&'a str>) -> Result<VariantSelector, SourceFault> {
        match key {
            VariantKey::Identifier { name } => Ok(VariantSelector::Name((*name).to_owned())),
            VariantKey::NumberLiteral { value } => value
                .parse()
                .map(VariantSelector::Number)
                .map_err(|_| self.fault(value, format!("{value} is no count: write a whole number"))),
        }
    }

    fn variable(&self, name: &str, known: AllowedVariables) -> Result<String, SourceFault> {
        match known {
            Some(known) if !known.contains(&name) => {
                let known: Vec<String> = known.iter().map(|name| format!("${name}")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(self.fault(name, format!("there is no variable ${name} here; there is {known}")))
            }
            _ => Ok(name.to_owned()),
        }
    }

    fn inline(
        &mut self,
        parts: &mut Pattern,
        inline: &InlineExpression<&'a str>,
        known: AllowedVariables,
        depth: usize,
    ) -> Result<(), SourceFault> {
        match inline {
            InlineExpression::StringLiteral { value } => {
                parts.push(PatternPart::Text(unescape_unicode_to_string(value).into_owned()));
            }
            InlineExpression::NumberLiteral { value } => parts.push(PatternPart::Text((*value).to_owned())),
            InlineExpression::Placeable { expression } => self.expression(parts, expression, known, depth)?,
            InlineExpression::VariableReference { id } => {
                parts.push(PatternPart::Variable(self.variable(id.name, known)?));
            }
            InlineExpression::TermReference { id, attribute: None, arguments: None } => {
                let Some(term) = self.terms.get(id.name).copied() else {
                    return Err(self.fault(id.name, format!("there is no term -{}", id.name)));
                };
                if depth == MAX_DEPTH {
                    let problem =
                        format!("-{}: no more than {MAX_DEPTH} terms stand in one another", id.name);
                    return Err(self.fault(id.name, problem));
                }
                // A term has no variables.
                parts.extend(self.pattern(term, Some(&[]), depth + 1)?);
            }
            InlineExpression::TermReference { id, attribute: None, arguments: Some(_) } => {
                return Err(self.fault(id.name, format!("-{}: a term takes nothing", id.name)));
            }
            InlineExpression::TermReference { id, .. } | InlineExpression::MessageReference { id, .. } => {
                let problem = format!("\"{}\": a template refers to terms (-name) alone", id.name);
                return Err(self.fault(id.name, problem));
            }
            InlineExpression::FunctionReference { id, .. } => {
                return Err(self.fault(id.name, format!("{}(): there are no functions", id.name)));
            }
        }
        Ok(())
    }
}

fn key_text<'a>(key: &VariantKey<&'a str>) -> &'a str {
    match key {
        VariantKey::Identifier { name } => name,
        VariantKey::NumberLiteral { value } => value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// For any text, the result is its words or a place in the text.
        #[test]
        fn any_text_is_read_or_has_a_place(
            text in "(text = |account = |-t = |\\{ |\\}|\\$days|\\$accounts|-t| ->|\n|   |\\[one\\] |\\*\\[other\\] |\"|\\\\|\\(|,|#|一|.){0,24}",
        ) {
            if let Err((offset, problem)) = read(&text, Language::En, TextForm::Open) {
                prop_assert!(offset <= text.len() && !problem.is_empty(), "{offset}: {problem}");
            }
        }
    }
}
