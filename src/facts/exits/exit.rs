//! What an exit code says: conventions of shells, kernels and runtimes, and how competing meanings are told apart.

use crate::facts::{Container, Exit, Facts};

/// The table of meanings, one per line: codes, name, meaning, what tells it from the others.
const TABLE: &str = include_str!("exit_codes.tsv");

/// What a program of the .NET host prints when it could not start. Its codes (0x80008081 and up, cut to eight bits) look
/// like signals. Source: dotnet/runtime `docs/design/features/host-error-codes.md`.
const DOTNET_HOST: [&str; 6] = [
    "You must install or update .NET",
    "compatible framework version",
    "The application to execute does not exist",
    "Failed to create CoreCLR",
    "hostfxr",
    "Failure processing application bundle",
];

/// What programs print when they end themselves with abort(). As PID 1 they ignore SIGABRT, and libc then ends them with a
/// trap that shows as SIGSEGV; the JVM ends with 127.
const ABORTS: [&str; 12] = [
    "heap out of memory",
    "terminate called",
    "Unhandled exception",
    "Fatal Python error: Aborted",
    "overflowed its stack",
    "Aborted",
    "Assertion ",
    "double free or corruption",
    "free(): ",
    "malloc(): ",
    "stack smashing detected",
    "A fatal error has been detected by the Java Runtime Environment",
];

/// A signal of Linux on x86-64 and arm64, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub u8);

/// Names and meanings of signals 1 to 31. No meaning: the signal's default action does not end a process.
const SIGNALS: [(&str, &str); 31] = [
    ("SIGHUP", "the terminal or session was closed, or a reload signal met a program without a handler"),
    ("SIGINT", "an interrupt, as from Ctrl-C"),
    ("SIGQUIT", "quit with a dump; the stop signal of the images of nginx and php-fpm"),
    ("SIGILL", "the CPU met an instruction that it does not know: a build for newer CPUs (AVX), or a deliberate trap"),
    ("SIGTRAP", "a trap: a fatal check of V8 or Chromium, a breakpoint left in"),
    ("SIGABRT", "the program ended itself with abort(): an assertion, std::terminate, corrupted memory, a heap limit"),
    ("SIGBUS", "access to memory that cannot be backed: /dev/shm or a memory volume is full, a mapped file was cut"),
    ("SIGFPE", "an arithmetic fault: integer division by zero"),
    ("SIGKILL", "killed from outside; a program cannot catch it"),
    ("SIGUSR1", "a signal whose meaning the program chooses met no handler"),
    ("SIGSEGV", "invalid access to memory: a fault in native code"),
    ("SIGUSR2", "a signal whose meaning the program chooses met no handler"),
    ("SIGPIPE", "it wrote to a pipe or socket that nobody reads"),
    ("SIGALRM", "an alarm that it had set itself went off"),
    ("SIGTERM", "something asked it to stop"),
    ("SIGSTKFLT", "a stack fault; practically never sent"),
    ("SIGCHLD", ""),
    ("SIGCONT", ""),
    ("SIGSTOP", ""),
    ("SIGTSTP", ""),
    ("SIGTTIN", ""),
    ("SIGTTOU", ""),
    ("SIGURG", ""),
    ("SIGXCPU", "it used up a CPU time limit set with ulimit; a CPU limit of Kubernetes never causes this"),
    ("SIGXFSZ", "it wrote a larger file than ulimit allows"),
    ("SIGVTALRM", "a virtual timer went off"),
    ("SIGPROF", "a profiling timer went off and met no handler"),
    ("SIGWINCH", ""),
    ("SIGIO", "input or output became possible and the signal met no handler"),
    ("SIGPWR", "the power failure signal, which LXC and systemd use as a stop signal"),
    ("SIGSYS", "a system call that a seccomp profile does not allow"),
];

impl Signal {
    /// SIGABRT.
    pub const ABRT: Signal = Signal(6);
    /// SIGKILL.
    pub const KILL: Signal = Signal(9);
    /// SIGSEGV.
    pub const SEGV: Signal = Signal(11);
    /// SIGTERM.
    pub const TERM: Signal = Signal(15);

    /// The signal that an exit code stands for, if it is one that ends a process.
    pub fn of_code(code: i32) -> Option<Signal> {
        let number = u8::try_from(code.checked_sub(128)?).ok()?;
        Some(Signal(number)).filter(|s| s.ends_a_process())
    }

    /// Whether its default action ends a process. 32 and 33 belong to the threading library.
    pub fn ends_a_process(self) -> bool {
        match self.0 {
            34..=64 => true,
            _ => !self.meaning().is_empty(),
        }
    }

