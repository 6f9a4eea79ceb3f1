//! Which version of a table a statement means: `flights FOR VERSION AS OF 3`, `flights TIMESTAMP AS OF '2026-01-31'`.
//!
//! The engine's parser knows none of it, so the clause is taken out of the tokens beforehand, and the table's name says it
//! instead: `"flights@v3"`, which may also be written so. Spelled as in Delta Lake, Trino and the SQL standard
//! (`FOR SYSTEM_TIME AS OF`).

use std::ops::ControlFlow;

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use datafusion::sql::parser::Statement as Outer;
use datafusion::sql::sqlparser::ast::{Ident, ObjectNamePart, TableAlias, TableFactor, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::ReadError;
use crate::QueryError;

/// Between a table's name and its version until it was seen that it is the name of a table.
const MARK: char = '\u{1}';
const BETWEEN: char = '@';

/// The version of a table that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AsOf {
    Version(i64),
    /// The version that counted at this moment, in microseconds since 1970; and how the moment was spelled.
    Moment(i64, String),
}

impl AsOf {
    /// `v3`, or a moment; without a zone it is UTC.
    fn read(text: &str) -> Result<Self, ReadError> {
        let digits = text.strip_prefix('v').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(Ok(version)) = digits.map(str::parse) {
            return Ok(Self::Version(version));
        }
        let nanos = string_to_timestamp_nanos(text).map_err(|_| ReadError::NoMoment { text: text.to_owned() })?;
        Ok(Self::Moment(nanos.div_euclid(1_000), text.to_owned()))
    }
}

impl std::fmt::Display for AsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(f, "v{version}"),
            Self::Moment(_, text) => f.write_str(text),
        }
    }
}

/// The name of a table without the version that is said with it.
pub(super) fn part(name: &str) -> Result<(String, Option<AsOf>), ReadError> {
    match name.rsplit_once(BETWEEN) {
        Some((table, at)) => Ok((table.to_owned(), Some(AsOf::read(at)?))),
        None => Ok((name.to_owned(), None)),
    }
}

/// The name of a table with the version that is said with it.
pub(super) fn spelled(table: &str, at: Option<&AsOf>) -> String {
    at.map_or_else(|| table.to_owned(), |at| format!("{table}{BETWEEN}{at}"))
}

/// Takes every clause out, and marks the name before it; how many there were.
pub(super) fn mark(tokens: Vec<TokenWithSpan>) -> (Vec<TokenWithSpan>, usize) {
    let (mut marked, mut clauses) = (Vec::with_capacity(tokens.len()), 0);
    let mut left = tokens.as_slice();
    let mut named = None;
    while let Some((first, rest)) = left.split_first() {
        if let Some((place, (at, after))) = named.zip(clause(left)) {
            say(&mut marked, place, &at);
            (left, clauses, named) = (after, clauses + 1, None);
            continue;
        }
        match &first.token {
            Token::Whitespace(_) => {}
            Token::Word(_) => named = Some(marked.len()),
            _ => named = None,
        }
        marked.push(first.clone());
        left = rest;
    }
    (marked, clauses)
}

fn say(tokens: &mut [TokenWithSpan], place: usize, at: &str) {
    if let Some(Token::Word(word)) = tokens.get_mut(place).map(|token| &mut token.token) {
        // Unquoted names fold to lower case, and quoted ones do not.
        let name = if word.quote_style.is_none() { word.value.to_lowercase() } else { word.value.clone() };
        *word = Word { value: format!("{name}{MARK}{at}"), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    }
}

/// What the clause at the beginning says, and what comes after it.
fn clause(tokens: &[TokenWithSpan]) -> Option<(String, &[TokenWithSpan])> {
    let tokens = skip(tokens, "FOR").unwrap_or(tokens);
    let version = skip(tokens, "VERSION").or_else(|| skip(tokens, "SYSTEM_VERSION"));
    if let Some(tokens) = version {
        let (value, rest) = value(skip(skip(tokens, "AS")?, "OF")?)?;
        return Some((format!("v{value}"), rest));
    }
    let tokens = skip(tokens, "TIMESTAMP").or_else(|| skip(tokens, "SYSTEM_TIME"))?;
    let tokens = skip(skip(tokens, "AS")?, "OF")?;
    value(skip(tokens, "TIMESTAMP").unwrap_or(tokens))
}

fn skip<'a>(tokens: &'a [TokenWithSpan], word: &str) -> Option<&'a [TokenWithSpan]> {
    let (first, rest) = solid(tokens)?;
    let is_it = matches!(first, Token::Word(is) if is.quote_style.is_none() && is.value.eq_ignore_ascii_case(word));
    is_it.then_some(rest)
}

fn value(tokens: &[TokenWithSpan]) -> Option<(String, &[TokenWithSpan])> {
    match solid(tokens)? {
        (Token::Number(text, _) | Token::SingleQuotedString(text), rest) => Some((text.clone(), rest)),
        _ => None,
    }
}

fn solid(tokens: &[TokenWithSpan]) -> Option<(&Token, &[TokenWithSpan])> {
    let at = tokens.iter().position(|token| !matches!(token.token, Token::Whitespace(_)))?;
    Some((&tokens[at].token, &tokens[at + 1..]))
}

/// Has the tables of the statement say their versions. A table keeps its name for the rest of the statement.
pub(super) fn name(statement: &mut Outer, clauses: usize) -> Result<(), ReadError> {
    let mut inner = &mut *statement;
    while let Outer::Explain(explain) = inner {
        inner = &mut explain.statement;
    }
    let mut names = Names(0);
    if let Outer::Statement(statement) = inner {
        let _: ControlFlow<()> = statement.visit(&mut names);
    }
    if names.0 == clauses {
        return Ok(());
    }
    let why = "AS OF goes right behind the name of a table, before its alias".to_owned();
    Err(ReadError::Query(QueryError::Syntax { why }))
}

struct Names(usize);

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, .. } = factor else { return ControlFlow::Continue(()) };
        let Some(ObjectNamePart::Identifier(ident)) = name.0.last_mut() else { return ControlFlow::Continue(()) };
        if let Some((table, at)) = ident.value.split_once(MARK).map(|(table, at)| (table.to_owned(), at.to_owned())) {
            let known = Ident::with_quote('"', &table);
            alias.get_or_insert(TableAlias { explicit: true, name: known, columns: Vec::new(), at: None });
            ident.value = format!("{table}{BETWEEN}{at}");
            self.0 += 1;
        }
        ControlFlow::Continue(())
    }
}
