//! SQL by the binary: over HTTP and on the command line, with masks and filters that policies lift, written down and paid for.

mod versions;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bedplate_testkit::Server;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{Said, bedplate, control_url, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: care}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: patients, namespace: care}
spec:
  owner: ward
  classification: confidential
  tags: {purpose: 'care, research'}
  source: {path: patients.parquet}
  schema:
  - {name: id, type: int64}
  - {name: name, type: string}
  - {name: email, type: string}
  - {name: ssn, type: string}
  - {name: consent, type: int64}
  columnMasks:
  - {column: email, mask: hash, tags: {pii: email}}
  - {column: name, mask: redact}
  - {column: ssn, mask: hide, classification: phi}
  rowFilters:
  - {name: consented, where: consent = 1}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: ward-beds, namespace: care}
spec:
  owner: ward
  description: Beds by ward.
  source: {path: beds.parquet}
  schema:
  - {name: ward, type: string}
  - {name: beds, type: int64}
---
apiVersion: bedplate.dev/v1alpha1
kind: Policy
metadata: {name: analysts, namespace: care}
spec:
  cedar: |
    @id(\"analysts-read-beds\")
    permit (principal == ServiceAccount::\"care/analyst\", action == Action::\"Dataset.read-data\", resource == Dataset::\"care/ward-beds\");
    @id(\"mail-is-for-care\")
    permit (principal == ServiceAccount::\"care/editor\", action == Action::\"Column.read-unmasked\", resource)
    when { resource.hasTag(\"pii\") && resource.getTag(\"pii\") == \"email\" && context has purpose && context.purpose == \"care\" };
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: editor, namespace: care}
spec: {role: editor, subjects: [{kind: ServiceAccount, name: editor}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: viewer, namespace: care}
spec: {role: viewer, subjects: [{kind: ServiceAccount, name: viewer}]}
";

pub struct Care {
    pub home: TempDir,
    _folder: TempDir,
    pub server: Server,
    pub api: Api,
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A ward: three patients of whom two consented, and its beds.
pub fn care() -> Care {
    care_with(&[])
}

/// The same of a platform that was started with more.
pub fn care_with(more: &[&str]) -> Care {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let numbers = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let patients = vec![
        ("id", numbers(&[1, 2, 3])),
        ("name", text(&["Ada", "Bob", "Cyd"])),
        ("email", text(&["ada@example.org", "bob@example.org", "cyd@example.org"])),
        ("ssn", text(&["111-11", "222-22", "333-33"])),
        ("consent", numbers(&[1, 1, 0])),
    ];
    parquet(&folder.path().join("patients.parquet"), patients);
    let beds = vec![("ward", text(&["north", "south"])), ("beds", numbers(&[12, 7]))];
    parquet(&folder.path().join("beds.parquet"), beds);
    fs::write(folder.path().join("all.yaml"), MANIFESTS).unwrap();
    let roots = ["--source-root", folder.path().to_str().unwrap()];
    let server = up(home.path(), &[&roots, more].concat());
    let file = folder.path().join("all.yaml");
    let applied = said(&mut bedplate(home.path(), &["apply", "-f", file.to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let api = Api::of(home.path(), home.path());
    let care = Care { home, _folder: folder, server, api };
    ["patients", "ward-beds"].into_iter().for_each(|dataset| care.await_ready(dataset));
    care
}

impl Care {
    fn await_ready(&self, dataset: &str) {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let found = self.api.get(&format!("/apis/bedplate.dev/v1alpha1/namespaces/care/datasets/{dataset}"));
            if found["status"]["phase"] == "Ready" {
                return;
            }
            assert!(Instant::now() < until && found["status"]["phase"] != "Failed", "{found}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A token of the service account.
    pub fn token(&self, name: &str) -> String {
        let account = json!({ "serviceAccount": { "namespace": "care", "name": name } });
        let (code, made) = self.api.ask("POST", "/bedplate/v1/tokens", &account);
        assert_eq!(code, 201, "{made}");
        made["token"].as_str().unwrap().to_owned()
    }

    pub fn cli(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), &[&["sql"], arguments, &["-n", "care"]].concat()))
    }

    /// The code and the lines, or the Status that refused.
    pub fn ask(&self, token: &str, sql: &str, purpose: Option<&str>) -> (u16, Vec<Value>) {
        let url = format!("{}/bedplate/v1/namespaces/care/sql", self.url());
        let headers = [("Content-Type", "application/json"), ("Authorization", &format!("Bearer {token}"))];
        let body = json!({ "sql": sql, "purpose": purpose }).to_string();
        let answer = crate::plain::send("POST", &url, &headers, &body);
        // Pieces of a body whose length nobody knew come with their own.
        let lines = answer.body.lines().filter(|line| line.starts_with('{'));
        (answer.code, lines.map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn url(&self) -> String {
        control_url(&self.server)
    }
}

#[test]
fn rows_are_masked_filtered_told_of_and_paid_for() {
    masked_filtered_told_of_and_paid_for(&care());
}

pub fn masked_filtered_told_of_and_paid_for(care: &Care) {
    let [editor, viewer, analyst, stranger] =
        ["editor", "viewer", "analyst", "stranger"].map(|account| care.token(account));

    // What the rows are for must be said, and binds the columns that are shown.
    let (code, refused) = care.ask(&editor, "select * from patients", None);
    assert!(code == 403 && refused[0]["message"].as_str().unwrap().contains("purpose"), "{refused:?}");
    let (code, rows) = care.ask(&editor, "select * from patients order by id", Some("research"));
    assert_eq!((code, rows.len()), (200, 2), "{rows:?}");
    assert_eq!((&rows[0]["name"], rows[0]["email"].as_str().unwrap().len()), (&json!("REDACTED"), 32));
    assert_eq!(rows[0].get("ssn"), None);
    let (_, rows) = care.ask(&editor, "select email, name from patients order by id", Some("care"));
    assert_eq!(rows[0], json!({ "email": "ada@example.org", "name": "REDACTED" }));

    // A policy opens one dataset to somebody who has no role.
    let (code, rows) = care.ask(&analyst, "select sum(beds) as beds from ward_beds", None);
    assert_eq!((code, &rows[0]), (200, &json!({ "beds": 19 })));
    let (_, tables) = care.ask(&analyst, "show tables", None);
    assert_eq!(tables, [json!({ "table_name": "ward_beds", "dataset": "ward-beds", "description": "Beds by ward." })]);
    // A viewer knows of it and may not read it; a stranger is told the same of what is there and of what is not.
    assert_eq!(care.ask(&viewer, "select * from ward_beds", None).0, 403);
    let told = |sql: &str, word: &str| {
        let (code, body) = care.ask(&stranger, sql, None);
        (code, body[0].to_string().replace(word, "WORD"))
    };
    let there = told("select * from patients", "patients");
    assert_eq!((there.0, &there), (404, &told("select * from nowhere", "nowhere")));
    assert_eq!(told("select 1", "x").0, 404);
    assert_eq!(told("show tables", "x").0, 404);

    // Each read has a leaf that tells what was read and how, and no value that was compared with.
    care.ask(&editor, "select id from patients where name = 'Ada Lovelace'", Some("research"));
    let log = care.api.log();
    let read: Vec<&Value> =
        log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf)).filter(|leaf| leaf["action"] == "read-data").collect();
    let last = read.last().unwrap();
    assert_eq!(
        (&last["actor"], &last["object"]),
        (&json!("serviceaccount:care/editor"), &json!("datasets/care/patients")),
        "{last}"
    );
    assert_eq!(
        (&last["detail"]["masked"], &last["detail"]["rowFilters"]),
        (&json!(["name", "email"]), &json!(["consented"]))
    );
    assert_eq!((&last["detail"]["purpose"], &last["detail"]["version"]), (&json!("research"), &json!(0)));
    assert!(
        last["detail"]["sql"].as_str().unwrap().contains("name = ?") && !last.to_string().contains("Lovelace"),
        "{last}"
    );
    let costs = care.api.get("/bedplate/v1/costs?namespace=care&by=resource");
    assert!(costs["lines"].as_array().unwrap().iter().any(|line| line["resource"] == "scanned_gigabytes"), "{costs}");

    on_the_command_line(care);
}

/// The administrator owns everything, and sees all of it.
fn on_the_command_line(care: &Care) {
    let all = care.cli(&["select name, ssn from patients order by id", "--purpose", "care", "-o", "csv"]);
    assert_eq!(all.out, "name,ssn\nAda,111-11\nBob,222-22\nCyd,333-33\n", "{}", all.err);
    let table = care.cli(&["select ward, beds from \"ward-beds\" order by 1"]);
    assert_eq!(table.out, "ward    beds\nnorth     12\nsouth      7\n", "{}", table.err);
    assert!(table.err.contains("2 rows"), "{}", table.err);
    let few = care.cli(&["select ward from care.ward_beds order by 1", "--limit", "1"]);
    assert!(few.out == "ward\nnorth\n" && few.err.contains("there are more"), "{few:?}");
    let json = care.cli(&["select count(*) as n from ward_beds", "-o", "json"]);
    assert_eq!(json.out, "{\"n\":2}\n");
    let none = care.cli(&["select ward from ward_beds where beds > 99", "-o", "csv"]);
    assert_eq!(none.out, "ward\n");
    let plan = care.cli(&["explain select * from ward_beds"]);
    assert!(plan.out.contains("DatasetScan: dataset=ward-beds") && !plan.out.contains(".parquet"), "{}", plan.out);
    let columns = care.cli(&["describe ward_beds", "-o", "json"]);
    assert_eq!(columns.out.lines().count(), 2, "{}", columns.out);
    care.cli(&["select * from ward_bed"]).refused(5, &["ward_beds", "bedplate sql 'show tables' -n care"]);
    care.cli(&["selec 1"]).refused(3, &["cannot be read"]);
    care.cli(&["drop table ward_beds"]).refused(3, &["DROP TABLE"]);
    care.cli(&["select wrd from ward_beds"]).refused(3, &["wrd", "ward_beds.ward"]);
    care.cli(&["select * from '/etc/passwd'"]).refused(5, &["/etc/passwd"]);
}
