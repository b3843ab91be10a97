//! The API server refused to make the pod, or nobody asked for it.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
