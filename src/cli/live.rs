//! A diagnosis from a cluster: connect, gather, diagnose.

use std::io::Write;

use super::args::Cli;
use super::{Answer, Failure, UNREAD, USAGE, overview, save, target};
use crate::gather::{Client, Connect, Depth, Fatal, Options, gather};
use crate::redact;
use crate::render::Safe;
use crate::snapshot::{Snapshot, Target};

/// The answer about the targets of the command line, or about the pods that are not fine.
pub(super) fn answer(cli: &Cli) -> Result<Answer, Failure> {
    // Whatever is wrong with the arguments is said before anything is read.
    let run = &cli.run;
    let usage = |why| Failure(USAGE, why);
    let targets = target::parse(&run.targets, "").map_err(usage)?;
    let selected = !run.selector.is_empty() || !run.field_selector.is_empty();
    target::check(&run.targets, &targets, run.all_namespaces, selected).map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure(UNREAD, format!("starting the runtime: {e}")))?;
    runtime.block_on(async {
        let client =
            Client::connect(&Connect::from(&cli.connection)).await.map_err(|e| Failure(UNREAD, e.to_string()))?;
        if targets.is_empty() { overview::live(cli, &client).await } else { named(cli, &client).await }
    })
}

async fn named(cli: &Cli, client: &Client) -> Result<Answer, Failure> {
    let targets = target::parse(&cli.run.targets, client.namespace()).map_err(|why| Failure(USAGE, why))?;
    let mut reports = Vec::new();
    for target in &targets {
        let answer = snapshot(client, cli, target).await;
        print_requests(cli, client);
        let snapshot = answer.map_err(|fatal| Failure(UNREAD, fatal.to_string()))?;
        save(cli, &snapshot)?;
        reports.extend(crate::diagnose(&snapshot, target));
    }
    Ok(Answer { reports, scope: None })
}

async fn snapshot(client: &Client, cli: &Cli, target: &Target) -> Result<Snapshot, Fatal> {
    let depth = Depth { log_lines: cli.run.logs };
    gather(client, target, &Options { depth, redact: redact::text }).await
}

/// With `-v`, each request with its wave and time.
pub(super) fn print_requests(cli: &Cli, client: &Client) {
    if cli.connection.verbose.is_none() {
        return;
    }
    let mut err = std::io::stderr().lock();
    for record in client.records() {
        let (wave, millis, bytes) = (record.wave, record.took.as_millis(), record.bytes);
        let line = format!(
            "wave {wave}  {millis:>5} ms  {bytes:>8} bytes  {}  {}  {}",
            record.result, record.verb, record.path
        );
        let _ = writeln!(err, "{}", Safe::line(line).as_str());
    }
}
