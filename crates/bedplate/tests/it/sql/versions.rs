//! Versions of a dataset: read as they were by whoever may, brought back, and removed.

use std::process::Command;

use bedplate_types::Timestamp;

use super::*;

impl Care {
    fn data(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), &[&["data"], arguments, &["-n", "care"]].concat()))
    }

    fn status(&self, dataset: &str) -> Value {
        self.api.get(&format!("/apis/bedplate.dev/v1alpha1/namespaces/care/datasets/{dataset}"))["status"].clone()
    }

    fn await_version(&self, dataset: &str, version: i64) -> Value {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.status(dataset);
            if status["version"] == version && status["phase"] == "Ready" {
                return status;
            }
            assert!(Instant::now() < until, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Beds of the wards; the platform looks again because the description is another.
    fn beds(&self, wards: &[&str], beds: &[i64]) {
        let columns = vec![
            ("ward", Arc::new(StringArray::from(wards.to_vec())) as ArrayRef),
            ("beds", Arc::new(Int64Array::from(beds.to_vec())) as ArrayRef),
        ];
        // Whoever looks meanwhile sees the file as it was or as it will be.
        let (aside, file) = (self._folder.path().join("beds.aside"), self._folder.path().join("beds.parquet"));
        parquet(&aside, columns);
        fs::rename(aside, file).unwrap();
        self.look_again("ward-beds");
    }

    fn look_again(&self, dataset: &str) {
        let path = format!("/apis/bedplate.dev/v1alpha1/namespaces/care/datasets/{dataset}");
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let mut object = self.api.get(&path);
            object["spec"]["description"] = json!(format!("looked at {:?}", Instant::now()));
            let (code, said) = self.api.ask("PUT", &path, &object);
            // The controllers write its status meanwhile.
            if code == 200 {
                return;
            }
            assert!(code == 409 && Instant::now() < until, "{said}");
        }
    }
}

#[test]
fn earlier_versions_are_shown_as_the_newest_is_and_to_whom_it_is() {
    let care = care();
    let [editor, viewer, stranger] = ["editor", "viewer", "stranger"].map(|account| care.token(account));
    let numbers = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let patients = vec![
        ("id", numbers(&[1])),
        ("name", text(&["Eve"])),
        ("email", text(&["eve@example.org"])),
        ("ssn", text(&["444-44"])),
        ("consent", numbers(&[1])),
    ];
    parquet(&care._folder.path().join("patients.parquet"), patients);
    care.look_again("patients");
    care.await_version("patients", 1);

    let ask = |token: &str, sql: &str| care.ask(token, sql, Some("research"));
    let (_, now) = ask(&editor, "select id from patients");
    assert_eq!(now.len(), 1);
    for as_of in ["FOR VERSION AS OF 0", "version as of 0 as p", "FOR SYSTEM_VERSION AS OF 0"] {
        let (code, rows) = ask(&editor, &format!("select * from patients {as_of} order by id"));
        assert_eq!((code, rows.len()), (200, 2), "of three rows one is filtered: {rows:?}");
        assert_eq!((&rows[0]["name"], rows[0].get("ssn")), (&json!("REDACTED"), None), "{rows:?}");
        assert!(!format!("{rows:?}").contains("ada@"), "{rows:?}");
    }
    let (code, none) = ask(&editor, "select * from patients FOR VERSION AS OF 0 where name = 'Cyd' or consent = 0");
    assert_eq!((code, none.len()), (200, 0), "{none:?}");
    let (code, both) =
        ask(&editor, "select count(*) as n from patients version as of 0 a join patients b on a.id = b.id");
    assert_eq!((code, &both[0]), (200, &json!({ "n": 1 })));
    let versions: Vec<Value> = care
        .api
        .log()
        .iter()
        .map(|leaf| leaf.get("entry").unwrap_or(leaf))
        .filter(|leaf| leaf["action"] == "read-data" && leaf["detail"]["sql"].as_str().unwrap().contains("JOIN"))
        .map(|leaf| leaf["detail"]["version"].clone())
        .collect();
    assert_eq!(versions, [json!(1), json!(0)], "each version that was read is written down");

    let (code, missing) = ask(&editor, "select * from patients FOR VERSION AS OF 9");
    assert!(code == 404 && missing[0]["message"].as_str().unwrap().contains("0 to 1"), "{missing:?}");
    let (code, early) = ask(&editor, "select * from patients FOR TIMESTAMP AS OF '2001-01-01'");
    assert!(code == 404 && early[0]["message"].as_str().unwrap().contains("0 to 1 (since "), "{early:?}");
    let (code, wrong) = ask(&editor, "select * from patients FOR TIMESTAMP AS OF 'yesterday'");
    assert!((400..=422).contains(&code) && wrong[0]["message"].as_str().unwrap().contains("yesterday"), "{wrong:?}");
    for version in ["0", "9"] {
        let told = |token: &str, table: &str| {
            let (code, body) = ask(token, &format!("select * from {table} FOR VERSION AS OF {version}"));
            (code, body[0].to_string().replace(table, "WORD"))
        };
        assert_eq!(told(&stranger, "patients").0, 404);
        assert_eq!(told(&stranger, "patients"), told(&stranger, "nowhere"));
        let (code, words) = told(&viewer, "patients");
        assert!(code == 403 && !words.contains("0 to 1"), "{words}");
    }
}

