//! The warnings of `policy check`: stages that jump, restrict early, or ease as they go, and tables with an
//! effect that their author may not expect.

use duewatch_domain::policy;
use rstest::rstest;

/// Two days of grace, a reminder on the due date, and announced versions.
const HEAD: &str = r#"id = "standard"
version = 1
effective_on = 2026-01-01
grace_days = 2
announcement = { days = 30, channel = "sms", template = "rules" }
reminders = { send_at = "10:00", steps = [{ stage = "current", days = 0, channel = "sms", template = "due" }] }
"#;

/// A restriction in short, as TOML.
fn restriction(short: &str) -> String {
    let (kind, percent) = match short {
        "line" => ("limit_credit_line", Some(50)),
        "lower line" => ("limit_credit_line", Some(0)),
        "higher line" => ("limit_credit_line", Some(60)),
        "freeze" => ("freeze_drawdown", None),
        "suspend" => ("suspend_account", None),
        "rate" => ("raise_rate", Some(130)),
        own => (own, None),
    };
    let percent = percent.map_or_else(String::new, |percent: u32| format!(", percent = {percent}"));
    format!("{{ kind = \"{kind}\"{percent} }}")
}

/// Stages `s0`, `s1`, ... of their conditions and restrictions, each on four lines from line 7 on.
fn ladder(stages: &[(&str, &str)]) -> String {
    (0..)
        .zip(stages)
        .map(|(place, (when, restrictions))| {
            let restrictions: Vec<String> =
                restrictions.split(", ").filter(|short| !short.is_empty()).map(restriction).collect();
            let restrictions = restrictions.join(", ");
            format!("[[stages]]\nname = \"s{place}\"\nwhen = {{ {when} }}\nrestrictions = [{restrictions}]\n")
        })
        .collect()
}

/// The warnings about these stages, each as `line: sentence`.
fn warnings(head: &str, stages: &[(&str, &str)]) -> Vec<String> {
    others(all_warnings(&format!("{head}{}", ladder(stages))))
}

fn all_warnings(text: &str) -> Vec<String> {
    let (_, warnings) = policy::review(text).unwrap();
    warnings.iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.problem)).collect()
}

/// Without the warning about days that no pause stops, which has a test of its own.
fn others(warnings: Vec<String>) -> Vec<String> {
    warnings.into_iter().filter(|warning| !warning.contains(NO_PAUSE_STOPS)).collect()
}

const NO_PAUSE_STOPS: &str = "which no agreed pause stops";

#[rstest]
#[case::a_restriction("days_past_due = 10", "line", 1)]
#[case::beside_other_conditions("days_past_due = 10, delinquent_days = 3", "line", 1)]
#[case::no_restriction("days_past_due = 10", "", 0)]
#[case::unpaused_days("delinquent_days = 10", "line", 0)]
fn a_restriction_by_days_that_no_pause_stops_is_warned_of(
    #[case] when: &str,
    #[case] restrictions: &str,
    #[case] expected: usize,
) {
    let warnings = all_warnings(&format!("{HEAD}{}", ladder(&[(when, restrictions)])));
    assert_eq!(warnings.iter().filter(|warning| warning.contains(NO_PAUSE_STOPS)).count(), expected);
}

#[rstest]
#[case::left_out("daily_rate = \"0.001\"", "", &[])]
#[case::fees_first(
    "daily_rate = \"0.001\"\nfee_arrears_count = true",
    "",
    &["make an account late", "falls short by the fee"]
)]
#[case::fees_last(
    "daily_rate = \"0.001\"\nfee_arrears_count = true",
    "waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]\n",
    &["make an account late"]
)]
fn late_fees_that_count_as_arrears_are_warned_of(
    #[case] fee: &str,
    #[case] waterfall: &str,
    #[case] words: &[&str],
) {
    let warnings = all_warnings(&format!("{HEAD}{waterfall}[late_fee]\nfree_days = 2\n{fee}\n"));
    let about: Vec<&String> = warnings.iter().filter(|one| one.contains("fee_arrears_count")).collect();
    assert_eq!(about.len(), usize::from(!words.is_empty()), "{warnings:#?}");
    assert!(words.iter().all(|words| about[0].contains(words)), "{warnings:#?}");
    let is_short = about.first().is_some_and(|one| one.contains("falls short"));
    assert_eq!(is_short, words.len() > 1);
}

