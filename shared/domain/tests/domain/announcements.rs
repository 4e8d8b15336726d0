//! Announcements over several versions: stricter terms bind nobody who was not told of them, whatever is published
//! meanwhile. Installments of 250.00 are due on the first of October to January.

use chrono::{DateTime, Days, NaiveDate, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::policy::{
    self, Policy, PublicationRefusal, Versions, canonical_text, check_publication, next_version,
};
use duewatch_domain::{Applied, Trigger};
use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, instant};

fn announced(days: u32) -> String {
    format!("[announcement]\ndays = {days}\nchannel = \"letter\"\ntemplate = \"new_terms\"\n")
}

fn text(version: u32, effective_on: NaiveDate, grace_days: u32, announcement: Option<u32>) -> String {
    format!(
        "id = \"p\"\nversion = {version}\neffective_on = {effective_on}\ngrace_days = {grace_days}\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\n\
         restrictions = [{{ kind = \"freeze_drawdown\" }}]\n{}",
        announcement.map(announced).unwrap_or_default()
    )
}

fn version(version: u32, effective_on: &str, grace_days: u32, announcement: Option<u32>) -> Policy {
    policy::parse(&text(version, date(effective_on), grace_days, announcement)).unwrap()
}

fn published(mut policy: Policy, at: &str) -> Policy {
    policy.published_at = Some(instant(at));
    policy
}

fn versions(of: &[Policy]) -> Versions {
    Versions::new(of.to_vec()).unwrap()
}

fn judged(loan: &mut TestLoan, on: &str, versions: &Versions) {
    let now = loan.local(on);
    loan.account.judge(versions, now, Trigger::Fact);
}

fn swept(loan: &mut TestLoan, until: NaiveDate, versions: &Versions) {
    let until = end_of_day(loan.account.time_zone, until);
    for _ in 0..200 {
        match loan.account.status.next_action_at.filter(|at| *at <= until) {
            Some(at) => loan.account.judge(versions, at, Trigger::Time),
            None => return,
        }
    }
}

/// The planned notices of policy versions that have not left.
fn planned(loan: &TestLoan) -> Vec<(NoticeOf, DateTime<Utc>)> {
    let open = loan.account.notices().iter().filter(|notice| notice.sent_at.is_none());
    open.map(|notice| (notice.of.clone(), notice.planned_at)).collect()
}

fn told(loan: &mut TestLoan, on: &str) -> Vec<NoticeOf> {
    let at = loan.local(on);
    let all = planned(loan);
    for (of, planned_at) in &all {
        assert_eq!(loan.account.notice_left(of, *planned_at, at), Applied::Changed);
    }
    all.into_iter().map(|(of, _)| of).collect()
}

fn bound_by(loan: &TestLoan, on: &str, versions: &Versions) -> u32 {
    versions.in_force(&loan.account, loan.local(on)).version
}

#[test]
fn terms_that_are_published_again_a_minute_later_bind_nobody_who_was_not_told() {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        version(2, "2023-10-15", 0, Some(30)),
        version(3, "2023-10-15", 0, Some(30)),
    ]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &all);
    assert_eq!(planned(&loan).len(), 1);
    swept(&mut loan, date("2023-12-31"), &all);
    assert_eq!(bound_by(&loan, "2023-12-31", &all), 1);
    assert_eq!(planned(&loan).len(), 1, "one letter announces both");
}

#[rstest]
#[case::the_day_before("2023-10-14", 1)]
#[case::the_announced_day("2023-10-15", 3)]
fn the_announcement_of_the_same_terms_holds_for_the_later_version(#[case] on: &str, #[case] binds: u32) {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        version(2, "2023-10-15", 0, Some(30)),
        version(3, "2023-09-20", 0, Some(30)),
    ]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &all);
    assert_eq!(told(&mut loan, "2023-09-02"), [NoticeOf::Policy(2)]);
    judged(&mut loan, "2023-09-03", &all);
    assert!(planned(&loan).is_empty(), "nobody is told twice of one change");
    assert_eq!(bound_by(&loan, on, &all), binds);
}

