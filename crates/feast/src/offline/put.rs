//! `DoPut`: a table that is brought. Nothing of history is written by clients, so most of it is refused, by name.

use arrow_flight::{FlightData, PutResult};
use bedplate_policy::Action;
use futures::{StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use super::command::{Put, parse};
use super::exchange::said;
use super::upload::Upload;
use super::{Messages, Reader, Server, refusal};
use crate::StoreError;
use crate::error::FeastError;

impl Server {
    pub async fn put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Messages<PutResult>>, Status> {
        let told = |error: FeastError| refusal::status(&error);
        let headers = request.metadata().clone().into_headers();
        let principal = self.guard.principal(&headers).map_err(|error| told(error.into()))?;
        let caller = self.guard.caller(&headers, principal, None);
        let reader = Reader { principal: caller.principal, namespace: caller.namespace, purpose: said(&headers) };
        let upload = Upload::begun(request.into_inner().boxed()).await.map_err(told)?;
        let command = upload.command.clone();
        if !command.starts_with(b"{") {
            let why = "not spoken here; only statements that read are answered, and the commands of Feast's client";
            return Err(Status::unimplemented(format!("a table that is brought: {why}")));
        }
        upload.end().await;
        self.decide(&reader, &command).await.map_err(told)?;
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn decide(&self, reader: &Reader, command: &[u8]) -> Result<(), FeastError> {
        let caller = reader.caller();
        match parse(command)? {
            Put::ValidateDataSource(source) => {
                self.offline.history.columns(reader, &source.name()?).await?;
                Ok(())
            }
            Put::OfflineWriteBatch(write) => {
                let view = write.feature_view_names.into_iter().next().unwrap_or_default();
                self.guard.check(&caller, Action::Push, StoreError::NoView(view.clone()))?;
                let why = "history is what the datasets hold: add the rows to a source of the view's datasets";
                Err(refused(&format!("writing rows into the history of feature view {view}"), why))
            }
            Put::WriteLoggedFeatures(logged) => {
                let service = logged.feature_service_name;
                self.guard.check(&caller, Action::Push, StoreError::NoService(service.clone()))?;
                let why = "predictions are recorded where they are made: bedplate trace tells of them";
                Err(refused(&format!("logged features of {service}"), why))
            }
            Put::Persist => {
                let missing = StoreError::NoSource("the saved dataset".into());
                self.guard.check(&caller, Action::Push, missing)?;
                Err(refused("a saved dataset", "write the frame to a file and declare a Dataset over it"))
            }
        }
    }
}

fn refused(what: &str, why: &str) -> FeastError {
    FeastError::Refused(format!("{what}: not taken by the offline store; {why}"))
}