    /// `SIGKILL`, `SIGRTMIN+3`.
    pub fn name(self) -> String {
        match (self.listed(), self.0) {
            (Some((name, _)), _) => (*name).to_owned(),
            (None, 34) => "SIGRTMIN".to_owned(),
            (None, 64) => "SIGRTMAX".to_owned(),
            (None, n @ 35..=63) => format!("SIGRTMIN+{}", n - 34),
            (None, n) => format!("signal {n}"),
        }
    }

    /// What it mostly means that a process died of it; empty if that cannot be or has no usual cause.
    pub fn meaning(self) -> &'static str {
        self.listed().map_or("", |(_, meaning)| meaning)
    }

    fn listed(self) -> Option<&'static (&'static str, &'static str)> {
        SIGNALS.get(usize::from(self.0).checked_sub(1)?)
    }
}

/// One meaning of an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Whose convention it is, or the code's name.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    told_by: &'static str,
}

impl Meaning {
    /// What distinguishes it from the code's other meanings.
    pub fn told_by(&self) -> &'static str {
        match self.told_by {
            "" if self.name.starts_with("EX_") => {
                "the program follows sysexits(3); its own message in the log says more"
            }
            "" if self.name.starts_with(".NET") => {
                "log \"You must install or update .NET to run this application\", \"The application to execute does not exist\" or another message of the .NET host"
            }
            told_by => told_by,
        }
    }
}

/// Every meaning that the table has for exactly this code.
pub fn meanings(code: i64) -> Vec<Meaning> {
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let codes = fields.next()?;
        let (first, last) = match codes.parse() {
            Ok(code) => (code, code),
            Err(_) => codes.split_once('-').and_then(|(a, b)| Some((a.parse::<i64>().ok()?, b.parse().ok()?)))?,
        };
        let meaning = Meaning { name: fields.next()?, says: fields.next()?, told_by: fields.next()? };
        (first..=last).contains(&code).then_some(meaning)
    };
    TABLE.lines().filter_map(row).collect()
}

/// How a run of a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The program never ran; the code is the runtime's.
    NeverRan,
    /// Nobody saw the end; the code is made up.
    Unseen,
    /// The kernel killed a process of the container for want of memory; the code says nothing.
    OutOfMemory,
    /// With 0.
    Success,
    /// By a signal, or with a number that a shell or the program itself uses in this sense.
    Signal(Signal),
    /// With a code of Windows, which is no exit code of the program's choice.
    Windows(Meaning),
    /// With a code of the program's own.
    Own,
}

impl Facts<'_> {
    /// Whether the pod runs on Windows, where codes have 32 bits and no signals exist.
    pub fn is_windows(&self) -> bool {
        let spec = &self.pod.spec;
        let selected = spec.node_selector.as_ref().and_then(|s| s.get("kubernetes.io/os"));
        let declared = spec.os.as_ref().map(|os| os.name.as_str()).or(selected.map(String::as_str));
        match declared {
            Some(os) => os == "windows",
            None => self.node().found().is_some_and(|n| n.status.node_info.operating_system == "windows"),
        }
    }

    /// How that run of the container ended.
    pub fn ending(&self, container: &Container, exit: &Exit) -> Ending {
        let windows = self.is_windows() || !(-1..=255).contains(&exit.code);
        let says = |texts: &[&str]| {
            let words = self.last_words(container, exit);
            words.is_some_and(|w| w.all().any(|line| texts.iter().any(|text| line.contains(text))))
        };
        match exit.code {
            _ if exit.is_start_failure() => Ending::NeverRan,
            _ if exit.is_made_up() || exit.code == -1 && !windows => Ending::Unseen,
            _ if exit.reason == "OOMKilled" => Ending::OutOfMemory,
            0 => Ending::Success,
            code if windows => match meanings(i64::from(code)).first() {
                Some(meaning) if !(0..=255).contains(&code) => Ending::Windows(*meaning),
                _ => Ending::Own,
            },
            129..=165 if says(&DOTNET_HOST) => Ending::Own,
            127 if says(&ABORTS[11..]) => Ending::Signal(Signal::ABRT),
            139 if says(&ABORTS) => Ending::Signal(Signal::ABRT),
            code => match u8::try_from(exit.signal).ok().filter(|n| *n > 0).map(Signal).or(Signal::of_code(code)) {
                Some(signal) => Ending::Signal(signal),
                None => Ending::Own,
            },
        }
    }
}

