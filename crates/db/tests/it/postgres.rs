//! What only a server can do to its callers: go away, be in their way, be the wrong one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bedplate_db::{Db, DbError, Migration, Tx};
use bedplate_testkit::{Postgres, not_run};
use bedplate_types::{ErrorKind, Explained};

use crate::{Home, SCHEMA, count, count_in, note};

fn home() -> Option<(&'static Postgres, String)> {
    match Home::on_postgres("what a server does to its callers")? {
        Home::Postgres { server, url } => Some((server, url)),
        Home::Sqlite(_) => None,
    }
}

/// Every line that an error has to say.
fn all_of(error: &DbError) -> String {
    format!(
        "{error} {error:?} {:?} {}",
        std::error::Error::source(error).map(ToString::to_string),
        error.fix().unwrap_or_default()
    )
}

fn refused(url: &str) -> DbError {
    let error = Db::connect(url, SCHEMA).expect_err("it should have been refused");
    for password in Postgres::passwords() {
        assert!(!all_of(&error).contains(password), "{}", all_of(&error));
    }
    error
}

#[test]
fn a_write_that_others_were_in_the_way_of_is_run_again() {
    let Some((server, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    db.write(|tx| note(tx, "a")).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let (inside, to) = (Arc::clone(&runs), url.clone());
    db.write(move |tx| {
        let body = tx.query("SELECT body FROM notes WHERE id = 'a'", &[])?[0].text(0)?.to_owned();
        if inside.fetch_add(1, Ordering::Relaxed) == 0 {
            server.sql(&to, "UPDATE notes SET body = 'theirs' WHERE id = 'a'");
        }
        tx.execute("UPDATE notes SET body = $1 WHERE id = 'a'", &[format!("{body}, ours").into()])
    })
    .unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(server.sql(&url, "SELECT body FROM notes").trim(), "theirs, ours");
}

#[test]
fn a_write_skew_is_run_again_also_when_only_the_commit_shows_it() {
    let Some((server, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let (inside, to) = (Arc::clone(&runs), url.clone());
    db.write(move |tx| {
        let theirs = tx.query("SELECT COUNT(*) FROM notes WHERE id = 'theirs'", &[])?[0].int(0)?;
        note(tx, &format!("ours after {theirs}"))?;
        if inside.fetch_add(1, Ordering::Relaxed) == 0 {
            let skew = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM notes;
                        INSERT INTO notes VALUES ('theirs', ''); COMMIT";
            server.sql(&to, skew);
        }
        Ok::<_, DbError>(())
    })
    .unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(server.sql(&url, "SELECT id FROM notes WHERE id <> 'theirs'").trim(), "ours after 1");
}

#[test]
fn running_again_has_an_end_and_a_name() {
    let Some((server, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    db.write(|tx| note(tx, "a")).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let (inside, to) = (Arc::clone(&runs), url.clone());
    let error = db
        .write(move |tx| {
            inside.fetch_add(1, Ordering::Relaxed);
            tx.query("SELECT body FROM notes WHERE id = 'a'", &[])?;
            server.sql(&to, "UPDATE notes SET body = body || '+' WHERE id = 'a'");
            // Swallowed here, it still decides what becomes of the transaction.
            let _ = tx.execute("UPDATE notes SET body = 'ours' WHERE id = 'a'", &[]);
            Ok::<_, DbError>(())
        })
        .unwrap_err();
    assert!(matches!(error, DbError::Busy { .. }) && error.kind() == ErrorKind::Busy, "{error}");
    assert_eq!(runs.load(Ordering::Relaxed), 8);
    assert_eq!(server.sql(&url, "SELECT body FROM notes").trim(), "text++++++++");
    db.write(|tx| note(tx, "b")).unwrap();
}

#[test]
fn replicas_that_count_together_lose_nothing() {
    let Some((_, url)) = home() else { return };
    let counter =
        Migration { name: "it_0002", sql: "CREATE TABLE counter (n BIGINT NOT NULL); INSERT INTO counter VALUES (0)" };
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for replica in 0..4 {
            let (url, start) = (&url, &start);
            scope.spawn(move || {
                start.wait();
                let db = Db::connect(url, &[SCHEMA[0], counter]).unwrap();
                for i in 0..50 {
                    db.write(move |tx| {
                        let n = tx.query("SELECT n FROM counter", &[])?[0].int(0)?;
                        note(tx, &format!("{replica}/{i}"))?;
                        tx.execute("UPDATE counter SET n = $1", &[(n + 1).into()])
                    })
                    .unwrap();
                }
            });
        }
    });
    let db = Db::connect(&url, &[SCHEMA[0], counter]).unwrap();
    assert_eq!(db.read(|tx| tx.query("SELECT n FROM counter", &[])).unwrap()[0].int(0).unwrap(), 200);
    assert_eq!(count(&db), 200);
}

#[test]
fn a_server_that_goes_away_is_told_of_and_found_again() {
    let mut server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return not_run(&format!("a PostgreSQL server that goes away: {why}")),
    };
    let db = Db::connect(&server.database(), SCHEMA).unwrap();
    db.write(|tx| note(tx, "a")).unwrap();
    assert_eq!(count(&db), 1);
    server.stop();
    let began = Instant::now();
    let errors = [db.read(count_in).unwrap_err(), db.write(|tx| note(tx, "b")).unwrap_err()];
    for error in errors {
        assert!(matches!(error, DbError::Unreachable { .. }) && error.kind() == ErrorKind::NotReady, "{error}");
        assert!(Postgres::passwords().iter().all(|password| !all_of(&error).contains(password)));
        assert!(error.to_string().contains("postgres://bedplate_tests@127.0.0.1:"), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    server.resume().unwrap();
    assert_eq!(count(&db), 1);
    db.write(|tx| note(tx, "b")).unwrap();

    // And in the middle of a write, by a crash, after which it is run again.
    let (inside, entered) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let writer = {
        let db = db.clone();
        thread::spawn(move || {
            db.write(move |tx| {
                note(tx, "c")?;
                inside.send(()).unwrap();
                let _ = wait.recv();
                note(tx, "d")
            })
        })
    };
    entered.recv().unwrap();
    server.crash();
    server.resume().unwrap();
    drop(go_on);
    writer.join().unwrap().unwrap();
    assert_eq!(count(&db), 4);
}

#[test]
fn a_wrong_password_or_database_is_refused_and_no_password_is_told() {
    let Some((_, url)) = home() else { return };
    let [_, written] = Postgres::passwords();
    let error = refused(&url.replace(written, "guess%40"));
    assert!(matches!(error, DbError::Refused { .. }) && error.kind() == ErrorKind::Invalid, "{error}");
    assert!(!all_of(&error).contains("guess"), "{error:?}");
    assert!(matches!(refused(&format!("{url}_none")), DbError::Refused { .. }));
    assert!(matches!(refused(&format!("{url}?sslmode=require")), DbError::Address { .. }));
    assert!(matches!(refused("postgres://nobody@127.0.0.1:1/x"), DbError::Unreachable { .. }));
}

#[test]
fn a_database_that_orders_text_by_a_language_is_refused() {
    let Some((server, _)) = home() else { return };
    let error = refused(&server.database_with("ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en'"));
    assert!(matches!(error, DbError::Unsuitable { .. }) && error.fix().unwrap().contains("LC_COLLATE 'C'"), "{error}");
    assert!(
        refused(&server.database_with("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")).to_string().contains("UTF8")
    );
}

#[test]
fn what_it_cannot_keep_is_told_as_the_callers_fault() {
    let Some((_, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    // A key longer than a third of a page has no place in an index; what can be compressed counts compressed.
    let mut state = 1_u64;
    let long: String = (0..9000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + (state >> 58) as u8)
        })
        .collect();
    for id in ["a\0b".to_owned(), long] {
        let error = db.write(move |tx| note(tx, &id)).unwrap_err();
        assert!(matches!(error, DbError::Unstorable { .. }) && error.kind() == ErrorKind::Invalid, "{error}");
    }
    assert_eq!(count(&db), 0);
    let odd = db.read(|tx| tx.query("SELECT CURRENT_TIMESTAMP", &[])).unwrap_err();
    assert!(std::error::Error::source(&odd).unwrap().to_string().contains("timestamptz"), "{odd:?}");
}

#[test]
fn connections_are_bounded_and_waiting_has_an_end() {
    let Some((server, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    let inside = Arc::new(Barrier::new(17));
    let done = Arc::new(Barrier::new(17));
    let readers: Vec<_> = (0..16)
        .map(|_| {
            let (db, inside, done) = (db.clone(), Arc::clone(&inside), Arc::clone(&done));
            thread::spawn(move || {
                db.read(|tx| {
                    let n = count_in(tx);
                    inside.wait();
                    done.wait();
                    n
                })
            })
        })
        .collect();
    inside.wait();
    let error = db.read(count_in).unwrap_err();
    assert!(matches!(error, DbError::Busy { .. }), "{error}");
    db.write(|tx| note(tx, "a")).unwrap();
    done.wait();
    readers.into_iter().for_each(|reader| assert_eq!(reader.join().unwrap().unwrap(), 0));
    for _ in 0..50 {
        assert_eq!(count(&db), 1);
    }
    let name = url.rsplit('/').next().unwrap();
    let open = server.sql(
        &url,
        &format!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'bedplate'"),
    );
    assert!(open.trim().parse::<u32>().unwrap() <= 17, "{open} connections");
}

#[test]
fn a_table_that_another_replica_changed_is_read_again() {
    let Some((server, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    db.write(|tx| note(tx, "a")).unwrap();
    let all = |tx: &mut dyn Tx| tx.query("SELECT * FROM notes", &[]);
    assert_eq!(db.write(all).unwrap().len(), 1);
    server.sql(&url, "ALTER TABLE notes ADD COLUMN more TEXT");
    assert_eq!(db.write(all).unwrap()[0].opt_text(2).unwrap(), None);
}

#[test]
fn its_backup_is_left_to_its_own_tools() {
    let Some((_, url)) = home() else { return };
    let db = Db::connect(&url, SCHEMA).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = db.backup(&folder.path().join("copy")).unwrap_err();
    assert!(error.to_string().contains("pg_dump"), "{error}");
}
