//! What can be asked on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// From raw data to a governed prediction, in one binary.
#[derive(Debug, Parser)]
#[command(name = "bedplate", version, propagate_version = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Where the platform keeps everything.
    #[arg(long, global = true, env = "BEDPLATE_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// More log on standard error; twice for still more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 invalid input · 4 not signed in or not \
allowed · 5 not found · 6 already exists or changed meanwhile · 7 busy, not ready or timed out · 8 stored data is damaged · \
9 refused by a gate, a check or a limit. `bedplate plan` and `bedplate drift` have others: see their --help";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the platform and stay.
    Up(Up),
    /// Run the controllers against a real cluster, and serve predictions, pages and admission beside it.
    Operator(crate::commands::operator::Operator),
    /// Share SQL among executors: the scheduler of a Ballista cluster.
    Scheduler(crate::commands::scheduler::Scheduler),
    /// Work on SQL for a scheduler: an executor of a Ballista cluster.
    Executor(crate::commands::executor::Executor),
    /// Run the flights use case end to end: from raw files to a governed prediction.
    Quickstart(Quickstart),
    /// Show what an apply would do to every object: the change, the place, the cost, the policy and the approvals.
    Plan(commands::plan::Plan),
    /// Declare the objects of a file or a folder, or carry out a plan.
    Apply(commands::apply::Apply),
    /// Show what was changed outside of the manifests.
    Drift(commands::drift::Drift),
    /// Agree to a change that waits for it, or reject it.
    Approve(commands::approve::Approve),
    /// Run the tests of manifests; no platform is needed.
    Test(commands::test::Test),
    /// Write manifests to begin with.
    Init(commands::init::Init),
    /// Show objects.
    Get(Get),
    /// Tell one object with its conditions and events.
    Describe(Named),
    /// Delete objects, by name or by the files that declare them.
    Delete(Delete),
    /// Show what a workload wrote.
    Logs(Logs),
    /// Ask an endpoint.
    Predict(Predict),
    /// Find datasets, columns, features, models, endpoints and terms by words.
    Search(commands::search::Search),
    /// Ask the datasets of a namespace in SQL.
    Sql(commands::sql::Sql),
    /// Walk the lineage of a prediction, a model or a table back to the source files.
    Trace(Trace),
    /// Tell what stands on a dataset or one of its columns: features, recipes, models, endpoints, monitors.
    Impact(crate::commands::impact::Impact),
    /// Show what a dataset's ingests came to and what its columns hold; look at its quarantine, release rows of it or discard them.
    Data(commands::data::Data),
    /// Compare what the online store says of feature views with their sources.
    Features(commands::features::Features),
    /// Tell what was spent, by namespace, team, subject, resource, day or month.
    Costs(crate::commands::costs::Costs),
    /// Read, verify, prove or export the audit log.
    Audit(Audit),
    /// Sign in at the organisation's OpenID provider.
    Login(crate::commands::login::Login),
    /// End the token of `login` and forget it.
    Logout,
    /// Make, list or end tokens: who may speak to the platform.
    Token(Token),
    /// Check and test policies; show what was decided and why.
    Policy(crate::commands::policy::Policy),
    /// Make, list or end certificates of machines: service accounts, workloads and devices.
    Certificate(crate::commands::certificate::Certificate),
    /// Write the platform to one file, while it runs or not.
    Backup(crate::commands::Backup),
    /// Make a home of a backup.
    Restore(crate::commands::Restore),
    /// Check this machine and the home folder.
    Doctor(crate::commands::doctor::Doctor),
    /// Print the definitions of the kinds, for a real cluster: bedplate crds | kubectl apply -f -
    Crds(crate::commands::crds::Crds),
    /// Print a completion script.
    Completions { shell: clap_complete::Shell },
    /// Run a workload's task; started by the platform, not by people.
    #[command(hide = true)]
    Worker(Worker),
}

