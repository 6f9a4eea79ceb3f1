//! The index: tantivy in memory, and beside it what is found.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_catalogue::words;
use parking_lot::{Mutex, RwLock};
use tantivy::collector::TopDocs;
use tantivy::schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use crate::SearchError;
use crate::query::question;

/// Things that are held.
pub const MOST: usize = 200_000;
/// Bytes of a text that are looked at.
const LONGEST: usize = 4_096;
/// Bytes tantivy gathers before it makes a segment; the least it takes.
const WRITER_MEMORY: usize = 15_000_000;
/// Characters of a word that are looked at.
const LONGEST_WORD: usize = 64;
const BY_SPACES: &str = "by-spaces";

/// What of a thing is searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// What it is called; the first is the whole name, a question for just that finds it before others.
    pub names: Vec<String>,
    /// Other words for it.
    pub words: Vec<String>,
    pub owner: String,
    pub description: String,
    /// Met as they are: `pii:email`.
    pub tags: Vec<String>,
}

/// A thing that matches.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub thing: Arc<T>,
    /// More is better. It depends on the thing and the question alone.
    pub score: f32,
}

/// Things by key, found by their texts. Share it by `Arc`.
pub struct TextIndex<T> {
    fields: Fields,
    writer: Mutex<IndexWriter>,
    reader: IndexReader,
    held: RwLock<Held<T>>,
}

pub(crate) struct Fields {
    id: Field,
    key: Field,
    pub whole: Field,
    pub name: Field,
    pub words: Field,
    pub owner: Field,
    pub description: Field,
    pub tag: Field,
}

struct Held<T> {
    next: u64,
    things: HashMap<u64, Arc<T>>,
    keys: HashMap<String, Vec<u64>>,
    /// Replaced, and found until the replacement is.
    replaced: Vec<u64>,
}

impl<T: PartialEq> TextIndex<T> {
    /// An empty one.
    ///
    /// # Errors
    /// [`SearchError::Index`] when there are no threads to be had.
    pub fn new() -> Result<Self, SearchError> {
        let (schema, fields) = schema();
        let index = Index::create_in_ram(schema);
        index.tokenizers().register(BY_SPACES, TextAnalyzer::from(WhitespaceTokenizer::default()));
        let writer = index.writer_with_num_threads(1, WRITER_MEMORY)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let held = Held { next: 0, things: HashMap::new(), keys: HashMap::new(), replaced: Vec::new() };
        Ok(Self { fields, writer: Mutex::new(writer), reader, held: RwLock::new(held) })
    }

    /// Says what there is of a key, in place of what there was; found from the next [`TextIndex::commit`] on. Whether
    /// anything changed.
    ///
    /// # Errors
    /// [`SearchError::Full`] beyond [`MOST`] things.
    pub fn put(&self, key: &str, things: Vec<(Texts, T)>) -> Result<bool, SearchError> {
        let writer = self.writer.lock();
        if self.held.read().is_so(key, &things) {
            return Ok(false);
        }
        let mut held = self.held.write();
        let before = held.keys.remove(key).unwrap_or_default();
        held.replaced.extend(before);
        writer.delete_term(Term::from_field_text(self.fields.key, key));
        for (texts, thing) in things {
            if held.things.len() >= MOST + held.replaced.len() {
                return Err(SearchError::Full { most: MOST });
            }
            let id = held.hold(key, thing);
            writer.add_document(self.document(key, id, &texts))?;
        }
        Ok(true)
    }

    /// Nothing of the key is found any more, from now on.
    pub fn remove(&self, key: &str) {
        let writer = self.writer.lock();
        let mut held = self.held.write();
        for id in held.keys.remove(key).unwrap_or_default() {
            held.things.remove(&id);
        }
        writer.delete_term(Term::from_field_text(self.fields.key, key));
    }

    /// The keys there are.
    pub fn keys(&self) -> Vec<String> {
        self.held.read().keys.keys().cloned().collect()
    }

