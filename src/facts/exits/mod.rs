//! How containers and pods end: exit codes, signals, memory, last words.

pub mod ends;
pub mod exit;
pub mod logs;
pub mod memory;
pub mod pod_end;
