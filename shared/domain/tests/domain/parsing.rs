//! Refusals when files are read: always by field, value and, in policies, line.

use std::collections::BTreeMap;

use duewatch_domain::formats::{BookRow, parse_book_line, parse_book_rows, parse_event_line};
use duewatch_domain::policy::{self, Retention};
use rstest::rstest;

#[track_caller]
pub(crate) fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[rstest]
#[case::unknown_type(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_recieved","account_id":"A-1","payment_id":"P-1","amount":"1.00"}"#,
    &["type", "payment_recieved", "payment_received"]
)]
#[case::unknown_field(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"1.00","note":"x"}"#,
    &["note"]
)]
#[case::field_of_another_type(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"pause_ended","account_id":"A-1","on":"2023-10-05","reason":"x"}"#,
    &["reason"]
)]
#[case::missing_field(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_received","account_id":"A-1","amount":"1.00"}"#,
    &["payment_id"]
)]
#[case::missing_at(r#"{"type":"pause_ended","account_id":"A-1","on":"2023-10-05"}"#, &["at"])]
#[case::amount_as_a_whole_number(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":100}"#,
    &["amount", "100", "string"]
)]
#[case::amount_as_a_float(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":100.5}"#,
    &["amount", "100.5", "string"]
)]
#[case::amount_with_a_comma(
    r#"{"at":"2023-10-05T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"1,000.00"}"#,
    &["amount", "1,000.00"]
)]
#[case::time_without_an_offset(
    r#"{"at":"2023-10-05T09:30:00","type":"pause_ended","account_id":"A-1","on":"2023-10-05"}"#,
    &["at", "2023-10-05T09:30:00", "offset"]
)]
#[case::date_instead_of_a_time(
    r#"{"at":"2023-10-05","type":"pause_ended","account_id":"A-1","on":"2023-10-05"}"#,
    &["at", "2023-10-05"]
)]
#[case::time_before_all_facts_by_its_offset(
    r#"{"at":"1900-01-01T00:00:00+23:59","type":"pause_ended","account_id":"A-1","on":"2023-10-05"}"#,
    &["at", "1900-01-01T00:00:00+23:59", "between"]
)]
#[case::date_with_a_sign(
    r#"{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":"A-1","on":"+2023-10-5"}"#,
    &["on", "+2023-10-5"]
)]
#[case::date_with_a_blank(
    r#"{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":"A-1","on":"2023-10- 5"}"#,
    &["on", "2023-10- 5"]
)]
#[case::date_before_the_common_era(
    r#"{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":"A-1","on":"-001-01-01"}"#,
    &["on", "-001-01-01"]
)]
#[case::unknown_kind(
    r#"{"at":"2023-10-05T09:30:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"1.00","kind":"gift"}"#,
    &["kind", "gift", "goodwill"]
)]
#[case::unknown_currency(
    r#"{"at":"2023-10-05T09:30:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"1.00","currency":"RMB"}"#,
    &["currency", "RMB"]
)]
#[case::unknown_dating(
    r#"{"at":"2023-10-05T09:30:00Z","type":"payment_reversed","account_id":"A-1","payment_id":"P-1","dated":"today"}"#,
    &["dated", "today", "original"]
)]
#[case::negative_number(
    r#"{"at":"2023-10-05T09:30:00Z","type":"written_off","account_id":"A-1","number":-1,"reason":"x"}"#,
    &["number", "-1"]
)]
#[case::installment_amount_as_a_number(
    r#"{"at":"2023-10-05T09:30:00Z","type":"installment_added","account_id":"A-1","installment":{"number":5,"due_on":"2024-01-01","principal":250}}"#,
    &["installment.principal", "250"]
)]
#[case::empty_account_id(
    r#"{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":"","on":"2023-10-05"}"#,
    &["account_id", "\"\""]
)]
#[case::opened_under_another_id(
    r#"{"at":"2023-10-05T09:30:00Z","type":"account_opened","account_id":"A-2","account":{"account_id":"A-1","customer_id":"C-1","policy_id":"p","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[]}}"#,
    &["account.account_id", "A-1", "A-2"]
)]
#[case::opened_in_no_zone(
    r#"{"at":"2023-10-05T09:30:00Z","type":"account_opened","account_id":"A-1","account":{"account_id":"A-1","customer_id":"C-1","policy_id":"p","currency":"CNY","time_zone":"Asia/Peking","opened_on":"2023-10-01","installments":[]}}"#,
    &["account.time_zone", "Asia/Peking"]
)]
#[case::no_json("{", &["column"])]
#[case::no_object("[]", &["object"])]
fn an_event_is_refused_by_field_and_value(#[case] line: &str, #[case] names: &[&str]) {
    assert_names(&parse_event_line(line).unwrap_err().to_string(), names);
}

