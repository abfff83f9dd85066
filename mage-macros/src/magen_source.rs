//! The tokens of `magen!`, written down again as text.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use crate::source::Source;

/// The source that these tokens are.
pub(crate) fn from_tokens(tokens: TokenStream) -> Source {
    let mut source = Source::default();
    write(tokens, &mut source);
    source
}

pub(crate) fn write(tokens: TokenStream, source: &mut Source) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                let docs = match tokens.peek() {
                    Some(TokenTree::Group(group)) => documentation(group),
                    _ => None,
                };
                match docs {
                    Some(docs) => {
                        source.push_docs(&docs, mark.span());
                        tokens.next();
                    }
                    None => source.push("#", mark.span()),
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == '.' => source.push_within(".", mark.span()),
            TokenTree::Punct(mark) => {
                source.push(mark.as_char().encode_utf8(&mut [0; 4]), mark.span());
                // A sign belongs to its number.
                if mark.spacing() == Spacing::Joint || mark.as_char() == '-' {
                    source.join();
                }
            }
            TokenTree::Group(group) => write_group(&group, source),
            TokenTree::Ident(word) => source.push(&word.to_string(), word.span()),
            TokenTree::Literal(literal) => source.push(&literal.to_string(), literal.span()),
        }
    }
}

fn write_group(group: &Group, source: &mut Source) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        // It has no marks, and is there because a macro wrote it.
        Delimiter::None => return write(group.stream(), source),
    };
    source.push(open, group.span_open());
    write(group.stream(), source);
    source.push(close, group.span_close());
}

/// The text of `[doc = "text"]`, which is what a doc comment is to a macro.
pub(crate) fn documentation(group: &Group) -> Option<String> {
    let mut tokens = group.stream().into_iter();
    match (tokens.next()?, tokens.next()?, tokens.next()?) {
        (TokenTree::Ident(doc), TokenTree::Punct(equals), TokenTree::Literal(text))
            if doc == "doc" && equals.as_char() == '=' =>
        {
            unquoted(&text.to_string())
        }
        _ => None,
    }
}

/// What a literal of a string, raw or not, says.
pub(crate) fn unquoted(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        return Some(raw.trim_matches('#').strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let mut text = String::new();
    let mut letters = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        text.push(match letters.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'u' => {
                let digits: String = letters.by_ref().skip(1).take_while(|letter| *letter != '}').collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            other => other,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_was_written() {
        let tokens = "/// It \"quotes\".\ninterface A<b> { Seek@10(a . B x = -3) => (); }".parse().unwrap();
        let source = from_tokens(tokens);
        assert_eq!(
            source.text(),
            "\n/// It \"quotes\".\n interface A < b > { Seek @ 10 ( a.B x = -3 ) => ( ) ; }"
        );
    }

    #[test]
    fn quotes_are_taken_off() {
        for (literal, text) in
            [(r#""a\"b""#, "a\"b"), (r##"r#"a"b"#"##, "a\"b"), (r#""\u{41}\n\\""#, "A\n\\"), (r#""""#, "")]
        {
            assert_eq!(unquoted(literal).as_deref(), Some(text), "{literal}");
        }
    }

    #[test]
    fn a_range_has_its_tokens() {
        let source = from_tokens("interface Logger".parse().unwrap());
        // Outside of a macro all places are one, so only that there is one can be asked here.
        let _ = source.spans(&(3..5));
        let _ = source.spans(&(999..999));
        let _ = Source::default().spans(&(0..0));
    }
}