#[derive(Debug, Args, Clone)]
pub struct Listen {
    /// Where the control API and the console listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Where predictions are asked.
    #[arg(long, default_value = "127.0.0.1:7071", value_name = "ADDR")]
    pub inference_listen: SocketAddr,
    /// Where Arrow Flight SQL is spoken; off: nowhere.
    #[arg(long, default_value = "127.0.0.1:7073", value_name = "ADDR")]
    pub flight_listen: Listener,
    /// Where S3 is spoken; off: nowhere.
    #[arg(long, default_value = "127.0.0.1:7072", value_name = "ADDR")]
    pub s3_listen: Listener,
    /// A folder whose files datasets may read; may be given more than once. The current folder when left out.
    #[arg(long = "source-root", value_name = "DIR")]
    pub source_roots: Vec<PathBuf>,
    /// A host that datasets may be read from, a database or a store of objects: host, host:port, or http://host:port where
    /// objects may be read without TLS. May be given more than once. None when left out.
    #[arg(long = "source-host", value_name = "HOST")]
    pub source_hosts: Vec<bedplate_query::Host>,
    /// Where people's SQL runs: ballista://host:port, the scheduler of a cluster that reads the same --data, or local, this
    /// process, as when left out. May be given more than once: statements that do not say where run on the first.
    #[arg(long = "engine", env = "BEDPLATE_ENGINE", value_name = "URL", value_delimiter = ',')]
    pub engines: Vec<bedplate_query::Engine>,
    /// Where this platform is: eu-west-1. Data bound to sites or regions is used there only.
    #[arg(long, env = "BEDPLATE_SITE", value_name = "SITE")]
    pub site: Option<String>,
    #[command(flatten)]
    pub tls: crate::tls::TlsOptions,
    #[command(flatten)]
    pub oidc: crate::oidc::OidcOptions,
    #[command(flatten)]
    pub storage: crate::storage::Storage,
}

/// A listener that need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    Off,
    At(SocketAddr),
}

impl Listen {
    /// Where people's SQL runs, in words; none when nobody said.
    pub fn told_engines(&self) -> Option<String> {
        let (first, others) = self.engines.split_first()?;
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let also = if others.is_empty() {
            String::new()
        } else {
            format!("; where a statement says so on {}", others.join(", "))
        };
        Some(format!("{first}{also}"))
    }
}

impl std::str::FromStr for Listener {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::At) }
    }
}

#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub listen: Listen,
    #[command(flatten)]
    pub witnesses: crate::platform::witness::Witnesses,
}

#[derive(Debug, Args)]
pub struct Quickstart {
    /// A folder of manifests to run instead of the one built in.
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// How long the whole may take.
    #[arg(long, default_value = "10m")]
    pub timeout: bedplate_types::Span,
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub output: Report,
    #[command(flatten)]
    pub listen: Listen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Json,
    Yaml,
    Name,
    Wide,
}

#[derive(Debug, Args)]
pub struct Get {
    /// A kind: datasets, ds, endpoints, …
    pub kind: String,
    pub name: Option<String>,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// In every namespace.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only objects with these labels: team=ops,tier!=test
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
    /// Stay and show every change.
    #[arg(short, long)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct Named {
    pub kind: String,
    pub name: String,
    #[arg(short, long)]
    pub namespace: Option<String>,
}

#[derive(Debug, Args)]
pub struct Delete {
    #[arg(required_unless_present = "filename", conflicts_with = "filename")]
    pub kind: Option<String>,
    #[arg(requires = "kind")]
    pub name: Option<String>,
    /// What this manifest or folder declares.
    #[arg(short, long, value_name = "PATH")]
    pub filename: Option<PathBuf>,
    #[arg(short, long)]
    pub namespace: Option<String>,
}

