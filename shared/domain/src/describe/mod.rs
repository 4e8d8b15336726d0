//! A policy as a page for borrowers, made from the policy alone.
//!
//! Names and words of the policy stand in the page as text: none of their characters is Markdown.
//!
//! Each part of a policy has one function, with its words in every language side by side. A new table needs
//! one more function, and one line in `PARTS`.

mod cases;
mod contact;
mod help;
mod ladder;
mod late;
mod notices;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::kernel::{Money, markdown};
use crate::policy::{DRAW, Language, Policy, REPAY};

pub use self::ladder::restriction;

/// The paragraphs of a part; none if the policy does not have it.
type PagePart = fn(&Policy, Language) -> Vec<String>;

/// The parts of a page, in its order.
const PARTS: [PagePart; 25] = [
    title,
    late::when_late,
    late::working_days,
    late::small_amounts,
    late::pauses,
    late::late_fee,
    ladder::ladder,
    ladder::patience,
    ladder::first_lapse_tolerance,
    ladder::temporary_cause,
    ladder::under_way,
    ladder::promise,
    ladder::dispute,
    ladder::holds,
    ladder::operations,
    ladder::other_accounts,
    help::what_to_do,
    cases::cases,
    help::review,
    help::approval,
    help::allocation,
    notices::reminders,
    contact::contact,
    notices::changes,
    notices::kept,
];

/// The page for borrowers, as Markdown.
#[must_use]
pub fn describe(policy: &Policy, language: Language) -> String {
    let paragraphs: Vec<String> = PARTS.iter().flat_map(|part| part(policy, language)).collect();
    paragraphs.join("\n\n") + "\n"
}

fn title(policy: &Policy, language: Language) -> Vec<String> {
    let from = date(policy.effective_on, language);
    let id = markdown(policy.id.as_str());
    vec![
        language.of("# 逾期还款怎么办", "# If a payment is late").to_owned(),
        match language {
            Language::Zh => {
                format!(
                    "本页说明还款逾期后会发生什么、您可以做什么。规则：{id}，第{}版，自{from}起适用。",
                    policy.version
                )
            }
            Language::En => format!(
                "What happens when a payment is late, and what you can do. These are the rules \"{id}\", \
                 version {}, valid from {from}.",
                policy.version
            ),
        },
    ]
}

fn restricts(policy: &Policy) -> bool {
    policy.stages.iter().any(|stage| !stage.restrictions.is_empty())
}

fn days(count: u32, language: Language) -> String {
    match (language, count) {
        (Language::Zh, _) => format!("{count}天"),
        (Language::En, 1) => "1 day".to_owned(),
        (Language::En, _) => format!("{count} days"),
    }
}

/// A date in words: 2026年1月5日, 5 January 2026.
#[must_use]
pub fn date(date: NaiveDate, language: Language) -> String {
    match language {
        Language::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Language::En => date.format("%-d %B %Y").to_string(),
    }
}

/// A share as a percentage.
fn percent(share: Decimal) -> String {
    format!("{}%", (share * Decimal::ONE_HUNDRED).normalize())
}

/// An amount without a currency: an account names one, a policy does not.
fn in_currency(amount: Money, language: Language) -> String {
    language
        .of(format!("{amount}（以您账户的币种计）"), format!("{amount} (in the currency of your account)"))
}

fn list(items: &[&str], language: Language) -> String {
    match (items, language) {
        (all, Language::Zh) => all.join("、"),
        ([others @ .., last], Language::En) if !others.is_empty() => {
            format!("{} and {last}", others.join(", "))
        }
        (all, Language::En) => all.concat(),
    }
}

/// Operations, the common ones in words.
fn operations_named(names: &[String], language: Language) -> String {
    let names = names.iter().map(|name| match name.as_str() {
        REPAY => language.of("还款", "paying us"),
        DRAW => language.of("提用借款", "drawing money"),
        "pay_wages" => language.of("发放工资", "paying wages"),
        "receive" | "receive_money" => language.of("收款", "receiving money"),
        own => own,
    });
    list(&names.collect::<Vec<&str>>(), language)
}
