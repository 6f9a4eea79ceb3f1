//! One reading: a transaction that only reads, at one moment, streamed into a file.

use std::path::Path;
use std::time::Duration;

use arrow::ipc::writer::StreamWriter;
use bedplate_kinds::{DatasetSpec, PostgresSource};
use bedplate_lake::schema::arrow_schema;
use bedplate_types::Digest;
use bytes::BytesMut;
use futures::{StreamExt, pin_mut};
use tokio::time::{sleep, timeout};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::edge::Edge;
use super::error::failed;
use super::fingerprint::{Fingerprint, RowDigest};
use super::plan::{Plan, Theirs, describing};
use super::row::{EPOCH, Raw, Rows, number};
use super::tls::Tls;
use crate::delta::Watermark;
use crate::source::elsewhere::spool::Spool;
use crate::source::elsewhere::{Access, Credentials, ElsewhereError};
use crate::source::{BATCH_ROWS, Opened};

/// Bytes of values after which a batch ends, however few rows it has.
const BATCH_BYTES: usize = 8 << 20;
/// How often a server that cannot be reached is called, and how long is waited in between.
const WAITS: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3)];
/// What a reading may take beyond the statement's own limit.
const GRACE: Duration = Duration::from_secs(60);

/// What was read.
pub(crate) struct Read {
    /// The rows, as Arrow; its digest tells the rows in whatever order.
    pub opened: Opened,
    pub rows: u64,
    /// Where the next load begins; none without a watermark column, or when no row has ever had a value in it.
    pub watermark: Option<Watermark>,
}

/// Reads the rows that lie after the watermark, or all.
///
/// # Errors
/// When the address is not allowed or not reached, the columns do not fit, a value cannot be taken, or time is up.
pub(crate) async fn read(
    spec: &DatasetSpec,
    access: &Access,
    after: Option<&Watermark>,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<Read, ElsewhereError> {
    let source = spec.source.postgres.as_ref();
    let (source, credentials) = source.zip(access.credentials.as_ref()).ok_or_else(|| ElsewhereError::Secret {
        secret: source.map(|source| source.connection.secret.clone()).unwrap_or_default(),
        why: "was not read".into(),
    })?;
    let address = Address::of(source, access)?;
    let seconds = u64::try_from(source.time_limit().micros() / 1_000_000).unwrap_or_default();
    let connected = Connected::to(address, credentials, seconds).await?;
    let reading = Reading { spec, source, connected: &connected, after, folder };
    let limit = Duration::from_secs(seconds) + GRACE;
    let outcome = tokio::select! {
        () = cancel.cancelled() => Err(ElsewhereError::Cancelled { place: connected.place.clone() }),
        read = timeout(limit, reading.run()) => {
            read.unwrap_or_else(|_| Err(ElsewhereError::Slow { place: connected.place.clone(), seconds }))
        }
    };
    if outcome.is_err() {
        connected.stop().await;
    }
    outcome
}

/// A connection, and what errors of it are told with.
struct Connected<'a> {
    client: Client,
    tls: Option<Tls>,
    place: String,
    credentials: &'a Credentials,
    seconds: u64,
}

