//! Every operation on resources, and the right it takes: found by asking what a request would be taken for.

use bedplate_policy::{Hidden, Operation, Who};
use http::Method;

use crate::catalogue::Catalogue;
use crate::error::ApiError;
use crate::resource::Resource;
use crate::routes;
use crate::seal::Seal;
use crate::target::Target;
use crate::verb::Verb;

const METHODS: [(&str, Method); 5] = [
    ("GET", Method::GET),
    ("POST", Method::POST),
    ("PUT", Method::PUT),
    ("PATCH", Method::PATCH),
    ("DELETE", Method::DELETE),
];

/// Every operation of the server's router. `{namespace}` and `{name}` stand for what a caller names.
///
/// # Errors
/// When a kind's schema or columns cannot be understood.
pub fn operations() -> Result<Vec<Operation>, ApiError> {
    // Nothing is sealed: the catalogue is only asked what there is.
    let catalogue = Catalogue::new(&Seal::new([0; 32], || [0; 16]), None)?;
    Ok(routes::operations().chain(catalogue.all().flat_map(|resource| of(resource))).collect())
}

fn of(resource: &Resource) -> Vec<Operation> {
    let inside = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
    let plural = &resource.plural;
    let mut places = vec![
        format!("{inside}{plural}"),
        format!("{inside}{plural}/{{name}}"),
        format!("{inside}{plural}/{{name}}/status"),
    ];
    if resource.namespaced {
        places.push(plural.clone());
    }
    places.iter().flat_map(|place| at(resource, place)).collect()
}

fn at(resource: &Resource, place: &str) -> Vec<Operation> {
    let Some(target) = Target::parse(place) else { return Vec::new() };
    let mut found = Vec::new();
    for (method, watch) in METHODS.iter().flat_map(|method| [(method, false), (method, true)]) {
        match Verb::asked(resource, &target, &method.1, watch) {
            Ok(verb) if watch == (verb == Verb::Watch) => found.push(operation(resource, place, method.0, verb)),
            _ => {}
        }
    }
    found
}

fn operation(resource: &Resource, place: &str, method: &'static str, verb: Verb) -> Operation {
    let query = if verb == Verb::Watch { "?watch=true" } else { "" };
    Operation {
        method,
        path: format!("{}/{place}{query}", resource.path_prefix()).into(),
        who: Who::May { action: verb.action().as_str(), kind: resource.kind.clone().into(), hidden: Hidden::Forbidden },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_every_verb_on_it_and_its_status() {
        let all = operations().unwrap();
        let on = |path: &str| {
            let found = all.iter().filter(|one| one.path.split('?').next() == Some(path));
            found.map(|one| one.method).collect::<Vec<_>>().join(" ")
        };
        let datasets = "/apis/bedplate.dev/v1alpha1/namespaces/{namespace}/datasets";
        assert_eq!(on(datasets), "GET GET POST DELETE");
        assert_eq!(on(&format!("{datasets}/{{name}}")), "GET PUT PATCH DELETE");
        assert_eq!(on(&format!("{datasets}/{{name}}/status")), "GET PUT PATCH");
        assert_eq!(on("/apis/bedplate.dev/v1alpha1/datasets"), "GET GET");
        assert_eq!(on("/api/v1/namespaces/{namespace}/secrets/{name}/status"), "", "a Secret has no status");
        assert_eq!(on("/api/v1/namespaces/{name}/status"), "GET PUT PATCH");
    }
}
