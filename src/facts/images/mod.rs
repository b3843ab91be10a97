//! Images and their pulls.

pub mod image;
pub mod pull_fault;
pub mod pulls;
