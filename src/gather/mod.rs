//! Where snapshots come from: the only part that does I/O on behalf of a diagnosis.

pub mod file;