#[rstest]
#[case::no_ladder(&[])]
#[case::rung_by_rung(&[
    ("delinquent_days = 1", ""),
    ("delinquent_days = 5", "line"),
    ("delinquent_days = 15", "line, freeze"),
    ("delinquent_days = 30", "suspend"),
])]
#[case::tighter_on_the_same_rung(&[
    ("delinquent_days = 5", "line"),
    ("delinquent_days = 15", "lower line"),
])]
#[case::a_rate_stands_beside_the_ladder(&[
    ("delinquent_days = 5", "rate"),
    ("delinquent_days = 15", "rate, line"),
])]
#[case::after_grace_by_the_calendar(&[("days_past_due = 3", "line")])]
#[case::nothing_restricted_within_grace(&[("overdue_amount = \"1.00\"", "")])]
fn a_proportionate_ladder_is_clean(#[case] stages: &[(&str, &str)]) {
    assert_eq!(warnings(HEAD, stages), Vec::<String>::new());
}

#[rstest]
#[case::straight_to_the_whole_account(
    &[("delinquent_days = 1", ""), ("delinquent_days = 30", "suspend")],
    &["11:1: stage \"s1\" goes from no restriction straight to suspend_account"]
)]
#[case::the_first_stage_is_the_last_resort(
    &[("delinquent_days = 30", "suspend")],
    &["7:1: stage \"s0\" goes from no restriction straight to suspend_account"]
)]
#[case::draw_downs_before_the_line(
    &[("delinquent_days = 15", "line, freeze")],
    &["7:1: stage \"s0\" takes 2 rungs at once, from no step of the ladder to freeze_drawdown"]
)]
#[case::draw_downs_left_out(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "suspend")],
    &["11:1: stage \"s1\" takes 2 rungs at once, from limit_credit_line to suspend_account"]
)]
#[case::a_rate_is_a_restriction_but_no_rung(
    &[("delinquent_days = 5", "rate"), ("delinquent_days = 15", "rate, suspend")],
    &["11:1: stage \"s1\" takes 3 rungs at once, from no step of the ladder to suspend_account"]
)]
#[case::an_amount_within_grace(
    &[("overdue_amount = \"1.00\"", "line")],
    &["7:1: stage \"s0\" can restrict on day 1 past due, within grace, which lasts through day 2"]
)]
#[case::calendar_days_within_grace(
    &[("days_past_due = 2", "line")],
    &["7:1: stage \"s0\" can restrict on day 2 past due, within grace, which lasts through day 2"]
)]
#[case::delinquent_from_the_first_day(
    &[("delinquent_days = 0, unpaid_installments = 2", "line")],
    &["7:1: stage \"s0\" can restrict on day 1 past due, within grace, which lasts through day 2"]
)]
#[case::the_line_comes_back(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "freeze")],
    &["11:1: stage \"s1\" drops limit_credit_line to 50 %, which the milder \"s0\" brings"]
)]
#[case::all_of_it_comes_back(
    &[("delinquent_days = 5", "line, rate"), ("delinquent_days = 15", ""), ("delinquent_days = 20", "")],
    &["11:1: stage \"s1\" drops limit_credit_line to 50 %, raise_rate to 130 %, which the milder \"s0\" brings"]
)]
#[case::the_line_grows_again(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "higher line")],
    &["11:1: stage \"s1\" drops limit_credit_line to 50 %"]
)]
#[case::several_of_one_stage(
    &[("delinquent_days = 5", "rate"), ("overdue_share = \"0.5\"", "suspend")],
    &[
        "11:1: stage \"s1\" takes 3 rungs at once",
        "11:1: stage \"s1\" can restrict on day 1 past due",
        "11:1: stage \"s1\" drops raise_rate to 130 %",
    ]
)]
fn a_ladder_that_jumps_is_warned_of(#[case] stages: &[(&str, &str)], #[case] expected: &[&str]) {
    let warnings = warnings(HEAD, stages);
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    for (warning, expected) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(expected), "{warning}");
    }
}

