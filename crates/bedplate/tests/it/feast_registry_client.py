"""Feast's own command line and client with its registry in a bucket of the platform.

usage: feast_registry_client.py STEP FOLDER URL_WITH_TOKEN; the S3 endpoint and its key are in the environment. Prints one JSON
object. STEP is `apply` (everything), `less` (without the second view and the service), or `read`.
"""

import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pandas as pd

STEP, FOLDER, URL = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
REPO = FOLDER / "repo"

STORE = f"""
project: drivers
provider: local
registry: s3://drivers/feast/registry.db
online_store:
  type: remote
  path: {URL}
offline_store:
  type: file
entity_key_serialization_version: 3
"""

DEFINITIONS = f"""
from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String

driver = Entity(name="driver", join_keys=["driver_id"], description="Somebody who drives.")
trips = FileSource(
    name="trip_rows", path="{FOLDER}/trips.parquet", timestamp_field="at", created_timestamp_column="made"
)
pushed = PushSource(name="trip_pushes", batch_source=trips)
elsewhere = FileSource(name="elsewhere", path="/etc/elsewhere.parquet", timestamp_field="at")
schema = [Field(name="driver_id", dtype=Int64), Field(name="trips", dtype=Int64), Field(name="rating", dtype=Float64)]
driver_stats = FeatureView(name="driver_stats", entities=[driver], ttl=timedelta(days=3650), schema=schema, source=pushed, owner="dispatch")
"""

MORE = """
ratings = FeatureView(
    name="driver_ratings",
    entities=[driver],
    ttl=timedelta(days=0),
    schema=[Field(name="driver_id", dtype=Int64), Field(name="rating", dtype=Float64), Field(name="remark", dtype=String)],
    source=trips,
)
outside = FeatureView(
    name="outside_stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[Field(name="driver_id", dtype=Int64), Field(name="n", dtype=Int64)],
    source=elsewhere,
)


@on_demand_feature_view(sources=[driver_stats], schema=[Field(name="double", dtype=Float64)])
def by_hand(inputs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"double": inputs["rating"] * 2})


quality = FeatureService(name="driver_quality", features=[driver_stats[["rating"]], ratings, by_hand])
"""


def applied(more):
    REPO.mkdir(exist_ok=True)
    (REPO / "feature_store.yaml").write_text(STORE)
    (REPO / "definitions.py").write_text(DEFINITIONS + (MORE if more else ""))
    if not (FOLDER / "trips.parquet").exists():
        at = pd.Timestamp(datetime.now(timezone.utc) - timedelta(hours=1)).floor("s")
        rows = {"driver_id": [1, 2], "at": [at, at], "made": [at, at], "trips": [12, 3], "rating": [4.75, None], "remark": ["good", None]}
        pd.DataFrame(rows).to_parquet(FOLDER / "trips.parquet")
    feast = Path(sys.executable).parent / "feast"
    ran = subprocess.run([feast, "apply", "--skip-source-validation"], cwd=REPO, capture_output=True, text=True)
    return {"code": ran.returncode, "out": ran.stdout[-2000:], "err": ran.stderr[-4000:]}


def read():
    from feast import FeatureStore

    store = FeatureStore(repo_path=str(REPO))

    def get():
        entities = [{"driver_id": 1}, {"driver_id": 2}]
        features = ["driver_stats:trips", "driver_stats:rating"]
        return store.get_online_features(features=features, entity_rows=entities).to_dict()

    def corrected(trips, hours):
        rows = pd.read_parquet(FOLDER / "trips.parquet").drop(columns="remark").head(1)
        rows = rows.assign(trips=trips, made=rows["made"] + timedelta(hours=hours))
        store.write_to_online_store("driver_stats", df=rows)
        return get()["trips"]

    return {
        "read": get(),
        "corrected": [corrected(99, -1), corrected(11, 1), corrected(77, 0)],
        "views": sorted(view.name for view in store.list_feature_views()),
        "python": [view.name for view in store.list_on_demand_feature_views()],
    }


def blob():
    got = boto3.client("s3", endpoint_url=os.environ["FEAST_S3_ENDPOINT_URL"]).get_object(
        Bucket="drivers", Key="feast/registry.db"
    )
    body = got["Body"].read()
    return {"is_whole": got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', "has_python": b"by_hand" in body}


told = read() if STEP == "read" else applied(STEP == "apply")
told["blob"] = blob()
print(json.dumps(told))
