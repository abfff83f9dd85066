//! Rust as an interface language: a trait, or a module of traits and types, written down in the interface language.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::cursor::{Cursor, Fault};
use crate::magen_source;
use crate::rust_types::{Type, write_type};
use crate::source::Source;

/// What was found below `#[mage::interface]`.
pub(crate) struct Item {
    pub(crate) source: Source,
    /// What the code goes into, if it is a module: everything before its braces.
    pub(crate) module: Option<TokenStream>,
}

/// Reads a trait or a module.
pub(crate) fn from_tokens(tokens: TokenStream) -> Result<Item, Fault> {
    let mut source = Source::default();
    let mut cursor = Cursor::new(tokens.clone(), Span::call_site());
    skip_attributes(&mut cursor);
    visibility(&mut cursor);
    if cursor.eat_word("mod").is_none() {
        items(&mut Cursor::new(tokens, Span::call_site()), &mut source)?;
        return Ok(Item { source, module: None });
    }
    cursor.word("the name of the module")?;
    let body = cursor.group(Delimiter::Brace, "the body of the module: `{ .. }`")?;
    items(&mut Cursor::inside(&body), &mut source)?;
    let is_body =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let module = tokens.into_iter().take_while(|token| !is_body(token)).collect();
    Ok(Item { source, module: Some(module) })
}

fn skip_attributes(cursor: &mut Cursor) {
    while cursor.eat_mark('#') {
        cursor.next();
    }
}

fn visibility(cursor: &mut Cursor) {
    if cursor.eat_word("pub").is_some() {
        cursor.eat_group(Delimiter::Parenthesis);
    }
}

fn items(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    while !cursor.is_at_end() {
        attributes(cursor, source)?;
        visibility(cursor);
        if let Some(span) = cursor.eat_word("trait") {
            source.push("interface", span);
            block(cursor, source, "the name of the interface", method)?;
        } else if let Some(span) = cursor.eat_word("struct") {
            source.push("struct", span);
            block(cursor, source, "the name of the struct", field)?;
        } else if let Some(span) = cursor.eat_word("enum") {
            enumeration(span, cursor, source)?;
        } else if let Some(span) = cursor.eat_word("use") {
            return Err(Fault::new(
                "what is declared elsewhere is not known here: declare it in the same module, without `use`",
                span,
            ));
        } else {
            return cursor.fault("expected a trait, a struct with named fields or an enum");
        }
    }
    Ok(())
}

/// Documentation, and `#[mage(Extensible)]`.
fn attributes(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
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
            (Some(_), Some(list)) => {
                source.push("[", list.span_open());
                magen_source::write(list.stream(), source);
                source.push("]", list.span_close());
            }
            _ => {
                let message = "only documentation and attributes of the interface language, such as \
                               `#[mage(Extensible)]`, are carried over";
                return Err(Fault::new(message, group.span_open()));
            }
        }
    }
    Ok(())
}

/// `Name { part part .. }`
fn block(
    cursor: &mut Cursor,
    source: &mut Source,
    expected: &str,
    part: fn(&mut Cursor, &mut Source) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let name = cursor.word(expected)?;
    source.push(&bare(&name), name.span());
    let body = cursor
        .group(Delimiter::Brace, "`{`: supertraits, generics and tuples have no place in an interface")?;
    source.push("{", body.span_open());
    let mut inside = Cursor::inside(&body);
    while !inside.is_at_end() {
        attributes(&mut inside, source)?;
        part(&mut inside, source)?;
    }
    source.push("}", body.span_close());
    Ok(())
}

/// `fn name(&mut self, name: Type) -> Type;`
fn method(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    if cursor.eat_word("fn").is_none() {
        return cursor.fault("expected a method: `fn name(&mut self, ..);`");
    }
    let name = cursor.word("the name of the method")?;
    source.push(&camel_case(&bare(&name)), name.span());
    let list = cursor.group(Delimiter::Parenthesis, "the parameters")?;
    source.push("(", list.span_open());
    parameters(&list, source)?;
    source.push(")", list.span_close());
    if cursor.arrow()? {
        response(Type::read(cursor)?, source)?;
    }
    let end = cursor.span();
    if cursor.eat_group(Delimiter::Brace).is_some() {
        return Err(Fault::new("a method of an interface has no body here: whoever implements it has", end));
    }
    cursor.mark(';')?;
    source.push(";", end);
    Ok(())
}

fn parameters(list: &Group, source: &mut Source) -> Result<(), Fault> {
    let mut cursor = Cursor::inside(list);
    let receiver = cursor.span();
    if cursor.eat_mark('&') {
        let _ = cursor.eat_word("mut");
    }
    if cursor.eat_word("self").is_none() {
        return Err(Fault::new("a method takes `&mut self` first", receiver));
    }
    let mut is_first = true;
    while cursor.eat_mark(',') && !cursor.is_at_end() {
        if !is_first {
            source.push(",", cursor.span());
        }
        is_first = false;
        attributes(&mut cursor, source)?;
        let name = cursor.word("the name of a parameter")?;
        cursor.mark(':')?;
        write_type(&Type::read(&mut cursor)?, source)?;
        source.push(&bare(&name), name.span());
    }
    if cursor.is_at_end() { Ok(()) } else { cursor.fault("expected `,`") }
}

/// `=> (Type value) error Type`
fn response(answer: Type, source: &mut Source) -> Result<(), Fault> {
    let span = answer.span;
    let (answer, error) = answer.into_result();
    source.push("=>", span);
    source.push("(", span);
    let values = answer.into_tuple();
    let is_single = values.len() == 1;
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            source.push(",", span);
        }
        write_type(value, source)?;
        let name = if is_single { "value".to_owned() } else { format!("value{position}") };
        source.push(&name, value.span);
    }
    source.push(")", span);
    if let Some(error) = error {
        source.push("error", error.span);
        write_type(&error, source)?;
    }
    Ok(())
}

