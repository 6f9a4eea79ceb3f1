//! What somebody typed, as a question to the index: every word must be met, exactly, as the beginning of a word, or with a
//! typing error or two.

use bedplate_catalogue::words;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Term};

use crate::index::Fields;

/// Words that are looked at; further ones are left out.
const MOST_WORDS: usize = 8;

/// How much a word counts where it is met.
const WHOLE: Score = 20.0;
const NAME: Score = 10.0;
const WORDS: Score = 5.0;
const OWNER: Score = 4.0;
const DESCRIPTION: Score = 2.0;

/// And how, of that.
const PREFIX: Score = 0.7;
const ONE_OFF: Score = 0.4;
const TWO_OFF: Score = 0.25;

/// Everything, where nothing was typed.
pub fn question(text: &str, fields: &Fields) -> Box<dyn Query> {
    let mut wanted: Vec<Box<dyn Query>> = Vec::new();
    for piece in text.split_whitespace() {
        // `pii:email` is a tag, and met as it is.
        if piece.contains(':') {
            wanted.push(tag(&piece.to_lowercase(), fields));
        } else {
            wanted.extend(words(piece).iter().map(|word| one(word, fields)));
        }
    }
    wanted.truncate(MOST_WORDS);
    match wanted.len() {
        0 => Box::new(AllQuery),
        _ => Box::new(BooleanQuery::intersection(wanted)),
    }
}

fn one(word: &str, fields: &Fields) -> Box<dyn Query> {
    let mut ways = vec![exact(fields.whole, word, WHOLE)];
    let weighed =
        [(fields.name, NAME), (fields.words, WORDS), (fields.owner, OWNER), (fields.description, DESCRIPTION)];
    for (field, weight) in weighed {
        ways.push(exact(field, word, weight));
        ways.extend(near(field, word, weight));
    }
    Box::new(DisjunctionMaxQuery::new(ways))
}

fn tag(tag: &str, fields: &Fields) -> Box<dyn Query> {
    exact(fields.tag, tag, WORDS)
}

fn exact(field: Field, word: &str, weight: Score) -> Box<dyn Query> {
    let term = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::Basic);
    Box::new(ConstScoreQuery::new(Box::new(term), weight))
}

/// Beginnings from two letters on, errors from four: in a shorter word one error makes another word.
fn near(field: Field, word: &str, weight: Score) -> Vec<Box<dyn Query>> {
    let term = || Term::from_field_text(field, word);
    let weighed = |query: FuzzyTermQuery, part: Score| -> Box<dyn Query> {
        Box::new(BoostQuery::new(Box::new(query), weight * part))
    };
    let mut ways = Vec::new();
    let length = word.chars().count();
    if length >= 2 {
        ways.push(weighed(FuzzyTermQuery::new_prefix(term(), 0, true), PREFIX));
    }
    if length >= 4 {
        ways.push(weighed(FuzzyTermQuery::new(term(), 1, true), ONE_OFF));
    }
    if length >= 8 {
        ways.push(weighed(FuzzyTermQuery::new(term(), 2, true), TWO_OFF));
    }
    ways
}
