//! Writing a snapshot so that only its owner can read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::{FileError, Problem};
use crate::snapshot::Snapshot;

/// Writes a snapshot, which the caller has redacted, as a `v1` List that [`super::read`] and kubectl's friends read.
///
/// A file gets mode 0600, also one that was there with another: the new one is made beside it and takes its place, so
/// that no reader sees half of it either. What is there and is no file (a pipe, `/dev/stdout`) is written to as it is.
///
/// # Errors
///
/// If the operating system refuses.
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<(), FileError> {
    place(path, snapshot).map_err(|e| FileError::new(&path.display().to_string(), Problem::Unwritable(e.kind())))
}

fn place(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => return fill(OpenOptions::new().write(true).open(path)?, snapshot),
        _ => {}
    }
    // A rename would put the file in a link's place, not in that of the file behind it.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (beside, file) = beside(&path)?;
    let placed = fill(file, snapshot).and_then(|()| fs::rename(&beside, &path));
    if placed.is_err() {
        // The first error is the one to tell; what is left behind is private.
        let _ = fs::remove_file(&beside);
    }
    placed
}

fn fill(file: File, snapshot: &Snapshot) -> io::Result<()> {
    let mut to = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut to, &snapshot.to_list())?;
    to.write_all(b"\n")?;
    to.flush()
}

/// A new private file in the same folder, as only there a rename is possible for certain.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let Some(name) = path.file_name() else { return Err(ErrorKind::InvalidInput.into()) };
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for attempt in 0..16 {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let beside = path.with_file_name(hidden);
        match private().open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => last = e,
            Err(e) => return Err(e),
        }
    }
    Err(last)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}
