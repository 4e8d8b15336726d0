//! The pages in Markdown: their links lead somewhere, their lists are complete, their examples are valid, and
//! their sentences name the subject.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use duewatch_domain::commands::{COMMANDS, Presence};
use duewatch_domain::formats::{BOOK_COLUMNS, EVENT_TYPES};
use duewatch_domain::policy;
use duewatch_notify::OperationsKind;

/// The most lines of the README.
const README_LINES: usize = 200;
/// Stand-ins for a noun.
const STAND_INS: [&str; 4] = ["what", "whoever", "somebody", "nobody"];
/// The most stand-ins in 1,000 words.
const STAND_INS_PER_THOUSAND: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The files of the repository with this extension, by path from the root. Untracked ones count: a page is
/// checked before it is committed. Without git, in an unpacked archive, the folders are walked.
fn files(extension: &str) -> BTreeMap<String, String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let names: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
        }
        _ => walked(&root()),
    };
    let suffix = format!(".{extension}");
    names
        .into_iter()
        .filter(|name| name.ends_with(&suffix))
        // A file that is deleted and not committed is still listed.
        .filter_map(|name| Some((name.clone(), std::fs::read_to_string(root().join(name)).ok()?)))
        .collect()
}

fn walked(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The lines of a page outside fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_fenced = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    })
}

/// The fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    prose(page)
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(|heading| {
            let kept = heading.trim().to_lowercase();
            let kept = kept.chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
            kept.map(|one| if one == ' ' { '-' } else { one }).collect()
        })
        .collect()
}

/// The targets of a page's links, inline and by reference.
fn targets(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(page) {
        let line = without_code(line);
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.extend(inline.map(|(target, _)| target.to_owned()));
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            targets.push(target.trim().to_owned());
        }
    }
    targets
}

/// The labels that a page uses in `[label][]`, and those that it defines.
fn labels(page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut used, mut defined) = (BTreeSet::new(), BTreeSet::new());
    for line in prose(page) {
        let line = without_code(line);
        let before = line.split("][]").collect::<Vec<_>>();
        let (_, before) = before.split_last().unwrap();
        used.extend(before.iter().filter_map(|part| Some(part.rsplit_once('[')?.1.to_owned())));
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        defined.extend(definition.map(|(label, _)| label.to_owned()));
    }
    (used, defined)
}