    /// Makes findable what was put.
    ///
    /// # Errors
    /// [`SearchError::Index`].
    pub fn commit(&self) -> Result<(), SearchError> {
        let mut writer = self.writer.lock();
        writer.commit()?;
        self.reader.reload()?;
        let mut held = self.held.write();
        for id in std::mem::take(&mut held.replaced) {
            held.things.remove(&id);
        }
        Ok(())
    }

    /// Everything that matches all words of `text`, the best first; everything there is when there are none.
    ///
    /// # Errors
    /// [`SearchError::Index`].
    pub fn find(&self, text: &str) -> Result<Vec<Found<T>>, SearchError> {
        let searcher = self.reader.searcher();
        let most = usize::try_from(searcher.num_docs()).unwrap_or(MOST).max(1);
        let matching =
            searcher.search(&*question(cut(text), &self.fields), &TopDocs::with_limit(most).order_by_score())?;
        let ids: Vec<_> = searcher
            .segment_readers()
            .iter()
            .map(|segment| segment.fast_fields().u64("id"))
            .collect::<Result<_, _>>()?;
        let held = self.held.read();
        let found = matching.into_iter().filter_map(|(score, at)| {
            let id = ids.get(at.segment_ord as usize)?.first(at.doc_id)?;
            Some(Found { thing: held.things.get(&id)?.clone(), score })
        });
        Ok(found.collect())
    }

    fn document(&self, key: &str, id: u64, texts: &Texts) -> TantivyDocument {
        let Fields { id: id_field, key: key_field, whole, name, words: more, owner, description, tag } = &self.fields;
        let mut document = TantivyDocument::new();
        document.add_u64(*id_field, id);
        document.add_text(*key_field, key);
        let names: Vec<String> = texts.names.iter().flat_map(|name| name_words(cut(name))).collect();
        if let Some(first) = texts.names.first() {
            document.add_text(*whole, words(cut(first)).concat());
        }
        document.add_text(*name, names.join(" "));
        let tags = texts.tags.iter();
        let others: Vec<String> =
            texts.words.iter().chain(tags.clone()).flat_map(|text| name_words(cut(text))).collect();
        document.add_text(*more, others.join(" "));
        document.add_text(*owner, name_words(cut(&texts.owner)).join(" "));
        document.add_text(*description, words(cut(&texts.description)).join(" "));
        tags.for_each(|text| document.add_text(*tag, cut(text).to_lowercase()));
        document
    }
}

impl<T: PartialEq> Held<T> {
    fn is_so(&self, key: &str, things: &[(Texts, T)]) -> bool {
        let Some(ids) = self.keys.get(key) else { return things.is_empty() };
        let same = |(id, (_, thing)): (&u64, &(Texts, T))| self.things.get(id).is_some_and(|held| **held == *thing);
        ids.len() == things.len() && ids.iter().zip(things).all(same)
    }

