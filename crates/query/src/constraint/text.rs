//! The words of a constraint, such that all engines read the same in them: columns as the table spells them, in backticks
//! where they would not be taken for names without.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow::datatypes::Schema;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{Expr, Ident, visit_expressions, visit_expressions_mut};
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

use super::ConstraintError;
use crate::sql::QueryError;

/// What is wrong with an expression, which is no query.
pub(super) fn why(error: QueryError) -> String {
    match error {
        QueryError::Syntax { why } => format!("it cannot be read: {why}"),
        QueryError::Failed { why } => why,
        other => other.to_string(),
    }
}

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// They are those of a dataset: in double quotes is a column.
    Dataset,
    /// They are in a log: in double quotes is a column to one engine and a text to another.
    Log,
}

/// An expression whose columns are named as those of `columns` are, all in backticks.
pub(super) fn read(state: &SessionState, text: &str, columns: &Schema, writer: Writer) -> Result<Expr, String> {
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_expr_with_alias(text, &dialect).map_err(|error| why(QueryError::of(error, &[])))?;
    if let Some(alias) = parsed.alias {
        return Err(format!("its answer needs no name, and it has one, {alias}"));
    }
    let mut expr = parsed.expr;
    let looked = visit_expressions(&expr, |part| match part {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    if looked.is_break() {
        return Err(ConstraintError::OF_ONE_ROW.to_owned());
    }
    let named = visit_expressions_mut(&mut expr, |part| match part {
        Expr::Identifier(name) => match column(name, columns, writer) {
            Ok(found) => {
                *name = Ident::with_quote('`', found);
                ControlFlow::Continue(())
            }
            Err(why) => ControlFlow::Break(why),
        },
        _ => ControlFlow::Continue(()),
    });
    match named {
        ControlFlow::Break(why) => Err(why),
        ControlFlow::Continue(()) => Ok(expr),
    }
}

/// The places of the columns that an expression which was read names.
pub(super) fn named(expr: &Expr, columns: &Schema) -> Vec<usize> {
    let mut places = BTreeSet::new();
    let _ = visit_expressions(expr, |part| {
        if let Expr::Identifier(name) = part {
            places.extend(columns.index_of(&name.value));
        }
        ControlFlow::<()>::Continue(())
    });
    places.into_iter().collect()
}

/// The column that is meant: that of just this name, or the only one whose name differs in its capitals alone.
fn column<'a>(name: &Ident, columns: &'a Schema, writer: Writer) -> Result<&'a str, String> {
    let names = || columns.fields().iter().map(|field| field.name().as_str());
    // Writers that quote columns so do it where they have to.
    if writer == Writer::Log && name.quote_style == Some('"') && is_plain(&name.value) {
        return Err(format!("{name} is a column to one engine, and a text to another"));
    }
    if let Some(found) = names().find(|column| *column == name.value) {
        return Ok(found);
    }
    let alike: Vec<&str> = names().filter(|column| column.eq_ignore_ascii_case(&name.value)).collect();
    match alike[..] {
        [found] => Ok(found),
        [] => {
            Err(format!("column {:?} is not there; there are {}", name.value, names().collect::<Vec<_>>().join(", ")))
        }
        _ => Err(format!("column {:?} may be {}", name.value, alike.join(" or "))),
    }
}

/// A name that all engines read as a word.
fn is_plain(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(is_word) && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
}

/// Which words are reserved differs between engines: to any, one in backticks is a name.
fn needs_no_quotes(name: &str) -> bool {
    is_plain(name) && ALL_KEYWORDS.binary_search(&name.to_ascii_uppercase().as_str()).is_err()
}

/// How a log has what a dataset declares, without backticks where it reads the same without.
pub(super) fn canonical(state: &SessionState, text: &str, columns: &Schema) -> Result<String, String> {
    let expr = read(state, text, columns, Writer::Dataset)?;
    let mut plain = expr.clone();
    let _ = visit_expressions_mut(&mut plain, |part| {
        if let Expr::Identifier(name) = part
            && needs_no_quotes(&name.value)
        {
            name.quote_style = None;
        }
        ControlFlow::<()>::Continue(())
    });
    let written = [plain.to_string(), expr.to_string()];
    let reads_the_same = |text: &String| read(state, text, columns, Writer::Log).is_ok_and(|again| again == expr);
    let text = written.into_iter().find(reads_the_same);
    text.ok_or_else(|| "it cannot be written down so that it reads the same".to_owned())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;
    use crate::sql::session;

    fn columns(names: &[&str]) -> Schema {
        Schema::new(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(text: &str, names: &[&str], expect: Result<&str, &str>) {
        match (canonical(&session::bare().state(), text, &columns(names)), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(why), Err(expect)) => assert!(why.contains(expect), "{why}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn columns_are_named_as_the_table_spells_them() {
        check("n > 0 and Speed < 9", &["n", "Speed"], Ok("n > 0 AND `Speed` < 9"));
        check("N > 0 AND speed IS NOT NULL", &["n", "Speed"], Ok("n > 0 AND `Speed` IS NOT NULL"));
        check("speed > Speed", &["speed", "Speed"], Ok("speed > `Speed`"));
        check("SPEED > 1", &["speed", "Speed"], Err("may be speed or Speed"));
        check("\"n\" > 0 OR `wind speed` > 1", &["n", "wind speed"], Ok("n > 0 OR `wind speed` > 1"));
        check("\"case\" > 0 AND day IN (1, 2)", &["case", "day"], Ok("`case` > 0 AND `day` IN (1, 2)"));
        check("m > 0", &["n", "Speed"], Err("column \"m\" is not there; there are n, Speed"));
        check("extract(hour FROM n) > 0 -- so it is", &["n", "hour"], Ok("EXTRACT(HOUR FROM n) > 0"));
    }

    #[test]
    fn what_is_no_expression_of_one_row_is_told() {
        for (text, why) in [
            ("n >", "cannot be read"),
            ("n > 0; n < 1", "cannot be read"),
            ("n > 0 AS fine", "needs no name"),
            ("n IN (SELECT n FROM other)", "asks of one row"),
            ("EXISTS (SELECT 1)", "asks of one row"),
            ("n > (SELECT max(n) FROM t)", "asks of one row"),
        ] {
            check(text, &["n"], Err(why));
        }
    }

    #[test]
    fn of_what_is_in_double_quotes_in_a_log_only_a_name_that_needs_them_is_one() {
        let state = session::bare().state();
        let columns = columns(&["n", "Speed"]);
        let read = |text: &str| read(&state, text, &columns, Writer::Log);
        assert!(read("\"Speed\" > 3").is_ok(), "delta-rs writes names with capitals so");
        assert!(read("n = \"n\"").unwrap_err().contains("a text to another"), "Spark takes it for the text n");
    }
}
