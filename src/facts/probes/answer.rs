//! What came back when a probe was tried, read from the kubelet's event.
//!
//! Wordings: kubelet `pkg/kubelet/prober/prober.go`, `pkg/probe/{http,tcp,grpc,exec}`, Go's `net/http`.

use super::{Handler, Probe};

/// What a try of a probe brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status outside 200 to 399.
    Status(u16),
    /// Nobody listens on that port.
    Refused,
    /// No answer within the timeout.
    TimedOut,
    /// The connection was made and then dropped.
    Dropped,
    /// One side speaks TLS and the other does not.
    Scheme,
    /// The probe's host name does not resolve on the node.
    Unresolved,
    /// There is no way to the address.
    Unreachable,
    /// The probe's command is not in the image.
    CommandMissing,
    /// The probe's command did not end within the timeout.
    CommandTimedOut,
    /// The probe's command ended with another code than 0; what it wrote.
    CommandFailed(String),
    /// The gRPC server says that it does not serve, in this word.
    NotServing(String),
    /// The gRPC server has no health service.
    NoHealthService,
    /// The container declares no port of that name.
    PortUnknown,
    /// The container had ended when it was asked: no failure of its own.
    Gone,
    /// The kubelet could not carry the probe out; its words.
    Errored(String),
}

impl Answer {
    /// Reads the message of an `Unhealthy` event about that probe.
    pub(super) fn read(message: &str, probe: &Probe<'_>) -> Self {
        let head = message.split_once(": ");
        let (errored, said) = head.map_or((false, message), |(head, said)| (head.contains("errored"), said));
        let lower = said.to_ascii_lowercase();
        let any = |words: &[&str]| words.iter().any(|w| lower.contains(w));
        let gone = [
            "container not running",
            "container is not running",
            "not created",
            "container not found",
            "no running task",
            "process exited",
            "container_exited",
            "stopped state",
            "deleted state",
            "ttrpc: closed",
        ];
        if errored && (any(&gone) || lower.contains("task") && lower.contains("not found")) {
            return Answer::Gone;
        }
        let answer = match &probe.handler {
            Handler::Exec(_) => Self::of_command(said, &lower, errored),
            Handler::Grpc { .. } => Self::of_grpc(said, &lower),
            Handler::Http { .. } | Handler::Tcp { .. } => Self::of_connection(&lower),
        };
        answer.unwrap_or_else(|| Answer::Errored(said.trim().to_owned()))
    }

    fn of_command(said: &str, lower: &str, errored: bool) -> Option<Self> {
        let missing = lower.contains("exec: \"")
            && (lower.contains("executable file not found") || lower.contains("no such file or directory"))
            || lower.contains("executable file `");
        match () {
            () if missing => Some(Answer::CommandMissing),
            () if lower.starts_with("command") && lower.contains("timed out") => Some(Answer::CommandTimedOut),
            () if errored && lower.contains("deadline") => Some(Answer::CommandTimedOut),
            () if errored => None,
            () => Some(Answer::CommandFailed(said.trim().to_owned())),
        }
    }

    fn of_grpc(said: &str, lower: &str) -> Option<Self> {
        match () {
            () if lower.contains("failed to connect service") => Some(Answer::Refused),
            () if lower.contains("responded with") => {
                Some(Answer::NotServing(said.split('"').nth(1).unwrap_or_default().to_owned()))
            }
            () if lower.contains("does not implement the grpc health") => Some(Answer::NoHealthService),
            () if lower.contains("did not complete within") => Some(Answer::TimedOut),
            () => None,
        }
    }

    fn of_connection(lower: &str) -> Option<Self> {
        let any = |words: &[&str]| words.iter().any(|w| lower.contains(w));
        if let Some((_, code)) = lower.split_once("statuscode: ") {
            let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
            return digits.parse().ok().map(Answer::Status);
        }
        match () {
            () if any(&["http response to https client", "malformed http response", "tls: "]) => Some(Answer::Scheme),
            () if lower.contains("connection refused") => Some(Answer::Refused),
            () if any(&["no such host", "server misbehaving"]) => Some(Answer::Unresolved),
            () if any(&["no route to host", "unreachable"]) => Some(Answer::Unreachable),
            () if any(&["deadline exceeded", "timeout", "timed out", "request canceled"]) => Some(Answer::TimedOut),
            () if any(&["eof", "reset by peer", "broken pipe", "closed idle connection"]) => Some(Answer::Dropped),
            () if any(&["invalid syntax", "find port", "invalid port"]) => Some(Answer::PortUnknown),
            () => None,
        }
    }

    /// Whether no connection came about at all.
    pub fn is_no_connection(&self) -> bool {
        matches!(self, Answer::Refused | Answer::PortUnknown)
    }

