//! Each route, for each reader: nobody, the holder, another customer, forged and expired cookies, foreign forms.

use duewatch_stack::{local_page_key, local_reference_keys};
use duewatch_tests::support::{Browser, sample};
use serve_borrower::{Help, Pages};

use super::{a_late_borrower, two_borrowers};

/// The routes of a signed-in reader.
const PRIVATE: [&str; 3] = ["/accounts/A-1", "/accounts/A-1/due-dates.ics", "/data"];
/// The routes of anybody, with their answers.
const PUBLIC: [(&str, u64); 10] = [
    ("/budget", 200),
    ("/", 200),
    ("/help", 200),
    ("/agencies", 200),
    ("/verify", 200),
    ("/verify/2222-2222-2222-2222-2222-2222", 200),
    ("/policies/standard", 200),
    ("/policies/none", 404),
    ("/nothing", 404),
    ("/accounts", 404),
];
/// The forms of an account's page, each filled in well.
const FORMS: [(&str, &[(&str, &str)]); 5] = [
    ("promise", &[("amount", "250.00"), ("by", "2023-10-25")]),
    ("dispute", &[("what", "paid at a branch")]),
    ("reason", &[("reason", "I was ill")]),
    ("preferences", &[("language", "zh"), ("days", "7, 1")]),
    ("consent", &[("channel", "email")]),
];

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn anybody_sees_the_public_pages_and_nobody_a_private_one() {
    let world = two_borrowers().await;
    for accept in ["text/html", "application/json"] {
        let mut browser = Browser { accept, ..Browser::on(&world) };
        for path in PRIVATE {
            assert_eq!(browser.get(path).await.status, 401, "{path}");
        }
        for (path, status) in PUBLIC {
            if path == "/" && accept != "text/html" {
                continue;
            }
            let shown = browser.get(path).await;
            assert_eq!(shown.status, status, "{path}: {}", shown.body);
        }
    }
}

#[tokio::test]
async fn the_sample_event_is_answered() {
    let world = two_borrowers().await;
    let pages = Pages::new(
        world.services(serve_borrower::NAME),
        local_page_key().unwrap(),
        local_reference_keys().unwrap(),
        Help::default(),
    );
    let event = serde_json::from_value(sample("serve-borrower.http.json")).unwrap();
    let answer = serde_json::to_value(serve_borrower::handle(&pages, event).await).unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert!(answer["body"].as_str().unwrap().contains("Not ours"));
}

#[tokio::test]
async fn every_answer_bears_the_headers_that_keep_a_page_to_itself() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    for path in PRIVATE.into_iter().chain(PUBLIC.map(|(path, _)| path)) {
        let shown = browser.get(path).await;
        assert_eq!(shown.headers["cache-control"], "no-store", "{path}");
        let policy = &shown.headers["content-security-policy"];
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "'sha256-",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!shown.body.contains("<script") && !shown.body.contains(" style="), "{path}");
    }
}

#[tokio::test]
async fn another_customers_ids_answer_exactly_as_unknown_ones() {
    let world = a_late_borrower().await;
    let mut other = Browser::on(&world);
    other.sign_in(&world, "A-2").await;
    let token = other.get("/accounts/A-2").await.hidden("token");
    let before = world.account("A-1").await;
    for accept in ["text/html", "application/json"] {
        other.accept = accept;
        for rest in ["", "/due-dates.ics"] {
            let anothers = other.get(&format!("/accounts/A-1{rest}")).await;
            let unknown = other.get(&format!("/accounts/A-9{rest}")).await;
            assert_eq!((anothers.status, &anothers), (404, &unknown));
        }
        for (action, fields) in FORMS {
            let fields: Vec<(&str, &str)> =
                fields.iter().copied().chain([("token", token.as_str()), ("key", KEY)]).collect();
            let anothers = other.post(&format!("/accounts/A-1/{action}"), &fields).await;
            let unknown = other.post(&format!("/accounts/A-9/{action}"), &fields).await;
            assert_eq!((anothers.status, &anothers), (404, &unknown), "{action}");
        }
    }
    assert_eq!(world.account("A-1").await, before);
    let data = other.get("/data").await.body;
    assert!(data.contains("A-2") && !data.contains("A-1") && !data.contains("C-1\""), "{data}");
}

#[tokio::test]
async fn a_forged_cookie_is_none() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let real = browser.cookies["__Host-session"].clone();
    let (id, mac) = real.split_once('.').unwrap();
    let other_id = format!("{}{}", if id.starts_with('0') { '1' } else { '0' }, &id[1..]);
    for forged in
        [format!("{other_id}.{mac}"), id.to_owned(), format!("{id}."), String::new(), "x".repeat(5_000)]
    {
        browser.cookies.insert("__Host-session".to_owned(), forged.clone());
        for path in PRIVATE {
            assert_eq!(browser.get(path).await.status, 401, "{path} {forged}");
        }
    }
    // A cookie that a code's browser bears is no session.
    let mut waiting = Browser::on(&world);
    waiting.get("/").await;
    let browser_cookie = waiting.cookies["__Host-browser"].clone();
    browser.cookies.insert("__Host-session".to_owned(), browser_cookie);
    assert_eq!(browser.get("/accounts/A-1").await.status, 401);
}

