//! `/catalogue`: everything that is declared, found by words.

use maud::{Markup, html};

use crate::facts::{Catalogue, CatalogueHit, CatalogueQuery};
use crate::{show, tables};

/// What can be looked for, as the form says it and as people read it.
const KINDS: [(&str, &str); 10] = [
    ("", "Everything"),
    ("dataset", "Datasets"),
    ("column", "Columns"),
    ("featureview", "Feature views"),
    ("feature", "Features"),
    ("featureservice", "Feature services"),
    ("model", "Models"),
    ("modelversion", "Model versions"),
    ("endpoint", "Endpoints"),
    ("glossaryterm", "Terms"),
];

pub fn catalogue(asked: &CatalogueQuery, facts: &Catalogue) -> Markup {
    html! {
        h1 { "Catalogue" }
        (form(asked))
        section.panel data-part="results" aria-label="Results" {
            h2 { (heading(facts)) }
            @if !facts.kinds.is_empty() { p.quiet { (by_kind(facts)) } }
            @if facts.hits.is_empty() {
                (tables::nothing("Nothing that you may see matches. Words may be cut short or mistyped; pii:email is a tag."))
            } @else {
                div.scroll { table {
                    caption { "The best matches first" }
                    thead { tr {
                        th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Namespace" }
                        th scope="col" { "Owner" } th scope="col" { "Description" } th scope="col" { "Labels" }
                        th.n scope="col" { "Used by" }
                    } }
                    tbody { @for hit in &facts.hits { (row(hit)) } }
                } }
            }
        }
    }
}

fn form(asked: &CatalogueQuery) -> Markup {
    html! {
        form.search role="search" method="get" action="/catalogue" {
            label for="q" { "Search" }
            input #q type="search" name="q" value=(asked.text) maxlength="400" autocomplete="off"
                placeholder="names, owners, descriptions, tags";
            label for="kind" { "for" }
            select #kind name="kind" {
                @for (value, word) in KINDS { option value=(value) selected[value == asked.kind] { (word) } }
            }
            @if !asked.namespace.is_empty() { input type="hidden" name="namespace" value=(asked.namespace); }
            button type="submit" { "Search" }
        }
        @if !asked.namespace.is_empty() {
            p.quiet { "In namespace " (asked.namespace) ". " a href="/catalogue" { "Look everywhere" } }
        }
    }
}

fn heading(facts: &Catalogue) -> String {
    let shown = facts.hits.len();
    match facts.total {
        0 => "Nothing found".to_owned(),
        1 => "1 found".to_owned(),
        total if total > shown => format!("{} found, the first {shown} shown", show::count(total as u64)),
        total => format!("{} found", show::count(total as u64)),
    }
}

fn by_kind(facts: &Catalogue) -> String {
    facts.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(" · ")
}

fn row(hit: &CatalogueHit) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(address(hit)) { (hit.name) } }
            td { (hit.kind) }
            td { (hit.namespace) }
            td { (hit.owner) }
            td.why {
                (hit.description)
                @if !hit.same_as.is_empty() { span.suggestion { "The same as " (hit.same_as.join(", ")) } }
            }
            td.labels { (labels(hit.classification.as_deref(), &hit.tags, &hit.terms)) }
            td.n {
                @if hit.used_by.is_empty() { "–" } @else {
                    details {
                        summary { (hit.used_by.len()) span.unseen { " things use " (hit.name) } }
                        ul { @for one in &hit.used_by { li { (one) } } }
                    }
                }
            }
        }
    }
}

/// Classification, tags and terms, each said to be what it is.
pub fn labels(classification: Option<&str>, tags: &[String], terms: &[String]) -> Markup {
    html! {
        @if let Some(classification) = classification { span.label.class { (classification) } " " }
        @for tag in tags { span.label { (tag) } " " }
        @for term in terms { span.label.term { span.unseen { "term " } (term) } " " }
    }
}

fn address(hit: &CatalogueHit) -> String {
    let CatalogueHit { namespace, .. } = hit;
    match (&hit.dataset, &hit.view) {
        (Some(dataset), _) => format!("/ns/{namespace}/datasets/{dataset}"),
        (_, Some(view)) => format!("/ns/{namespace}/featureviews/{view}"),
        _ => format!("/ns/{namespace}#objects"),
    }
}