#[test]
fn a_later_version_without_the_table_owes_the_announcement_all_the_same() {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        version(2, "2023-10-15", 5, Some(30)),
        version(3, "2023-10-15", 0, None),
    ]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &all);
    assert_eq!(told(&mut loan, "2023-09-02"), [NoticeOf::Policy(2)]);
    judged(&mut loan, "2023-09-03", &all);
    // The third version is stricter than the announced one: it owes a letter of its own, by the same table.
    let letter = &loan.account.contact_requests[0];
    assert_eq!((letter.template.as_str(), &letter.notice_of), ("new_terms", &Some(NoticeOf::Policy(3))));
    assert_eq!(all.announced_from(&loan.account, 3, loan.local("2023-09-20")), Some(date("2023-10-20")));
    assert_eq!(bound_by(&loan, "2023-12-31", &all), 2);
    assert_eq!(told(&mut loan, "2023-09-20"), [NoticeOf::Policy(3)]);
    assert_eq!(bound_by(&loan, "2023-10-19", &all), 2);
    assert_eq!(bound_by(&loan, "2023-10-20", &all), 3);
}

#[test]
fn days_that_a_later_version_shortens_are_owed_in_full_for_terms_that_did_not_bind() {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        version(2, "2023-09-15", 0, Some(30)),
        version(3, "2023-09-15", 0, Some(1)),
    ]);
    let mut loan = four_installments();
    loan.learns("2023-09-10", "notice_sent", r#""policy_version":3"#);
    judged(&mut loan, "2023-09-11", &all);
    assert_eq!(bound_by(&loan, "2023-10-09", &all), 1);
    assert_eq!(bound_by(&loan, "2023-10-10", &all), 3);
}

#[test]
fn a_version_that_takes_the_stricter_one_back_binds_at_once_and_nobody_is_told_of_either() {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        version(2, "2023-10-15", 0, Some(30)),
        published(version(3, "2023-01-01", 9, Some(30)), "2023-09-01T00:00:00Z"),
    ]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-02", &all);
    assert!(planned(&loan).is_empty());
    assert_eq!(bound_by(&loan, "2023-09-02", &all), 3);
    assert_eq!(bound_by(&loan, "2023-12-31", &all), 3);
}

#[test]
fn an_account_that_the_stricter_version_binds_is_eased_at_once_by_the_one_that_takes_it_back() {
    let mut loan = four_installments();
    let strict = [version(1, "2023-01-01", 9, None), version(2, "2023-09-15", 0, Some(10))];
    judged(&mut loan, "2023-09-01", &versions(&strict));
    told(&mut loan, "2023-09-02");
    judged(&mut loan, "2023-09-02", &versions(&strict));
    swept(&mut loan, date("2023-10-05"), &versions(&strict));
    assert_eq!(loan.status_text(), "late [freeze_drawdown]");
    let back = published(version(3, "2023-01-01", 9, Some(10)), "2023-10-05T02:00:00Z");
    let all = versions(&[&strict[..], &[back]].concat());
    judged(&mut loan, "2023-10-06", &all);
    assert_eq!(loan.status_text(), "current []");
}

// An account that is not evaluated between the effective date and the publication.
#[rstest]
#[case::the_second_before("2023-11-05T01:59:59Z", 1)]
#[case::as_it_is_published("2023-11-05T02:00:00Z", 2)]
fn a_backdated_version_binds_from_its_publication(#[case] at: &str, #[case] binds: u32) {
    let all = versions(&[
        version(1, "2023-01-01", 9, None),
        published(version(2, "1999-01-01", 0, None), "2023-11-05T02:00:00Z"),
    ]);
    let mut loan = four_installments();
    loan.account.judge(&versions(&all[..1]), instant("2023-09-01T00:00:00Z"), Trigger::Fact);
    assert_eq!(all.in_force(&loan.account, instant(at)).version, binds);
    loan.account.judge(&all, instant("2023-11-06T00:00:00Z"), Trigger::Time);
    let bound = loan.account.bound_versions();
    assert_eq!((bound[1].version, bound[1].from), (2, date("2023-11-05")));
    let decision = loan.account.recent_decisions().last().unwrap();
    assert!(decision.at >= instant("2023-11-05T02:00:00Z"), "{}", decision.at);
}

