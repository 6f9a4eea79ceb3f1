//! Every SQL statement there is, prepared on both engines: the statements are found in the source, not remembered.

mod literals;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bedplate_db::{Db, Migration, Tx, Value};
use bedplate_testkit::Postgres;

use literals::{Literal, literals};

/// Crates whose SQL is not for the database: the store itself, tests' tools, and what asks DataFusion.
const NOT_OURS: [&str; 4] = ["db", "testkit", "query", "catalogue"];

const VERBS: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];

/// What stands in the holes of the statements that are put together: the end of the file's name, the hole, and each text that
/// it can be. `literal:…` is the literal of the same file that begins so, `const:FILE:NAME` a constant of another.
const HOLES: &[(&str, &str, &[&str])] = &[
    ("buckets/src/object.rs", "COLUMNS", &["const:buckets/src/object.rs:COLUMNS"]),
    ("buckets/src/list.rs", "COLUMNS", &["const:buckets/src/object.rs:COLUMNS"]),
    ("buckets/src/list.rs", "operator", &[">", ">="]),
    ("buckets/src/list.rs", "bound", &["", " AND key < $4"]),
    ("ledger/src/report.rs", "columns", &["", "namespace, team, subject, resource, day, "]),
    ("ledger/src/verify.rs", "one", &["const:ledger/src/verify.rs:COUNTED"]),
    ("ledger/src/verify.rs", "other", &["const:ledger/src/verify.rs:KEPT"]),
    ("ledger/src/verify.rs", "something", &["literal:events <> 0 OR"]),
    ("ledger/src/verify.rs", "table", &["ledger_usage", "ledger_entries", "ledger_postings", "ledger_unpriced"]),
    ("lineage/src/walk.rs", "columns", &["cause, effect, made_by, at"]),
    ("lineage/src/walk.rs", "table", &["lineage_edges", "lineage_columns"]),
    ("lineage/src/walk.rs", "near", &["cause", "effect"]),
    ("lineage/src/walk.rs", "", &["$1, $2"]),
    ("read/datasets.rs", "", &["const:read/runs.rs:COLUMNS"]),
    ("read/jobs.rs", "", &["const:read/runs.rs:COLUMNS"]),
    ("read/events.rs", "from", &["literal:FROM openlineage_events"]),
    ("read/events.rs", "places", &["($3, $4)"]),
    ("read/events.rs", "order", &["e.at, e.digest", "e.at DESC, e.digest DESC"]),
    ("read/events.rs", "limit", &["5"]),
    ("read/events.rs", "offset", &["6"]),
    ("read/namespaces.rs", "places", &["($3, $4)"]),
    ("read/search.rs", "matches", &["literal:LOWER(name) LIKE"]),
    ("read/search.rs", "places", &["($7, $8)"]),
    ("read/search.rs", "", &["name, namespace, sort", "updated_at DESC, name, namespace, sort"]),
];

/// A source file without its tests.
struct Source {
    name: String,
    literals: Vec<Literal>,
}

#[test]
fn every_statement_can_be_prepared_on_both_engines() {
    let sources = sources();
    let statements: Vec<(String, String)> = sources.iter().flat_map(|one| statements(&sources, one)).collect();
    // The number of calls is counted apart from the statements: a statement that is written otherwise would not be found.
    let calls: usize = sources.iter().map(|one| one.literals.iter().filter(|literal| literal.is_asked).count()).sum();
    println!("{} statements, {calls} of them written where they are asked", statements.len());
    assert!(statements.len() >= 100 && calls >= 40, "{} statements, {calls} calls", statements.len());
    let folder = tempfile::tempdir().unwrap();
    check(&Db::open(&folder.path().join("all.db"), &migrations()).unwrap(), "SQLite", &statements);
    if let Some(server) = Postgres::shared("preparing every statement on PostgreSQL") {
        check(&Db::connect(&server.database(), &migrations()).unwrap(), "PostgreSQL", &statements);
    }
}

/// Of all crates, as the platform has them.
pub fn migrations() -> Vec<Migration> {
    const BELONGS: &[Migration] =
        &[Migration { name: "platform_0001_belongs", sql: include_str!("../../src/platform/belongs.sql") }];
    [
        bedplate_audit::MIGRATIONS,
        bedplate_buckets::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_openlineage::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
        bedplate_serving::MIGRATIONS,
        bedplate_statistics::MIGRATIONS,
        bedplate_controllers::MIGRATIONS,
        BELONGS,
    ]
    .concat()
}

