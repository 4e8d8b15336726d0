//! The `[contact]` table: its refusals with their place, its warnings, its text, and whether a version is
//! stricter for it. And the steps of `[reminders]`.

use duewatch_domain::describe::describe;
use duewatch_domain::policy::Language;
use duewatch_domain::policy::{self, MAX_WINDOW_DAYS};
use rstest::rstest;

use crate::common;

/// The table begins on line 4.
fn with(table: &str) -> String {
    format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n[contact]\n{table}\n")
}

#[rstest]
#[case::unknown_field("quiet = 1", "line 5, column 1: contact.quiet: unknown field `quiet`")]
#[case::no_time(
    "quiet_hours = [{ from = \"25:00\", until = \"08:00\", channels = [\"sms\"] }]",
    "line 5, column 25: contact.quiet_hours[0].from: \"25:00\" is no time of day"
)]
#[case::the_whole_day(
    "quiet_hours = [\n{ from = \"22:00\", until = \"08:00\", channels = [\"sms\"] },\n{ from = \"09:00\", until = \"09:00\", channels = [\"sms\"] }]",
    "line 7, column 1: contact.quiet_hours: from 09:00 until 09:00 is the whole day"
)]
#[case::all_day_together(
    "quiet_hours = [\n{ from = \"22:00\", until = \"08:00\", channels = [\"sms\"] },\n{ from = \"08:00\", until = \"22:00\", channels = [\"app\", \"sms\"] }]",
    "line 7, column 1: contact.quiet_hours: sms is quiet all day, so that nothing ever leaves"
)]
#[case::on_no_channel(
    "quiet_hours = [{ from = \"22:00\", until = \"08:00\", channels = [] }]",
    "line 5, column 16: contact.quiet_hours: channels: it names none"
)]
#[case::a_cap_of_nothing(
    "caps = [\n{ channels = [\"sms\"], at_most = 1, days = 1 },\n{ channels = [\"sms\"], at_most = 0, days = 1 }]",
    "line 7, column 1: contact.caps: at_most: 0 is not between 1 and 100"
)]
#[case::a_cap_over_no_days(
    "caps = [{ channels = [\"sms\"], at_most = 1, days = 0 }]",
    "line 5, column 9: contact.caps: days: 0 is not between 1 and 366"
)]
#[case::an_unknown_scope(
    "caps = [{ channels = [\"sms\"], at_most = 1, days = 1, per = \"house\" }]",
    "line 5, column 60: contact.caps[0].per: unknown variant `house`"
)]
#[case::a_complaint_for_years(
    "complaint = { quiet_days = 1000 }",
    "line 4, column 1: contact.complaint.quiet_days: 1000 is not between 0 and 366"
)]
#[case::no_breathing_space(
    "breathing_space = { days = 0 }",
    "line 4, column 1: contact.breathing_space.days: 0 is not between 1 and 366"
)]
#[case::everybody_at_once(
    "contact_persons = { delinquent_days = 0, failed_attempts = 3, template = \"t\" }",
    "line 4, column 1: contact.contact_persons.delinquent_days: 0 is not between 1 and 366"
)]
#[case::an_open_address(
    "address = \"http://example.org\"",
    "line 4, column 1: contact.address: \"http://example.org\" does not begin with https://"
)]
#[case::an_empty_text(
    "how_to_pay = { zh = \"\" }",
    "line 4, column 1: contact.how_to_pay.zh: a text has 1 to 500 bytes"
)]
fn what_is_no_contact_table_is_refused_where_it_stands(#[case] table: &str, #[case] expected: &str) {
    let error = policy::parse(&with(table)).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

fn steps(step: &str) -> String {
    format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n\
         [[stages]]\nname = \"late\"\nwhen = {{ days_past_due = 1 }}\n\
         restrictions = [{{ kind = \"freeze_drawdown\", notice_days = 3 }}]\n\
         [reminders]\nsend_at = \"10:00\"\nsteps = [{{ template = \"t\", {step} }}]\n"
    )
}

