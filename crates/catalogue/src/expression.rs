//! A view's query in a normal form, so that two features that are computed alike are seen to be, however they are spelled.
//!
//! Names in lower case, aliases of tables and names of the only table taken away, needless parentheses too, `a > b` as
//! `b < a`, operands whose order makes no difference in the order of their texts, the conditions of `AND` and `OR` too. What
//! is equal then is equal by the words of SQL; what is equal by arithmetic or by the data is not found.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, VisitMut,
    VisitorMut, visit_expressions_mut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Longer queries are not compared.
const LONGEST: usize = 16 << 10;
/// Signs, and words that mean something to SQL, of one expression: its tree is no deeper than that, and whoever walks it needs
/// a stack for it.
const DEEPEST: usize = 100;
/// Reading takes tens of kilobytes a level where nothing is optimised.
const STACK: usize = 32 << 20;

/// What a query's columns are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalQuery {
    /// Where the rows come from: everything but the list of columns.
    relation: String,
    /// The expression of each column that has a name.
    columns: BTreeMap<String, String>,
}

impl NormalQuery {
    /// `None`: it cannot be read, or is not one plain SELECT. Such queries are compared with nothing.
    #[must_use]
    pub fn of(sql: &str) -> Option<Self> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || Self::read(sql)).ok()?.join().ok()?
        })
    }

    fn read(sql: &str) -> Option<Self> {
        let mut query = read(sql)?;
        query.order_by = query.order_by.filter(|_| query.limit_clause.is_some());
        let tables = tables(select(&mut query)?);
        let _ = query.visit(&mut Names { tables });
        let _ = visit_expressions_mut(&mut query, |expr| {
            normal(expr);
            ControlFlow::<()>::Continue(())
        });
        let select = select(&mut query)?;
        select.selection.iter_mut().for_each(bare);
        let columns = std::mem::take(&mut select.projection).into_iter().filter_map(column).collect();
        Some(Self { relation: query.to_string(), columns })
    }

    #[must_use]
    pub fn relation(&self) -> &str {
        &self.relation
    }

    /// The expression of a column; one that is not in the list comes from `*` and is itself.
    #[must_use]
    pub fn column<'a>(&'a self, name: &'a str) -> &'a str {
        self.columns.get(&name.to_lowercase()).map_or(name, String::as_str)
    }
}

fn read(sql: &str) -> Option<Query> {
    if sql.len() > LONGEST {
        return None;
    }
    let tokens = Tokenizer::new(&GenericDialect, sql).tokenize().ok()?;
    if !is_shallow(&tokens) {
        return None;
    }
    let mut statements = Parser::new(&GenericDialect).with_tokens(tokens).parse_statements().ok()?;
    match (statements.pop()?, statements.is_empty()) {
        (Statement::Query(query), true) if query.with.is_none() => Some(*query),
        _ => None,
    }
}

/// Whether no expression has more than [`DEEPEST`] of what may nest; a comma or a clause begins another one.
fn is_shallow(tokens: &[Token]) -> bool {
    let (mut nested, mut open) = (0_usize, 0_usize);
    for token in tokens {
        match token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        nested = if open == 0 && begins(token) { 0 } else { nested + usize::from(may_nest(token)) };
        if nested > DEEPEST || is_set_operation(token) {
            return false;
        }
    }
    true
}

fn begins(token: &Token) -> bool {
    use Keyword::{FROM, GROUP, HAVING, JOIN, ON, ORDER, WHERE};
    match token {
        Token::Comma => true,
        Token::Word(word) => matches!(word.keyword, FROM | WHERE | GROUP | HAVING | JOIN | ON | ORDER),
        _ => false,
    }
}

/// A chain of them is a tree too.
fn is_set_operation(token: &Token) -> bool {
    matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT))
}

fn may_nest(token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(word.keyword, Keyword::NoKeyword | Keyword::AS),
        Token::Whitespace(_) | Token::Comma | Token::Period | Token::Number(..) | Token::SingleQuotedString(_) => false,
        _ => true,
    }
}

fn select(query: &mut Query) -> Option<&mut Select> {
    match &mut *query.body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// What columns may be qualified with, and what it becomes: nothing, where there is one table.
fn tables(select: &mut Select) -> BTreeMap<String, Option<String>> {
    let mut named = Vec::new();
    for TableWithJoins { relation, joins } in &mut select.from {
        for factor in std::iter::once(relation).chain(joins.iter_mut().map(|join| &mut join.relation)) {
            if let TableFactor::Table { name, alias, .. } = factor {
                let table = name.to_string().to_lowercase();
                let called = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.value.to_lowercase());
                named.push((called, table, alias));
            } else {
                // Whose columns are whose cannot be told.
                return BTreeMap::new();
            }
        }
    }
    let alone = named.len() == 1;
    // A table that is there twice keeps its aliases.
    let twice = (1..named.len()).any(|at| named[..at].iter().any(|(_, table, _)| *table == named[at].1));
    if twice {
        return BTreeMap::new();
    }
    let mut tables = BTreeMap::new();
    for (called, table, alias) in named {
        *alias = None;
        let becomes = Some(table.clone()).filter(|_| !alone);
        tables.insert(table, becomes.clone());
        tables.insert(called, becomes);
    }
    tables
}

