//! The way to the cluster, and whether it knows the kinds.

use std::path::PathBuf;
use std::time::Duration;

use bedplate_kinds::registry::kinds;
use bedplate_kinds::{GROUP, VERSION};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

/// A watch lasts 290 seconds at most: a connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
pub struct ClusterOptions {
    /// How the cluster is reached; KUBECONFIG, ~/.kube/config or the pod's own service account when left out.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// A context of that file; its current one when left out.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Where the cluster's API server asks whether a write may be stored: POST /admit.
    #[arg(long, value_name = "ADDR")]
    pub webhook_listen: Option<std::net::SocketAddr>,
    /// A group of the cluster whose members administer the platform, as system:masters does; may be given more than once.
    #[arg(long = "cluster-admin-group", value_name = "GROUP", default_value = "kubeadm:cluster-admins")]
    pub admin_groups: Vec<String>,
}

/// A cluster that answers and has the kinds.
pub struct Cluster {
    pub client: Client,
    /// How it calls this operator.
    pub own: String,
    /// Where it is, without credentials.
    pub url: String,
}

pub async fn connect(options: &ClusterOptions) -> Result<Cluster, Problem> {
    // Two providers are compiled in, by different dependencies: kube takes the one that is installed, and panics without one.
    // Installed already is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut config = config(options).await?;
    config.read_timeout = Some(SILENCE);
    let (scheme, host) =
        (config.cluster_url.scheme_str().unwrap_or("https"), config.cluster_url.authority().map(host_of));
    let url = format!("{scheme}://{}", host.unwrap_or_default());
    let client = Client::try_from(config).map_err(|error| unusable(&error))?;
    has_the_kinds(&client, &url).await?;
    let own = myself(&client).await.map_err(|error| unreachable(&url, &error))?;
    Ok(Cluster { client, own, url })
}

/// Without the user and password an address may carry.
fn host_of(authority: &http::uri::Authority) -> String {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned()
}

async fn config(options: &ClusterOptions) -> Result<Config, Problem> {
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let found = match &options.kubeconfig {
        Some(file) => {
            let read = Kubeconfig::read_from(file).map_err(|error| unusable(&error))?;
            Config::from_custom_kubeconfig(read, &chosen).await.map_err(|error| unusable(&error))
        }
        None if options.context.is_some() => Config::from_kubeconfig(&chosen).await.map_err(|error| unusable(&error)),
        None => Config::infer().await.map_err(|error| unusable(&error)),
    }?;
    Ok(found)
}

async fn has_the_kinds(client: &Client, url: &str) -> Result<(), Problem> {
    let group = format!("{GROUP}/{VERSION}");
    let served = match client.list_api_group_resources(&group).await {
        Ok(list) => list.resources.into_iter().map(|resource| resource.name).collect(),
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Err(unreachable(url, &error)),
    };
    let missing: Vec<_> =
        kinds().iter().map(|kind| kind.plural().to_owned()).filter(|plural| !served.contains(plural)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!("it does not have the kinds {} of {group}", missing.join(", "));
    Err(Problem::new(ErrorKind::NotReady, format!("the cluster at {url}"), why)
        .with_fix("bedplate crds | kubectl apply --server-side -f -"))
}

/// How the cluster calls whoever asks.
async fn myself(client: &Client) -> Result<String, kube::Error> {
    let reviews: Api<SelfSubjectReview> = Api::all(client.clone());
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    Ok(review.status.and_then(|status| status.user_info).and_then(|user| user.username).unwrap_or_default())
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if !told.contains(&inner.to_string()) {
            told = format!("{told}: {inner}");
        }
        cause = inner.source();
    }
    told
}

fn unusable(error: &dyn std::error::Error) -> Problem {
    Problem::new(ErrorKind::Invalid, "the way to the cluster", causes(error))
        .with_fix("bedplate operator --kubeconfig FILE --context NAME, or set KUBECONFIG")
}

fn unreachable(url: &str, error: &kube::Error) -> Problem {
    let (kind, fix) = match error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
            (ErrorKind::Denied, "give the operator's account its rights: deploy/helm/bedplate/templates/rbac.yaml")
        }
        _ => (ErrorKind::NotReady, "kubectl version, with the same kubeconfig, and start the operator again"),
    };
    Problem::new(kind, format!("the cluster at {url}"), causes(error)).with_fix(fix)
}
