//! What every status has in common: the phase, the Ready condition, the generation it speaks of.

use bedplate_kinds::{
    ApprovalStatus, BudgetStatus, ChangeClassStatus, Condition, DatasetStatus, EndpointStatus, EntityStatus,
    ExpectationSuiteStatus, FeatureServiceStatus, FeatureViewStatus, GlossaryTermStatus, ModelStatus, MonitorStatus,
    Phase, PolicyStatus, PriceSheetStatus, QuotaStatus, RoleBindingStatus, SiteStatus, TrainingRecipeStatus,
    WorkloadStatus, set_condition,
};
use bedplate_types::Timestamp;

use crate::hold::Hold;

/// A status as the controllers write it.
pub trait Standing: Clone + Default + PartialEq + serde::Serialize {
    fn phase(&self) -> Phase;
    fn stand(&mut self, phase: Phase, condition: Condition, generation: i64);
}

macro_rules! standing {
    ($($status:ty),* $(,)?) => {$(
        impl Standing for $status {
            fn phase(&self) -> Phase {
                self.phase
            }

            fn stand(&mut self, phase: Phase, condition: Condition, generation: i64) {
                self.phase = phase;
                self.observed_generation = generation;
                set_condition(&mut self.conditions, condition);
            }
        }
    )*};
}

standing!(
    DatasetStatus,
    FeatureViewStatus,
    FeatureServiceStatus,
    TrainingRecipeStatus,
    WorkloadStatus,
    ModelStatus,
    EndpointStatus,
    MonitorStatus,
    ApprovalStatus,
    PriceSheetStatus,
);

macro_rules! standing_without_conditions {
    ($($status:ty),* $(,)?) => {$(
        impl Standing for $status {
            fn phase(&self) -> Phase {
                self.phase
            }

            fn stand(&mut self, phase: Phase, _: Condition, generation: i64) {
                self.phase = phase;
                self.observed_generation = generation;
            }
        }
    )*};
}

standing_without_conditions!(
    GlossaryTermStatus,
    EntityStatus,
    ExpectationSuiteStatus,
    PolicyStatus,
    RoleBindingStatus,
    SiteStatus,
    ChangeClassStatus,
    BudgetStatus,
    QuotaStatus,
);

/// The reason of what stands still because of bad data: see [`Hold::Stopped`].
pub const CIRCUIT_OPEN: &str = "CircuitOpen";

/// The Ready condition that tells how a reconcile ended.
pub fn ready_condition(outcome: &Result<Phase, Hold>, generation: i64, now: Timestamp) -> (Phase, Condition) {
    let (phase, status, reason, message) = match outcome {
        Ok(phase) => (*phase, "True", format!("{phase:?}"), String::new()),
        Err(Hold::Waiting(message)) => (Phase::Pending, "False", "Waiting".to_owned(), message.clone()),
        Err(Hold::Stopped(message)) => (Phase::Pending, "False", CIRCUIT_OPEN.to_owned(), message.clone()),
        Err(Hold::Failed(problem) | Hold::Unreached(problem)) => {
            (Phase::Failed, "False", problem.kind.name(), tell(problem))
        }
        Err(Hold::Retry(error)) => (Phase::Pending, "Unknown", "Retrying".to_owned(), error.to_string()),
    };
    let condition = Condition {
        type_: "Ready".into(),
        status: status.into(),
        reason,
        message,
        last_transition_time: now.to_string(),
        observed_generation: Some(generation),
    };
    (phase, condition)
}

fn tell(problem: &bedplate_types::Problem) -> String {
    match &problem.fix {
        Some(fix) => format!("{problem}. To fix it: {fix}"),
        None => problem.to_string(),
    }
}
