//! A diagnosis from a cluster: connect, gather, diagnose.

use std::io::Write;
use std::time::Duration;

use super::args::Cli;
use super::{Answer, Failure, UNREAD, USAGE, overview, save, target};
use crate::gather::{Client, Connect, Depth, Fatal, Options, gather};
use crate::redact;
use crate::render::Safe;
use crate::report::{Report, Verdict};
use crate::snapshot::{Snapshot, Target};

/// Between two looks while watching.
const PAUSE: Duration = Duration::from_secs(2);

/// The answer about the targets of the command line, or about the pods that are not fine.
pub(super) fn answer(cli: &Cli) -> Result<Answer, Failure> {
    let targets = checked(cli)?;
    runtime()?.block_on(async {
        let client = connect(cli).await?;
        if targets.is_empty() { overview::live(cli, &client).await } else { named(cli, &client).await }
    })
}

/// Shows the answer whenever the verdict changes, until every target is fine or one is gone.
pub(super) fn watch(cli: &Cli, show: impl Fn(Answer) -> Result<u8, Failure>) -> Result<u8, Failure> {
    if checked(cli)?.is_empty() {
        return Err(Failure(USAGE, "--watch needs a target: kubectl why pod/NAME --watch".to_owned()));
    }
    runtime()?.block_on(async {
        let client = connect(cli).await?;
        let mut shown = None;
        let mut status = 0;
        loop {
            let answer = match named(cli, &client).await {
                Err(Failure(_, why)) if shown.is_some() => {
                    super::tell(&why);
                    return Ok(status);
                }
                answer => answer?,
            };
            let fine = answer.reports.iter().all(|r| matches!(r.verdict, Verdict::Healthy | Verdict::Completed));
            let verdicts = Some(answer.reports.iter().map(Report::gist).collect::<Vec<_>>());
            if verdicts != shown {
                shown = verdicts;
                status = show(answer)?;
            }
            if fine {
                return Ok(status);
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// The targets, as far as they can be told without a namespace: whatever is wrong with the arguments is said before
/// anything is read.
fn checked(cli: &Cli) -> Result<Vec<Target>, Failure> {
    let run = &cli.run;
    let usage = |why| Failure(USAGE, why);
    let targets = target::parse(&run.targets, "").map_err(usage)?;
    let selected = !run.selector.is_empty() || !run.field_selector.is_empty();
    target::check(&run.targets, &targets, run.all_namespaces, selected).map_err(usage)?;
    if run.save_snapshot.is_some() && targets.len() > 1 {
        return Err(usage("--save-snapshot takes one target".to_owned()));
    }
    Ok(targets)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure(UNREAD, format!("starting the runtime: {e}")))
}

async fn connect(cli: &Cli) -> Result<Client, Failure> {
    Client::connect(&Connect::from(&cli.connection)).await.map_err(|e| Failure(UNREAD, e.to_string()))
}

/// The reports about the named targets. One that cannot be read does not keep the others from being told.
async fn named(cli: &Cli, client: &Client) -> Result<Answer, Failure> {
    let targets = target::parse(&cli.run.targets, client.namespace()).map_err(|why| Failure(USAGE, why))?;
    let mut answer = Answer::default();
    for target in &targets {
        match snapshot(client, cli, target).await {
            Ok(snapshot) => {
                save(cli, &snapshot)?;
                answer.reports.extend(crate::diagnose(&snapshot, target));
            }
            Err(fatal) => answer.unread.push(fatal.to_string()),
        }
    }
    print_requests(cli, client);
    match answer.unread.as_slice() {
        [only] if answer.reports.is_empty() => Err(Failure(UNREAD, only.clone())),
        _ => Ok(answer),
    }
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
