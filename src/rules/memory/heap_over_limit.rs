//! The runtime was told to use more memory than its container may.

use crate::facts::memory::{Heap, HeapSize, MemoryLimit};
use crate::facts::{End, Ending, Evidence, Facts};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

/// The share of the limit, in percent, from which a heap leaves too little for the rest of the process (threads, code,
/// buffers). A rule of thumb.
const TOO_MUCH: i64 = 90;

/// The share of the limit, in percent, that is offered for the heap. A rule of thumb, and the JVM's advice for containers.
const FITTING: i64 = 75;

pub(super) const RULE: Rule = Rule {
    reason: "HeapOverLimit",
    stage: Stage::Memory,
    summary: "the heap that the runtime was given does not fit into the memory limit",
    explains: &["OOMKilled"],
    check,
    explain: r#"
## Meaning
A runtime with a heap of its own (JVM, Node.js, Go) was told how large the heap can become, and that is more than the
container's memory limit leaves. The runtime sees no reason to collect garbage before the kernel kills it.

## Signs
`-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage`, `--max-old-space-size` or `GOMEMLIMIT` in a variable, the command or the
arguments, against `resources.limits.memory`, in a container that is OOMKilled. From 90 percent of the limit the heap counts as
too large (a rule of thumb), for threads, code and buffers need memory as well.

## Fix
Set heap and limit together: a heap of three quarters of the limit is a rule of thumb. For a JVM `-XX:MaxRAMPercentage=75`
follows the limit by itself, if no `-Xmx` stands beside it.

## Not this
A container that is OOMKilled with a heap that fits leaks elsewhere, or needs more (OOMKilled). A runtime that ends itself with
its own message about a full heap has not reached the container's limit (ApplicationError, Aborted).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for end in facts.ends().filter(|end| end.ending == Ending::OutOfMemory) {
        let Some(limit) = facts.memory_limit(end.container) else { continue };
        found.extend(facts.heaps(end.container).iter().filter_map(|heap| judged(facts, &end, &limit, heap)));
    }
    found
}

fn judged(facts: &Facts<'_>, end: &End<'_>, limit: &MemoryLimit, heap: &Heap) -> Option<Finding> {
    let size = heap.size.under(limit.amount);
    if size.times(100) < limit.amount.times(TOO_MUCH) {
        return None;
    }
    let shown = size.show("memory");
    let over = if size >= limit.amount { "does not fit into" } else { "leaves too little of" };
    let headline = format!(
        "{} of {} is allowed a heap of {shown} ({}), which {over} the memory limit of {}",
        heap.runtime.name(),
        end.container.title(),
        heap.setting,
        limit.text
    );
    let fitting = match heap.size {
        HeapSize::Bytes(_) => limit.amount.share(FITTING).show("memory"),
        HeapSize::Share(_) => format!("{FITTING} percent"),
    };
    let lower = format!(
        "Make the heap smaller: {fitting} is three quarters of the limit of {} (a rule of thumb). An initial heap (-Xms) must not be larger.",
        limit.text
    );
    let sum = Evidence::derived(format!("{} allows {shown}; the limit is {}", heap.setting, limit.text));
    Some(
        Finding::new(facts.subject_of(end.container), headline)
            .certainty(Certainty::Likely)
            .standing(end.standing)
            .because(heap.evidence.clone())
            .because(limit.evidence.clone())
            .because(sum)
            .because(facts.cite_exit(end.container, end.exit, "reason"))
            .remedy(Remedy::advice(lower))
            .remedy(roomier(facts, end, limit, heap)),
    )
}

/// A limit of which the heap is three quarters; a heap that is a share of the limit grows with it.
fn roomier(facts: &Facts<'_>, end: &End<'_>, limit: &MemoryLimit, heap: &Heap) -> Option<Remedy> {
    let HeapSize::Bytes(size) = heap.size else { return None };
    let mebibytes = size.times(100).units() / FITTING / (1 << 20) + 1;
    let say = format!(
        "Or raise the limit to {mebibytes}Mi, of which the heap of {} is three quarters (a rule of thumb)",
        size.show("memory")
    );
    if limit.of_pod {
        return Some(facts.owner.edit(&say));
    }
    let argument = format!("--limits=memory={mebibytes}Mi");
    Some(facts.owner.set(&format!("{say}:"), "resources", &["-c", &end.container.name, &argument]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn killed(options: &str) -> Case {
        Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}))
        .edit("/spec/containers/0/resources", json!({"limits": {"memory": "128Mi"}}))
        .edit("/spec/containers/0/env", json!([{"name": "JAVA_TOOL_OPTIONS", "value": options}]))
    }

    #[test]
    fn a_heap_larger_than_the_limit_is_why_it_was_killed() {
        let finding = one(killed("-Xms256m -Xmx512m").check(&RULE));
        assert_eq!(
            finding.headline,
            "the JVM of container app is allowed a heap of 512Mi (-Xmx512m), which does not fit into the memory limit of 128Mi"
        );
        assert!(finding.remedies[0].say.contains("96Mi is three quarters of the limit of 128Mi"));
        assert!(finding.remedies[1].say.contains("683Mi"));
    }

    #[test]
    fn a_share_of_the_limit_can_be_too_large() {
        assert!(one(killed("-XX:MaxRAMPercentage=95").check(&RULE)).headline.contains("leaves too little of"));
        none(killed("-XX:MaxRAMPercentage=75").check(&RULE));
    }

    #[test]
    fn a_heap_that_fits_is_not_to_blame() {
        none(killed("-Xmx96m").check(&RULE));
        none(killed("-Dnothing=1").check(&RULE));
    }

    #[test]
    fn a_heap_that_has_killed_nobody_is_not_mentioned() {
        let well = killed("-Xmx512m").edit("/status/containerStatuses/0/lastState", json!({}));
        assert!(well.check(&RULE).is_empty());
    }
}
