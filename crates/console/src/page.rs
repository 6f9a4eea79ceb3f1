//! The frame around every page: head, skip link, banner, main.

use bedplate_types::Problem;
use maud::{DOCTYPE, Markup, html};

use crate::sign_in::SignedIn;

/// The page of somebody signed in. `main` is what changes; the script swaps its parts.
pub fn page(title: &str, who: &SignedIn, main: &Markup) -> Markup {
    let banner = html! {
        nav aria-label="Main" { a href="/" { "Overview" } a href="/catalogue" { "Catalogue" } }
        span #live role="status" data-state="off" {}
        span.who { (who.principal.name) }
        form method="post" action="/logout" {
            input type="hidden" name="key" value=(who.form_key);
            button type="submit" { "Sign out" }
        }
    };
    let body = html! { main #main data-live tabindex="-1" { (main) } };
    frame(title, &banner, &body, &html! { script src="/assets/live.js" defer {} })
}

/// The page of somebody who is not.
pub fn outside(title: &str, main: &Markup, head: &Markup) -> Markup {
    frame(title, &html! {}, &html! { main.outside #main tabindex="-1" { (main) } }, head)
}

fn frame(title: &str, banner: &Markup, main: &Markup, head: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · bedplate" }
                link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/console.css";
                (head)
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    a.mark href="/" {
                        img src="/assets/mark.svg" alt="" width="22" height="22";
                        "bedplate"
                    }
                    (banner)
                }
                (main)
            }
        }
    }
}

/// The way to an object of a namespace, its name, and what it is.
pub fn heading(namespace: &str, name: &str, description: &str) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/" { "Overview" } " / " a href={ "/ns/" (namespace) } { (namespace) } " / "
            span aria-current="page" { (name) }
        }
        h1 { (name) }
        @if !description.is_empty() { p.question { (description) } }
    }
}

/// A failure as a part of a page: what, why, and the way out.
pub fn problem(problem: &Problem) -> Markup {
    html! {
        section.panel.problem role="alert" {
            h1 { (problem.what) }
            p { (problem.why) }
            @if let Some(fix) = &problem.fix { p { code { (fix) } } }
            p { a href="/" { "Back to the overview" } }
        }
    }
}
