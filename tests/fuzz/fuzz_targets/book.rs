//! A portfolio file: JSON lines if it begins with a brace, else CSV.

#![no_main]

use std::path::Path;

use duewatch_domain::account::Account;
use duewatch_domain::formats::{book_line, parse_book_line};
use duewatch_fuzz::{POLICIES, check_allocation, check_fault, check_item, check_life};
use libfuzzer_sys::fuzz_target;

use crate::input::{BookFormat, parse_book};

// Included as a file, because its crate links every function.
#[allow(dead_code, reason = "a book needs a part of it")]
#[path = "../../../infra/cli/src/input.rs"]
mod input;

fuzz_target!(|text: &str| {
    let format = if text.starts_with('{') { BookFormat::Jsonl } else { BookFormat::Csv };
    let (accounts, faults) = match parse_book(Path::new("book"), text, format) {
        Ok(book) => book,
        Err(fault) => return check_fault(&fault),
    };
    for fault in &faults {
        check_fault(fault);
    }
    for contract in accounts.iter().map(|line| &line.value) {
        let line = book_line(contract);
        assert_eq!(parse_book_line(&line).as_ref(), Ok(contract), "{line}");
        let account = Account::open(contract).expect("what parses can be opened");
        check_allocation(&account);
        check_item(&account);
        for policy in &*POLICIES {
            check_life(&account, policy);
        }
    }
});
