//! What a statement is: whether it only reads, which tables it names, and its shape without what it compares with.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::sql::parser::{DFParserBuilder, Statement as Outer};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    SetExpr, Statement, TableFactor, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::ReadError;
use super::size::Size;
use super::travel::{self, AsOf};
use crate::QueryError;

/// The longest statement, in bytes.
const LONGEST: usize = 64 << 10;
/// The most words and signs besides commas, blanks and the values of lists: two of them may make a plan one step deeper.
const MOST_TOKENS: usize = 4_000;

/// What a statement wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Rows of a query.
    Select,
    /// What a query would do, or (`ANALYZE`) did.
    Explain,
    /// A table's columns.
    Describe,
    /// Which tables there are. Whoever knows answers it: there is nothing to run.
    ShowTables,
}

/// A statement that reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub verb: Verb,
    pub tables: BTreeSet<NamedTable>,
    /// The statement with `?` for every value in it: what it was, without what it told of anybody.
    pub shape: String,
}

/// A table as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedTable {
    /// What stands before it: a namespace, when it is told.
    pub namespace: Option<String>,
    pub table: String,
    /// The newest when left out.
    pub at: Option<AsOf>,
}

impl NamedTable {
    /// As the statement knows the table: `flights`, `flights@v3`.
    #[must_use]
    pub fn spelled(&self) -> String {
        travel::spelled(&self.table, self.at.as_ref())
    }

    fn new(namespace: Option<String>, name: &str) -> Result<Self, ReadError> {
        let (table, at) = travel::part(name)?;
        Ok(Self { namespace, table, at })
    }
}

/// Reads the one statement of `sql`. What it is made of is deeply nested: only to be called, and dropped, where the stack is
/// large.
pub(super) fn parse(sql: &str) -> Result<Parsed, ReadError> {
    let mut statement = statement(sql)?;
    let verb = verb(&statement)?;
    let tables = match verb {
        Verb::ShowTables => BTreeSet::new(),
        _ => tables(&statement)?,
    };
    Ok(Parsed { verb, tables, shape: shape(&mut statement) })
}

/// The statement, when it is short enough to be planned.
pub(super) fn statement(sql: &str) -> Result<Outer, ReadError> {
    if sql.len() > LONGEST {
        return Err(ReadError::TooLong { what: "bytes", has: sql.len(), most: LONGEST });
    }
    let syntax = |why: String| ReadError::Query(QueryError::Syntax { why });
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    let tokens = tokens.map_err(|error| syntax(error.to_string()))?;
    let has = deepening(&tokens);
    if has > MOST_TOKENS {
        return Err(ReadError::TooLong { what: "words and signs", has, most: MOST_TOKENS });
    }
    let (tokens, clauses) = travel::mark(tokens);
    let parser = DFParserBuilder::new(tokens).with_dialect(&GenericDialect {}).build();
    let statements = parser.and_then(|mut parser| parser.parse_statements()).map_err(ReadError::of)?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(mut one), None) => travel::name(&mut one, clauses).map(|()| one),
        (None, _) => Err(syntax("there is no statement in it".into())),
        (Some(_), Some(_)) => Err(syntax("it is more than one statement: ask them one by one".into())),
    }
}

/// How many tokens may make a plan one step deeper: all but blanks, commas and the values of lists.
fn deepening(tokens: &[TokenWithSpan]) -> usize {
    let mut opens = false;
    let mut count = 0;
    for token in tokens.iter().map(|one| &one.token).filter(|token| !matches!(token, Token::Whitespace(_))) {
        let is_value = matches!(token, Token::Number(..) | Token::SingleQuotedString(_));
        if *token != Token::Comma && !(is_value && opens) {
            count += 1;
        }
        opens = matches!(token, Token::Comma | Token::LParen);
    }
    count
}

fn verb(statement: &Outer) -> Result<Verb, ReadError> {
    let refused = |what: &str| Err(ReadError::NotARead { what: what.to_owned() });
    let statement = match statement {
        Outer::Statement(statement) => statement,
        Outer::Explain(explain) => {
            return match verb(&explain.statement)? {
                Verb::Select => Ok(Verb::Explain),
                _ => refused("an EXPLAIN of it"),
            };
        }
        Outer::CreateExternalTable(_) => return refused("CREATE EXTERNAL TABLE"),
        Outer::CopyTo(_) => return refused("COPY"),
        Outer::Reset(_) => return refused("RESET"),
    };
    match statement.as_ref() {
        Statement::Query(_) => Ok(Verb::Select),
        Statement::ExplainTable { .. } => Ok(Verb::Describe),
        Statement::Explain { statement, .. } if matches!(statement.as_ref(), Statement::Query(_)) => Ok(Verb::Explain),
        // `LIKE` and the rest would have to be heeded.
        Statement::ShowTables { .. } if statement.to_string().eq_ignore_ascii_case("SHOW TABLES") => {
            Ok(Verb::ShowTables)
        }
        other => refused(&first_words(other)),
    }
}

