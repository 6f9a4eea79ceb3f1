//! `/ns/{namespace}`: one use case in full.

use bedplate_types::Timestamp;
use maud::{Markup, html};

use crate::facts::{DriftFinding, GateFinding, ObjectRow, State, UseCase};
use crate::flow::flow;
use crate::{chart, show, tables};

pub fn use_case(facts: &UseCase, now: Timestamp) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/" { "Overview" } " / " span aria-current="page" { (facts.summary.namespace) } }
        h1 { (facts.summary.namespace) }
        @if !facts.summary.question.is_empty() { p.question { (facts.summary.question) } }
        section.panel data-part="loop" { h2 { "The loop" } (flow(&facts.summary)) }
        (objects(&facts.summary.namespace, &facts.objects))
        div.columns { (gates(&facts.gates)) (tables::cost(&facts.cost)) }
        (drift(facts))
        div.columns { (tables::runs(&facts.runs, now)) (tables::predictions(&facts.predictions, now)) }
    }
}

fn objects(namespace: &str, objects: &[ObjectRow]) -> Markup {
    html! {
        section.panel #objects data-part="objects" {
            h2 { "Objects" }
            @if objects.is_empty() { (tables::nothing("Nothing is declared in this namespace.")) } @else {
                div.scroll { table {
                    caption { "What is declared, and where it stands" }
                    thead { tr {
                        th scope="col" { "Kind" } th scope="col" { "Name" } th scope="col" { "State" }
                        th scope="col" { "Figures" } th scope="col" { "Why" }
                    } }
                    tbody { @for object in objects { (object_row(namespace, object)) } }
                } }
            }
        }
    }
}

fn object_row(namespace: &str, object: &ObjectRow) -> Markup {
    html! {
        tr {
            td { (object.kind) }
            th scope="row" {
                @match object.kind.as_str() {
                    "Dataset" => a href={ "/ns/" (namespace) "/datasets/" (object.name) } { (object.name) },
                    "FeatureView" => a href={ "/ns/" (namespace) "/featureviews/" (object.name) } { (object.name) },
                    _ => (object.name),
                }
            }
            td { (show::state(object.state)) }
            td { (object.figures) }
            td.why { @if !object.reason.is_empty() { b { (object.reason) } " " } (object.message) }
        }
    }
}

fn gates(gates: &[GateFinding]) -> Markup {
    html! {
        section.panel #gates data-part="gates" {
            h2 { "Gates" }
            @if gates.is_empty() { (tables::nothing("No model has come to the gates yet.")) } @else {
                div.scroll { table {
                    caption { "What the newest version was held against" }
                    thead { tr {
                        th scope="col" { "Gate" } th.n scope="col" { "Found" } th.n scope="col" { "Bound" }
                        th scope="col" { "Result" } th scope="col" { "Evidence" }
                    } }
                    tbody { @for gate in gates { (gate_row(gate)) } }
                } }
            }
        }
    }
}

fn gate_row(gate: &GateFinding) -> Markup {
    html! {
        tr {
            th scope="row" { (gate.name) }
            td.n { (figure(gate.value)) }
            td.n { (figure(gate.bound)) }
            td { @if gate.passed { span.good { "passed" } } @else { span.bad { "refused" } } }
            td.why { (gate.detail) }
        }
    }
}

fn drift(facts: &UseCase) -> Markup {
    html! {
        section.panel #drift data-part="drift" {
            h2 { "Drift" }
            @if facts.drift.is_empty() { (tables::nothing("No monitor has reported yet.")) } @else {
                p { (drift_summary(&facts.drift, facts.drift_threshold)) }
                div.scroll { table {
                    caption { "Reference window against the current one; the tick is the threshold" }
                    thead { tr {
                        th scope="col" { "Feature" } th scope="col" { "Largest distance" }
                        th.n scope="col" { abbr title="Normalised Wasserstein distance" { "Wasserstein" } }
                        th.n scope="col" { abbr title="Jensen-Shannon distance" { "Jensen-Shannon" } }
                        th.n scope="col" { abbr title="Population stability index" { "PSI" } }
                        th.n scope="col" { "Missing" } th scope="col" { "State" }
                    } }
                    tbody { @for finding in &facts.drift { (drift_row(finding, facts.drift_threshold)) } }
                } }
            }
            @if !facts.label_by_month.is_empty() {
                h3 { "Share of positive labels by month" }
                div.scroll { (chart::months(&facts.label_by_month)) }
            }
        }
    }
}

fn drift_summary(drift: &[DriftFinding], threshold: f64) -> String {
    let drifted = drift.iter().filter(|finding| finding.drifted).count();
    format!("{drifted} of {} features moved further than {}.", drift.len(), figure(threshold))
}

fn drift_row(finding: &DriftFinding, threshold: f64) -> Markup {
    let largest = finding.jensen_shannon.max(finding.wasserstein);
    html! {
        tr {
            th scope="row" { code { (finding.feature) } }
            td { (chart::bar(largest, threshold, finding.drifted)) }
            td.n { (figure(finding.wasserstein)) }
            td.n { (figure(finding.jensen_shannon)) }
            td.n { (figure(finding.psi)) }
            td.n { (show::share(finding.missing_reference)) " → " (show::share(finding.missing_current)) }
            td { @if finding.drifted { (show::state(State::Attention)) } @else { span.quiet { "steady" } } }
        }
    }
}

fn figure(number: f64) -> String {
    format!("{number:.3}")
}
