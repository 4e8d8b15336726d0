//! The words of messages, rendered from templates in [Fluent](https://projectfluent.org).
//!
//! A template says why a message is sent; what is owed, what happens next, how to pay, how to get
//! help or to appeal, and the reference are put around it here, so that no template can leave
//! them out. One is shipped for each name of the shipped policies; a policy may bring its own, and
//! one of a shipped name takes its place. See [`check`] for what a template may say.

mod facts;
mod figures;
mod read;
mod render;
mod shipped;
mod words;

use std::collections::BTreeMap;

use duewatch_domain::policy::Language;
use duewatch_domain::policy::{Policy, Templates, TextPlace};

pub use self::facts::{
    AccountFacts, ContactPersonFacts, MAX_ACCOUNTS, MaskedAccount, MessageFacts, Next, OptOut, Owed, Section,
};
pub use self::figures::{amount, date};
pub use self::render::{RenderError, Rendered};
use self::words::Words;

/// What is wrong with the texts of a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TextFault {
    /// Where.
    pub place: TextPlace,
    /// What.
    pub problem: String,
}

/// Every language that borrowers are written to in.
const LANGUAGES: [Language; 2] = [Language::Zh, Language::En];

/// The texts that a policy's messages are rendered from: its own, and those that are shipped.
#[derive(Debug, Default)]
pub struct Texts {
    own: BTreeMap<String, [Words; 2]>,
}

impl Texts {
    /// Over a policy's own templates.
    ///
    /// # Errors
    /// The first [`TextFault`]: a template that is not written in Fluent, or that says what a
    /// template may not.
    pub fn new(templates: &Templates) -> Result<Self, TextFault> {
        let mut own = BTreeMap::new();
        for (name, template) in templates {
            let words = |language: Language| {
                let at = |offset| TextPlace::Template { name: name.clone(), language, offset };
                read::template(template.text(language), language).map_err(|(offset, problem)| TextFault {
                    place: at(offset),
                    problem: format!("templates.{name}: {problem}"),
                })
            };
            own.insert(name.clone(), [words(Language::Zh)?, words(Language::En)?]);
        }
        Ok(Self { own })
    }

    /// Checks that a template can be said to a contact person: that it is there, and asks for nothing
    /// of an account.
    ///
    /// # Errors
    /// A [`TextFault`] of the policy's template for contact persons.
    pub fn check_for_contact_persons(&self, name: &str) -> Result<(), TextFault> {
        let fault = |problem| TextFault { place: TextPlace::ContactPersons, problem };
        for language in LANGUAGES {
            let Some(words) = self.of(name, language) else {
                return Err(fault(format!("contact.contact_persons: there is no template \"{name}\"")));
            };
            for part in read::PARTS_OF_A_MESSAGE {
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

    /// The words of a template; none where there is no such template.
    fn of(&self, name: &str, language: Language) -> Option<&Words> {
        let place = usize::from(language == Language::En);
        self.own.get(name).and_then(|both| both.get(place)).or_else(|| shipped::template(name, language))
    }
}

/// Checks the texts of a policy that is valid otherwise: whether each template that it names is
/// there, whether that for contact persons asks for nothing of an account, and whether its own can
/// be rendered.
///
/// A template of a policy's own is a Fluent resource with the messages `text` and, where they are
/// to differ from it, `sms` for text messages, `subject` for e-mails and letters, and `account`
/// for the line of each account. The first three know `$accounts`, the number of accounts that the
/// message is about; `account` knows `$account` (the last characters of its number), `$amount`,
/// `$date` (on which that is or was due, the oldest part of it) and `$days` (past due; 0 before).
/// Terms (`-name`) may be defined and used; nothing else may.
///
/// # Errors
/// The first [`TextFault`].
pub fn check(policy: &Policy) -> Result<(), TextFault> {
    let texts = Texts::new(&policy.templates)?;
    let announced =
        policy.announcement.iter().map(|one| (TextPlace::Announcement, "announcement", &one.template));
    let steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps).enumerate();
    let steps = steps.map(|(place, step)| (TextPlace::Step(place), "reminders.steps", &step.template));
    for (place, field, name) in announced.chain(steps) {
        if texts.of(name, Language::En).is_none() || shipped::is_for_contact_persons(name, &texts.own) {
            let shipped: Vec<&str> = shipped::names().collect();
            let problem = format!(
                "{field}.template: there is no template \"{name}\" for borrowers; write a table \
                 [templates.{name}] or take one of: {}",
                shipped.join(", ")
            );
            return Err(TextFault { place, problem });
        }
    }
    let contact_persons = policy.contact.as_ref().and_then(|contact| contact.contact_persons.as_ref());
    contact_persons.map_or(Ok(()), |rules| texts.check_for_contact_persons(&rules.template))
}

#[cfg(test)]
mod tests;