#[rstest]
#[case::no_channel("stage = \"late\", days = 1", "a step has a channel, or channels")]
#[case::two_ways(
    "stage = \"late\", days = 1, channel = \"sms\", channels = [\"app\"]",
    "a step has a channel, or channels"
)]
#[case::none_of_them("stage = \"late\", days = 1, channels = []", "a step has a channel, or channels")]
#[case::twice(
    "stage = \"late\", days = 1, channels = [\"sms\", \"app\", \"sms\"]",
    "channels: sms is there twice"
)]
#[case::without_end(
    "stage = \"late\", days = 1, channel = \"sms\", every_days = 3",
    "every_days and at_most only mean something together"
)]
#[case::at_once(
    "stage = \"late\", days = 1, channel = \"sms\", every_days = 0, at_most = 2",
    "every_days: 0 is not between 1 and 36500"
)]
#[case::too_often(
    "stage = \"late\", days = 1, channel = \"sms\", every_days = 1, at_most = 301",
    "at_most: 301 is not between 1 and 300"
)]
#[case::from_no_stage(
    "stage = \"current\", days = 1, channel = \"sms\", from = \"stage\"",
    "from: \"current\" has no first day"
)]
#[case::before_the_stage(
    "stage = \"late\", days = -1, channel = \"sms\", from = \"stage\"",
    "days: -1 is before the stage begins"
)]
#[case::a_notice_that_comes_again(
    "stage = \"late\", days = 1, channel = \"sms\", notice_of = \"late\", every_days = 1, at_most = 2",
    "notice_of: a notice leaves once"
)]
fn a_step_that_says_nothing_clear_is_refused(#[case] step: &str, #[case] expected: &str) {
    let error = policy::parse(&steps(step)).unwrap_err().to_string();
    assert!(error.contains(&format!("reminders.steps: {expected}")), "{error}");
}

#[rstest]
#[case::sent_at_night(
    "reminders = { send_at = \"21:30\", steps = [{ stage = \"current\", days = 0, channel = \"sms\", template = \"t\" }] }\n",
    "quiet_hours = [{ from = \"21:00\", until = \"08:00\", channels = [\"sms\"] }]",
    &["6:16: contact.quiet_hours: reminders.send_at, 21:30, lies in them, so that every reminder by sms waits until 08:00; let them be sent at 08:00 or later"]
)]
#[case::answers_to_letters(
    "",
    "caps = [{ channels = [\"phone\", \"letter\"], at_most = 1, days = 1, counts = \"unanswered\" }]",
    &["5:9: contact.caps: nobody answers a message by letter, so that counts says nothing of it; let it name phone alone, or leave it out"]
)]
#[case::another_cap_comes_first(
    "",
    "caps = [\n{ channels = [\"sms\", \"app\"], at_most = 2, days = 7 },\n{ channels = [\"sms\"], at_most = 3, days = 1, per = \"account\" }]",
    &["7:1: contact.caps: 3 in 1 days is never reached: another cap allows 2 in 7 days; leave it out"]
)]
#[case::the_same_cap_twice(
    "",
    "caps = [\n{ channels = [\"sms\"], at_most = 2, days = 7 },\n{ channels = [\"sms\"], at_most = 2, days = 7 }]",
    &["7:1: contact.caps: 2 in 7 days is never reached: another cap allows 2 in 7 days; leave it out"]
)]
#[case::caps_that_bind_apart(
    "",
    "caps = [\n{ channels = [\"sms\"], at_most = 1, days = 1 },\n{ channels = [\"sms\"], at_most = 3, days = 7 }]",
    &[]
)]
fn what_an_author_should_look_at_twice(#[case] head: &str, #[case] table: &str, #[case] expected: &[&str]) {
    let text = with(table).replace("[contact]", &format!("{head}[contact]"));
    let (_, warnings) = policy::review(&text).unwrap();
    let warnings: Vec<String> =
        warnings.iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.problem)).collect();
    assert_eq!(warnings, expected);
}

const CALLS: &str = "caps = [{ channels = [\"phone\"], at_most = 3, days = 1 }]";
const NIGHT: &str = "quiet_hours = [{ from = \"22:00\", until = \"08:00\", channels = [\"sms\"] }]";
const FAMILY: &str = "contact_persons = { delinquent_days = 30, failed_attempts = 3, template = \"t\" }";