    /// As the end of a sentence about the probe: `gets status 404`.
    pub fn said(&self, probe: &Probe<'_>) -> String {
        let timeout = probe.timeout;
        match self {
            Answer::Status(code) => format!("gets status {code}"),
            Answer::Refused => "gets no connection".to_owned(),
            Answer::TimedOut => format!("gets no answer within its timeout of {timeout}s"),
            Answer::Dropped => "has its connection closed without an answer".to_owned(),
            Answer::Scheme => "meets a port that speaks TLS where HTTP was expected, or the other way round".to_owned(),
            Answer::Unresolved => "asks a host name that the node cannot resolve".to_owned(),
            Answer::Unreachable => "cannot reach the pod's address".to_owned(),
            Answer::CommandMissing => "runs a command that the image does not have".to_owned(),
            Answer::CommandTimedOut => format!("does not end within its timeout of {timeout}s"),
            Answer::CommandFailed(output) if output.is_empty() => {
                "ends with an exit code other than 0 and writes nothing".to_owned()
            }
            Answer::CommandFailed(output) => format!("fails: {}", output.lines().next().unwrap_or_default()),
            Answer::NotServing(word) => format!("is told {word}"),
            Answer::NoHealthService => "asks a server that does not implement the gRPC health protocol".to_owned(),
            Answer::PortUnknown => "names a port that the container does not declare".to_owned(),
            Answer::Gone => "found the container ended".to_owned(),
            Answer::Errored(_) => "could not be carried out".to_owned(),
        }
    }

