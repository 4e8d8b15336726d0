//! Names of types: each stands for one thing in the whole workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::source::{Kind, Token, files, root, tokens};

/// The folders with sources that a reader meets; the fuzz targets are binaries of a few lines each.
const FOLDERS: [&str; 5] = ["shared", "functions", "infra", "tests/src", "tests/testkit/src"];

/// The structs and enums that a text defines before its unit tests.
fn types(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let of_tests = |at: &[Token]| {
        let words: Vec<&str> = at.iter().map(Token::word).filter(|word| !word.is_empty()).collect();
        at[0].is('#') && words == ["cfg", "test"]
    };
    let end = tokens.windows(6).position(of_tests).unwrap_or(tokens.len());
    let is_definition = |pair: &&[Token]| matches!(pair[0].word(), "struct" | "enum");
    let named = tokens[..end].windows(2).filter(is_definition).filter_map(|pair| match &pair[1].kind {
        Kind::Word(name) => Some(name.clone()),
        _ => None,
    });
    named.collect()
}

/// The names that several files define, with those files.
fn shared_names<'a>(sources: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in sources {
        for name in types(text) {
            places.entry(name).or_default().push(file.display().to_string());
        }
    }
    let several = places.into_iter().filter(|(_, files)| files.len() > 1);
    several.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}

#[test]
fn no_two_types_of_the_workspace_bear_one_name() {
    let is_source = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "src");
    let sources: Vec<(PathBuf, String)> = FOLDERS
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .filter(is_source)
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (file.strip_prefix(root()).unwrap().to_owned(), text)
        })
        .collect();
    let sources = sources.iter().map(|(file, text)| (file.as_path(), text.as_str()));
    assert_eq!(shared_names(sources), [""; 0]);
}

#[test]
fn a_name_that_stands_for_two_things_is_found() {
    let one = "pub struct Account;\nenum Kind { A }\n#[cfg(test)]\nmod tests { struct Case; }\n";
    let other = "fn f() { struct Kind; }\n// struct Account\nstruct Case;\n";
    assert_eq!(shared_names([(Path::new("a.rs"), one), (Path::new("b.rs"), other)]), ["Kind: a.rs, b.rs"]);
}
