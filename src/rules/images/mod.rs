//! An image could not be pulled.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