    /// What to change, as the beginning of a sentence that ends with the field.
    pub fn advice(&self, probe: &Probe<'_>) -> String {
        let field = probe.kind.field();
        let of = format!("of {}", probe.container.title());
        match self {
            Answer::Status(401 | 403) => format!("Let {field} {of} ask a path that needs no login"),
            Answer::Status(400) => format!("Set scheme: HTTPS in {field} {of}, if the port speaks TLS"),
            Answer::Status(404) => format!("Let {field} {of} ask a path that the program serves"),
            Answer::Refused | Answer::PortUnknown => {
                format!("Let {field} {of} ask the port on which the program listens")
            }
            Answer::TimedOut | Answer::CommandTimedOut => {
                format!("Raise timeoutSeconds in {field} {of} (now {}s), or give the container more CPU", probe.timeout)
            }
            Answer::Scheme => format!("Set the scheme in {field} {of} to what the port speaks"),
            Answer::Unresolved | Answer::Unreachable => {
                format!("Leave host out of {field} {of}, so that it asks the pod")
            }
            Answer::CommandMissing => format!("Let {field} {of} run a command that the image has"),
            Answer::NoHealthService => {
                format!("Use tcpSocket in {field} {of}, or register the health service in the program")
            }
            Answer::NotServing(word) if word == "SERVICE_UNKNOWN" => {
                format!("Let {field} {of} name a service that the server knows")
            }
            _ => format!("Correct {field} {of}, if it is the probe and not the program that is wrong"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::ProbeKind;
    use crate::rules::testing::Case;

    fn with<T>(handler: &Value, read: impl Fn(&Probe<'_>) -> T) -> T {
        Case::container(json!({}))
            .edit("/spec/containers/0/livenessProbe", handler.clone())
            .facts(|f| read(&f.probe(&f.containers[0], ProbeKind::Liveness).unwrap()))
    }

    fn http() -> Value {
        json!({"httpGet": {"port": 80}})
    }

    fn answer(handler: &Value, message: &str) -> Answer {
        with(handler, |p| Answer::read(message, p))
    }

    #[test]
    fn a_connection_fails_in_the_words_of_go() {
        for (said, wanted) in [
            ("HTTP probe failed with statuscode: 503", Answer::Status(503)),
            ("Get \"https://10.0.0.1/\": http: server gave HTTP response to HTTPS client", Answer::Scheme),
            ("Get \"https://10.0.0.1/\": remote error: tls: handshake failure", Answer::Scheme),
            ("dial tcp 10.0.0.1:80: connect: connection refused", Answer::Refused),
            ("dial tcp: lookup web on 10.0.0.10:53: no such host", Answer::Unresolved),
            ("dial tcp: lookup web on 10.0.0.10:53: server misbehaving", Answer::Unresolved),
            ("dial tcp 10.0.0.1:80: connect: no route to host", Answer::Unreachable),
            ("dial tcp 10.0.0.1:80: connect: network is unreachable", Answer::Unreachable),
            ("Get \"http://10.0.0.1/\": context deadline exceeded", Answer::TimedOut),
            ("dial tcp 10.0.0.1:80: i/o timeout", Answer::TimedOut),
            ("Get \"http://10.0.0.1/\": EOF", Answer::Dropped),
            ("read tcp 10.0.0.1:1->10.0.0.1:80: read: connection reset by peer", Answer::Dropped),
            ("strconv.Atoi: parsing \"web\": invalid syntax", Answer::PortUnknown),
            ("unable to do a thing", Answer::Errored("unable to do a thing".to_owned())),
        ] {
            assert_eq!(answer(&http(), &format!("Liveness probe failed: {said}")), wanted, "{said}");
        }
    }

    #[test]
    fn a_command_is_missing_or_too_slow_or_fails() {
        let exec = json!({"exec": {"command": ["cat", "/x"]}});
        let failed = |text: &str| Answer::CommandFailed(text.to_owned());
        for (message, wanted) in [
            ("Liveness probe failed: exec: \"cat\": executable file not found in $PATH", Answer::CommandMissing),
            ("Liveness probe errored: exec: \"/cat\": stat /cat: no such file or directory", Answer::CommandMissing),
            ("Liveness probe errored: executable file `cat` not found in $PATH", Answer::CommandMissing),
            ("Liveness probe failed: cat: /x: No such file or directory", failed("cat: /x: No such file or directory")),
            ("Liveness probe failed: exec: \"odd\"", failed("exec: \"odd\"")),
            ("Liveness probe failed: command \"cat\" timed out", Answer::CommandTimedOut),
            ("Liveness probe failed: the request timed out", failed("the request timed out")),
            ("Liveness probe failed: command failed", failed("command failed")),
            ("Liveness probe errored: context deadline exceeded", Answer::CommandTimedOut),
            ("Liveness probe failed: deadline", failed("deadline")),
            ("Liveness probe errored: no such runtime", Answer::Errored("no such runtime".to_owned())),
            ("Liveness probe failed: ", failed("")),
        ] {
            assert_eq!(answer(&exec, message), wanted, "{message}");
        }
    }

    #[test]
    fn a_grpc_server_answers_in_its_own_words() {
        let grpc = json!({"grpc": {"port": 1}});
        for (said, wanted) in [
            ("timeout: failed to connect service \"10.0.0.1:1\" within 1s", Answer::Refused),
            ("service unhealthy (responded with \"NOT_SERVING\")", Answer::NotServing("NOT_SERVING".to_owned())),
            ("error: this server does not implement the grpc health protocol", Answer::NoHealthService),
            ("timeout: health rpc did not complete within 1s", Answer::TimedOut),
            ("error: health rpc probe failed: x", Answer::Errored("error: health rpc probe failed: x".to_owned())),
        ] {
            assert_eq!(answer(&grpc, &format!("Liveness probe failed: {said}")), wanted, "{said}");
        }
    }

    #[test]
    fn a_container_that_had_ended_did_not_fail_its_probe() {
        for said in ["container is not running", "rpc error: task 12ab not found: not found", "ttrpc: closed: unknown"]
        {
            let errored = format!("Liveness probe errored and resulted in unknown state: {said}");
            assert_eq!(answer(&http(), &errored), Answer::Gone, "{said}");
            assert_ne!(answer(&http(), &format!("Liveness probe failed: {said}")), Answer::Gone, "{said}");
        }
        assert_ne!(answer(&http(), "Liveness probe errored: user not found"), Answer::Gone);
        assert_ne!(answer(&http(), "Liveness probe errored: task killed"), Answer::Gone);
    }

    #[test]
    fn every_answer_has_a_sentence_and_advice_of_its_own() {
        let all = [
            (Answer::Status(401), "gets status 401", "needs no login"),
            (Answer::Status(403), "gets status 403", "needs no login"),
            (Answer::Status(400), "gets status 400", "scheme: HTTPS"),
            (Answer::Status(404), "gets status 404", "a path that the program serves"),
            (Answer::Status(500), "gets status 500", "if it is the probe"),
            (Answer::Refused, "gets no connection", "the port on which the program listens"),
            (Answer::PortUnknown, "does not declare", "the port on which the program listens"),
            (Answer::TimedOut, "within its timeout of 1s", "(now 1s)"),
            (Answer::CommandTimedOut, "does not end within", "(now 1s)"),
            (Answer::Scheme, "speaks TLS", "Set the scheme"),
            (Answer::Unresolved, "cannot resolve", "Leave host out"),
            (Answer::Unreachable, "cannot reach", "Leave host out"),
            (Answer::CommandMissing, "the image does not have", "a command that the image has"),
            (Answer::CommandFailed(String::new()), "writes nothing", "if it is the probe"),
            (Answer::CommandFailed("a\nb".to_owned()), "fails: a", "if it is the probe"),
            (Answer::NoHealthService, "gRPC health protocol", "Use tcpSocket"),
            (Answer::NotServing("SERVICE_UNKNOWN".to_owned()), "is told SERVICE_UNKNOWN", "a service that the server"),
            (Answer::NotServing("NOT_SERVING".to_owned()), "is told NOT_SERVING", "if it is the probe"),
            (Answer::Dropped, "closed without an answer", "if it is the probe"),
            (Answer::Gone, "found the container ended", "if it is the probe"),
            (Answer::Errored("x".to_owned()), "could not be carried out", "if it is the probe"),
        ];
        for (answer, said, advice) in all {
            let (says, advises) = with(&http(), |p| (answer.said(p), answer.advice(p)));
            assert!(says.contains(said), "{answer:?}: {says}");
            assert!(advises.contains(advice) && advises.contains("livenessProbe"), "{answer:?}: {advises}");
        }
        assert!(Answer::Refused.is_no_connection() && !Answer::TimedOut.is_no_connection());
    }
}