impl<'a> Connected<'a> {
    async fn to(address: Address, credentials: &'a Credentials, seconds: u64) -> Result<Self, ElsewhereError> {
        let wrong = |why: String| credentials.wrong(format!("cannot be used: {why}"));
        let tls = address.tls.then(|| Tls::new(credentials.get("ca.crt")?).map_err(wrong)).transpose()?;
        let mut waits = WAITS.into_iter();
        loop {
            let error = match dial(&address, tls.as_ref()).await {
                Ok(client) => return Ok(Self { client, tls, place: address.place, credentials, seconds }),
                Err(error) => failed(&server(&address), credentials, seconds, &error),
            };
            match waits.next().filter(|_| error.may_pass()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    fn failed(&self, error: &tokio_postgres::Error) -> ElsewhereError {
        failed(&self.place, self.credentials, self.seconds, error)
    }

    /// Tells the database that nobody waits any more; it would notice when it next sends something.
    async fn stop(&self) {
        let token = self.client.cancel_token();
        let told = async {
            match &self.tls {
                Some(tls) => token.cancel_query(tls.clone()).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        // It ends with its connection anyway.
        let _ = timeout(Duration::from_secs(5), told).await;
    }
}

/// Before it is known whether there is such a table.
fn server(address: &Address) -> String {
    address.place.rsplit_once('/').map_or_else(|| address.place.clone(), |(server, _)| server.to_owned())
}

async fn dial(address: &Address, tls: Option<&Tls>) -> Result<Client, tokio_postgres::Error> {
    match tls {
        Some(tls) => {
            let (client, connection) = address.config.connect(tls.clone()).await?;
            tokio::spawn(connection);
            Ok(client)
        }
        None => {
            let (client, connection) = address.config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

struct Reading<'a> {
    spec: &'a DatasetSpec,
    source: &'a PostgresSource,
    connected: &'a Connected<'a>,
    after: Option<&'a Watermark>,
    folder: &'a Path,
}

impl Reading<'_> {
    async fn run(self) -> Result<Read, ElsewhereError> {
        let told = |error: tokio_postgres::Error| self.connected.failed(&error);
        let client = &self.connected.client;
        client.batch_execute(&self.beginning()).await.map_err(told)?;
        let row = client.query_one("SELECT CAST(extract(epoch FROM now()) * 1000000 AS int8)", &[]).await;
        let at: i64 = row.and_then(|row| row.try_get(0)).map_err(told)?;
        let plan = self.plan().await?;
        let read = self.stream(&plan, at).await?;
        client.batch_execute("COMMIT").await.map_err(told)?;
        Ok(read)
    }

    /// Scans do not begin where others are, so that rows mostly come in one order.
    fn beginning(&self) -> String {
        format!(
            "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; \
             SET synchronize_seqscans = off; SET lock_timeout = '30s'; \
             SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = '{}s'; \
             BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            self.connected.seconds
        )
    }

    async fn plan(&self) -> Result<Plan, ElsewhereError> {
        let statement = self.connected.client.prepare(&describing(self.source)).await;
        let statement = statement.map_err(|error| self.connected.failed(&error))?;
        let theirs: Vec<Theirs<'_>> = statement
            .columns()
            .iter()
            .map(|column| Theirs { name: column.name(), type_: column.type_().clone() })
            .collect();
        let faults = |faults| ElsewhereError::Columns { place: self.connected.place.clone(), faults };
        Plan::new(self.spec, self.source, &theirs, self.after).map_err(faults)
    }

    async fn stream(&self, plan: &Plan, at: i64) -> Result<Read, ElsewhereError> {
        let told = |error: tokio_postgres::Error| self.connected.failed(&error);
        let client = &self.connected.client;
        let argument = plan.argument.clone();
        let statement = client.prepare_typed(&plan.sql, argument.as_slice()).await.map_err(told)?;
        let values = self.after.map(|mark| Bound(mark.value)).filter(|_| argument.is_some());
        let rows = client.query_raw(&statement, values).await.map_err(told)?;
        pin_mut!(rows);
        let mut kept = Kept::new(self, plan)?;
        while let Some(row) = rows.next().await {
            kept.take(&row.map_err(told)?)?;
        }
        kept.finish(at)
    }
}

/// A watermark as an argument: a whole number, or microseconds since 1970.
#[derive(Debug)]
struct Bound(i64);

impl ToSql for Bound {
    fn to_sql(&self, type_: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let value = if *type_ == Type::TIMESTAMPTZ { self.0.saturating_sub(EPOCH) } else { self.0 };
        out.extend_from_slice(&value.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(type_: &Type) -> bool {
        [Type::INT8, Type::TIMESTAMPTZ].contains(type_)
    }

    to_sql_checked!();
}

/// What is kept of the rows that come.
struct Kept<'a> {
    plan: &'a Plan,
    place: &'a str,
    batch: Rows,
    file: StreamWriter<Spool>,
    fingerprint: Fingerprint,
    edge: Option<Edge>,
    seen: u64,
    rows: u64,
}

impl<'a> Kept<'a> {
    fn new(reading: &Reading<'a>, plan: &'a Plan) -> Result<Self, ElsewhereError> {
        let place = &reading.connected.place;
        let schema = arrow_schema(reading.spec);
        let file = StreamWriter::try_new(Spool::new(reading.folder, place)?, &schema);
        let file = file.map_err(|error| spoiled(place, error))?;
        let columns = plan.columns.iter().map(|(column, how)| (column.type_, *how));
        let edge = plan.watermark.map(|at| Edge::new(&plan.columns[at].0.name, reading.after));
        let batch = Rows::new(schema, columns);
        Ok(Self { plan, place, batch, file, fingerprint: Fingerprint::default(), edge, seen: 0, rows: 0 })
    }

    fn take(&mut self, row: &tokio_postgres::Row) -> Result<(), ElsewhereError> {
        let values: Result<Vec<Option<Raw<'_>>>, _> = (0..row.len()).map(|at| row.try_get(at)).collect();
        let values = values.map_err(|error| self.value(0, error.to_string()))?;
        let digest = RowDigest::of(values.iter().map(|value| value.map(|raw| raw.0)));
        self.seen += 1;
        if !self.is_new(&values, &digest)? {
            return Ok(());
        }
        self.fingerprint.add(&digest);
        self.rows += 1;
        self.batch.push(&values).map_err(|(at, why)| self.value(at, why))?;
        if self.batch.rows >= BATCH_ROWS || self.batch.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn is_new(&mut self, values: &[Option<Raw<'_>>], digest: &RowDigest) -> Result<bool, ElsewhereError> {
        let (Some(at), true) = (self.plan.watermark, self.edge.is_some()) else { return Ok(true) };
        let value = values[at].map(|raw| number(self.plan.columns[at].1, raw.0)).transpose();
        let value = value.map_err(|why| self.value(at, why))?;
        Ok(self.edge.as_mut().is_none_or(|edge| edge.is_new(value, digest)))
    }

    fn value(&self, at: usize, why: String) -> ElsewhereError {
        let column = self.plan.columns.get(at).map(|(column, _)| column.name.clone()).unwrap_or_default();
        ElsewhereError::Value { place: self.place.to_owned(), row: self.seen.saturating_sub(1), column, why }
    }

    fn flush(&mut self) -> Result<(), ElsewhereError> {
        let written = self.batch.take().and_then(|batch| self.file.write(&batch));
        written.map_err(|error| match error {
            arrow::error::ArrowError::IoError(_, source) => self.file.get_ref().failed(source),
            other => spoiled(self.place, other),
        })
    }

    fn finish(mut self, at: i64) -> Result<Read, ElsewhereError> {
        if self.batch.rows > 0 {
            self.flush()?;
        }
        let digest: Digest = self.fingerprint.digest(&self.plan.shape());
        let place = self.place;
        let spool = self.file.into_inner().map_err(|error| spoiled(place, error))?;
        let opened = spool.open(at, None, Some(digest))?;
        Ok(Read { opened, rows: self.rows, watermark: self.edge.and_then(Edge::finish) })
    }
}

fn spoiled(place: &str, error: arrow::error::ArrowError) -> ElsewhereError {
    ElsewhereError::Spool { place: place.to_owned(), source: std::io::Error::other(error) }
}
