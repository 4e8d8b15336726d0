//! What can be wrong with a template.

use super::filter::PatternError;

/// Why a template cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is no YAML.
    #[error("the template is no YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// A property is not there.
    #[error("{resource}: {property} is missing")]
    Missing {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
    },
    /// A property is not what it must be, or nothing that can be run here.
    #[error("{resource}: {property} must be {expected}, found {found}")]
    Unexpected {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A property refers to what is not there, or is of another kind.
    #[error("{resource}: {property} refers to {target}, which must be {expected} of this template")]
    Unresolved {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
        /// What it refers to.
        target: String,
        /// What that must be.
        expected: &'static str,
    },
    /// A filter is not one that can be evaluated here.
    #[error("{resource}: {property}: {error}")]
    Pattern {
        /// The mapping's logical id.
        resource: String,
        /// The path to the pattern.
        property: String,
        /// What is wrong with it.
        error: PatternError,
    },
    /// A lookup asked for what the template does not declare.
    #[error("the template declares no {kind} \"{name}\"")]
    NotDeclared {
        /// The kind of thing.
        kind: &'static str,
        /// The name or logical id that was asked for.
        name: String,
    },
}
