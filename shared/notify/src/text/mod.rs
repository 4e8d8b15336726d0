//! The text of messages, rendered from templates in [Fluent](https://projectfluent.org).
//!
//! A template states the reason of a message. This module adds the amount due, the next event, how to pay,
//! how to get help or to appeal, and the reference, so that no template can omit them. One template is
//! shipped for each name in the shipped policies. A policy may bring its own, and one with a shipped name
//! replaces the shipped one. [`check`] lists what a template may contain.

mod facts;
mod render;
mod shipped;
mod template;

use std::collections::BTreeMap;

use duewatch_domain::policy::Language;
use duewatch_domain::policy::{Policy, Templates, TextPlace};
use duewatch_text::{LANGUAGES, Words};

pub use self::facts::{
    AccountFacts, AmountOwed, MAX_ACCOUNTS, MaskedAccount, MessageFacts, Next, OptOut, Section,
    ThirdPartyFacts,
};
pub use self::render::{RenderError, Rendered};

/// A fault in the texts of a policy, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TextFault {
    pub place: TextPlace,
    pub problem: String,
}

/// The templates that a policy's messages are rendered from: its own and the shipped ones.
#[derive(Debug, Default)]
pub struct MessageTexts {
    own: BTreeMap<String, [Words; 2]>,
}

impl MessageTexts {
    /// The shipped templates and a policy's own.
    ///
    /// # Errors
    /// The first [`TextFault`]: a template that is not valid Fluent, or contains an element that no template
    /// may.
    pub fn new(templates: &Templates) -> Result<Self, TextFault> {
        let mut own = BTreeMap::new();
        for (name, template) in templates {
            let words = |language: Language| {
                let at = |offset| TextPlace::Template { name: name.clone(), language, offset };
                template::template(template.text(language), language).map_err(|(offset, problem)| TextFault {
                    place: at(offset),
                    problem: format!("templates.{name}: {problem}"),
                })
            };
            own.insert(name.clone(), [words(Language::Zh)?, words(Language::En)?]);
        }
        Ok(Self { own })
    }

    /// Checks that a template is fit for third-party contacts: it exists and uses no variable of an account.
    ///
    /// # Errors
    /// A [`TextFault`] of the policy's template for third-party contacts.
    pub fn check_for_third_parties(&self, name: &str) -> Result<(), TextFault> {
        let fault = |problem| TextFault { place: TextPlace::ThirdParties, problem };
        for language in LANGUAGES {
            let Some(words) = self.of(name, language) else {
                return Err(fault(format!("contact.contact_persons: there is no template \"{name}\"")));
            };
            for part in template::PARTS_OF_A_MESSAGE {
                words.say(part, &[]).map_err(|problem| {
                    fault(format!(
                        "contact.contact_persons: template \"{name}\": a contact person is told of no \
                         account: {problem}"
                    ))
                })?;
            }
        }
        Ok(())
    }

    /// A template in a language; `None` where it does not exist.
    fn of(&self, name: &str, language: Language) -> Option<&Words> {
        let place = usize::from(language == Language::En);
        self.own.get(name).and_then(|both| both.get(place)).or_else(|| shipped::template(name, language))
    }
}

/// Checks the texts of an otherwise valid policy: each template that it names exists, the one for third-party
/// contacts uses no variable of an account, and the policy's own templates can be rendered.
///
/// A policy's own template is a Fluent resource with the message `text`. It may also have `sms` for text
/// messages and `subject` for e-mails and letters, where they differ from `text`, and `account` for the line
/// of each account. The first three know `$accounts`, the number of accounts in the message. `account` knows
/// `$account` (the last characters of its number), `$amount`, `$date` (the due date, of the oldest part where
/// overdue) and `$days` (past due; 0 before). Terms (`-name`) may be defined and used; nothing else may.
///
/// # Errors
/// The first [`TextFault`].
pub fn check(policy: &Policy) -> Result<(), TextFault> {
    let texts = MessageTexts::new(&policy.templates)?;
    let announced =
        policy.announcement.iter().map(|one| (TextPlace::Announcement, "announcement", &one.template));
    let steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps).enumerate();
    let steps = steps.map(|(place, step)| (TextPlace::Step(place), "reminders.steps", &step.template));
    for (place, field, name) in announced.chain(steps) {
        if texts.of(name, Language::En).is_none() || shipped::is_for_third_parties(name, &texts.own) {
            let shipped: Vec<&str> = shipped::names().collect();
            let problem = format!(
                "{field}.template: there is no template \"{name}\" for borrowers; write a table \
                 [templates.{name}] or take one of: {}",
                shipped.join(", ")
            );
            return Err(TextFault { place, problem });
        }
    }
    let third_party_rules = policy.contact.as_ref().and_then(|contact| contact.third_parties.as_ref());
    third_party_rules.map_or(Ok(()), |rules| texts.check_for_third_parties(&rules.template))
}

#[cfg(test)]
mod tests;