/// The page that explains an exit code without a cluster, in Markdown: every meaning, and how they are told apart.
pub fn explain_code(code: i64) -> String {
    let low = low_byte(code);
    let fits = (0..=255).contains(&code);
    let wrapped = u32::try_from(code).map_or(code, |bits| i64::from(bits.cast_signed()));
    let exact = meanings(if fits { code } else { wrapped });
    let signal = Signal::of_code(i32::from(low)).filter(|_| fits);
    let mut signs: Vec<String> = exact.iter().map(|m| sign("", m)).collect();
    if !fits && (exact.is_empty() || code == -1) {
        signs.extend(meanings(i64::from(low)).iter().map(|m| sign(&format!("as {low}, "), m)));
    }
    if low >= 193 && fits {
        let n = 256 - u16::from(low);
        signs.push(format!(
            "- a negative number: a program that returns -{n} ends with {low}; often it is the negative errno"
        ));
    }
    if low > 0 && (exact.is_empty() || fits) {
        signs.push("- the program's own number: any program can end with any number, and a wrapper passes on that of its child; told by its manual and its last log lines".to_owned());
    }
    let name = signal.map(|s| format!(" ({})", s.name())).unwrap_or_default();
    let gist = if fits { gist(low) } else { beyond_a_byte(code, wrapped, low) };
    let signs: Vec<String> = signs.iter().map(|s| wrapped_at_page(s)).collect();
    format!("Exit code {code}{name}\n\n## Meaning\n{}\n\n## Signs\n{}\n{FIX}", wrapped_at_page(&gist), signs.join("\n"))
}

const FIX: &str = "
## Fix
Read the last lines of the run that ended, `kubectl logs POD -c CONTAINER --previous`, and let `kubectl why pod/POD` weigh
these meanings against the pod's status and events.

## Not this
The field `terminated.signal` is empty with today's runtimes: a signal is read off the exit code, 128 and its number. The
`reason` beside the code decides first: OOMKilled, StartError, ContainerCannotRun, ContainerStatusUnknown and Unknown say more
than their code, which some of them make up. In a container the program is PID 1: signals sent from inside that it does not
handle do not reach it, SIGABRT and SIGTERM among them.
";

fn sign(prefix: &str, meaning: &Meaning) -> String {
    let told_by = meaning.told_by();
    let told = if told_by.is_empty() { String::new() } else { format!("; told by {told_by}") };
    format!("- {prefix}{}: {}{told}", meaning.name, meaning.says)
}

/// A paragraph as wide as those of the reasons' pages.
fn wrapped_at_page(text: &str) -> String {
    let indent = if text.starts_with("- ") { "  " } else { "" };
    textwrap::fill(text, textwrap::Options::new(120).subsequent_indent(indent).break_words(false))
}

/// What is true of a code from 0 to 255 whatever the program.
fn gist(code: u8) -> String {
    let signal = Signal(code.saturating_sub(128));
    match code {
        0 => "The main process ended and says that it succeeded.".to_owned(),
        1..=2 => "The program ended by its own decision. Nearly every program uses this number.".to_owned(),
        64..=78 => "The program ended by its own decision. Programs that follow sysexits(3) mean the following by it."
            .to_owned(),
        126..=128 => {
            "Mostly the program could not be started. The number alone does not say by whom it was set.".to_owned()
        }
        129..=192 if signal.ends_a_process() => {
            let meaning =
                Some(signal.meaning()).filter(|m| !m.is_empty()).map(|m| format!(" ({m})")).unwrap_or_default();
            format!(
                "128 + {}: the process died of {}{meaning}, or it chose this number itself.",
                signal.0,
                signal.name()
            )
        }
        129..=159 => format!(
            "128 + {} is {}, which does not end a process by default, so the program chose this number itself.",
            signal.0,
            signal.name()
        ),
        160..=161 => format!(
            "128 + {}: a signal number that is reserved for the threading library, so the program chose this number itself.",
            signal.0
        ),
        _ => "The program ended by its own decision. No shell or system gives this number a meaning.".to_owned(),
    }
}

/// What becomes of a number that does not fit into eight bits.
fn beyond_a_byte(code: i64, wrapped: i64, low: u8) -> String {
    let linux = if code.is_negative() {
        format!("256 - {} % 256 = {low}", code.unsigned_abs())
    } else {
        format!("{code} % 256 = {low}")
    };
    let hex = i32::try_from(wrapped)
        .map_or_else(|_| String::new(), |c| format!(" (0x{:08X}, {c} in the API)", c.cast_unsigned()));
    format!(
        "On Linux only eight bits of an exit code survive: a program that returns {code} ends with {low} ({linux}). On Windows all 32 bits do{hex}, and large or negative ones are mostly NTSTATUS codes."
    )
}

/// The code as it arrives on Linux: a negative one as 256 - |code| % 256, any other as code % 256.
fn low_byte(code: i64) -> u8 {
    u8::try_from(code.rem_euclid(256)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
