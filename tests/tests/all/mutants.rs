//! The deliberate faults of `tests/mutants`: every patch still applies to the sources.
//!
//! A patch names sources that every refactoring may move or rename. This test reads the patches as strictly as
//! `patch --fuzz=0` does. Beyond that, the lines of a hunk occur once in its file: `patch` would put the fault
//! at the place that is nearest to the old line number, perhaps another one.

use std::path::{Path, PathBuf};

/// One change of a patch: the lines that it expects, and those that replace them.
#[derive(Debug, PartialEq, Eq)]
struct Hunk {
    /// By path from the root.
    file: String,
    /// The hunk's header, as reports name it.
    header: String,
    expected: Vec<String>,
    replacement: Vec<String>,
}

/// Reads the hunks of a patch. Each has as many lines as its header says.
fn hunks(patch: &str) -> Result<Vec<Hunk>, String> {
    let mut hunks = Vec::new();
    let mut lines = patch.lines();
    let (mut old, mut new) = (None, None);
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("--- a/") {
            old = Some(path);
        } else if let Some(path) = line.strip_prefix("+++ b/") {
            new = Some(path);
        } else if line.starts_with("@@ ") {
            let file = old.filter(|path| new == Some(*path)).ok_or("a hunk without its file")?;
            let (before, after) = lengths(line).ok_or_else(|| format!("a malformed header: {line}"))?;
            let (mut expected, mut replacement) = (Vec::new(), Vec::new());
            while expected.len() < before || replacement.len() < after {
                let line = lines.next().ok_or_else(|| format!("a hunk that ends early: {line}"))?;
                // Some editors take the blank of an empty line away.
                let (kind, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
                match kind {
                    " " => {
                        expected.push(rest.to_owned());
                        replacement.push(rest.to_owned());
                    }
                    "-" => expected.push(rest.to_owned()),
                    "+" => replacement.push(rest.to_owned()),
                    _ => return Err(format!("a line of no kind: {line}")),
                }
            }
            if (expected.len(), replacement.len()) != (before, after) {
                return Err(format!("a hunk of other lengths: {line}"));
            }
            hunks.push(Hunk { file: file.to_owned(), header: line.to_owned(), expected, replacement });
        } else if !line.starts_with("diff ") && !line.starts_with("index ") {
            return Err(format!("a line outside of a hunk: {line}"));
        }
    }
    if hunks.is_empty() { Err("no hunk".to_owned()) } else { Ok(hunks) }
}

/// How many lines a hunk expects, and how many replace them, by its header.
fn lengths(header: &str) -> Option<(usize, usize)> {
    let (ranges, _) = header.strip_prefix("@@ -")?.split_once(" @@")?;
    let (before, after) = ranges.split_once(" +")?;
    // A range without a length is one line.
    let length = |range: &str| range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok());
    Some((length(before)?, length(after)?))
}

