//! The pod's sandbox (network, pause container) could not be made.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
