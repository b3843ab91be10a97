//! An in-place change of resources does not happen.

mod resize_deferred;
mod resize_infeasible;

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[resize_infeasible::RULE, resize_deferred::RULE];
