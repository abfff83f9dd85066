//! `#[mage(..)]`: what the interface language says of a thing and Rust has no words for.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::cursor::{Cursor, Fault};
use crate::magen_source;
use crate::source::Source;

/// What is said with words that the interface language has none for; its own attributes are passed on as they are.
const WORDS: [&str; 5] = ["answer", "default", "name", "ordinal", "reserved"];

/// `word = value` or `word(value)`.
pub(crate) struct Word {
    name: String,
    pub(crate) span: Span,
    value: TokenStream,
}

/// What is said of one thing.
#[derive(Default)]
pub(crate) struct Said(Vec<Word>);

impl Said {
    /// Reads what stands before a thing. Documentation and attributes of the language are written down at once.
    pub(crate) fn read(cursor: &mut Cursor, source: &mut Source) -> Result<Self, Fault> {
        let mut said = Self::default();
        while cursor.at_mark('#') {
            let span = cursor.span();
            cursor.next();
            let group = cursor.group(Delimiter::Bracket, "an attribute")?;
            if let Some(docs) = magen_source::documentation(&group) {
                source.push_docs(&docs, span);
                continue;
            }
            let mut inside = Cursor::inside(&group);
            match (inside.eat_word("mage"), inside.eat_group(Delimiter::Parenthesis)) {
                (Some(_), Some(list)) => said.list(&mut Cursor::inside(&list), source)?,
                _ => {
                    let message = "only documentation and attributes of the interface language, such as \
                                   `#[mage(Extensible)]`, are carried over";
                    return Err(Fault::new(message, group.span_open()));
                }
            }
        }
        Ok(said)
    }

    fn list(&mut self, cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
        while !cursor.is_at_end() {
            let start = cursor.span();
            let mut part = cursor.up_to(',');
            cursor.eat_mark(',');
            let Some(TokenTree::Ident(word)) = part.first().cloned() else {
                return Err(Fault::new("expected an attribute", start));
            };
            let (name, span) = (word.to_string(), word.span());
            if !WORDS.contains(&name.as_str()) {
                // All attributes of the language have a capital.
                if name.starts_with(|first: char| first.is_lowercase()) {
                    let message = format!("unknown attribute `{name}`: there are {}", WORDS.join(", "));
                    return Err(Fault::new(message + ", and those of the interface language", span));
                }
                source.push("[", span);
                magen_source::write(part.into_iter().collect(), source);
                source.push("]", span);
                continue;
            }
            if self.0.iter().any(|said| said.name == name) {
                return Err(Fault::new(format!("`{name}` is said twice"), span));
            }
            part.remove(0);
            let value = match part.first() {
                Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => part.drain(1..).collect(),
                Some(TokenTree::Group(list))
                    if list.delimiter() == Delimiter::Parenthesis && part.len() == 1 =>
                {
                    list.stream()
                }
                _ => return Err(Fault::new(format!("expected `{name} = value` or `{name}(value)`"), span)),
            };
            self.0.push(Word { name, span, value });
        }
        Ok(())
    }

    /// What is said with this word, if it is.
    pub(crate) fn take(&mut self, name: &str) -> Option<Word> {
        let position = self.0.iter().position(|word| word.name == name)?;
        Some(self.0.remove(position))
    }

    /// Writes `mark value`, if that is said with this word.
    pub(crate) fn write(&mut self, name: &str, mark: &str, source: &mut Source) -> Result<(), Fault> {
        match self.take(name) {
            Some(word) => {
                source.push(mark, word.span);
                word.cursor().values(source)
            }
            None => Ok(()),
        }
    }

    /// Writes `reserved 2, 3;`, if that is said.
    pub(crate) fn write_reserved(&mut self, source: &mut Source) -> Result<(), Fault> {
        let span = self.0.iter().find(|word| word.name == "reserved").map(|word| word.span);
        self.write("reserved", "reserved", source)?;
        if let Some(span) = span {
            source.push(";", span);
        }
        Ok(())
    }

    /// Nothing may be left that has not been taken.
    pub(crate) fn end(self, place: &str) -> Result<(), Fault> {
        match self.0.first() {
            Some(word) => Err(Fault::new(format!("`{}` has no place before {place}", word.name), word.span)),
            None => Ok(()),
        }
    }
}

impl Word {
    /// What it says.
    pub(crate) fn cursor(self) -> Cursor {
        Cursor::new(self.value, self.span)
    }

    /// The one name that it says.
    pub(crate) fn into_name(self) -> Result<(String, Span), Fault> {
        let mut cursor = self.cursor();
        let name = cursor.word("a name")?;
        if cursor.is_at_end() {
            Ok((name.to_string(), name.span()))
        } else {
            cursor.fault("expected one name")
        }
    }
}

impl Cursor {
    /// Writes values as they are, except that paths have dots instead of colons.
    pub(crate) fn values(&mut self, source: &mut Source) -> Result<(), Fault> {
        if self.is_at_end() {
            return self.fault("expected a value");
        }
        while let Some(token) = self.next() {
            match token {
                TokenTree::Punct(colon) if colon.as_char() == ':' && self.eat_mark(':') => {
                    source.push_within(".", colon.span());
                }
                token => magen_source::write(token.into(), source),
            }
        }
        Ok(())
    }
}
