//! An in-place change of resources does not happen.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
