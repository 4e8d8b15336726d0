//! The figures of `infra/cost.md` equal the results of the formulas.

use duewatch_tests::cost::facts::facts;
use duewatch_tests::cost::tables::all;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/cost.md")).unwrap()
}

const PRINT: &str = "cargo run --release -p duewatch-tests --example scale -- cost";

#[test]
fn the_pages_tables_are_what_the_code_prints() {
    let page = page();
    for table in all() {
        let block = format!("<!-- {} -->\n{}", table.name, table.text);
        assert!(page.contains(&block), "table {} is another ({PRINT})", table.name);
    }
    let tables = page.matches("\n| ---").count();
    assert_eq!(tables, all().len(), "a table on the page is not the code's");
}

#[test]
fn the_pages_sentences_with_figures_are_what_the_code_prints() {
    // Line breaks of the page do not matter.
    let page = page().split_whitespace().collect::<Vec<_>>().join(" ");
    let facts = facts();
    assert!(!facts.is_empty(), "no sentence is checked");
    for fact in facts {
        assert!(fact.contains(|one: char| one.is_ascii_digit()), "no figure in it: {fact}");
        assert!(page.contains(&fact), "not on the page: {fact} ({PRINT})");
    }
}
