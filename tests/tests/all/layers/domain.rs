//! The layers of the domain: a file uses its own layer and those before it.

use std::path::Path;

use super::imports::{imports, module_of, test_files};
use super::source::{files, root};

/// The folders of `shared/domain/src`, from the lowest to the highest.
const LAYERS: [&str; 12] = [
    "kernel",
    "policy",
    "account",
    "ledger",
    "assessment",
    "commands",
    "contact",
    "relief",
    "cases",
    "scoring",
    "formats",
    "describe",
];

fn layer_of(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == folder)
}

/// The arrows of a file that point to no layer at or before its own. `file` is its path below `src`.
fn faults(file: &Path, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(own) = module.first() else { return Vec::new() };
    let Some(layer) = layer_of(own).filter(|_| file.parent() != Some(Path::new(""))) else {
        return vec![format!("{}: in no layer", file.display())];
    };
    let mut faults = Vec::new();
    for import in imports(text, &module) {
        let used = import.path.first().map_or("", String::as_str);
        if layer_of(used).is_none_or(|used| used > layer) {
            faults.push(format!("{}:{}: uses {}", file.display(), import.line, import.path.join("::")));
        }
    }
    faults
}

#[test]
fn no_file_of_the_domain_uses_a_layer_above_its_own() {
    let src = root().join("shared/domain/src");
    let files = files(&src);
    let sources: Vec<(&Path, String)> = files
        .iter()
        .map(|file| (file.strip_prefix(&src).unwrap(), std::fs::read_to_string(file).unwrap()))
        .collect();
    let of_tests: Vec<_> = sources.iter().flat_map(|(file, text)| test_files(text, file)).collect();
    let mut found = Vec::new();
    for (file, text) in &sources {
        if !of_tests.iter().any(|tests| file.with_extension("").starts_with(tests)) {
            found.extend(faults(file, text));
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn an_arrow_upwards_in_the_domain_is_found() {
    let text = "use crate::{kernel::ids, describe::{words as w, *}};\nuse super::super::formats::file;\n\
        use super::Money;\nfn f() { crate::scoring::card(); crate::policy::parse() }\nuse crate::Account;\n\
        #[cfg(test)]\nmod tests { use crate::describe::all; }\n";
    assert_eq!(
        faults(Path::new("ledger/run.rs"), text),
        [
            "ledger/run.rs:1: uses describe::*",
            "ledger/run.rs:1: uses describe::words",
            "ledger/run.rs:2: uses formats::file",
            "ledger/run.rs:4: uses scoring::card",
            "ledger/run.rs:5: uses Account",
        ]
    );
    assert_eq!(faults(Path::new("describe/mod.rs"), "use crate::formats::file;"), [""; 0]);
    assert_eq!(faults(Path::new("money.rs"), ""), ["money.rs: in no layer"]);
    assert_eq!(faults(Path::new("kernel.rs"), ""), ["kernel.rs: in no layer"]);
    assert_eq!(faults(Path::new("misc/money.rs"), ""), ["misc/money.rs: in no layer"]);
    assert_eq!(faults(Path::new("lib.rs"), "pub use self::account::Account;"), [""; 0]);
}