#[test]
fn a_version_comes_back_and_old_ones_go_but_those_of_training_sets() {
    let care = care();
    care.beds(&["north"], &[1]);
    care.await_version("ward-beds", 1);
    care.beds(&["south"], &[2]);
    care.await_version("ward-beds", 2);

    // As a training set that was made of the first version would tell.
    let database =
        bedplate_db::Db::open(&care.home.path().join("bedplate.db"), &crate::statements::migrations()).unwrap();
    let set = "snapshot:sha256:abababababababababababababababababababababababababababababababab";
    let edge = bedplate_lineage::Edge {
        from: "table:care/ward-beds@0".parse().unwrap(),
        to: set.parse().unwrap(),
        by: "test".into(),
        at: Timestamp::from_micros(5),
    };
    database.write(move |tx| bedplate_lineage::link(tx, &edge)).unwrap();
    drop(database);

    let refused = care.data(&["vacuum", "ward-beds", "--retain", "1h"]);
    assert!(
        refused.code != Some(0) && refused.err.contains("--force") && refused.err.contains("1w"),
        "{}",
        refused.err
    );
    let kept = care.data(&["vacuum", "ward-beds"]);
    assert!(kept.out.starts_with("0 files "), "{kept:?}");
    let dry = care.data(&["vacuum", "ward-beds", "--retain", "0s", "--dry-run"]);
    assert!(dry.out.contains("1 files ") && dry.out.contains("would go"), "{dry:?}");
    let done = care.data(&["vacuum", "ward-beds", "--retain", "0s", "--force", "-o", "json"]).json();
    assert_eq!((&done["files"], &done["versions"], &done["pinned"]), (&json!(1), &json!([1]), &json!([0])), "{done}");
    let log = care.api.log();
    let leaves: Vec<&Value> =
        log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf)).filter(|leaf| leaf["action"] == "vacuum").collect();
    assert_eq!(leaves.len(), 1, "what was only looked at leaves nothing: {leaves:?}");
    assert_eq!((&leaves[0]["object"], &leaves[0]["detail"]["files"]), (&json!("datasets/care/ward-beds"), &json!(1)));

    let pinned = care.cli(&["select sum(beds) as beds from ward_beds for version as of 0", "-o", "csv"]);
    assert_eq!(pinned.out, "beds\n19\n", "{}", pinned.err);
    let gone = care.cli(&["select * from ward_beds for version as of 1"]);
    gone.refused(5, &["v1", "vacuumed", "0, 2", "bedplate data versions ward-beds"]);
    let listed = care.data(&["versions", "ward-beds"]);
    assert_eq!(listed.out.lines().filter(|line| line.trim_end().ends_with(" no")).count(), 1, "{}", listed.out);

    let restored = care.data(&["restore", "ward-beds", "--to-version", "0"]);
    assert!(restored.out.contains("at version 3 with 2 rows"), "{restored:?}");
    let status = care.await_version("ward-beds", 3);
    assert_eq!((&status["rows"], &status["restored"], &status["rowsOf"]), (&json!(2), &json!(true), &json!(0)));
    care.look_again("ward-beds");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(care.await_version("ward-beds", 3)["rows"], 2, "the next look at the source does not undo it");
    let now = care.cli(&["select sum(beds) as beds from ward_beds", "-o", "csv"]);
    assert_eq!(now.out, "beds\n19\n");
    let traced = said(&mut bedplate(care.home.path(), &["trace", "table:care/ward-beds@3"]));
    assert!(traced.out.contains("table:care/ward-beds@0"), "{}", traced.out);
    care.beds(&["south"], &[3]);
    let status = care.await_version("ward-beds", 4);
    assert_eq!((&status["restored"], &status["rowsOf"]), (&json!(false), &json!(4)), "new rows take the place of all");
}

