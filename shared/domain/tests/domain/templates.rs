//! The templates of a policy: bounded texts, refused with their place.

use duewatch_domain::policy::Language;
use duewatch_domain::policy::{
    MAX_TEMPLATE_BYTES, MAX_TEMPLATES, MAX_TEMPLATES_BYTES, TextPlace, fault_at, parse,
};
use rstest::rstest;

const HEAD: &str = "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n";

fn template(name: &str, zh: &str, en: &str) -> String {
    format!("[templates.{name}]\nzh = '{zh}'\nen = '{en}'\n")
}

#[test]
fn a_template_has_a_text_in_each_language() {
    let policy = parse(&format!("{HEAD}{}", template("Firm_7-a", "一", "one"))).unwrap();
    let template = &policy.templates["Firm_7-a"];
    assert_eq!((template.text(Language::Zh), template.text(Language::En)), ("一", "one"));
    assert!(parse(HEAD).unwrap().templates.is_empty());
}

#[rstest]
#[case::a_language_is_missing("[templates.firm]\nzh = 'x'", 4, "templates.firm: missing field `en`")]
#[case::another_language(
    "[templates.firm]\nzh = 'x'\nen = 'x'\nfr = 'x'",
    7,
    "templates.firm.fr: unknown field `fr`"
)]
#[case::a_list(
    "[templates]\nfirm = ['x', 'x']",
    5,
    "templates.firm: invalid type: sequence, expected a table"
)]
#[case::no_string(
    "[templates.firm]\nzh = 1\nen = 'x'",
    5,
    "templates.firm.zh: invalid type: integer `1`, expected a string"
)]
#[case::nothing("[templates.firm]\nzh = ' '\nen = 'x'", 4, "templates.firm.zh: 1 to 8000 bytes")]
#[case::no_name("[templates.'a b']\nzh = 'x'\nen = 'x'", 4, "templates: template \"a b\" is no name")]
fn a_template_that_is_none_is_refused(#[case] table: &str, #[case] line: usize, #[case] problem: &str) {
    let error = parse(&format!("{HEAD}{table}")).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    assert!(error.problem.starts_with(problem), "{error}");
}

#[rstest]
#[case::one_text(1, MAX_TEMPLATE_BYTES, true)]
#[case::one_text_longer(1, MAX_TEMPLATE_BYTES + 1, false)]
#[case::as_many_as_may_be(MAX_TEMPLATES, 1, true)]
#[case::one_more(MAX_TEMPLATES + 1, 1, false)]
#[case::all_together(25, MAX_TEMPLATES_BYTES / 50, true)]
#[case::more_together(25, MAX_TEMPLATES_BYTES / 50 + 1, false)]
fn templates_are_bounded(#[case] count: usize, #[case] bytes: usize, #[case] fits: bool) {
    let text = "x".repeat(bytes);
    let tables: String = (0..count).map(|place| template(&format!("t{place}"), &text, &text)).collect();
    assert_eq!(parse(&format!("{HEAD}{tables}")).is_ok(), fits);
}

/// Lines are counted from 1; the head has three.
#[rstest]
#[case::announcement(
    "announcement = { days = 30, channel = 'sms', template = 'x' }",
    TextPlace::Announcement,
    (4, 57)
)]
#[case::announcement_as_a_table(
    "[announcement]\ndays = 30\nchannel = 'sms'\ntemplate = 'x'",
    TextPlace::Announcement,
    (7, 12)
)]
#[case::the_second_step(
    "[reminders]\nsend_at = '10:00'\nsteps = [\n  { template = 'x' },\n  { template = 'y' } ]",
    TextPlace::Step(1),
    (8, 16)
)]
#[case::contact_persons(
    "[contact]\ncontact_persons = { template = 'x' }",
    TextPlace::ThirdParties,
    (5, 32)
)]
#[case::in_one_line("[templates.t]\nzh = 'a = 一{ $x }'\nen = 'x'", of(Language::Zh, 7), (5, 12))]
#[case::in_several("[templates.t]\nen = 'x'\nzh = '''\na = b\nc = d\n'''", of(Language::Zh, 6), (8, 1))]
#[case::behind_escapes("[templates.t]\nzh = \"a\\nb\"\nen = 'x'", of(Language::Zh, 2), (5, 6))]
#[case::not_there("", of(Language::Zh, 2), (1, 1))]
fn a_place_has_line_and_column(
    #[case] table: &str,
    #[case] place: TextPlace,
    #[case] expected: (usize, usize),
) {
    let error = fault_at(&format!("{HEAD}{table}\n"), &place, "problem".to_owned());
    assert_eq!((error.line, error.column), expected);
    assert_eq!(error.problem, "problem");
}

fn of(language: Language, offset: usize) -> TextPlace {
    TextPlace::Template { name: "t".to_owned(), language, offset }
}
