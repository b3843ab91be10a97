//! What can be wrong with a file. No text here repeats the file's content.

use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;

/// A file that could not be read or written, and where in it the trouble is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The path as the user gave it, or that of the file inside the given folder, or `standard input`.
    pub file: String,
    /// The place in the file, if there is one.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: Problem,
}

/// A place in a text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One or more JSON values.
    Json,
    /// One or more YAML documents.
    Yaml,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The operating system refused to read it.
    Unreadable(ErrorKind),
    /// The operating system refused to write it.
    Unwritable(ErrorKind),
    /// There is not a character in it.
    Empty,
    /// It is larger than that many bytes.
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// Its values, aliases expanded, take more memory than a file of that size may.
    TooMuch,
    /// The folder holds more entries than that.
    TooManyFiles {
        /// The limit.
        most: usize,
    },
    /// It is not UTF-8 or UTF-16.
    NotText,
    /// It breaks the format's rules.
    Syntax {
        /// The format that it seems to be in.
        format: Format,
        /// What was expected, if the parser can say it without quoting the file.
        detail: String,
    },
    /// It ends in the middle of a value.
    Truncated {
        /// The format that it seems to be in.
        format: Format,
    },
    /// Lists or maps are nested too deep.
    TooDeep,
    /// The folder holds no file to read.
    NoFiles,
    /// It was read, and no object that the tool knows is in it.
    NoObjects {
        /// What is in it instead.
        found: String,
    },
    /// The header is of a version that this release does not know.
    UnknownVersion,
    /// A field of the header is not what it must be.
    BadHeader {
        /// The field, in the file's spelling.
        field: &'static str,
    },
    /// There are two headers: what is complete in one need not be in the other.
    TwoHeaders,
}

/// A problem at a place of a text whose file is not known yet.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Option<Place>,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) fn in_file(self, file: &str) -> FileError {
        FileError { file: file.to_owned(), place: self.place, problem: self.problem }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { place: None, problem }
    }
}

impl FileError {
    pub(super) fn new(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), place: None, problem }
    }
}

impl std::error::Error for FileError {}

impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(place) = self.place {
            write!(f, ", line {}, column {}", place.line, place.column)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Json => "JSON",
            Format::Yaml => "YAML",
        })
    }
}

/// What all of these expect.
const EXPECTED: &str = "expected Kubernetes objects as JSON or YAML, as `kubectl get pods -o json`, `kubectl cluster-info dump` \
                        or --save-snapshot write them";

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unreadable(kind) => write!(f, "cannot be read: {}", reason(*kind)),
            Problem::Unwritable(kind) => write!(f, "cannot be written: {}", reason(*kind)),
            Problem::Empty => write!(f, "the file is empty; {EXPECTED}"),
            Problem::TooLarge { most } => {
                write!(f, "more than {} MiB, which is the most that is read; save fewer objects, for example of one namespace", most >> 20)
            }
            Problem::TooMuch => {
                f.write_str("the values take too much memory once they are read; save fewer objects, for example of one namespace")
            }
            Problem::TooManyFiles { most } => write!(f, "the folder holds more than {most} files; name one of its folders or files"),
            Problem::NotText => write!(f, "the file is not text in UTF-8; {EXPECTED}"),
            Problem::Syntax { format, detail } if detail.is_empty() => write!(f, "not valid {format}; {EXPECTED}"),
            Problem::Syntax { format, detail } => write!(f, "not valid {format}: {detail}; {EXPECTED}"),
            Problem::Truncated { format } => {
                write!(f, "the file ends in the middle of a {format} value: it is cut off, or still being written")
            }
            Problem::TooDeep => f.write_str("values are nested deeper than any Kubernetes object nests them"),
            Problem::NoFiles => {
                f.write_str("the folder holds no .json, .yaml or .yml file; expected what `kubectl cluster-info dump --output-directory` writes")
            }
            Problem::NoObjects { found } => write!(f, "no Kubernetes object in it that says why a pod fails, but {found}; {EXPECTED}"),
            Problem::UnknownVersion => {
                f.write_str("the snapshot's header is not of version kubectl-why/v1: another release of kubectl-why wrote the file")
            }
            Problem::BadHeader { field } => write!(f, "the snapshot's header has an unexpected value in the field {field}"),
            Problem::TwoHeaders => f.write_str("two snapshots in one; name the file of one of them"),
        }
    }
}

fn reason(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        other => other.to_string(),
    }
}
