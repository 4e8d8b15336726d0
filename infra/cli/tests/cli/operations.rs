//! The commands of `duewatch` on the page for people on call.

use clap::Parser;
use duewatch_cli::cli::Cli;

const PAGE: &str = include_str!("../../../operations.md");

/// The words of a command line, as a shell splits them; none where a quote stays open.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for mark in line.chars() {
        match (quote, mark) {
            (Some(open), mark) if open == mark => quote = None,
            (Some(_), mark) => word.get_or_insert_default().push(mark),
            (None, '\'' | '"') => {
                quote = Some(mark);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, mark) => word.get_or_insert_default().push(mark),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Every command of `duewatch` on the page: in a block, up to a comment, or between backticks.
fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in PAGE.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            let line = line.split("  #").next().unwrap().trim();
            commands.extend(
                line.find("duewatch ")
                    .filter(|at| line[..*at].ends_with("{} ") || *at == 0)
                    .map(|at| &line[at..]),
            );
        } else {
            let spans = line.split('`').skip(1).step_by(2).map(str::trim);
            commands.extend(spans.filter(|code| code.starts_with("duewatch ")));
        }
    }
    commands.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_command_of_duewatch_on_the_page_is_one() {
    let commands = commands();
    assert!(commands.len() >= 25, "{commands:?}");
    for command in commands {
        let filled = command.replace("HEX", &"0a".repeat(32)).replace("OLD", &"0b".repeat(32));
        let words = words(&filled).unwrap_or_else(|| panic!("{command}: a quote stays open"));
        // A span may name a command without what it needs, as in a sentence about it.
        let is_named_alone =
            words.iter().skip(1).all(|word| !word.starts_with('-') && *word == word.to_lowercase());
        if let Err(error) = Cli::try_parse_from(&words) {
            let is_short = error.kind() == clap::error::ErrorKind::MissingRequiredArgument;
            assert!(is_short && is_named_alone, "{command}: {error}");
        }
    }
}
