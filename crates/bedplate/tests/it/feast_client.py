"""Feast's own client against the platform: reads, a write into a view, a push over its path, and its exceptions.

usage: feast_client.py URL_WITH_TOKEN FOLDER; prints one JSON object.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import requests
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.errors import FeastError
from feast.types import Float64, Int64

URL, FOLDER = sys.argv[1], Path(sys.argv[2])


def feature_store():
    (FOLDER / "feature_store.yaml").write_text(
        f"""
project: drivers
provider: local
registry: {FOLDER}/registry.db
online_store:
  type: remote
  path: {URL}
offline_store:
  type: file
entity_key_serialization_version: 3
"""
    )
    return FeatureStore(repo_path=str(FOLDER))


def declared():
    """What the platform has, as Feast's client wants to know it before it writes."""
    pd.DataFrame(
        {"driver_id": [1], "trips": [1], "rating": [1.0], "event_timestamp": [datetime.now(timezone.utc)]}
    ).to_parquet(FOLDER / "source.parquet")
    driver = Entity(name="driver", join_keys=["driver_id"])
    view = FeatureView(
        name="driver_stats",
        entities=[driver],
        ttl=timedelta(days=3650),
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="trips", dtype=Float64),
            Field(name="rating", dtype=Float64),
        ],
        source=FileSource(path=str(FOLDER / "source.parquet"), timestamp_field="event_timestamp"),
    )
    return driver, view, FeatureService(name="quality", features=[view])


def failure(ask):
    try:
        ask()
    except FeastError as error:
        return [type(error).__name__, str(error)]
    return ["nothing", ""]


store = feature_store()
told = {}
drivers = [{"driver_id": 1}, {"driver_id": 2}, {"driver_id": 9}]
refs = ["driver_stats:trips", "driver_stats:rating"]
# With a registry that knows nothing yet.
told["read"] = store.get_online_features(features=refs, entity_rows=drivers).to_dict()
told["full"] = store.get_online_features(features=refs, entity_rows=drivers[:1], full_feature_names=True).to_dict()
told["statuses"] = [
    [str(status) for status in result.statuses]
    for result in store.get_online_features(features=refs, entity_rows=drivers).proto.results
]
told["no_view"] = failure(lambda: store.get_online_features(features=["nil:x"], entity_rows=drivers))
told["no_feature"] = failure(lambda: store.get_online_features(features=["driver_stats:x"], entity_rows=drivers))

driver, view, service = declared()
store.apply([driver, view, service])
told["service"] = store.get_online_features(features=service, entity_rows=drivers[:1]).to_dict()
now = datetime.now(timezone.utc)
store.write_to_online_store(
    "driver_stats",
    pd.DataFrame({"driver_id": [9], "trips": [7.0], "rating": [4.5], "event_timestamp": [now]}),
)
told["written"] = store.get_online_features(features=refs, entity_rows=drivers[2:]).to_dict()
push = {
    "push_source_name": "trips",
    "df": {"driver_id": [2], "trips": [8], "rating": [None], "at": [now.isoformat()]},
    "to": "online",
}
told["push"] = requests.post(f"{URL}/push", json=push, timeout=10).status_code
told["pushed"] = store.get_online_features(features=refs, entity_rows=drivers[1:2]).to_dict()
told["health"] = requests.get(f"{URL}/health", timeout=10).status_code
print(json.dumps(told))
