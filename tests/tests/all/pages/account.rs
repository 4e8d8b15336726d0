//! The page of an account: what it says, what it costs, how large it is.

use duewatch_domain::Trigger;
use duewatch_tests::support::{Browser, ShownPage, World, consumed, contract_of, message, take_messages};
use serde_json::Value;

use super::{a_late_borrower, reach, two_borrowers};

/// The most bytes of a page.
const MAX_PAGE: usize = 30 * 1024;

async fn page(world: &World, language: &'static str) -> ShownPage {
    let mut browser = Browser { language, ..Browser::on(world) };
    browser.sign_in(world, "A-1").await;
    browser.get("/accounts/A-1").await
}

/// The text of the first sentence.
fn standing(page: &ShownPage) -> String {
    let (_, rest) = page.body.split_once("<p class=\"standing").expect("a standing");
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_says_first_where_the_account_stands_in_both_languages() {
    let world = two_borrowers().await;
    let due = page(&world, "en").await;
    assert_eq!(standing(&due), "Nothing is overdue. CNY 250.00 is due on 1 October 2023.");
    let due = page(&world, "zh").await;
    assert_eq!(standing(&due), "没有逾期。下一笔应还CNY 250.00，到期日2023年10月1日。");
    assert!(due.body.contains("<html lang=\"zh-CN\">"));
    // The day after its due date an installment is overdue; a stage begins after three days of grace.
    world.set("2023-10-02T02:00:00Z");
    let overdue = page(&world, "en").await;
    assert_eq!(standing(&overdue), "CNY 250.00 is overdue since 1 October 2023; nothing is restricted yet.");
    let overdue = page(&world, "zh").await;
    assert_eq!(standing(&overdue), "自2023年10月1日起，CNY 250.00已逾期，目前还没有限制。");
}

#[tokio::test]
async fn a_restricted_borrower_reads_why_what_clears_it_and_what_still_works() {
    let world = a_late_borrower().await;
    let page = page(&world, "en").await;
    assert_eq!(
        standing(&page),
        "CNY 250.00 is overdue since 1 October 2023, and your account is restricted."
    );
    for words in [
        // 19 days past due less three of grace.
        "<dt>Days past due</dt><dd>19 days</dd>",
        "<dt>Of these, days that count</dt><dd>16 days</dd>",
        "These are the rules standard, version 1.",
        "You cannot draw any more money.",
        "<dt>If you pay today</dt><dd><strong>CNY 250.00</strong></dd>",
        "<dt>Drawing money</dt><dd>does not work for now</dd>",
        "<dt>Paying us</dt><dd>works</dd>",
        "As of 20 October 2023, 10:00, revision",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test]
async fn money_that_has_come_is_on_its_way_until_it_is_posted() {
    let mut world = a_late_borrower().await;
    world.pay("A-1", "P-1", "250.00").await;
    let before = page(&world, "en").await;
    assert!(before.body.contains("CNY 250.00 arrived on 20 October 2023, 10:00 and is being posted."));
    world.pay_and_post("A-1", "P-1", "250.00").await;
    let after = page(&world, "en").await;
    assert_eq!(standing(&after), "Nothing is overdue. CNY 250.00 is due on 1 November 2023.");
    assert!(after.body.contains("counted in full") && !after.body.contains("is being posted"));
}

#[tokio::test]
async fn a_page_reads_one_account_two_records_and_the_payments_once() {
    let world = a_late_borrower().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let services = world.services(serve_borrower::NAME);
    services.transitions.rules_of(&world.account("A-1").await, world.now()).await.unwrap();
    let store = services.store().clone();
    let tables = store.tables().clone();
    let count = |call, table: &str| consumed(&store, call, table).requests;
    let kinds = [
        ("GetItem", &tables.accounts),
        ("Query", &tables.records),
        ("GetItem", &tables.records),
        ("Query", &tables.payments),
        ("Query", &tables.policies),
    ];
    let before = kinds.map(|(call, table)| count(call, table));
    let mut counted = Browser::new(services);
    counted.cookies.clone_from(&browser.cookies);
    assert_eq!(counted.get("/accounts/A-1").await.status, 200);
    let after = kinds.map(|(call, table)| count(call, table));
    let made: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(made, [1, 1, 1, 1, 0]);
    // Up to four kilobytes cost two halves where the read is consistent, and one half where it is not.
    let read = consumed(&store, "GetItem", &tables.accounts);
    assert_eq!((read.requests, read.half_units), (1, 2));
}

#[tokio::test]
async fn every_page_is_small_in_both_languages_also_of_a_long_loan() {
    let world = a_late_borrower().await;
    // Ten years of months from 1 October 2023 on.
    let months: Vec<String> =
        (0..120).map(|month| format!("{}-{:02}-01", 2023 + (month + 9) / 12, (month + 9) % 12 + 1)).collect();
    let contract = contract_of("standard", "A-3", &months);
    Box::pin(world.stack.transitions().open(&contract, world.now(), Trigger::Time)).await.unwrap();
    reach(&world, "A-3", "+8613800000003").await;
    world.set("2023-10-24T02:00:00Z");
    for number in 0..100 {
        world.pay("A-3", &format!("P-{number}"), "0.01").await;
    }
    // Words of which each character takes four bytes on a page.
    let disputes = (0..6).map(|number| {
        let fields = format!(r#""dispute_id":"D-{number}","reason":"{}""#, "<".repeat(1_000));
        message(&format!("E-{number}"), world.now(), "A-3", "dispute_opened", &fields)
    });
    let disputes: Vec<_> = disputes.collect();
    assert!(take_messages(&world.services(intake::NAME), &disputes).await.is_empty());
    for language in ["en", "zh"] {
        let mut browser = Browser { language, ..Browser::on(&world) };
        for path in ["/", "/help", "/agencies", "/verify", "/policies/standard", "/nothing"] {
            let size = browser.get(path).await.body.len();
            assert!((500..MAX_PAGE).contains(&size), "{path}: {size}");
        }
        browser.sign_in(&world, "A-3").await;
        for path in ["/", "/accounts/A-3"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200);
            assert!((1_000..MAX_PAGE).contains(&page.body.len()), "{path}: {}", page.body.len());
        }
    }
}

#[tokio::test]
async fn a_score_that_is_no_condition_is_nowhere() {
    let world = a_late_borrower().await;
    let score = message("E-1", world.now(), "A-1", "score_recorded", r#""score":123456,"by":"bureau""#);
    let before = page(&world, "en").await;
    assert!(take_messages(&world.services(intake::NAME), &[score]).await.is_empty());
    assert_eq!(world.account("A-1").await.score().unwrap().score, 123_456);
    let after = page(&world, "en").await;
    assert!(!after.body.contains("123456") && !after.body.contains("123,456"));
    assert_eq!(standing(&after), standing(&before));
    let mut browser = Browser { accept: "application/json", ..Browser::on(&world) };
    browser.accept = "text/html";
    browser.sign_in(&world, "A-1").await;
    let data = browser.get("/data").await.body;
    assert!(!data.contains("123456"), "{data}");
}

#[tokio::test]
async fn the_data_is_the_view_that_explains_the_account() {
    let world = a_late_borrower().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    browser.accept = "application/json";
    let shown: Value = serde_json::from_str(&browser.get("/accounts/A-1").await.body).unwrap();
    let account = world.account("A-1").await;
    let versions = world.stack.transitions().rules_of(&account, world.now()).await.unwrap();
    let view = duewatch_views::AccountView::new(&account, account.recent_decisions(), &versions, world.now());
    let view = serde_json::to_value(view.with_messages(Some(Vec::new()))).unwrap();
    assert_eq!(shown, view);
}

#[tokio::test]
async fn due_dates_come_as_a_calendar_that_names_nobody() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let calendar = browser.get("/accounts/A-1/due-dates.ics").await;
    assert_eq!(calendar.headers["content-type"], "text/calendar; charset=utf-8");
    let lines: Vec<&str> = calendar.body.split("\r\n").collect();
    assert_eq!(lines.iter().filter(|line| **line == "BEGIN:VEVENT").count(), 4);
    assert!(lines.contains(&"DTSTART;VALUE=DATE:20231001") && lines.contains(&"DTEND;VALUE=DATE:20231002"));
    assert!(lines.contains(&"SUMMARY:Payment due: CNY 250.00"));
    assert!(!calendar.body.contains("A-1") && !calendar.body.contains("C-1"));
}
