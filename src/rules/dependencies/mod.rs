//! A ConfigMap, a Secret or a volume is not there.

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[];
