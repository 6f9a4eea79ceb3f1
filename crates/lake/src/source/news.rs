//! Which files were not loaded yet.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use bedplate_types::{ErrorKind, Explained};

use super::SourceFile;

/// What a source has that a table does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// To be loaded, in the order they were given.
    pub new: Vec<SourceFile>,
    /// Loaded before, now or under a path they had then; in the order of their paths.
    pub all: Vec<SourceFile>,
}

/// A file has other bytes than when it was loaded, so its rows cannot be told from those that are in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} was changed after it was loaded (it was {then} and is {now}), and load: newFiles only appends whole files"
)]
pub struct Changed {
    pub path: String,
    pub then: String,
    pub now: String,
}

impl Explained for Changed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn fix(&self) -> Option<String> {
        Some("put the rows that are new into a file of their own and the old file back; or load: full to replace all rows".into())
    }
}

/// A file is known by its path; one that was moved, by its bytes. A file that is gone stays loaded.
pub fn news(found: &[SourceFile], loaded: &[SourceFile]) -> Result<News, Changed> {
    let known: HashMap<&str, &SourceFile> = loaded.iter().map(|file| (file.path.as_str(), file)).collect();
    let there: HashSet<&str> = found.iter().map(|file| file.path.as_str()).collect();
    let gone = loaded.iter().filter(|file| !there.contains(file.path.as_str()));
    let moved: HashSet<_> = gone.map(|file| file.digest).collect();
    let mut new = Vec::new();
    for file in found {
        match known.get(file.path.as_str()) {
            Some(then) if then.digest != file.digest => return Err(changed(file, then)),
            Some(_) => {}
            None if moved.contains(&file.digest) => {}
            None => new.push(file.clone()),
        }
    }
    let mut all: Vec<SourceFile> = loaded.iter().chain(&new).cloned().collect();
    all.sort_by(|a, b| Path::new(&a.path).cmp(Path::new(&b.path)));
    Ok(News { new, all })
}

fn changed(file: &SourceFile, then: &SourceFile) -> Changed {
    Changed { path: file.path.clone(), then: then.digest.short(), now: file.digest.short() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedplate_types::Digest;

    /// `a1`: the file a with the content 1.
    fn files(told: &str) -> Vec<SourceFile> {
        let file = |told: &str| SourceFile {
            path: told[..1].to_owned(),
            digest: Digest::from_sha256([told.as_bytes()[1]; 32]),
            bytes: 1,
            modified: 0,
            tag: None,
        };
        told.split_whitespace().map(file).collect()
    }

    fn check(found: &str, loaded: &str, expect: Result<(&str, &str), &str>) {
        let got = news(&files(found), &files(loaded)).map_err(|changed| changed.path);
        let expect = expect.map(|(new, all)| News { new: files(new), all: files(all) }).map_err(str::to_owned);
        assert_eq!(got, expect, "{found} after {loaded}");
    }

    #[test]
    fn each_file_is_loaded_once() {
        check("a1 b2", "", Ok(("a1 b2", "a1 b2")));
        check("a1 b2 c3", "a1 b2", Ok(("c3", "a1 b2 c3")));
        check("a1 b2", "a1 b2", Ok(("", "a1 b2")));
        check("", "a1", Ok(("", "a1")));
        check("b2", "a1", Ok(("b2", "a1 b2")));
        check("z1", "a1", Ok(("", "a1")));
        check("a1 z1", "a1", Ok(("z1", "a1 z1")));
        check("a2", "a1", Err("a"));
    }
}
