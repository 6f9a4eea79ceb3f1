//! Which statement reads the declared columns, decided from the types that the database has for them.

use bedplate_kinds::{Column, ColumnType, DatasetSpec, Load, PostgresSource};
use bedplate_lake::schema::type_name;
use tokio_postgres::types::{Kind, Type};

use super::edge::Edge;
use crate::delta::Watermark;

/// How a value comes over the wire, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Boolean,
    /// 2, 4 or 8 bytes.
    Integer,
    /// 4 or 8 bytes.
    Float,
    /// A decimal number as text, which has to be whole.
    Whole,
    /// A decimal number as text: the nearest that can be had.
    Nearest,
    Text,
    /// Microseconds since 2000.
    Instant,
}

/// A column as the database has it.
pub(super) struct Theirs<'a> {
    pub name: &'a str,
    pub type_: Type,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub sql: String,
    /// Of the statement's one argument, where it has one.
    pub argument: Option<Type>,
    /// In the order of spec.schema.
    pub columns: Vec<(Column, How)>,
    /// Which of them is the watermark.
    pub watermark: Option<usize>,
}

impl Plan {
    /// Everything that is wrong with the columns, otherwise.
    pub fn new(
        spec: &DatasetSpec,
        source: &PostgresSource,
        theirs: &[Theirs<'_>],
        after: Option<&Watermark>,
    ) -> Result<Self, Vec<String>> {
        let zone = spec.source.time_zone.as_deref();
        let read: Vec<_> = spec.schema.iter().map(|column| expression(column, theirs, zone)).collect();
        let faults: Vec<String> = read.iter().filter_map(|read| read.as_ref().err().cloned()).collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let read: Vec<(String, How)> = read.into_iter().flatten().collect();
        let watermark = match spec.source.load {
            Load::Watermark => spec.schema.iter().position(|c| Some(&c.name) == spec.source.watermark_column.as_ref()),
            _ => None,
        };
        let expressions: Vec<&str> = read.iter().map(|(sql, _)| sql.as_str()).collect();
        let mut sql = format!("SELECT {} FROM {}", expressions.join(", "), from(source));
        let after = watermark.zip(after);
        if let Some((at, mark)) = after {
            let than = if Edge::asks_again(mark) { ">=" } else { ">" };
            let (column, how) = (&spec.schema[at], read[at].1);
            // Of a decimal number the text would be compared.
            let value = if how == How::Whole { quoted(&column.name) } else { read[at].0.clone() };
            sql = format!("{sql} WHERE {value} {than} $1");
        }
        let argument = after.map(|(at, _)| match spec.schema[at].type_ {
            ColumnType::Timestamp => Type::TIMESTAMPTZ,
            _ => Type::INT8,
        });
        let hows = read.into_iter().map(|(_, how)| how);
        Ok(Self { sql, argument, columns: spec.schema.iter().cloned().zip(hows).collect(), watermark })
    }

    /// Tells how values are to be read, for their digest.
    pub fn shape(&self) -> String {
        self.columns
            .iter()
            .map(|(column, how)| format!("{}:{}:{how:?};", column.name, type_name(column.type_)))
            .collect()
    }
}

/// The statement that tells what columns there are.
pub(super) fn describing(source: &PostgresSource) -> String {
    format!("SELECT * FROM {}", from(source))
}

/// A query may end with a comment, but not with a semicolon.
fn from(source: &PostgresSource) -> String {
    match (source.table_name(), &source.query) {
        (Some((schema, table)), _) => format!("{}.{}", quoted(schema), quoted(table)),
        (None, query) => {
            let query = query.as_deref().unwrap_or_default().trim().trim_end_matches(';');
            format!("({query}\n) AS \"source\"")
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// How a column is asked for, or what is wrong with it.
fn expression(column: &Column, theirs: &[Theirs<'_>], zone: Option<&str>) -> Result<(String, How), String> {
    let (name, declared) = (&column.name, type_name(column.type_));
    let mut found = theirs.iter().filter(|theirs| theirs.name == name);
    let Some(Theirs { type_, .. }) = found.next() else {
        let known: Vec<&str> = theirs.iter().map(|theirs| theirs.name).collect();
        return Err(format!("column {name} ({declared}) is missing; there are {}", known.join(", ")));
    };
    if found.next().is_some() {
        return Err(format!("column {name} is there twice"));
    }
    let type_ = base(type_);
    let plain = quoted(name);
    let (ask, how) = way(column.type_, type_).ok_or_else(|| unfit(name, declared, type_))?;
    let sql = match (ask, zone) {
        (Ask::Plain, _) => plain,
        (Ask::AsText, _) => format!("{plain}::text"),
        (Ask::AsFloat, _) => format!("{plain}::float8"),
        (Ask::InZone, Some(zone)) => format!("({plain}::timestamp AT TIME ZONE '{}')", zone.replace('\'', "''")),
        (Ask::InZone, None) => {
            return Err(format!("column {name} is {type_}, which has no time zone: say which in spec.source.timeZone"));
        }
    };
    Ok((sql, how))
}

/// How the database is asked for a column.
#[derive(Clone, Copy)]
enum Ask {
    Plain,
    AsText,
    AsFloat,
    InZone,
}

/// How values of a type become values of a declared one without loss; of decimal numbers the nearest float is taken.
fn way(to: ColumnType, from: &Type) -> Option<(Ask, How)> {
    Some(match (to, from) {
        (ColumnType::Boolean, &Type::BOOL) => (Ask::Plain, How::Boolean),
        (ColumnType::Int32 | ColumnType::Int64, &Type::INT2 | &Type::INT4) => (Ask::Plain, How::Integer),
        (ColumnType::Int64, &Type::INT8) => (Ask::Plain, How::Integer),
        (ColumnType::Int32 | ColumnType::Int64, &Type::NUMERIC) => (Ask::AsText, How::Whole),
        (ColumnType::Float64, &Type::FLOAT4 | &Type::FLOAT8) => (Ask::Plain, How::Float),
        (ColumnType::Float64, &Type::INT2 | &Type::INT4) => (Ask::AsFloat, How::Float),
        (ColumnType::Float64, &Type::NUMERIC) => (Ask::AsText, How::Nearest),
        (ColumnType::Timestamp, &Type::TIMESTAMPTZ) => (Ask::Plain, How::Instant),
        (ColumnType::Timestamp, &Type::TIMESTAMP | &Type::DATE) => (Ask::InZone, How::Instant),
        (ColumnType::String, from) if is_text(from) => (Ask::Plain, How::Text),
        (ColumnType::String, from) if has_one_text(from) => (Ask::AsText, How::Text),
        _ => return None,
    })
}

/// A domain is what it is made of.
fn base(type_: &Type) -> &Type {
    match type_.kind() {
        Kind::Domain(of) => base(of),
        _ => type_,
    }
}

fn is_text(type_: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME].contains(type_) || type_.name() == "citext"
}

/// Whether every value has one text that says all of it.
fn has_one_text(type_: &Type) -> bool {
    let known = [
        Type::UUID,
        Type::JSON,
        Type::JSONB,
        Type::XML,
        Type::NUMERIC,
        Type::DATE,
        Type::TIME,
        Type::TIMETZ,
        Type::INTERVAL,
        Type::INET,
        Type::CIDR,
        Type::MACADDR,
        Type::MACADDR8,
        Type::CHAR,
    ];
    known.contains(type_) || matches!(type_.kind(), Kind::Enum(_))
}

fn unfit(name: &str, declared: &str, type_: &Type) -> String {
    let help = match type_ {
        &Type::BYTEA => "bytes are not taken; in a query, encode(…, 'base64') makes a string of them".to_owned(),
        type_ => match fitting(type_) {
            Some(fitting) => format!("declare it as type: {fitting}"),
            None => "convert it in a query, to_jsonb(…)::text for one".to_owned(),
        },
    };
    format!("column {name} is {type_}, which cannot be {declared}: {help}")
}

fn fitting(type_: &Type) -> Option<&'static str> {
    use ColumnType::{Boolean, Float64, Int32, Int64, String, Timestamp};
    if *type_ == Type::NUMERIC {
        return Some("float64, or string where no digit may be lost");
    }
    [Int32, Int64, Float64, Boolean, Timestamp, String].into_iter().find(|to| way(*to, type_).is_some()).map(type_name)
}
