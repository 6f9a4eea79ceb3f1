//! Starts every controller on one client, and ends them all when the token is cancelled.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use bedplate_kinds::{
    Approval, Budget, ChangeClass, Dataset, Endpoint, Entity, ExpectationSuite, FeatureService, FeatureView,
    GlossaryTerm, Model, Monitor, Phase, Policy, PriceSheet, Quota, RoleBinding, Site, TrainingRecipe, Workload,
};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use kube::core::{NamespaceResourceScope, object::HasStatus};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::core::{PERIOD, Platform};
use crate::hold::Hold;
use crate::standing::Standing;
use crate::{job_token, profiling, verifying};

/// Runs until `platform.cancel` is cancelled.
pub async fn run(platform: Platform) {
    job_token::end_left_behind(&platform).await;
    let all = vec![
        profiling::run(platform.clone()).boxed(),
        verifying::run(platform.clone()).boxed(),
        start::<Entity>(&platform, |c, _, _| c),
        start::<ExpectationSuite>(&platform, |c, _, _| c),
        start::<Dataset>(&platform, |c, s, k| on::<ExpectationSuite, _>(on::<Dataset, _>(c, s, k), s, k)),
        start::<FeatureView>(&platform, |c, s, k| on::<Entity, _>(on::<Dataset, _>(c, s, k), s, k)),
        start::<FeatureService>(&platform, on::<FeatureView, _>),
        start::<TrainingRecipe>(&platform, |c, s, k| {
            let c = on::<FeatureService, _>(on::<Dataset, _>(c, s, k), s, k);
            on::<Model, _>(on::<Workload, _>(c, s, k), s, k)
        }),
        start::<Workload>(&platform, |c, s, k| on::<Endpoint, _>(on::<TrainingRecipe, _>(c, s, k), s, k)),
        start::<Model>(&platform, |c, _, _| c),
        start::<Endpoint>(&platform, |c, s, k| on::<FeatureView, _>(on::<Model, _>(c, s, k), s, k)),
        start::<Monitor>(&platform, on::<TrainingRecipe, _>),
        start::<GlossaryTerm>(&platform, |c, _, _| c),
        start::<RoleBinding>(&platform, |c, _, _| c),
        start::<Policy>(&platform, |c, _, _| c),
        start::<Site>(&platform, |c, _, _| c),
        start::<ChangeClass>(&platform, |c, _, _| c),
        start::<Approval>(&platform, |c, _, _| c),
        start::<Budget>(&platform, |c, _, _| c),
        start::<Quota>(&platform, |c, _, _| c),
        start::<PriceSheet>(&platform, |c, _, _| c),
    ];
    futures::future::join_all(all).await;
}

/// A kind that can be reconciled.
pub trait Reconcile:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: Standing + Send + Sync>
    + Clone
    + DeserializeOwned
    + Debug
    + Send
    + Sync
    + 'static
{
    /// False when others write parts of the status: then only phase and Ready condition are written here.
    const OWNS_STATUS: bool = true;
    /// Fields of the status that others write.
    const OF_OTHERS: &'static [&'static str] = &[];

    /// How long nothing need be done once all is done.
    fn looked_at_every(&self) -> std::time::Duration {
        PERIOD
    }

    /// Brings the world to what the object says, and the status to what the world is.
    fn bring(
        platform: &Arc<Platform>,
        object: &Arc<Self>,
        status: &mut Self::Status,
    ) -> impl Future<Output = Result<Phase, Hold>> + Send;
}

/// The watch's copy may be older than our own last write, and work done on it would be done twice: read it again.
async fn reconcile<K: Reconcile>(seen: Arc<K>, platform: Arc<Platform>) -> Result<Action, kube::Error> {
    let api = platform.api::<K>(&seen.namespace().unwrap_or_default());
    let Some(object) = api.get_opt(&seen.name_any()).await?.map(Arc::new) else { return Ok(Action::await_change()) };
    let mut status = object.status().cloned().unwrap_or_default();
    let outcome = K::bring(&platform, &object, &mut status).await;
    platform.settle(&*object, status, outcome).await
}

type Wired<K> = fn(Controller<K>, &Store<K>, &Client) -> Controller<K>;

fn start<K>(platform: &Platform, wire: Wired<K>) -> BoxFuture<'static, ()>
where
    K: Reconcile,
    K::DynamicType: Hash + Eq + Default + Clone + Debug + Unpin,
{
    let client = platform.client.clone();
    let controller = Controller::new(Api::<K>::all(client.clone()), watching());
    let store = controller.store();
    let cancel = platform.cancel.clone();
    let early = ended_early(store.clone(), cancel.clone());
    let run = wire(controller, &store, &client)
        .graceful_shutdown_on(async move { cancel.cancelled().await })
        .run(reconcile::<K>, retry, Arc::new(platform.clone()))
        .for_each(|done| async move {
            if let Err(error) = done {
                tracing::debug!(kind = %K::kind(&()), %error, "reconcile ended with an error and will be tried again");
            }
        });
    async move {
        tokio::select! { () = run => {}, () = early => {} }
    }
    .boxed()
}

/// Ends once it is cancelled before the objects were listed: nothing is being reconciled then, and a controller whose watch has
/// ended would wait for them for ever.
async fn ended_early<K>(store: Store<K>, cancel: CancellationToken)
where
    K: Resource + Clone + 'static,
    K::DynamicType: Hash + Eq + Clone,
{
    cancel.cancelled().await;
    if store.wait_until_ready().now_or_never().is_some() {
        std::future::pending().await
    }
}

/// Wakes every `K` of the namespace when a `U` in it changes: a reconcile that has nothing to do is cheap.
fn on<U, K>(controller: Controller<K>, store: &Store<K>, client: &Client) -> Controller<K>
where
    U: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static,
    K: Reconcile,
{
    let store = store.clone();
    controller.watches(Api::<U>::all(client.clone()), watching(), move |upstream: U| {
        let namespace = upstream.namespace();
        let same = move |object: &Arc<K>| object.namespace() == namespace;
        store.state().into_iter().filter(same).map(|object| ObjectRef::from_obj(object.as_ref())).collect::<Vec<_>>()
    })
}

fn watching() -> watcher::Config {
    watcher::Config::default().any_semantic()
}

fn retry<K: Resource<DynamicType = ()>>(object: Arc<K>, error: &kube::Error, _: Arc<Platform>) -> Action {
    let conflict = matches!(error, kube::Error::Api(status) if status.code == 409);
    if !conflict {
        let name = object.meta().name.as_deref().unwrap_or_default();
        tracing::warn!(kind = %K::kind(&()), name, %error, "the API server refused a controller");
    }
    Action::requeue(std::time::Duration::from_millis(if conflict { 100 } else { 2_000 }))
}
