//! The page of one kind, and the list of all.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::example::Example;
use super::fields::{self, Field};

const WRITTEN: &str =
    "<!-- Written by `cargo xtask reference`: change the kind in crates/kinds, then run it again. -->\n";

pub fn file_name(definition: &Value) -> String {
    format!("{}.md", text(&definition["spec"]["names"]["singular"]))
}

pub fn of(definition: &Value, examples: &BTreeMap<String, Example>) -> String {
    let spec = &definition["spec"];
    let (names, version) = (&spec["names"], &spec["versions"][0]);
    let schema = &version["schema"]["openAPIV3Schema"];
    let kind = text(&names["kind"]);
    let mut page = format!("{WRITTEN}\n# {kind}\n\n{}\n\n", text(&schema["description"]));
    let short: Vec<_> =
        names["shortNames"].as_array().into_iter().flatten().map(|one| format!(", `{}`", text(one))).collect();
    line(
        &mut page,
        &format!(
            "`apiVersion: {}/{}` · {} · `{}`, `{}`{}\n",
            text(&spec["group"]),
            text(&version["name"]),
            if spec["scope"] == "Namespaced" { "in a namespace" } else { "of the whole platform" },
            text(&names["plural"]),
            text(&names["singular"]),
            short.concat(),
        ),
    );
    if let Some(example) = examples.get(kind) {
        line(&mut page, &format!("## Example\n\nFrom `{}`:\n", example.file));
        line(&mut page, &format!("```yaml\n{}\n```\n", example.text.trim_end()));
    }
    line(&mut page, "## Spec\n");
    table(&mut page, &fields::of(&schema["properties"]["spec"]), true);
    line(&mut page, "## Status\n\nWritten by the platform.\n");
    table(&mut page, &fields::of(&schema["properties"]["status"]), false);
    columns(&mut page, version);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

pub fn index(definitions: &[Value]) -> String {
    let mut page = format!("{WRITTEN}\n# Reference\n\nThe kinds, in the order a use case is told.\n\n");
    line(&mut page, "| kind | short names | what it is |\n|---|---|---|");
    for definition in definitions {
        let names = &definition["spec"]["names"];
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let short: Vec<_> =
            names["shortNames"].as_array().into_iter().flatten().map(|one| format!("`{}`", text(one))).collect();
        let kind = text(&names["kind"]);
        let what = cell(text(&schema["description"]));
        line(&mut page, &format!("| [{kind}]({}) | {} | {what} |", file_name(definition), short.join(", ")));
    }
    page
}

fn table(page: &mut String, rows: &[Field], asked: bool) {
    let head = if asked {
        "| field | type | default | required | what it is |\n|---|---|---|---|---|"
    } else {
        "| field | type | what it is |\n|---|---|---|"
    };
    line(page, head);
    for row in rows {
        let (path, kind, what) = (&row.path, cell(&row.kind), cell(&row.description));
        let required = if row.required { "yes" } else { "" };
        line(
            page,
            &if asked {
                format!("| `{path}` | {kind} | {} | {required} | {what} |", cell(&row.default))
            } else {
                format!("| `{path}` | {kind} | {what} |")
            },
        );
    }
    line(page, "");
}

/// What `get` shows, and what a field selector may name.
fn columns(page: &mut String, version: &Value) {
    line(page, "## Columns\n\nWhat `kubectl get` shows; the wide ones with `-o wide`.\n");
    line(page, "| column | shows | |\n|---|---|---|");
    for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
        let wide = if column["priority"].as_i64().unwrap_or(0) > 0 { "wide" } else { "" };
        line(page, &format!("| {} | `{}` | {wide} |", text(&column["name"]), text(&column["jsonPath"])));
    }
    line(page, "");
    let fields: Vec<_> = version["selectableFields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|field| format!("`{}`", text(&field["jsonPath"]).trim_start_matches('.')))
        .collect();
    if !fields.is_empty() {
        line(page, &format!("A field selector may name {}.\n", fields.join(", ")));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn line(page: &mut String, text: &str) {
    // Writing into a text does not fail.
    let _ = writeln!(page, "{text}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
