//! The part of HTTP that a function's process and its Runtime API use.

use std::io::{self, BufRead, Write};

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackRequest {
    /// The first line, in lower case.
    pub line: String,
    pub body: Vec<u8>,
}

/// Reads a request; none: the connection has ended.
///
/// # Errors
/// When the connection breaks off.
pub fn read(reader: &mut impl BufRead) -> io::Result<Option<LoopbackRequest>> {
    let mut first = None;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(bytes) = line.strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap_or_default();
        }
        first.get_or_insert(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(LoopbackRequest { line: first.unwrap_or_default(), body }))
}

/// Answers a request. Each line of `headers` is terminated.
///
/// # Errors
/// When the connection breaks off.
pub fn answer(stream: &mut impl Write, headers: &str, body: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_one_after_another_until_the_end() {
        let mut sent = "POST /A HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n".as_bytes();
        let first = read(&mut sent).unwrap().unwrap();
        assert_eq!((&*first.line, &*first.body), ("post /a http/1.1", &b"{}"[..]));
        assert_eq!(read(&mut sent).unwrap().unwrap().line, "get /b http/1.1");
        assert_eq!(read(&mut sent).unwrap(), None);
        assert!(read(&mut "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{".as_bytes()).is_err());
    }
}
