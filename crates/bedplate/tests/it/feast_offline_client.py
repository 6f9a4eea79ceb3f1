"""Feast's own client, unchanged, on the platform as its remote offline store: features as they were known, against Feast's
own file store on the same file, and against a loop over all rows.

usage: feast_offline_client.py HOST PORT CONTROL_URL TRIPS.parquet FOLDER, tokens in BEDPLATE_ROBOT, …; prints one JSON object.
"""

import json
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.flight
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.errors import FeastError
from feast.infra.offline_stores.remote import _call_exchange, build_arrow_flight_client
from feast.types import Float64, Int64

HOST, PORT, URL, TRIPS, FOLDER = sys.argv[1:]
TTL = timedelta(hours=6)


def feature_store(name, auth, offline=None):
    folder = Path(FOLDER) / name
    folder.mkdir()
    offline = offline or f"{{type: remote, host: {HOST}, port: {PORT}}}"
    (folder / "feature_store.yaml").write_text(
        f"""
project: drivers
provider: local
registry: {folder}/registry.db
online_store: {{type: remote, path: {URL}}}
offline_store: {offline}
auth: {auth}
entity_key_serialization_version: 3
"""
    )
    store = FeatureStore(repo_path=str(folder))
    store.apply(declared())
    return store


def declared():
    driver = Entity(name="driver", join_keys=["driver_id"])
    source = FileSource(name="trips", path=TRIPS, timestamp_field="at")
    view = FeatureView(
        name="driver_stats",
        entities=[driver],
        ttl=TTL,
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="trips", dtype=Int64),
            Field(name="rating", dtype=Float64),
            Field(name="tip", dtype=Float64),
            Field(name="ghost", dtype=Float64),
        ],
        source=source,
    )
    ghost = FeatureView(
        name="ghost",
        entities=[driver],
        ttl=TTL,
        schema=[Field(name="driver_id", dtype=Int64), Field(name="x", dtype=Float64)],
        source=FileSource(name="nil", path=TRIPS, timestamp_field="at"),
    )
    service = FeatureService(name="quality", features=[view[["rating", "trips"]]])
    return [driver, source, view, ghost, service]


def label_rows():
    """Moments around each row's own, the edges of its time to live, and drivers that nobody knows."""
    trips = pd.read_parquet(TRIPS)
    steps = ["-1us", "0s", "1us", "3h", "6h", "360min 1us"]
    rows = []
    for number, (driver, at) in enumerate(zip(trips.driver_id, trips["at"])):
        rows.append({"driver_id": driver, "event_timestamp": at + pd.Timedelta(steps[number % len(steps)])})
        if number % 4 == 0:
            rows.append({"driver_id": 100 + driver, "event_timestamp": at})
    frame = pd.DataFrame(rows)
    frame["n"] = range(len(frame))
    # In no order of time.
    return frame.sample(frac=1, random_state=7).reset_index(drop=True)


def by_loop(frame, column):
    """The rules, spelled out: of the rows known by then and no older than the time to live, the latest."""
    trips = pd.read_parquet(TRIPS).sort_values("at", kind="stable")
    values = []
    for driver, moment in zip(frame.driver_id, frame.event_timestamp):
        known = trips[(trips.driver_id == driver) & (trips["at"] <= moment) & (trips["at"] >= moment - TTL)]
        values.append(plain(known[column].iloc[-1]) if len(known) else None)
    return values


def plain(value):
    return None if pd.isna(value) else float(value)


def values(frame, column):
    return [plain(value) for value in frame[column]]


def failure(ask):
    try:
        ask()
    except (FeastError, pyarrow.ArrowException) as error:
        return [type(error).__name__, str(error)]
    return ["nothing", ""]


def token(name):
    return f"{{type: oidc, token_env_var: BEDPLATE_{name.upper()}}}"


store = feature_store("robot", token("robot"))
refs = ["driver_stats:trips", "driver_stats:rating"]
labels = label_rows()
told = {}