#[tokio::test]
async fn a_form_that_is_not_of_our_page_changes_nothing() {
    let world = a_late_borrower().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let token = browser.get("/accounts/A-1").await.hidden("token");
    let before = world.account("A-1").await;
    let of_another = {
        let mut other = Browser::on(&world);
        other.sign_in(&world, "A-2").await;
        other.get("/accounts/A-2").await.hidden("token")
    };
    for (action, fields) in FORMS {
        let path = format!("/accounts/A-1/{action}");
        for (origin, sent, key) in [
            ("https://pages.lender.example", of_another.as_str(), KEY),
            ("https://pages.lender.example", "", KEY),
            ("https://evil.example", token.as_str(), KEY),
            ("http://pages.lender.example", token.as_str(), KEY),
            ("null", token.as_str(), KEY),
            ("https://pages.lender.example", token.as_str(), "no key"),
        ] {
            browser.origin = origin.to_owned();
            let fields: Vec<(&str, &str)> =
                fields.iter().copied().chain([("token", sent), ("key", key)]).collect();
            assert_eq!(browser.post(&path, &fields).await.status, 403, "{action} {origin} {sent}");
        }
        // Without an origin at all.
        let body = format!("token={token}&key={KEY}").into_bytes();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(browser.send("POST", &path, &kind, body).await.status, 403);
    }
    assert_eq!(world.account("A-1").await, before);
    browser.origin = "https://evil.example".to_owned();
    assert_eq!(browser.post("/sign-out", &[("token", &token)]).await.status, 403);
    assert_eq!(browser.get("/accounts/A-1").await.status, 200, "nobody else signs the reader out");
}

#[tokio::test]
async fn what_is_no_form_or_too_large_is_refused_in_words() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.sign_in(&world, "A-1").await;
    let origin = browser.origin.clone();
    let path = "/accounts/A-1/dispute";
    let json = [("content-type", "application/json"), ("origin", origin.as_str())];
    let shown = browser.send("POST", path, &json, b"{}".to_vec()).await;
    assert_eq!(shown.status, 415);
    assert!(shown.body.contains("We only take the forms of our pages"));
    let large = "x".repeat(20_000);
    let shown = browser.post(path, &[("what", &large)]).await;
    assert_eq!(shown.status, 413);
    assert!(shown.body.contains("16 kilobytes"));
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(browser.send(method, "/accounts/A-1", &[], Vec::new()).await.status, 405, "{method}");
    }
    assert_eq!(browser.get("/sign-in").await.status, 405);
}

#[tokio::test]
async fn a_reference_is_verified_and_nobody_is_named() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    browser.ask_code("A-1").await;
    let sent = world.sent_to("reminders").pop().unwrap();
    let reference = sent.body["data"]["reference"].as_str().unwrap().to_owned();
    let shown = browser.get(&format!("/verify/{reference}")).await;
    // 180 days after 10 September 2023: 20 more in September, 31, 30, 31, 31 and 29 to the end of February are
    // 172, so 8 March 2024.
    assert!(shown.body.contains("Genuine") && shown.body.contains("8 March 2024"), "{}", shown.body);
    assert!(!shown.body.contains("A-1") && !shown.body.contains("C-1"));
    world.set("2024-03-09T00:00:00Z");
    let asked = browser.get(&format!("/verify?reference={}", reference.to_lowercase())).await;
    assert!(asked.body.contains("Expired"));
    let unknown = browser.get("/verify/%3Cb%3E").await;
    assert!(unknown.body.contains("Not ours") && unknown.body.contains("&lt;b&gt;"), "{}", unknown.body);
    browser.accept = "application/json";
    let data = browser.get(&format!("/verify/{reference}")).await;
    assert_eq!(data.body, r#"{"answer":"expired","valid_until":"2024-03-08"}"#);
}

#[tokio::test]
async fn the_budget_sheet_adds_up_keeps_what_was_typed_and_stores_nothing() {
    let world = two_borrowers().await;
    let mut browser = Browser::on(&world);
    let before = world.stack.services().dynamodb_client.scan();
    let before = before.table_name(&world.store().tables().records).send().await.unwrap().count();
    // 5,000.00 less 3,000.00 and 1,500.50.
    let form = [("income", "5,000"), ("rent", "3000"), ("food", "1500.50")];
    let page = browser.post("/budget", &form).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("499.50 is left of the month."), "{}", page.body);
    assert!(page.body.contains("value=\"1500.50\""));
    let page = browser.post("/budget", &[("income", "much")]).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Write an amount in figures") && page.body.contains("value=\"much\""));
    let after = world.stack.services().dynamodb_client.scan();
    let after = after.table_name(&world.store().tables().records).send().await.unwrap().count();
    assert_eq!(after, before);
}
