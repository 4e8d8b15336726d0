//! The shipped templates.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use duewatch_domain::policy::Language;
use duewatch_text::Words;

use super::template as read;

/// The template for third-party contacts, and for no other recipient.
const THIRD_PARTY: &str = "contact_person";

/// Name, Chinese, English.
type Shipped = (&'static str, &'static str, &'static str);

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            include_str!(concat!("../../templates/zh/", $name, ".ftl")),
            include_str!(concat!("../../templates/en/", $name, ".ftl")),
        )),*]
    };
}

/// The common text around every template.
const COMMON: [Shipped; 1] = shipped!["common"];
/// The templates, by name.
const TEMPLATES: [Shipped; 21] = shipped![
    "due_soon",
    "due_tomorrow",
    "due_today",
    "missed",
    "late",
    "late_mild",
    "late_firm",
    "help_offered",
    "before_limit",
    "before_freeze",
    "before_suspension",
    "limited",
    "frozen",
    "suspended",
    "before_credit_report",
    "notice_of_arrears",
    "default_notice",
    "right_to_cure",
    "new_rules",
    "new_terms",
    "contact_person",
];

/// The names of the templates for borrowers.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(name, ..)| *name).filter(|name| *name != THIRD_PARTY)
}

/// Whether a name means the shipped template for third-party contacts.
pub(super) fn is_for_third_parties<T>(name: &str, own: &BTreeMap<String, T>) -> bool {
    name == THIRD_PARTY && !own.contains_key(name)
}

/// A shipped template. A test reads each shipped text, so that none can be invalid.
pub(super) fn template(name: &str, language: Language) -> Option<&'static Words> {
    static ZH: OnceLock<BTreeMap<&str, Words>> = OnceLock::new();
    static EN: OnceLock<BTreeMap<&str, Words>> = OnceLock::new();
    let read = |texts: &[Shipped]| {
        texts
            .iter()
            .filter_map(|one| Some((one.0, read::template(text(one, language), language).ok()?)))
            .collect()
    };
    let all = match language {
        Language::Zh => &ZH,
        Language::En => &EN,
    };
    all.get_or_init(|| read(&TEMPLATES)).get(name)
}

/// The common text around every template, in a language.
pub(super) fn common(language: Language) -> Option<&'static Words> {
    static ZH: OnceLock<Option<Words>> = OnceLock::new();
    static EN: OnceLock<Option<Words>> = OnceLock::new();
    let all = match language {
        Language::Zh => &ZH,
        Language::En => &EN,
    };
    all.get_or_init(|| read::common(text(COMMON.first()?, language), language).ok()).as_ref()
}

fn text((_, zh, en): &Shipped, language: Language) -> &'static str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

#[cfg(test)]
mod tests {
    use duewatch_text::LANGUAGES;

    use super::*;

    #[test]
    fn every_shipped_text_says_what_one_of_the_lenders_own_may() {
        for (name, zh, en) in TEMPLATES {
            for (language, text) in [(Language::Zh, zh), (Language::En, en)] {
                let checked = read::template(text, language);
                assert!(checked.is_ok(), "{name} {language:?}: {:?}", checked.err());
                assert!(template(name, language).is_some());
            }
        }
        for language in LANGUAGES {
            let checked = read::common(text(&COMMON[0], language), language);
            assert!(checked.is_ok(), "{language:?}: {:?}", checked.err());
        }
    }
}
