//! Several processes on one database: each hears of the others' commits, and who was fenced off writes nothing.

use std::time::Duration;

use bedplate_db::{Db, DbError, Tx};
use bedplate_types::{ErrorKind, Explained};
use tokio::time::timeout;

use crate::{Home, SCHEMA, count, note, on_both};

on_both![a_fence_is_asked_in_the_same_transaction, a_fence_that_fails_keeps_the_neighbours];

const PATIENCE: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(300);

fn holds(tx: &mut dyn Tx) -> Result<(), DbError> {
    match tx.query("SELECT 1 FROM notes WHERE id = 'lease'", &[])?.len() {
        1 => Ok(()),
        _ => Err(DbError::Fenced { why: "the lease is another's".into() }),
    }
}

fn a_fence_is_asked_in_the_same_transaction(home: &Home) {
    let db = home.open();
    let leader = db.fenced(holds);
    assert!(matches!(leader.write(|tx| note(tx, "a")), Err(DbError::Fenced { .. })));
    db.write(|tx| note(tx, "lease")).unwrap();
    leader.clone().write(|tx| note(tx, "a")).unwrap();
    db.write(|tx| tx.execute("DELETE FROM notes WHERE id = 'lease'", &[])).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(leader.write_async(|tx| note(tx, "b"))).unwrap_err();
    assert_eq!((error.kind(), count(&db)), (ErrorKind::NotReady, 1), "{error}");
    assert_eq!(leader.read(|tx| tx.query("SELECT id FROM notes", &[])).unwrap().len(), 1, "reads need no lease");
}

fn a_fence_that_fails_keeps_the_neighbours(home: &Home) {
    let db = home.open();
    let leader = db.fenced(holds);
    let writers: Vec<_> = (0..40)
        .map(|n: u32| {
            let db = if n.is_multiple_of(2) { db.clone() } else { leader.clone() };
            std::thread::spawn(move || db.write(move |tx| note(tx, &n.to_string())).is_ok())
        })
        .collect();
    let kept = writers.into_iter().map(|writer| writer.join().unwrap()).filter(|kept| *kept).count();
    assert_eq!((kept, count(&db)), (20, 20));
}

#[test]
fn on_sqlite_there_is_nobody_to_listen_to() {
    assert!(Home::make().open().commits_elsewhere().is_none());
}

#[tokio::test]
async fn commits_of_others_are_heard_and_ones_own_are_not() {
    let Some(home) = Home::on_postgres("hearing of other replicas' commits") else { return };
    let (one, two) = (home.open(), home.open());
    let mut hears = two.commits_elsewhere().unwrap();
    // Listening begins with one call: what was committed before it is not known.
    timeout(PATIENCE, hears.next()).await.unwrap();
    assert!(timeout(QUIET, hears.next()).await.is_err(), "nothing was committed");
    let began = std::time::Instant::now();
    one.write_async(|tx| note(tx, "a")).await.unwrap();
    timeout(PATIENCE, hears.next()).await.unwrap();
    println!("heard {:?} after the write was begun", began.elapsed());
    assert_eq!(count(&two), 1, "what is heard of can be read");
    two.write_async(|tx| note(tx, "b")).await.unwrap();
    assert!(timeout(QUIET, hears.next()).await.is_err(), "its own commit");
    let refused: Result<(), DbError> = one.write_async(|tx| note(tx, "a")).await;
    assert!(refused.unwrap_err().is_duplicate());
    assert!(timeout(QUIET, hears.next()).await.is_err(), "nothing was kept");
}

#[tokio::test]
async fn after_a_silence_one_is_called_again() {
    let mut server = match bedplate_testkit::Postgres::start() {
        Ok(server) => server,
        Err(why) => return bedplate_testkit::not_run(&format!("hearing of commits after a restart: {why}")),
    };
    let url = server.database();
    let (one, two) = (Db::connect(&url, SCHEMA).unwrap(), Db::connect(&url, SCHEMA).unwrap());
    let mut hears = two.commits_elsewhere().unwrap();
    timeout(PATIENCE, hears.next()).await.unwrap();
    server.crash();
    server.resume().unwrap();
    one.write_async(|tx| note(tx, "a")).await.unwrap();
    // The end of the old connection, the new one, and the write, at most.
    timeout(PATIENCE, async {
        while count(&two) == 0 {
            hears.next().await;
        }
    })
    .await
    .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    while timeout(QUIET, hears.next()).await.is_ok() {}
    one.write_async(|tx| note(tx, "b")).await.unwrap();
    timeout(PATIENCE, hears.next()).await.unwrap();
}

/// What a replica that is stopped in the middle of a write, or cut off, costs the others.
#[test]
fn one_that_stands_still_inside_a_write_holds_up_the_others_for_seconds_only() {
    let Some(home) = Home::on_postgres("a replica that stands still") else { return };
    let (one, two) = (home.open(), home.open());
    let (inside, entered) = std::sync::mpsc::channel();
    let still = std::thread::spawn(move || {
        let mut runs = 0;
        one.write(move |tx| {
            runs += 1;
            note(tx, "still")?;
            if runs == 1 {
                inside.send(()).unwrap();
                std::thread::sleep(Duration::from_secs(8));
            }
            note(tx, "and on")?;
            Ok::<_, DbError>(runs)
        })
    });
    entered.recv().unwrap();
    let began = std::time::Instant::now();
    two.write(|tx| note(tx, "other")).unwrap();
    println!("held up for {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(still.join().unwrap().unwrap(), 2, "what it did is done again, on the state that is there now");
    assert_eq!(count(&two), 3);
}
