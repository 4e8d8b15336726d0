//! The guard of the endpoints on loopback.
//!
//! A page in a browser on this machine can send requests here: under a name that it has pointed at loopback, or
//! across origins. The endpoints answer only requests that name loopback and their own port as their host, and
//! that no page of another origin sends. No answer lets a page read it.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// The names of loopback, as clients write them in `Host`.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
/// The port that a host without one means.
const HTTP_PORT: &str = "80";

/// Serves a router behind the guard, until the listener fails or the task is dropped.
///
/// # Errors
/// When the listener fails.
pub(crate) async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let address = listener.local_addr()?;
    axum::serve(listener, router.layer(from_fn_with_state(address, check))).await
}

async fn check(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    match refusal(address.port(), authority.as_deref(), request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

/// Why a request is not answered; `None` for one that is. A host in the request's first line is one more host.
fn refusal(port: u16, authority: Option<&str>, headers: &HeaderMap) -> Option<(StatusCode, String)> {
    let is_own = |host: &str| is_loopback(host, port);
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() || !host.is_some_and(is_own) || !authority.is_none_or(is_own) {
        let wanted = format!("this endpoint answers as 127.0.0.1:{port} or localhost:{port} alone\n");
        return Some((StatusCode::MISDIRECTED_REQUEST, wanted));
    }
    let is_foreign = |origin: &str| !origin.strip_prefix("http://").is_some_and(is_own);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if origins.any(|origin| origin.to_str().map_or(true, is_foreign)) {
        return Some((StatusCode::FORBIDDEN, "this endpoint answers no page of another origin\n".to_owned()));
    }
    None
}

/// Whether a host is a name of loopback with the port.
fn is_loopback(host: &str, port: u16) -> bool {
    let rest = LOOPBACK.into_iter().find_map(|name| {
        let (start, rest) = host.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(rest)
    });
    match rest.map(|rest| rest.strip_prefix(':').unwrap_or(rest)) {
        Some("") => port.to_string() == HTTP_PORT,
        Some(digits) => {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse() == Ok(port);
            is_number && rest.is_some_and(|rest| rest.starts_with(':'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    fn status(authority: Option<&str>, headers: &[(HeaderName, &'static str)]) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        refusal(8000, authority, &map).map(|(status, _)| status.as_u16())
    }

    #[rstest]
    #[case::address("127.0.0.1:8000", None)]
    #[case::name("localhost:8000", None)]
    #[case::name_in_capitals("LocalHost:8000", None)]
    #[case::sixth_version("[::1]:8000", None)]
    #[case::foreign_name("evil.example:8000", Some(421))]
    #[case::name_that_begins_alike("localhost.evil.example:8000", Some(421))]
    #[case::digits_that_begin_alike("127.0.0.1.nip.io:8000", Some(421))]
    #[case::other_port("localhost:8001", Some(421))]
    #[case::no_port("localhost", Some(421))]
    #[case::port_without_a_colon("localhost8000", Some(421))]
    #[case::signed_port("localhost:+8000", Some(421))]
    #[case::user("localhost:8000@evil.example", Some(421))]
    #[case::empty("", Some(421))]
    fn a_foreign_host_is_never_answered(#[case] host: &'static str, #[case] expected: Option<u16>) {
        assert_eq!(status(None, &[(header::HOST, host)]), expected);
    }

    #[test]
    fn a_host_must_be_there_once_and_agree_with_the_first_line() {
        let own = (header::HOST, "127.0.0.1:8000");
        assert_eq!(status(None, &[]), Some(421));
        assert_eq!(status(None, &[own.clone(), own.clone()]), Some(421));
        assert_eq!(status(Some("evil.example"), std::slice::from_ref(&own)), Some(421));
        assert_eq!(status(Some("localhost:8000"), &[own]), None);
    }

    #[rstest]
    #[case::itself("http://localhost:8000", None)]
    #[case::a_page("https://evil.example", Some(403))]
    #[case::another_port("http://localhost:3000", Some(403))]
    #[case::a_file("null", Some(403))]
    fn a_page_of_another_origin_is_never_answered(
        #[case] origin: &'static str,
        #[case] expected: Option<u16>,
    ) {
        let own = (header::HOST, "127.0.0.1:8000");
        assert_eq!(status(None, &[own, (header::ORIGIN, origin)]), expected);
    }

    #[test]
    fn a_host_without_a_port_means_port_80() {
        assert!(is_loopback("localhost", 80) && !is_loopback("localhost", 8000));
    }
}
