//! What `feast apply` puts into a bucket exists in its namespace: written as the caller, by the field manager `feast`.

mod told;

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_apiserver::ApiServer;
use bedplate_feast::registry::{Declared, FileSource, NotHere, read};
use bedplate_kinds::{Dataset, DatasetSource, DatasetSpec, Entity, FeatureService, FeatureView};
use bedplate_s3::{Caller, Put, Registry, Seen};
use bedplate_types::{Clock, ErrorKind, Problem};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, Resource, ResourceExt};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The manager of the fields that come from a registry.
const MANAGER: &str = "feast";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The key of the registry that declared it: another one in the same bucket does not remove it.
const REGISTRY: &str = "bedplate.dev/feast-registry";
/// What the name of a registry ends with.
const NAMES: [&str; 2] = ["registry.db", "registry.pb"];
/// Things that one registry declares, those that are not here among them.
const MOST: usize = 1_000;

pub struct FeastRegistry {
    apiserver: ApiServer,
    /// The platform's own, which tells of what is not here.
    client: Client,
    source_roots: Vec<PathBuf>,
    clock: Arc<dyn Clock>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl FeastRegistry {
    pub fn new(apiserver: ApiServer, client: Client, source_roots: Vec<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { apiserver, client, source_roots, clock, turns: Mutex::default() }
    }

    /// Of one namespace at a time, one: what counts last is what is there.
    async fn turn(&self, namespace: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock();
            // Nobody waits for those that nobody else has: namespaces come and go.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(namespace.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }
}

#[async_trait::async_trait]
impl Registry for FeastRegistry {
    fn minds(&self, key: &str) -> bool {
        NAMES.iter().any(|name| key.ends_with(name))
    }

    /// Bytes that are no registry are like any others.
    async fn put(&self, caller: &Caller, put: Put<'_>) -> Result<Seen, Problem> {
        let turn = self.turn(put.namespace).await;
        let Some(declared) = read(&put.bytes) else { return Ok(Seen::new(turn)) };
        let many = declared.count();
        if many > MOST {
            let why = format!("it declares {many} things, and may declare {MOST}");
            return Err(Problem::new(ErrorKind::TooLarge, format!("the registry {}", put.key), why));
        }
        let client = Client::new(self.apiserver.in_process(caller.principal.clone()), put.namespace);
        let apply = Apply { client, namespace: put.namespace, registry: put.key };
        let mut not_here = declared.not_here.clone();
        not_here.extend(self.apply(&apply, &declared).await?);
        apply.remove_what_is_gone(&declared).await?;
        told::tell(&self.client, put.namespace, &not_here, self.clock.now()).await;
        Ok(Seen::new(turn))
    }
}

impl FeastRegistry {
    /// Returns what was not taken, and why.
    async fn apply(&self, apply: &Apply<'_>, declared: &Declared) -> Result<Vec<NotHere>, Problem> {
        let mut not_here = Vec::new();
        for (name, spec) in &declared.entities {
            not_here.extend(apply.object::<Entity>(name, spec).await?);
        }
        for source in &declared.sources {
            not_here.extend(self.dataset(apply, source).await?);
        }
        for (name, spec) in &declared.views {
            not_here.extend(apply.object::<FeatureView>(name, spec).await?);
        }
        for (name, spec) in &declared.services {
            not_here.extend(apply.object::<FeatureService>(name, spec).await?);
        }
        Ok(not_here)
    }

    /// One that somebody else declared is used as it is.
    async fn dataset(&self, apply: &Apply<'_>, source: &FileSource) -> Result<Option<NotHere>, Problem> {
        let known = apply.api::<Dataset>().get_opt(&source.name).await;
        let known = known.map_err(|error| refused("the datasets", &error))?;
        if known.is_some_and(|known| known.labels().get(MANAGED_BY).map(String::as_str) != Some(MANAGER)) {
            return Ok(None);
        }
        match self.spec(source).await {
            Ok(spec) => apply.object::<Dataset>(&source.name, &spec).await,
            Err(why) => Ok(Some(NotHere { kind: "Dataset", name: source.name.clone(), why })),
        }
    }

    async fn spec(&self, source: &FileSource) -> Result<DatasetSpec, String> {
        let path = source.uri.strip_prefix("file://").unwrap_or(&source.uri).to_owned();
        if path.contains("://") {
            return Err(format!("its source {} is not a file below a folder that the platform may read", source.uri));
        }
        let (roots, of) = (self.source_roots.clone(), path.clone());
        let columns = tokio::task::spawn_blocking(move || bedplate_query::columns(Path::new(&of), &roots)).await;
        let columns = columns.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        // Only a time may be a dataset's time column.
        let is_time = |name: &String| {
            columns.iter().any(|column| column.name == *name && column.type_ == bedplate_kinds::ColumnType::Timestamp)
        };
        Ok(DatasetSpec {
            owner: source.owner.clone(),
            description: source.description.clone(),
            classification: bedplate_kinds::Classification::default(),
            tags: Default::default(),
            source: DatasetSource::at(path),
            time_column: source.time_column.clone().filter(is_time),
            schema: columns,
            partition_by: Vec::new(),
            constraints: Vec::new(),
            suite: None,
            terms: Vec::new(),
            retention: None,
            column_masks: Vec::new(),
            row_filters: Vec::new(),
        })
    }
}

/// Writes as the caller.
struct Apply<'a> {
    client: Client,
    namespace: &'a str,
    registry: &'a str,
}

impl Apply<'_> {
    fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// What the rules of the kind refuse, or somebody else has declared, is told; whoever may not write at all is refused.
    async fn object<K>(&self, name: &str, spec: &impl Serialize) -> Result<Option<NotHere>, Problem>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let kind = K::kind(&()).into_owned();
        let object = json!({ "apiVersion": K::api_version(&()), "kind": kind, "spec": spec,
            "metadata": { "name": name, "labels": { MANAGED_BY: MANAGER }, "annotations": { REGISTRY: self.registry } } });
        match self.api::<K>().patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&object)).await {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 409 | 422) => {
                Ok(Some(NotHere { kind: told::known(&kind), name: name.to_owned(), why: status.message.clone() }))
            }
            Err(error) => Err(refused(&format!("{} {}/{name}", kind.to_lowercase(), self.namespace), &error)),
        }
    }

    /// What an earlier state of the registry declared. What is not here any more for another reason stays: it was told.
    async fn remove_what_is_gone(&self, declared: &Declared) -> Result<(), Problem> {
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<HashSet<_>>();
        self.remove::<FeatureService>(&names(declared.services.iter().map(|one| &one.0).collect())).await?;
        self.remove::<FeatureView>(&names(declared.views.iter().map(|one| &one.0).collect())).await?;
        self.remove::<Dataset>(&names(declared.sources.iter().map(|one| &one.name).collect())).await?;
        self.remove::<Entity>(&names(declared.entities.iter().map(|one| &one.0).collect())).await
    }

    async fn remove<K>(&self, kept: &HashSet<String>) -> Result<(), Problem>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let (api, ours) = (self.api::<K>(), ListParams::default().labels(&format!("{MANAGED_BY}={MANAGER}")));
        let of = |error: kube::Error| refused(&format!("what the registry {} declared", self.registry), &error);
        for object in api.list(&ours).await.map_err(of)?.items {
            let is_of_this = object.annotations().get(REGISTRY).is_some_and(|key| key == self.registry);
            if is_of_this && !kept.contains(&object.name_any()) {
                match api.delete(&object.name_any(), &DeleteParams::default()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    other => drop(other.map_err(of)?),
                }
            }
        }
        Ok(())
    }
}

fn refused(what: &str, error: &kube::Error) -> Problem {
    let kube::Error::Api(status) = error else {
        return Problem::new(ErrorKind::Internal, what, error.to_string());
    };
    let kind = match status.code {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 | 503 => ErrorKind::Busy,
        400 | 422 => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    };
    Problem::new(kind, what, status.message.clone())
}