// The stage begins on day 7 past due: five delinquent days after two days of grace.
#[rstest]
#[case::nobody_is_reminded(None, false)]
#[case::before_the_due_date(Some(("current", -3)), true)]
#[case::the_day_before(Some(("late", 6)), true)]
#[case::when_it_has_come(Some(("late", 7)), false)]
#[case::in_the_stage_itself(Some(("limited", 4)), false)]
fn a_restriction_is_to_be_announced(#[case] step: Option<(&str, i64)>, #[case] announced: bool) {
    let step = step.map_or_else(String::new, |(stage, days)| {
        format!(
            "[reminders]\nsend_at = \"10:00\"\nsteps = [{{ stage = \"{stage}\", days = {days}, channel = \"sms\", template = \"t\" }}]\n"
        )
    });
    let text = format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\ngrace_days = 2\n\
         announcement = {{ days = 30, channel = \"sms\", template = \"rules\" }}\n\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\n\
         \u{20}\u{20}[[stages]]\n  name = \"limited\"\n  when = {{ delinquent_days = 5 }}\n  restrictions = [{}]\n\n{step}",
        restriction("line"),
    );
    let (_, warnings) = policy::review(&text).unwrap();
    let shown = warnings.iter().map(ToString::to_string).filter(|shown| !shown.contains("can never be sent"));
    let shown: Vec<String> = shown.collect();
    let expected = "line 11, column 3: warning: stage \"limited\" restricts, and no reminder goes out before it; \
                    add a step in a milder stage, before day 7 past due";
    assert_eq!(shown, if announced { vec![] } else { vec![expected.to_owned()] });
}

// Late from day 4 past due (three days of grace), limited from day 8.
#[rstest]
#[case::before_its_own_due_date("late", -60, "", "no account is on it before its due date")]
#[case::before_the_stage("late", 3, "", "can never be sent: the stage begins on day 4 past due")]
#[case::on_its_first_day("late", 4, "", "")]
#[case::the_last_day("late", 7, "", "")]
#[case::after_the_stage("late", 8, "", "can never be sent: from day 8 past due on")]
#[case::one_repetition_is_in_time("late", 2, "every_days = 3, at_most = 2, ", "")]
#[case::from_the_stage("late", 3, "from = \"stage\", ", "")]
#[case::too_long_from_the_stage("late", 4, "from = \"stage\", ", "can never be sent: from day 8 past due on")]
#[case::current_in_grace("current", 3, "", "")]
#[case::current_beyond_grace("current", 60, "", "can never be sent: from day 4 past due on")]
#[case::before_the_due_date("current", -60, "", "")]
fn a_step_that_can_never_be_sent_is_found(
    #[case] stage: &str,
    #[case] days: i64,
    #[case] more: &str,
    #[case] expected: &str,
) {
    let found = warnings_of(&format!(
        "grace_days = 3\nstages = [\n\
         {{ name = \"late\", when = {{ delinquent_days = 1 }} }},\n\
         {{ name = \"limited\", when = {{ delinquent_days = 5 }} }}]\n\
         [reminders]\nsend_at = \"10:00\"\n\
         steps = [{{ stage = \"{stage}\", days = {days}, {more}channel = \"sms\", template = \"t\" }}]"
    ));
    let steps: Vec<&String> = found.iter().filter(|one| one.contains("reminders.steps")).collect();
    match expected {
        "" => assert_eq!(steps, Vec::<&String>::new()),
        expected => assert!(steps.len() == 1 && steps[0].contains(expected), "{steps:?}"),
    }
}

/// The warnings about a policy of those tables, each as `line:column: sentence`.
fn warnings_of(tables: &str) -> Vec<String> {
    others(all_warnings(&format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n{tables}\n")))
}

/// A stage that freezes after a notice, and its reminder steps.
fn noticed(day_count: &str, when: &str, notice_days: u32, steps: &str) -> Vec<String> {
    let steps = steps.split("; ").filter(|step| !step.is_empty()).map(|step| {
        let (stage, days) = step.split_once(' ').unwrap();
        format!(
            "{{ stage = \"{stage}\", days = {days}, channel = \"sms\", template = \"t\", notice_of = \"limited\" }}"
        )
    });
    let steps: Vec<String> = steps.collect();
    warnings_of(&format!(
        "day_count = \"{day_count}\"\ngrace_days = 2\n\
         announcement = {{ days = 30, channel = \"sms\", template = \"rules\" }}\n\
         reminders = {{ send_at = \"10:00\", steps = [{}] }}\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\
         [[stages]]\nname = \"limited\"\nwhen = {{ {when} }}\n\
         restrictions = [{{ kind = \"limit_credit_line\", percent = 50, notice_days = {notice_days} }}]",
        steps.join(", "),
    ))
}

// The stage begins on day 10 past due, and its notice is due on day 5.
#[rstest]
#[case::in_time("day_after", "delinquent_days = 8", 5, "late 5")]
#[case::by_the_calendar("day_after", "days_past_due = 10", 5, "current 5")]
#[case::the_due_date_is_day_1("due_day", "days_past_due = 11", 5, "late 5")]
#[case::one_of_two_is_in_time("day_after", "days_past_due = 10", 5, "late 9; late 5")]
#[case::nothing_says_when_it_begins("day_after", "delinquent_days = 0, unpaid_installments = 2", 5, "late 5")]
#[case::an_amount_and_a_notice_after_grace("day_after", "overdue_amount = \"9.00\"", 3, "late 5")]
fn a_notice_that_leaves_in_time_is_clean(
    #[case] day_count: &str,
    #[case] when: &str,
    #[case] notice_days: u32,
    #[case] steps: &str,
) {
    assert_eq!(noticed(day_count, when, notice_days, steps), Vec::<String>::new());
}

#[rstest]
#[case::nobody_sends_one(
    "day_after",
    "delinquent_days = 8",
    5,
    "",
    "stage \"limited\" restricts only after a notice, and no reminder step is one; add a step with notice_of = \"limited\""
)]
#[case::a_day_too_late(
    "day_after",
    "delinquent_days = 8",
    5,
    "late 6",
    "stage \"limited\" begins on day 10 past due and restricts only on day 11: its notice leaves on day 6, and \
     notice_days are 5; let the notice leave earlier, or ask for fewer days"
)]
#[case::the_due_date_is_day_1(
    "due_day",
    "days_past_due = 10",
    5,
    "late 5",
    "stage \"limited\" begins on day 10 past due and restricts only on day 11: its notice leaves on day 6,"
)]
#[case::its_own_stage_begins_later_than_the_step(
    "day_after",
    "days_past_due = 10",
    8,
    "late 1",
    "stage \"limited\" begins on day 10 past due and restricts only on day 11: its notice leaves on day 3,"
)]
#[case::in_the_stage_itself(
    "day_after",
    "days_past_due = 10",
    1,
    "limited 5",
    "stage \"limited\" begins on day 10 past due and restricts only on day 11: its notice leaves on day 10,"
)]
#[case::a_notice_that_ends_within_grace(
    "day_after",
    "overdue_amount = \"9.00\"",
    2,
    "late 5",
    "stage \"limited\" can restrict on day 2 past due, within grace,"
)]
fn a_notice_that_does_not_leave_in_time_is_warned_of(
    #[case] day_count: &str,
    #[case] when: &str,
    #[case] notice_days: u32,
    #[case] steps: &str,
    #[case] expected: &str,
) {
    let warnings = noticed(day_count, when, notice_days, steps);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].starts_with(&format!("11:1: {expected}")), "{}", warnings[0]);
}

