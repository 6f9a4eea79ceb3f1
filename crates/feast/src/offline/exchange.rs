//! `DoExchange`: a table for a table.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use axum::http::HeaderMap;
use bedplate_policy::Action;
use futures::{StreamExt, TryStreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use super::command::{Exchange, Historical, parse};
use super::names::Named;
use super::time::Shape;
use super::upload::{Frame, Upload, in_time, is_no_frame};
use super::{Labels, Messages, Reader, Server, Table, refusal, spool};
use crate::error::FeastError;
use crate::guard::purpose;
use crate::read::checked;
use crate::store::Features;
use crate::{Selected, StoreError};

impl Server {
    pub async fn exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Messages<FlightData>>, FeastError> {
        let headers = request.metadata().clone().into_headers();
        let principal = self.guard.principal(&headers)?;
        let turn = self.turns.acquire().await;
        let upload = Upload::begun(request.into_inner().boxed()).await?;
        let who = |project| {
            let caller = self.guard.caller(&headers, principal, project);
            Reader { principal: caller.principal, namespace: caller.namespace, purpose: said(&headers) }
        };
        let table = match parse(&upload.command) {
            Ok(Exchange::GetHistoricalFeatures(asked)) => {
                self.historical(&who(Some(&asked.project)), asked, upload).await?
            }
            Ok(Exchange::PullAllFromTableOrQuery(pull)) => self.pull(&who(None), pull.into_pull(false), upload).await?,
            Ok(Exchange::PullLatestFromTableOrQuery(pull)) => {
                self.pull(&who(None), pull.into_pull(true), upload).await?
            }
            Ok(Exchange::GetTableColumnNamesAndTypesFromDataSource(source)) => {
                self.columns(&who(None), source.name(), upload).await?
            }
            Err(error) => {
                upload.end().await;
                return Err(error);
            }
        };
        drop(turn);
        Ok(answer(table))
    }

    async fn historical(&self, reader: &Reader, asked: Historical, upload: Upload) -> Result<Table, FeastError> {
        let (selected, named) = match self.selected(reader, &asked).await {
            Ok(selected) => selected,
            Err(error) => {
                upload.end().await;
                return Err(error);
            }
        };
        let frame = self.labels(reader, asked.entity_df_sql, in_time(upload.frame()).await??).await?;
        let shape = match Shape::of(&frame.schema) {
            Ok(shape) => shape,
            Err(error) => {
                frame.end().await;
                return Err(error);
            }
        };
        let kept = in_time(spool::keep(&self.offline.scratch, frame.schema, frame.rows)).await??;
        let (schema, time_column) = (shape.schema.clone(), shape.time_column.clone());
        let rows = kept.rows.and_then(move |batch| std::future::ready(shape.put_in(&batch))).boxed();
        let labels = Labels { table: Table { schema, rows }, time_column };
        Ok(self.offline.history.historical(reader, selected, named.columns, labels).await?)
    }

    /// What is asked for, if it is there and the reader may have it.
    async fn selected(&self, reader: &Reader, asked: &Historical) -> Result<(Arc<Selected>, Named), FeastError> {
        let named = asked.named()?;
        let features = Features::Refs(named.refs.clone());
        self.guard.check(&reader.caller(), Action::ReadData, features.missing())?;
        let selected = self.offline.features.select(&reader.namespace, &features).await?;
        checked(&self.guard, &reader.caller(), &selected, reader.purpose.as_deref())?;
        Ok((selected, named))
    }

    /// The label rows: those that were sent, or else those of the statement.
    async fn labels(&self, reader: &Reader, sql: Option<String>, sent: Frame) -> Result<Frame, FeastError> {
        if !is_no_frame(&sent.schema) {
            return Ok(sent);
        }
        sent.end().await;
        let sql = sql.ok_or(FeastError::NoFrame)?;
        let table = self.offline.history.statement(reader, &sql).await?;
        Ok(Frame { schema: table.schema, rows: table.rows.map_err(FeastError::from).boxed() })
    }

    async fn pull(
        &self,
        reader: &Reader,
        pull: Result<super::Pull, FeastError>,
        upload: Upload,
    ) -> Result<Table, FeastError> {
        upload.end().await;
        Ok(self.offline.history.pull(reader, pull?).await?)
    }

    async fn columns(
        &self,
        reader: &Reader,
        source: Result<String, FeastError>,
        upload: Upload,
    ) -> Result<Table, FeastError> {
        upload.end().await;
        let schema = self.offline.history.columns(reader, &source?).await?;
        listed(&schema)
    }
}

/// What the rows are for.
pub(super) fn said(headers: &HeaderMap) -> Option<String> {
    purpose(headers).map(str::to_owned)
}

/// Columns and types by their names.
fn listed(schema: &SchemaRef) -> Result<Table, FeastError> {
    let fields = || schema.fields().iter();
    let names: ArrayRef = Arc::new(fields().map(|field| Some(field.name().as_str())).collect::<StringArray>());
    let types = fields().map(|field| Some(super::names::arrow_type(field.data_type())));
    let types: ArrayRef = Arc::new(types.collect::<StringArray>());
    let batch = RecordBatch::try_from_iter([("name", names), ("type", types)]);
    let batch = batch.map_err(|error| StoreError::Column { column: "name".into(), why: error.to_string() })?;
    Ok(Table { schema: batch.schema(), rows: stream::iter([Ok(batch)]).boxed() })
}

fn answer(table: Table) -> Response<Messages<FlightData>> {
    let failed = |problem| FlightError::from(refusal::status(&StoreError::Other(problem).into()));
    let rows = table.rows.map_err(failed);
    let encoded = FlightDataEncoderBuilder::new().with_schema(table.schema).build(rows);
    Response::new(Box::pin(encoded.map_err(Status::from)))
}
