//! The command line: kubectl's flags under kubectl's names.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

const EXAMPLES: &str = "\
Examples:
  # Why does this pod not run?
  kubectl why pod/api-7d9f8b6c5d-x2k4q

  # Why does this Deployment have no ready pods?
  kubectl why deploy/api -n shop

  # Which pods of the namespace are not fine, and why?
  kubectl why

  # Explain a saved failure without a cluster
  kubectl why -f failure.json

  # What does exit code 137 mean?
  kubectl why explain 137
";

/// Say why a pod does not run, serve, finish or go away.
///
/// Reads the pod and what surrounds it, and names the cause, the evidence and the command that fixes it. It only reads:
/// nothing in the cluster is changed. The text report may change between versions; scripts should read -o json.
#[derive(Debug, Parser)]
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
    /// Explain a reason or an exit code, without a cluster
    Explain {
        /// A reason such as OOMKilled, or an exit code such as 137; without one, every reason
        #[arg(value_name = "REASON|CODE", allow_hyphen_values = true)]
        word: Option<String>,
    },
}

/// What to diagnose, and how.
#[derive(Debug, Args)]
pub struct Run {
    /// TYPE/NAME, TYPE NAME or the NAME of a pod; TYPE is pod, deploy, sts, ds, rs, job, cronjob or node. Without it, the
    /// pods of the namespace that are not fine
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Only what concerns this container
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,
    /// Read a saved snapshot, kubectl's JSON or YAML or a folder of `kubectl cluster-info dump` instead of a cluster; `-`
    /// reads standard input
    #[arg(short, long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub filename: Option<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Write what was read to this file, without secrets, for -f on another machine
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save_snapshot: Option<PathBuf>,
    /// Exit with 1 if something is not fine
    #[arg(long)]
    pub exit_code: bool,
    /// Leave out what to do about it
    #[arg(long)]
    pub no_hints: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Colour,
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
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The namespace; by default that of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}