    fn hold(&mut self, key: &str, thing: T) -> u64 {
        let id = self.next;
        self.next += 1;
        self.things.insert(id, Arc::new(thing));
        self.keys.entry(key.to_owned()).or_default().push(id);
        id
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(BY_SPACES).set_index_option(IndexRecordOption::Basic);
    let split = TextOptions::default().set_indexing_options(indexing.set_fieldnorms(false));
    let fields = Fields {
        id: builder.add_u64_field("id", FAST),
        key: builder.add_text_field("key", STRING),
        whole: builder.add_text_field("whole", STRING),
        name: builder.add_text_field("name", split.clone()),
        words: builder.add_text_field("words", split.clone()),
        owner: builder.add_text_field("owner", split.clone()),
        description: builder.add_text_field("description", split),
        tag: builder.add_text_field("tag", STRING),
    };
    (builder.build(), fields)
}

/// The words of a name, and the whole of it as one.
fn name_words(name: &str) -> Vec<String> {
    let mut words = words(name);
    if words.len() > 1 {
        let whole: String = words.concat();
        words.push(whole.chars().take(LONGEST_WORD).collect());
    }
    words
}

/// The beginning, at a character's end.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> TextIndex<&'static str> {
        let index = TextIndex::new().unwrap();
        let texts = |name: &str, description: &str, owner: &str, tags: &[&str]| Texts {
            names: vec![name.into()],
            words: Vec::new(),
            owner: owner.into(),
            description: description.into(),
            tags: tags.iter().map(|tag| (*tag).into()).collect(),
        };
        let all = [
            ("weather", "Hourly weather at the three airports.", "ops", ["licence:cc0"].as_slice()),
            ("weather-archive", "Old weather.", "ops", &[]),
            ("flights", "One row a departure from New York; weather not included.", "network", &["pii:email"]),
            ("arr_delay", "Minutes late at the gate.", "network", &[]),
            ("tailNum", "Registration of the aircraft.", "fleet", &[]),
        ];
        for (name, description, owner, tags) in all {
            index.put(name, vec![(texts(name, description, owner, tags), name)]).unwrap();
        }
        index.commit().unwrap();
        index
    }

    fn find(index: &TextIndex<&'static str>, text: &str) -> Vec<&'static str> {
        index.find(text).unwrap().iter().map(|found| *found.thing).collect()
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(find(&index(), text), expect, "{text}");
    }

    #[test]
    fn a_name_comes_before_what_mentions_it() {
        check("weather", &["weather", "weather-archive", "flights"]);
        check("WEATHER archive", &["weather-archive"]);
        check("departure", &["flights"]);
        check("fleet", &["tailNum"]);
    }

    #[test]
    fn mistyped_words_are_found() {
        for typed in ["wether", "waether", "weathr", "weatherr", "xeather"] {
            assert_eq!(find(&index(), typed)[0], "weather", "{typed}");
        }
        // Two errors in a long word; one in a short one makes another word.
        check("registraton", &["tailNum"]);
        check("regstraton", &["tailNum"]);
        check("opt", &[]);
        check("flihgts", &["flights"]);
        check("nothing-of-the-kind", &[]);
    }

    #[test]
    fn beginnings_and_parts_of_names_are_found() {
        check("wea arc", &["weather-archive"]);
        check("delay", &["arr_delay"]);
        check("arrdelay", &["arr_delay"]);
        check("tail_num", &["tailNum"]);
        check("tailnum", &["tailNum"]);
        check("w", &[]);
    }

    #[test]
    fn tags_are_met_as_they_are() {
        check("pii:email", &["flights"]);
        check("PII:Email", &["flights"]);
        check("pii:emai", &[]);
        check("licence:cc0 weather", &["weather"]);
        check("email", &["flights"]);
    }

    #[test]
    fn strange_questions_break_nothing() {
        for text in ["", "   ", "*", "\"", "a:b:c", "AND OR NOT", "(", "\0", &"long ".repeat(10_000), "ü😀", "[x TO y]"]
        {
            index().find(text).unwrap();
        }
        assert_eq!(find(&index(), "").len(), 5);
    }

    #[test]
    fn what_is_removed_is_gone_at_once_and_what_is_replaced_is_never_missed() {
        let index = index();
        index.remove("weather");
        assert_eq!(find(&index, "weather"), ["weather-archive", "flights"]);
        let texts = Texts { names: vec!["voyages".into()], ..Texts::default() };
        assert!(index.put("flights", vec![(texts.clone(), "voyages")]).unwrap());
        assert_eq!(find(&index, "departure"), ["flights"]);
        index.commit().unwrap();
        assert_eq!((find(&index, "departure"), find(&index, "voyages")), (vec![], vec!["voyages"]));
        assert!(!index.put("flights", vec![(texts, "voyages")]).unwrap(), "nothing changed");
        index.put("flights", Vec::new()).unwrap();
        index.commit().unwrap();
        assert_eq!(find(&index, "voyages"), [""; 0]);
    }

    #[test]
    fn a_score_does_not_depend_on_what_else_is_there() {
        let (few, many) = (index(), index());
        for n in 0..500 {
            let texts =
                Texts { names: vec![format!("weather {n}")], description: "weather".into(), ..Texts::default() };
            many.put(&format!("more-{n}"), vec![(texts, "more")]).unwrap();
        }
        many.commit().unwrap();
        let score = |index: &TextIndex<&'static str>| {
            index.find("wether").unwrap().iter().find(|found| *found.thing == "flights").unwrap().score
        };
        assert_eq!(score(&few), score(&many));
    }
}