/// `EXPLAIN` has the engine read and plan the statement without running it.
fn check(db: &Db, engine: &str, statements: &[(String, String)]) {
    let refused: Vec<String> = statements
        .iter()
        .filter_map(|(place, sql)| {
            let arguments = vec![Value::Null; arguments(sql)];
            let explain = |tx: &mut dyn Tx| tx.query(&format!("EXPLAIN {sql}"), &arguments);
            let error = db.read(explain).err()?;
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Some(format!("{place}: {error}: {why}"))
        })
        .collect();
    assert!(refused.is_empty(), "{engine} refuses\n{}", refused.join("\n"));
}

fn arguments(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

fn sources() -> Vec<Source> {
    let crates = bedplate_testkit::in_crate("..");
    let mut files = Vec::new();
    for folder in fs::read_dir(&crates).unwrap().map(|entry| entry.unwrap()) {
        if !NOT_OURS.contains(&folder.file_name().to_str().unwrap()) {
            find(&folder.path().join("src"), &mut files);
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let name = path.strip_prefix(&crates).unwrap().display().to_string();
        Source { name, literals: literals(product) }
    };
    files.into_iter().map(read).collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            find(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            files.push(entry);
        }
    }
}

/// The statements of a file with their places, each way of filling their holes one.
fn statements(sources: &[Source], of: &Source) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for literal in &of.literals {
        for filled in fill(sources, of, &literal.text) {
            if is_statement(&filled) {
                found.push((format!("{}:{}", of.name, literal.line), filled));
            }
        }
    }
    found
}

/// Migrations, of several statements, are run on both engines instead.
fn is_statement(text: &str) -> bool {
    if text.trim().trim_end_matches(';').contains(';') {
        return false;
    }
    let mut words = text.split_whitespace();
    let verb = words.next().unwrap_or_default();
    VERBS.contains(&verb) && words.next().is_some_and(|word| word != "/") && text.contains(char::is_lowercase)
}

/// Text with every hole filled in every way; text that begins as no statement does is left as it is.
fn fill(sources: &[Source], of: &Source, text: &str) -> Vec<String> {
    let begins = VERBS.iter().any(|verb| text.trim_start().starts_with(&format!("{verb} ")));
    let Some((before, rest)) = text.split_once('{').filter(|_| begins || text.starts_with('{')) else {
        return vec![text.to_owned()];
    };
    let Some((hole, after)) = rest.split_once('}') else { return vec![text.to_owned()] };
    let constants: BTreeMap<&str, &str> = named(of).collect();
    let ways: Vec<String> = match constants.get(hole) {
        Some(text) => vec![(*text).to_owned()],
        None => ways(sources, of, hole),
    };
    if ways.is_empty() {
        assert!(!begins, "{}: nobody says what is in the hole {{{hole}}} of {text:?}: add it to HOLES", of.name);
        return vec![text.to_owned()];
    }
    // A hole with a name is the same wherever it stands.
    let filled = |way: &String| match hole {
        "" => format!("{before}{way}{after}"),
        hole => text.replace(&format!("{{{hole}}}"), way),
    };
    ways.iter().flat_map(|way| fill(sources, of, &filled(way))).collect()
}

fn ways(sources: &[Source], of: &Source, hole: &str) -> Vec<String> {
    let here = |(file, name, _): &&(&str, &str, &[&str])| of.name.ends_with(file) && *name == hole;
    let ways = HOLES.iter().find(here).map(|(_, _, ways)| *ways).unwrap_or_default();
    ways.iter().map(|way| told(sources, of, way)).collect()
}

fn told(sources: &[Source], of: &Source, way: &str) -> String {
    if let Some(begin) = way.strip_prefix("literal:") {
        let found = of.literals.iter().find(|literal| literal.text.starts_with(begin));
        return found.unwrap_or_else(|| panic!("{} has no literal {begin:?}", of.name)).text.clone();
    }
    let Some((file, name)) = way.strip_prefix("const:").and_then(|rest| rest.split_once(':')) else {
        return way.to_owned();
    };
    let there = sources.iter().find(|source| source.name.ends_with(file)).unwrap_or_else(|| panic!("no {file}"));
    named(there).find(|(constant, _)| *constant == name).unwrap_or_else(|| panic!("no {name} in {file}")).1.to_owned()
}

fn named(source: &Source) -> impl Iterator<Item = (&str, &str)> {
    source.literals.iter().filter_map(|literal| Some((literal.constant.as_deref()?, literal.text.as_str())))
}