// A reminder three days after the due date comes on the fourth day where the due date is day 1.
#[rstest]
#[case("day_after", &[])]
#[case("due_day", &["7:1: stage \"held\" restricts, and no reminder goes out before it"])]
fn a_reminder_comes_before_the_stage_by_the_policys_own_count(
    #[case] day_count: &str,
    #[case] expected: &[&str],
) {
    let warnings = warnings_of(&format!(
        "day_count = \"{day_count}\"\n\
         announcement = {{ days = 30, channel = \"sms\", template = \"rules\" }}\n\
         reminders = {{ send_at = \"10:00\", steps = [{{ stage = \"current\", days = 3, channel = \"sms\", template = \"t\" }}] }}\n\
         [[stages]]\nname = \"held\"\nwhen = {{ days_past_due = 4 }}\n\
         restrictions = [{{ kind = \"limit_credit_line\", percent = 50 }}]"
    ));
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    for (warning, expected) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(expected), "{warning}");
    }
}

/// The twelve waterfall entries in that order of their classes, each with its four components.
fn twelve(classes: [&str; 3]) -> String {
    let names = classes.iter().flat_map(|class| {
        ["penalty", "fee", "interest", "principal"].map(|component| format!("\"{class}_{component}\""))
    });
    format!("waterfall = [{}]", names.collect::<Vec<String>>().join(", "))
}

