//! A reader of Rust sources, as far as items, documentation and paths need it.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below a folder, by path.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no sources in {}", folder.display());
    files
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword, without `r#`.
    Word(String),
    /// One character outside names, literals and comments.
    Mark(char),
    /// A string, a character, a number or a lifetime.
    Literal,
    /// Documentation of the item that follows.
    Doc,
    /// Documentation of the file or block around.
    InnerDoc,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(crate) fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }
}

/// The tokens of a source text. Comments that are no documentation are left out.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let (mut tokens, mut place) = (Vec::new(), 0);
    let mut line = 1;
    while place < chars.len() {
        let (kind, end) = match at(place) {
            '/' if at(place + 1) == '/' => (line_doc(&chars, place), line_end(&chars, place)),
            '/' if at(place + 1) == '*' => (block_doc(&chars, place), block_end(&chars, place)),
            '"' => (Some(Kind::Literal), string_end(&chars, place)),
            '\'' => (Some(Kind::Literal), quote_end(&chars, place)),
            one if one.is_alphanumeric() || one == '_' => word(&chars, place),
            one if one.is_whitespace() => (None, place + 1),
            one => (Some(Kind::Mark(one)), place + 1),
        };
        tokens.extend(kind.map(|kind| Token { kind, line }));
        line += chars[place..end].iter().filter(|one| **one == '\n').count();
        place = end;
    }
    tokens
}

fn line_doc(chars: &[char], place: usize) -> Option<Kind> {
    match chars[place..].iter().take(4).collect::<String>().as_str() {
        "////" => None,
        text if text.starts_with("///") => Some(Kind::Doc),
        text if text.starts_with("//!") => Some(Kind::InnerDoc),
        _ => None,
    }
}

fn block_doc(chars: &[char], place: usize) -> Option<Kind> {
    match chars[place..].iter().take(4).collect::<String>().as_str() {
        "/***" | "/**/" => None,
        text if text.starts_with("/**") => Some(Kind::Doc),
        text if text.starts_with("/*!") => Some(Kind::InnerDoc),
        _ => None,
    }
}

fn line_end(chars: &[char], place: usize) -> usize {
    chars[place..].iter().position(|one| *one == '\n').map_or(chars.len(), |length| place + length)
}

fn block_end(chars: &[char], place: usize) -> usize {
    let (mut depth, mut end) = (0_usize, place);
    while end < chars.len() {
        match (chars[end], chars.get(end + 1)) {
            ('/', Some('*')) => (depth, end) = (depth + 1, end + 2),
            ('*', Some('/')) => (depth, end) = (depth - 1, end + 2),
            _ => end += 1,
        }
        if depth == 0 {
            break;
        }
    }
    end
}

/// The end of a string with escapes.
fn string_end(chars: &[char], place: usize) -> usize {
    let mut end = place + 1;
    while end < chars.len() && chars[end] != '"' {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(chars.len())
}

/// The end of a character or of a lifetime.
fn quote_end(chars: &[char], place: usize) -> usize {
    match (chars.get(place + 1), chars.get(place + 2)) {
        (Some('\\'), _) => {
            let closing = chars[place + 3..].iter().position(|one| *one == '\'');
            closing.map_or(chars.len(), |length| place + 3 + length + 1)
        }
        (Some(_), Some('\'')) => place + 3,
        _ => place + 1 + name_length(&chars[place + 1..]),
    }
}

fn name_length(chars: &[char]) -> usize {
    chars.iter().take_while(|one| one.is_alphanumeric() || **one == '_').count()
}

/// A name, a number, or a string with a prefix such as `r#`.
fn word(chars: &[char], place: usize) -> (Option<Kind>, usize) {
    let end = place + name_length(&chars[place..]);
    let text: String = chars[place..end].iter().collect();
    let hashes = chars[end..].iter().take_while(|one| **one == '#').count();
    let next = chars.get(end + hashes).copied().unwrap_or('\0');
    match text.as_str() {
        "r" | "br" | "cr" if next == '"' => {
            let closing: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let from = end + hashes + 1;
            let rest: String = chars[from..].iter().collect();
            let length = rest.find(&closing).map_or(rest.chars().count(), |at| rest[..at].chars().count());
            (Some(Kind::Literal), (from + length + closing.len()).min(chars.len()))
        }
        "r" if hashes == 1 && (next.is_alphabetic() || next == '_') => {
            let from = end + 1;
            let end = from + name_length(&chars[from..]);
            (Some(Kind::Word(chars[from..end].iter().collect())), end)
        }
        "b" | "c" if next == '"' && hashes == 0 => (Some(Kind::Literal), string_end(chars, end)),
        "b" if next == '\'' && hashes == 0 => (Some(Kind::Literal), quote_end(chars, end)),
        _ if chars[place].is_numeric() => (Some(Kind::Literal), end),
        _ => (Some(Kind::Word(text)), end),
    }
}

/// An item of a module or of an `impl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The keyword: `fn`, `struct`, `use`, ...; `macro` for a `macro_rules!`, `call` for a macro's call.
    pub(crate) kind: &'static str,
    /// Empty where it has none.
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Whether it is `pub` without restriction, or an exported macro.
    pub(crate) is_public: bool,
    pub(crate) has_doc: bool,
    /// Whether it is compiled for tests alone.
    pub(crate) is_test: bool,
    /// Whether an `impl` is one of a trait.
    pub(crate) is_of_trait: bool,
    /// All tokens of the item, attributes left out.
    pub(crate) all: Range<usize>,
    /// The tokens between its braces; empty where it has none.
    pub(crate) body: Range<usize>,
}

