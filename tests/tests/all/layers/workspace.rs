//! The arrows between the crates, from their manifests.

use std::collections::BTreeMap;

use toml::Table;

use super::source::root;

/// The layers from the lowest to the highest, by the folders of their crates. A crate may depend on crates of
/// the layers before its own, and on no other of its own layer.
const LAYERS: [&[&str]; 8] = [
    &["shared/domain"],
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

/// A crate of the workspace: its folder, and those of the crates that it depends on.
type Crates = BTreeMap<String, Vec<String>>;

fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The crates of the workspace. Dependencies of its own tests count as well: none needs a crate above it.
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
    let used = |manifest: &Table| {
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        let names = sections.iter().filter_map(|section| manifest.get(*section)?.as_table());
        let names = names.flat_map(|section| section.keys());
        names.filter_map(|name| folders.get(name.as_str())).map(|folder| (*folder).to_owned()).collect()
    };
    manifests.iter().map(|(folder, manifest)| ((*folder).to_owned(), used(manifest))).collect()
}

/// The arrows that point upwards or sideways, and the crates without a layer.
fn faults(crates: &Crates) -> Vec<String> {
    let mut faults = Vec::new();
    for (folder, used) in crates {
        let Some(layer) = layer_of(folder) else {
            faults.push(format!("{folder} has no layer"));
            continue;
        };
        // The parts of the local stack stand on one another.
        let is_free_within = folder.starts_with("infra/");
        for other in used {
            let is_below = layer_of(other)
                .is_some_and(|other_layer| other_layer < layer || other_layer == layer && is_free_within);
            if !is_below {
                faults.push(format!("{folder} depends on {other}"));
            }
        }
    }
    faults
}

#[test]
fn no_crate_depends_on_one_above_it() {
    let crates = crates();
    assert!(crates.values().any(|used| !used.is_empty()), "no arrow was read");
    assert_eq!(faults(&crates), [""; 0]);
}

#[test]
fn an_arrow_upwards_between_crates_is_found() {
    let used = |folder: &str, used: &[&str]| {
        (folder.to_owned(), used.iter().map(|folder| (*folder).to_owned()).collect())
    };
    let crates = Crates::from([
        used("shared/domain", &["shared/store"]),
        used("shared/store", &["shared/domain", "shared/notify"]),
        used("shared/notify", &[]),
        used("shared/runtime", &["shared/store", "functions/intake"]),
        used("functions/intake", &["shared/runtime", "functions/post-payment"]),
        used("functions/post-payment", &["infra/stack"]),
        used("infra/cli", &["infra/stack", "functions/intake"]),
        used("infra/stack", &["tests"]),
        used("shared/misc", &[]),
    ]);
    assert_eq!(
        faults(&crates),
        [
            "functions/intake depends on functions/post-payment",
            "functions/post-payment depends on infra/stack",
            "infra/stack depends on tests",
            "shared/domain depends on shared/store",
            "shared/misc has no layer",
            "shared/runtime depends on functions/intake",
            "shared/store depends on shared/notify",
        ]
    );
}
