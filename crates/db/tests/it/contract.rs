//! What `Tx` promises, on each engine.

use bedplate_db::{DbError, Value};

use crate::{Home, count, count_in, note, on_both};

on_both![
    every_type_comes_back_as_it_went_in,
    arguments_are_bound_by_their_number,
    the_wrong_number_of_arguments_is_refused,
    a_second_statement_is_refused,
    a_failed_statement_undoes_itself_and_nothing_else,
    changed_rows_are_counted,
    an_execute_has_no_answer,
    text_is_ordered_by_its_bytes,
    sums_are_integers_and_truth_is_a_number,
    null_fits_wherever_it_stands,
    a_snapshot_is_of_the_moment_the_read_began,
    reads_nest_and_may_be_asked_for_inside_a_runtime,
    a_panic_in_a_read_costs_nobody_else,
    a_read_that_failed_goes_on,
];

const TYPES: &str = "CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS DOUBLE PRECISION), CAST($4 AS TEXT), $5";

fn every_type_comes_back_as_it_went_in(home: &Home) {
    let db = home.open();
    for values in [
        [Value::Null, Value::Int(i64::MIN), 0.1.into(), "é ' \\ \u{1F600}\n".into(), vec![0_u8, 255].into()],
        [Value::Int(0), Value::Int(i64::MAX), f64::MIN_POSITIVE.into(), "".into(), Vec::new().into()],
        [Value::Int(-1), Value::Int(1), f64::INFINITY.into(), "x".repeat(100_000).into(), vec![7; 100_000].into()],
    ] {
        let rows = db.read(|tx| tx.query(&format!("SELECT {TYPES}"), &values)).unwrap();
        assert_eq!(rows, [bedplate_db::Row::new(values.to_vec())]);
    }
    let nan = db.read(|tx| tx.query("SELECT CAST($1 AS DOUBLE PRECISION)", &[f64::NAN.into()])).unwrap();
    assert_eq!(nan[0].opt_real(0).unwrap(), None, "no engine keeps a NaN");
}

fn arguments_are_bound_by_their_number(home: &Home) {
    let rows = home.open().read(|tx| tx.query("SELECT $2, $1, $2, '$3'", &["a".into(), 1.into()])).unwrap();
    assert_eq!(rows, [bedplate_db::Row::new(vec![1.into(), "a".into(), 1.into(), "$3".into()])]);
}

fn the_wrong_number_of_arguments_is_refused(home: &Home) {
    let db = home.open();
    for (args, expect) in
        [(vec![], "takes 1 arguments, 0 were given"), (vec![1.into(); 2], "takes 1 arguments, 2 were given")]
    {
        let error = db.read(|tx| tx.query("SELECT $1", &args)).unwrap_err();
        assert!(matches!(error, DbError::Arguments { .. }) && error.to_string().contains(expect), "{error}");
    }
}

fn a_second_statement_is_refused(home: &Home) {
    let db = home.open();
    let two = "INSERT INTO notes (id, body) VALUES ('a', ''); DELETE FROM notes";
    assert!(db.write(move |tx| tx.execute(two, &[])).unwrap_err().to_string().contains("DELETE FROM notes"));
    assert!(db.read(|tx| tx.query("SELEC 1", &[])).unwrap_err().to_string().contains("SELEC 1"));
    assert_eq!(count(&db), 0);
}

fn a_failed_statement_undoes_itself_and_nothing_else(home: &Home) {
    let db = home.open();
    let outcome = db.write(|tx| {
        note(tx, "a")?;
        let twice = tx.execute("INSERT INTO notes (id, body) VALUES ('b', ''), ('a', '')", &[]).unwrap_err();
        assert!(twice.is_duplicate(), "{twice}");
        assert!(tx.query("SELECT * FROM nowhere", &[]).is_err());
        note(tx, "c")?;
        count_in(tx)
    });
    assert_eq!(outcome.unwrap(), 2);
    let rows = db.read(|tx| tx.query("SELECT id FROM notes ORDER BY id", &[])).unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["a", "c"]);
}

