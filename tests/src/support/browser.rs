//! A browser in front of the borrower's pages: it keeps cookies and fills in forms.

use std::collections::BTreeMap;

use duewatch_handlers::{HttpRequest, http_event};
use duewatch_stack::{local_page_key, local_reference_keys};
use serde_json::Value;
use serve_borrower::{Help, Pages};

use super::World;

/// The host that the browser names.
pub const HOST: &str = "pages.lender.example";

/// A browser, with cookies of its own.
#[derive(Clone, Debug)]
pub struct Browser {
    pub pages: Pages,
    pub cookies: BTreeMap<String, String>,
    /// The origin that it states with forms.
    pub origin: String,
    pub language: &'static str,
    pub accept: &'static str,
}

/// An answer to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPage {
    pub status: u64,
    pub body: String,
    pub headers: BTreeMap<String, String>,
    pub set_cookies: Vec<String>,
}

impl ShownPage {
    /// The value of the first hidden field of a name.
    #[must_use]
    pub fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&field).unwrap_or_else(|| panic!("no {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    /// A new browser in front of pages over services.
    #[must_use]
    pub fn new(services: duewatch_app::Services) -> Self {
        let keys = local_reference_keys().unwrap();
        let help = Help {
            how_to_pay: Some("Pay at 400-000-0000.".to_owned()),
            whom_to_call: Some("Call 400-000-0001.".to_owned()),
        };
        Self {
            pages: Pages::new(services, local_page_key().unwrap(), keys, help),
            cookies: BTreeMap::new(),
            origin: format!("https://{HOST}"),
            language: "en",
            accept: "text/html",
        }
    }

    /// A browser in front of a world.
    #[must_use]
    pub fn on(world: &World) -> Self {
        Self::new(world.services(serve_borrower::NAME))
    }

    /// Opens a path, which may have a query.
    pub async fn get(&mut self, path: &str) -> ShownPage {
        self.send("GET", path, &[], Vec::new()).await
    }

    /// Posts a form.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> ShownPage {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let origin = self.origin.clone();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        self.send("POST", path, &headers, body.into_bytes()).await
    }

    /// Sends a request as it is.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> ShownPage {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all = vec![
            ("host".to_owned(), HOST.to_owned()),
            ("accept".to_owned(), self.accept.to_owned()),
            ("accept-language".to_owned(), self.language.to_owned()),
        ];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            all.push(("cookie".to_owned(), cookies.collect::<Vec<_>>().join("; ")));
        }
        let request = HttpRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all,
            body,
        };
        let now = chrono::DateTime::UNIX_EPOCH;
        let event = serde_json::from_value(http_event(&request, now)).unwrap();
        let answer = serde_json::to_value(serve_borrower::handle(&self.pages, event).await).unwrap();
        self.shown(&answer)
    }

    fn shown(&mut self, answer: &Value) -> ShownPage {
        let listed = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
        let set_cookies: Vec<String> =
            listed("cookies").iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        for cookie in &set_cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let headers = answer["headers"].as_object().unwrap().iter();
        ShownPage {
            status: answer["statusCode"].as_u64().unwrap(),
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            set_cookies,
        }
    }

    /// Asks for a code to an account.
    pub async fn ask_code(&mut self, account: &str) -> ShownPage {
        let first = self.get("/").await;
        let token = first.hidden("token");
        self.post("/sign-in", &[("token", &token), ("account", account)]).await
    }

    /// Enters a code.
    pub async fn enter_code(&mut self, code: &str) -> ShownPage {
        let page = self.get("/code").await;
        let token = page.hidden("token");
        self.post("/code", &[("token", &token), ("code", code)]).await
    }

    /// Signs in to an account whose holder can be reached.
    pub async fn sign_in(&mut self, world: &World, account: &str) {
        assert_eq!(self.ask_code(account).await.status, 303);
        let code = code_in(world).expect("a code left");
        assert_eq!(self.enter_code(&code).await.status, 303);
    }
}

/// The code of the last message to a borrower; none: no message bears one.
#[must_use]
pub fn code_in(world: &World) -> Option<String> {
    let sent = world.sent_to("reminders");
    let text = sent.last()?.body["data"]["text"].as_str()?.to_owned();
    let digits = text.split(|one: char| !one.is_ascii_digit()).find(|digits| digits.len() == 8)?;
    Some(digits.to_owned())
}
