"""What the ADBC driver is told of a statement that names where it is to run.

usage: flight_engine.py URL TOKEN CLUSTER; prints one JSON object.
"""

import json
import sys
import warnings

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
from adbc_driver_flightsql import DatabaseOptions

URL, TOKEN, CLUSTER = sys.argv[1:]
# Nothing is written, and so there are no transactions.
warnings.simplefilter("ignore")


def count(engine):
    options = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {TOKEN}"}
    if engine:
        options[f"{DatabaseOptions.RPC_CALL_HEADER_PREFIX.value}x-bedplate-engine"] = engine
    with flight_sql.connect(URL, db_kwargs=options) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT count(*) AS beds FROM ward_beds")
            return cursor.fetchone()[0]
        except adbc_driver_manager.Error as error:
            return str(error)


engines = {"default": None, "local": "local", "cluster": CLUSTER, "unknown": "ballista://127.0.0.1:9", "wrong": "here"}
print(json.dumps({name: count(engine) for name, engine in engines.items()}))
