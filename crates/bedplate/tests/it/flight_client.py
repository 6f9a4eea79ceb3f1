"""The ADBC driver for Flight SQL against the platform: rows, metadata, and what is refused.

usage: flight_client.py URL EDITOR ANALYST VIEWER STRANGER (tokens); prints one JSON object.
"""

import json
import sys
import warnings

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow.flight
from adbc_driver_flightsql import DatabaseOptions

URL, EDITOR, ANALYST, VIEWER, STRANGER = sys.argv[1:]
# Nothing is written, and so there are no transactions.
warnings.simplefilter("ignore")


def connect(token, purpose=None):
    header = DatabaseOptions.RPC_CALL_HEADER_PREFIX.value
    options = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}"}
    if purpose:
        options[f"{header}x-bedplate-purpose"] = purpose
    return flight_sql.connect(URL, db_kwargs=options)


def rows(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table().to_pylist()


def refusal(ask):
    try:
        ask()
    except (adbc_driver_manager.Error, pyarrow.flight.FlightError, pyarrow.ArrowException) as error:
        return [code(error), str(error)]
    return ["NOTHING", ""]


def code(error):
    if isinstance(error, adbc_driver_manager.Error):
        return error.status_code.name
    for word in ["NotFound", "NOT_FOUND", "not found"]:
        if word in str(error):
            return "NOT_FOUND"
    return type(error).__name__


def objects(connection):
    found = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    schema = found[0]["catalog_db_schemas"][0]
    tables = [table["table_name"] for table in schema["db_schema_tables"]]
    return {"catalog": found[0]["catalog_name"], "schema": schema["db_schema_name"], "tables": sorted(tables)}


def update(connection):
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query("DELETE FROM ward_beds")
        cursor.adbc_statement.execute_update()


def ticket(token):
    """What GetFlightInfo gives, taken from Flight's own client."""
    client = pyarrow.flight.connect(URL)
    options = pyarrow.flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    return client, options


def statement_info(client, options, sql):
    # An Any that holds a CommandStatementQuery: the fields are short enough for lengths of one byte.
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    query = b"\x0a" + bytes([len(sql)]) + sql
    command = b"\x0a" + bytes([len(url)]) + url + b"\x12" + bytes([len(query)]) + query
    return client.get_flight_info(pyarrow.flight.FlightDescriptor.for_command(command), options)


told = {"refused": {}}
with connect(EDITOR, "research") as editor:
    told["beds"] = rows(editor, "SELECT ward, beds FROM ward_beds ORDER BY ward")
    with editor.cursor() as cursor:
        cursor.adbc_prepare("SELECT ward FROM \"ward-beds\"")
        cursor.execute("SELECT ward FROM \"ward-beds\"")
        told["prepared"] = len(cursor.fetchall())
    many = "WITH n AS (SELECT unnest(range(500)) AS n) SELECT count(*) AS c FROM (SELECT a.n, b.n AS m FROM n a CROSS JOIN n b)"
    told["many"] = rows(editor, many)[0]["c"]
    told["objects"] = objects(editor)
    told["patients"] = editor.adbc_get_table_schema("patients").names
    told["table_types"] = editor.adbc_get_table_types()
    info = editor.adbc_get_info()
    told["vendor"] = info["vendor_name"]
    told["masked"] = rows(
        editor,
        "SELECT name, length(email) AS length, CAST(email = 'ada@example.org' AS INT) AS guess FROM patients ORDER BY id",
    )
    refused = {
        "unknown": "SELECT * FROM ward_bed",
        "hidden": "SELECT ssn FROM patients",
        "syntax": "SELEC 1",
        "ddl": "DROP TABLE ward_beds",
    }
    for what, sql in refused.items():
        told["refused"][what] = refusal(lambda: rows(editor, sql))
    told["refused"]["update"] = refusal(lambda: update(editor))
with connect(EDITOR, "care") as carer:
    told["unmasked"] = [row["email"] for row in rows(carer, "SELECT email FROM patients ORDER BY id")]
with connect(EDITOR) as editor:
    told["refused"]["no_purpose"] = refusal(lambda: rows(editor, "SELECT * FROM patients"))
with connect(ANALYST) as analyst:
    told["analyst_objects"] = objects(analyst)
with connect(VIEWER) as viewer:
    told["refused"]["denied"] = refusal(lambda: rows(viewer, "SELECT * FROM ward_beds"))
with connect(STRANGER) as stranger:
    told["refused"]["stranger"] = refusal(lambda: rows(stranger, "SELECT * FROM ward_beds"))
told["refused"]["wrong_token"] = refusal(lambda: rows(connect("bp_" + "x" * 43), "SELECT 1"))
# By user and password, of which the password is the token.
with flight_sql.connect(URL, db_kwargs={"username": "analyst", "password": ANALYST}) as analyst:
    told["by_password"] = rows(analyst, "SELECT sum(beds) AS beds FROM ward_beds")[0]["beds"]

# A ticket is its owner's, as it was made, and opens nothing that they may not read any more.
client, editor = ticket(EDITOR)
_, analyst = ticket(ANALYST)
made = statement_info(client, editor, b"SELECT ward FROM ward_beds").endpoints[0].ticket
assert client.do_get(made, editor).read_all().num_rows == 2
told["refused"]["stolen_ticket"] = refusal(lambda: client.do_get(made, analyst).read_all())
forged = made.ticket.replace(b"ward_beds", b"ward_bedz")
told["refused"]["forged_ticket"] = refusal(lambda: client.do_get(pyarrow.flight.Ticket(forged), editor).read_all())
elsewhere = pyarrow.flight.FlightCallOptions(
    headers=[(b"authorization", f"Bearer {STRANGER}".encode()), (b"x-bedplate-namespace", b"care")]
)
told["refused"]["cut_off"] = refusal(lambda: statement_info(client, elsewhere, b"SELECT ward FROM ward_beds"))
told["read_only"] = True
print(json.dumps(told))
