//! The pages while a table is out of reach.

use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::Browser;

use super::a_late_borrower;

#[tokio::test(flavor = "multi_thread")]
async fn without_tables_a_page_says_how_to_pay_and_that_nobody_is_charged_for_it() {
    let world = a_late_borrower().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let accounts = world.store().tables().accounts.clone();
    let down = Interrupt::failing("GetItem", &accounts, 1_000);
    let mut cut = Browser::new(world.services_interrupted(serve_borrower::NAME, down));
    cut.cookies.clone_from(&browser.cookies);
    for accept in ["text/html", "application/json"] {
        cut.accept = accept;
        let page = cut.get("/accounts/A-1").await;
        assert_eq!((page.status, page.headers["retry-after"].as_str()), (503, "60"));
        assert_eq!(page.headers["cache-control"], "no-store");
        if accept == "text/html" {
            for words in ["Pay at 400-000-0000.", "Call 400-000-0001.", "Nobody is charged or restricted"] {
                assert!(page.body.contains(words), "{words}");
            }
        }
        assert!(!page.body.contains("duewatch-dev"), "no name of a table is shown");
    }
    // What needs no table is there.
    cut.accept = "text/html";
    for path in ["/help", "/verify", "/agencies"] {
        assert_eq!(cut.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_payments_remove_their_section_with_a_sentence_and_never_the_page() {
    let world = a_late_borrower().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let payments = world.store().tables().payments.clone();
    let down = Interrupt::failing("Query", &payments, 1_000);
    let mut cut = Browser::new(world.services_interrupted(serve_borrower::NAME, down));
    cut.cookies.clone_from(&browser.cookies);
    let page = cut.get("/accounts/A-1").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Payments on their way cannot be shown right now"));
    assert!(page.body.contains("CNY 250.00 is overdue since 1 October 2023"));
}
