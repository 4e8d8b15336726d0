//! Quiet hours, by the borrower's clock in any zone.

use rstest::rstest;

use crate::common::contact::{preset, rules, somebody, wish};

// Shanghai is eight hours ahead of UTC, New York four or five behind, London none or one ahead.
#[rstest]
#[case::cn_one_second_before("cn", "Asia/Shanghai", "sms", "2024-06-01T13:59:59Z", "send sms")]
#[case::cn_at_ten(
    "cn",
    "Asia/Shanghai",
    "sms",
    "2024-06-01T14:00:00Z",
    "quiet_hours until 2024-06-02T00:00:00Z"
)]
#[case::cn_in_the_night(
    "cn",
    "Asia/Shanghai",
    "sms",
    "2024-06-01T17:00:00Z",
    "quiet_hours until 2024-06-02T00:00:00Z"
)]
#[case::cn_before_eight(
    "cn",
    "Asia/Shanghai",
    "phone",
    "2024-06-01T23:59:59Z",
    "quiet_hours until 2024-06-02T00:00:00Z"
)]
#[case::cn_at_eight("cn", "Asia/Shanghai", "phone", "2024-06-02T00:00:00Z", "send phone")]
#[case::cn_a_letter_wakes_nobody("cn", "Asia/Shanghai", "letter", "2024-06-01T15:00:00Z", "send letter")]
#[case::us_before_nine("us", "America/New_York", "email", "2024-06-02T00:59:59Z", "send email")]
#[case::us_at_nine(
    "us",
    "America/New_York",
    "email",
    "2024-06-02T01:00:00Z",
    "quiet_hours until 2024-06-02T12:00:00Z"
)]
#[case::us_the_night_is_an_hour_shorter(
    "us",
    "America/New_York",
    "sms",
    "2024-03-10T02:00:00Z",
    "quiet_hours until 2024-03-10T12:00:00Z"
)]
#[case::us_the_night_is_an_hour_longer(
    "us",
    "America/New_York",
    "sms",
    "2024-11-03T01:00:00Z",
    "quiet_hours until 2024-11-03T13:00:00Z"
)]
#[case::us_a_minute_to_eight(
    "us",
    "America/New_York",
    "sms",
    "2024-11-03T12:59:00Z",
    "quiet_hours until 2024-11-03T13:00:00Z"
)]
#[case::uk_at_nine(
    "uk",
    "Europe/London",
    "phone",
    "2024-06-01T20:00:00Z",
    "quiet_hours until 2024-06-02T07:00:00Z"
)]
#[case::uk_at_eight("uk", "Europe/London", "phone", "2024-06-02T07:00:00Z", "send phone")]
fn a_presets_night(
    #[case] name: &str,
    #[case] zone: &str,
    #[case] channel: &str,
    #[case] at: &str,
    #[case] expected: &str,
) {
    assert_eq!(somebody().gate(&wish(zone, channel), &preset(name), at), expected);
}

