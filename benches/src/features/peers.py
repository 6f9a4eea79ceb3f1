"""The peers' side of each step: `peers.py STEP FOLDER`. Both engines are told to use two threads."""

import os
import sys

STEP, FOLDER = sys.argv[1], sys.argv[2]
VIEWS = [("items", "item_id", 7), ("users", "user_id", 30), ("shops", "shop_id", None)]


def path(name):
    return f"{FOLDER}/{name}.parquet"


def polars(in_order=lambda frame: frame.sort("at")):
    """As its documentation has it: both sides sorted by time."""
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    frame = in_order(pl.scan_parquet(path("labels")))
    for view, key, days in VIEWS:
        rows = in_order(pl.scan_parquet(path(view)))
        tolerance = None if days is None else f"{days}d"
        frame = frame.join_asof(rows, on="at", by=key, strategy="backward", tolerance=tolerance, check_sortedness=False)
    frame.collect().write_parquet(path("polars"), compression="snappy")


def polars_told():
    """Told, rightly, that the files are sorted by time already; nobody else is."""
    polars(lambda frame: frame.set_sorted("at"))


def duckdb():
    import duckdb as engine

    con = engine.connect()
    con.execute("SET threads = 2")
    joins, columns = [], ["labels.*"]
    for view, key, days in VIEWS:
        names = [c[0] for c in con.execute(f"DESCRIBE SELECT * FROM '{path(view)}'").fetchall() if c[0] not in (key, "at")]
        alive = "true" if days is None else f"labels.at - {view}.at <= INTERVAL {days} DAY"
        columns += [f"CASE WHEN {alive} THEN {view}.{name} END AS {name}" for name in names]
        joins.append(f"ASOF LEFT JOIN '{path(view)}' {view} ON labels.{key} = {view}.{key} AND labels.at >= {view}.at")
    select = f"SELECT {', '.join(columns)} FROM '{path('labels')}' labels {' '.join(joins)}"
    con.execute(f"COPY ({select}) TO '{path('duckdb')}' (FORMAT parquet, COMPRESSION snappy)")


def duckdb_copy():
    import duckdb as engine

    con = engine.connect()
    con.execute("SET threads = 2")
    for name in ["labels"] + [view for view, _, _ in VIEWS]:
        con.execute(f"COPY (SELECT * FROM '{path(name)}') TO '{path(name + '-copy')}' (FORMAT parquet, COMPRESSION zstd)")


{"polars": polars, "polars-told": polars_told, "duckdb": duckdb, "duckdb-copy": duckdb_copy}[STEP]()
