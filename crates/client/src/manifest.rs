//! Manifests: files and folders of YAML or JSON documents, read in an order that can be applied.

use std::path::{Path, PathBuf};

use bedplate_types::{ErrorKind, Explained};
use kube::core::DynamicObject;
use serde_json::Value;

/// A manifest larger than this is not one.
const LARGEST: u64 = 4 << 20;

/// One object and where it was read.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub object: DynamicObject,
    pub file: PathBuf,
    /// The line its document begins on, from 1.
    pub line: usize,
}

impl Manifest {
    #[must_use]
    pub fn kind(&self) -> &str {
        self.object.types.as_ref().map_or("", |types| types.kind.as_str())
    }

    #[must_use]
    pub fn api_version(&self) -> &str {
        self.object.types.as_ref().map_or("", |types| types.api_version.as_str())
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("cannot read {}", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{} has {bytes} bytes; a manifest has at most {LARGEST}", file.display())]
    TooLarge { file: PathBuf, bytes: u64 },
    #[error("{}:{line}: {why}", file.display())]
    Malformed { file: PathBuf, line: usize, why: String },
    #[error("{} holds no manifest (files ending in .yaml, .yml or .json)", path.display())]
    Empty { path: PathBuf },
}

impl Explained for ManifestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Read { .. } | Self::Malformed { .. } | Self::Empty { .. } => ErrorKind::Invalid,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Malformed { file, line, .. } => {
                Some(format!("edit {} at line {line} and apply again", file.display()))
            }
            _ => None,
        }
    }
}

/// Every object of a file, or of the manifests directly in a folder; namespaces first, then what others depend on.
/// A relative `spec.source.path` of a Dataset becomes absolute, seen from the manifest's own folder.
pub fn load_manifests(path: &Path) -> Result<Vec<Manifest>, ManifestError> {
    let files = if path.is_dir() { files_in(path)? } else { vec![path.to_owned()] };
    let mut manifests = Vec::new();
    for file in files {
        manifests.extend(parse_manifests(&read(&file)?, &file)?);
    }
    if manifests.is_empty() {
        return Err(ManifestError::Empty { path: path.to_owned() });
    }
    manifests.sort_by_key(|manifest| rank(manifest.kind()));
    Ok(manifests)
}

/// Where a kind stands in the order of application: what is named by others goes before them.
fn rank(kind: &str) -> usize {
    const ORDER: &[&str] = &[
        "Namespace",
        "RoleBinding",
        "Policy",
        "Site",
        "Quota",
        "Budget",
        "PriceSheet",
        "Secret",
        "ConfigMap",
        "ExpectationSuite",
        "Dataset",
        "Entity",
        "FeatureView",
        "FeatureService",
        "TrainingRecipe",
        "Model",
        "Workload",
        "Endpoint",
        "Monitor",
        "GlossaryTerm",
        "Approval",
        "ChangeClass",
        "Event",
    ];
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let is_manifest = |path: &PathBuf| {
        path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known)) && !is_test(path)
    };
    Ok(all_files_in(folder)?.into_iter().filter(is_manifest).collect())
}

/// `bedplate test` and `bedplate policy test` read these; they declare nothing.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".test.yaml", ".test.yml", crate::policy::CASES].iter().any(|end| name.ends_with(end))
}

/// The files directly in a folder, by name.
pub(crate) fn all_files_in(folder: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let wrong = |source| ManifestError::Read { file: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn read(file: &Path) -> Result<String, ManifestError> {
    let wrong = |source| ManifestError::Read { file: file.to_owned(), source };
    let bytes = std::fs::metadata(file).map_err(wrong)?.len();
    if bytes > LARGEST {
        return Err(ManifestError::TooLarge { file: file.to_owned(), bytes });
    }
    std::fs::read_to_string(file).map_err(wrong)
}

/// The objects of one text; `file` is used in errors and to resolve relative paths.
pub fn parse_manifests(text: &str, file: &Path) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for (line, document) in documents(text) {
        let malformed = |line, why| ManifestError::Malformed { file: file.to_owned(), line, why };
        let value: Value = serde_saphyr::from_str(&document)
            .map_err(|error| malformed(line + line_of(&error), first_line(&error.to_string())))?;
        for item in items(value) {
            manifests.push(manifest(item, file, line).map_err(|why| malformed(line, why))?);
        }
    }
    Ok(manifests)
}

/// Splits at the document markers: a line `---` can be nothing else (YAML 1.2, 9.1.2). Line numbers are from 1.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = vec![(1, String::new())];
    for (at, line) in text.lines().enumerate() {
        if line.trim_end() == "---" || line.starts_with("--- ") || line.trim_end() == "..." {
            found.push((at + 2, String::new()));
        } else if let Some((_, document)) = found.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    found.retain(|(_, document)| document.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with('#')));
    found
}