#[rstest]
#[case::no_object(|long| long)]
#[case::type_of_a_field(|long| format!(r#"{{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":{long}}}"#))]
#[case::instant(|long| format!(r#"{{"at":{long},"type":"pause_ended","account_id":"A-1"}}"#))]
#[case::value_of_a_field(|long| {
    format!(r#"{{"at":"2023-10-05T09:30:00Z","type":"payment_reversed","account_id":"A-1","payment_id":"P-1","dated":{long}}}"#)
})]
#[case::name_of_a_field(|long| {
    format!(r#"{{"at":"2023-10-05T09:30:00Z","type":"pause_ended","account_id":"A-1","on":"2023-10-05",{long}:1}}"#)
})]
fn a_value_as_long_as_an_item_is_shown_in_part(#[case] line: fn(String) -> String) {
    let long = format!("\"{}\"", "\u{5ba2}".repeat(100_000));
    let fault = parse_event_line(&line(long)).unwrap_err().to_string();
    assert!(fault.contains('\u{5ba2}') && fault.len() < 1_100, "{} bytes: {fault:.200}", fault.len());
}

#[test]
fn a_policy_value_as_long_as_an_item_is_shown_in_part() {
    let error = policy::parse(&format!("id = \"p\"\nversion = \"{}\"\n", "9".repeat(100_000))).unwrap_err();
    assert!(error.line == 2 && error.problem.contains("version"), "{error}");
    assert!(error.problem.len() < 1_100, "{} bytes", error.problem.len());
}

pub(crate) fn book_line(replace: &str, with: &str) -> String {
    let line = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"},{"number":2,"due_on":"2023-11-01","principal":"250.00","interest":"0.00","fee":"0.00"}]}"#;
    assert!(line.contains(replace), "{replace}");
    line.replacen(replace, with, 1)
}

#[test]
fn the_book_line_these_refusals_vary_is_fine() {
    assert_eq!(parse_book_line(&book_line("C-1", "C-1")).unwrap().installments.len(), 2);
}

#[rstest]
#[case::unknown_zone("Asia/Shanghai", "Asia/Peking", &["time_zone", "Asia/Peking"])]
#[case::offset_as_zone("Asia/Shanghai", "+08:00", &["time_zone", "+08:00"])]
#[case::unknown_currency("CNY", "RMB", &["currency", "RMB"])]
#[case::currency_without_minor_units("CNY", "XAU", &["currency", "XAU"])]
#[case::principal_as_a_number("\"250.00\"", "250.00", &["installments[0].principal", "250", "string"])]
#[case::more_decimals_than_the_currency("250.00", "250.001", &["principal", "250.001", "CNY"])]
#[case::fee_with_more_decimals("\"fee\":\"0.00\"", "\"fee\":\"0.001\"", &["fee", "0.001", "CNY"])]
#[case::principal_below_nothing("250.00", "-250.00", &["principal", "-250.00"])]
#[case::two_installments_of_one_number("\"number\":2", "\"number\":1", &["number", "1"])]
#[case::unknown_field("\"customer_id\"", "\"colour\":\"red\",\"customer_id\"", &["colour"])]
#[case::unknown_field_of_an_installment("\"number\":2", "\"colour\":\"red\",\"number\":2", &["installments[1]", "colour"])]
#[case::missing_field("\"policy_id\":\"standard\",", "", &["policy_id"])]
#[case::empty_id("\"A-1\"", "\"\"", &["account_id", "\"\""])]
#[case::more_in_all_than_an_amount_can_say(
    "\"principal\":\"250.00\"",
    "\"principal\":\"999999999999999.00\"",
    &["installments", "1000000000000249.00"]
)]
#[case::id_of_two_lines("\"A-1\"", "\"A\\n1\"", &["account_id", "no identifier"])]
#[case::due_date_out_of_range("2023-11-01", "3023-11-01", &["due_on", "3023-11-01"])]
fn a_book_line_is_refused_by_field_and_value(
    #[case] replace: &str,
    #[case] with: &str,
    #[case] names: &[&str],
) {
    let line = book_line(replace, with);
    assert_names(&parse_book_line(&line).unwrap_err().to_string(), names);
}

