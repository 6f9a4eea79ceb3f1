//! Manifests of `examples/`, by the kind they declare.

use std::collections::BTreeMap;
use std::path::Path;

/// One document of a manifest.
pub struct Example {
    /// From the root of the repository.
    pub file: String,
    pub text: String,
}

/// The shortest document of each kind.
pub fn all(root: &Path, folder: &Path) -> BTreeMap<String, Example> {
    let mut found = BTreeMap::new();
    collect(root, folder, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Example>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            for document in documents(&std::fs::read_to_string(&path).unwrap()) {
                let Some(kind) = kind(&document) else { continue };
                let is_longer = |known: &Example| known.text.len() > document.len();
                if found.get(&kind).is_none_or(is_longer) {
                    let file = path.strip_prefix(root).unwrap().display().to_string();
                    found.insert(kind, Example { file, text: document });
                }
            }
        }
    }
}

fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents.retain(|one| !one.trim().is_empty());
    documents
}

fn kind(document: &str) -> Option<String> {
    document.lines().find_map(|line| line.strip_prefix("kind:")).map(|kind| kind.trim().to_owned())
}

mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart_by_their_kind() {
        let text = "# first\nkind: A\nspec: {}\n---\n---\nkind: B\n";
        let kinds: Vec<_> = documents(text).iter().map(|one| kind(one)).collect();
        assert_eq!(kinds, [Some("A".to_owned()), Some("B".to_owned())]);
    }
}
