//! Presets: policies to start from, whole documents with a source for each number.
//!
//! They are data, in `presets/`; no other code knows them.

/// A policy to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Also the id of its policy.
    pub name: &'static str,
    pub region: &'static str,
    /// The TOML document.
    pub text: &'static str,
}

/// All presets, by name.
pub const PRESETS: [Preset; 5] = [
    Preset { name: "cn", region: "China", text: include_str!("../../presets/cn.toml") },
    Preset { name: "eu", region: "European Union", text: include_str!("../../presets/eu.toml") },
    Preset { name: "in", region: "India", text: include_str!("../../presets/in.toml") },
    Preset { name: "uk", region: "United Kingdom", text: include_str!("../../presets/uk.toml") },
    Preset { name: "us", region: "United States", text: include_str!("../../presets/us.toml") },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::review;

    #[test]
    fn every_preset_is_a_policy_of_its_name_that_nothing_is_to_be_warned_of() {
        for preset in PRESETS {
            let (policy, warnings) = review(preset.text).unwrap();
            assert_eq!(policy.id.as_str(), preset.name);
            assert_eq!(warnings, [], "{}", preset.name);
        }
    }

    #[test]
    fn every_preset_asks_for_its_sources_to_be_checked() {
        for preset in PRESETS {
            let words = preset.text.replace("\n# ", " ");
            assert!(words.contains("check the primary text"), "{}", preset.name);
        }
    }
}