#[rstest]
#[case::as_long_as_may_be(1024 * 1024, true)]
#[case::too_long(1024 * 1024 + 1, false)]
fn a_line_has_a_mebibyte_at_most(#[case] bytes: usize, #[case] accepted: bool) {
    let mut line = book_line("A-1", "A-1");
    line.push_str(&" ".repeat(bytes - line.len()));
    assert_eq!(parse_book_line(&line).is_ok(), accepted);
}

fn row(line: u64, fields: &[(&str, &str)]) -> BookRow {
    let terms = [
        ("customer_id", "C-1"),
        ("policy_id", "standard"),
        ("currency", "CNY"),
        ("time_zone", "Asia/Shanghai"),
        ("opened_on", "2023-10-01"),
    ];
    let fields: BTreeMap<String, String> =
        terms.iter().chain(fields).map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
    BookRow { line, fields }
}

fn of<'a>(account: &'a str, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("account_id", account)], fields].concat()
}

#[test]
fn rows_of_one_account_are_gathered_into_one_contract() {
    let rows = vec![
        row(2, &of("A-1", &[("number", "1"), ("due_on", "2023-10-01"), ("principal", "250.00")])),
        row(3, &of("A-2", &[("number", "")])),
        row(
            4,
            &[
                ("account_id", "A-1"),
                ("number", "2"),
                ("due_on", "2023-11-01"),
                ("principal", "250.00"),
                ("fee", ""),
            ],
        ),
    ];
    let contracts = parse_book_rows(rows);
    let seen: Vec<(u64, String, usize)> = contracts
        .into_iter()
        .map(|(line, contract)| (line, contract.unwrap()))
        .map(|(line, contract)| (line, contract.account_id.to_string(), contract.installments.len()))
        .collect();
    assert_eq!(seen, [(2, "A-1".to_owned(), 2), (3, "A-2".to_owned(), 0)]);
}

#[rstest]
#[case::terms_differ(&[("currency", "EUR"), ("number", "2"), ("due_on", "2023-11-01"), ("principal", "1.00")], &["currency", "EUR"])]
#[case::no_number(&[("number", "two"), ("due_on", "2023-11-01"), ("principal", "1.00")], &["number", "two"])]
#[case::no_amount(&[("number", "2"), ("due_on", "2023-11-01"), ("principal", "1.0.0")], &["principal", "1.0.0"])]
#[case::too_fine(&[("number", "2"), ("due_on", "2023-11-01"), ("principal", "1.001")], &["principal: 1.001", "CNY"])]
#[case::number_taken(&[("number", "1"), ("due_on", "2023-11-01"), ("principal", "1.00")], &["number: installment 1 exists"])]
#[case::unfit_draw(&[("number", "2"), ("due_on", "2023-11-01"), ("principal", "1.00"), ("draw_id", "=1+1")], &["draw_id", "=1+1"])]
fn a_bad_row_fails_its_account_with_its_line_and_no_other(
    #[case] bad: &[(&str, &str)],
    #[case] names: &[&str],
) {
    let good = [("number", "1"), ("due_on", "2023-10-01"), ("principal", "250.00")];
    let rows = vec![row(2, &of("A-1", &good)), row(3, &of("A-1", bad)), row(4, &of("A-2", &good))];
    let mut contracts = parse_book_rows(rows);
    assert!(contracts.pop().unwrap().1.is_ok());
    let (line, refused) = contracts.pop().unwrap();
    assert_eq!(line, 3);
    assert_names(&refused.unwrap_err().to_string(), names);
}

