//! The messages of a template, and the common text around templates.

use duewatch_domain::policy::Language;
use duewatch_text::{SourceFault, TextForm, Words, read};

/// The messages of a template that occur once for all accounts.
pub(super) const PARTS_OF_A_MESSAGE: [&str; 3] = ["text", "sms", "subject"];
/// The variables of these messages.
const OF_A_MESSAGE: [&str; 1] = ["accounts"];
/// The variables of `account`.
const OF_AN_ACCOUNT: [&str; 4] = ["account", "amount", "date", "days"];

/// Reads a template; or returns its first fault.
pub(super) fn template(text: &str, language: Language) -> Result<Words, SourceFault> {
    let words = read(text, language, TextForm::Fixed(variables_of))?;
    if !words.has("text") {
        return Err((0, "a template says something in \"text\": text = ...".to_owned()));
    }
    Ok(words)
}

/// Reads the common text around templates: its messages have names and variables of their own, and a short
/// form as the attribute `sms`.
pub(super) fn common(text: &str, language: Language) -> Result<Words, SourceFault> {
    read(text, language, TextForm::Open)
}

fn variables_of(message: &str) -> Result<&'static [&'static str], String> {
    match message {
        "account" => Ok(&OF_AN_ACCOUNT),
        name if PARTS_OF_A_MESSAGE.contains(&name) => Ok(&OF_A_MESSAGE),
        name => Err(format!("\"{name}\" is no part of a template: it has text, sms, subject and account")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// For any text, the result is a template or a place in the text.
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
