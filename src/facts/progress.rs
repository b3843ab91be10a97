//! Whether a pod that is not yet fine is within its usual time.

use super::Facts;

impl Facts<'_> {
    /// Why the pod is not yet fine and nothing is wrong all the same: one sentence without full stop.
    pub fn in_progress(&self) -> Option<String> {
        None
    }
}
