//! The command line: kubectl's flags under kubectl's names.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::gather::{Connect, parse_timeout};

const EXAMPLES: &str = "\
Examples:
  # Why does this pod not run?
  kubectl why pod/api-7d9f8b6c5d-x2k4q

  # Why does this Deployment have no ready pods?
  kubectl why deploy/api -n shop

  # Which pods of the namespace are not fine, and why?
  kubectl why

  # The same in all namespaces
  kubectl why -A

  # Explain a saved failure without a cluster
  kubectl why -f failure.json

  # What does exit code 137 mean?
  kubectl why explain 137
";

/// Say why a pod does not run, serve, finish or go away.
///
/// Reads the pod and what surrounds it, and names the cause, the evidence and the command that fixes it. It only reads:
/// nothing in the cluster is changed. The text report may change between versions; scripts should read -o json.
#[derive(Parser)]
#[command(
    name = "kubectl-why",
    bin_name = "kubectl why",
    display_name = "kubectl why",
    version,
    before_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do besides diagnosing.
    #[command(subcommand)]
    pub command: Option<Task>,
    /// What to diagnose, and how.
    #[command(flatten)]
    pub run: Run,
    /// How to reach the cluster.
    #[command(flatten)]
    pub connection: Connection,
}

/// Tasks besides diagnosing.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Explain a reason, an exit code or a word of Kubernetes, without a cluster
    Explain {
        /// A reason such as OOMKilled, an exit code such as 137, or what Kubernetes says, such as CrashLoopBackOff or
        /// FailedMount; without one, every reason
        #[arg(value_name = "REASON|CODE|WORD", allow_hyphen_values = true, add = ArgValueCompleter::new(complete::reasons))]
        word: Option<String>,
    },
    /// Print a completion script for a shell
    ///
    /// The script completes `kubectl-why`. For `kubectl why`, put kubectl_complete-why on the PATH (it is in the release's
    /// archive; a link to kubectl-why under that name does the same) and load kubectl's own completion.
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: complete::Shell,
    },
}

/// What to diagnose, and how.
#[derive(Debug, Args)]
pub struct Run {
    /// TYPE/NAME, TYPE NAME or the NAME of a pod; TYPE is pod, deploy, sts, ds, rs, job, cronjob or node. Without it, the
    /// pods of the namespace that are not fine
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    pub targets: Vec<String>,
    /// The pods of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only pods with these labels, such as app=web,tier!=cache
    #[arg(
        short = 'l',
        long,
        value_name = "LABELS",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "filename"
    )]
    pub selector: String,
    /// Only pods with these fields, such as spec.nodeName=worker-1
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true, conflicts_with = "filename")]
    pub field_selector: String,
    /// Only what concerns this container
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(complete::containers))]
    pub container: Option<String>,
    /// Read a saved snapshot, kubectl's JSON or YAML or a folder of `kubectl cluster-info dump` instead of a cluster; `-`
    /// reads standard input
    #[arg(short, long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub filename: Option<PathBuf>,
    /// Print a new report whenever the verdict changes, until the target is fine or gone
    #[arg(short, long, conflicts_with = "filename")]
    pub watch: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Write what was read to this file, without secrets, for -f on another machine
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save_snapshot: Option<PathBuf>,
    /// Exit with 1 if something is not fine
    #[arg(long)]
    pub exit_code: bool,
    /// How many lines of a failed container's log to read; none for no logs
    #[arg(long, value_name = "N|none", default_value = "50", value_parser = log_lines)]
    pub logs: u32,
    /// Leave out what to do about it
    #[arg(long)]
    pub no_hints: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Colour,
}

/// `--logs`: a number, or `none`.
fn log_lines(text: &str) -> Result<u32, String> {
    match text {
        "none" => Ok(0),
        number => number.parse().map_err(|_| "a number of lines or `none` is expected".to_owned()),
    }
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For machines, stable
    Json,
    /// The same tree as JSON
    Yaml,
    /// TYPE/NAME of what is not fine
    Name,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to reach the cluster, as kubectl's own flags say it.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The namespace; by default that of the context
    #[arg(short, long, value_name = "NAMESPACE", add = ArgValueCompleter::new(complete::namespaces))]
    pub namespace: Option<String>,
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::contexts))]
    pub context: Option<String>,
    /// The kubeconfig cluster to use
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::clusters))]
    pub cluster: Option<String>,
    /// The kubeconfig user to use
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::users))]
    pub user: Option<String>,
    /// The address of the Kubernetes API server
    #[arg(short, long, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, value_name = "TOKEN", hide_default_value = true)]
    pub token: Option<String>,
    /// Username to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// UID to impersonate
    #[arg(long, value_name = "UID")]
    pub as_uid: Option<String>,
    /// Group to impersonate; may be repeated
    #[arg(long, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// Extra of the impersonated user as KEY=VALUE; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub as_user_extra: Vec<String>,
    /// Path to a certificate file for the certificate authority
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub certificate_authority: Option<PathBuf>,
    /// Path to a client certificate file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_certificate: Option<PathBuf>,
    /// Path to a client key file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_key: Option<PathBuf>,
    /// Server name to use for validation of the server's certificate
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// Do not check the server's certificate, which makes the connection insecure
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// How long to wait for one answer of the server, such as 5s, 2m or 1h; 0 for ever
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, default_value = "10s")]
    pub request_timeout: Duration,
    /// Ask for answers without compression
    #[arg(long)]
    pub disable_compression: bool,
    /// Print each request with its time to standard error
    #[arg(short = 'v', long = "verbose", visible_alias = "v", value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "6")]
    pub verbose: Option<u8>,
}

impl From<&Connection> for Connect {
    fn from(flags: &Connection) -> Self {
        Connect {
            kubeconfig: flags.kubeconfig.clone(),
            context: flags.context.clone(),
            cluster: flags.cluster.clone(),
            user: flags.user.clone(),
            namespace: flags.namespace.clone(),
            server: flags.server.clone(),
            token: flags.token.clone(),
            as_user: flags.as_user.clone(),
            as_uid: flags.as_uid.clone(),
            as_groups: flags.as_group.clone(),
            as_user_extra: flags.as_user_extra.clone(),
            certificate_authority: flags.certificate_authority.clone(),
            client_certificate: flags.client_certificate.clone(),
            client_key: flags.client_key.clone(),
            tls_server_name: flags.tls_server_name.clone(),
            insecure_skip_tls_verify: flags.insecure_skip_tls_verify,
            request_timeout: Some(flags.request_timeout),
            disable_compression: flags.disable_compression,
            ..Connect::default()
        }
    }
}
