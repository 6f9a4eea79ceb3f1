"""The same ten expectations on the same file, in one of the peers. Prints one JSON object: what was spent from reading the
file to the last answer (imports and the peers' own set-up are not in it), and how many rows each expectation found failing."""

import json
import os
import resource
import sys
import time

STATUSES = ["new", "paid", "sent", "done", "void"]
CODE = r"^[A-Z]{3}-[0-9]{4}$"


def polars(file):
    import polars as pl

    lazy = pl.scan_parquet(file)

    def run():
        outside = lambda name, low, high: (~pl.col(name).is_between(low, high)).sum()
        row = lazy.select(
            rows=pl.len(),
            id_null=pl.col("id").null_count(),
            id_again=pl.len() - pl.col("id").n_unique(),
            amount_null=pl.col("amount").null_count(),
            amount_outside=outside("amount", 0, 1000),
            amount_mean=pl.col("amount").mean(),
            quantity_outside=outside("quantity", 1, 100),
            status_unknown=(~pl.col("status").is_in(STATUSES)).sum(),
            code_wrong=(~pl.col("code").str.contains(CODE)).sum(),
            at_null=pl.col("at").null_count(),
        ).collect(engine="streaming")
        return row.to_dicts()[0]

    return run


def duckdb(file):
    import duckdb as db

    connection = db.connect()
    connection.execute("SET threads = 1")
    statuses = ", ".join(f"'{status}'" for status in STATUSES)

    def run():
        answer = connection.execute(f"""
            SELECT count(*) AS rows,
                count(*) - count(id) AS id_null,
                count(*) - count(DISTINCT id) AS id_again,
                count(*) - count(amount) AS amount_null,
                count(*) FILTER (NOT amount BETWEEN 0 AND 1000) AS amount_outside,
                avg(amount) AS amount_mean,
                count(*) FILTER (NOT quantity BETWEEN 1 AND 100) AS quantity_outside,
                count(*) FILTER (status NOT IN ({statuses})) AS status_unknown,
                count(*) FILTER (NOT regexp_matches(code, '{CODE}')) AS code_wrong,
                count(*) - count("at") AS at_null
            FROM read_parquet('{file}')""")
        names = [column[0] for column in answer.description]
        return dict(zip(names, answer.fetchone()))

    return run


def pandera(file):
    import pandera.polars as pa
    import polars as pl

    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(pl.Int64, nullable=False, unique=True),
            "amount": pa.Column(
                pl.Float64,
                [
                    pa.Check.in_range(0, 1000),
                    pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).null_count() <= 0.05 * pl.len())),
                    pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).mean().is_between(100, 900))),
                ],
                nullable=True,
            ),
            "quantity": pa.Column(pl.Int32, pa.Check.in_range(1, 100), nullable=True),
            "status": pa.Column(pl.String, pa.Check.isin(STATUSES), nullable=True),
            "code": pa.Column(pl.String, pa.Check.str_matches(CODE), nullable=True),
            "at": pa.Column(pl.Datetime("us", "UTC"), nullable=False),
        },
        checks=pa.Check(lambda data: data.lazyframe.select(pl.len().is_between(1, 100_000_000))),
    )
    names = {
        ("amount", "in_range(0, 1000)"): "amount_outside",
        ("quantity", "in_range(1, 100)"): "quantity_outside",
        ("status", f"isin({STATUSES})"): "status_unknown",
        ("code", f"str_matches('{CODE}')"): "code_wrong",
    }

    def run():
        try:
            schema.validate(pl.read_parquet(file), lazy=True)
        except pa.errors.SchemaErrors as error:
            found = {}
            for failure in error.failure_cases.iter_rows(named=True):
                name = names.get((failure["column"], failure["check"]))
                if name:
                    found[name] = found.get(name, 0) + 1
            return found
        return {}

    return run


def great_expectations(file):
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
    definition = asset.add_batch_definition_whole_dataframe("b")
    expectations = {
        "id_null": gxe.ExpectColumnValuesToNotBeNull(column="id"),
        "id_again": gxe.ExpectColumnValuesToBeUnique(column="id"),
        "amount_null": gxe.ExpectColumnValuesToNotBeNull(column="amount", mostly=0.95),
        "amount_outside": gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=1000),
        "amount_mean": gxe.ExpectColumnMeanToBeBetween(column="amount", min_value=100, max_value=900),
        "quantity_outside": gxe.ExpectColumnValuesToBeBetween(column="quantity", min_value=1, max_value=100),
        "status_unknown": gxe.ExpectColumnValuesToBeInSet(column="status", value_set=STATUSES),
        "code_wrong": gxe.ExpectColumnValuesToMatchRegex(column="code", regex=CODE),
        "at_null": gxe.ExpectColumnValuesToNotBeNull(column="at"),
        "rows": gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=100_000_000),
    }
    suite = gx.ExpectationSuite(name="s", expectations=list(expectations.values()))

    def run():
        batch = definition.get_batch(batch_parameters={"dataframe": pd.read_parquet(file)})
        results = batch.validate(suite, result_format="BASIC").results
        kinds = {(type(e).__name__, getattr(e, "column", None)): name for name, e in expectations.items()}
        found = {}
        for result in results:
            config = result.expectation_config
            words = "".join(word.capitalize() for word in config.type.split("_"))
            name = kinds[(words, config.kwargs.get("column"))]
            found[name] = result.result.get("unexpected_count", result.result.get("observed_value"))
        return found

    return run


def main():
    peer, file = sys.argv[1:]
    os.environ["POLARS_MAX_THREADS"] = "1"
    run = globals()[peer](file)
    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = run()
    ended, spent = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    cpu = spent.ru_utime + spent.ru_stime - used.ru_utime - used.ru_stime
    print(json.dumps({"cpu": cpu, "wall": ended - began, "peakMib": spent.ru_maxrss / 1024, "found": found}))


main()