/// Writes names in small letters and takes qualifiers away, before anything is compared.
struct Names {
    tables: BTreeMap<String, Option<String>>,
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &mut sqlparser::ast::ObjectName) -> ControlFlow<()> {
        for part in &mut relation.0 {
            if let sqlparser::ast::ObjectNamePart::Identifier(ident) = part {
                small(ident);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => small(ident),
            Expr::CompoundIdentifier(parts) => {
                parts.iter_mut().for_each(small);
                if let [table, column] = &parts[..]
                    && let Some(becomes) = self.tables.get(&table.value)
                {
                    let column = column.clone();
                    *expr = match becomes {
                        Some(table) => Expr::CompoundIdentifier(vec![Ident::new(table.clone()), column]),
                        None => Expr::Identifier(column),
                    };
                }
            }
            Expr::Function(function) => {
                for part in &mut function.name.0 {
                    if let sqlparser::ast::ObjectNamePart::Identifier(ident) = part {
                        small(ident);
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Quotes that change nothing go; a quoted name with capitals is another one.
fn small(ident: &mut Ident) {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if ident.quote_style.is_none() {
        ident.value = ident.value.to_lowercase();
    } else if ident.value.bytes().all(plain) {
        ident.quote_style = None;
    }
}

/// From the leaves up: what is below is normal already.
fn normal(expr: &mut Expr) {
    if matches!(expr, Expr::Nested(inner) if is_atom(inner)) {
        bare(expr);
        return;
    }
    let Expr::BinaryOp { left, op, right } = expr else { return };
    if matches!(op, BinaryOperator::And | BinaryOperator::Or) {
        *expr = chain(expr);
        return;
    }
    // Parentheses stand where they are needed and where they are not: then they mean nothing.
    parenthesised(left);
    parenthesised(right);
    match op {
        BinaryOperator::Gt | BinaryOperator::GtEq => {
            std::mem::swap(left, right);
            *op = if *op == BinaryOperator::Gt { BinaryOperator::Lt } else { BinaryOperator::LtEq };
        }
        BinaryOperator::Plus | BinaryOperator::Multiply | BinaryOperator::Eq | BinaryOperator::NotEq
            if left.to_string() > right.to_string() =>
        {
            std::mem::swap(left, right);
        }
        _ => {}
    }
}

/// Whether it is read in one way wherever it stands.
fn is_atom(expr: &Expr) -> bool {
    use Expr::{Case, Cast, CompoundIdentifier, Function, Identifier, Nested, Value};
    matches!(
        expr,
        Identifier(_) | CompoundIdentifier(_) | Value(_) | Function(_) | Nested(_) | Case { .. } | Cast { .. }
    )
}

fn bare(expr: &mut Expr) {
    if let Expr::Nested(inner) = expr {
        let inner = std::mem::replace(&mut **inner, Expr::Identifier(Ident::new("")));
        *expr = inner;
    }
}

fn parenthesised(expr: &mut Expr) {
    if !is_atom(expr) {
        let inner = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
        *expr = Expr::Nested(Box::new(inner));
    }
}

/// The conditions of one `AND` or `OR`, each once, in the order of their texts.
fn chain(expr: &Expr) -> Expr {
    let Expr::BinaryOp { op, .. } = expr else { return expr.clone() };
    let mut parts: BTreeMap<String, Expr> = BTreeMap::new();
    let mut open = vec![expr.clone()];
    while let Some(one) = open.pop() {
        match one {
            Expr::Nested(inner) if is_op(&inner, op) => open.push(*inner),
            Expr::BinaryOp { left, op: same, right } if same == *op => open.extend([*left, *right]),
            mut other => {
                parenthesised(&mut other);
                parts.insert(other.to_string(), other);
            }
        }
    }
    let all = parts.into_values();
    let joined =
        all.reduce(|left, right| Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) });
    joined.unwrap_or_else(|| expr.clone())
}

fn is_op(expr: &Expr, op: &BinaryOperator) -> bool {
    matches!(expr, Expr::BinaryOp { op: other, .. } if other == op)
}

fn column(item: SelectItem) -> Option<(String, String)> {
    match item {
        SelectItem::ExprWithAlias { mut expr, alias } => {
            bare(&mut expr);
            Some((alias.value.to_lowercase(), expr.to_string()))
        }
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some((ident.value.to_lowercase(), ident.to_string())),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            let name = parts.last()?.value.to_lowercase();
            Some((name, Expr::CompoundIdentifier(parts).to_string()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relation and the expression of `x`.
    fn of(sql: &str) -> Option<(String, String)> {
        let query = NormalQuery::of(sql)?;
        Some((query.relation().to_owned(), query.column("x").to_owned()))
    }

    #[track_caller]
    fn same(one: &str, other: &str) {
        let both = [of(one), of(other)];
        assert!(both[0].is_some(), "{one}");
        assert_eq!(both[0], both[1], "{one}\n{other}");
    }

    #[track_caller]
    fn different(one: &str, other: &str) {
        assert_ne!(of(one), of(other), "{one}\n{other}");
    }

    #[test]
    fn spelling_makes_no_difference() {
        same("SELECT a + b AS x FROM t", "select  B+A x\nfrom T");
        same("SELECT t.a AS x FROM t", "SELECT f.a AS x FROM t AS f");
        same("SELECT a AS x FROM t WHERE a > 1 AND b = 'Q'", "SELECT a x FROM t u WHERE 'Q' = u.b AND (1 < u.a)");
        same("SELECT (a * (b)) AS x FROM t", "SELECT b*a AS x FROM t");
        same("SELECT a AS x FROM t WHERE p AND q AND r", "SELECT a AS x FROM t WHERE r AND (q AND p) AND p");
        same("SELECT MAX(a) AS x FROM t GROUP BY k", "SELECT max(\"a\") AS x FROM t GROUP BY k");
        same("SELECT a AS x, k FROM t ORDER BY k", "SELECT k, a AS x FROM t");
        same(
            "SELECT f.a AS x FROM flights f JOIN planes p ON f.tail = p.tail",
            "SELECT g.a AS x FROM flights g JOIN planes q ON q.tail = g.tail",
        );
        same("SELECT a + (b * c) AS x FROM t", "SELECT c * b + a AS x FROM t");
        same("SELECT (a + b) AS x FROM t WHERE (a > 1)", "SELECT b + a AS x FROM t WHERE 1 < a");
        same("SELECT CAST(a AS DOUBLE) AS x FROM t", "SELECT cast(a as double) AS x FROM t");
    }

    #[test]
    fn what_is_computed_otherwise_is_another() {
        different("SELECT a - b AS x FROM t", "SELECT b - a AS x FROM t");
        different("SELECT (a + b) * c AS x FROM t", "SELECT a + b * c AS x FROM t");
        different("SELECT -(a + b) AS x FROM t", "SELECT -a + b AS x FROM t");
        different("SELECT a AS x FROM t WHERE NOT (p OR q)", "SELECT a AS x FROM t WHERE NOT p OR q");
        different("SELECT (a + b) % c AS x FROM t", "SELECT a + b % c AS x FROM t");
        different("SELECT a AS x FROM t WHERE a > 1", "SELECT a AS x FROM t WHERE a >= 1");
        different("SELECT a AS x FROM t WHERE p AND q", "SELECT a AS x FROM t WHERE p OR q");
        different("SELECT a AS x FROM t WHERE b = 'q'", "SELECT a AS x FROM t WHERE b = 'Q'");
        different("SELECT a AS x FROM t", "SELECT a AS x FROM u");
        different("SELECT \"A\" AS x FROM t", "SELECT a AS x FROM t");
        different("SELECT a AS x FROM t LIMIT 1", "SELECT a AS x FROM t");
        different("SELECT a AS x FROM f JOIN p ON f.k = p.k", "SELECT a AS x FROM f LEFT JOIN p ON f.k = p.k");
        different("SELECT a.v AS x FROM t a JOIN t b ON a.k = b.p", "SELECT b.v AS x FROM t a JOIN t b ON a.k = b.p");
        different("SELECT a - (b - c) AS x FROM t", "SELECT a - b - c AS x FROM t");
    }

    #[test]
    fn what_cannot_be_read_is_compared_with_nothing() {
        for sql in
            ["", "SELEC 1", "SELECT 1; SELECT 2", "WITH t AS (SELECT 1) SELECT * FROM t", "SELECT 1 UNION SELECT 2"]
        {
            assert_eq!(of(sql), None, "{sql}");
        }
        let long = format!("SELECT {} AS x FROM t", vec!["a"; 5_000].join(" + "));
        assert_eq!(of(&long), None);
        assert_eq!(of(&format!("SELECT {}a{} AS x FROM t", "(".repeat(5_000), ")".repeat(5_000))), None);
        let wide = format!("SELECT {} a AS x FROM t", "a + 1 AS b, ".repeat(500));
        assert!(of(&wide).is_some());
    }

    #[test]
    fn the_deepest_that_is_read_has_room() {
        for one in ["a + ", "a AND ", "- ", "NOT ", "a || ", "(a) + "] {
            let times = 98 / one.split_whitespace().count().max(1);
            // The reader itself refuses what nests too deep for it.
            of(&format!("SELECT {} a AS x FROM t", one.repeat(times)));
        }
        assert!(of(&format!("SELECT {} a AS x FROM t", "a + ".repeat(90))).is_some());
        assert!(of(&format!("SELECT a{} AS x FROM t", "::int".repeat(45))).is_some());
        assert_eq!(of(&format!("SELECT {} a AS x FROM t", "a + ".repeat(110))), None);
    }
}