fn changed_rows_are_counted(home: &Home) {
    let db = home.open();
    let counts = db.write(|tx| {
        let again = "INSERT INTO notes (id, body) VALUES ($1, '') ON CONFLICT DO NOTHING";
        Ok::<_, DbError>([
            tx.execute("INSERT INTO notes (id, body) VALUES ('a', ''), ('b', '')", &[])?,
            tx.execute(again, &["a".into()])?,
            tx.execute("UPDATE notes SET body = '' WHERE body = ''", &[])?,
            tx.execute("DELETE FROM notes WHERE id = 'z'", &[])?,
        ])
    });
    assert_eq!(counts.unwrap(), [2, 0, 2, 0]);
    let back = db.write(|tx| tx.query("DELETE FROM notes WHERE id = 'a' RETURNING id, 7", &[])).unwrap();
    assert_eq!((back[0].text(0).unwrap(), back[0].int(1).unwrap(), count(&db)), ("a", 7, 1));
}

fn an_execute_has_no_answer(home: &Home) {
    assert!(matches!(home.open().write(|tx| tx.execute("SELECT 1", &[])), Err(DbError::Statement { .. })));
}

fn text_is_ordered_by_its_bytes(home: &Home) {
    let db = home.open();
    let ids = ["", "-", "A", "B", "a", "a-c", "ab", "b", "z", "é"];
    db.write(move |tx| ids.iter().rev().try_for_each(|id| note(tx, id))).unwrap();
    let rows = db.read(|tx| tx.query("SELECT id FROM notes ORDER BY id", &[])).unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ids);
    let rows =
        db.read(|tx| tx.query("SELECT COUNT(*) FROM notes WHERE (id, body) > ($1, $2)", &["a".into(), "x".into()]));
    assert_eq!(rows.unwrap()[0].int(0).unwrap(), 5);
}

fn sums_are_integers_and_truth_is_a_number(home: &Home) {
    let sql = "SELECT SUM(n), MAX(n), COUNT(*), 1 = 1, EXISTS (SELECT 1 WHERE 1 = 0), AVG(r)
               FROM (SELECT CAST(3000000000 AS BIGINT) AS n, 0.5e0 AS r UNION ALL SELECT 4, 1.0e0) AS numbers";
    let rows = home.open().read(|tx| tx.query(sql, &[])).unwrap();
    let ints: Vec<i64> = (0..5).map(|column| rows[0].int(column).unwrap()).collect();
    assert_eq!((ints, rows[0].real(5).unwrap()), (vec![3_000_000_004, 3_000_000_000, 2, 1, 0], 0.75));
}

fn null_fits_wherever_it_stands(home: &Home) {
    let db = home.open();
    let sql = "SELECT COUNT(*) FROM notes WHERE (CAST($1 AS TEXT) IS NULL OR id = $1) AND ($2 = '' OR id = $2)";
    db.write(|tx| note(tx, "a")).unwrap();
    for (first, second, expect) in [(None, "", 1), (Some("a"), "", 1), (Some("b"), "", 0), (None, "b", 0)] {
        let rows = db.read(|tx| tx.query(sql, &[first.into(), second.into()])).unwrap();
        assert_eq!(rows[0].int(0).unwrap(), expect, "{first:?} {second}");
    }
    let update = "UPDATE notes SET body = COALESCE($1, body) WHERE id = $2";
    assert_eq!(db.write(move |tx| tx.execute(update, &[Value::Null, "a".into()])).unwrap(), 1);
}

fn a_snapshot_is_of_the_moment_the_read_began(home: &Home) {
    let db = home.open();
    let seen = db.read(|tx| {
        db.write(|tx| note(tx, "a"))?;
        count_in(tx)
    });
    assert_eq!((seen.unwrap(), count(&db)), (0, 1));
}

fn reads_nest_and_may_be_asked_for_inside_a_runtime(home: &Home) {
    let db = home.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let seen = runtime.block_on(async {
        db.write_async(|tx| note(tx, "a")).await.unwrap();
        let seen = db.read(|tx| Ok::<_, DbError>(count_in(tx)? + db.read(count_in)?));
        drop(db);
        seen
    });
    assert_eq!(seen.unwrap(), 2);
}

fn a_panic_in_a_read_costs_nobody_else(home: &Home) {
    let db = home.open();
    for _ in 0..40 {
        let db = db.clone();
        let reader =
            std::thread::spawn(move || db.read(|tx| -> Result<(), DbError> { panic!("{} notes", count_in(tx)?) }));
        assert!(reader.join().is_err());
    }
    assert_eq!(count(&db), 0);
}

fn a_read_that_failed_goes_on(home: &Home) {
    let counted = home.open().read(|tx| {
        assert!(tx.query("SELECT * FROM nowhere", &[]).is_err());
        count_in(tx)
    });
    assert_eq!(counted.unwrap(), 0);
}
