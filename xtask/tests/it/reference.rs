//! A page for every kind, and what the chart holds of them, as the kinds themselves say it.

mod example;
mod fields;
mod page;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bedplate_kinds::registry::kinds;
use serde_json::Value;

const PAGES: &str = "docs/reference";
const CHART: &str = "deploy/helm/bedplate";

/// The environment variable with which `cargo xtask reference` has it write.
const WRITE: &str = "BEDPLATE_WRITE_REFERENCE";

#[test]
fn is_current() {
    let wanted = files();
    let stale = stale(&wanted);
    if std::env::var_os(WRITE).is_none() {
        assert_eq!(stale, Vec::<String>::new(), "not what the kinds say now; fix: cargo xtask reference");
    }
    for file in stale {
        let path = root().join(&file);
        match wanted.get(&file) {
            Some(text) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
                println!("wrote {file}");
            }
            None => {
                std::fs::remove_file(&path).unwrap();
                println!("removed {file}");
            }
        }
    }
}

fn root() -> PathBuf {
    bedplate_testkit::in_crate("..")
}

/// Files that differ from what they should be, are missing, or tell of a kind that is gone.
fn stale(wanted: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |(file, text): (&String, &String)| {
        let found = std::fs::read_to_string(root().join(file)).ok();
        (found.as_ref() != Some(text)).then(|| file.clone())
    };
    let mut stale: Vec<String> = wanted.iter().filter_map(differs).collect();
    for entry in std::fs::read_dir(root().join(PAGES)).into_iter().flatten() {
        let file = format!("{PAGES}/{}", entry.unwrap().file_name().to_string_lossy());
        if !wanted.contains_key(&file) {
            stale.push(file);
        }
    }
    stale
}

/// Every file, by its path from the root.
fn files() -> BTreeMap<String, String> {
    let definitions: Vec<_> = kinds().iter().map(|kind| serde_json::to_value(&kind.definition).unwrap()).collect();
    let examples = example::all(&root(), &root().join("examples"));
    let mut files = BTreeMap::new();
    for definition in &definitions {
        let name = page::file_name(definition);
        files.insert(format!("{PAGES}/{name}"), page::of(definition, &examples));
    }
    files.insert(format!("{PAGES}/README.md"), page::index(&definitions));
    files.insert(format!("{CHART}/crds/crds.yaml"), yaml(&definitions));
    files.insert(format!("{CHART}/files/kinds.yaml"), plurals(&definitions));
    files
}

fn yaml(definitions: &[Value]) -> String {
    let mut text = "# Written by `cargo xtask reference`: what `bedplate crds` prints.\n".to_owned();
    for definition in definitions {
        text.push_str("---\n");
        text.push_str(serde_saphyr::to_string(definition).unwrap().trim_end());
        text.push('\n');
    }
    text
}

fn plurals(definitions: &[Value]) -> String {
    let plural = |one: &Value| format!("- {}\n", one["spec"]["names"]["plural"].as_str().unwrap_or_default());
    let list: String = definitions.iter().map(plural).collect();
    format!("# Written by `cargo xtask reference` from the kinds.\nplurals:\n{list}")
}
