//! `/ns/{namespace}/datasets/{name}`: a dataset with what its columns hold, how its ingests went and what stands on it.

use bedplate_types::Timestamp;
use maud::{Markup, html};

use crate::catalogue::labels;
use crate::facts::{ColumnFacts, Dataset, IngestRow};
use crate::{page, profile, show, tables};

pub fn dataset(facts: &Dataset, now: Timestamp) -> Markup {
    html! {
        (page::heading(&facts.namespace, &facts.name, &facts.description))
        (figures(facts, now))
        (columns(facts))
        div.columns { (ingests(facts, now)) (uses(facts)) }
    }
}

fn figures(facts: &Dataset, now: Timestamp) -> Markup {
    html! {
        dl.figures data-part="figures" {
            div { dt { "State" } dd { (show::state(facts.state)) } }
            div { dt { "Rows" } dd { (show::count(facts.rows)) } }
            @if facts.quarantined > 0 { div { dt { "In quarantine" } dd { (show::count(facts.quarantined)) } } }
            @if let Some(version) = facts.version { div { dt { "Version" } dd { (version) } } }
            div { dt { "Owner" } dd { (facts.owner) } }
            div { dt { "Classification" } dd { (facts.classification) } }
            @if let Some((version, at)) = facts.profiled {
                div { dt { "Profile" } dd { "of version " (version) ", " (show::ago(at, now)) } }
            }
        }
        @if !facts.tags.is_empty() || !facts.terms.is_empty() {
            p data-part="labels" { (labels(None, &facts.tags, &facts.terms)) }
        }
    }
}

fn columns(facts: &Dataset) -> Markup {
    html! {
        section.panel #columns data-part="columns" {
            h2 { "Columns" }
            @if facts.profiled.is_none() { p.nothing { "A profile is gathered behind each ingest; there is none yet." } }
            div.scroll { table.profile {
                caption { "What each column holds; figures of values are there for who may read them" }
                thead { tr {
                    th scope="col" { "Column" } th scope="col" { "Type" } th.n scope="col" { "Missing" }
                    th.n scope="col" { abbr title="Different values; ~ is an estimate, ±0.8 %" { "Distinct" } }
                    th scope="col" { "Values" } th scope="col" { "Labels" }
                } }
                tbody { @for column in &facts.columns { (column_row(column)) } }
            } }
        }
    }
}

fn column_row(column: &ColumnFacts) -> Markup {
    let held = column.profile.as_ref();
    html! {
        tr id={ "column-" (column.name) } {
            (profile::named(&column.name, &column.description))
            td { (column.type_) }
            (profile::counts(held))
            td { @if let Some(held) = held { (profile::values(&column.name, held)) } @else { (profile::dash()) } }
            td.labels {
                (labels(column.classification.as_deref(), &column.tags, &column.terms))
                @if let Some(mask) = &column.mask { span.label { "mask " (mask) } " " }
                @for suggestion in &column.suggestions { span.suggestion { "Looks like " (suggestion) } }
            }
        }
    }
}

fn ingests(facts: &Dataset, now: Timestamp) -> Markup {
    html! {
        section.panel #quality data-part="quality" {
            h2 { "Quality" }
            @if facts.ingests.is_empty() { (tables::nothing("Nothing has been ingested yet.")) } @else {
                div.scroll { table {
                    caption { "Ingests, newest first" }
                    thead { tr {
                        th scope="col" { "When" } th.n scope="col" { "Version" } th.n scope="col" { "Rows" }
                        th.n scope="col" { "Quarantined" } th.n scope="col" { "Met" } th scope="col" { "Not met" }
                    } }
                    tbody { @for ingest in &facts.ingests { (ingest_row(ingest, now)) } }
                } }
            }
        }
    }
}

fn ingest_row(ingest: &IngestRow, now: Timestamp) -> Markup {
    let met = ingest.expectations - ingest.unmet.len().min(ingest.expectations);
    html! {
        tr {
            th scope="row" { (show::ago(ingest.at, now)) }
            @match ingest.version {
                Some(version) => { td.n { (version) } td.n { (show::count(ingest.rows)) } td.n { (show::count(ingest.quarantined)) } },
                None => { td.n { span.bad { "refused" } } td.n { "–" } td.n { "–" } },
            }
            td.n { (met) " of " (ingest.expectations) }
            td.why { (ingest.unmet.join("; ")) }
        }
    }
}

fn uses(facts: &Dataset) -> Markup {
    html! {
        section.panel #uses data-part="uses" {
            h2 { "What stands on it" }
            @if facts.used_by.is_empty() { (tables::nothing("Nothing that you may see uses it.")) } @else {
                ul.plain { @for one in &facts.used_by { li { (one) } } }
            }
            @if let Some(version) = facts.version {
                p.quiet { "Where its rows came from, and what was made of them:" }
                p { code { "bedplate trace table:" (facts.namespace) "/" (facts.name) "@" (version) } }
                p { code { "bedplate impact " (facts.name) " -n " (facts.namespace) } }
            }
        }
    }
}
