//! kube-rs, with the router for a network.

use std::sync::Arc;
use std::time::Duration;

use bedplate_kinds::{Dataset, DatasetStatus, Phase};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Event as CoreEvent, Namespace};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use crate::support::{House, dataset};

fn client(house: &House) -> Client {
    Client::new(house.admin.clone(), "default")
}

fn a_dataset(name: &str) -> Dataset {
    serde_json::from_value(dataset(name)).unwrap()
}

#[tokio::test]
async fn the_typed_client_does_what_it_does_with_kubernetes() {
    let house = House::new();
    let datasets: Api<Dataset> = Api::default_namespaced(client(&house));
    let made = datasets.create(&PostParams::default(), &a_dataset("a")).await.unwrap();
    let mut changed = made.clone();
    changed.spec.owner = "team-b".into();
    let changed = datasets.replace("a", &PostParams::default(), &changed).await.unwrap();
    assert_eq!(changed.metadata.generation, Some(2));
    let stale = datasets.replace("a", &PostParams::default(), &made).await.unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.code == 409));
    let status = json!({"status": {"phase": "Ready", "rows": 12}});
    datasets.patch_status("a", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
    let mut applied = a_dataset("a");
    applied.metadata.managed_fields = None;
    applied.spec.owner = "team-c".into();
    let params = PatchParams::apply("test").force();
    let applied = datasets.patch("a", &params, &Patch::Apply(&applied)).await.unwrap();
    assert_eq!((applied.spec.owner.as_str(), applied.status.unwrap().rows), ("team-c", 12));
    assert_eq!(datasets.list(&ListParams::default().limit(1)).await.unwrap().items.len(), 1);
    assert!(datasets.delete("a", &DeleteParams::default()).await.unwrap().is_right());
    assert!(datasets.get_opt("a").await.unwrap().is_none());
    let namespaces: Api<Namespace> = Api::all(client(&house));
    assert_eq!(namespaces.get("default").await.unwrap().status.unwrap().phase.as_deref(), Some("Active"));
}

#[tokio::test]
async fn a_controller_reconciles_until_the_status_says_ready() {
    let house = House::new();
    let datasets: Api<Dataset> = Api::default_namespaced(client(&house));
    let controller = Controller::new(datasets.clone(), watcher::Config::default());
    let running = tokio::spawn(
        controller
            .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(1)), Arc::new(datasets.clone()))
            .for_each(|result| async {
                result.unwrap();
            }),
    );
    for name in ["a", "b"] {
        datasets.create(&PostParams::default(), &a_dataset(name)).await.unwrap();
    }
    let ready = async {
        loop {
            let all = datasets.list(&ListParams::default()).await.unwrap();
            if all.iter().all(|one| one.status.as_ref().is_some_and(|status| status.phase == Phase::Ready)) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(20), ready).await.unwrap();
    assert_eq!(all.items.len(), 2);
    running.abort();
}

async fn reconcile(dataset: Arc<Dataset>, datasets: Arc<Api<Dataset>>) -> Result<Action, kube::Error> {
    let status = DatasetStatus { phase: Phase::Ready, rows: 1, ..DatasetStatus::default() };
    let patch = json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "status": status});
    datasets.patch_status(&dataset.name_any(), &PatchParams::apply("test").force(), &Patch::Apply(&patch)).await?;
    Ok(Action::await_change())
}

#[tokio::test]
async fn the_streaming_list_of_the_watcher_works() {
    let house = House::new();
    let datasets: Api<Dataset> = Api::default_namespaced(client(&house));
    datasets.create(&PostParams::default(), &a_dataset("a")).await.unwrap();
    let config = watcher::Config::default().streaming_lists();
    let mut objects = Box::pin(watcher(datasets, config).applied_objects());
    let first = tokio::time::timeout(Duration::from_secs(10), objects.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.name_any(), "a");
}

#[tokio::test]
async fn recorded_events_are_found_in_the_core_group() {
    let house = House::new();
    let datasets: Api<Dataset> = Api::default_namespaced(client(&house));
    let made = datasets.create(&PostParams::default(), &a_dataset("a")).await.unwrap();
    let recorder = Recorder::new(client(&house), Reporter::from("test-controller"));
    let event = Event {
        type_: EventType::Warning,
        reason: "Quarantined".into(),
        note: Some("4 rows were quarantined".into()),
        action: "Ingest".into(),
        secondary: None,
    };
    for _ in 0..2 {
        recorder.publish(&event, &made.object_ref(&())).await.unwrap();
    }
    let events: Api<CoreEvent> = Api::default_namespaced(client(&house));
    let of_a = ListParams::default().fields("involvedObject.name=a,involvedObject.kind=Dataset");
    let found = events.list(&of_a).await.unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message.as_deref(), Some("4 rows were quarantined"));
    assert_eq!(found[0].series.as_ref().unwrap().count, Some(2));
}
