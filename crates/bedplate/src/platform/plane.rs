//! Who keeps the objects: the API server in this process, or that of a real cluster.

use std::sync::Arc;

use axum::Router;
use bedplate_apiserver::ApiServer;
use bedplate_identity::Principal;
use bedplate_plan::Governor;
use bedplate_types::Problem;
use kube::Client;

use super::spine::Spine;
use super::{of, planning, surfaces};
use crate::cluster::{self, Cluster, ClusterOptions};
use crate::home::Home;
use crate::{keys, prices};

pub enum Plane {
    Embedded { apiserver: ApiServer, governor: Arc<Governor> },
    Cluster(Box<Cluster>),
}

impl Plane {
    pub async fn open(spine: &Spine, home: &Home, cluster: Option<&ClusterOptions>) -> Result<Self, Problem> {
        match cluster {
            Some(options) => Ok(Self::Cluster(Box::new(cluster::connect(options).await?))),
            None => {
                let secrets_key = keys::secrets(home)?;
                let governor = Arc::new(Governor::new(secrets_key));
                let apiserver = surfaces::open_apiserver(spine, secrets_key, &governor)?;
                Ok(Self::Embedded { apiserver, governor })
            }
        }
    }

    /// Sees to it that there are prices: as a PriceSheet, or on a cluster, whose objects the ledger does not follow, at once.
    pub async fn price(&self, spine: &Spine) -> Result<(), Problem> {
        match self {
            Self::Embedded { .. } => prices::seed(&self.client(), &spine.prices).await,
            Self::Cluster(_) => {
                let first = bedplate_ledger::PriceSheet { name: "standard".to_owned(), ..spine.prices.clone() };
                let put = spine.db.write_async(move |tx| bedplate_ledger::put_sheet(tx, &first)).await;
                put.map_err(of("the prices"))
            }
        }
    }

    /// How the controllers and the surfaces reach the objects.
    pub fn client(&self) -> Client {
        match self {
            Self::Embedded { apiserver, .. } => {
                Client::new(apiserver.in_process(Principal::new("system:controllers")), "default")
            }
            Self::Cluster(cluster) => cluster.client.clone(),
        }
    }

    /// What the control port answers of objects, and whether it is well.
    pub fn routes(&self, spine: &Spine) -> Router {
        match self {
            Self::Embedded { apiserver, governor } => {
                let planner = planning::planner(spine, apiserver, governor);
                apiserver.router().merge(bedplate_plan::router(planner, spine.authenticator.clone()))
            }
            Self::Cluster(_) => cluster::routes(spine.db.clone()),
        }
    }

    /// The one in this process.
    pub fn apiserver(&self) -> Option<ApiServer> {
        match self {
            Self::Embedded { apiserver, .. } => Some(apiserver.clone()),
            Self::Cluster(_) => None,
        }
    }

    pub fn cluster_url(&self) -> Option<String> {
        match self {
            Self::Embedded { .. } => None,
            Self::Cluster(cluster) => Some(cluster.url.clone()),
        }
    }

    pub fn close(&self) {
        if let Self::Embedded { apiserver, .. } = self {
            apiserver.close();
        }
    }
}