/// How many lines into its document an error lies.
pub(crate) fn line_of(error: &serde_saphyr::Error) -> usize {
    error.location().and_then(|at| usize::try_from(at.line()).ok()).map_or(0, |line| line.saturating_sub(1))
}

/// The parser draws a picture of the place below its message; the message alone fits into ours.
pub(crate) fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        other => vec![other],
    }
}

fn manifest(mut value: Value, file: &Path, line: usize) -> Result<Manifest, String> {
    for field in ["apiVersion", "kind"] {
        if value[field].as_str().is_none_or(str::is_empty) {
            return Err(format!("{field} is missing: this is not an object of the platform"));
        }
    }
    if value["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        return Err(format!("metadata.name is missing from this {}", value["kind"].as_str().unwrap_or_default()));
    }
    resolve_source(&mut value, file);
    let object: DynamicObject = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(Manifest { object, file: file.to_owned(), line })
}

fn resolve_source(value: &mut Value, file: &Path) {
    if value["kind"] != "Dataset" {
        return;
    }
    let Some(Value::String(path)) = value.pointer_mut("/spec/source/path") else { return };
    // Of a database the path is empty in what was read back.
    if path.is_empty() || path.contains("://") || Path::new(&*path).is_absolute() {
        return;
    }
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    if let Ok(absolute) = std::path::absolute(folder.join(&*path)) {
        *path = absolute.to_string_lossy().into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "# a comment\n---\napiVersion: bedplate.dev/v1alpha1\nkind: Dataset\nmetadata: {name: flights}\n\
        spec: {source: {path: data/flights.parquet}}\n---\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: demo}\n";

    fn parse(text: &str) -> Result<Vec<Manifest>, ManifestError> {
        parse_manifests(text, Path::new("/demo/all.yaml"))
    }

    #[test]
    fn reads_every_document_with_its_line() {
        let found = parse(TWO).unwrap();
        let told: Vec<_> = found.iter().map(|m| (m.kind(), m.name(), m.line)).collect();
        assert_eq!(told, [("Dataset", "flights", 3), ("Namespace", "demo", 9)]);
        assert_eq!(found[0].object.data["spec"]["source"]["path"], "/demo/data/flights.parquet");
    }

    #[test]
    fn a_folder_is_read_in_an_order_that_can_be_applied() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), TWO).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not a manifest").unwrap();
        std::fs::write(folder.path().join("a.test.yaml"), "tests: []").unwrap();
        let found = load_manifests(folder.path()).unwrap();
        assert_eq!(found.iter().map(Manifest::kind).collect::<Vec<_>>(), ["Namespace", "Dataset"]);
        let path = found[1].object.data["spec"]["source"]["path"].as_str().unwrap();
        assert_eq!(Path::new(path), folder.path().join("data/flights.parquet"));
    }

    #[test]
    fn absolute_paths_and_addresses_stay() {
        for path in ["/data/x.parquet", "s3://bucket/x", ""] {
            let text = format!(
                "{{apiVersion: v1, kind: Dataset, metadata: {{name: x}}, spec: {{source: {{path: \"{path}\"}}}}}}"
            );
            assert_eq!(parse(&text).unwrap()[0].object.data["spec"]["source"]["path"], path);
        }
    }

    #[test]
    fn json_and_lists_are_manifests_too() {
        let item = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}"#;
        let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{item},{item}]}}"#);
        assert_eq!(parse(item).unwrap().len(), 1);
        assert_eq!(parse(&list).unwrap().len(), 2);
    }

    #[test]
    fn an_error_names_file_and_line() {
        let broken = parse("a: 1\n---\nkind: Dataset\n  bad: [\n").unwrap_err().to_string();
        assert!(broken.starts_with("/demo/all.yaml:"), "{broken}");
        let nameless = parse("\n---\napiVersion: v1\nkind: Namespace\n").unwrap_err().to_string();
        assert_eq!(nameless, "/demo/all.yaml:3: metadata.name is missing from this Namespace");
        let kindless = parse("x: 1").unwrap_err().to_string();
        assert!(kindless.contains("apiVersion is missing"), "{kindless}");
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load_manifests(folder.path()), Err(ManifestError::Empty { .. })));
        let missing = load_manifests(&folder.path().join("no.yaml")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
