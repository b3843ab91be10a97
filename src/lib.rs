//! Why a pod does not run, serve, finish or go away.
//!
//! The pure core: [`snapshot`] holds what a cluster answered, [`facts`] joins it, [`rules`] look for causes, [`rank`] puts
//! them in order, [`report`] is the answer and [`render`] prints it. ARCHITECTURE.md has the map.

pub mod cli;
pub mod facts;
pub mod finding;
pub mod gather;
pub mod manual;
pub mod rank;
pub mod redact;
pub mod render;
pub mod report;
pub mod resource;
pub mod rules;
pub mod snapshot;
pub mod words;

mod command;
mod diagnose;
mod verdict;

pub use diagnose::diagnose;