/// A path with `..` taken out.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// The problem of a link, if it has one.
fn problem(pages: &BTreeMap<String, String>, from: &str, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let folder = Path::new(from).parent().unwrap();
    let file = if path.is_empty() { PathBuf::from(from) } else { normal(&folder.join(path)) };
    if !root().join(&file).exists() {
        return Some(format!("{from}: {target} is not there"));
    }
    let anchor = anchor?;
    let known = pages.get(file.to_str().unwrap()).is_some_and(|page| anchors(page).contains(anchor));
    (!known).then(|| format!("{from}: {target} is no heading"))
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let pages = files("md");
    let problems: Vec<String> = pages
        .iter()
        .flat_map(|(name, page)| targets(page).into_iter().map(move |target| (name, target)))
        .filter_map(|(name, target)| problem(&pages, name, &target))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_label_that_a_page_uses_is_defined_and_the_other_way_round() {
    for (name, page) in files("md") {
        let (used, defined) = labels(&page);
        assert_eq!(used, defined, "{name}");
    }
}

#[test]
fn the_readme_is_one_page_with_the_two_commands() {
    let readme = page("README.md");
    let lines = readme.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines, at most {README_LINES} fit");
    for command in ["cargo run --release", "cargo test --workspace"] {
        assert!(readme.contains(command), "README.md: {command}");
    }
}

#[test]
fn the_readme_leads_to_every_page_of_reference() {
    let readme = targets(&page("README.md"));
    let missing: Vec<String> = files("md")
        .into_keys()
        .filter(|name| name != "README.md" && !name.starts_with("tests/fuzz") && !name.contains("/src/"))
        .filter(|name| !name.ends_with("MUTANTS.md"))
        .filter(|name| !readme.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The code spans in the first cell of each row of the table under a heading.
fn first_cells(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n{heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let cell = format!("`{}", row.split(" |").next().unwrap());
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn the_page_of_formats_lists_every_event_type() {
    let listed = first_cells(&page("shared/domain/FORMATS.md"), "## Events");
    assert_eq!(listed, EVENT_TYPES.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn the_page_of_formats_lists_every_field_of_an_event() {
    let page = page("shared/domain/FORMATS.md");
    for command in COMMANDS {
        let name = format!("`{}`", command.event_type);
        let is_its = |row: &&str| row.split(" | ").next().is_some_and(|cell| cell.contains(&name));
        let row = page.lines().filter(|line| line.starts_with("| `")).find(is_its).unwrap();
        let fields = row.split(" | ").nth(1).unwrap();
        for field in command.fields {
            let is_optional = fields.contains(&format!("`{}`?", field.name));
            assert!(fields.contains(&format!("`{}`", field.name)), "{name}: {}", field.name);
            assert_eq!(is_optional, field.presence == Presence::Optional, "{name}: {}", field.name);
        }
    }
}

#[test]
fn the_page_of_formats_lists_every_attribute_of_a_payment() {
    let listed = first_cells(&page("shared/domain/FORMATS.md"), "## Payments");
    let actor = serde_json::json!({ "kind": "officer", "id": "officer-7" });
    let item = duewatch_store::PaymentFact {
        account_id: "A-1".parse().unwrap(),
        payment_id: "P-1".parse().unwrap(),
        amount: serde_json::from_value("1.00".into()).unwrap(),
        currency: Some("CNY".parse().unwrap()),
        value_date: "2023-10-01".parse().ok(),
        kind: serde_json::from_value("goodwill".into()).unwrap(),
        applies_to: serde_json::from_str("[1]").unwrap(),
        received_at: "2023-10-01T00:00:00Z".parse().unwrap(),
        reversed_at: "2023-10-02T00:00:00Z".parse().ok(),
        reversal_amount: serde_json::from_value("0.50".into()).unwrap(),
        reversal_dated: serde_json::from_value("original".into()).unwrap(),
        further_reversals: vec![duewatch_store::ReversalFact::of(
            "2023-10-03T00:00:00Z".parse().unwrap(),
            serde_json::from_value("0.25".into()).unwrap(),
            duewatch_domain::account::Dated::Original,
        )],
        event_id: Some("E-1".parse().unwrap()),
        source: Some("desk".parse().unwrap()),
        actor: serde_json::from_value(actor.clone()).unwrap(),
        reversal_event_id: Some("E-2".parse().unwrap()),
        reversal_source: Some("desk".parse().unwrap()),
        reversal_actor: serde_json::from_value(actor).unwrap(),
        sender_id: Some("AROACORE:core".parse().unwrap()),
        reversal_sender_id: Some("AROACORE:core".parse().unwrap()),
    };
    let written = serde_json::to_value(item).unwrap();
    assert_eq!(listed, written.as_object().unwrap().keys().cloned().collect());
}

#[test]
fn the_examples_of_the_page_of_formats_are_read() {
    let formats = page("shared/domain/FORMATS.md");
    let [account, event] = blocks(&formats, "json").try_into().unwrap();
    duewatch_domain::formats::parse_book_line(account.trim()).unwrap();
    duewatch_domain::formats::parse_event_line(event.trim()).unwrap();
    for column in BOOK_COLUMNS {
        assert!(formats.contains(column), "FORMATS.md does not name the column {column}");
    }
}

#[test]
fn the_examples_of_the_page_of_policies_are_one_valid_policy_and_so_is_the_template() {
    let [example, optional] = blocks(&page("shared/domain/POLICY.md"), "toml").try_into().unwrap();
    let [template] = blocks(&page("shared/notify/MESSAGES.md"), "toml").try_into().unwrap();
    for text in [example.clone(), format!("{example}\n{optional}"), format!("{example}\n{template}")] {
        let policy = policy::parse(&text).unwrap();
        duewatch_notify::text::check(&policy).unwrap();
    }
}

#[test]
fn the_page_of_messages_says_where_each_kind_goes() {
    let page = page("shared/notify/MESSAGES.md");
    for kind in OperationsKind::ALL {
        let row = format!("\n| `{}` | `{}` | ", kind.as_str(), kind.topic());
        assert!(page.contains(&row), "{row} is missing");
    }
}

#[test]
fn the_page_of_requirements_has_each_id_once_and_in_order() {
    let requirements = page("tests/REQUIREMENTS.md");
    let rows: Vec<&str> = requirements.lines().filter_map(|line| line.strip_prefix("| S")).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.split(' ').next().unwrap()).collect();
    let expected = [(0, 36), (1, 19), (2, 35), (3, 22), (4, 21)];
    let expected = expected.iter().flat_map(|(part, last)| (1..=*last).map(move |id| format!("{part}.{id}")));
    assert_eq!(ids, expected.collect::<Vec<_>>());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let is_open = cells[2].starts_with("not built yet");
        assert!(is_open || !cells[3].is_empty() && !cells[4].is_empty(), "built and proven where? {row}");
    }
}

/// The words of a text, and the stand-ins among them.
fn count(text: &str) -> (usize, usize) {
    let words =
        text.split(|one: char| !(one.is_ascii_alphabetic() || one == '\'')).filter(|word| !word.is_empty());
    words.fold((0, 0), |(words, stand_ins), word| {
        (words + 1, stand_ins + usize::from(STAND_INS.contains(&word.to_lowercase().as_str())))
    })
}

/// Fails where the texts together use more stand-ins than they may, and names the texts that use most.
#[track_caller]
fn assert_names_its_subjects<'a>(texts: impl IntoIterator<Item = (&'a String, String)>) {
    let counts: Vec<(&String, usize, usize)> = texts
        .into_iter()
        .map(|(name, text)| {
            let (words, stand_ins) = count(&text);
            (name, words, stand_ins)
        })
        .collect();
    let words: usize = counts.iter().map(|(_, words, _)| words).sum();
    let stand_ins: usize = counts.iter().map(|(_, _, stand_ins)| stand_ins).sum();
    let mut most = counts;
    most.sort_by_key(|(_, _, stand_ins)| std::cmp::Reverse(*stand_ins));
    let most: Vec<String> =
        most.iter().take(5).map(|(name, _, stand_ins)| format!("{stand_ins} in {name}")).collect();
    assert!(
        stand_ins * 1_000 <= words * STAND_INS_PER_THOUSAND,
        "{stand_ins} of {words} words are one of {STAND_INS:?}: {}",
        most.join(", ")
    );
}

#[test]
fn pages_name_their_subjects() {
    assert_names_its_subjects(files("md").iter().map(|(name, page)| (name, page.clone())));
}

/// The comments of a source file.
fn comments(source: &str) -> String {
    let comments = source.lines().filter_map(|line| Some(line.split_once("//")?.1));
    comments.collect::<Vec<_>>().join("\n")
}

#[test]
fn comments_name_their_subjects() {
    assert_names_its_subjects(files("rs").iter().map(|(name, source)| (name, comments(source))));
}
