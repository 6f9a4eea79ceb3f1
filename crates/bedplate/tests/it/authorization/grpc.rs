//! Calls of Flight, byte by byte: each in one frame, over whichever HTTP the test speaks.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::{FlightData, FlightDescriptor, SchemaAsIpc};
use prost::Message;
use serde_json::{Value, json};

use super::http::{Ask, Reply, send};
use super::world::World;

pub const SERVICE: &str = "/arrow.flight.protocol.FlightService/";
/// What there is nothing behind for anybody.
pub const NOTHING_BEHIND: [&str; 3] = ["/ListFlights", "/PollFlightInfo", "/GetSchema"];
const SQL: &str = "type.googleapis.com/arrow.flight.protocol.sql.";

/// What Feast's client sends with a frame that has these columns and no rows.
pub fn feast(call: &str, command: &Value, columns: &[(&str, DataType)]) -> Ask {
    let fields = columns.iter().map(|(name, type_)| Field::new(*name, type_.clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let options = IpcWriteOptions::default();
    let schema: FlightData = SchemaAsIpc::new(&schema, &options).into();
    let message = schema.with_descriptor(FlightDescriptor::new_cmd(command.to_string()));
    let ask = Ask { raw: frame(&message.encode_to_vec()), ..Ask::new("POST", format!("{SERVICE}{call}")) };
    ask.header("content-type", "application/grpc").header("te", "trailers")
}

/// History is asked of a view, and a data source is asked about.
fn feast_case(call: &str, name: &str) -> Ask {
    let moments = DataType::Timestamp(TimeUnit::Microsecond, None);
    let columns = [("tailnum", DataType::Utf8), ("event_timestamp", moments)];
    let command = match call {
        "DoExchange" => json!({ "api": "get_historical_features", "feature_view_names": [name], "name_aliases": [null],
            "feature_refs": [format!("{name}:last_arr_delay")], "project": "flights", "full_feature_names": false }),
        _ => json!({ "api": "validate_data_source", "data_source_proto": json!({ "name": name }).to_string() }),
    };
    feast(call, &command, &columns).header("x-bedplate-namespace", "flights")
}

/// What stands for what is there, where a call is about one thing.
pub fn there(path: &str) -> &'static str {
    if path.ends_with("/DoExchange") { "aircraft-history" } else { "weather" }
}

/// The call about each of two tables, in the namespace `flights`.
pub fn asks(path: &str, tables: [&str; 2]) -> Option<(Ask, Ask)> {
    if let Some(call @ ("DoExchange" | "DoPut")) = path.strip_prefix(SERVICE) {
        let [there, not_there] = tables.map(|name| feast_case(call, name));
        return Some((there, not_there));
    }
    let [there, not_there] = tables.map(|table| message(path, table));
    let ask = |message: Vec<u8>| Ask { raw: frame(&message), ..Ask::new("POST", path) };
    let ask = |message| {
        ask(message)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("x-bedplate-namespace", "flights")
    };
    Some((ask(there?), ask(not_there?)))
}

fn message(path: &str, table: &str) -> Option<Vec<u8>> {
    let sql = format!("SELECT * FROM {table}");
    let statement = || any("CommandStatementQuery", &field(1, sql.as_bytes()));
    Some(match path.strip_prefix(SERVICE)? {
        // A FlightDescriptor of type CMD.
        "GetFlightInfo" | "PollFlightInfo" | "GetSchema" => [vec![0x08, 2], field(2, &statement())].concat(),
        // Which tables there are.
        "DoGet" => field(1, &any("CommandGetTables", &[])),
        "DoAction" => {
            let action = any("ActionCreatePreparedStatementRequest", &field(1, sql.as_bytes()));
            [field(1, b"CreatePreparedStatement"), field(2, &action)].concat()
        }
        "Handshake" | "ListActions" | "ListFlights" => Vec::new(),
        _ => return None,
    })
}

fn any(name: &str, value: &[u8]) -> Vec<u8> {
    [field(1, format!("{SQL}{name}").as_bytes()), field(2, value)].concat()
}

/// A field of a message that has a length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let (low, high) = (bytes.len() % 128, bytes.len() / 128);
    let mut field = vec![number << 3 | 2];
    match u8::try_from(high).unwrap() {
        0 => field.push(u8::try_from(low).unwrap()),
        high => field.extend([u8::try_from(low).unwrap() | 0x80, high]),
    }
    field.extend(bytes);
    field
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

/// The answer with its gRPC status as HTTP would have it, and what was told as its body.
pub fn knock(world: &World, token: &str, ask: &Ask) -> Reply {
    let ask = ask.clone();
    let ask = if token.is_empty() { ask } else { ask.header("authorization", format!("Bearer {token}")) };
    let reply = send(&world.flight, &ask);
    let head = reply.head();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let code = match header("grpc-status: ").as_str() {
        "" | "0" => reply.code,
        "3" => 422,
        "5" => 404,
        "7" => 403,
        "12" => 501,
        "16" => 401,
        other => panic!("{other}: {head}"),
    };
    let bytes = [b"\r\n\r\n", header("grpc-message: ").as_bytes(), &reply.bytes].concat();
    // The date and the length of an answer are no part of what is told.
    let bytes = if code == reply.code { bytes } else { [b"\r\n\r\n", header("grpc-message: ").as_bytes()].concat() };
    Reply { code, bytes }
}