const POLICY: &str = r#"id = "standard"
version = 1
effective_on = 2026-01-01
day_count = "day_after"
grace_days = 3
waterfall = ["penalty", "fee", "interest", "principal"]

[[stages]]
name = "late"
when = { delinquent_days = 1 }
restrictions = []

[[stages]]
name = "frozen"
when = { delinquent_days = 15, overdue_amount = "100.00" }
restrictions = [{ kind = "limit_credit_line", percent = 50 }, { kind = "freeze_drawdown" }]
"#;

#[test]
fn the_documented_policy_is_read_as_it_is_written() {
    let policy = policy::parse(POLICY).unwrap();
    assert_eq!(policy.reference().to_string(), "standard version 1");
    assert_eq!(policy.grace_days, 3);
    let stages: Vec<(&str, usize)> =
        policy.stages.iter().map(|stage| (stage.name.as_str(), stage.restrictions.len())).collect();
    assert_eq!(stages, [("late", 0), ("frozen", 2)]);
}

#[test]
fn what_a_policy_leaves_out_is_off() {
    let policy = policy::parse("id = \"bare\"\nversion = 1\neffective_on = 2026-01-01\n").unwrap();
    assert_eq!((policy.grace_days, policy.stages.len(), policy.reminders.is_none()), (0, 0, true));
    assert_eq!(policy.retention, Retention::default());
}

// A stage's faults are reported on its own lines, 8 to 11 and 13 to 16.
#[rstest]
#[case::ladder_out_of_order("delinquent_days = 1 ", "delinquent_days = 15, overdue_amount = \"100.00\" ", 8..=11, &["late", "frozen"])]
#[case::stage_named_twice("name = \"frozen\"", "name = \"late\"", 13..=16, &["name", "late"])]
#[case::stage_named_current("name = \"frozen\"", "name = \"current\"", 13..=16, &["name", "current"])]
#[case::unknown_condition("overdue_amount", "overdue_sum", 15..=15, &["overdue_sum", "overdue_amount"])]
#[case::no_condition("{ delinquent_days = 1 }", "{}", 8..=11, &["when", "late"])]
#[case::unknown_restriction_option("percent", "percentage", 16..=16, &["percentage", "percent"])]
#[case::option_of_another_restriction("\"freeze_drawdown\"", "\"freeze_drawdown\", percent = 5", 13..=16, &["freeze_drawdown", "percent"])]
#[case::limit_without_percent(", percent = 50", "", 13..=16, &["limit_credit_line", "percent"])]
#[case::limit_beyond_all("percent = 50", "percent = 101", 13..=16, &["limit_credit_line", "percent", "101"])]
#[case::restriction_twice("\"freeze_drawdown\"", "\"limit_credit_line\", percent = 5", 13..=16, &["limit_credit_line"])]
#[case::restriction_without_a_name("freeze_drawdown", "Freeze it", 13..=16, &["kind", "Freeze it"])]
#[case::amount_below_nothing("\"100.00\"", "\"-100.00\"", 13..=16, &["overdue_amount", "-100.00"])]
#[case::share_beyond_all("overdue_amount = \"100.00\"", "overdue_share = \"1.5\"", 13..=16, &["overdue_share", "1.5"])]
#[case::days_beyond_all("delinquent_days = 15", "delinquent_days = 36501", 13..=16, &["delinquent_days", "36501"])]
#[case::unknown_field_of_a_stage("restrictions = []", "colour = \"red\"", 11..=11, &["colour"])]
#[case::unknown_table("grace_days = 3", "late_fee = 3", 5..=5, &["late_fee"])]
#[case::unknown_day_count("\"day_after\"", "\"next_day\"", 4..=4, &["next_day", "day_after", "due_day"])]
#[case::half_a_waterfall("\"penalty\", ", "", 6..=6, &["waterfall", "penalty"])]
#[case::a_component_twice("\"penalty\", ", "\"fee\", ", 6..=6, &["waterfall"])]
#[case::no_toml("[[stages]]", "[[stages]", 8..=8, &[])]
#[case::effective_on_a_time("2026-01-01", "2026-01-01T00:00:00Z", 3..=3, &["2026-01-01T00:00:00Z"])]
fn a_policy_is_refused_by_line_field_and_value(
    #[case] replace: &str,
    #[case] with: &str,
    #[case] lines: std::ops::RangeInclusive<usize>,
    #[case] names: &[&str],
) {
    assert!(POLICY.contains(replace), "{replace}");
    let error = policy::parse(&POLICY.replacen(replace, with, 1)).unwrap_err();
    assert!(lines.contains(&error.line), "{error}");
    assert_names(&error.to_string(), names);
}

