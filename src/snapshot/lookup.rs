//! The answer to one question to the API server.

/// The answer to one question. "None" and "could not look" are never the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It exists.
    Found(T),
    /// The server said that it does not exist.
    NotFound,
    /// The server refused to say (401 or 403).
    Refused,
    /// The question got no usable answer: a time-out, a fault of the server, an answer that does not parse.
    Failed,
    /// Nobody asked.
    NotAsked,
}

impl<T> Lookup<T> {
    /// The value, if it was found.
    pub fn found(self) -> Option<T> {
        match self {
            Lookup::Found(value) => Some(value),
            _ => None,
        }
    }

    /// The same answer by reference.
    pub fn as_ref(&self) -> Lookup<&T> {
        match self {
            Lookup::Found(value) => Lookup::Found(value),
            Lookup::NotFound => Lookup::NotFound,
            Lookup::Refused => Lookup::Refused,
            Lookup::Failed => Lookup::Failed,
            Lookup::NotAsked => Lookup::NotAsked,
        }
    }

    /// The same answer about something derived from the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Lookup::Found(value) => Lookup::Found(f(value)),
            Lookup::NotFound => Lookup::NotFound,
            Lookup::Refused => Lookup::Refused,
            Lookup::Failed => Lookup::Failed,
            Lookup::NotAsked => Lookup::NotAsked,
        }
    }

    /// Whether the server said that it does not exist: the only answer that may be reported as an absence.
    pub fn is_absent(&self) -> bool {
        matches!(self, Lookup::NotFound)
    }
}
