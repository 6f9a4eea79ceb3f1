//! The string literals of Rust source.

/// A string literal, as the program sees it.
#[derive(Debug, PartialEq)]
pub struct Literal {
    pub text: String,
    pub line: usize,
    /// The constant it is the value of.
    pub constant: Option<String>,
    /// It stands directly in a call of `query` or `execute`.
    pub is_asked: bool,
}

/// Comments, characters and lifetimes are no strings.
pub fn literals(source: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = source[at..].find(['/', '"', '\'', 'r']) {
        let here = at + step;
        let rest = &source[here..];
        at = here
            + if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else if rest.starts_with('"') {
                let (text, length) = quoted(rest);
                found.push(literal(source, here, text));
                length
            } else if let Some((text, length)) = raw(source, here) {
                found.push(literal(source, here, text));
                length
            } else {
                character(rest)
            };
    }
    found
}

fn literal(source: &str, at: usize, text: String) -> Literal {
    let before = &source[..at];
    let declared = before.rfind("const ").map(|start| &before[start + "const ".len()..]);
    let constant = declared.and_then(|declared| {
        let (name, rest) = declared.split_once(':')?;
        (rest.trim().trim_start_matches("&'static ").trim_start_matches('&').trim_end() == "str =")
            .then(|| name.to_owned())
    });
    let is_asked = ["query(", "execute("].iter().any(|call| before.trim_end().ends_with(call));
    Literal { text, line: before.matches('\n').count() + 1, constant, is_asked }
}

/// What a literal that begins here says, and how long it is in the source.
fn quoted(source: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = source.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next() {
                Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, 'n')) => text.push('\n'),
                Some((_, c)) => text.push(c),
                None => {}
            },
            c => text.push(c),
        }
    }
    (text, source.len())
}

fn raw(source: &str, at: usize) -> Option<(String, usize)> {
    let rest = source[at..].strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end)?;
    let is_word = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    (!is_word).then(|| (body[..length].to_owned(), 2 + hashes + length + end.len()))
}

/// The length of a character literal; a lifetime, or a letter, is passed over.
fn character(source: &str) -> usize {
    let mut chars = source.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), Some(escaped)) => {
            let after = 2 + escaped.len_utf8();
            source[after..].find('\'').map_or(after, |end| after + end + 1)
        }
        (Some('\''), Some(c), Some('\'')) => 2 + c.len_utf8(),
        (Some(c), ..) => c.len_utf8(),
        _ => 1,
    }
}

#[test]
fn strings_are_told_from_what_looks_like_them() {
    let source = "// \"no\"\nconst SQL: &str =\n    \"one\\\n     two\";\nfn f<'a>(c: char) { c == '\"' || c == '\\''; tx.query(\"three\", &[]); r#\"fo\"ur\"# /* \"no\" */ }";
    let told: Vec<_> =
        literals(source).into_iter().map(|one| (one.text, one.line, one.constant, one.is_asked)).collect();
    let sql = Some("SQL".to_owned());
    let plain = |text: &str, asked| (text.to_owned(), 5, None, asked);
    assert_eq!(told, [("onetwo".to_owned(), 3, sql, false), plain("three", true), plain("fo\"ur", false)]);
}