const KINDS: [&str; 12] =
    ["fn", "struct", "enum", "union", "trait", "const", "static", "type", "mod", "use", "impl", "extern"];
/// Words that may come before the keyword of an item.
const QUALIFIERS: [&str; 6] = ["async", "unsafe", "const", "default", "auto", "extern"];

/// The items in a range of tokens.
pub(crate) fn items(tokens: &[Token], range: Range<usize>) -> Vec<Item> {
    let mut items = Vec::new();
    let mut place = range.start;
    while place < range.end {
        let (mut has_doc, mut is_test, mut is_exported) = (false, false, false);
        while place < range.end {
            let token = &tokens[place];
            if matches!(token.kind, Kind::Doc | Kind::InnerDoc) {
                has_doc |= token.kind == Kind::Doc;
                place += 1;
            } else if token.is('#') {
                let inner = usize::from(tokens.get(place + 1).is_some_and(|next| next.is('!')));
                let end = group_end(tokens, place + 1 + inner);
                let words: Vec<&str> = tokens[place..end].iter().map(Token::word).collect();
                has_doc |= words.contains(&"doc");
                is_test |= words.contains(&"cfg") && words.contains(&"test") && !words.contains(&"not");
                is_exported |= words.contains(&"macro_export");
                place = end;
            } else {
                break;
            }
        }
        if place >= range.end {
            break;
        }
        let start = place;
        let mut is_public = is_exported;
        if tokens[place].word() == "pub" {
            is_public = true;
            place += 1;
            if tokens.get(place).is_some_and(|next| next.is('(')) {
                is_public = false;
                place = group_end(tokens, place);
            }
        }
        while QUALIFIERS.contains(&tokens[place].word())
            && tokens.get(place + 1).is_some_and(|next| {
                QUALIFIERS.contains(&next.word())
                    || ["fn", "trait", "impl", "mod"].contains(&next.word())
                    || next.kind == Kind::Literal
            })
        {
            place += if tokens[place + 1].kind == Kind::Literal { 2 } else { 1 };
        }
        let word = tokens[place].word();
        let kind = KINDS.into_iter().find(|kind| *kind == word);
        let (kind, named_at) = match kind {
            Some(kind) => (kind, place + 1),
            None if word == "macro_rules" => ("macro", place + 2),
            None => ("call", place),
        };
        let (end, body) = item_end(tokens, place, kind, range.end);
        let header = &tokens[place..if body.is_empty() { end } else { body.start }];
        items.push(Item {
            kind,
            name: tokens.get(named_at).map(|token| token.word().to_owned()).unwrap_or_default(),
            line: tokens[start].line,
            is_public,
            has_doc,
            is_test,
            is_of_trait: is_of_trait(header),
            all: start..end,
            body,
        });
        place = end;
    }
    items
}

/// Whether the header of an `impl` names a trait: `for` that begins no `for<'a>`.
fn is_of_trait(header: &[Token]) -> bool {
    header.windows(2).any(|pair| pair[0].word() == "for" && !pair[1].is('<'))
}

/// The place after an item, and the tokens between its braces.
fn item_end(tokens: &[Token], from: usize, kind: &str, limit: usize) -> (usize, Range<usize>) {
    let is_closed_by_braces = !matches!(kind, "const" | "static" | "type" | "use");
    let mut place = from;
    while place < limit {
        let token = &tokens[place];
        if token.is(';') {
            return (place + 1, place..place);
        }
        if token.is('{') && is_closed_by_braces {
            let end = group_end(tokens, place);
            return (end, place + 1..end - 1);
        }
        place = if token.is('(') || token.is('[') || token.is('{') {
            group_end(tokens, place)
        } else {
            place + 1
        };
    }
    (limit, limit..limit)
}

/// The place after the bracket that closes the one at `place`.
pub(crate) fn group_end(tokens: &[Token], place: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(place) {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
