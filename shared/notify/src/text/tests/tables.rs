//! Amounts, dates, plurals, masks and bounds.

use duewatch_domain::policy::Channel;
use rstest::rstest;

use duewatch_text::{amount, date};

use super::*;

#[rstest]
#[case("CNY", "0", "0.00")]
#[case("CNY", "999.9", "999.90")]
#[case("CNY", "1000", "1,000.00")]
#[case("CNY", "123456.78", "123,456.78")]
#[case("CNY", "1234567", "1,234,567.00")]
#[case("JPY", "100", "100")]
#[case("JPY", "1234567", "1,234,567")]
#[case("KWD", "1234.5", "1,234.500")]
#[case("CNY", "-1234.5", "-1,234.50")]
#[case("CNY", "-123.45", "-123.45")]
#[case("CNY", "123456789012345.67", "123,456,789,012,345.67")]
fn amounts_have_their_minor_units_and_groups_of_three(
    #[case] currency: &str,
    #[case] written: &str,
    #[case] expected: &str,
) {
    assert_eq!(amount(currency.parse().unwrap(), written.parse().unwrap()), expected);
}

#[rstest]
#[case("2026-01-05", "2026年1月5日", "5 January 2026")]
#[case("2026-12-31", "2026年12月31日", "31 December 2026")]
#[case("2028-02-29", "2028年2月29日", "29 February 2028")]
fn dates_are_in_words(#[case] written: &str, #[case] zh: &str, #[case] en: &str) {
    assert_eq!(date(day(written), Language::Zh), zh);
    assert_eq!(date(day(written), Language::En), en);
}

#[rstest]
#[case::of_eight("62220001", "*0001")]
#[case::of_nine("622200017", "*0017")]
#[case::of_six("123456", "*456")]
#[case::of_three("A-1", "*1")]
#[case::of_one("7", "*")]
#[case::of_other_scripts("账户一二三四五六", "*三四五六")]
fn an_account_shows_its_tail_and_never_more_than_half(#[case] id: &str, #[case] expected: &str) {
    let id = id.parse().unwrap();
    assert_eq!(MaskedAccount::from(&id).as_str(), expected);
}

/// The line of an account so many days past due, and of the earlier messages.
/// A late account's message, days past due and instead of `stands_for` others, has this line; and of the lines
/// with a word, this one or none.
#[track_caller]
fn assert_lines(
    language: Language,
    (days, stands_for): (u32, u32),
    line: &str,
    (word, with_word): (&str, Option<&str>),
) {
    let account = account("6222-0001", "CNY", overdue("9", "2026-01-05", days), None);
    let facts = MessageFacts { stands_for, ..facts("late", account) };
    let text = MessageTexts::default().render(Channel::App, language, &facts).unwrap().text;
    assert!(text.lines().any(|one| one == line), "{text}");
    assert_eq!(text.lines().find(|one| one.contains(word)), with_word, "{text}");
}

#[rstest]
#[case(0, 0, "Account *0001: CNY 9.00 is overdue. The oldest part was due on 5 January 2026.", None)]
#[case(
    1,
    1,
    "Account *0001: CNY 9.00 is overdue. The oldest part was due on 5 January 2026 (1 day past due).",
    Some("It takes the place of one earlier message.")
)]
#[case(
    2,
    2,
    "Account *0001: CNY 9.00 is overdue. The oldest part was due on 5 January 2026 (2 days past due).",
    Some("It takes the place of 2 earlier messages.")
)]
#[case(
    1200,
    21,
    "Account *0001: CNY 9.00 is overdue. The oldest part was due on 5 January 2026 (1200 days past due).",
    Some("It takes the place of 21 earlier messages.")
)]
fn english_counts_in_singular_and_plural(
    #[case] days: u32,
    #[case] stands_for: u32,
    #[case] line: &str,
    #[case] before: Option<&str>,
) {
    assert_lines(Language::En, (days, stands_for), line, ("earlier", before));
}

#[rstest]
#[case(0, 0, "账户*0001：逾期人民币9.00元，其中最早的一笔应于2026年1月5日还款。", None)]
#[case(
    1,
    1,
    "账户*0001：逾期人民币9.00元，其中最早的一笔应于2026年1月5日还款，已逾期1天。",
    Some("本消息同时代替此前的1条消息。")
)]
#[case(
    1200,
    2,
    "账户*0001：逾期人民币9.00元，其中最早的一笔应于2026年1月5日还款，已逾期1200天。",
    Some("本消息同时代替此前的2条消息。")
)]
fn chinese_counts_in_one_form(
    #[case] days: u32,
    #[case] stands_for: u32,
    #[case] line: &str,
    #[case] before: Option<&str>,
) {
    assert_lines(Language::Zh, (days, stands_for), line, ("此前", before));
}