joined = store.get_historical_features(entity_df=labels, features=refs).to_df()
told["columns"] = list(joined.columns)
told["order"] = list(joined["n"]) == list(labels["n"]) and list(joined.driver_id) == list(labels.driver_id)
told["zone"] = str(joined.event_timestamp.dtype.tz)
told["moments"] = list(joined.event_timestamp) == list(labels.event_timestamp)
for column in ["trips", "rating"]:
    told[column] = {"got": values(joined, column), "loop": by_loop(labels, column)}

# Feast's own store, on the same file. It leaves out rows, and gives none for others: where it gives a value, it is ours.
file = feature_store("file", "{type: no_auth}", "{type: file}")
theirs = file.get_historical_features(entity_df=labels, features=refs).to_df().set_index("n")
both = joined.set_index("n").join(theirs[["trips", "rating"]], rsuffix="_theirs")
present = both[both.trips_theirs.notna()]
told["feast"] = {
    "compared": len(present),
    "differ": int((present.trips != present.trips_theirs).sum())
    + sum(plain(a) != plain(b) for a, b in zip(present.rating, present.rating_theirs)),
}

few = labels.head(3)
full = store.get_historical_features(entity_df=few, features=refs, full_feature_names=True).to_df()
told["full"] = list(full.columns)
service = store.get_feature_service("quality")
by_service = store.get_historical_features(entity_df=labels, features=service).to_df()
told["service"] = [list(by_service.columns), values(by_service, "rating") == values(joined, "rating")]

# Moments without a zone are UTC; so is text.
naive = labels.assign(event_timestamp=labels.event_timestamp.dt.tz_localize(None))
told["naive"] = values(store.get_historical_features(entity_df=naive, features=refs).to_df(), "trips")
text = labels.assign(event_timestamp=[moment.isoformat(timespec="microseconds") for moment in labels.event_timestamp])
told["text"] = values(store.get_historical_features(entity_df=text, features=refs).to_df(), "trips")
berlin = labels.assign(event_timestamp=labels.event_timestamp.dt.tz_convert("Europe/Berlin"))
told["berlin"] = values(store.get_historical_features(entity_df=berlin, features=refs).to_df(), "trips")

sql = "SELECT driver_id, at AS event_timestamp, trips AS own FROM trips ORDER BY driver_id, at"
by_sql = store.get_historical_features(entity_df=sql, features=["driver_stats:trips"]).to_df()
told["sql"] = [len(by_sql), int((by_sql.own != by_sql.trips).sum())]

# More than is held in memory, in one message.
many = 300_000
wide = pd.DataFrame(
    {
        "driver_id": [number % 5 for number in range(many)],
        "event_timestamp": labels.event_timestamp.max(),
        "note": ["x" * 100] * many,
        "n": range(many),
    }
)
large = store.get_historical_features(entity_df=wide, features=["driver_stats:trips"]).to_arrow()
told["large"] = [large.num_rows, large.column("n").to_pylist() == list(range(many))]
none = store.get_historical_features(entity_df=labels.head(0), features=refs).to_df()
told["none"] = [len(none), list(none.columns)]

# What is masked is not there, and is for whoever may see it.
tips = lambda store: values(store.get_historical_features(entity_df=labels, features=["driver_stats:tip"]).to_df(), "tip")
auditor = feature_store("auditor", "{type: kubernetes, user_token: " + os.environ["BEDPLATE_AUDITOR"] + "}")
told["tips"] = {"robot": tips(store), "auditor": tips(auditor), "loop": by_loop(labels, "tip")}



def as_sent(frame):
    """By the client's own call, without what it looks at before."""
    offline = store.config.offline_store
    client = build_arrow_flight_client("http", offline.host, offline.port, store.config.auth_config)
    asked = {"feature_view_names": ["driver_stats"], "name_aliases": [None], "feature_refs": refs}
    asked |= {"project": "drivers", "full_feature_names": False}
    return _call_exchange("get_historical_features", asked, client, frame, None)


