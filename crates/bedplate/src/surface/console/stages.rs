//! The loop of a use case, from dataset to monitor, as its objects stand.

use bedplate_console::{ObjectRow, Stage, StageKind, State};
use bedplate_kinds::{
    Dataset, Endpoint, FeatureView, FeatureViewStatus, Model, Monitor, ParityResult, Phase, TrainingRecipe, Workload,
};
use kube::ResourceExt;

use super::{object_row, state};

/// The objects of one namespace.
pub struct Objects {
    pub datasets: Vec<Dataset>,
    pub views: Vec<FeatureView>,
    pub recipes: Vec<TrainingRecipe>,
    pub workloads: Vec<Workload>,
    pub models: Vec<Model>,
    pub endpoints: Vec<Endpoint>,
    pub monitors: Vec<Monitor>,
}

impl Objects {
    pub fn is_empty(&self) -> bool {
        self.datasets.is_empty() && self.recipes.is_empty() && self.models.is_empty() && self.endpoints.is_empty()
    }
}

pub fn stages(objects: &Objects) -> Vec<Stage> {
    vec![
        data(&objects.datasets),
        features(&objects.views),
        training(&objects.recipes),
        gates(&objects.recipes),
        model(&objects.models),
        endpoint(&objects.endpoints),
        monitor(&objects.monitors),
    ]
}