/// `DROP TABLE`, not what is dropped.
fn first_words(statement: &Statement) -> String {
    let text = statement.to_string();
    let upper = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase());
    text.split_whitespace().take_while(upper).take(2).collect::<Vec<_>>().join(" ")
}

fn tables(statement: &Outer) -> Result<BTreeSet<NamedTable>, ReadError> {
    visit(statement, &mut Forbidden)?;
    let mut size = Size::default();
    visit(statement, &mut size)?;
    size.check()?;
    let (tables, _) = resolve_table_references(statement, true).map_err(ReadError::of)?;
    tables.into_iter().map(named).collect()
}

fn named(table: TableReference) -> Result<NamedTable, ReadError> {
    match table {
        TableReference::Bare { table } => NamedTable::new(None, &table),
        TableReference::Partial { schema, table } => NamedTable::new(Some(schema.to_string()), &table),
        TableReference::Full { catalog, schema, table } if &*catalog == super::session::CATALOG => {
            NamedTable::new(Some(schema.to_string()), &table)
        }
        full @ TableReference::Full { .. } => Err(ReadError::NotATable { what: full.to_string() }),
    }
}

fn visit(statement: &Outer, visitor: &mut impl Visitor<Break = ReadError>) -> Result<(), ReadError> {
    let flow = match statement {
        Outer::Statement(statement) => statement.visit(visitor),
        Outer::Explain(explain) => return visit(&explain.statement, visitor),
        _ => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// What reads from elsewhere, or writes from within a query.
struct Forbidden;

impl Visitor for Forbidden {
    type Break = ReadError;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        let what = match factor {
            TableFactor::Table { args: None, .. }
            | TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. } => return ControlFlow::Continue(()),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => format!("table function {name}"),
            _ => "what stands for a table there".to_owned(),
        };
        ControlFlow::Break(ReadError::NotATable { what })
    }

    fn pre_visit_query(&mut self, query: &datafusion::sql::sqlparser::ast::Query) -> ControlFlow<Self::Break> {
        let what = match query.body.as_ref() {
            SetExpr::Insert(_) => "INSERT",
            SetExpr::Update(_) => "UPDATE",
            SetExpr::Delete(_) => "DELETE",
            SetExpr::Merge(_) => "MERGE",
            SetExpr::Select(select) if select.into.is_some() => "SELECT INTO",
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(ReadError::NotARead { what: what.to_owned() })
    }
}

fn shape(statement: &mut Outer) -> String {
    let mut inner = &mut *statement;
    while let Outer::Explain(explain) = inner {
        inner = &mut explain.statement;
    }
    if let Outer::Statement(statement) = inner {
        let _: ControlFlow<()> = statement.visit(&mut Blank);
    }
    statement.to_string()
}

/// Puts `?` in place of every value.
struct Blank;

impl VisitorMut for Blank {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Self::Break> {
        value.value = Value::Placeholder("?".to_owned());
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use bedplate_types::Explained;

    use super::*;

    #[track_caller]
    fn check(sql: &str, verb: Verb, tables: &[&str]) {
        let parsed = parse(sql).unwrap();
        let told = |named: &NamedTable| {
            named.namespace.as_ref().map_or(named.spelled(), |space| format!("{space}.{}", named.spelled()))
        };
        assert_eq!(
            (parsed.verb, parsed.tables.iter().map(told).collect::<Vec<_>>()),
            (verb, tables.iter().copied().map(str::to_owned).collect()),
            "{sql}"
        );
    }

    #[test]
    fn a_statement_that_reads_names_its_tables() {
        check("SELECT 1", Verb::Select, &[]);
        check("select * from \"air-quality\" a join Weather w on a.x = w.x", Verb::Select, &["air-quality", "weather"]);
        check("WITH t AS (SELECT * FROM a) SELECT * FROM t, b.c", Verb::Select, &["a", "b.c"]);
        check("SELECT (SELECT max(x) FROM a) FROM b WHERE EXISTS (SELECT 1 FROM c)", Verb::Select, &["a", "b", "c"]);
        check("EXPLAIN ANALYZE SELECT * FROM a", Verb::Explain, &["a"]);
        check("EXPLAIN VERBOSE SELECT * FROM a", Verb::Explain, &["a"]);
        check("DESCRIBE a", Verb::Describe, &["a"]);
        check("show tables", Verb::ShowTables, &[]);
        check("SELECT * FROM information_schema.tables", Verb::Select, &["information_schema.tables"]);
        check("SELECT * FROM 's3://x/y.parquet'", Verb::Select, &["s3://x/y.parquet"]);
    }

    #[test]
    fn a_table_may_be_named_at_a_version_or_a_moment() {
        check("SELECT * FROM a FOR VERSION AS OF 3", Verb::Select, &["a@v3"]);
        check("select A.x from A version as of 3, A where A.x = 1", Verb::Select, &["a", "a@v3"]);
        check(
            "SELECT * FROM b.a FOR SYSTEM_TIME AS OF '2026-01-31' t JOIN c ON true",
            Verb::Select,
            &["c", "b.a@2026-01-31"],
        );
        check(
            "EXPLAIN SELECT * FROM \"air-quality\" FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 08:00:00+01:00' AS t",
            Verb::Explain,
            &["air-quality@2026-01-31 08:00:00+01:00"],
        );
        check("SELECT * FROM (SELECT * FROM a VERSION /* so */ AS OF 0) t", Verb::Select, &["a@v0"]);
        check("SELECT * FROM \"a@v3\"", Verb::Select, &["a@v3"]);
        check("SELECT version AS of, x timestamp FROM a", Verb::Select, &["a"]);
        let shape = parse("SELECT a.x FROM a VERSION AS OF 3 WHERE a.x = 7").unwrap().shape;
        assert_eq!(shape, "SELECT a.x FROM \"a@v3\" AS \"a\" WHERE a.x = ?");
    }

    #[test]
    fn a_version_that_is_said_elsewhere_is_never_overheard() {
        for sql in [
            "SELECT * FROM a t VERSION AS OF 3",
            "SELECT x VERSION AS OF 3 FROM a",
            "SELECT * FROM a VERSION AS OF 3 VERSION AS OF 4",
            "SELECT * FROM (SELECT 1) t FOR VERSION AS OF 3",
            "SELECT * FROM a FOR VERSION AS OF",
            "SELECT * FROM a FOR VERSION AS OF x",
            "DESCRIBE a VERSION AS OF 3",
        ] {
            let refused = parse(sql).unwrap_err();
            assert!(matches!(refused, ReadError::Query(QueryError::Syntax { .. })), "{sql}: {refused}");
        }
        for sql in ["SELECT * FROM a TIMESTAMP AS OF 'yesterday'", "SELECT * FROM a VERSION AS OF '1.5'"] {
            assert!(matches!(parse(sql).unwrap_err(), ReadError::NoMoment { .. }), "{sql}");
        }
    }

    #[test]
    fn what_does_not_read_is_refused() {
        for sql in [
            "INSERT INTO a SELECT 1",
            "UPDATE a SET x = 1",
            "DELETE FROM a",
            "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
            "TRUNCATE a",
            "CREATE TABLE a AS SELECT 1",
            "CREATE VIEW a AS SELECT 1",
            "CREATE EXTERNAL TABLE a STORED AS PARQUET LOCATION '/etc/'",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "DROP TABLE a",
            "ALTER TABLE a ADD COLUMN b INT",
            "COPY a TO '/tmp/x.parquet'",
            "COPY (SELECT 1) TO '/tmp/x.parquet'",
            "SET datafusion.execution.batch_size = 1",
            "RESET datafusion.execution.batch_size",
            "SHOW ALL",
            "SHOW COLUMNS FROM a",
            "SHOW TABLES LIKE 'a%'",
            "BEGIN",
            "COMMIT",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DEALLOCATE p",
            "GRANT SELECT ON a TO b",
            "SELECT 1 INTO a",
            "EXPLAIN DROP TABLE a",
            "EXPLAIN EXPLAIN SELECT 1",
            "EXPLAIN COPY a TO '/tmp/x.parquet'",
            "EXPLAIN ANALYZE INSERT INTO a SELECT 1",
            "USE other",
        ] {
            let refused = parse(sql).unwrap_err();
            let is_refused =
                matches!(refused, ReadError::NotARead { .. } | ReadError::Query(QueryError::Syntax { .. }));
            assert!(is_refused, "{sql}: {refused}");
        }
        for sql in ["SELECT * FROM range(10)", "SELECT * FROM generate_series(1, 9)", "SELECT * FROM TABLE(f(1))"] {
            assert!(matches!(parse(sql).unwrap_err(), ReadError::NotATable { .. }), "{sql}");
        }
        for sql in ["", ";", "SELEC 1", "SELECT 1; SELECT 2", "SELECT 'a"] {
            assert!(matches!(parse(sql).unwrap_err(), ReadError::Query(QueryError::Syntax { .. })), "{sql}");
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused_before_it_is_read() {
        let long = format!("SELECT '{}'", "x".repeat(LONGEST));
        let deep = format!("SELECT 1{}", "+1".repeat(MOST_TOKENS));
        for sql in [long, deep] {
            assert_eq!(parse(&sql).unwrap_err().kind(), bedplate_types::ErrorKind::TooLarge);
        }
        let many = format!("SELECT * FROM a WHERE x IN ({}1)", "1,".repeat(20_000));
        assert_eq!(parse(&many).unwrap().verb, Verb::Select);
    }

    #[test]
    fn the_shape_tells_no_value() {
        let sql = "EXPLAIN SELECT a + 7 FROM t WHERE name = 'Ada' AND at > TIMESTAMP '2020-01-01' AND d < INTERVAL '3 days' AND b IN (true, 1.5) AND c LIKE 'A%' LIMIT 3";
        let shape = parse(sql).unwrap().shape;
        for value in ["Ada", "2020", "7", "3 days", "1.5", "true", "A%", "3"] {
            assert!(!shape.contains(value), "{value}: {shape}");
        }
        assert!(shape.contains("FROM t WHERE name = ?"), "{shape}");
    }
}
