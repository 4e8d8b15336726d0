//! The texts of the pages, in each language, and the ways in which pages write amounts, dates and instants.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Zone;
use duewatch_domain::policy::{Channel, Language};
use duewatch_text::{Argument, LANGUAGES, TextForm, Value, Words, read};

const ZH: [&str; 3] = [
    include_str!("../texts/zh/common.ftl"),
    include_str!("../texts/zh/account.ftl"),
    include_str!("../texts/zh/help.ftl"),
];
const EN: [&str; 3] = [
    include_str!("../texts/en/common.ftl"),
    include_str!("../texts/en/account.ftl"),
    include_str!("../texts/en/help.ftl"),
];

const fn sources(language: Language) -> [&'static str; 3] {
    match language {
        Language::Zh => ZH,
        Language::En => EN,
    }
}

/// The texts of a language. A test reads each of them, so that none is invalid.
fn words(language: Language) -> &'static [Words] {
    static READ: OnceLock<[Vec<Words>; 2]> = OnceLock::new();
    let all = READ.get_or_init(|| {
        LANGUAGES.map(|language| {
            sources(language).iter().filter_map(|text| read(text, language, TextForm::Open).ok()).collect()
        })
    });
    &all[usize::from(language == Language::En)]
}

/// The texts of a page in its language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say {
    pub(crate) language: Language,
}

impl Say {
    /// A text without variables.
    pub(crate) fn t(self, id: &str) -> String {
        self.with(id, &[])
    }

    /// A text with its variables. A missing one is shown by its name, and logged: a test finds each before that.
    pub(crate) fn with(self, id: &str, arguments: &[Argument<'_>]) -> String {
        let found = words(self.language).iter().find_map(|words| words.say(id, arguments).transpose());
        found.and_then(Result::ok).unwrap_or_else(|| {
            tracing::error!(id, "a text is missing");
            id.to_owned()
        })
    }

    /// The language as HTML names it.
    pub(crate) const fn tag(self) -> &'static str {
        match self.language {
            Language::Zh => "zh-CN",
            Language::En => "en",
        }
    }

    /// An amount with its currency.
    pub(crate) fn amount(self, currency: &str, amount: &str) -> String {
        let number = duewatch_text::grouped(amount);
        self.with("amount", &[("currency", Value::Text(currency)), ("number", Value::Text(&number))])
    }

    /// A date in words.
    pub(crate) fn date(self, date: NaiveDate) -> String {
        duewatch_text::date(date, self.language)
    }

    /// An instant as the clock of the account shows it.
    pub(crate) fn instant(self, at: DateTime<Utc>, zone: Zone) -> String {
        let local = at.with_timezone(&zone);
        let date = self.date(local.date_naive());
        let time = local.format("%H:%M").to_string();
        self.with("instant", &[("date", Value::Text(&date)), ("time", Value::Text(&time))])
    }

    /// A channel by its common name.
    pub(crate) fn channel(self, channel: Channel) -> String {
        self.with("channel", &[("channel", Value::Text(channel.as_str()))])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn ids(language: Language) -> BTreeSet<String> {
        let read = |text: &&str| read(text, language, TextForm::Open).expect("it is valid Fluent");
        sources(language)
            .iter()
            .map(read)
            .flat_map(|words| words.names().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    /// The ids that the sources name as the first argument of `t` and `with`.
    fn used() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let sources =
            files(&root).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
        let mut used = BTreeSet::new();
        for source in sources {
            let text: String = std::fs::read_to_string(source).unwrap();
            for call in [".t(", ".with("] {
                for after in text.split(call).skip(1) {
                    let Some(rest) = after.trim_start().strip_prefix('"') else { continue };
                    let Some((id, _)) = rest.split_once('"') else { continue };
                    if id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                        used.insert(id.to_owned());
                    }
                }
            }
        }
        used
    }

    #[test]
    fn both_languages_have_each_text_that_a_page_uses_and_no_other() {
        let used = used();
        assert!(used.len() > 100, "the sources were not read");
        for language in LANGUAGES {
            let known = ids(language);
            let missing: Vec<_> = used.difference(&known).collect();
            let unused: Vec<_> = known.difference(&used).collect();
            assert!(
                missing.is_empty() && unused.is_empty(),
                "{language:?}: missing {missing:?}, unused {unused:?}"
            );
        }
    }

    #[test]
    fn a_text_uses_the_same_variables_in_both_languages() {
        let variables = |text: &str| -> BTreeSet<String> {
            text.split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(|one| one.is_ascii_lowercase() || *one == '_').collect())
                .collect()
        };
        for (zh, en) in ZH.iter().zip(EN) {
            let entries = |text: &str| -> Vec<(String, BTreeSet<String>)> {
                let mut entries: Vec<(String, String)> = Vec::new();
                for line in text.lines() {
                    match line.split_once(" =") {
                        Some((id, _)) if line.starts_with(|one: char| one.is_ascii_lowercase()) => {
                            entries.push((id.to_owned(), line.to_owned()))
                        }
                        _ => {
                            if let Some((_, last)) = entries.last_mut() {
                                last.push_str(line)
                            }
                        }
                    }
                }
                entries.into_iter().map(|(id, text)| (id, variables(&text))).collect()
            };
            assert_eq!(entries(zh), entries(en));
        }
    }

    #[test]
    fn amounts_and_instants_are_written_as_the_language_does() {
        let (zh, en) = (Say { language: Language::Zh }, Say { language: Language::En });
        let at: DateTime<Utc> = "2026-01-05T02:00:00Z".parse().unwrap();
        let zone: Zone = "Asia/Shanghai".parse().unwrap();
        assert_eq!(en.amount("CNY", "1234.50"), "CNY 1,234.50");
        assert_eq!(zh.amount("CNY", "1234.50"), "CNY 1,234.50");
        // Shanghai is eight hours ahead.
        assert_eq!(en.instant(at, zone), "5 January 2026, 10:00");
        assert_eq!(zh.instant(at, zone), "2026年1月5日10:00");
    }
}
