//! The tables both pages share: runs, predictions, costs.

use bedplate_types::Timestamp;
use maud::{Markup, html};

use crate::facts::{Cost, Prediction, Run};
use crate::show;

pub fn runs(runs: &[Run], now: Timestamp) -> Markup {
    html! {
        section.panel #runs data-part="runs" {
            h2 { "Last runs" }
            @if runs.is_empty() { (nothing("No workload has run yet.")) } @else {
                div.scroll { table {
                    caption { "Workloads, newest first" }
                    thead { tr {
                        th scope="col" { "Run" } th scope="col" { "Task" } th scope="col" { "State" }
                        th scope="col" { "Started" } th.n scope="col" { "Took" } th.n scope="col" { "CPU" }
                        th.n scope="col" { abbr title="Peak resident memory" { "Memory" } }
                    } }
                    tbody { @for run in runs { (run_row(run, now)) } }
                } }
            }
        }
    }
}

fn run_row(run: &Run, now: Timestamp) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "/ns/" (run.namespace) "#runs" } { (run.namespace) "/" (run.name) } }
            td { (run.task) }
            td {
                (show::state(run.state))
                @if let Some(code) = run.exit_code.filter(|code| *code != 0) { " " small { "exit " (code) } }
            }
            td { @if let Some(at) = run.started_at { (show::ago(at, now)) } @else { "–" } }
            td.n { (run.wall.map_or_else(dash, show::length)) }
            td.n { (run.cpu.map_or_else(dash, show::length)) }
            td.n { (run.peak_memory.map_or_else(dash, |bytes| bytes.to_string())) }
        }
    }
}

pub fn predictions(predictions: &[Prediction], now: Timestamp) -> Markup {
    html! {
        section.panel #predictions data-part="predictions" {
            h2 { "Last predictions" }
            @if predictions.is_empty() { (nothing("Nothing has been predicted yet.")) } @else {
                div.scroll { table {
                    caption { "Predictions, newest first" }
                    thead { tr {
                        th scope="col" { "Prediction" } th scope="col" { "Endpoint" } th scope="col" { "Model" }
                        th scope="col" { "When" } th.n scope="col" { "Score" } th.n scope="col" { "Latency" }
                    } }
                    tbody { @for one in predictions { (prediction_row(one, now)) } }
                } }
            }
        }
    }
}

fn prediction_row(one: &Prediction, now: Timestamp) -> Markup {
    html! {
        tr {
            th scope="row" { code { (one.id) } }
            td { a href={ "/ns/" (one.namespace) "#predictions" } { (one.namespace) "/" (one.endpoint) } }
            td { (one.model_version) }
            td { (show::ago(one.at, now)) }
            td.n { (format!("{:.3}", one.score)) }
            td.n { (show::length(one.latency)) }
        }
    }
}

pub fn cost(cost: &Cost) -> Markup {
    html! {
        section.panel #cost data-part="cost" {
            h2 { "What it cost" }
            p.figure { (show::money(cost.total, &cost.currency)) }
            @if !cost.parts.is_empty() {
                table {
                    caption { "By part, largest first" }
                    thead { tr { th scope="col" { "Part" } th.n scope="col" { "Cost" } } }
                    tbody {
                        @for (part, amount) in &cost.parts {
                            tr { th scope="row" { (part) } td.n { (show::money(*amount, &cost.currency)) } }
                        }
                    }
                }
            }
        }
    }
}

pub fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

fn dash() -> String {
    "–".into()
}
