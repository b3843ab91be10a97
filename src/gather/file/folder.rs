//! A folder: what `kubectl cluster-info dump --output-directory` writes, or any files of objects side by side.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::bounded::Budget;
use super::collect::Collector;
use super::error::{FileError, Problem};
use super::{MAX_BYTES, bytes, logs, parse};
use crate::snapshot::Snapshot;

/// How deep folders are searched: a dump's logs are two down.
const MAX_DEPTH: usize = 5;
/// How many entries are looked at: a dump has one file of logs for every pod.
const MAX_ENTRIES: usize = 100_000;
/// Logs larger than this are not read; the kubelet rotates them at 10 MiB each.
const MAX_LOG_BYTES: usize = 64 << 20;
/// How much of logs is read in all.
const MAX_LOGS_BYTES: usize = 512 << 20;

/// The files of a folder that matter.
#[derive(Default)]
struct Files {
    entries: usize,
    objects: Vec<PathBuf>,
    logs: Vec<PathBuf>,
}

/// Reads every file of objects in a folder and its folders, and the logs of a dump.
pub(super) fn read(folder: &Path) -> Result<Snapshot, FileError> {
    let mut files = Files::default();
    files.find(folder, MAX_DEPTH)?;
    let fail = |problem| FileError::new(&folder.display().to_string(), problem);
    if files.objects.is_empty() {
        return Err(fail(Problem::NoFiles));
    }
    let mut collector = Collector::default();
    let mut left = MAX_BYTES;
    let mut budget = Budget::for_input(MAX_BYTES);
    for path in &files.objects {
        let name = path.display().to_string();
        let open = File::open(path).map_err(|e| FileError::new(&name, Problem::Unreadable(e.kind())))?;
        let bytes = bytes(open, left).map_err(|problem| match problem {
            Problem::TooLarge { .. } => fail(Problem::TooLarge { most: MAX_BYTES }),
            other => FileError::new(&name, other),
        })?;
        left -= bytes.len();
        let text = parse::text(bytes).map_err(|fault| fault.in_file(&name))?;
        parse::pieces(&text, &mut budget, &mut |piece| collector.add(piece)).map_err(|fault| fault.in_file(&name))?;
    }
    add_logs(&files.logs, &mut collector);
    collector.finish().map_err(fail)
}

/// A log that cannot be read does not stop the diagnosis: it is only supporting evidence.
fn add_logs(paths: &[PathBuf], collector: &mut Collector) {
    let mut left = MAX_LOGS_BYTES;
    for path in paths {
        let read = File::open(path).map_err(|e| Problem::Unreadable(e.kind()));
        match read.and_then(|file| bytes(file, left.min(MAX_LOG_BYTES))) {
            Ok(bytes) => {
                left -= bytes.len();
                for part in logs::parts(&String::from_utf8_lossy(&bytes)) {
                    if let logs::Part::Log(section) = part {
                        collector.log(section);
                    }
                }
            }
            Err(problem) => {
                let (namespace, pod) = owner(path);
                collector.no_log(&namespace, &pod, &format!("logs.txt: {problem}"));
            }
        }
    }
}

/// Whose logs they are: `NAMESPACE/POD/logs.txt`.
fn owner(path: &Path) -> (String, String) {
    let mut folders =
        path.ancestors().skip(1).map(|folder| folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let pod = folders.next().unwrap_or_default();
    (folders.next().unwrap_or_default(), pod)
}

impl Files {
    fn find(&mut self, folder: &Path, depth: usize) -> Result<(), FileError> {
        let fail =
            |error: &std::io::Error| FileError::new(&folder.display().to_string(), Problem::Unreadable(error.kind()));
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|e| fail(&e))? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(FileError::new(&folder.display().to_string(), Problem::TooManyFiles { most: MAX_ENTRIES }));
            }
            paths.push(entry.map_err(|e| fail(&e))?.path());
        }
        // The order of a folder's entries is the file system's whim; of two versions of an object the last one wins.
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Metadata follows links; the depth keeps a circle of them from being endless. Pipes and devices are left out.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if name.starts_with('.') {
                continue;
            }
            if metadata.is_dir() && depth > 0 {
                self.find(&path, depth - 1)?;
            } else if metadata.is_file() && name == "logs.txt" {
                self.logs.push(path);
            } else if metadata.is_file() && [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending)) {
                self.objects.push(path);
            }
        }
        Ok(())
    }
}