#[derive(Debug, Args)]
pub struct Logs {
    pub workload: String,
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Stay until the workload ends.
    #[arg(short, long)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct Predict {
    pub endpoint: String,
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// A column of the request: tailnum=N14228; may be given more than once.
    #[arg(short, long = "set", value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// The request as a JSON object; - reads it from standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "set")]
    pub data: Option<PathBuf>,
    /// What the prediction is for, where the data behind the model may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

#[derive(Debug, Args)]
pub struct Trace {
    /// A prediction's id, or a node: model:ns/name@1, table:ns/name@0, column:table:ns/name@0#column, …
    pub node: String,
    /// Walk the other way: what came of it.
    #[arg(long)]
    pub impact: bool,
    #[arg(short, long, value_enum)]
    pub output: Option<TraceFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    Json,
    Yaml,
    /// Graphviz: bedplate trace … -o dot | dot -Tsvg
    Dot,
    /// OpenLineage events, one JSON array.
    Openlineage,
}

#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the whole tree and check it against the signed checkpoint; with --dir or --proof without the platform.
    Verify(AuditVerify),
    /// Bring a folder up to date with the log, in the layout of C2SP tlog-tiles; only what verifies is kept.
    Export {
        /// Made if it is not there. One export at a time may work in it.
        dir: PathBuf,
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// Write the proof that a leaf is in the log (C2SP tlog-proof), with the leaf itself.
    Prove {
        /// The leaf, as `bedplate audit log` shows it.
        index: u64,
        /// From this exported folder instead of the platform.
        #[arg(long, requires = "key")]
        dir: Option<PathBuf>,
        /// The key the folder's log is signed with.
        #[arg(long, value_name = "VKEY", requires = "dir")]
        key: Option<bedplate_audit::VerifierKey>,
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// Show entries, the oldest first.
    Log(crate::commands::audit_log::AuditLog),
}

#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token for a person or, with --service-account, for a machine; it is printed once.
    Create(NewToken),
    /// Show the tokens you may see, without the tokens themselves.
    List {
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// End a token, at once.
    Revoke {
        /// As `token list` shows it.
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct NewToken {
    /// The person's name, or the service account's.
    pub name: String,
    /// It is a machine of the namespace, with the roles bound to it there.
    #[arg(long)]
    pub service_account: bool,
    /// Of the service account, and of the kubeconfig that --kubeconfig writes.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// A group the person is in; may be given more than once.
    #[arg(short, long = "group", conflicts_with = "service_account")]
    pub groups: Vec<String>,
    /// How long it is good for: 12h, 30d, or never.
    #[arg(long, default_value = "30d")]
    pub expires: String,
    #[arg(long, default_value = "")]
    pub description: String,
    /// Carry only these of the principal's rights, VERBS:KINDS:NAMESPACES: get,list:datasets:flights, read:*:flights,
    /// predict:endpoints:* …; may be given more than once.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<bedplate_types::Scope>,
    /// Print the access key of the token too, for clients of S3.
    #[arg(long, conflicts_with = "kubeconfig")]
    pub s3: bool,
    /// Write a kubeconfig with the token there instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Where its holder finds the platform, if not where this machine does: https://bedplate.example.org:7070.
    #[arg(long, value_name = "URL", requires = "kubeconfig")]
    pub server: Option<String>,
}

#[derive(Debug, Args)]
pub struct AuditVerify {
    /// Verify this exported folder instead of the platform.
    #[arg(long, requires = "key", group = "copy")]
    pub dir: Option<PathBuf>,
    /// Verify this proof that `bedplate audit prove` wrote.
    #[arg(long, value_name = "FILE", requires = "key", group = "copy")]
    pub proof: Option<PathBuf>,
    /// The key the log is signed with, as the folder's file `vkey` held it when it was made: keep it elsewhere.
    #[arg(long, value_name = "VKEY", requires = "copy")]
    pub key: Option<bedplate_audit::VerifierKey>,
    /// Require that this witness cosigned the log; may be given more than once, and then all of them.
    #[arg(long, value_name = "VKEY")]
    pub witness_key: Vec<bedplate_audit::VerifierKey>,
    /// A checkpoint that was kept elsewhere, which the folder's log must still begin with; may be given more than once.
    #[arg(long, value_name = "NOTE", requires = "dir")]
    pub against: Vec<PathBuf>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

#[derive(Debug, Args)]
pub struct Worker {
    pub task: WorkerTask,
    /// Holds job.json; the result goes there.
    #[arg(long)]
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum WorkerTask {
    Train,
    Replay,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_two_options_of_a_command_are_called_the_same() {
        super::Cli::command().debug_assert();
    }
}