#[rstest]
#[case::the_same_threshold("delinquent_days = 1", "delinquent_days = 1", false)]
#[case::falling("delinquent_days = 5", "delinquent_days = 1", false)]
#[case::rising("delinquent_days = 1", "delinquent_days = 5", true)]
#[case::later_names_fewer_conditions(
    "delinquent_days = 5, overdue_amount = \"1.00\"",
    "delinquent_days = 5",
    false
)]
#[case::later_names_one_more("delinquent_days = 5", "delinquent_days = 5, overdue_amount = \"1.00\"", true)]
#[case::one_rises_one_falls(
    "delinquent_days = 5, unpaid_installments = 1",
    "delinquent_days = 1, unpaid_installments = 2",
    true
)]
#[case::conditions_are_mixed("delinquent_days = 50", "unpaid_installments = 1", true)]
fn a_ladder_is_refused_where_a_stage_can_never_win(
    #[case] first: &str,
    #[case] second: &str,
    #[case] accepted: bool,
) {
    let text = format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n[[stages]]\nname = \"a\"\nwhen = {{ {first} }}\n[[stages]]\nname = \"b\"\nwhen = {{ {second} }}\n"
    );
    assert_eq!(policy::parse(&text).is_ok(), accepted);
}

const REMINDERS: &str = r#"
[reminders]
send_at = "10:00"
steps = [{ stage = "late", days = 5, channel = "sms", template = "late_5" }]
"#;

// The table is on lines 18 to 20.
#[rstest]
#[case::unknown_stage("stage = \"late\"", "stage = \"lost\"", &["stage", "lost"])]
#[case::unknown_channel("\"sms\"", "\"pigeon\"", &["pigeon", "sms"])]
#[case::no_time_of_day("10:00", "10 o'clock", &["10 o'clock"])]
#[case::template_of_no_name("late_5", "late 5", &["template", "late 5"])]
#[case::too_many_days("days = 5", "days = 36501", &["days", "36501"])]
#[case::unknown_field("days = 5", "day = 5", &["day"])]
fn a_reminder_schedule_is_refused_by_line_field_and_value(
    #[case] replace: &str,
    #[case] with: &str,
    #[case] names: &[&str],
) {
    assert!(policy::parse(&format!("{POLICY}{REMINDERS}")).is_ok());
    let error = policy::parse(&format!("{POLICY}{}", REMINDERS.replacen(replace, with, 1))).unwrap_err();
    assert!((18..=20).contains(&error.line), "{error}");
    assert_names(&error.to_string(), names);
}

const RETENTION: &str = "[retention]\nhistory_days = 1825\ncontact_log_days = 1095\n";

