//! Why a pod does not run, serve, finish or go away.

pub mod facts;
pub mod finding;
pub mod resource;
pub mod rules;
pub mod snapshot;