/// `name: Type,` of a struct.
fn field(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    visibility(cursor);
    let name = cursor.word("the name of a field")?;
    cursor.mark(':')?;
    write_type(&Type::read(cursor)?, source)?;
    source.push(&bare(&name), name.span());
    end_of_part(cursor, ";", source)
}

fn end_of_part(cursor: &mut Cursor, end: &str, source: &mut Source) -> Result<(), Fault> {
    source.push(end, cursor.span());
    if cursor.eat_mark(',') || cursor.is_at_end() { Ok(()) } else { cursor.fault("expected `,`") }
}

/// An enum whose variants have values is a union.
fn enumeration(span: Span, cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    // What it is shows only inside.
    let mut ahead = Vec::new();
    while let Some(token) = cursor.next() {
        let is_body = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        ahead.push(token);
        if is_body {
            break;
        }
    }
    let is_union = match ahead.last() {
        Some(TokenTree::Group(body)) => body.stream().into_iter().any(
            |token| matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis),
        ),
        _ => false,
    };
    source.push(if is_union { "union" } else { "enum" }, span);
    let mut cursor = Cursor::new(ahead.into_iter().collect(), cursor.span());
    block(&mut cursor, source, "the name of the enum", if is_union { member } else { variant })
}

/// `Name = number,` of an enum.
fn variant(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    let name = cursor.word("the name of a variant")?;
    source.push(&bare(&name), name.span());
    if cursor.at_mark('=') {
        source.push("=", cursor.span());
        cursor.next();
        if cursor.at_mark('-') {
            source.push("-", cursor.span());
            source.join();
            cursor.next();
        }
        match cursor.next() {
            Some(TokenTree::Literal(number)) => source.push(&number.to_string(), number.span()),
            _ => return cursor.fault("expected a number"),
        }
    }
    end_of_part(cursor, ",", source)
}

/// `Name(Type),` of a union.
fn member(cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    let name = cursor.word("the name of a variant")?;
    let value = cursor.group(Delimiter::Parenthesis, "`(Type)`: every variant of a union has one value")?;
    let mut inside = Cursor::inside(&value);
    write_type(&Type::read(&mut inside)?, source)?;
    if !inside.is_at_end() {
        return inside.fault("every variant of a union has one value");
    }
    source.push(&snake_case(&bare(&name)), name.span());
    end_of_part(cursor, ";", source)
}

/// A name without what makes it one in Rust.
fn bare(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

/// `fetch_url` as `FetchUrl`.
fn camel_case(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// `NotFound` as `not_found`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rust: &str) -> Result<String, String> {
        let item = from_tokens(rust.parse().unwrap()).map_err(|fault| fault.message)?;
        Ok(item.source.text().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_trait_is_an_interface() {
        let rust = "pub trait Store { fn put(&mut self, key: String, value: Vec<u8>); \
                    fn get_all(&self, keys: Vec<String>) -> Result<Option<[u8; 4]>, Fault>; \
                    fn flush(&mut self) -> (); fn both(&mut self) -> (i32, f64); }";
        assert_eq!(
            text(rust).unwrap(),
            "interface Store { Put ( string key , bytes value ) ; \
             GetAll ( array < string > keys ) => ( array < uint8 , 4 > ? value ) error Fault ; \
             Flush ( ) => ( ) ; Both ( ) => ( int32 value0 , double value1 ) ; }"
        );
    }

    #[test]
    fn a_module_has_types_too() {
        let rust = "mod a { struct P { pub x: i64, r#type: bool } #[mage(Extensible)] enum E { A, B = -2 } \
                    enum U { Text(String), BigPoint(P) } }";
        assert_eq!(
            text(rust).unwrap(),
            "struct P { int64 x ; bool type ; } [ Extensible ] enum E { A , B = -2 , } \
             union U { string text ; P big_point ; }"
        );
    }

    #[test]
    fn ends_of_all_kinds() {
        let rust = "trait A { fn f(&mut self, a: mage::PendingRemote<dyn super::A>, b: PendingReceiver<dyn A>, \
                    c: std::os::fd::OwnedFd, d: mage::StreamReceiver<u8, A>, e: BTreeMap<String, Vec<i8>>); }";
        assert_eq!(
            text(rust).unwrap(),
            "interface A { F ( pending_remote < A > a , pending_receiver < A > b , handle c , \
             stream < uint8 , A > d , map < string , array < int8 > > e ) ; }"
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (rust, message) in [
            ("trait A { fn f(x: i32); }", "a method takes `&mut self` first"),
            ("trait A { fn f(&mut self) {} }", "a method of an interface has no body here"),
            ("trait A: B {}", "expected `{`: supertraits"),
            ("fn f() {}", "expected a trait"),
            ("#[derive(Debug)] trait A {}", "only documentation and attributes"),
            ("mod a { use super::B; }", "what is declared elsewhere is not known here"),
            ("trait A { fn f(&mut self, x: &str); }", "expected a type"),
            ("trait A { fn f(&mut self, x: (i32, i32)); }", "only an answer can be several values"),
            ("enum A { B(i32), C }", "expected `(Type)`"),
            ("trait A { fn f(&mut self, x: i32) -> B C; }", "expected `;`"),
        ] {
            let found = text(rust).expect_err(rust);
            assert!(found.starts_with(message), "{rust}: {found}");
        }
    }
}
