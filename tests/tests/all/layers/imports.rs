//! The paths that a source file uses within its crate.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::source::{Token, items, tokens};

/// A path from the root of the crate, such as `["kernel", "ids"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// The module of a source file, from its path below `src`.
pub(crate) fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The paths that a file uses, tests left out. `module` is the file's own.
pub(crate) fn imports(text: &str, module: &[String]) -> BTreeSet<Import> {
    let tokens = tokens(text);
    let mut found = BTreeSet::new();
    read_module(&tokens, 0..tokens.len(), module, &mut found);
    found
}

/// The files below `src` that are compiled for tests alone: those of each `#[cfg(test)] mod name;`.
pub(crate) fn test_files(text: &str, file: &Path) -> Vec<PathBuf> {
    let tokens = tokens(text);
    let is_root =
        file.file_stem().is_some_and(|stem| ["mod", "lib", "main"].iter().any(|root| stem == *root));
    let folder = if is_root { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    items(&tokens, 0..tokens.len())
        .into_iter()
        .filter(|item| item.is_test && item.kind == "mod" && item.body.is_empty())
        .map(|item| folder.join(item.name))
        .collect()
}

fn read_module(tokens: &[Token], range: Range<usize>, module: &[String], found: &mut BTreeSet<Import>) {
    let all = items(tokens, range);
    let children: BTreeSet<&str> =
        all.iter().filter(|item| item.kind == "mod").map(|item| item.name.as_str()).collect();
    for item in all.iter().filter(|item| !item.is_test) {
        if item.kind == "mod" {
            let inner: Vec<String> = module.iter().cloned().chain([item.name.clone()]).collect();
            read_module(tokens, item.body.clone(), &inner, found);
        } else {
            read_paths(tokens, item.all.clone(), module, &children, found);
        }
    }
}

fn read_paths(
    tokens: &[Token],
    range: Range<usize>,
    module: &[String],
    children: &BTreeSet<&str>,
    found: &mut BTreeSet<Import>,
) {
    let mut place = range.start;
    while place < range.end {
        let word = tokens[place].word();
        let next = tokens.get(place + 1);
        if word == "use" && next.is_some_and(|next| !next.is('<')) {
            let end = (place..range.end).find(|at| tokens[*at].is(';')).unwrap_or(range.end);
            let mut tree = Tree { tokens: &tokens[..end], place: place + 1, paths: Vec::new() };
            tree.read(&[]);
            for (line, path) in tree.paths {
                let is_child = path.first().is_some_and(|first| children.contains(first.as_str()));
                found.extend(resolved(&path, module, is_child).map(|path| Import { line, path }));
            }
            place = end;
            continue;
        }
        let is_visibility = place >= 2 && tokens[place - 1].word() == "in" && tokens[place - 2].is('(');
        let follows_path = place >= 1 && tokens[place - 1].is(':');
        if ["crate", "super", "self"].contains(&word) && !is_visibility && !follows_path {
            let (path, end) = inline_path(tokens, place, range.end);
            if path.len() > 1 {
                let line = tokens[place].line;
                found.extend(resolved(&path, module, false).map(|path| Import { line, path }));
            }
            place = end;
            continue;
        }
        place += 1;
    }
}

/// The names of a path such as `crate::a::b`, and the place after it.
fn inline_path(tokens: &[Token], from: usize, limit: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[from].word().to_owned()];
    let mut place = from + 1;
    while place + 2 < limit
        && tokens[place].is(':')
        && tokens[place + 1].is(':')
        && !tokens[place + 2].word().is_empty()
    {
        path.push(tokens[place + 2].word().to_owned());
        place += 3;
    }
    (path, place)
}

/// A reader of the tree of a `use`.
struct Tree<'a> {
    tokens: &'a [Token],
    place: usize,
    paths: Vec<(usize, Vec<String>)>,
}

impl Tree<'_> {
    fn read(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        let line = self.tokens.get(self.place).map_or(0, |token| token.line);
        while let Some(token) = self.tokens.get(self.place) {
            if token.is('{') {
                self.place += 1;
                while self.tokens.get(self.place).is_some_and(|token| !token.is('}')) {
                    self.read(&path);
                    if self.tokens.get(self.place).is_some_and(|token| token.is(',')) {
                        self.place += 1;
                    }
                }
                self.place += 1;
                return;
            }
            if token.is(',') || token.is('}') {
                break;
            }
            match token.word() {
                // The alias is no part of the path.
                "as" => self.place += 1,
                "self" if !path.is_empty() => {}
                "" if token.is('*') => path.push("*".to_owned()),
                "" => {}
                name => path.push(name.to_owned()),
            }
            self.place += 1;
        }
        self.paths.push((line, path));
    }
}