/// Why a patch does not apply to the sources; empty where it does.
fn problems(patch: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let hunks = match hunks(patch) {
        Ok(hunks) => hunks,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    // Hunks of one file follow each other from its beginning to its end.
    let (mut file, mut from) = ("", 0);
    for hunk in &hunks {
        if hunk.file != file {
            (file, from) = (&hunk.file, 0);
        }
        let Some(source) = source(&hunk.file) else {
            problems.push(format!("{}: no such file", hunk.file));
            continue;
        };
        let lines: Vec<&str> = source.lines().collect();
        let length = hunk.expected.len();
        let places: Vec<usize> = (from..(lines.len() + 1).saturating_sub(length))
            .filter(|place| lines[*place..*place + length] == hunk.expected)
            .collect();
        match *places {
            _ if hunk.expected == hunk.replacement => {
                problems.push(format!("{}: {} changes nothing", hunk.file, hunk.header));
            }
            [place] => from = place + length,
            [] => problems.push(format!("{}: the lines of {} do not occur", hunk.file, hunk.header)),
            _ => problems.push(format!("{}: the lines of {} occur again", hunk.file, hunk.header)),
        }
    }
    problems
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

#[test]
fn every_deliberate_fault_applies_to_the_sources() {
    let source = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let mut patches: Vec<PathBuf> = std::fs::read_dir(root().join("tests/mutants"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    patches.sort();
    assert!(!patches.is_empty(), "no deliberate faults");
    let mut all = Vec::new();
    for path in &patches {
        let name = path.file_name().unwrap().display();
        let patch = std::fs::read_to_string(path).unwrap();
        all.extend(problems(&patch, source).iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(all.is_empty(), "not every deliberate fault applies:\n{}", all.join("\n"));
}

const SOURCE: &str =
    "fn sum() {\n    one();\n\n    two();\n}\n\nfn rest() {\n    one();\n\n    three();\n}\n";
const PATCH: &str = "\
diff --git a/sum.rs b/sum.rs
index 0000001..0000002 100644
--- a/sum.rs
+++ b/sum.rs
@@ -1,4 +1,5 @@
 fn sum() {
-    one();
+    zero();
+    half();
 
     two();
@@ -10 +11 @@ fn rest() {
-    three();
+    four();
";

fn problems_of(patch: &str, source: &str) -> Vec<String> {
    problems(patch, |path| (path == "sum.rs").then(|| source.to_owned()))
}

#[test]
fn a_patch_is_read_hunk_by_hunk() {
    let hunks = hunks(PATCH).unwrap();
    assert_eq!(hunks.len(), 2);
    assert_eq!(hunks[0].file, "sum.rs");
    assert_eq!(hunks[0].expected, ["fn sum() {", "    one();", "", "    two();"]);
    assert_eq!(hunks[0].replacement, ["fn sum() {", "    zero();", "    half();", "", "    two();"]);
    assert_eq!(hunks[1].expected, ["    three();"]);
    assert_eq!(problems_of(PATCH, SOURCE), [""; 0]);
    let moved = format!("//! Sums.\n\n{SOURCE}");
    assert_eq!(problems_of(PATCH, &moved), [""; 0], "lines may have moved");
    assert_eq!(
        problems_of(&PATCH.replace("\n \n", "\n\n"), SOURCE),
        [""; 0],
        "an empty line may lack its blank"
    );
}

#[test]
fn a_patch_that_no_longer_applies_is_found() {
    let earlier = SOURCE.replace("    three();\n", "");
    let cases = [
        ("a removed line was renamed", PATCH.to_owned(), SOURCE.replace("one", "first"), "do not occur"),
        ("a line of context was renamed", PATCH.to_owned(), SOURCE.replace("two", "second"), "do not occur"),
        (
            "a line came in between",
            PATCH.to_owned(),
            SOURCE.replace("{\n", "{\n    new();\n"),
            "do not occur",
        ),
        ("the file was moved", PATCH.replace("sum.rs", "old.rs"), SOURCE.to_owned(), "no such file"),
        ("a hunk fits twice", PATCH.to_owned(), SOURCE.replace("}\n", "}\n    three();\n"), "occur again"),
        ("the hunks are out of order", PATCH.to_owned(), format!("    three();\n{earlier}"), "do not occur"),
        ("nothing changes", PATCH.replace("four", "three"), SOURCE.to_owned(), "changes nothing"),
        ("a line is missing", PATCH.replace("     two();\n", ""), SOURCE.to_owned(), "of no kind"),
        ("the patch is cut off", PATCH.replace("+    four();\n", ""), SOURCE.to_owned(), "ends early"),
        ("a length is wrong", PATCH.replace("-1,4 +1,5", "-1,4 +1,4"), SOURCE.to_owned(), "other lengths"),
        ("a header is malformed", PATCH.replace("-1,4", "-1,x"), SOURCE.to_owned(), "malformed header"),
        ("no file is named", PATCH.replace("+++ b/sum.rs\n", ""), SOURCE.to_owned(), "without its file"),
        ("there is no hunk", String::new(), SOURCE.to_owned(), "no hunk"),
    ];
    for (case, patch, source, problem) in cases {
        let found = problems_of(&patch, &source);
        assert!(found.iter().any(|found| found.contains(problem)), "{case}: {found:?}");
    }
}
