//! Something bad in between: the report comes with what was there and names what was not, in time. Only the pod itself missing
//! is fatal.

use std::time::Duration;

use super::tests;
use crate::harness::kubectl::{Kubectl, Output};
use crate::harness::proxy::{Fault, Proxy, far_away};
use crate::harness::scene::Scene;

tests![
    a_server_fifty_milliseconds_away,
    a_server_three_hundred_milliseconds_away,
    a_server_that_says_wait_once,
    a_server_that_only_says_wait,
    a_part_of_the_server_that_is_down,
    an_answer_that_breaks_off_once,
    an_answer_that_always_breaks_off,
    an_answer_that_trickles,
    one_question_that_hangs,
    a_question_that_hangs_for_as_long_as_the_default,
    everything_but_the_pod_hangs,
    the_pod_itself_hangs,
    the_pod_itself_is_not_to_be_had,
    nothing_listens,
];

/// How the gaps call the events: by what they would have told.
const REPORTED: &str = "components reported about the pod";
const EVENTS: &str = "/events?";
const NODE: &str = "/api/v1/nodes/";
const SECRET: &str = "/secrets/";

/// `kubectl why pod/mail` through a proxy that does this to requests whose first line holds the word.
fn through(scene: &Scene, word: &'static str, times: usize, fault: Fault, flags: &[&str]) -> Output {
    let faulty = move |head: &str, before: usize| {
        let is_meant = head.lines().next().is_some_and(|line| line.contains(word));
        if is_meant && before < times { fault.clone() } else { Fault::None }
    };
    let proxy = Proxy::start(scene.server, faulty);
    let output = at(scene, proxy.port, flags);
    assert!(proxy.requests().iter().any(|r| r.contains(word)), "{word} was never asked: {:?}", proxy.requests());
    output
}

fn at(scene: &Scene, port: u16, flags: &[&str]) -> Output {
    let config = scene.server.kubeconfig_through(port, &format!("{}-{port}", scene.namespace), &scene.namespace);
    Kubectl::new(scene.server, &config).why(&[&["pod/mail"], flags].concat())
}

#[track_caller]
fn complete(output: &Output) {
    let report = output.report();
    report.must_have_cause("SecretMissing");
    assert_eq!(report.gaps(), "");
}

/// The cause is found, and the gaps name what is missing and why.
#[track_caller]
fn without(output: &Output, words: &[&str]) {
    let report = output.report();
    report.must_have_cause("SecretMissing");
    let gaps = report.gaps();
    for word in words {
        assert!(gaps.contains(word), "{word} is not in the gaps:\n{gaps}");
    }
}

/// Machines under load are slow; a client that hangs is slower still.
const SLACK: Duration = Duration::from_secs(8);

#[track_caller]
fn within(output: &Output, seconds: u64) {
    assert!(output.took < Duration::from_secs(seconds) + SLACK, "took {:?}", output.took);
}

fn a_server_fifty_milliseconds_away() {
    let scene = Scene::without_its_secret("near");
    complete(&at(&scene, far_away(scene.server, Duration::from_millis(50)), &[]));
}

fn a_server_three_hundred_milliseconds_away() {
    let scene = Scene::without_its_secret("far");
    let output = at(&scene, far_away(scene.server, Duration::from_millis(300)), &[]);
    complete(&output);
    // Connecting takes three round trips, each wave one.
    within(&output, 2);
}

fn a_server_that_says_wait_once() {
    let scene = Scene::without_its_secret("wait");
    complete(&through(&scene, "GET ", 1, Fault::Status(429, "Retry-After: 1\r\n"), &[]));
}

fn a_server_that_only_says_wait() {
    let scene = Scene::without_its_secret("busy");
    let output = through(&scene, EVENTS, usize::MAX, Fault::Status(429, "Retry-After: 1\r\n"), &[]);
    without(&output, &[REPORTED, "429"]);
    within(&output, 10);
}

fn a_part_of_the_server_that_is_down() {
    let scene = Scene::without_its_secret("part");
    without(&through(&scene, NODE, usize::MAX, Fault::Status(503, ""), &[]), &["node", "503"]);
}

fn an_answer_that_breaks_off_once() {
    let scene = Scene::without_its_secret("once-reset");
    complete(&through(&scene, EVENTS, 1, Fault::Reset, &[]));
}

fn an_answer_that_always_breaks_off() {
    let scene = Scene::without_its_secret("reset");
    let output = through(&scene, EVENTS, usize::MAX, Fault::Reset, &[]);
    without(&output, &[REPORTED]);
    within(&output, 10);
}

fn an_answer_that_trickles() {
    let scene = Scene::without_its_secret("trickle");
    let drops = Fault::Trickle(Duration::from_millis(500));
    let output = through(&scene, NODE, usize::MAX, drops, &["--request-timeout=2s"]);
    without(&output, &["node", "no answer within 2 s"]);
    within(&output, 2);
}

fn one_question_that_hangs() {
    let scene = Scene::without_its_secret("hang");
    let output = through(&scene, SECRET, usize::MAX, Fault::Hang, &["--request-timeout=1s"]);
    without(&output, &["Secrets", "no answer within 1 s"]);
    within(&output, 1);
}

fn a_question_that_hangs_for_as_long_as_the_default() {
    let scene = Scene::without_its_secret("default");
    let output = through(&scene, EVENTS, usize::MAX, Fault::Hang, &[]);
    without(&output, &[REPORTED, "no answer within 10 s"]);
    within(&output, 10);
}

fn everything_but_the_pod_hangs() {
    let scene = Scene::without_its_secret("alone");
    let proxy = Proxy::start(scene.server, |head, _| {
        if head.lines().next().is_some_and(|line| line.contains("/pods/mail")) { Fault::None } else { Fault::Hang }
    });
    let output = at(&scene, proxy.port, &["--request-timeout=1s"]);
    without(&output, &[REPORTED, "node", "Secrets"]);
    // Two or three waves.
    within(&output, 3);
}

#[track_caller]
fn fatal(output: &Output, words: &[&str]) {
    assert_eq!(output.status, 3, "{}{}", output.out, output.err);
    for word in words {
        assert!(output.err.contains(word), "{word} is not in {}", output.err);
    }
}

fn the_pod_itself_hangs() {
    let scene = Scene::without_its_secret("gone");
    let output = through(&scene, "/pods/mail", usize::MAX, Fault::Hang, &["--request-timeout=1s"]);
    fatal(&output, &["127.0.0.1", "did not answer within 1 s", "--request-timeout"]);
    within(&output, 2);
}

fn the_pod_itself_is_not_to_be_had() {
    let scene = Scene::without_its_secret("pod-down");
    let output = through(&scene, "/pods/mail", usize::MAX, Fault::Status(503, ""), &[]);
    fatal(&output, &["pod/mail", "503"]);
    within(&output, 10);
}

fn nothing_listens() {
    let scene = Scene::new("silence");
    let output = at(&scene, 1, &[]);
    fatal(&output, &["127.0.0.1:1", "connection refused"]);
    within(&output, 2);
}