/// The worst of the phases: what keeps the stage from being done.
fn worst(phases: impl Iterator<Item = Phase>) -> State {
    let rank = |phase: &Phase| match phase {
        Phase::Failed => 3,
        Phase::Running => 2,
        Phase::Pending => 1,
        Phase::Ready | Phase::Succeeded => 0,
    };
    match phases.max_by_key(rank) {
        // A stage is a state of affairs: what it took to get there has succeeded.
        Some(Phase::Succeeded) => State::Ready,
        Some(phase) => state(phase),
        None => State::Absent,
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `1 view`, `2 views`
fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

fn data(datasets: &[Dataset]) -> Stage {
    let statuses: Vec<_> = datasets.iter().map(|dataset| dataset.status.clone().unwrap_or_default()).collect();
    let rows: u64 = statuses.iter().map(|status| status.rows).sum();
    let quarantined: u64 = statuses.iter().map(|status| status.quarantined).sum();
    let whole = worst(statuses.iter().map(|status| status.phase));
    Stage {
        kind: StageKind::Dataset,
        state: if whole == State::Ready && quarantined > 0 { State::Attention } else { whole },
        headline: counted(rows, "row"),
        detail: format!("{}, {} in quarantine", counted(datasets.len() as u64, "table"), thousands(quarantined)),
    }
}

fn features(views: &[FeatureView]) -> Stage {
    let statuses = views.iter().map(|view| view.status.clone().unwrap_or_default());
    let rows: u64 = statuses.clone().map(|status| status.online_rows).sum();
    let features: usize = views.iter().map(|view| view.spec.features.len()).sum();
    let whole = worst(statuses.clone().map(|status| status.phase));
    let is_different = |status: FeatureViewStatus| {
        status.parity.is_some_and(|parity| {
            parity.result == ParityResult::Different && parity.materialized == status.materialized
        })
    };
    let differs = statuses.clone().any(is_different);
    Stage {
        kind: StageKind::Features,
        state: if whole == State::Ready && differs { State::Attention } else { whole },
        headline: counted(features as u64, "feature"),
        detail: format!("{}, {} online", counted(views.len() as u64, "view"), counted(rows, "row")),
    }
}

fn training(recipes: &[TrainingRecipe]) -> Stage {
    let statuses: Vec<_> = recipes.iter().map(|recipe| recipe.status.clone().unwrap_or_default()).collect();
    let rows: u64 = statuses.iter().map(|status| status.training_set_rows).sum();
    let dropped: u64 = statuses.iter().map(|status| status.label_rows_dropped).sum();
    let trained = statuses.iter().all(|status| !status.metrics.is_empty());
    let whole = worst(statuses.iter().map(|status| status.phase));
    Stage {
        kind: StageKind::Training,
        state: if trained && !recipes.is_empty() { State::Ready } else { whole },
        headline: counted(rows, "row"),
        detail: format!("{} dropped", counted(dropped, "label row")),
    }
}

fn gates(recipes: &[TrainingRecipe]) -> Stage {
    let gates: Vec<_> =
        recipes.iter().filter_map(|recipe| recipe.status.as_ref()).flat_map(|status| &status.gates).collect();
    let passed = gates.iter().filter(|gate| gate.passed).count();
    let declared: usize = recipes.iter().map(|recipe| recipe.spec.gates.len()).sum();
    let auc = recipes.iter().filter_map(|recipe| recipe.status.as_ref()?.metrics.get("auc").copied()).next();
    let state = match gates.len() {
        0 if declared == 0 => State::Absent,
        0 => State::Pending,
        all if all == passed => State::Ready,
        _ => State::Failed,
    };
    Stage {
        kind: StageKind::Gates,
        state,
        headline: format!("{passed} of {declared} passed"),
        detail: auc.map(|auc| format!("AUC {auc:.3}")).unwrap_or_default(),
    }
}

fn model(models: &[Model]) -> Stage {
    let versions: usize =
        models.iter().filter_map(|model| model.status.as_ref()).map(|status| status.versions.len()).sum();
    let newest = models.iter().filter_map(|model| model.status.as_ref()?.versions.last()).next();
    let digest = newest.and_then(|version| version.digest.get(..19)).unwrap_or_default();
    let signed = newest.is_some_and(|version| version.signed);
    Stage {
        kind: StageKind::Model,
        state: worst(models.iter().map(|model| model.status.clone().unwrap_or_default().phase)),
        headline: counted(versions as u64, "version"),
        detail: if signed { format!("signed, {digest}…") } else { digest.to_owned() },
    }
}

fn endpoint(endpoints: &[Endpoint]) -> Stage {
    let serving = endpoints.iter().filter(|one| one.status.as_ref().is_some_and(|status| status.phase == Phase::Ready));
    let version = endpoints.iter().filter_map(|one| one.status.as_ref()?.version).next();
    Stage {
        kind: StageKind::Endpoint,
        state: worst(endpoints.iter().map(|one| one.status.clone().unwrap_or_default().phase)),
        headline: format!("{} serving", serving.count()),
        detail: version.map(|version| format!("model version {version}")).unwrap_or_default(),
    }
}

fn monitor(monitors: &[Monitor]) -> Stage {
    let statuses: Vec<_> = monitors.iter().map(|one| one.status.clone().unwrap_or_default()).collect();
    let drifted: u64 = statuses.iter().map(|status| status.drifted_features).sum();
    let watched: usize = statuses.iter().map(|status| status.drift.len()).sum();
    let whole = worst(statuses.iter().map(|status| status.phase));
    Stage {
        kind: StageKind::Monitor,
        state: if whole == State::Ready && drifted > 0 { State::Attention } else { whole },
        headline: format!("{drifted} of {watched} drifted"),
        detail: "features".into(),
    }
}

/// Every object as a row, in the order of the loop.
pub fn rows(objects: &Objects) -> Vec<ObjectRow> {
    let mut rows = Vec::new();
    for one in &objects.datasets {
        let status = one.status.clone().unwrap_or_default();
        let figures = format!("{}, {} in quarantine", counted(status.rows, "row"), thousands(status.quarantined));
        rows.push(object_row("Dataset", one.name_any(), status.phase, figures, &status.conditions));
    }
    for one in &objects.views {
        let status = one.status.clone().unwrap_or_default();
        let figures = format!(
            "{}, {} online{}",
            counted(one.spec.features.len() as u64, "feature"),
            counted(status.online_rows, "row"),
            status.parity.as_ref().map(|parity| format!("; {}", parity.told())).unwrap_or_default()
        );
        rows.push(object_row("FeatureView", one.name_any(), status.phase, figures, &status.conditions));
    }
    for one in &objects.recipes {
        let status = one.status.clone().unwrap_or_default();
        let figures = counted(status.training_set_rows, "row");
        rows.push(object_row("TrainingRecipe", one.name_any(), status.phase, figures, &status.conditions));
    }
    for one in &objects.models {
        let status = one.status.clone().unwrap_or_default();
        let figures = status.latest.map(|version| format!("version {version}")).unwrap_or_default();
        rows.push(object_row("Model", one.name_any(), status.phase, figures, &status.conditions));
    }
    for one in &objects.endpoints {
        let status = one.status.clone().unwrap_or_default();
        rows.push(object_row("Endpoint", one.name_any(), status.phase, status.url, &status.conditions));
    }
    for one in &objects.monitors {
        let status = one.status.clone().unwrap_or_default();
        let figures = format!("{} drifted", counted(status.drifted_features, "feature"));
        rows.push(object_row("Monitor", one.name_any(), status.phase, figures, &status.conditions));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (336_776, "336,776"), (12_345_678, "12,345,678")]
        {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|number| counted(number, "view")), ["0 views", "1 view", "2 views"]);
    }

    #[test]
    fn one_failure_makes_the_stage_failed() {
        assert_eq!(worst([Phase::Ready, Phase::Failed, Phase::Running].into_iter()), State::Failed);
        assert_eq!(worst([Phase::Ready, Phase::Pending].into_iter()), State::Pending);
        assert_eq!(worst(std::iter::empty()), State::Absent);
        assert_eq!(worst([Phase::Succeeded].into_iter()), State::Ready);
    }
}
