//! Whether a pod that is not yet fine is within its usual time.

use super::Facts;

impl Facts<'_> {
    /// Why the pod is not yet fine and nothing is wrong all the same: one sentence without full stop.
    pub fn in_progress(&self) -> Option<String> {
        let leaving = self.deletion().filter(|d| d.stopped && !d.is_overdue());
        leaving.map(|_| "its containers have stopped, and the deletion is being finished".to_owned())
    }
}