#[test]
fn a_merged_and_joined_table_is_one_for_other_readers_too() {
    let care = care();
    let folder = care._folder.path().join("landing");
    fs::create_dir(&folder).unwrap();
    let manifest = "apiVersion: bedplate.dev/v1alpha1\nkind: Dataset\nmetadata: {name: stays, namespace: care}\nspec:\n  \
                    owner: ward\n  source: {path: 'landing/*.csv', load: merge, key: [id], sequenceBy: at}\n  schema:\n  \
                    - {name: id, type: int64}\n  - {name: at, type: int64}\n  - {name: ward, type: string}\n";
    let file = care._folder.path().join("stays.yaml");
    fs::write(&file, manifest).unwrap();
    fs::write(folder.join("a.csv"), "id,at,ward\n1,1,north\n2,1,north\n").unwrap();
    let applied = said(&mut bedplate(care.home.path(), &["apply", "-f", file.to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    care.await_version("stays", 0);
    for (version, rows) in [(1, "3,1,south\n4,1,south"), (2, "1,2,south\n4,0,north\n,9,north")] {
        fs::write(folder.join(format!("b{version}.csv")), format!("id,at,ward\n{rows}\n")).unwrap();
        care.look_again("stays");
        care.await_version("stays", version);
    }
    let status = care.status("stays");
    assert_eq!((&status["rows"], &status["quarantined"], &status["files"]), (&json!(4), &json!(1), &json!(3)));
    let joined = care.data(&["optimize", "stays"]);
    assert!(joined.out.contains("joined 3 files into 1") && joined.out.contains("version 3"), "{joined:?}");
    let status = care.await_version("stays", 3);
    assert_eq!((&status["dataFiles"], &status["rowsOf"]), (&json!(1), &json!(2)));
    let rows = "1,2,south\n2,1,north\n3,1,south\n4,1,south\n";
    for version in ["2", "3"] {
        let sql = format!("select * from stays for version as of {version} order by id");
        assert_eq!(care.cli(&[&sql, "-o", "csv"]).out, format!("id,at,ward\n{rows}"), "version {version}");
    }
    assert_eq!(care.data(&["optimize", "stays"]).out, "nothing to join: the table is at version 3 with 1 files\n");
    let Some(python) = bedplate_testkit::python() else {
        return bedplate_testkit::not_run("no Python environment with deltalake");
    };
    let program = "import deltalake, os, sys\nfor v in (0, 2, 3):\n    t = deltalake.DeltaTable(sys.argv[1], version=v).to_pyarrow_table()\n    \
                   print(v, sorted(zip(*(t[c].to_pylist() for c in ('id', 'at', 'ward')))), flush=True)\n\
                   print([h['operation'] for h in deltalake.DeltaTable(sys.argv[1]).history()], flush=True)\nos._exit(0)";
    let table = care.home.path().join("lake/care/stays");
    let read = Command::new(python).arg("-c").arg(program).arg(table).output().unwrap();
    let (told, err) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    let all = "[(1, 2, 'south'), (2, 1, 'north'), (3, 1, 'south'), (4, 1, 'south')]";
    assert!(told.contains(&format!("2 {all}\n3 {all}\n")), "{told}{err}");
    assert!(told.contains("['OPTIMIZE', 'MERGE', 'WRITE', "), "{told}{err}");
}
