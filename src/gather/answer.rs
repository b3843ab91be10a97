//! Reading an answer: piece by piece, never more than allowed, and what to do when it breaks off.

use std::time::Duration;

use http_body_util::BodyExt;
use tower::BoxError;

use super::failure::{Failure, is_reset};
use super::transport::Body;

/// Takes in an answer piece by piece.
pub(super) trait Sink: Send {
    /// An answer begins (again, after a retry).
    fn begin(&mut self, content_type: &str);
    /// A piece of it.
    fn push(&mut self, piece: &[u8]) -> Result<(), String>;
}

impl Sink for Vec<u8> {
    fn begin(&mut self, _: &str) {
        self.clear();
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), String> {
        self.extend_from_slice(piece);
        Ok(())
    }
}

/// An attempt that failed: for good, or worth another one after a while.
pub(super) enum Trial {
    Over(Failure),
    Again(Failure, Option<Duration>),
}

pub(super) fn broken(error: &BoxError) -> Trial {
    let failure = Failure::of_transport(error);
    if is_reset(error) { Trial::Again(failure, None) } else { Trial::Over(failure) }
}

pub(super) async fn read(mut body: Body, limit: usize, sink: &mut dyn Sink, bytes: &mut usize) -> Result<(), Trial> {
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|e| broken(&e))?.into_data() else { continue };
        *bytes += piece.len();
        if *bytes > limit {
            return Err(Trial::Over(Failure::Other(format!(
                "the answer is longer than {} MiB and was not read",
                limit >> 20
            ))));
        }
        sink.push(&piece).map_err(|e| Trial::Over(Failure::Other(e)))?;
    }
    Ok(())
}
