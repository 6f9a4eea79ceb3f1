//! Who keeps the objects: the API server in this process, or that of a real cluster.

use axum::Router;
use bedplate_apiserver::ApiServer;
use bedplate_identity::Principal;
use bedplate_types::Problem;
use kube::Client;

use super::spine::Spine;
use super::surfaces;
use crate::cluster::{self, Cluster, ClusterOptions};
use crate::home::Home;
use crate::keys;

pub enum Plane {
    Embedded(ApiServer),
    Cluster(Box<Cluster>),
}

impl Plane {
    pub async fn open(spine: &Spine, home: &Home, cluster: Option<&ClusterOptions>) -> Result<Self, Problem> {
        match cluster {
            Some(options) => Ok(Self::Cluster(Box::new(cluster::connect(options).await?))),
            None => Ok(Self::Embedded(surfaces::open_apiserver(spine, keys::secrets(home)?)?)),
        }
    }

    /// How the controllers and the surfaces reach the objects.
    pub fn client(&self) -> Client {
        match self {
            Self::Embedded(apiserver) => {
                Client::new(apiserver.in_process(Principal::new("system:controllers")), "default")
            }
            Self::Cluster(cluster) => cluster.client.clone(),
        }
    }

    /// What the control port answers of objects, and whether it is well.
    pub fn routes(&self, spine: &Spine) -> Router {
        match self {
            Self::Embedded(apiserver) => apiserver.router(),
            Self::Cluster(_) => cluster::routes(spine.db.clone()),
        }
    }

    pub fn cluster_url(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            Self::Cluster(cluster) => Some(cluster.url.clone()),
        }
    }

    pub fn close(&self) {
        if let Self::Embedded(apiserver) = self {
            apiserver.close();
        }
    }
}
