"""Declares three views in Feast and writes their rows into Redis: `peer.py REPOSITORY REDIS_PORT ENTITIES`."""

import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.types import Float64, Int64
from feast.value_type import ValueType

REPOSITORY, PORT, ENTITIES = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(REPOSITORY / "feature_store.yaml").write_text(
    f"""
project: bench
provider: local
registry: {REPOSITORY}/registry.db
online_store:
  type: redis
  connection_string: 127.0.0.1:{PORT}
offline_store:
  type: file
entity_key_serialization_version: 3
"""
)
store, views = FeatureStore(repo_path=str(REPOSITORY)), []
for name, key, features in [("items", "item_id", 6), ("users", "user_id", 8), ("shops", "shop_id", 4)]:
    frame = pd.DataFrame({key: range(ENTITIES), "event_timestamp": datetime.now(timezone.utc)})
    for feature in range(features):
        frame[f"{name}_f{feature}"] = (frame[key] * 31 + feature) / 7.0
    frame.to_parquet(REPOSITORY / f"{name}.parquet")
    entity = Entity(name=name, join_keys=[key], value_type=ValueType.INT64)
    schema = [Field(name=key, dtype=Int64)] + [Field(name=f"{name}_f{i}", dtype=Float64) for i in range(features)]
    source = FileSource(path=str(REPOSITORY / f"{name}.parquet"), timestamp_field="event_timestamp")
    view = FeatureView(name=name, entities=[entity], ttl=timedelta(days=3650), schema=schema, source=source)
    store.apply([entity, view])
    views.append(view)
store.apply([FeatureService(name="all", features=views)])
now, before = datetime.now(timezone.utc), time.process_time()
store.materialize(now - timedelta(days=1), now + timedelta(hours=1))
print(f"rows a CPU second: {3 * ENTITIES / (time.process_time() - before)}")
