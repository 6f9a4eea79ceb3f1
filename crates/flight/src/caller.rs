//! Who calls, in which namespace and what for.

use axum::extract::{Request as HttpRequest, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use bedplate_identity::{Authenticator, Principal, shown_token};
use bedplate_types::Problem;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::Caller;
use crate::status::refusal;

const NAMESPACE: &str = "x-bedplate-namespace";
const PURPOSE: &str = "x-bedplate-purpose";
const ENGINE: &str = "x-bedplate-engine";

/// The token that a call was made with, for who exchanges a password for it.
#[derive(Clone)]
pub(crate) struct Token(pub String);

/// Lets nobody in who is not known.
pub(crate) async fn known(
    State(authenticator): State<Authenticator>,
    mut request: HttpRequest,
    next: Next,
) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match authenticator.authenticate(shown.as_deref()) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            if let Some(token) = shown_token(shown.as_deref()) {
                request.extensions_mut().insert(Token(token));
            }
            next.run(request).await
        }
        Err(error) => refusal(&Problem::of("signing in", &error)),
    }
}

/// Of a call that came through [`known`].
pub(crate) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let principal = request.extensions().get::<Principal>().cloned();
    let principal = principal.ok_or_else(|| Status::unauthenticated("nobody is signed in"))?;
    let namespace = namespace(request.metadata(), &principal);
    let given = |name| text(request.metadata(), name).map(str::to_owned);
    Ok(Caller { principal, namespace, purpose: given(PURPOSE), engine: given(ENGINE) })
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

fn namespace(metadata: &MetadataMap, principal: &Principal) -> String {
    let own = ["workload:", "serviceaccount:"].iter().find_map(|kind| principal.name.strip_prefix(kind));
    let own = own.and_then(|name| name.split_once('/')).map(|(namespace, _)| namespace);
    text(metadata, NAMESPACE).or(own).unwrap_or("default").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_then_own_namespace_then_default() {
        let mut metadata = MetadataMap::new();
        assert_eq!(namespace(&metadata, &Principal::new("user:ana")), "default");
        assert_eq!(namespace(&metadata, &Principal::new("serviceaccount:flights/robot")), "flights");
        metadata.insert(NAMESPACE, "rides".parse().unwrap());
        assert_eq!(namespace(&metadata, &Principal::new("serviceaccount:flights/robot")), "rides");
    }

    #[test]
    fn a_call_that_nobody_vouched_for_has_no_caller() {
        assert_eq!(caller(&Request::new(())).unwrap_err().code(), tonic::Code::Unauthenticated);
    }
}