// The table is on lines 17 to 19.
#[rstest]
#[case::too_few_days("1825", "29", &["retention.history_days", "29", "30", "36500"])]
#[case::too_many_days("1095", "36501", &["retention.contact_log_days", "36501", "36500"])]
#[case::less_than_none("1825", "-1", &["retention.history_days", "-1"])]
#[case::unknown_field("history_days", "historic_days", &["historic_days", "history_days"])]
fn a_retention_is_refused_by_line_field_and_value(
    #[case] replace: &str,
    #[case] with: &str,
    #[case] names: &[&str],
) {
    let error = policy::parse(&format!("{POLICY}{}", RETENTION.replacen(replace, with, 1))).unwrap_err();
    assert!((17..=19).contains(&error.line), "{error}");
    assert_names(&error.to_string(), names);
}

#[rstest]
#[case::five_years_with_their_leap_days(
    RETENTION,
    "2023-10-09T03:00:00Z",
    Some("2028-10-07T03:00:00Z"),
    Some("2026-10-08T03:00:00Z")
)]
#[case::from_a_leap_day(
    RETENTION,
    "2024-02-29T23:59:59Z",
    Some("2029-02-27T23:59:59Z"),
    Some("2027-02-28T23:59:59Z")
)]
#[case::the_fewest(
    "[retention]\nhistory_days = 30\n",
    "2024-02-01T00:00:00Z",
    Some("2024-03-02T00:00:00Z"),
    None
)]
#[case::the_most(
    "[retention]\ncontact_log_days = 36500\n",
    "2024-01-01T00:00:00Z",
    None,
    Some("2123-12-08T00:00:00Z")
)]
#[case::no_table("", "2024-01-01T00:00:00Z", None, None)]
#[case::an_empty_table("[retention]\n", "2024-01-01T00:00:00Z", None, None)]
#[case::beyond_the_calendar(RETENTION, "+262142-01-01T00:00:00Z", None, None)]
fn what_was_written_is_kept_for_so_many_days(
    #[case] table: &str,
    #[case] at: &str,
    #[case] history: Option<&str>,
    #[case] contact_log: Option<&str>,
) {
    let retention = policy::parse(&format!("{POLICY}{table}")).unwrap().retention;
    let at = at.parse().unwrap();
    let instant = |text: &str| text.parse().unwrap();
    assert_eq!(retention.history_until(at), history.map(instant));
    assert_eq!(retention.contact_log_until(at), contact_log.map(instant));
}

/// `count` copies of `thing`, each with its number in place of `#`.
fn each(count: usize, thing: &str) -> String {
    (1..=count).map(|number| thing.replace('#', &number.to_string())).collect()
}

fn stages(count: usize) -> String {
    each(count, "[[stages]]\nname = \"stage #\"\nwhen = { days_past_due = # }\n")
}

fn stage_named(bytes: usize) -> String {
    format!("[[stages]]\nname = \"{}\"\nwhen = {{ days_past_due = 1 }}\n", "s".repeat(bytes))
}

fn stage_when(condition: &str) -> String {
    format!("[[stages]]\nname = \"held\"\nwhen = {{ {condition} }}\n")
}

fn restricting(restrictions: &str) -> String {
    format!("{}restrictions = [{restrictions}]\n", stage_when("days_past_due = 1"))
}

fn kind_of(bytes: usize) -> String {
    restricting(&format!("{{ kind = \"{}\" }}", "k".repeat(bytes)))
}

fn reminding(days: i64, template: &str) -> String {
    format!(
        "[reminders]\nsend_at = \"10:00\"\nsteps = [{{ stage = \"current\", days = {days}, channel = \"sms\", template = \"{template}\" }}]\n"
    )
}

fn steps(count: usize) -> String {
    let step = "[[reminders.steps]]\nstage = \"current\"\ndays = #\nchannel = \"sms\"\ntemplate = \"t\"\n";
    format!("[reminders]\nsend_at = \"10:00\"\n{}", each(count, step))
}

