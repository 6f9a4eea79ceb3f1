//! The kinds a server has, by its own discovery, and the words people use for them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroupList, APIResource, APIResourceList};
use kube::Client;

use crate::error::ClientError;
use crate::get::Scope;
use crate::request::{JSON, escaped, get, send};

/// One kind as the server serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub namespaced: bool,
}

impl Resource {
    /// `/apis/bedplate.dev/v1alpha1/namespaces/flights/datasets`
    #[must_use]
    pub fn path(&self, scope: &Scope) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match scope {
            Scope::Namespace(namespace) if self.namespaced => {
                format!("{root}/namespaces/{}/{}", escaped(namespace), self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    #[must_use]
    pub fn object_path(&self, scope: &Scope, name: &str) -> String {
        format!("{}/{}", self.path(scope), escaped(name))
    }

    /// `dataset.bedplate.dev`, as `-o name` prints it; `namespace` for the core group.
    #[must_use]
    pub fn qualified(&self) -> String {
        let singular = self.kind.to_lowercase();
        if self.group.is_empty() { singular } else { format!("{singular}.{}", self.group) }
    }

    /// `bedplate.dev/v1alpha1`, `v1`
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn answers_to(&self, word: &str) -> bool {
        let (name, group) = word.split_once('.').map_or((word, None), |(name, group)| (name, Some(group)));
        let named = [&self.plural, &self.singular, &self.kind].iter().any(|own| own.eq_ignore_ascii_case(name))
            || self.short_names.iter().any(|own| own.eq_ignore_ascii_case(name));
        named && group.is_none_or(|group| group == self.group)
    }

    fn of(group: &str, version: &str, found: APIResource) -> Option<Self> {
        // `datasets/status` is a subresource, not a kind of its own.
        if found.name.contains('/') {
            return None;
        }
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            singular: if found.singular_name.is_empty() { found.kind.to_lowercase() } else { found.singular_name },
            kind: found.kind,
            plural: found.name,
            short_names: found.short_names.unwrap_or_default(),
            namespaced: found.namespaced,
        })
    }
}

/// Every kind of a server.
#[derive(Clone, Debug, Default)]
pub struct Resources(pub Vec<Resource>);

impl Resources {
    /// The kind that `word` names: plural, singular, kind or short name, in any case, with or without `.group`.
    pub fn find(&self, word: &str) -> Result<&Resource, ClientError> {
        self.0.iter().find(|resource| resource.answers_to(word)).ok_or_else(|| ClientError::UnknownKind {
            word: word.to_owned(),
            known: self.0.iter().map(|resource| resource.plural.clone()).collect(),
        })
    }

    /// The kind of an object that says its own `apiVersion` and `kind`.
    pub fn of_object(&self, api_version: &str, kind: &str) -> Result<&Resource, ClientError> {
        let found = self.0.iter().find(|resource| resource.api_version() == api_version && resource.kind == kind);
        found.ok_or_else(|| ClientError::UnknownKind {
            word: format!("{api_version} {kind}"),
            known: self.0.iter().map(|resource| format!("{} {}", resource.api_version(), resource.kind)).collect(),
        })
    }
}

/// Asks the server which kinds it has: its own groups first, then the core group.
pub async fn discover(client: &Client) -> Result<Resources, ClientError> {
    let groups: APIGroupList = send(client, get("/apis", JSON)?).await?;
    let mut found = Vec::new();
    for group in groups.groups {
        let Some(version) = group.preferred_version.or_else(|| group.versions.first().cloned()) else { continue };
        let path = format!("/apis/{}", version.group_version);
        found.extend(resources(client, &path, &group.name, &version.version).await?);
    }
    found.extend(resources(client, "/api/v1", "", "v1").await?);
    Ok(Resources(found))
}

async fn resources(client: &Client, path: &str, group: &str, version: &str) -> Result<Vec<Resource>, ClientError> {
    let list: APIResourceList = send(client, get(path, JSON)?).await?;
    Ok(list.resources.into_iter().filter_map(|found| Resource::of(group, version, found)).collect())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn datasets() -> Resource {
        Resource {
            group: "bedplate.dev".into(),
            version: "v1alpha1".into(),
            kind: "Dataset".into(),
            plural: "datasets".into(),
            singular: "dataset".into(),
            short_names: vec!["ds".into()],
            namespaced: true,
        }
    }

    pub fn namespaces() -> Resource {
        Resource {
            group: String::new(),
            version: "v1".into(),
            kind: "Namespace".into(),
            plural: "namespaces".into(),
            singular: "namespace".into(),
            short_names: vec!["ns".into()],
            namespaced: false,
        }
    }

    #[test]
    fn finds_a_kind_by_every_word_for_it() {
        let resources = Resources(vec![datasets(), namespaces()]);
        for word in ["ds", "dataset", "Datasets", "DATASET", "datasets.bedplate.dev"] {
            assert_eq!(resources.find(word).unwrap().kind, "Dataset", "{word}");
        }
        assert!(resources.find("datasets.example.com").is_err());
        let error = resources.find("pods").unwrap_err().to_string();
        assert!(error.contains("pods") && error.contains("datasets, namespaces"), "{error}");
    }

    #[test]
    fn paths_follow_the_scope() {
        let here = Scope::Namespace("flights".into());
        assert_eq!(datasets().path(&here), "/apis/bedplate.dev/v1alpha1/namespaces/flights/datasets");
        assert_eq!(datasets().path(&Scope::All), "/apis/bedplate.dev/v1alpha1/datasets");
        assert_eq!(namespaces().object_path(&here, "a/b"), "/api/v1/namespaces/a%2Fb");
    }

    #[test]
    fn subresources_are_not_kinds() {
        let status = APIResource { name: "datasets/status".into(), kind: "Dataset".into(), ..Default::default() };
        assert_eq!(Resource::of("bedplate.dev", "v1alpha1", status), None);
    }
}
