//! `/ns/{namespace}/featureviews/{name}`: a feature view, how fresh and how right its rows are, and what was served of them.

use bedplate_types::Timestamp;
use maud::{Markup, html};

use crate::catalogue::labels;
use crate::facts::{FeatureFacts, FeatureView, Parity, Served};
use crate::{page, profile, show, tables};

pub fn feature_view(facts: &FeatureView, now: Timestamp) -> Markup {
    html! {
        (page::heading(&facts.namespace, &facts.name, &facts.description))
        (figures(facts))
        (features(facts))
        div.columns { (rows(facts, now)) (uses(facts)) }
    }
}

fn figures(facts: &FeatureView) -> Markup {
    html! {
        dl.figures data-part="figures" {
            div { dt { "State" } dd { (show::state(facts.state)) } }
            div { dt { "Entity" } dd { (facts.entity) } }
            div { dt { "Rows online" } dd { (show::count(facts.online_rows)) } }
            @if let Some(served) = &facts.served { div { dt { "Served in a day" } dd { (show::count(served.rows)) } } }
            div { dt { "A value may be used" } dd { (facts.ttl.as_deref().unwrap_or("for ever")) } }
            @if let Some(version) = &facts.version { div { dt { "Version" } dd { code { (version) } } } }
            @if !facts.owner.is_empty() { div { dt { "Owner" } dd { (facts.owner) } } }
        }
        @if !facts.terms.is_empty() { p data-part="labels" { (labels(None, &[], &facts.terms)) } }
    }
}

fn features(facts: &FeatureView) -> Markup {
    html! {
        section.panel #features data-part="features" {
            h2 { "Features" }
            p.quiet { (told(facts.served.as_ref())) }
            div.scroll { table.profile {
                caption { "Each feature, and the values of it that were served in the last day" }
                thead { tr {
                    th scope="col" { "Feature" } th scope="col" { "Made of" } th.n scope="col" { "Missing" }
                    th.n scope="col" { abbr title="Different values; ~ is an estimate, ±0.8 %" { "Distinct" } }
                    th scope="col" { "Values served" } th scope="col" { "Labels" }
                } }
                tbody { @for feature in &facts.features { (row(feature)) } }
            } }
        }
    }
}

fn told(served: Option<&Served>) -> String {
    match served {
        None => "What was served is told to who may read what the view holds, once it is ready.".to_owned(),
        Some(Served { rows: 0, .. }) => "Nothing was served in the last day.".to_owned(),
        Some(Served { rows, looked_at }) if looked_at < rows => {
            format!("Figures are of {} of {} rows that were served.", show::count(*looked_at), show::count(*rows))
        }
        Some(Served { rows, .. }) => format!("Figures are of all rows that were served: {}.", show::count(*rows)),
    }
}

fn row(feature: &FeatureFacts) -> Markup {
    let served = feature.served.as_ref();
    html! {
        tr id={ "feature-" (feature.name) } {
            (profile::named(&feature.name, &feature.description))
            td { (feature.made_of) }
            (profile::counts(served))
            td { @if let Some(served) = served { (profile::values(&feature.name, served)) } @else { (profile::dash()) } }
            td.labels { (labels(None, &[], &feature.terms)) }
        }
    }
}

fn rows(facts: &FeatureView, now: Timestamp) -> Markup {
    html! {
        section.panel #rows data-part="rows" {
            h2 { "Online and offline" }
            dl.figures {
                div { dt { "Newest row online" } dd {
                    (moment(facts.newest_online, now))
                    @if facts.expired { " " span.bad { "too old to be used" } }
                } }
                div { dt { "Newest row of the source" } dd { (moment(facts.newest_source, now)) } }
            }
            @match &facts.parity {
                None => (tables::nothing("They have not been compared yet.")),
                Some(Parity { equal, told, at }) => p {
                    @if *equal { b { "Equal" } } @else { span.bad { "Different" } } " " (told) ", " (show::ago(*at, now))
                },
            }
            p.quiet { "To compare them now:" }
            p { code { "bedplate features verify " (facts.name) " -n " (facts.namespace) } }
            p.quiet { "What was served beside what the source has, and beside what models were trained on:" }
            p { code { "bedplate features stats " (facts.name) " -n " (facts.namespace) } }
            p { code { "bedplate features skew " (facts.name) " -n " (facts.namespace) } }
        }
    }
}

fn moment(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! { @if let Some(at) = at { (show::ago(at, now)) } @else { (profile::dash()) } }
}

fn uses(facts: &FeatureView) -> Markup {
    html! {
        section.panel #uses data-part="uses" {
            h2 { "What it stands on" }
            ul.plain {
                @for dataset in &facts.datasets {
                    li { "Dataset " a href={ "/ns/" (facts.namespace) "/datasets/" (dataset) } { (dataset) } }
                }
            }
            h2 { "What stands on it" }
            @if facts.used_by.is_empty() { (tables::nothing("Nothing that you may see uses it.")) } @else {
                ul.plain { @for one in &facts.used_by { li { (one) } } }
            }
        }
    }
}
