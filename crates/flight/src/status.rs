//! Failures as gRPC tells them: the kind as a code, and one text with what, why and the fix.

use bedplate_types::Problem;
use tonic::{Code, Status};

pub(crate) fn status(problem: &Problem) -> Status {
    let fix = problem.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
    Status::new(Code::from_i32(problem.kind.grpc_code()), format!("{problem}{fix}"))
}

/// A refusal before a call is looked at, as gRPC has it.
#[must_use]
pub fn refusal(problem: &Problem) -> axum::response::Response {
    status(problem).into_http::<tonic::body::Body>().map(axum::body::Body::new)
}

/// What is asked for in vain, by anybody.
pub(crate) fn unsupported(what: &str) -> Status {
    Status::unimplemented(format!("{what}: not spoken here; only statements that read are answered"))
}

#[cfg(test)]
mod tests {
    use bedplate_types::ErrorKind;

    use super::*;

    #[test]
    fn the_kind_is_a_code_and_the_fix_is_told() {
        let problem = Problem::new(ErrorKind::NotFound, "table t", "there is no such table").with_fix("SHOW TABLES");
        let told = status(&problem);
        assert_eq!(
            (told.code(), told.message()),
            (Code::NotFound, "table t: there is no such table; fix: SHOW TABLES")
        );
        assert_eq!(status(&Problem::new(ErrorKind::Denied, "a", "b")).code(), Code::PermissionDenied);
    }
}
