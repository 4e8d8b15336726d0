//! The arrows between the crates, from their manifests.

use std::collections::BTreeMap;

use toml::Table;

use super::source::root;

/// The inputs that test suites share: linked by the tests of any crate, and by this crate alone.
const TESTKIT: &str = "tests/testkit";

/// The layers from the lowest to the highest, by the folders of their crates. A crate may depend on crates of
/// the layers before its own, and on no other of its own layer.
const LAYERS: [&[&str]; 9] = [
    &["shared/domain"],
    &[TESTKIT],
    &["shared/text"],
    &["shared/store", "shared/notify", "shared/views", "shared/bureau", "shared/reporting"],
    &["shared/app"],
    &["shared/runtime"],
    &["functions/"],
    &["infra/"],
    &["tests"],
];

fn layer_of(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| {
        layer.iter().any(|member| folder == *member || member.ends_with('/') && folder.starts_with(member))
    })
}

/// The folders of the crates that a crate depends on.
#[derive(Debug)]
struct Arrows {
    linked: Vec<String>,
    of_its_tests: Vec<String>,
}

/// The crates of the workspace, by their folders.
type Crates = BTreeMap<String, Arrows>;

fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The crates of the workspace, from their manifests.
fn crates() -> Crates {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let workspace = table(&read("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: Vec<&str> = members.iter().map(|member| member.as_str().unwrap()).collect();
    let manifests: Vec<(&str, Table)> =
        members.iter().map(|folder| (*folder, table(&read(&format!("{folder}/Cargo.toml"))))).collect();
    let folders: BTreeMap<&str, &str> = manifests
        .iter()
        .map(|(folder, manifest)| (manifest["package"]["name"].as_str().unwrap(), *folder))
        .collect();
    let used = |manifest: &Table, sections: &[&str]| {
        let names = sections.iter().filter_map(|section| manifest.get(*section)?.as_table());
        let names = names.flat_map(|section| section.keys());
        names.filter_map(|name| folders.get(name.as_str())).map(|folder| (*folder).to_owned()).collect()
    };
    let arrows = |manifest: &Table| Arrows {
        linked: used(manifest, &["dependencies", "build-dependencies"]),
        of_its_tests: used(manifest, &["dev-dependencies"]),
    };
    manifests.iter().map(|(folder, manifest)| ((*folder).to_owned(), arrows(manifest))).collect()
}

/// The arrows that point upwards or sideways, and the crates without a layer. The tests of a crate need no
/// crate above it either.
fn faults(crates: &Crates) -> Vec<String> {
    let mut faults = Vec::new();
    for (folder, used) in crates {
        let Some(layer) = layer_of(folder) else {
            faults.push(format!("{folder} has no layer"));
            continue;
        };
        // The parts of the local stack stand on one another.
        let is_free_within = folder.starts_with("infra/");
        let is_below = |other: &str| {
            layer_of(other)
                .is_some_and(|other_layer| other_layer < layer || other_layer == layer && is_free_within)
        };
        let is_linkable = |other: &str| is_below(other) && (other != TESTKIT || folder == "tests");
        let upwards = used.linked.iter().filter(|other| !is_linkable(other));
        let of_tests = used.of_its_tests.iter().filter(|other| !is_below(other) && *other != TESTKIT);
        faults.extend(upwards.chain(of_tests).map(|other| format!("{folder} depends on {other}")));
    }
    faults
}

#[test]
fn no_crate_depends_on_one_above_it() {
    let crates = crates();
    assert!(crates.values().any(|used| !used.linked.is_empty()), "no arrow was read");
    assert!(crates["shared/domain"].of_its_tests.iter().any(|other| other == TESTKIT), "no test's was read");
    assert_eq!(faults(&crates), [""; 0]);
}

#[test]
fn an_arrow_upwards_between_crates_is_found() {
    let owned = |folders: &[&str]| folders.iter().map(|folder| (*folder).to_owned()).collect();
    let arrows = |folder: &str, linked: &[&str], of_its_tests: &[&str]| {
        (folder.to_owned(), Arrows { linked: owned(linked), of_its_tests: owned(of_its_tests) })
    };
    let used = |folder: &str, linked: &[&str]| arrows(folder, linked, &[]);
    let crates = Crates::from([
        arrows("shared/domain", &["shared/store"], &[TESTKIT, "shared/app"]),
        arrows("shared/app", &["shared/store", TESTKIT], &[TESTKIT]),
        used(TESTKIT, &["shared/domain"]),
        used("shared/store", &["shared/domain", "shared/notify"]),
        used("shared/notify", &[]),
        used("shared/runtime", &["shared/store", "functions/intake"]),
        used("functions/intake", &["shared/runtime", "functions/post-payment"]),
        used("functions/post-payment", &["infra/stack"]),
        used("infra/cli", &["infra/stack", "functions/intake"]),
        used("infra/stack", &["tests"]),
        used("tests", &[TESTKIT, "infra/stack"]),
        used("shared/misc", &[]),
    ]);
    assert_eq!(
        faults(&crates),
        [
            "functions/intake depends on functions/post-payment",
            "functions/post-payment depends on infra/stack",
            "infra/stack depends on tests",
            "shared/app depends on tests/testkit",
            "shared/domain depends on shared/store",
            "shared/domain depends on shared/app",
            "shared/misc has no layer",
            "shared/runtime depends on functions/intake",
            "shared/store depends on shared/notify",
        ]
    );
}
