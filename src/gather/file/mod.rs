//! Snapshots from files and to files: what `-f FILE|DIR|-` reads and `--save-snapshot FILE` writes.
//!
//! Files come from anybody, so everything is bounded before it is held: the bytes that are read, the memory that the
//! values take, the depth of nesting, the number of files in a folder. No error repeats what a file holds, for it may
//! hold secrets.

mod bounded;
mod collect;
mod error;
mod folder;
mod logs;
mod parse;
mod write;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

pub use error::{FileError, Format, Place, Problem};
pub use write::write;

use crate::snapshot::Snapshot;
use bounded::Budget;
use collect::Collector;

/// The most bytes that are read from one run's `-f`, a folder's files together.
pub const MAX_BYTES: usize = 128 * MIB;

/// The most bytes of YAML in one file: its parser is many times slower than that for JSON.
pub const MAX_YAML_BYTES: usize = 32 * MIB;

const MIB: usize = 1024 * 1024;

/// Reads a snapshot, or the objects that kubectl wrote, from a file, from a folder or (`-`) from standard input.
///
/// What has no header answers no question about absence: nothing in it counts as complete, and its clock is the newest
/// timestamp in its objects.
///
/// # Errors
///
/// If there is nothing to read, if it is not JSON or YAML, or if it holds no Kubernetes object that the tool knows.
pub fn read(path: &Path) -> Result<Snapshot, FileError> {
    if path == Path::new("-") {
        return stream("standard input", io::stdin().lock());
    }
    let name = path.display().to_string();
    let unreadable = |error: &io::Error| FileError::new(&name, Problem::Unreadable(error.kind()));
    if fs::metadata(path).map_err(|e| unreadable(&e))?.is_dir() {
        return folder::read(path);
    }
    stream(&name, File::open(path).map_err(|e| unreadable(&e))?)
}

/// Reads one file's content; `name` is what errors call it.
///
/// # Errors
///
/// As [`read`].
pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Snapshot, FileError> {
    let mut collector = Collector::default();
    let text = parse::text(bytes).map_err(|fault| fault.in_file(name))?;
    if text.trim().is_empty() {
        return Err(FileError::new(name, Problem::Empty));
    }
    let mut budget = Budget::for_input(text.len());
    parse::pieces(&text, &mut budget, &mut |piece| collector.add(piece)).map_err(|fault| fault.in_file(name))?;
    collector.finish().map_err(|problem| FileError::new(name, problem))
}

fn stream(name: &str, from: impl Read) -> Result<Snapshot, FileError> {
    let bytes = bytes(from, MAX_BYTES).map_err(|problem| FileError::new(name, problem))?;
    from_bytes(name, bytes)
}

/// At most that many bytes; more of them is an error, not a cut: half a list would look whole.
fn bytes(from: impl Read, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut bytes).map_err(|e| Problem::Unreadable(e.kind()))?;
    if bytes.len() > most { Err(Problem::TooLarge { most }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