/// Versions after a stricter one: its terms again, with or without the table, from some day on.
fn repeated() -> impl Strategy<Value = Vec<(u64, Option<u32>)>> {
    let table = prop_oneof![Just(None), (1_u32..40).prop_map(Some)];
    prop::collection::vec((0_u64..60, table), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// For v1 < v2 = v3 = ...: none of them binds an account that the announcement of v2 did not reach.
    #[test]
    fn terms_bind_nobody_whom_their_announcement_did_not_reach(
        grace in 1_u32..9,
        days in 1_u32..40,
        repeats in repeated(),
        effective in 0_u64..60,
        told_after in prop::option::of(0_u64..60),
        looks in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let first = date("2023-09-05");
        let day = |days: u64| first + Days::new(days);
        let mut all = vec![
            policy::parse(&text(1, date("2023-01-01"), grace, None)).unwrap(),
            policy::parse(&text(2, day(effective), 0, Some(days))).unwrap(),
        ];
        for (number, (effective, table)) in (3..).zip(&repeats) {
            all.push(policy::parse(&text(number, day(*effective), 0, *table)).unwrap());
        }
        let mut loan = four_installments();
        let zone = loan.account.time_zone;
        loan.account.judge(&versions(&all[..1]), loan.local("2023-09-01"), Trigger::Fact);
        // The versions are published one after the other, with an evaluation of the account in between or without.
        for known in looks.iter().map(|look| 2 + look.index(all.len() - 1)) {
            loan.account.judge(&versions(&all[..known]), loan.local("2023-09-02"), Trigger::Fact);
        }
        let all = versions(&all);
        loan.account.judge(&all, loan.local("2023-09-03"), Trigger::Fact);
        let letters = planned(&loan);
        prop_assert!(letters.len() <= 1, "{letters:?}");
        prop_assert!(letters.iter().all(|(of, _)| *of == NoticeOf::Policy(2)), "{letters:?}");
        let told_on = told_after.map(day);
        if let (Some(told_on), Some((of, planned_at))) = (told_on, letters.first()) {
            loan.account.notice_left(of, *planned_at, start_of_day(zone, told_on));
        }
        for on in (0..150).map(day) {
            let binds = all.in_force(&loan.account, start_of_day(zone, on)).version;
            let is_reached = told_on.is_some_and(|told_on| on >= told_on + Days::new(days.into()));
            prop_assert!(binds == 1 || is_reached, "version {binds} on {on}, told on {told_on:?}");
        }
    }
}

#[rstest]
#[case::the_next(2, "2023-10-01", Some(30), None)]
#[case::a_first_one(1, "1999-01-01", None, None)]
fn a_version_in_order_may_be_published(
    #[case] number: u32,
    #[case] effective_on: &str,
    #[case] announcement: Option<u32>,
    #[case] backdated: Option<&str>,
) {
    let first = version(1, "2023-01-01", 9, Some(30));
    let latest = (number > 1).then_some(&first);
    let next = version(number, effective_on, 0, announcement);
    assert_eq!(check_publication(latest, &next, date("2023-10-01"), backdated), Ok(()));
}

#[rstest]
#[case::the_last_number(
    u32::MAX,
    "1999-01-01",
    Some(30),
    Some("a reason"),
    "version 1 is the latest, so the next one is version 2"
)]
#[case::the_same_number(1, "2023-10-01", Some(30), None, "so the next one is version 2")]
#[case::the_past(2, "2023-09-30", Some(30), None, "2023-09-30 has passed")]
#[case::the_past_for_no_reason(2, "2023-09-30", Some(30), Some(" "), "--backdate REASON")]
#[case::unannounced(2, "2023-10-01", None, None, "keep the table [announcement]")]
fn a_version_out_of_order_is_refused(
    #[case] number: u32,
    #[case] effective_on: &str,
    #[case] announcement: Option<u32>,
    #[case] backdated: Option<&str>,
    #[case] says: &str,
) {
    let first = version(1, "2023-01-01", 9, Some(30));
    let next = version(number, effective_on, 0, announcement);
    let refused = check_publication(Some(&first), &next, date("2023-10-01"), backdated).unwrap_err();
    assert!(refused.to_string().contains(says), "{refused}");
}

#[test]
fn a_policy_begins_with_version_1() {
    let refused =
        check_publication(None, &version(u32::MAX, "1999-01-01", 0, None), date("2023-10-01"), None);
    assert!(matches!(refused, Err(PublicationRefusal::NotFirst(_))));
}

#[test]
fn a_text_is_published_again_under_another_number_and_keeps_the_announcement_of_the_latest() {
    let before = "# version = 7\n".to_owned() + &text(1, date("2023-01-01"), 9, None);
    let latest = version(2, "2023-10-15", 0, Some(30));
    let again = next_version(&before, 3, latest.announcement.as_ref()).unwrap();
    assert!(again.starts_with("# version = 7\nid = \"p\"\nversion = 3\n"), "{again}");
    let parsed = policy::parse(&again).unwrap();
    assert_eq!((parsed.version, parsed.grace_days, &parsed.announcement), (3, 9, &latest.announcement));
    assert!(next_version("version = \"x\"", 3, None).is_err());
}

#[test]
fn a_text_is_digested_without_the_traces_of_an_editor() {
    assert_eq!(canonical_text("\u{feff}a = 1\r\nb = 2\r\n\r\n"), "a = 1\nb = 2\n");
    assert_eq!(canonical_text("a = 1\nb = 2"), "a = 1\nb = 2\n");
}
