//! The `[cases]` table: its refusals with their place, its text, and whether a version is stricter for it.

use duewatch_domain::describe::describe;
use duewatch_domain::policy::{self, Language};
use rstest::rstest;

use crate::common;

const ANSWER: &str = "answer = { amount = 30, unit = \"days\" }\n";

/// The table begins on line 4.
fn with(table: &str) -> String {
    format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n[cases.appeal]\n{table}\n")
}

#[rstest]
#[case::no_answer("team = \"risk\"", "cases.appeal: missing field `answer`")]
#[case::unknown_field("answers = 1", "line 5, column 1: cases.appeal.answers: unknown field `answers`")]
#[case::unknown_unit("answer = { amount = 1, unit = \"weeks\" }", "unknown variant `weeks`")]
#[case::no_days(
    "answer = { amount = 0, unit = \"days\" }",
    "line 4, column 2: cases.appeal.answer.amount: 0 is not between 1 and 36500"
)]
#[case::no_calendar(
    "answer = { amount = 5, unit = \"business_days\" }",
    "cases.appeal.answer.calendar: business days are those of a named calendar"
)]
#[case::calendar_of_days(
    "answer = { amount = 5, unit = \"days\", calendar = \"cn\" }",
    "other units have none"
)]
#[case::unknown_calendar(
    "answer = { amount = 5, unit = \"business_days\", calendar = \"moon\" }",
    "cases.appeal.answer.calendar: there is no calendar \"moon\""
)]
#[case::shorter_extension(
    "answer = { amount = 30, unit = \"days\", extended_to = [60, 45] }",
    "cases.appeal.answer.extended_to: 45 is not more than 60"
)]
#[case::nobody_to_escalate_to(
    "answer = { amount = 30, unit = \"days\", breach = [\"escalate\"] }",
    "cases.appeal.team: an escalated case needs a team"
)]
#[case::upheld_unacknowledged(
    "answer = { amount = 30, unit = \"days\" }\nacknowledge = { amount = 5, unit = \"days\", breach = [\"uphold\"] }",
    "cases.appeal.acknowledge.breach: only a missed answer"
)]
#[case::holds_for_ever(
    "answer = { amount = 30, unit = \"days\" }\nholds = [\"contact\"]",
    "cases.appeal.holds_days: a case that holds something says for how many days"
)]
#[case::holds_again_and_again(
    "answer = { amount = 30, unit = \"days\" }\nholds = [\"contact\"]\nholds_days = 5",
    "cases.appeal.repeat: a case that holds something says how often"
)]
#[case::holds_nothing(
    "answer = { amount = 30, unit = \"days\" }\nholds = []",
    "cases.appeal.holds: it names nothing"
)]
#[case::holds_a_visit(
    "answer = { amount = 30, unit = \"days\" }\nholds = [\"visit\"]",
    "unknown variant `visit`"
)]
#[case::stops_for_nothing(
    "answer = { amount = 30, unit = \"days\" }\nclock_stop = { reasons = [], at_most_days = 5 }",
    "cases.appeal.clock_stop.reasons: 1 to 10 names"
)]
fn a_faulty_table_is_refused_with_its_place(#[case] table: &str, #[case] problem: &str) {
    let error = policy::parse(&with(table)).unwrap_err().to_string();
    assert!(error.contains(problem), "{error}");
}

#[test]
fn an_unknown_kind_is_refused() {
    let text = "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n[cases.visit]\nanswer = { amount = 1, unit = \"days\" }\n";
    assert!(policy::parse(text).unwrap_err().to_string().contains("unknown field `visit`"));
}

#[test]
fn a_calendar_of_the_policy_itself_is_found() {
    let table = "answer = { amount = 5, unit = \"business_days\", calendar = \"own\" }\n[calendars.own]\n\
                 source = \"us\"\nfrom = 2026-01-01\nto = 2026-12-31\nweekend = [\"sunday\"]\nholidays = []\n\
                 working_days = []\n";
    assert!(policy::parse(&with(table)).is_ok());
}

const HOLDS: &str =
    "holds = [\"restrictions\"]\nholds_days = 10\nrepeat = { at_most = 2, within_days = 365 }\n";

#[rstest]
#[case::the_same(ANSWER, ANSWER, true)]
#[case::a_later_answer("answer = { amount = 31, unit = \"days\" }\n", ANSWER, false)]
#[case::an_earlier_answer("answer = { amount = 29, unit = \"days\" }\n", ANSWER, true)]
#[case::another_unit("answer = { amount = 1, unit = \"months\" }\n", ANSWER, false)]
#[case::an_extension("answer = { amount = 30, unit = \"days\", extended_to = [45] }\n", ANSWER, false)]
fn a_version_that_answers_later_is_stricter(#[case] now: &str, #[case] then: &str, #[case] expected: bool) {
    let (now, then) = (policy::parse(&with(now)).unwrap(), policy::parse(&with(then)).unwrap());
    assert_eq!(now.is_no_stricter_than(&then), expected);
}

#[rstest]
#[case::no_hold("", HOLDS, false)]
#[case::a_new_hold(HOLDS, "", true)]
#[case::fewer_days(
    "holds = [\"restrictions\"]\nholds_days = 9\nrepeat = { at_most = 2, within_days = 365 }\n",
    HOLDS,
    false
)]
#[case::more_days(
    "holds = [\"restrictions\"]\nholds_days = 11\nrepeat = { at_most = 2, within_days = 365 }\n",
    HOLDS,
    true
)]
#[case::fewer_cases(
    "holds = [\"restrictions\"]\nholds_days = 10\nrepeat = { at_most = 1, within_days = 365 }\n",
    HOLDS,
    false
)]
#[case::a_term_to_file("file_within = { amount = 14, unit = \"days\", from = \"event\" }\n", "", false)]
#[case::a_clock_that_stops("clock_stop = { reasons = [\"waiting\"], at_most_days = 5 }\n", "", false)]
fn a_version_that_takes_a_hold_or_a_right_away_is_stricter(
    #[case] now: &str,
    #[case] then: &str,
    #[case] expected: bool,
) {
    // A repetition without a hold: the bound is new, and so the version stricter.
    let parsed = |more: &str| policy::parse(&with(&format!("{ANSWER}{more}"))).unwrap();
    let then =
        if then.is_empty() && now == HOLDS { "repeat = { at_most = 2, within_days = 365 }\n" } else { then };
    assert_eq!(parsed(now).is_no_stricter_than(&parsed(then)), expected);
}

#[test]
fn a_version_without_a_kind_that_the_one_before_took_is_stricter() {
    let with = policy::parse(&with(ANSWER)).unwrap();
    let without = common::policy("", "");
    assert!(with.is_no_stricter_than(&without));
    assert!(!without.is_no_stricter_than(&with));
}

#[test]
fn the_page_says_by_when_a_borrower_hears_from_the_lender() {
    let policy = common::policy("", include_str!("../../presets/cases-us.toml"));
    let english = describe(&policy, Language::En);
    let appeal = "- An appeal against a decision of ours: open it within 14 days of what it is about; we confirm that \
                  it has arrived within 5 working days; we answer within 30 days; if we do not answer in time, you \
                  are right; until then nothing new is restricted and nobody reminds you, for up to 30 days; at most 2 in 365 days.";
    let complaint =
        "- A complaint: we answer within 15 days; where it is complex, within 60 days at the latest.";
    assert!(english.contains(appeal) && english.contains(complaint), "{english}");
    let chinese = describe(&policy, Language::Zh);
    assert!(chinese.contains("- 投诉：我们在15天内答复；情况复杂的，最迟在60天内答复。"), "{chinese}");
}
