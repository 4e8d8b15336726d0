//! The test binaries: one for the integration tests of a crate, and every file is a module of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::source::{files, items, root, tokens};

/// Test binaries beside the one of their crate: their allocator counts for the whole process.
const APART: [&str; 1] = ["tests/tests/heap.rs"];

/// The folders below `shared`, `functions` and `infra`, and that of this crate.
fn crates() -> Vec<PathBuf> {
    let below = |folder: &str| std::fs::read_dir(root().join(folder)).unwrap().map(|one| one.unwrap().path());
    let all = ["shared", "functions", "infra"].into_iter().flat_map(below).chain([root().join("tests")]);
    all.filter(|folder| folder.join("Cargo.toml").exists()).collect()
}

/// The sources of a crate's integration tests that begin a binary.
fn binaries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("tests")) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    let roots = entries.map(|path| if path.is_dir() { path.join("main.rs") } else { path });
    roots
        .filter(|path| path.exists() && path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The modules that a text declares as files.
fn declared(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let all = items(&tokens, 0..tokens.len());
    all.into_iter().filter(|item| item.kind == "mod" && item.body.is_empty()).map(|item| item.name).collect()
}

/// The name of the module of a file: that of its folder for `mod.rs`.
fn module(file: &Path) -> (PathBuf, String) {
    let is_of_folder = file.file_name().is_some_and(|name| name == "mod.rs");
    let named = if is_of_folder { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    let name = named.file_name().unwrap().to_string_lossy().into_owned();
    (named.parent().unwrap().to_owned(), name)
}

#[test]
fn the_integration_tests_of_a_crate_are_one_binary() {
    let mut found = 0;
    for folder in crates() {
        let mut binaries = binaries(&folder);
        binaries.retain(|path| !APART.iter().any(|apart| *path == root().join(apart)));
        assert!(binaries.len() <= 1, "{binaries:?}");
        found += binaries.len();
    }
    assert!(found > 2, "only {found} were found");
}

#[test]
fn every_file_of_a_test_binary_is_a_module_of_it() {
    let mut forgotten = Vec::new();
    for main in crates().iter().flat_map(|folder| binaries(folder)) {
        if APART.iter().any(|apart| main == root().join(apart)) {
            continue;
        }
        let files = files(main.parent().unwrap());
        for file in files.iter().filter(|file| **file != main) {
            let (folder, name) = module(file);
            let beside = files.iter().filter(|other| other.parent() == Some(&folder));
            let is_declared = beside
                .map(|other| std::fs::read_to_string(other).unwrap())
                .any(|text| declared(&text).contains(&name));
            if !is_declared {
                forgotten.push(file.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    assert_eq!(forgotten, [""; 0]);
}

/// The first lines of blocks of code in documentation that would run as tests.
fn runnable(text: &str) -> Vec<String> {
    let mut is_fenced = false;
    let docs = text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))
    });
    let opening = docs.filter(|line| line.trim_start().starts_with("```")).filter(|_| {
        is_fenced = !is_fenced;
        is_fenced
    });
    let languages = opening.map(|line| line.trim_start().trim_start_matches('`').to_owned());
    languages.filter(|language| !["text", "sh", "toml", "json"].contains(&language.as_str())).collect()
}

/// The crates leave the pass over their documentation out: `doctest = false` in each manifest.
#[test]
fn no_documentation_holds_code_that_would_run_as_a_test() {
    for folder in crates() {
        for file in files(&folder.join("src")) {
            assert_eq!(runnable(&std::fs::read_to_string(&file).unwrap()), [""; 0], "{}", file.display());
        }
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(!folder.join("src/lib.rs").exists() || manifest.contains("doctest = false"), "{manifest}");
    }
    assert_eq!(runnable("//! ```text\n//! a\n//! ```\n/// ```\n/// b();\n/// ```\n"), [""]);
}
