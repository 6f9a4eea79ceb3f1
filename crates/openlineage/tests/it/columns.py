"""Reads columnLineage facets into openlineage-python's own classes and writes them again. Argument: a JSON array."""

import json
import sys

from openlineage.client.facet_v2 import column_lineage_dataset as facet
from openlineage.client.serde import Serde


def read(told):
    def of(field):
        ways = [facet.Transformation(**way) for way in field["transformations"]]
        return facet.InputField(**{**field, "transformations": ways})

    fields = {name: facet.Fields(inputFields=[of(field) for field in told["inputFields"]]) for name, told in told["fields"].items()}
    unknown = set(told) - {"_producer", "_schemaURL", "fields"}
    assert not unknown, unknown
    made = facet.ColumnLineageDatasetFacet(fields=fields, producer=told["_producer"])
    assert made._schemaURL == told["_schemaURL"], (made._schemaURL, told["_schemaURL"])
    again = json.loads(Serde.to_json(made))
    again.pop("dataset", None)
    order = ["_producer", "_schemaURL", "fields"]
    return {name: again[name] for name in order}


print(json.dumps([read(told) for told in json.loads(sys.argv[1])]))
