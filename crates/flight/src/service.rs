//! The calls of Flight SQL, each translated to the port.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::metadata::SqlInfoData;
use arrow_flight::sql::server::FlightSqlService;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes,
    CommandGetTables, CommandPreparedStatementQuery, CommandStatementQuery, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc,
    Ticket,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use crate::caller::{Token, caller};
use crate::info;
use crate::seal::{Seal, Sealed};
use crate::status::{status, unsupported};
use crate::{Caller, Rows, Statements};

#[derive(Clone)]
pub(crate) struct Service {
    statements: Arc<dyn Statements>,
    seal: Arc<Seal>,
    /// What the server says of itself; none if that cannot be written.
    server: Option<Arc<SqlInfoData>>,
}

type Data = <Service as FlightService>::DoGetStream;

impl Service {
    pub fn new(statements: Arc<dyn Statements>, seal: Seal) -> Self {
        Self { statements, seal: Arc::new(seal), server: info::server().ok().map(Arc::new) }
    }

    fn server(&self) -> Result<&SqlInfoData, Status> {
        self.server.as_deref().ok_or_else(|| Status::internal("what the server can cannot be told"))
    }

    fn open(&self, caller: &Caller, handle: &[u8]) -> Result<Sealed, Status> {
        self.seal.open(caller, handle).map_err(|problem| status(&problem))
    }

    /// Where the answer to a statement is to be had, and what columns it has.
    async fn offer(&self, caller: &Caller, sql: &str, asked: FlightDescriptor) -> Result<Response<FlightInfo>, Status> {
        let schema = self.statements.schema(caller, sql).await.map_err(|problem| status(&problem))?;
        let ticket = TicketStatementQuery { statement_handle: self.seal.seal(caller, sql).into() };
        told(&schema, &ticket, asked)
    }

    /// The answer to what a ticket or handle holds; whether the caller may have it is asked now.
    async fn answer(&self, now: &Caller, handle: &[u8]) -> Result<Response<Data>, Status> {
        let sealed = self.open(now, handle)?;
        let rows = self.statements.run(&sealed.caller(now), &sealed.sql).await;
        rows.map(data).map_err(|problem| status(&problem))
    }
}

/// Flight's way to say where to get something.
fn told(
    schema: &Schema,
    ticket: &impl ProstMessageExt,
    asked: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let ticket = Ticket { ticket: ticket.as_any().encode_to_vec().into() };
    let info = FlightInfo::new().try_with_schema(schema).map_err(|error| unwritable(&error))?;
    let info = info.with_endpoint(FlightEndpoint::new().with_ticket(ticket)).with_descriptor(asked);
    Ok(Response::new(info))
}

fn data(rows: Rows) -> Response<Data> {
    let batches = rows.batches.map_err(|problem| FlightError::from(status(&problem)));
    let encoded = FlightDataEncoderBuilder::new().with_schema(rows.schema).build(batches);
    Response::new(Box::pin(encoded.map_err(Status::from)))
}

/// Rows that are known already.
fn known(batch: RecordBatch) -> Response<Data> {
    data(Rows { schema: batch.schema(), batches: stream::iter([Ok(batch)]).boxed() })
}

fn empty(schema: Schema) -> Response<Data> {
    known(RecordBatch::new_empty(Arc::new(schema)))
}

fn unwritable(error: &ArrowError) -> Status {
    Status::internal(format!("the answer cannot be written: {error}"))
}

/// A schema as IPC has it.
fn encoded(schema: &SchemaRef) -> Result<Vec<u8>, Status> {
    let options = IpcWriteOptions::default();
    let message: Result<IpcMessage, ArrowError> = SchemaAsIpc::new(schema, &options).try_into();
    message.map(|IpcMessage(bytes)| bytes.to_vec()).map_err(|error| unwritable(&error))
}

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Self;

    /// Whoever came in by user and password goes on with the token that was the password.
    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        caller(&request)?;
        let token = request.extensions().get::<Token>().map(|token| token.0.clone()).unwrap_or_default();
        let response = HandshakeResponse { protocol_version: 0, payload: token.clone().into_bytes().into() };
        let mut response: Response<Pin<Box<dyn Stream<Item = _> + Send>>> =
            Response::new(Box::pin(stream::iter([Ok(response)])));
        if let Ok(bearer) = format!("Bearer {token}").parse() {
            response.metadata_mut().insert("authorization", bearer);
        }
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        if query.transaction_id.is_some() {
            return Err(unsupported("transactions"));
        }
        self.offer(&caller(&request)?, &query.query, request.into_inner()).await
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let now = caller(&request)?;
        let sealed = self.open(&now, &query.prepared_statement_handle)?;
        self.offer(&sealed.caller(&now), &sealed.sql, request.into_inner()).await
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&query.clone().into_builder(self.server()?).schema(), &query, request.into_inner())
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        told(&info::primary_keys(), &query, request.into_inner())
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        self.answer(&caller(&request)?, &ticket.statement_handle).await
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        self.answer(&caller(&request)?, &query.prepared_statement_handle).await
    }

    async fn do_get_catalogs(&self, query: CommandGetCatalogs, _: Request<Ticket>) -> Result<Response<Data>, Status> {
        info::catalogs(query).map(known).map_err(Status::from)
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        let caller = caller(&request)?;
        // There is none where the caller may not look.
        self.statements.tables(&caller, false).await.map_err(|problem| status(&problem))?;
        info::schemas(query, &caller.namespace).map(known).map_err(Status::from)
    }

    async fn do_get_tables(&self, query: CommandGetTables, request: Request<Ticket>) -> Result<Response<Data>, Status> {
        let caller = caller(&request)?;
        let tables = self.statements.tables(&caller, query.include_schema).await;
        let tables = tables.map_err(|problem| status(&problem))?;
        info::tables(query, &caller.namespace, &tables).map(known).map_err(Status::from)
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        _: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        info::table_types(query).map(known).map_err(Status::from)
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _: Request<Ticket>) -> Result<Response<Data>, Status> {
        query.into_builder(self.server()?).build().map(known).map_err(Status::from)
    }

    async fn do_get_primary_keys(
        &self,
        _: CommandGetPrimaryKeys,
        _: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        Ok(empty(info::primary_keys()))
    }

    /// The handle is the statement, sealed: there is nothing to keep, and nothing to close.
    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        if query.transaction_id.is_some() {
            return Err(unsupported("transactions"));
        }
        let caller = caller(&request)?;
        let schema = self.statements.schema(&caller, &query.query).await.map_err(|problem| status(&problem))?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: self.seal.seal(&caller, &query.query).into(),
            dataset_schema: encoded(&schema)?.into(),
            parameter_schema: Default::default(),
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.open(&caller(&request)?, &query.prepared_statement_handle).map(drop)
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
