//! The listener the cluster's API server asks before it stores one of the kinds.

use axum::Router;
use axum::routing::get;
use bedplate_apiserver::{Admission, AdmissionOptions, Trusted};
use bedplate_types::Problem;

use super::{Cluster, ClusterOptions};
use crate::platform::Spine;
use crate::rules::more_rules;

pub fn routes(spine: &Spine, cluster: &Cluster, options: &ClusterOptions) -> Result<Router, Problem> {
    let trusted = Trusted { own: cluster.own.clone(), administrators: options.admin_groups.clone() };
    let admission = Admission::new(AdmissionOptions {
        db: spine.db.clone(),
        policy: spine.policy.clone(),
        clock: spine.clock.clone(),
        trusted,
        more_rules: Some(more_rules),
    });
    let admission = admission.map_err(|error| Problem::of("the webhook", &error))?;
    Ok(admission.router().route("/healthz", get(|| async { "ok" })))
}