#[rstest]
#[case(1, "A payment is late")]
#[case(2, "Payments are late")]
fn a_template_knows_of_how_many_accounts_it_speaks(#[case] accounts: usize, #[case] subject: &str) {
    let one = account("6222-0001", "CNY", overdue("9", "2026-01-05", 1), None);
    let mut facts = facts("late", one.clone());
    facts.sections[0].accounts = vec![one; accounts];
    let rendered = MessageTexts::default().render(Channel::Letter, Language::En, &facts).unwrap();
    assert_eq!(rendered.subject.as_deref(), Some(subject));
}

#[rstest]
#[case::sms(Channel::Sms, false, true)]
#[case::email(Channel::Email, true, false)]
#[case::phone(Channel::Phone, false, false)]
#[case::app(Channel::App, false, false)]
#[case::letter(Channel::Letter, true, false)]
fn a_channel_has_what_belongs_to_it(#[case] channel: Channel, #[case] subject: bool, #[case] segments: bool) {
    let facts = facts("late", account("6222-0001", "CNY", overdue("9", "2026-01-05", 1), None));
    for language in LANGUAGES {
        let rendered = MessageTexts::default().render(channel, language, &facts).unwrap();
        assert_eq!((rendered.subject.is_some(), rendered.segments.is_some()), (subject, segments));
        // On every channel and in every language.
        for part in ["95500", "https://bank.example/pay", "https://bank.example/late", "9.00", "*0001"] {
            assert!(rendered.text.contains(part), "{part}: {}", rendered.text);
        }
        assert!(rendered.text.contains(&reference().to_string()), "{}", rendered.text);
        assert!(!rendered.text.contains("6222"), "{}", rendered.text);
    }
}

/// A lender's values are never parsed as Fluent.
#[test]
fn what_is_filled_in_stands_as_it_is() {
    let mut facts = facts("late", account("6222-0001", "CNY", overdue("9", "2026-01-05", 1), None));
    facts.how_to_pay = Some("{ $amount } -- { pay }");
    let text = MessageTexts::default().render(Channel::Sms, Language::En, &facts).unwrap().text;
    assert!(text.contains("Pay: { $amount } -- { pay }"), "{text}");
}

#[rstest]
#[case::no_section(&[], Err(RenderError::Accounts(0)))]
#[case::no_account(&[1, 0], Err(RenderError::Accounts(1)))]
#[case::as_many_as_may_be(&[49, 1], Ok(()))]
#[case::one_too_many(&[50, 1], Err(RenderError::Accounts(51)))]
fn a_message_is_about_something_and_not_about_everything(
    #[case] sections: &[usize],
    #[case] expected: Result<(), RenderError>,
) {
    let one = account("6222-0001", "CNY", overdue("9", "2026-01-05", 1), None);
    let mut facts = facts("late", one.clone());
    facts.sections = sections
        .iter()
        .map(|count| Section { template: "late", accounts: vec![one.clone(); *count] })
        .collect();
    assert_eq!(MessageTexts::default().render(Channel::Sms, Language::En, &facts).map(|_| ()), expected);
}

#[test]
fn an_unknown_template_is_named() {
    let facts = facts("dunning_7", account("6222-0001", "CNY", None, None));
    let error = MessageTexts::default().render(Channel::Sms, Language::En, &facts).unwrap_err();
    assert_eq!(error, RenderError::UnknownTemplate("dunning_7".to_owned()));
}

/// No template states an amount to a third-party contact.
#[test]
fn a_template_that_speaks_of_accounts_cannot_be_said_to_a_third_party() {
    let facts = ThirdPartyFacts { template: "late", call_back: "95500", reference: reference() };
    let error =
        MessageTexts::default().render_for_third_party(Channel::Email, Language::En, &facts).unwrap_err();
    assert!(matches!(error, RenderError::Unrenderable { .. }), "{error}");
}

#[rstest]
#[case("contact_person", true)]
#[case("late", false)]
#[case("dunning_7", false)]
fn what_a_third_party_is_told_asks_for_nothing_of_an_account(#[case] name: &str, #[case] may: bool) {
    let checked = MessageTexts::default().check_for_third_parties(name);
    assert_eq!(checked.map_err(|fault| fault.place), if may { Ok(()) } else { Err(TextPlace::ThirdParties) });
}
