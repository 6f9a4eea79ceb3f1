//! The loop of a use case, drawn: seven stations, and the way back from the outcomes to the features.

use maud::{Markup, html};

use crate::facts::{Stage, StageKind, State, UseCaseSummary};
use crate::show;

/// The stations in their order; one that the facts do not mention is shown as not declared.
pub fn flow(summary: &UseCaseSummary) -> Markup {
    html! {
        ol.flow aria-label={ "The loop of " (summary.namespace) } {
            @for kind in StageKind::ALL {
                (station(&summary.namespace, kind, summary.stages.iter().find(|stage| stage.kind == kind)))
            }
        }
        p.return { span { "outcomes flow back into the features and the next training" } }
    }
}

fn station(namespace: &str, kind: StageKind, stage: Option<&Stage>) -> Markup {
    let state = stage.map_or(State::Absent, |stage| stage.state);
    html! {
        li class={ "station " (show::words(state).0) } {
            a href={ "/ns/" (namespace) "#" (kind.section()) } { (kind.title()) }
            (show::state(state))
            @if let Some(stage) = stage {
                strong { (stage.headline) }
                @if !stage.detail.is_empty() { small { (stage.detail) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_station_is_drawn_even_when_nothing_is_declared() {
        let summary = UseCaseSummary { namespace: "demo".into(), question: String::new(), stages: Vec::new() };
        let drawn = flow(&summary).into_string();
        assert_eq!(drawn.matches("Not declared").count(), 7);
        assert!(drawn.contains("/ns/demo#drift"));
    }
}
