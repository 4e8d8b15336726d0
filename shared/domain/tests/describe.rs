//! A policy as a borrower reads it.
#![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

use duewatch_domain::policy::describe::{Language, describe};
use duewatch_domain::policy::{self, presets::PRESETS};
use rstest::rstest;

fn page(text: &str, language: Language) -> String {
    describe(&policy::parse(text).unwrap(), language)
}

#[rstest]
#[case("cn", Language::Zh)]
#[case("cn", Language::En)]
fn a_preset_as_a_borrower_reads_it(#[case] name: &str, #[case] language: Language) {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    insta::assert_snapshot!(format!("{name}_{language:?}"), page(preset.text, language));
}

/// A head, one stage and one reminder.
fn policy_with(head: &str, when: &str, restriction: &str, days: i64) -> String {
    format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-03-01\n{head}\n\
         [[stages]]\nname = \"held\"\nwhen = {{ {when} }}\nrestrictions = [{restriction}]\n\
         [reminders]\nsend_at = \"09:05\"\n\
         steps = [{{ stage = \"current\", days = {days}, channel = \"letter\", template = \"t\" }}]\n"
    )
}

#[rstest]
#[case::grace_of_one_day("grace_days = 1", "You have 1 day of grace.", "您有1天的宽限期。")]
#[case::grace_of_several("grace_days = 5", "You have 5 days of grace.", "您有5天的宽限期。")]
#[case::the_due_date_is_day_1(
    "day_count = \"due_day\"",
    "the due date itself is day 1",
    "到期日就是逾期第1天"
)]
#[case::a_pause("", "agreed a pause with you, its days are not counted.", "暂停的日子不计入天数。")]
#[case::the_date("", "valid from 1 March 2026", "自2026年3月1日起适用")]
#[case::the_waterfall(
    "waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]",
    "principal first, then interest, fees and penalty.",
    "依次抵扣本金、利息、费用、罚息。"
)]
fn the_head_is_said_in_both_languages(#[case] head: &str, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with(head, "delinquent_days = 1", "", 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case::after_grace(
    "delinquent_days = 1",
    "from day 3 on (grace included).",
    "自逾期第3天起（含宽限期）适用。"
)]
#[case::by_the_calendar("days_past_due = 2", "from day 2 on.", "自逾期第2天起适用。")]
#[case::the_later_of_both("delinquent_days = 1, days_past_due = 9", "from day 9 on.", "自逾期第9天起适用。")]
#[case::an_amount(
    "overdue_amount = \"50.00\"",
    "from day 1 on, if at least 50.00 is overdue",
    "前提是逾期金额达到50.00"
)]
#[case::a_share(
    "overdue_share = \"0.050\"",
    "if at least 5% of all that you still owe is overdue.",
    "前提是逾期金额达到全部未还金额的5%。"
)]
#[case::two_of_them(
    "overdue_amount = \"50.00\", unpaid_installments = 3",
    "is overdue (in the currency of your account) and at least 3 payments are overdue.",
    "（以您账户的币种计），并且有3期或以上逾期未还清。"
)]
#[case::several_payments(
    "unpaid_installments = 2",
    "at least 2 payments are overdue",
    "有2期或以上逾期未还清"
)]
#[case::one_payment("unpaid_installments = 1", "It applies from day 1 on.", "自逾期第1天起适用。")]
fn conditions_are_said_in_both_languages(#[case] when: &str, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with("grace_days = 2", when, "", 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case("{ kind = \"limit_credit_line\", percent = 30 }", "cut to 30% of what was agreed", "降为原额度的30%")]
#[case("{ kind = \"limit_credit_line\", percent = 0 }", "cut to zero", "降为零")]
#[case("{ kind = \"raise_rate\", percent = 150 }", "becomes 150% of the agreed rate", "变为合同利率的150%")]
#[case("{ kind = \"raise_rate\" }", "Your interest rate is raised.", "您的利率上调。")]
#[case("{ kind = \"freeze_drawdown\" }", "cannot draw any more money", "不能再提用新的借款")]
#[case("{ kind = \"suspend_account\" }", "You can still pay.", "您随时可以还款")]
#[case("{ kind = \"no_new_cards\" }", "Another restriction: no_new_cards.", "其他限制：no_new_cards。")]
fn restrictions_are_said_in_both_languages(
    #[case] restriction: &str,
    #[case] english: &str,
    #[case] chinese: &str,
) {
    let text = policy_with("", "delinquent_days = 1", restriction, 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case(-1, "- 1 day before the due date: by letter", "- 到期日前1天：信函")]
#[case(-2, "- 2 days before the due date: by letter", "- 到期日前2天：信函")]
#[case(0, "- on the due date: by letter", "- 到期日当天：信函")]
#[case(1, "- 1 day after the due date: by letter", "- 到期日后1天：信函")]
fn reminders_are_said_in_both_languages(#[case] days: i64, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with("", "delinquent_days = 1", "", days);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words) && page.contains("09:05"), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case(Language::En, "These rules restrict nothing.", "We send no reminders.")]
#[case(Language::Zh, "这些规则不设任何限制。", "我们不发送提醒。")]
fn a_policy_that_does_nothing_says_so(#[case] language: Language, #[case] none: &str, #[case] silent: &str) {
    let page = page("id = \"p\"\nversion = 1\neffective_on = 2026-03-01\n", language);
    assert!(page.contains(none) && page.contains(silent), "{page}");
    assert!(!page.contains("lifted") && !page.contains("解除"), "{page}");
}
