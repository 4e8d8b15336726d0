//! Errors of a template.

use super::filter::PatternError;

/// Why a template cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the template is no YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    #[error("{resource}: {property} is missing")]
    Missing {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
    },
    /// A property has an invalid value, or one that cannot be honoured here.
    #[error("{resource}: {property} must be {expected}, found {found}")]
    Unexpected {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
        /// A description of valid values.
        expected: &'static str,
        found: String,
    },
    /// A property refers to a missing resource, or to one of another kind.
    #[error("{resource}: {property} refers to {target}, which must be {expected} of this template")]
    Unresolved {
        /// The resource's logical id, or the template's section.
        resource: String,
        /// The path to the property.
        property: String,
        /// The resource or parameter that it refers to.
        target: String,
        /// The required kind.
        expected: &'static str,
    },
    /// A filter cannot be evaluated here.
    #[error("{resource}: {property}: {error}")]
    Pattern {
        /// The mapping's logical id.
        resource: String,
        /// The path to the pattern.
        property: String,
        error: PatternError,
    },
    /// A lookup asked for an undeclared resource.
    #[error("the template declares no {kind} \"{name}\"")]
    NotDeclared {
        kind: &'static str,
        /// The name or logical id that was asked for.
        name: String,
    },
}
