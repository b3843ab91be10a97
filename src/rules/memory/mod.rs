//! Memory ran out.

mod heap_over_limit;
mod node_out_of_memory;
mod oom_killed;
mod oom_killed_at_start;

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] =
    &[oom_killed::RULE, heap_over_limit::RULE, oom_killed_at_start::RULE, node_out_of_memory::RULE];
