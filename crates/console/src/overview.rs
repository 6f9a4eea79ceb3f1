//! `/`: what is running, each use case's loop, the last runs and predictions, the head of the audit log, the cost.

use bedplate_types::Timestamp;
use maud::{Markup, html};

use crate::facts::{AuditHead, Overview, UseCaseSummary};
use crate::flow::flow;
use crate::{show, tables};

pub fn overview(facts: &Overview, now: Timestamp) -> Markup {
    html! {
        h1 { "Overview" }
        (figures(facts, now))
        @if facts.use_cases.is_empty() { (empty()) }
        @for use_case in &facts.use_cases { (card(use_case)) }
        div.columns {
            div.stack {
                (tables::runs(&facts.runs, now))
                @if let Some(head) = &facts.audit { (audit(head)) }
            }
            div.stack {
                (tables::predictions(&facts.predictions, now))
                (tables::cost(&facts.cost))
            }
        }
    }
}

fn figures(facts: &Overview, now: Timestamp) -> Markup {
    html! {
        dl.figures data-part="figures" {
            div { dt { "Use cases" } dd { (facts.use_cases.len()) } }
            div { dt { "Cost so far" } dd { (show::money(facts.cost.total, &facts.cost.currency)) } }
            @if let Some(head) = &facts.audit {
                div { dt { "Audit entries" } dd { (show::count(head.leaves)) } }
            }
            div { dt { "Up for" } dd { (show::uptime(facts.platform.started_at, now)) } }
            div { dt { "Version" } dd { (facts.platform.version) } }
        }
    }
}

fn card(use_case: &UseCaseSummary) -> Markup {
    html! {
        section.panel data-part={ "use-case-" (use_case.namespace) } {
            h2 { a href={ "/ns/" (use_case.namespace) } { (use_case.namespace) } }
            @if !use_case.question.is_empty() { p.question { (use_case.question) } }
            (flow(use_case))
        }
    }
}

fn empty() -> Markup {
    html! {
        section.panel data-part="empty" {
            h2 { "No use case yet" }
            p { "Declare one, or see the example run end to end:" }
            p { code { "bedplate apply -f examples/flights/" } " or " code { "bedplate quickstart" } }
        }
    }
}

fn audit(head: &AuditHead) -> Markup {
    html! {
        section.panel #audit data-part="audit" {
            h2 { "Audit log" }
            p.figure { (show::count(head.leaves)) " entries" }
            dl.pairs {
                dt { "Root" }
                dd { @if let Some(root) = &head.root { code title=(root) { (root.short()) } } @else { "–" } }
                dt { "Proof" }
                dd { (proof(head.verified)) }
            }
        }
    }
}

fn proof(verified: Option<bool>) -> Markup {
    html! {
        @match verified {
            Some(true) => span.good { "verified" },
            Some(false) => span.bad { "does not verify: run " code { "bedplate audit verify" } },
            None => { "not checked since the start: " code { "bedplate audit verify" } },
        }
    }
}
