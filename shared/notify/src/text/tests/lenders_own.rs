//! Templates of the lender's own.

use duewatch_domain::policy::{self, Channel};
use rstest::rstest;

use super::*;

const POLICY: &str = r#"id = "p"
version = 1
effective_on = 2026-01-01
announcement = { days = 30, channel = "letter", template = "new_rules" }

[reminders]
send_at = "10:00"
steps = [
    { stage = "current", days = 1, channel = "sms", template = "late" },
    { stage = "current", days = 5, channel = "sms", template = "firm" },
]

[templates.firm]
zh = "text = 请还款。"
en = """
-bank = Example Bank
subject = { -bank }: please pay
text = { $accounts ->
    [one] { -bank } is waiting for a payment.
   *[other] { -bank } is waiting for payments of { $accounts } accounts.
}
account = { $account } owes { $amount }, due on { $date }, { $days ->
    [one] a day
   *[other] { $days } days
} late
"""
"#;

fn fault(text: &str) -> String {
    let policy = policy::parse(text).unwrap();
    let fault = check(&policy).unwrap_err();
    policy::fault_at(text, &fault.place, fault.problem).to_string()
}

#[track_caller]
fn replaced(from: &str, to: &str) -> String {
    assert!(POLICY.contains(from), "{from}");
    POLICY.replacen(from, to, 1)
}

#[test]
fn a_text_of_the_lenders_own_is_said_with_everything_around_it() {
    let policy = policy::parse(POLICY).unwrap();
    assert_eq!(check(&policy), Ok(()));
    let texts = MessageTexts::new(&policy.templates).unwrap();
    let mut facts = facts("firm", account("6222-0001", "CNY", overdue("1250.5", "2026-01-05", 1), None));
    facts.sections[0].accounts.push(account("6222-0002", "USD", overdue("80", "2026-01-01", 5), None));
    let said = texts.render(Channel::Email, Language::En, &facts).unwrap();
    assert_eq!(said.subject.as_deref(), Some("Example Bank: please pay"));
    let lines: Vec<&str> = said.text.lines().collect();
    assert_eq!(
        lines[2..5],
        [
            "Example Bank is waiting for payments of 2 accounts.",
            "*0001 owes CNY 1,250.50, due on 5 January 2026, a day late",
            "*0002 owes USD 80.00, due on 1 January 2026, 5 days late",
        ]
    );
    assert!(said.text.contains("How to pay: https://bank.example/pay"), "{}", said.text);
    // Chinese has no subject, no line of its own for an account, and no short form.
    let letter = texts.render(Channel::Letter, Language::Zh, &facts).unwrap();
    assert_eq!(letter.subject.as_deref(), Some("关于您的账户"));
    let said = texts.render(Channel::Sms, Language::Zh, &facts).unwrap();
    let lines: Vec<&str> = said.text.lines().collect();
    assert_eq!(lines[0], "请还款。");
    assert!(lines[1].starts_with("账户*0001：逾期人民币1,250.50元"), "{}", lines[1]);
}

#[test]
fn a_template_of_a_shipped_name_takes_its_place() {
    let policy = policy::parse(&replaced(
        "[templates.firm]",
        "[templates.late]\nzh = \"text = 迟。\"\nen = \"text = Late.\"\n\n[templates.firm]",
    ))
    .unwrap();
    let texts = MessageTexts::new(&policy.templates).unwrap();
    let facts = facts("late", account("6222-0001", "CNY", overdue("9", "2026-01-05", 1), None));
    let said = texts.render(Channel::Sms, Language::En, &facts).unwrap();
    assert_eq!(said.text.lines().next(), Some("Late."));
}

/// The announcement is on line 4, the steps on 9 and 10.
#[rstest]
#[case::of_an_announcement(
    "new_rules",
    "new_laws",
    "line 4, column 60: announcement.template: there is no template \"new_laws\""
)]
#[case::of_a_step(
    "template = \"firm\" }",
    "template = \"firmer\" }",
    "line 10, column 64: reminders.steps.template: there is no template \"firmer\""
)]
#[case::for_contact_persons(
    "template = \"late\"",
    "template = \"contact_person\"",
    "line 9, column 64: reminders.steps.template: there is no template \"contact_person\" for borrowers"
)]
fn a_template_that_is_not_there_is_named_with_its_place(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let fault = fault(&replaced(from, to));
    assert!(fault.starts_with(expected), "{fault}");
}

/// The rule for third-party contacts is on line 6.
#[rstest]
#[case::that_speaks_of_accounts(
    "late",
    "line 6, column 87: contact.contact_persons: template \"late\": a contact person is told of no account: "
)]
#[case::that_is_not_there(
    "call_back",
    "line 6, column 87: contact.contact_persons: there is no template \"call_back\""
)]
fn a_third_party_is_told_by_a_template_that_asks_for_nothing_of_an_account(
    #[case] template: &str,
    #[case] expected: &str,
) {
    let with = |template: &str| {
        let rule = format!(
            "contact = {{ contact_persons = {{ delinquent_days = 30, failed_attempts = 3, template = \"{template}\" }} }}"
        );
        replaced("[reminders]", &format!("{rule}\n\n[reminders]"))
    };
    let fault = fault(&with(template));
    assert!(fault.starts_with(expected), "{fault}");
    assert_eq!(check(&policy::parse(&with("contact_person")).unwrap()), Ok(()));
}

/// A thousand times sixty bytes.
const TERMS_THAT_GROW: &str = "{ -b }{ -b }{ -b }{ -b }{ -b }{ -b }{ -b }{ -b }{ -b }{ -b }\n-b = { -c }{ -c }{ -c }{ -c }{ -c }{ -c }{ -c }{ -c }{ -c }{ -c }\n-c = { -d }{ -d }{ -d }{ -d }{ -d }{ -d }{ -d }{ -d }{ -d }{ -d }\n\
                               -d = Words that are said a thousand times, in about sixty bytes.\n";