/// A path from the root of the crate; `None` where it leads out of the crate.
fn resolved(path: &[String], module: &[String], is_child: bool) -> Option<Vec<String>> {
    let (first, mut rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => {
            rest = path;
            module.to_vec()
        }
        _ if is_child => {
            rest = path;
            module.to_vec()
        }
        _ => return None,
    };
    while let Some((_, after)) = rest.split_first().filter(|(first, _)| *first == "super") {
        base.pop();
        rest = after;
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let module = ["account".to_owned(), "plan".to_owned()];
        imports(text, &module).into_iter().map(|import| import.path.join("::")).collect()
    }

    #[rstest]
    #[case::plain("use crate::kernel::ids;", &["kernel::ids"])]
    #[case::tree("use crate::{a, b::c};", &["a", "b::c"])]
    #[case::nested("use crate::{a::{self, b as c, d::*}, e};", &["a", "a::b", "a::d::*", "e"])]
    #[case::public("pub(crate) use crate::a::b;", &["a::b"])]
    #[case::up("use super::contract;", &["account::contract"])]
    #[case::up_twice("use super::super::ledger::{Run, x};", &["ledger::Run", "ledger::x"])]
    #[case::up_in_a_tree("use super::{super::ledger, c};", &["ledger", "account::c"])]
    #[case::own("use self::a::b;", &["account::plan::a::b"])]
    #[case::own_child("mod a;\npub use a::B;", &["account::plan::a::B"])]
    #[case::in_an_inner_module("mod a { use super::super::super::b; }", &["b"])]
    #[case::in_a_function("fn a() -> crate::b::C { super::super::d::e(crate::f) }", &["b::C", "d::e", "f"])]
    #[case::in_a_body("fn a() { use crate::b; }", &["b"])]
    #[case::in_a_macro("macro_rules! m { () => { $crate::a::b!() } }", &["a::b"])]
    #[case::with_types("const A: Vec<crate::a::B> = crate::c::d::<crate::e::F>();", &["a::B", "c::d", "e::F"])]
    #[case::everything("use crate::*;", &["*"])]
    #[case::another_crate("use serde::Serialize; use std::{fmt, io};", &[])]
    #[case::a_visibility("pub(in crate::a) fn b() {} pub(super) fn c() {}", &[])]
    #[case::a_comment("// use crate::a;\n/// crate::b\n/* crate::c /* crate::d */ crate::e */", &[])]
    #[case::a_text(r##"const A: &str = "use crate::a;"; const B: &str = r#"crate::"b"#; use crate::c;"##, &["c"])]
    #[case::a_quote("const A: char = '\"'; fn b<'a>(c: &'a str) { '\\''; '\\u{1f}'; } use crate::d;", &["d"])]
    #[case::a_test("#[cfg(test)] mod tests { use crate::a; } #[cfg(all(test, x))] use crate::b; use crate::c;", &["c"])]
    #[case::not_a_test("#[cfg(not(test))] use crate::a;", &["a"])]
    fn the_reader_finds_each_path(#[case] text: &str, #[case] expected: &[&str]) {
        let mut expected: Vec<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        let mut found = paths(text);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_bears_its_line() {
        let found = imports("//! Text.\n\nuse crate::{\n    a,\n    b,\n};\n", &[]);
        let lines: Vec<(usize, &str)> =
            found.iter().map(|import| (import.line, import.path[0].as_str())).collect();
        assert_eq!(lines, [(4, "a"), (5, "b")]);
    }

    #[test]
    fn a_module_of_tests_is_a_file_of_its_own() {
        let text = "#[cfg(test)]\nmod tests;\nmod more;";
        assert_eq!(test_files(text, Path::new("a/mod.rs")), [Path::new("a/tests")]);
        assert_eq!(test_files(text, Path::new("a/b.rs")), [Path::new("a/b/tests")]);
        assert_eq!(test_files(text, Path::new("lib.rs")), [Path::new("tests")]);
    }

    #[test]
    fn a_file_is_the_module_of_its_path() {
        assert_eq!(module_of(Path::new("a/b.rs")), ["a", "b"]);
        assert_eq!(module_of(Path::new("a/mod.rs")), ["a"]);
        assert!(module_of(Path::new("lib.rs")).is_empty());
    }
}
