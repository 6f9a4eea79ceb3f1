"""What a user of openlineage-python does. Arguments: url, token. Prints one JSON object."""

import gzip
import json
import sys
import urllib.request
from datetime import datetime, timedelta, timezone

import attr
import requests
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Dataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import RunFacet, schema_dataset
from openlineage.client.serde import Serde
from openlineage.client.transport.http import HttpConfig, HttpTransport

URL, TOKEN = sys.argv[1:]
RUN = "0192f2e4-7a5b-7000-8000-0000000000aa"
FAILED = "0192f2e4-7a5b-7000-8000-0000000000bb"
START = datetime(2024, 5, 1, 10, tzinfo=timezone.utc)


@attr.define
class Odd(RunFacet):
    text: str = "ä\u2028 \"quoted\" \\ \x07"
    number: float = 0.1
    big: int = 2**70
    nested: dict = attr.field(factory=lambda: {"z": [1, {"a": None}], "a": []})


def client(token):
    config = HttpConfig.from_dict(
        {"type": "http", "url": URL, "auth": {"type": "api_key", "apiKey": token}, "compression": "gzip", "retry": {"total": 0}}
    )
    return OpenLineageClient(transport=HttpTransport(config))


def event(state, run, seconds):
    fields = [schema_dataset.SchemaDatasetFacetFields(name="tail", type="VARCHAR")]
    return RunEvent(
        eventType=state,
        eventTime=(START + timedelta(seconds=seconds)).isoformat(),
        run=Run(runId=run, facets={"odd": Odd()}),
        job=Job(namespace="flights", name="load"),
        producer="https://test.example/1",
        inputs=[Dataset(namespace="flights", name="raw")],
        outputs=[OutputDataset(namespace="flights", name="planes", facets={"schema": schema_dataset.SchemaDatasetFacet(fields=fields)})],
    )


def read(path):
    request = urllib.request.Request(URL + path, headers={"Authorization": "Bearer " + TOKEN})
    return urllib.request.urlopen(request, timeout=10).read().decode()


told = [event(RunState.START, RUN, 0), event(RunState.COMPLETE, RUN, 5), event(RunState.START, FAILED, 6), event(RunState.FAIL, FAILED, 7)]
good = client(TOKEN)
for one in told:
    good.emit(one)

refused = None
try:
    client("bp_wrong").emit(told[0])
except requests.HTTPError as error:
    refused = error.response.status_code

body = json.loads(Serde.to_json(told[0]))
body["run"]["runId"] = "not-a-uuid"
malformed = requests.post(
    URL + "/api/v1/lineage",
    data=gzip.compress(json.dumps(body).encode()),
    headers={"Authorization": "Bearer " + TOKEN, "Content-Encoding": "gzip", "Content-Type": "application/json"},
    timeout=10,
)

kept = read("/api/v1/events/lineage?sortDirection=asc")
print(
    json.dumps(
        {
            "bytes": all(Serde.to_json(one) in kept for one in told),
            "count": json.loads(kept)["totalCount"],
            "run": json.loads(read("/api/v1/jobs/runs/" + RUN)),
            "facet": json.loads(Serde.to_json(told[1]))["run"]["facets"]["odd"],
            "failed": json.loads(read("/api/v1/jobs/runs/" + FAILED))["state"],
            "fields": json.loads(read("/api/v1/namespaces/flights/datasets/planes"))["fields"],
            "refused": refused,
            "malformed": [malformed.status_code, malformed.json()["field"]],
        }
    )
)