/// The template's Chinese is on line 14, its English from line 16 on.
#[rstest]
#[case::an_unknown_variable(
    "{ $account } owes",
    "{ $name } owes",
    "line 22, column 14: templates.firm: there is no variable $name here; there is $account, $amount, $date, $days"
)]
#[case::a_variable_of_another_part(
    "payments of { $accounts }",
    "payments of { $amount }",
    "line 20, column 53: templates.firm: there is no variable $amount here; there is $accounts"
)]
#[case::a_variable_in_a_term(
    "Example Bank\n",
    "Bank { $accounts }\n",
    "line 16, column 17: templates.firm: there is no variable $accounts here; there is none"
)]
#[case::an_unknown_term(
    "subject = { -bank }",
    "subject = { -firm }",
    "line 17, column 14: templates.firm: there is no term -firm"
)]
#[case::a_term_that_is_its_own(
    "Example Bank\n",
    "Example { -bank }\n",
    "line 16, column 20: templates.firm: -bank: no more than 8 terms stand in one another"
)]
#[case::a_term_with_arguments(
    "subject = { -bank }",
    "subject = { -bank(case: \"a\") }",
    "line 17, column 14: templates.firm: -bank: a term takes nothing"
)]
#[case::another_message(
    "subject = { -bank }",
    "subject = { text }",
    "line 17, column 13: templates.firm: \"text\": a template refers to terms (-name) alone"
)]
#[case::a_function(
    "subject = { -bank }",
    "subject = { NUMBER(5) }",
    "line 17, column 13: templates.firm: NUMBER(): there are no functions"
)]
#[case::an_unknown_part(
    "subject =",
    "title =",
    "line 17, column 1: templates.firm: \"title\" is no part of a template"
)]
#[case::an_attribute(
    "subject = { -bank }: please pay",
    "subject = x\n    .short = y",
    "line 18, column 6: templates.firm: \".short\": no part of a template has attributes"
)]
#[case::no_fluent(
    "subject = { -bank }",
    "subject = { -bank",
    "line 17, column 18: templates.firm: this is not Fluent: "
)]
#[case::no_default(
    "   *[other] { -bank } is",
    "    [other] { -bank } is",
    "line 21, column 1: templates.firm: this is not Fluent: "
)]
#[case::the_same_part_twice(
    "subject =",
    "text = x\nsubject =",
    "line 19, column 1: templates.firm: \"text\" is there twice"
)]
#[case::the_same_term_twice(
    "subject =",
    "-bank = x\nsubject =",
    "line 17, column 2: templates.firm: -bank is there twice"
)]
#[case::a_choice_by_a_part(
    "    [one] a day",
    "    [1.5] a day",
    "line 23, column 6: templates.firm: 1.5 is no count: write a whole number"
)]
#[case::a_choice_by_a_text(
    "{ $days ->",
    "{ \"days\" ->",
    "line 23, column 6: templates.firm: only a variable chooses between variants"
)]
#[case::terms_that_grow(
    "Example Bank\n",
    TERMS_THAT_GROW,
    "line 16, column 1: templates.firm: with its terms put in, a text has at most 32000 bytes"
)]
#[case::too_deep(
    "subject = { -bank }",
    "subject = {{{{{{{{{ -bank }}}}}}}}}",
    "line 17, column 19: templates.firm: no more than 8 placeables"
)]
#[case::plain_words(
    "zh = \"text = 请还款。\"",
    "zh = \"请还款。\"",
    "line 14, column 7: templates.firm: this is not Fluent: "
)]
#[case::no_text(
    "zh = \"text = 请还款。\"",
    "zh = \"sms = 请还款。\"",
    "line 14, column 7: templates.firm: a template says something in \"text\""
)]
#[case::a_place_behind_escapes(
    "zh = \"text = 请还款。\"",
    "zh = \"text = \\u8bf7{ $x }\"",
    "line 14, column 6: templates.firm: there is no variable $x"
)]
fn a_template_that_cannot_be_said_is_refused_with_its_place(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let fault = fault(&replaced(from, to));
    assert!(fault.starts_with(expected), "{fault}");
}

/// A subject is a header of a mail: a second line would be another header, such as a recipient.
#[test]
fn a_subject_of_two_lines_never_begins_another_header() {
    let two_lines = replaced(
        "subject = { -bank }: please pay",
        "subject =\n    Please pay\n    Bcc: all@example.com { -bank }\u{202e}",
    );
    let policy = policy::parse(&two_lines).unwrap();
    let texts = MessageTexts::new(&policy.templates).unwrap();
    let facts = facts("firm", account("6222-0001", "CNY", overdue("1250.5", "2026-01-05", 1), None));
    for channel in [Channel::Email, Channel::Letter] {
        let said = texts.render(channel, Language::En, &facts).unwrap();
        assert_eq!(said.subject.as_deref(), Some("Please pay Bcc: all@example.com Example Bank"));
    }
}

#[test]
fn an_account_of_an_earlier_release_turns_no_words_around_it() {
    let facts = facts("firm", account("6222\u{202e}-0001", "CNY", overdue("1.00", "2026-01-05", 1), None));
    let texts = MessageTexts::new(&policy::parse(POLICY).unwrap().templates).unwrap();
    let said = texts.render(Channel::Sms, Language::En, &facts).unwrap();
    assert!(said.text.contains("*0001") && !said.text.contains('\u{202e}'), "{}", said.text);
}
