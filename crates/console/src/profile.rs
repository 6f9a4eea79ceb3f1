//! What a column or a feature holds, in a cell or two of a table.

use maud::{Markup, html};

use crate::facts::{ColumnProfile, Shape, Spread};
use crate::{chart, show};

/// The cell of its name.
pub fn named(name: &str, description: &str) -> Markup {
    html! {
        th scope="row" {
            code { (name) }
            @if !description.is_empty() { small.about { (description) } }
        }
    }
}

/// The cells of missing and different values.
pub fn counts(profile: Option<&ColumnProfile>) -> Markup {
    html! {
        td.n { (profile.map_or_else(dash, |profile| show::share(profile.missing))) }
        td.n { (profile.map_or_else(dash, distinct)) }
    }
}

fn distinct(profile: &ColumnProfile) -> String {
    let about = if profile.distinct_estimated { "~" } else { "" };
    format!("{about}{}", show::count(profile.distinct))
}

/// What a cell is without a profile.
pub fn dash() -> String {
    "–".into()
}

/// How the values of `name` lie.
pub fn values(name: &str, profile: &ColumnProfile) -> Markup {
    html! {
        @match &profile.shape {
            Shape::Hidden => span.quiet { "not yours to read" },
            Shape::Nothing => span.quiet { "no values" },
            Shape::Numbers(spread) => (numbers(name, spread)),
            Shape::Texts(top) => (texts(top)),
            Shape::Booleans(yes, no) => (texts(&[("true".to_owned(), *yes), ("false".to_owned(), *no)])),
        }
    }
}

fn numbers(name: &str, spread: &Spread) -> Markup {
    html! {
        (chart::histogram(name, spread))
        div.ends { span { (spread.least) } span { (spread.greatest) } }
        small { "median " (spread.median) ", mean " (spread.mean) }
    }
}

fn texts(top: &[(String, u64)]) -> Markup {
    let most = top.iter().map(|(_, count)| *count).max().unwrap_or_default();
    html! {
        @if top.is_empty() { span.quiet { "all rare" } } @else {
            ol.top {
                @for (text, count) in top.iter().take(5) {
                    li {
                        (chart::part(*count, most))
                        span.text { @if text.is_empty() { i { "empty" } } @else { (text) } }
                        span.n { (show::count(*count)) }
                    }
                }
            }
        }
    }
}
