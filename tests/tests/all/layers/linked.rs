//! The operator's binary for AWS alone, by the tree of its dependencies: without the local stack.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::root;

/// The crates of the local stack: the stack itself, its engine and its HTTP server.
const OF_THE_STACK: [&str; 5] = ["axum", "duewatch-stack", "dynoxide-rs", "libsqlite3-sys", "rusqlite"];

/// The crates of the local stack that the `duewatch` command links.
fn linked(features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "duewatch-cli", "--edges", "normal", "--prefix", "none"])
        .args(features)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let names: BTreeSet<String> = String::from_utf8(tree.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    assert!(names.contains("duewatch-domain"), "{names:?}");
    OF_THE_STACK.iter().filter(|name| names.contains(**name)).map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_binary_for_aws_alone_links_nothing_of_the_local_stack() {
    assert_eq!(linked(&["--no-default-features"]), BTreeSet::new());
}

#[test]
fn the_binary_with_the_local_stack_links_all_of_it() {
    assert_eq!(linked(&[]), OF_THE_STACK.map(str::to_owned).into());
}