// London shows 01:00 to 02:00 twice on 27 October 2024, from 00:00Z and from 01:00Z, and never on
// 31 March, where 00:59:59 is followed by 02:00:00 at 01:00Z. New York does so from 05:00Z and from
// 06:00Z on 3 November. In Sao Paulo 4 November 2018 began at 01:00, which was 03:00Z. Apia went
// from 29 December 2011 straight to the 31st, at 10:00Z.
#[rstest]
#[case::repeated_the_first_time(
    "Europe/London",
    "23:00",
    "01:30",
    "2024-10-27T00:10:00Z",
    "quiet_hours until 2024-10-27T00:30:00Z"
)]
#[case::between_the_two("Europe/London", "23:00", "01:30", "2024-10-27T00:30:00Z", "send sms")]
#[case::repeated_the_second_time(
    "Europe/London",
    "23:00",
    "01:30",
    "2024-10-27T01:00:00Z",
    "quiet_hours until 2024-10-27T01:30:00Z"
)]
#[case::repeated_in_new_york(
    "America/New_York",
    "23:00",
    "01:30",
    "2024-11-03T05:10:00Z",
    "quiet_hours until 2024-11-03T05:30:00Z"
)]
#[case::and_again(
    "America/New_York",
    "23:00",
    "01:30",
    "2024-11-03T06:10:00Z",
    "quiet_hours until 2024-11-03T06:30:00Z"
)]
#[case::its_end_is_skipped(
    "Europe/London",
    "23:00",
    "01:30",
    "2024-03-31T00:59:59Z",
    "quiet_hours until 2024-03-31T01:00:00Z"
)]
#[case::it_is_skipped_whole("Europe/London", "01:15", "01:45", "2024-03-31T01:00:00Z", "send sms")]
#[case::its_end_is_a_skipped_midnight(
    "America/Sao_Paulo",
    "22:00",
    "00:30",
    "2018-11-04T02:59:59Z",
    "quiet_hours until 2018-11-04T03:00:00Z"
)]
#[case::its_begin_is_a_skipped_midnight(
    "America/Sao_Paulo",
    "00:00",
    "06:00",
    "2018-11-04T03:00:00Z",
    "quiet_hours until 2018-11-04T08:00:00Z"
)]
#[case::before_a_skipped_date(
    "Pacific/Apia",
    "22:00",
    "08:00",
    "2011-12-30T09:00:00Z",
    "quiet_hours until 2011-12-30T18:00:00Z"
)]
#[case::within_a_day_before("Asia/Shanghai", "12:00", "14:00", "2024-06-01T03:59:59Z", "send sms")]
#[case::within_a_day(
    "Asia/Shanghai",
    "12:00",
    "14:00",
    "2024-06-01T04:00:00Z",
    "quiet_hours until 2024-06-01T06:00:00Z"
)]
#[case::within_a_day_after("Asia/Shanghai", "12:00", "14:00", "2024-06-01T06:00:00Z", "send sms")]
#[case::until_midnight(
    "Asia/Shanghai",
    "20:00",
    "00:00",
    "2024-06-01T15:59:59Z",
    "quiet_hours until 2024-06-01T16:00:00Z"
)]
fn the_clock_that_the_borrower_sees(
    #[case] zone: &str,
    #[case] from: &str,
    #[case] until: &str,
    #[case] at: &str,
    #[case] expected: &str,
) {
    let rules =
        rules(&format!(r#"quiet_hours = [{{ from = "{from}", until = "{until}", channels = ["sms"] }}]"#));
    assert_eq!(somebody().gate(&wish(zone, "sms"), &rules, at), expected);
}

#[rstest]
#[case::agreed("2024-06-01T14:30:00Z", "send sms")]
#[case::no_more("2024-06-01T15:00:00Z", "quiet_hours until 2024-06-02T00:00:00Z")]
fn hours_that_were_agreed_are_not_quiet(#[case] at: &str, #[case] expected: &str) {
    let mut person = somebody();
    let hours = r#""agreed_hours":[{"from":"22:00","until":"23:00"}]"#;
    person.learns("2024-01-01T00:00:00Z", "preferences_changed", hours);
    assert_eq!(person.gate(&wish("Asia/Shanghai", "sms"), &preset("cn"), at), expected);
    let strict = rules(r#"quiet_hours = [{ from = "22:00", until = "08:00", channels = ["sms"] }]"#);
    let told = person.gate(&wish("Asia/Shanghai", "sms"), &strict, at);
    assert_eq!(told, "quiet_hours until 2024-06-02T00:00:00Z", "nobody asked whether it was agreed");
}

#[test]
fn what_waits_leaves_as_soon_as_agreed_hours_begin() {
    let mut person = somebody();
    let hours = r#""agreed_hours":[{"from":"23:00","until":"23:30"}]"#;
    person.learns("2024-01-01T00:00:00Z", "preferences_changed", hours);
    let said = person.gate(&wish("Asia/Shanghai", "sms"), &preset("cn"), "2024-06-01T14:10:00Z");
    assert_eq!(said, "quiet_hours until 2024-06-01T15:00:00Z");
}

#[test]
fn two_nights_that_overlap_are_one() {
    let rules = rules(
        r#"quiet_hours = [
            { from = "22:00", until = "06:00", channels = ["sms"] },
            { from = "05:00", until = "09:00", channels = ["sms"] },
        ]"#,
    );
    let said = somebody().gate(&wish("Asia/Shanghai", "sms"), &rules, "2024-06-01T15:00:00Z");
    assert_eq!(said, "quiet_hours until 2024-06-02T01:00:00Z");
}

#[test]
fn it_is_quiet_where_the_borrower_is_not_where_the_account_is() {
    let mut person = somebody();
    person.learns("2024-01-01T00:00:00Z", "preferences_changed", r#""time_zone":"Europe/London""#);
    // Nine in the morning in Shanghai is two at night in London.
    let said = person.gate(&wish("Asia/Shanghai", "sms"), &preset("cn"), "2024-06-01T01:00:00Z");
    assert_eq!(said, "quiet_hours until 2024-06-01T07:00:00Z");
}
