//! Filling a [`Snapshot`](crate::snapshot::Snapshot) from a cluster or from files: the only place that does I/O for a diagnosis.
//!
//! [`Client::connect`] settles how to reach the cluster as kubectl does; [`gather`] asks in waves what [`plan`] wants to
//! know. Both need a tokio runtime with everything enabled; one thread is enough.

mod answer;
mod ask;
mod client;
mod connect;
mod exec;
mod failure;
pub mod file;
mod kubeconfig;
mod live;
mod overview;
mod path;
pub mod plan;
mod progress;
mod proto;
mod proxy;
mod resolve;
mod session;
mod tls;
mod transport;

pub use ask::{Ask, Question};
pub use client::{Client, List, Query, Record};
pub use connect::{Connect, ConnectError, DEFAULT_TIMEOUT, parse_timeout};
pub use failure::Failure;
pub use kubeconfig::{Kubeconfig, Surroundings};
pub use live::{Fatal, Options, gather, nearest};
pub use overview::{Overview, Pods, overview, overview_of};
pub use plan::Depth;
pub use progress::Progress;

/// What completion offers from the kubeconfig, without asking the cluster. Whatever cannot be read is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// For `--context`.
    pub contexts: Vec<String>,
    /// For `--cluster`.
    pub clusters: Vec<String>,
    /// For `--user`.
    pub users: Vec<String>,
    /// The namespace that is meant when none is named.
    pub namespace: String,
}

/// The names in the kubeconfig.
pub fn names(connect: &Connect) -> Names {
    let around = Surroundings::real();
    let config = Kubeconfig::load(connect, &around).unwrap_or_default();
    fn of<T>(list: &[(String, T)]) -> Vec<String> {
        list.iter().map(|(name, _)| name.clone()).filter(|name| !name.is_empty()).collect()
    }
    Names {
        contexts: of(&config.contexts),
        clusters: of(&config.clusters),
        users: of(&config.users),
        namespace: resolve::namespace_of(&config, connect, &around),
    }
}

#[cfg(test)]
mod tests;
