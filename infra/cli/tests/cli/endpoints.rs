//! The endpoints of the local stack, as a page in a browser on the same machine would attack them: under a name that
//! it has pointed at loopback, or across origins.

use std::io::{Read, Write};
use std::net::TcpStream;

use duewatch_stack::{Ports, Stack, StackClock, Transport};

/// The head of an answer, by a request on a socket of its own.
fn answer(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let port = address.rsplit(':').next().unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request.replace("PORT", port).as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn request(first_line: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{first_line}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const LIST: [&str; 2] =
    ["X-Amz-Target: DynamoDB_20120810.ListTables", "Content-Type: application/x-amz-json-1.0"];
const SEND: [&str; 2] = ["X-Amz-Target: AmazonSQS.ListQueues", "Content-Type: application/x-amz-json-1.0"];
const FORM: [&str; 2] = ["Content-Type: application/x-www-form-urlencoded", "Accept: */*"];

#[tokio::test(flavor = "multi_thread")]
async fn no_endpoint_answers_a_page_of_another_origin() {
    let clock = StackClock::simulated("2023-10-01T00:00:00Z".parse().unwrap());
    let ports = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
    let stack = Stack::start(clock, ports).await.unwrap();
    let services = stack.services();
    let endpoints = [
        (services.dynamodb_url.clone(), LIST, "{}"),
        (services.sns_url.clone(), FORM, "Action=CreateTopic&Name=evil"),
        (services.sqs_url.clone(), SEND, "{}"),
    ];
    let attacks = [
        ("POST / HTTP/1.1", vec!["Host: evil.example:PORT"], "421"),
        ("POST / HTTP/1.1", vec!["Host: localhost.evil.example:PORT"], "421"),
        ("POST / HTTP/1.1", vec!["Host: 127.0.0.1:1"], "421"),
        ("POST / HTTP/1.1", vec!["Host: localhost:PORT", "Host: evil.example:PORT"], "4"),
        ("POST http://evil.example/ HTTP/1.1", vec!["Host: localhost:PORT"], "421"),
        ("GET / HTTP/1.1", vec!["Host: evil.example"], "421"),
        ("OPTIONS / HTTP/1.1", vec!["Host: evil.example:PORT", "Origin: https://evil.example"], "421"),
        ("OPTIONS / HTTP/1.1", vec!["Host: localhost:PORT", "Origin: https://evil.example"], "403"),
        ("POST / HTTP/1.1", vec!["Host: localhost:PORT", "Origin: https://evil.example"], "403"),
        ("POST / HTTP/1.1", vec!["Host: 127.0.0.1:PORT", "Origin: null"], "403"),
    ];
    let ended = tokio::task::spawn_blocking(move || {
        for (url, headers, body) in &endpoints {
            for (first_line, attack, status) in &attacks {
                let said = answer(url, &request(first_line, &[attack.as_slice(), headers].concat(), body));
                assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{url} {attack:?}: {said}");
                assert!(!said.to_lowercase().contains("access-control-allow"), "{url} {attack:?}: {said}");
                assert!(!said.contains("accounts"), "{url} {attack:?}: {said}");
            }
            for host in ["Host: localhost:PORT", "Host: 127.0.0.1:PORT"] {
                let own = ["Origin: http://localhost:PORT"];
                for more in [[].as_slice(), own.as_slice()] {
                    let headers = [[host].as_slice(), more, headers].concat();
                    let said = answer(url, &request("POST / HTTP/1.1", &headers, body));
                    let is_answered = said.starts_with("HTTP/1.1 200") || url == &endpoints[2].0;
                    assert!(is_answered, "{url} {headers:?}: {said}");
                    assert!(!said.starts_with("HTTP/1.1 421") && !said.starts_with("HTTP/1.1 403"), "{said}");
                    assert!(!said.to_lowercase().contains("access-control-allow"), "{said}");
                }
            }
        }
    });
    ended.await.unwrap();
}