#[rstest]
#[case::grace("grace_days = 36500", "grace_days = 36501", "grace_days")]
#[case::stages(&stages(50), &stages(51), "stages")]
#[case::stage_name(&stage_named(1), &stage_named(0), "name")]
#[case::stage_name(&stage_named(64), &stage_named(65), "name")]
#[case::stage_name_in_one_line(&stage_named(9), &stage_named(9).replacen("ss", "s\\ts", 1), "name")]
#[case::delinquent_days(&stage_when("delinquent_days = 36500"), &stage_when("delinquent_days = 36501"), "when.delinquent_days")]
#[case::days_past_due(&stage_when("days_past_due = 36500"), &stage_when("days_past_due = 36501"), "when.days_past_due")]
#[case::unpaid_installments(&stage_when("unpaid_installments = 36500"), &stage_when("unpaid_installments = 36501"), "when.unpaid_installments")]
#[case::overdue_amount(&stage_when("overdue_amount = \"0\""), &stage_when("overdue_amount = \"-0.01\""), "when.overdue_amount")]
#[case::overdue_share(&stage_when("overdue_share = 0"), &stage_when("overdue_share = -0.01"), "when.overdue_share")]
#[case::overdue_share(&stage_when("overdue_share = 1"), &stage_when("overdue_share = 1.01"), "when.overdue_share")]
#[case::restrictions(&restricting(&each(20, "{ kind = \"own_#\" },")), &restricting(&each(21, "{ kind = \"own_#\" },")), "restrictions")]
#[case::kind_of_restriction(&kind_of(1), &kind_of(0), "restrictions: kind")]
#[case::kind_of_restriction(&kind_of(64), &kind_of(65), "restrictions: kind")]
#[case::kind_in_lower_case(&restricting("{ kind = \"own_2\" }"), &restricting("{ kind = \"Own_2\" }"), "restrictions: kind")]
#[case::kind_without_hyphens(&restricting("{ kind = \"own_2\" }"), &restricting("{ kind = \"own-2\" }"), "restrictions: kind")]
#[case::limit(&restricting("{ kind = \"limit_credit_line\", percent = 100 }"), &restricting("{ kind = \"limit_credit_line\", percent = 101 }"), "limit_credit_line.percent: 101 is not between 0 and 100")]
#[case::limit_given(&restricting("{ kind = \"limit_credit_line\", percent = 0 }"), &restricting("{ kind = \"limit_credit_line\" }"), "limit_credit_line.percent: nothing")]
#[case::rate(&restricting("{ kind = \"raise_rate\", percent = 100 }"), &restricting("{ kind = \"raise_rate\", percent = 99 }"), "raise_rate.percent: 99 is not between 100 and 1000")]
#[case::rate(&restricting("{ kind = \"raise_rate\", percent = 1000 }"), &restricting("{ kind = \"raise_rate\", percent = 1001 }"), "raise_rate.percent: 1001 is not between 100 and 1000")]
#[case::rate_may_be_left_out(&restricting("{ kind = \"raise_rate\" }"), &restricting("{ kind = \"raise_rate\", percent = 0 }"), "raise_rate.percent: 0")]
#[case::option_of_none(&restricting("{ kind = \"suspend_account\" }"), &restricting("{ kind = \"suspend_account\", percent = 50 }"), "suspend_account has no option percent")]
#[case::reminder_steps(&steps(100), &steps(101), "reminders.steps")]
#[case::reminder_days_after(&reminding(36_500, "t"), &reminding(36_501, "t"), "days: 36501")]
#[case::reminder_days_before(&reminding(-36_500, "t"), &reminding(-36_501, "t"), "days: -36501")]
#[case::template(&reminding(1, "t"), &reminding(1, ""), "template")]
#[case::template(&reminding(1, &"t".repeat(64)), &reminding(1, &"t".repeat(65)), "template")]
#[case::template_of_a_name(&reminding(1, "Late_7-a"), &reminding(1, "Late_7.a"), "template")]
fn a_policy_keeps_within_its_bounds(#[case] within: &str, #[case] beyond: &str, #[case] names: &str) {
    let read =
        |rest: &str| policy::parse(&format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n{rest}\n"));
    assert_eq!(read(within).err(), None);
    assert_names(&read(beyond).unwrap_err().to_string(), &[names]);
}