/// A stage that begins with a delinquent day after two days of grace, with the tables before it.
fn with_a_stage(tables: &str) -> String {
    format!(
        "grace_days = 2\n{tables}\n[[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\
         [[stages]]\nname = \"limited\"\nwhen = {{ delinquent_days = 8 }}\n\
         restrictions = [{{ kind = \"limit_credit_line\", percent = 50 }}]"
    )
}

#[rstest]
#[case::four_names("waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]")]
#[case::past_due_first(&twelve(["past_due", "in_advance", "due"]))]
#[case::a_calendar_of_the_year("business_days = { calendar = \"cn\", move = \"next\" }")]
#[case::a_fee_from_the_first_stage_on("grace_days = 2\nlate_fee = { fixed = \"1\", free_days = 2 }")]
#[case::nothing_to_be_late_for("late_fee = { fixed = \"1\", free_days = 9 }")]
#[case::nothing_to_hold_back("buffer = { months = 12, amount = \"9.00\", days = 1 }")]
#[case::nothing_restricted("[[stages]]\nname = \"late\"\nwhen = { days_past_due = 9 }")]
fn a_policy_that_does_what_it_says_is_clean(#[case] tables: &str) {
    assert_eq!(warnings_of(tables), Vec::<String>::new());
}

#[rstest]
#[case::due_before_past_due(
    &twelve(["due", "past_due", "in_advance"]),
    "4:13: waterfall: due_penalty comes before past_due_penalty, so that paying what is overdue may leave it \
     overdue; put what is past_due first"
)]
#[case::in_advance_before_past_due(
    &twelve(["in_advance", "past_due", "due"]),
    "4:13: waterfall: in_advance_penalty comes before past_due_penalty,"
)]
#[case::a_calendar_that_ends_before(
    "[business_days]\ncalendar = \"old\"\nmove = \"next\"\n\
     [calendars.old]\nsource = \"s\"\nfrom = 2025-01-01\nto = 2025-12-31\nweekend = [\"sunday\"]",
    "4:1: business_days.calendar: it does not know all days from 2026-01-01 to 2026-12-31, and takes every \
     weekday that it does not know for a working day; add the year's holidays"
)]
#[case::a_calendar_that_ends_within(
    "[business_days]\ncalendar = \"half\"\nmove = \"next\"\n\
     [calendars.half]\nsource = \"s\"\nfrom = 2026-01-01\nto = 2026-12-30\nweekend = [\"sunday\"]",
    "4:1: business_days.calendar: it does not know all days"
)]
#[case::a_calendar_that_begins_within(
    "[business_days]\ncalendar = \"half\"\nmove = \"next\"\n\
     [calendars.half]\nsource = \"s\"\nfrom = 2026-01-02\nto = 2026-12-31\nweekend = [\"sunday\"]",
    "4:1: business_days.calendar: it does not know all days"
)]
#[case::late_for_free(
    "grace_days = 2\nlate_fee = { fixed = \"1\", free_days = 3 }\n\
     [[stages]]\nname = \"late\"\nwhen = { delinquent_days = 1 }",
    "5:12: late_fee.free_days: 3 last into stage \"late\", which can begin on day 3 past due: the account is \
     late then and costs nothing; ask for 2 or fewer"
)]
#[case::others_are_restricted_where_the_account_is_not(
    "customer = { stage = \"late\", restrictions = [{ kind = \"freeze_drawdown\" }] }\n\
     [[stages]]\nname = \"late\"\nwhen = { days_past_due = 9 }",
    "4:12: customer.stage: \"late\" restricts nothing itself, so that no buffer and no notice is waited for before \
     the customer's other accounts bear freeze_drawdown; name a stage that restricts"
)]
#[case::a_stage_within_grace_asks_for_no_fewer_than_grace(
    "grace_days = 2\nlate_fee = { fixed = \"1\", free_days = 3 }\n\
     [[stages]]\nname = \"late\"\nwhen = { overdue_amount = \"9.00\" }",
    "5:12: late_fee.free_days: 3 last into stage \"late\", which can begin on day 3 past due: the account is \
     late then and costs nothing; ask for 2 or fewer"
)]
fn a_table_that_does_not_do_what_it_seems_to_is_warned_of(#[case] tables: &str, #[case] expected: &str) {
    let warnings = warnings_of(tables);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].starts_with(expected), "{}", warnings[0]);
}

