//! Getting in by a code, and what an attacker sees of it.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::error::BoxError;
use duewatch_tests::observed::RequestObserver;
use duewatch_tests::support::{Browser, World, code_in};

use super::{reach, two_borrowers};

/// The kinds of the requests that left, in their order.
#[derive(Clone, Debug, Default)]
struct Requests(Arc<Mutex<Vec<String>>>);

impl RequestObserver for Requests {
    fn before(&self, target: &str, _body: &[u8]) -> Result<(), BoxError> {
        let kind = if target.is_empty() { "Publish" } else { target };
        self.0.lock().unwrap().push(kind.to_owned());
        Ok(())
    }
}

/// The requests that ask for a code makes, and the answer without what is random in it.
async fn asked(world: &World, account: &str) -> (Vec<String>, u64, String) {
    let requests = Requests::default();
    let services = world.stack.services();
    let dynamodb = services.dynamodb_client.config().to_builder().interceptor(requests.clone().observing());
    let sns = services.sns_client.config().to_builder().interceptor(requests.clone().observing());
    let watched = duewatch_runtime::services(
        serve_borrower::NAME,
        world.stack.settings(),
        aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
        aws_sdk_sns::Client::from_conf(sns.build()),
        Arc::new(world.stack.clock().clone()),
    );
    let mut browser = Browser::new(watched);
    let answer = browser.ask_code(account).await;
    let made = requests.0.lock().unwrap().clone();
    (made, answer.status, format!("{} {:?} {:?}", answer.body, answer.headers, answer.set_cookies))
}

#[tokio::test]
async fn asking_for_a_code_is_the_same_whether_or_not_there_is_such_an_account() {
    let world = two_borrowers().await;
    let known = asked(&world, "A-1").await;
    assert_eq!(known.1, 303);
    // The account, its contact points, the count of codes; code and message together; whether sending is on hold.
    assert_eq!(known.0.len(), 6, "{:?}", known.0);
    for unknown in ["A-9", "no such id at all", "\u{8d26}\u{6237}", "<script>"] {
        assert_eq!(asked(&world, unknown).await, known, "{unknown}");
    }
    // Nor does the sixth time on a day tell: neither makes a code.
    for _ in 0..4 {
        assert_eq!(asked(&world, "A-1").await, known);
        assert_eq!(asked(&world, "A-9").await, known);
    }
    let (known, unknown) = (asked(&world, "A-1").await, asked(&world, "A-9").await);
    assert_eq!(known, unknown);
    assert_eq!(known.0.len(), 3, "no code was made: {:?}", known.0);
}

#[tokio::test]
async fn a_code_leaves_for_the_holder_alone_and_is_on_record() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.ask_code("A-1").await;
    let [sent] = world.sent_to("reminders").try_into().unwrap();
    assert_eq!(sent.attributes["channel"], "sms");
    assert_eq!(sent.attributes["template"], "sign_in");
    assert_eq!(sent.body["data"]["customer_id"], "C-1");
    assert!(!sent.body.to_string().contains("+86138"), "no contact point is in a message");
    let record = world.store().message(&sent.id().parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((record.customer_id.as_str(), record.contacts.len()), ("C-1", 0));
    // For an unknown account the same topic gets a message that is for nobody and says nothing.
    browser.ask_code("A-9").await;
    let nobody = world.sent_to("reminders").pop().unwrap();
    assert_eq!((nobody.attributes["channel"].as_str(), &nobody.body["data"]["text"]), ("none", &"".into()));
    assert!(nobody.body["data"]["reference"].is_null());
}

#[tokio::test]
async fn a_code_opens_the_browser_that_asked_once_and_no_other() {
    let world = two_borrowers().await;
    let (mut mine, mut other) = (Browser::on(&world), Browser::on(&world));
    mine.ask_code("A-1").await;
    let code = code_in(&world).unwrap();
    other.ask_code("A-9").await;
    let elsewhere = other.enter_code(&code).await;
    assert_eq!(elsewhere.status, 422);
    assert!(elsewhere.body.contains("does not work"));
    let before = mine.clone();
    let answer = mine.enter_code(&code).await;
    assert_eq!((answer.status, answer.headers["location"].as_str()), (303, "./"));
    let cookie = answer.set_cookies.iter().find(|one| one.starts_with("__Host-session=")).unwrap();
    for word in ["Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=1800"] {
        assert!(cookie.contains(word), "{cookie} lacks {word}");
    }
    assert!(mine.get("/").await.body.contains("A-1"));
    let mut again = before;
    assert_eq!(again.enter_code(&code).await.status, 422, "a code works once");
}

#[tokio::test]
async fn a_code_is_not_found_by_trying() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.ask_code("A-1").await;
    let code = code_in(&world).unwrap();
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..5 {
        assert_eq!(browser.enter_code(wrong).await.status, 422);
    }
    assert_eq!(browser.enter_code(&code).await.status, 422, "five tries are used up");
    // Two more codes of five tries each use up the fifteen of the account's day.
    for _ in 0..2 {
        let mut browser = Browser::on(&world);
        browser.ask_code("A-1").await;
        for _ in 0..5 {
            browser.enter_code(wrong).await;
        }
    }
    let mut browser = Browser::on(&world);
    browser.ask_code("A-1").await;
    let code = code_in(&world).unwrap();
    assert_eq!(browser.enter_code(&code).await.status, 422, "no try of the account is left today");
    // Another customer is not locked out by it, and the next day has tries of its own.
    Browser::on(&world).sign_in(&world, "A-2").await;
    world.set("2023-09-11T00:00:00Z");
    Browser::on(&world).sign_in(&world, "A-1").await;
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_a_session_after_thirty() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.ask_code("A-1").await;
    let code = code_in(&world).unwrap();
    world.set("2023-09-10T00:10:00Z");
    assert_eq!(browser.enter_code(&code).await.status, 422);
    browser.ask_code("A-1").await;
    let code = code_in(&world).unwrap();
    world.set("2023-09-10T00:19:59Z");
    assert_eq!(browser.enter_code(&code).await.status, 303);
    world.set("2023-09-10T00:49:58Z");
    assert_eq!(browser.get("/accounts/A-1").await.status, 200);
    world.set("2023-09-10T00:49:59Z");
    assert_eq!(browser.get("/accounts/A-1").await.status, 401);
}

#[tokio::test]
async fn a_new_number_gets_no_code_and_ends_the_sessions_of_the_old_one() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    reach(&world, "A-1", "+8613800000009").await;
    assert_eq!(browser.get("/accounts/A-1").await.status, 401, "a contact point has changed");
    // Known for 72 hours less a second: to nobody. A second later: a code leaves.
    world.set("2023-09-12T23:59:59Z");
    browser.ask_code("A-1").await;
    assert_eq!(code_in(&world), None);
    world.set("2023-09-13T00:00:00Z");
    browser.sign_in(&world, "A-1").await;
}

#[tokio::test]
async fn a_session_that_was_left_is_over_whoever_kept_its_cookie() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let mut thief = browser.clone();
    let token = browser.get("/").await.hidden("token");
    assert_eq!(browser.post("/sign-out", &[("token", &token)]).await.status, 303);
    assert_eq!(thief.get("/accounts/A-1").await.status, 401);
    assert!(browser.get("/").await.body.contains("Account number"));
}
