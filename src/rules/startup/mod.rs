//! A container could not be configured, created or started, or its turn has not come.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
