# Everything that is done to this repository. `just` lists it.

default:
    @just --list

# Exactly what CI does
check:
    .ci/run

# The tests that need nothing but Rust
test:
    cargo test

# The tests against a real control plane (kube-apiserver, etcd, scheduler, controller-manager)
cluster-test:
    tests/cluster/control-plane/build.sh > /dev/null
    KUBECTL_WHY_CLUSTER=1 cargo test --test cluster

# Which lines the tests reach, those of the cluster suite among them, by file (cargo install cargo-llvm-cov)
coverage:
    cargo llvm-cov clean --workspace
    KUBECTL_WHY_CLUSTER=1 cargo llvm-cov --no-report
    cargo llvm-cov report --summary-only

# Whether a test fails for each small change of the code in a file, or in all facts: just mutants src/facts/exits/exit.rs
mutants file="src/facts/**":
    cargo mutants --file '{{file}}' --jobs 1 --baseline skip --timeout 300 --output target/mutants

# Write the generated files anew: reports, completions, docs
generate:
    UPDATE_REPORTS=1 cargo test --test scenarios whole_reports_are_as_reviewed
    UPDATE_GENERATED=1 cargo test --test generated

# Write a rule's file, its index lines and an empty scenario: just new-reason images ImageTooOld
new-reason stage reason:
    dev/new-reason {{stage}} {{reason}}

# Times and memory against a real control plane
bench:
    benches/run