// No restriction begins before day 10 past due. Grace is 2 days.
#[rstest]
#[case(7, true)]
#[case(8, false)]
fn a_buffer_that_holds_nothing_back_is_warned_of(#[case] days: u32, #[case] warned: bool) {
    let warnings =
        warnings_of(&with_a_stage(&format!("buffer = {{ months = 12, amount = \"9.00\", days = {days} }}")));
    let expected = "5:10: buffer.days: 7 hold nothing back: the buffer is over on day 10 past due, and nothing is \
                    restricted before day 10; ask for more";
    assert_eq!(warnings.iter().any(|warning| warning == expected), warned, "{warnings:#?}");
}

#[rstest]
#[case::none("", true)]
#[case::one("announcement = { days = 30, channel = \"sms\", template = \"rules\" }", false)]
fn rules_that_nobody_is_told_of_are_warned_of(#[case] table: &str, #[case] warned: bool) {
    let expected = "9:1: stage \"limited\" restricts, and the policy has no [announcement]: a version that is \
                    stricter than the one before binds at once, and nobody is told; add the table to each version";
    let warnings = warnings_of(&with_a_stage(table));
    assert_eq!(warnings.iter().any(|warning| warning == expected), warned, "{warnings:#?}");
}

// The fee is on line 5, the stage that restricts on line 9.
#[test]
fn warnings_come_in_the_order_of_the_text() {
    let warnings = warnings_of(&with_a_stage("late_fee = { fixed = \"1\", free_days = 30 }"));
    let lines: Vec<&str> = warnings.iter().filter_map(|warning| warning.split(':').next()).collect();
    assert_eq!(lines, ["5", "9", "9"]);
}

#[test]
fn what_is_no_policy_has_no_warnings() {
    let error = policy::review("id = \"p\"\nversion = 0\neffective_on = 2026-01-01\n").unwrap_err();
    assert_eq!(error, policy::parse("id = \"p\"\nversion = 0\neffective_on = 2026-01-01\n").unwrap_err());
}
