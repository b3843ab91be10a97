//! Memory ran out.

mod oom_killed;

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[oom_killed::RULE];
