//! Nothing that a statement says gets round what is masked or filtered, on a cluster neither.

use bedplate_query::{Limits, Readable};
use bedplate_types::Explained;

use super::lake::{Site, guarded, rows};
use super::scheduler;

const ATTEMPTS: &str = include_str!("../../../../query/tests/it/attempts.sql");

/// What no answer may hold: addresses (hashed), numbers of persons (nullified) and salaries (hidden) of everybody, and
/// everything of whoever is not of the region `eu`.
const SECRETS: [&str; 12] =
    ["ada@", "bob@", "cyd@", "dan@", "111-11", "222-22", "333-33", "444-44", "71001", "Cyd", "Dan", "us-secret"];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_masked_or_filtered_is_got_at() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(2, site.root());
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let (mut answered, mut refused) = (0, Vec::new());
    for sql in ATTEMPTS.lines() {
        let told = match rows(&there, guarded(), sql).await {
            Ok(rows) => {
                answered += 1;
                rows.join("\n")
            }
            Err(error) => {
                refused.push(format!("{sql}: {:?} {error}", error.kind()));
                error.to_string()
            }
        };
        // What the statement itself holds is no news.
        for secret in SECRETS.iter().filter(|secret| !sql.contains(*secret)) {
            assert!(!told.contains(secret), "{sql} told {secret}: {told}");
        }
        for of_files in ["parquet", "/lake/", "file:"] {
            assert!(!told.contains(of_files), "{sql} told of files: {told}");
        }
        let others = ["\"others\":1", "\"others\":2", "ada@ it is"];
        assert!(!others.iter().any(|other| told.contains(other)), "{sql}: {told}");
        if !sql.contains("salary") {
            assert!(!told.contains("salary"), "{sql} told of a hidden column: {told}");
        }
    }
    assert!(answered > 42, "only {answered} were answered: the rest does not try anything\n{}", refused.join("\n"));
    // Neither node writes down what it was sent: the key of pseudonyms, what filters compare with, what people look for.
    let said = nodes.scheduler.iter().chain(&nodes.executors).map(bedplate_testkit::Server::said).collect::<String>();
    for secret in ["us-secret", "'eu'", "people", "pseudonym", "region"] {
        assert!(!said.contains(secret), "{secret} is in the log: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_back_is_not_counted_and_pseudonyms_are_the_same() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(2, site.root());
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let here = site.reader(None, Limits::default());
    for (sql, expect) in [
        ("SELECT count(*) AS n FROM people", "{\"n\":2}"),
        ("SELECT count(1) AS n, count(ssn) AS s, count(DISTINCT email) AS e FROM people", "{\"n\":2,\"s\":0,\"e\":2}"),
        ("SELECT count(*) AS n FROM people WHERE email = 'ada@example.org'", "{\"n\":0}"),
        ("SELECT max(age) AS n FROM people", "{\"n\":41}"),
        ("SELECT max(id) AS n FROM people WHERE 1 / (age - 99) < 1", "{\"n\":2}"),
        ("SELECT count(*) AS n FROM visits WHERE cost >= 50", "{\"n\":0}"),
    ] {
        assert_eq!(rows(&there, guarded(), sql).await.unwrap(), [expect], "{sql}");
    }
    let sql = "SELECT email FROM people ORDER BY id";
    assert_eq!(rows(&there, guarded(), sql).await.unwrap(), rows(&here, guarded(), sql).await.unwrap());
}

/// An executor reads below its roots, whoever sends it a plan.
#[tokio::test(flavor = "multi_thread")]
async fn an_executor_reads_no_other_folder() {
    let (site, elsewhere) = (Site::new().await, tempfile::tempdir().unwrap());
    let nodes = scheduler().with_executors(1, elsewhere.path());
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let people: Vec<Readable> = guarded();
    let refused = rows(&there, people, "SELECT name FROM people").await.unwrap_err().to_string();
    assert!(refused.contains("outside of the folders") && !refused.contains("/lake"), "{refused}");
}
