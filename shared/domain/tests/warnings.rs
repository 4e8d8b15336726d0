//! What `policy check` warns of: ladders that jump, restrict early, or ease as they go.
#![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

use duewatch_domain::policy;
use rstest::rstest;

/// Two days of grace, and everybody is reminded on the due date.
const HEAD: &str = r#"id = "standard"
version = 1
effective_on = 2026-01-01
grace_days = 2
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

/// Stages `s0`, `s1`, ... of their conditions and restrictions, each on four lines from line 6 on.
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

/// The warnings about a ladder, each as `line: sentence`.
fn warnings(head: &str, stages: &[(&str, &str)]) -> Vec<String> {
    let (_, warnings) = policy::review(&format!("{head}{}", ladder(stages))).unwrap();
    warnings.iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.problem)).collect()
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
    &["10:1: stage \"s1\" goes from no restriction straight to suspend_account"]
)]
#[case::the_first_stage_is_the_last_resort(
    &[("delinquent_days = 30", "suspend")],
    &["6:1: stage \"s0\" goes from no restriction straight to suspend_account"]
)]
#[case::draw_downs_before_the_line(
    &[("delinquent_days = 15", "line, freeze")],
    &["6:1: stage \"s0\" takes 2 rungs at once, from no step of the ladder to freeze_drawdown"]
)]
#[case::draw_downs_left_out(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "suspend")],
    &["10:1: stage \"s1\" takes 2 rungs at once, from limit_credit_line to suspend_account"]
)]
#[case::a_rate_is_a_restriction_but_no_rung(
    &[("delinquent_days = 5", "rate"), ("delinquent_days = 15", "rate, suspend")],
    &["10:1: stage \"s1\" takes 3 rungs at once, from no step of the ladder to suspend_account"]
)]
#[case::an_amount_within_grace(
    &[("overdue_amount = \"1.00\"", "line")],
    &["6:1: stage \"s0\" can restrict on day 1 past due, within grace, which lasts through day 2"]
)]
#[case::calendar_days_within_grace(
    &[("days_past_due = 2", "line")],
    &["6:1: stage \"s0\" can restrict on day 2 past due, within grace, which lasts through day 2"]
)]
#[case::delinquent_from_the_first_day(
    &[("delinquent_days = 0, unpaid_installments = 2", "line")],
    &["6:1: stage \"s0\" can restrict on day 1 past due, within grace, which lasts through day 2"]
)]
#[case::the_line_comes_back(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "freeze")],
    &["10:1: stage \"s1\" drops limit_credit_line to 50 %, which the milder \"s0\" brings"]
)]
#[case::all_of_it_comes_back(
    &[("delinquent_days = 5", "line, rate"), ("delinquent_days = 15", ""), ("delinquent_days = 20", "")],
    &["10:1: stage \"s1\" drops limit_credit_line to 50 %, raise_rate to 130 %, which the milder \"s0\" brings"]
)]
#[case::the_line_grows_again(
    &[("delinquent_days = 5", "line"), ("delinquent_days = 15", "higher line")],
    &["10:1: stage \"s1\" drops limit_credit_line to 50 %"]
)]
#[case::several_of_one_stage(
    &[("delinquent_days = 5", "rate"), ("overdue_share = \"0.5\"", "suspend")],
    &[
        "10:1: stage \"s1\" takes 3 rungs at once",
        "10:1: stage \"s1\" can restrict on day 1 past due",
        "10:1: stage \"s1\" drops raise_rate to 130 %",
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
        "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\ngrace_days = 2\n\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\n\
         \u{20}\u{20}[[stages]]\n  name = \"limited\"\n  when = {{ delinquent_days = 5 }}\n  restrictions = [{}]\n\n{step}",
        restriction("line"),
    );
    let (_, warnings) = policy::review(&text).unwrap();
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let expected = "line 10, column 3: warning: stage \"limited\" restricts, and no reminder goes out before it; \
                    add a step in a milder stage, before day 7 past due";
    assert_eq!(shown, if announced { vec![] } else { vec![expected.to_owned()] });
}

#[test]
fn what_is_no_policy_has_no_warnings() {
    let error = policy::review("id = \"p\"\nversion = 0\neffective_on = 2026-01-01\n").unwrap_err();
    assert_eq!(error, policy::parse("id = \"p\"\nversion = 0\neffective_on = 2026-01-01\n").unwrap_err());
}
