//! What a template may say.

use std::collections::BTreeSet;

use duewatch_domain::policy::TextPlace;
use duewatch_domain::policy::describe::Language;
use fluent_bundle::FluentValue;
use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

use super::words::{Argument, Words};

/// How deep placeables may stand in one another.
const MAX_DEPTH: usize = 8;
/// What a template says once for all accounts.
pub(super) const PARTS_OF_A_MESSAGE: [&str; 3] = ["text", "sms", "subject"];
/// What they know.
const OF_A_MESSAGE: [&str; 1] = ["accounts"];
/// What `account` knows.
const OF_AN_ACCOUNT: [&str; 4] = ["account", "amount", "date", "days"];

/// What is wrong with the texts of a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TextFault {
    /// Where.
    pub place: TextPlace,
    /// What.
    pub problem: String,
}

/// So many bytes from the beginning of a text, and what is wrong there.
type Fault = (usize, String);

/// A template that may be used; otherwise what is wrong with it.
pub(super) fn template(text: &str, language: Language) -> Result<Words, Fault> {
    if let Some(offset) = too_deep(text) {
        return Err((offset, format!("no more than {MAX_DEPTH} placeables stand in one another")));
    }
    let resource = parser::parse(text).map_err(|(_, errors)| {
        let first = errors.into_iter().min_by_key(|error| error.pos.start);
        first.map_or((0, String::new()), |error| {
            (error.pos.start, format!("this is not Fluent: {}", error.kind))
        })
    })?;
    let terms: BTreeSet<&str> = resource
        .body
        .iter()
        .filter_map(|entry| match entry {
            Entry::Term(term) => Some(term.id.name),
            _ => None,
        })
        .collect();
    let mut has_text = false;
    for entry in &resource.body {
        match entry {
            Entry::Message(message) => {
                let name = message.id.name;
                let known = variables_of(name).ok_or_else(|| {
                    let problem =
                        format!("\"{name}\" is no part of a template: it has text, sms, subject and account");
                    (offset_in(text, name), problem)
                })?;
                if let Some(attribute) = message.attributes.first() {
                    let problem = format!("\".{}\": no part of a template has attributes", attribute.id.name);
                    return Err((offset_in(text, attribute.id.name), problem));
                }
                let scope = Scope { text, known, terms: &terms };
                message.value.as_ref().map_or(Ok(()), |pattern| scope.pattern(pattern))?;
                has_text |= name == "text" && message.value.is_some();
            }
            // A term knows no variable.
            Entry::Term(term) => Scope { text, known: &[], terms: &terms }.pattern(&term.value)?,
            _ => {}
        }
    }
    if !has_text {
        return Err((0, "a template says something in \"text\": text = ...".to_owned()));
    }
    let words = Words::new(text, language)?;
    samples(&words).map_err(|problem| (0, problem))?;
    Ok(words)
}

fn variables_of(message: &str) -> Option<&'static [&'static str]> {
    match message {
        "text" | "sms" | "subject" => Some(&OF_A_MESSAGE),
        "account" => Some(&OF_AN_ACCOUNT),
        _ => None,
    }
}

/// Says everything for one account and for several: what Fluent only finds out in doing so, such
/// as a term that refers to itself, is found out now.
fn samples(words: &Words) -> Result<(), String> {
    for count in [1_u32, 2] {
        let accounts: [Argument<'_>; 1] = [("accounts", FluentValue::from(count))];
        for part in PARTS_OF_A_MESSAGE {
            words.say(part, &accounts)?;
        }
        let text = |text: &'static str| FluentValue::from(text);
        let days = FluentValue::from(count);
        let account =
            [("account", text("*1234")), ("amount", text("1.00")), ("date", text("today")), ("days", days)];
        words.say("account", &account)?;
    }
    Ok(())
}

/// Where the first placeable begins that stands too deep. Fluent's own reader goes as deep as
/// the text does.
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

/// Where a part of a text stands in it.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// What the patterns of a message may name.
struct Scope<'a> {
    text: &'a str,
    known: &'static [&'static str],
    terms: &'a BTreeSet<&'a str>,
}

impl Scope<'_> {
    fn fault(&self, part: &str, problem: String) -> Fault {
        (offset_in(self.text, part), problem)
    }

    fn pattern(&self, pattern: &Pattern<&str>) -> Result<(), Fault> {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression)?;
            }
        }
        Ok(())
    }

    fn expression(&self, expression: &Expression<&str>) -> Result<(), Fault> {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector)?;
                variants.iter().try_for_each(|variant| self.pattern(&variant.value))
            }
        }
    }

    fn inline(&self, inline: &InlineExpression<&str>) -> Result<(), Fault> {
        match inline {
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => Ok(()),
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::VariableReference { id } => {
                if self.known.contains(&id.name) {
                    return Ok(());
                }
                let known: Vec<String> = self.known.iter().map(|name| format!("${name}")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let problem = format!("there is no variable ${} here; there is {known}", id.name);
                Err(self.fault(id.name, problem))
            }
            InlineExpression::TermReference { id, attribute: None, arguments } => {
                if let Some(CallArguments { .. }) = arguments {
                    return Err(self.fault(id.name, format!("-{}: a term takes nothing", id.name)));
                }
                if self.terms.contains(id.name) {
                    return Ok(());
                }
                Err(self.fault(id.name, format!("there is no term -{}", id.name)))
            }
            InlineExpression::TermReference { id, .. } | InlineExpression::MessageReference { id, .. } => {
                let problem = format!("\"{}\": a template refers to terms (-name) alone", id.name);
                Err(self.fault(id.name, problem))
            }
            InlineExpression::FunctionReference { id, .. } => {
                Err(self.fault(id.name, format!("{}(): there are no functions", id.name)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever an author writes, the answer is a template or a place in the text.
        #[test]
        fn any_text_is_a_template_or_has_a_place(
            text in "(text = |account = |-t = |\\{ |\\}|\\$days|\\$accounts|-t| ->|\n|   |\\[one\\] |\\*\\[other\\] |\"|\\\\|\\(|,|#|一|.){0,24}",
        ) {
            if let Err((offset, problem)) = template(&text, Language::En) {
                prop_assert!(offset <= text.len() && !problem.is_empty(), "{offset}: {problem}");
            }
        }
    }
}
