//! Where the namespaces are kept, for whoever keeps something of theirs elsewhere.

use std::collections::HashMap;

use bedplate_s3::Namespaces;
use bedplate_types::{ErrorKind, Problem};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

pub struct Kept(pub Client);

#[async_trait::async_trait]
impl Namespaces for Kept {
    async fn id(&self, name: &str) -> Result<Option<String>, Problem> {
        let found = Api::<Namespace>::all(self.0.clone()).get_opt(name).await.map_err(|error| unreadable(&error))?;
        Ok(found.and_then(|namespace| namespace.metadata.uid))
    }

    async fn ids(&self) -> Result<HashMap<String, String>, Problem> {
        let all = Api::<Namespace>::all(self.0.clone()).list(&ListParams::default()).await;
        let all = all.map_err(|error| unreadable(&error))?;
        Ok(all.items.into_iter().filter_map(|one| Some((one.name_any(), one.metadata.uid?))).collect())
    }
}

fn unreadable(error: &kube::Error) -> Problem {
    Problem::new(ErrorKind::Internal, "the namespaces", error.to_string())
}