#[rstest]
#[case::a_table_where_there_was_none("", NIGHT, true)]
#[case::no_night_any_more(NIGHT, "", false)]
#[case::fewer_calls(CALLS, "caps = [{ channels = [\"phone\", \"sms\"], at_most = 2, days = 1 }]", true)]
#[case::more_calls(CALLS, "caps = [{ channels = [\"phone\"], at_most = 4, days = 1 }]", false)]
#[case::over_fewer_days("caps = [{ channels = [\"phone\"], at_most = 3, days = 7 }]", CALLS, false)]
#[case::family_from_now_on("", FAMILY, false)]
#[case::family_no_more(FAMILY, "", true)]
#[case::family_later(
    FAMILY,
    "contact_persons = { delinquent_days = 60, failed_attempts = 3, template = \"t\" }",
    true
)]
#[case::family_earlier(
    FAMILY,
    "contact_persons = { delinquent_days = 20, failed_attempts = 3, template = \"t\" }",
    false
)]
#[case::no_consent_needed("consent_required = [\"sms\"]", "", false)]
#[case::shorter_silence("complaint = { quiet_days = 30 }", "complaint = { quiet_days = 10 }", false)]
#[case::fewer_contacts_for_good(
    "complaint = { min_gap_days = 7, min_gap_for_days = 60 }",
    "complaint = { min_gap_days = 7 }",
    true
)]
#[case::another_language("language = \"zh\"", "language = \"en\"", true)]
fn a_version_is_stricter_where_more_people_are_contacted_or_more_often(
    #[case] before: &str,
    #[case] now: &str,
    #[case] no_stricter: bool,
) {
    let (before, now) = (policy::parse(&with(before)).unwrap(), policy::parse(&with(now)).unwrap());
    assert_eq!(now.is_no_stricter_than(&before), no_stricter);
}

#[rstest]
#[case::the_night(
    NIGHT,
    "From 22:00 to 08:00 where you are, we do not contact you by text message.",
    "您当地时间22:00至08:00之间"
)]
#[case::calls(
    CALLS,
    "We contact you by telephone at most 3 times a day, for all your accounts",
    "每天对您本人"
)]
#[case::family(
    FAMILY,
    "We contact a contact person whom you have named only after 30 days that count",
    "我们从不向联系人透露金额"
)]
#[case::no_family("", "We contact nobody but you.", "我们不联系您的亲友。")]
#[case::an_opt_out("", "You can tell us at any time not to use a channel", "您可以随时要求我们")]
#[case::an_address(
    "address = \"https://example.org\"",
    "Our public address: https://example.org",
    "我们的公开地址：https://example.org"
)]
#[case::breathing(
    "breathing_space = { days = 60, mental_health_extra_days = 30 }",
    "we do not contact you for 60 days",
    "我们60天内不联系您"
)]
fn it_is_said_in_both_languages(#[case] table: &str, #[case] english: &str, #[case] chinese: &str) {
    let policy = policy::parse(&with(table)).unwrap();
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = describe(&policy, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case::repeated(
    "stage = \"late\", days = 3, channels = [\"app\", \"sms\"], every_days = 7, at_most = 4",
    "3 days after the due date, then every 7 days, 4 in all, while step 1 applies: in the app, or else by text message"
)]
#[case::from_the_stage(
    "stage = \"late\", days = 2, channel = \"phone\", from = \"stage\", unless_reported = true",
    "2 days after the step begins, while step 1 applies: by telephone, unless it has been reported to a credit bureau"
)]
fn a_step_is_said_in_words(#[case] step: &str, #[case] words: &str) {
    let page = describe(&policy::parse(&steps(step)).unwrap(), Language::En);
    assert!(page.contains(words), "{words} is missing in:\n{page}");
}

#[test]
fn the_window_is_that_of_the_longest_rule() {
    let rules = |table: &str| common::contact::rules(table).window_days();
    assert_eq!(rules(""), 0);
    assert_eq!(rules("caps = [{ channels = [\"sms\"], at_most = 1, days = 9 }]"), 9);
    assert_eq!(rules("complaint = { min_gap_days = 40 }"), 40);
    assert_eq!(rules("after_conversation_days = { channels = [\"phone\"], days = 7 }"), 7);
    assert_eq!(rules(FAMILY), 30);
    assert!(rules("caps = [{ channels = [\"sms\"], at_most = 1, days = 366 }]") <= MAX_WINDOW_DAYS);
}
