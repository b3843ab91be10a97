//! Why a pod does not run, serve, finish or go away.

pub mod gather;
pub mod resource;
pub mod snapshot;
