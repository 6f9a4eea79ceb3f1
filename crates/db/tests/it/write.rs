//! Writes, and who is told what of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use bedplate_db::{Db, DbError};
use bedplate_types::{ErrorKind, Explained};

use crate::{Home, count, count_in, note, on_both};

on_both![
    one_failing_closure_leaves_no_trace_while_its_neighbours_commit,
    a_panic_reaches_its_caller_and_nobody_else,
    many_writers_lose_nothing,
    a_read_sees_one_snapshot,
    a_reader_cannot_write_and_a_nested_write_is_refused,
    a_taken_key_and_a_broken_reference_are_told_apart,
    a_closure_that_ends_the_transaction_itself_fails_and_the_store_goes_on,
    the_last_handle_may_be_dropped_by_the_writer_itself,
    async_writes_wait_for_room_and_all_arrive,
];

/// Holds the writer until `queue` has put its writes behind it, so that they share the next commit.
fn together(db: &Db, queue: impl FnOnce()) {
    let (open, gate) = mpsc::channel::<()>();
    let (inside, entered) = mpsc::channel::<()>();
    let holder = {
        let db = db.clone();
        thread::spawn(move || {
            db.write(move |_| {
                inside.send(()).unwrap();
                let _ = gate.recv();
                Ok::<_, DbError>(())
            })
        })
    };
    entered.recv().unwrap();
    queue();
    thread::sleep(std::time::Duration::from_millis(100));
    drop(open);
    holder.join().unwrap().unwrap();
}

fn one_failing_closure_leaves_no_trace_while_its_neighbours_commit(home: &Home) {
    let db = home.open();
    let mut waiting = Vec::new();
    together(&db, || {
        for i in 0..9 {
            let db = db.clone();
            waiting.push(thread::spawn(move || {
                db.write(move |tx| {
                    note(tx, &format!("n{i}"))?;
                    if i % 3 == 0 { Err(DbError::Nested) } else { Ok(()) }
                })
            }));
        }
    });
    let failed = waiting.into_iter().map(|caller| caller.join().unwrap()).filter(Result::is_err).count();
    assert_eq!((failed, count(&db)), (3, 6));
    let kept = db.read(|tx| tx.query("SELECT id FROM notes WHERE id IN ('n0', 'n3', 'n6')", &[])).unwrap();
    assert!(kept.is_empty());
}

fn a_panic_reaches_its_caller_and_nobody_else(home: &Home) {
    let db = home.open();
    let inner = db.clone();
    let caller = thread::spawn(move || {
        inner.write(|tx| {
            note(tx, "a")?;
            if count_in(tx)? == 1 {
                panic!("seen by the caller");
            }
            Ok::<_, DbError>(())
        })
    });
    assert_eq!(*caller.join().unwrap_err().downcast::<&str>().unwrap(), "seen by the caller");
    db.write(|tx| note(tx, "b")).unwrap();
    assert_eq!(count(&db), 1);
}

fn many_writers_lose_nothing(home: &Home) {
    let db = home.open();
    let start = Arc::new(Barrier::new(16));
    let callers: Vec<_> = (0..16)
        .map(|caller| {
            let (db, start) = (db.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                for i in 0..50 {
                    db.write(move |tx| note(tx, &format!("{caller}/{i}"))).unwrap();
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    drop(db);
    assert_eq!(count(&home.open()), 800);
}

fn a_read_sees_one_snapshot(home: &Home) {
    let db = home.open();
    db.write(|tx| note(tx, "a")).unwrap();
    let seen = db.read(|tx| {
        let before = count_in(tx)?;
        db.write(|tx| note(tx, "b"))?;
        Ok::<_, DbError>((before, count_in(tx)?))
    });
    assert_eq!(seen.unwrap(), (1, 1));
    assert_eq!(count(&db), 2);
}

fn a_reader_cannot_write_and_a_nested_write_is_refused(home: &Home) {
    let db = home.open();
    assert!(db.read(|tx| note(tx, "a")).is_err());
    let inner = db.clone();
    let nested = db.write(move |_| inner.write(|tx| note(tx, "a")));
    assert!(matches!(nested, Err(DbError::Nested)));
    assert_eq!(count(&db), 0);
}

fn a_taken_key_and_a_broken_reference_are_told_apart(home: &Home) {
    let db = home.open();
    db.write(|tx| note(tx, "a")).unwrap();
    let twice = db.write(|tx| note(tx, "a")).unwrap_err();
    assert!(twice.is_duplicate());
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    let dangling = db.write(|tx| tx.execute("INSERT INTO replies (note) VALUES ($1)", &["z".into()])).unwrap_err();
    assert!(matches!(dangling, DbError::Constraint { .. }), "{dangling}");
}

fn a_closure_that_ends_the_transaction_itself_fails_and_the_store_goes_on(home: &Home) {
    let db = home.open();
    let outcome = db.write(|tx| {
        note(tx, "a")?;
        tx.execute("ROLLBACK", &[])
    });
    assert!(matches!(outcome, Err(DbError::Commit { .. })), "{outcome:?}");
    db.write(|tx| note(tx, "b")).unwrap();
    assert_eq!(count(&db), 1);
}

fn async_writes_wait_for_room_and_all_arrive(home: &Home) {
    tokio::runtime::Runtime::new().unwrap().block_on(async_writes(home));
}

async fn async_writes(home: &Home) {
    let db = home.open();
    let done = Arc::new(AtomicUsize::new(0));
    let writes: Vec<_> = (0..3000)
        .map(|i| {
            let (db, done) = (db.clone(), done.clone());
            tokio::spawn(async move {
                db.write_async(move |tx| note(tx, &i.to_string())).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    assert_eq!((done.load(Ordering::Relaxed), count(&db)), (3000, 3000));
}

fn the_last_handle_may_be_dropped_by_the_writer_itself(home: &Home) {
    let db = home.open();
    let (sent, owned) = mpsc::channel();
    let inner = db.clone();
    let caller = thread::spawn(move || {
        let held = inner.clone();
        let db = inner;
        sent.send(()).unwrap();
        db.write(move |tx| {
            let _ = &held;
            note(tx, "a")
        })
    });
    owned.recv().unwrap();
    drop(db);
    caller.join().unwrap().unwrap();
    assert_eq!(count(&home.open()), 1);
}