history = lambda store, **asked: lambda: store.get_historical_features(**{"entity_df": few, "features": refs, **asked}).to_df()
viewer, stranger = feature_store("viewer", token("viewer")), feature_store("stranger", token("stranger"))
told["refused"] = {
    "no_view": failure(history(store, features=["ghost:x"])),
    "no_feature": failure(history(store, features=["driver_stats:ghost"])),
    "viewer": failure(history(viewer)),
    "stranger": failure(history(stranger)),
    "no_key": failure(history(store, entity_df=few.drop(columns=["driver_id"]))),
    "no_table": failure(history(store, entity_df="SELECT * FROM nowhere")),
    "no_rows": failure(history(store, entity_df=None, end_date=datetime.now(timezone.utc))),
    "collision": failure(history(store, entity_df=few.assign(trips=1))),
    "text": failure(lambda: as_sent(few.assign(event_timestamp="soon"))),
    "not_sql": failure(history(store, entity_df="DROP TABLE trips")),
    "viewer_sql": failure(history(viewer, entity_df=sql)),
    "unknown": failure(history(feature_store("unknown", "{type: oidc, token: bp_" + "x" * 43 + "}"))),
    "nobody": failure(history(feature_store("nobody", "{type: no_auth}"))),
}



def packed():
    """What Feast's client never sends: compressed, it could become any size."""
    bearer = b"Bearer " + os.environ["BEDPLATE_ROBOT"].encode()
    options = pyarrow.flight.FlightCallOptions(headers=[(b"authorization", bearer)])
    command = {"api": "get_historical_features", "feature_view_names": ["driver_stats"], "name_aliases": [None]}
    command |= {"feature_refs": refs, "project": "drivers", "full_feature_names": False}
    descriptor = pyarrow.flight.FlightDescriptor.for_command(json.dumps(command))
    writer, reader = pyarrow.flight.connect(f"grpc://{HOST}:{PORT}").do_exchange(descriptor, options)
    table = pyarrow.Table.from_pandas(labels)
    writer.begin(table.schema, options=pyarrow.ipc.IpcWriteOptions(compression="zstd"))
    writer.write_table(table)
    writer.done_writing()
    reader.read_all()


told["refused"]["packed"] = failure(packed)

# The data source itself.
remote, config = store._get_provider().offline_store, store.config
source = store.get_data_source("trips")
start, end = labels.event_timestamp.min().to_pydatetime(), labels.event_timestamp.max().to_pydatetime()
pull = dict(config=config, data_source=source, join_key_columns=["driver_id"], feature_name_columns=["trips", "tip"])
pull |= dict(timestamp_field="at", start_date=start, end_date=end)
everything = remote.pull_all_from_table_or_query(**pull).to_df()
latest = remote.pull_latest_from_table_or_query(created_timestamp_column=None, **pull).to_df()
own = pd.read_parquet(TRIPS)
own = own[(own["at"] >= start) & (own["at"] <= end)]
last = own.sort_values("at").groupby("driver_id").last()
told["pull"] = {
    "columns": list(everything.columns),
    "rows": [len(everything), len(own)],
    "tips": int(everything.tip.notna().sum()),
    "latest": dict(zip((str(key) for key in latest.driver_id), values(latest, "trips"))),
    "own": {str(key): float(value) for key, value in zip(last.index, last.trips)},
}
told["types"] = sorted(remote.get_table_column_names_and_types_from_data_source(config, source))
remote.validate_data_source(config, source)
ghost = store.get_data_source("nil")
told["refused"] |= {
    "no_source": failure(lambda: remote.validate_data_source(config, ghost)),
    "no_columns": failure(lambda: remote.get_table_column_names_and_types_from_data_source(config, ghost)),
    "viewer_pull": failure(lambda: viewer._get_provider().offline_store.pull_all_from_table_or_query(
        **{**pull, "config": viewer.config}).to_df()),
    "write": failure(lambda: store.write_to_offline_store("driver_stats", own)),
}
# The same token opens the online store.
online = store.get_online_features(features=["driver_stats:trips"], entity_rows=[{"driver_id": 1}]).to_dict()
told["online"] = sorted(online)
print(json.dumps(told))
