"""The client people use from Python, against a server that is up. Arguments: its address, a token, a folder."""

import pathlib
import sys
import threading
import time

import kubernetes
from kubernetes import client, dynamic, watch

address, token, home = sys.argv[1:]
config = client.Configuration()
config.host = f"http://{address}"
config.api_key["authorization"] = "Bearer " + token
api = client.ApiClient(config)
core = client.CoreV1Api(api)


def config_map(name, owner=None):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, owner_references=owner and [owner]), data={"k": "v"})


def names(listed):
    return [one.metadata.name for one in listed.items]


def refused(status, call):
    try:
        call()
    except client.ApiException as error:
        assert error.status == status, error
        return error
    raise AssertionError(f"no {status}")


def typed():
    for name in ["a", "b", "c"]:
        core.create_namespaced_config_map("default", config_map(name))
    first = core.list_namespaced_config_map("default", limit=1)
    assert first.metadata.remaining_item_count == 2, first.metadata
    core.delete_namespaced_config_map("c", "default")
    rest = core.list_namespaced_config_map("default", limit=5, _continue=first.metadata._continue)
    assert names(first) + names(rest) == ["a", "b", "c"], "the pages are of one list"
    assert names(core.list_namespaced_config_map("default")) == ["a", "b"]
    definitions = client.ApiextensionsV1Api(api).list_custom_resource_definition()
    assert "datasets.bedplate.dev" in names(definitions)
    me = client.AuthenticationV1Api(api).create_self_subject_review(client.V1SelfSubjectReview())
    assert me.status.user_info.username == "user:admin", me
    rules = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace="default"))
    rules = client.AuthorizationV1Api(api).create_self_subject_rules_review(rules)
    assert any("datasets" in rule.resources for rule in rules.status.resource_rules)
    lease = client.V1Lease(metadata=client.V1ObjectMeta(name="l"), spec=client.V1LeaseSpec(holder_identity="me"))
    client.CoordinationV1Api(api).create_namespaced_lease("default", lease)


def with_dynamic_client():
    found = dynamic.DynamicClient(api, cache_file=str(pathlib.Path(home) / "discovery.json"))
    datasets = found.resources.get(api_version="bedplate.dev/v1alpha1", kind="Dataset")
    body = {
        "apiVersion": "bedplate.dev/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": "d"},
        "spec": {"owner": "red", "source": {"path": "x.parquet"}, "schema": [{"name": "id", "type": "int64"}]},
    }
    made = datasets.create(body=body, namespace="default")
    merge = "application/merge-patch+json"
    datasets.patch(body={"metadata": {"name": "d"}, "spec": {"owner": "blue"}}, namespace="default", content_type=merge)
    assert datasets.get(name="d", namespace="default").spec.owner == "blue"
    assert names(datasets.get(namespace="default", field_selector="spec.owner=blue")) == ["d"]
    assert names(datasets.get(namespace="default", field_selector="spec.owner=red")) == []
    datasets.delete(name="d", namespace="default")
    seen = datasets.watch(namespace="default", resource_version=made.metadata.resourceVersion, timeout=1)
    assert [event["type"] for event in seen] == ["MODIFIED", "DELETED"]


def write_slowly():
    for name in ["w0", "w1", "w2"]:
        time.sleep(0.3)
        core.create_namespaced_config_map("default", config_map(name))


def with_watch():
    version = core.list_namespaced_config_map("default").metadata.resource_version
    writer = threading.Thread(target=write_slowly)
    writer.start()
    seen, watcher = [], watch.Watch()
    # Every stream lasts a second at most; the next goes on where it ended.
    while len(seen) < 3:
        listing = core.list_namespaced_config_map
        for event in watcher.stream(listing, "default", resource_version=version, timeout_seconds=1):
            seen.append((event["type"], event["object"].metadata.name))
            version = event["object"].metadata.resource_version
    writer.join()
    assert seen == [("ADDED", "w0"), ("ADDED", "w1"), ("ADDED", "w2")], seen


def expired():
    future = {"resource_version": "1000000", "resource_version_match": "NotOlderThan"}
    refused(504, lambda: core.list_namespaced_config_map("default", **future))
    refused(422, lambda: core.list_namespaced_config_map("default", resource_version_match="Exact"))


def cascade():
    for policy, left in [("Foreground", False), ("Orphan", True)]:
        made = core.create_namespaced_config_map("default", config_map("owner"))
        reference = client.V1OwnerReference(
            api_version="v1", kind="ConfigMap", name="owner", uid=made.metadata.uid, block_owner_deletion=True
        )
        core.create_namespaced_config_map("default", config_map("child", reference))
        core.delete_namespaced_config_map("owner", "default", body=client.V1DeleteOptions(propagation_policy=policy))
        assert ("child" in names(core.list_namespaced_config_map("default"))) == left, policy


print("kubernetes", kubernetes.__version__)
for name, step in {
    "typed": typed,
    "dynamic": with_dynamic_client,
    "watch": with_watch,
    "expired": expired,
    "cascade": cascade,
}.items():
    step()
    print(name, flush=True)
