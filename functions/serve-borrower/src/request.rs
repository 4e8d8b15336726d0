//! A request, parsed once: what the routes need of the event, within bounds.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use duewatch_domain::policy::Language;

/// The most bytes of a form.
const MAX_FORM_BYTES: usize = 16 * 1024;
/// The most fields of a form, a query or the cookies.
const MAX_FIELDS: usize = 50;
/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The cookie with the language that the reader chose.
pub(crate) const LANGUAGE_COOKIE: &str = "__Host-language";

/// The fields of a form, by name; of two with one name the first.
pub(crate) type Fields = BTreeMap<String, String>;

/// Why a form cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormFault {
    TooLarge,
    NoForm,
}

/// A parsed request.
#[derive(Clone, Debug)]
pub(crate) struct PageRequest {
    pub(crate) method: String,
    /// Begins with a slash; percent-decoded.
    pub(crate) path: String,
    pub(crate) query: Fields,
    pub(crate) form: Result<Fields, FormFault>,
    pub(crate) cookies: Fields,
    pub(crate) language: Language,
    /// The language that the query chooses: to be kept in a cookie.
    pub(crate) chosen: Option<Language>,
    pub(crate) wants_json: bool,
    /// Whether the request comes from a page of this origin. A GET needs none.
    pub(crate) is_same_origin: bool,
    /// The way from this page to the root: pages link relatively, for they may be served below a path.
    pub(crate) root: String,
}

fn fields(text: &str) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_FIELDS) {
        fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    fields
}

fn language_named(name: &str) -> Option<Language> {
    match name.trim().get(..2)?.to_ascii_lowercase().as_str() {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The path as its characters. A gateway may have decoded it already; ids hold no percent sign.
fn decoded(path: &str) -> String {
    let as_value = path.replace('+', "%2B");
    let pair = format!("p={as_value}");
    // Neither separates anything in a path.
    let pair = pair.replace('&', "%26");
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, path)| path.into_owned())
}

impl PageRequest {
    /// Reads an event.
    pub(crate) fn read(event: &ApiGatewayV2httpRequest) -> Self {
        let header = |name: &str| event.headers.get(name).and_then(|value| value.to_str().ok());
        let raw_path = event.raw_path.as_deref().filter(|path| path.starts_with('/')).unwrap_or("/");
        let path = decoded(raw_path);
        let query = fields(event.raw_query_string.as_deref().unwrap_or_default());
        let cookies = cookies(event, header("cookie"));
        let chosen = query.get("lang").and_then(|name| language_named(name));
        let kept = cookies.get(LANGUAGE_COOKIE).and_then(|name| language_named(name));
        let accepted = header("accept-language").into_iter().flat_map(|all| all.split(','));
        let language = chosen.or(kept).or_else(|| accepted.take(MAX_FIELDS).find_map(language_named));
        let host = header("host").or(event.request_context.domain_name.as_deref()).unwrap_or_default();
        // A path's depth counts in the raw path: that is what a browser resolves links against.
        let depth = raw_path.matches('/').count().saturating_sub(1).min(MAX_FIELDS);
        Self {
            method: event.request_context.http.method.to_string(),
            form: form(event, header("content-type")),
            query,
            cookies,
            language: language.unwrap_or(Language::En),
            chosen,
            wants_json: header("accept").is_some_and(|all| all.starts_with("application/json")),
            is_same_origin: header("origin").is_some_and(|origin| is_origin_of(origin, host)),
            root: if depth == 0 { "./".to_owned() } else { "../".repeat(depth) },
            path,
        }
    }

    /// A field of the form; empty where the form lacks it.
    pub(crate) fn field(&self, name: &str) -> &str {
        let fields = self.form.as_ref().ok();
        fields.and_then(|fields| fields.get(name)).map_or("", String::as_str)
    }
}

/// Whether an `Origin` names this host. Plain HTTP is one on this machine alone.
fn is_origin_of(origin: &str, host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let is_local = name == "localhost" || name == "127.0.0.1";
    let of = |scheme: &str| origin.strip_prefix(scheme).is_some_and(|authority| authority == host);
    !host.is_empty() && (of("https://") || is_local && of("http://"))
}

fn cookies(event: &ApiGatewayV2httpRequest, header: Option<&str>) -> Fields {
    let listed = event.cookies.iter().flatten().map(String::as_str);
    let all = listed.chain(header.into_iter().flat_map(|all| all.split(';')));
    let mut cookies = Fields::new();
    for (name, value) in all.take(MAX_FIELDS).filter_map(|one| one.trim().split_once('=')) {
        cookies.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    cookies
}

fn form(event: &ApiGatewayV2httpRequest, kind: Option<&str>) -> Result<Fields, FormFault> {
    let Some(body) = event.body.as_deref().filter(|body| !body.is_empty()) else { return Ok(Fields::new()) };
    // Base64 takes four characters for three bytes.
    if body.len() > MAX_FORM_BYTES / 3 * 4 {
        return Err(FormFault::TooLarge);
    }
    let is_form = kind.is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == FORM));
    if !is_form {
        return Err(FormFault::NoForm);
    }
    let body = if event.is_base64_encoded {
        let bytes = STANDARD.decode(body).map_err(|_| FormFault::NoForm)?;
        String::from_utf8(bytes).map_err(|_| FormFault::NoForm)?
    } else {
        body.to_owned()
    };
    if body.len() > MAX_FORM_BYTES { Err(FormFault::TooLarge) } else { Ok(fields(&body)) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ours("https://pages.example", "pages.example", true)]
    #[case::other("https://pages.example.evil", "pages.example", false)]
    #[case::plain("http://pages.example", "pages.example", false)]
    #[case::opaque("null", "pages.example", false)]
    #[case::local("http://127.0.0.1:8080", "127.0.0.1:8080", true)]
    #[case::other_port("http://127.0.0.1:8081", "127.0.0.1:8080", false)]
    #[case::no_host("https://", "", false)]
    fn an_origin_is_this_one_or_none(#[case] origin: &str, #[case] host: &str, #[case] is_ours: bool) {
        assert_eq!(is_origin_of(origin, host), is_ours);
    }

    #[rstest]
    #[case("/accounts/A-1", "/accounts/A-1")]
    #[case("/accounts/%E8%B4%A6", "/accounts/\u{8d26}")]
    #[case("/accounts/A%2F1+2&3=4", "/accounts/A/1+2&3=4")]
    fn a_path_is_decoded_once(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(decoded(path), expected);
    }
}
