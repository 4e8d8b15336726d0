//! Documentation where a reader looks for it. The compiler's own lint asks for a comment on every field and
//! variant too, and a comment that only repeats a name helps no reader.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::imports::test_files;
use super::source::{Kind, Token, files, items, root, tokens};

/// The kinds of items that are documented where they are public.
const DOCUMENTED: [&str; 9] = ["struct", "enum", "union", "trait", "fn", "const", "static", "type", "macro"];

/// The places of a source text that lack documentation.
fn undocumented(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut missing = Vec::new();
    let is_included = matches!(&tokens[..], [_, mark, _, doc, ..] if mark.is('!') && doc.word() == "doc");
    if tokens.first().is_none_or(|first| first.kind != Kind::InnerDoc) && !is_included {
        missing.push("1: the module".to_owned());
    }
    read_items(&tokens, 0..tokens.len(), &mut missing);
    missing
}

fn read_items(tokens: &[Token], range: Range<usize>, missing: &mut Vec<String>) {
    for item in items(tokens, range).into_iter().filter(|item| !item.is_test) {
        match item.kind {
            "mod" => read_items(tokens, item.body, missing),
            "impl" if !item.is_of_trait => read_items(tokens, item.body, missing),
            kind if item.is_public && !item.has_doc && DOCUMENTED.contains(&kind) => {
                missing.push(format!("{}: {kind} {}", item.line, item.name));
            }
            _ => {}
        }
    }
}

/// The sources of all crates.
fn sources() -> Vec<PathBuf> {
    let folders = ["shared", "functions", "infra", "tests"];
    let all = folders.iter().flat_map(|folder| files(&root().join(folder)));
    all.filter(|file| {
        let below = file.strip_prefix(root()).unwrap();
        let mut parts = below.iter();
        parts.any(|part| part == "src")
            && !below.starts_with("tests/fuzz")
            && !below.starts_with("tests/mutants")
    })
    .collect()
}

#[test]
fn every_module_and_every_public_item_is_documented() {
    let sources = sources();
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    let of_tests: Vec<_> = sources.iter().flat_map(|file| test_files(&read(file), file)).collect();
    let mut missing = Vec::new();
    for file in &sources {
        let module = file.with_extension("");
        if of_tests.iter().any(|tests| module.starts_with(tests)) {
            continue;
        }
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        missing.extend(undocumented(&read(file)).into_iter().map(|place| format!("{name}:{place}")));
    }
    assert!(sources.len() > 100, "only {} files were read", sources.len());
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_missing_comment_is_found() {
    let text = r##"#![allow(x)]
pub struct A { pub field: u8 }
/// A comment.
#[derive(Debug)]
pub enum B { Variant }
pub(crate) struct C;
#[doc = "text"]
pub struct D(pub u8);
impl A {
    pub async fn new() -> Self { fn inner() {} pub const X: u8 = { 1 }; }
    fn private() {}
}
impl<F: for<'a> Fn(&'a u8)> E<F> {
    pub const fn call(&self) {}
}
impl Clone for A { fn clone(&self) -> Self { pub fn x() {} } }
pub mod inner { pub trait T { fn of_a_trait(&self); } pub const K: [u8; 1] = [1]; }
#[macro_export]
macro_rules! m { () => { pub struct Made; } }
made! { pub struct InACall; }
pub type Alias = u8;
pub static S: &str = "pub fn x() {}";
#[cfg(test)]
mod tests { pub fn helper() {} }
pub use self::inner::T;
pub unsafe extern "C" fn f() {}
"##;
    assert_eq!(
        undocumented(text),
        [
            "1: the module",
            "2: struct A",
            "10: fn new",
            "14: fn call",
            "17: trait T",
            "17: const K",
            "19: macro m",
            "21: type Alias",
            "22: static S",
            "26: fn f",
        ]
    );
    assert_eq!(undocumented("//! A module.\n"), [""; 0]);
    assert_eq!(undocumented("#![doc = include_str!(\"README.md\")]\n"), [""; 0]);
}
