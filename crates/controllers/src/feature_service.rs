//! FeatureService: pins the versions of the views it selects from.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedplate_kinds::{Condition, FeatureService, FeatureServiceStatus, FeatureView, Phase, ViewSelection};
use bedplate_types::{ErrorKind, Problem};

use crate::core::{Platform, full_name};
use crate::hold::Hold;
use crate::run::Reconcile;
use crate::standing::CIRCUIT_OPEN;

impl Reconcile for FeatureService {
    async fn bring(
        platform: &Arc<Platform>,
        object: &Arc<Self>,
        status: &mut FeatureServiceStatus,
    ) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

async fn bring(
    platform: &Platform,
    service: &FeatureService,
    status: &mut FeatureServiceStatus,
) -> Result<Phase, Hold> {
    let namespace = full_name(service).namespace;
    let mut versions = BTreeMap::new();
    let mut features = service.spec.request_features.len();
    for selection in &service.spec.views {
        let view = ready(platform, &namespace, &selection.view).await?;
        features += selected(&view, selection)?.len();
        versions.insert(selection.view.clone(), view.status.unwrap_or_default().version);
    }
    status.features = features as u64;
    status.view_versions = versions;
    Ok(Phase::Ready)
}

/// A view that is ready, or a wait for it.
pub async fn ready(platform: &Platform, namespace: &str, name: &str) -> Result<FeatureView, Hold> {
    let view = platform.need::<FeatureView>(namespace, name).await?;
    match view.status.as_ref().map(|status| status.phase) {
        Some(Phase::Ready) => Ok(view),
        _ => Err(not_ready("feature view", name, view.status.iter().flat_map(|status| &status.conditions))),
    }
}

/// Why what stands on `name` has to wait; what stops the one stops the other.
pub fn not_ready<'a>(what: &str, name: &str, conditions: impl IntoIterator<Item = &'a Condition>) -> Hold {
    let open = conditions.into_iter().find(|condition| condition.type_ == "Ready" && condition.reason == CIRCUIT_OPEN);
    match open {
        Some(condition) => Hold::Stopped(format!("{what} {name} has stopped: {}", condition.message)),
        None => Hold::waiting(format!("{what} {name} is not ready")),
    }
}

/// Positions of the selected features among the view's own.
pub fn selected(view: &FeatureView, selection: &ViewSelection) -> Result<Vec<usize>, Hold> {
    let features = &view.spec.features;
    if selection.features.is_empty() {
        return Ok((0..features.len()).collect());
    }
    let position = |name: &String| {
        features.iter().position(|feature| &feature.name == name).ok_or_else(|| {
            let known: Vec<_> = features.iter().map(|feature| feature.name.as_str()).collect();
            let why = format!("feature view {} has no feature {name:?}; it has {}", selection.view, known.join(", "));
            Hold::Failed(Problem::new(ErrorKind::Invalid, "the feature service's selection", why))
        })
    };
    selection.features.iter().map(position).collect()
}
