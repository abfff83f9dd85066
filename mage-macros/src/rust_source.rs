//! Rust as an interface language: a trait, or a module of traits and types, written down in the interface language.

#[cfg(test)]
mod tests;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::cursor::{Cursor, Fault};
use crate::magen_source::unquoted;
use crate::rust_attributes::{Said, Word};
use crate::rust_types::{Type, write_owned, write_shared};
use crate::source::Source;

/// What was found below `#[mage::interface]`.
pub(crate) struct Item {
    pub(crate) source: Source,
    /// What the code goes into, if it is a module: everything before its braces.
    pub(crate) module: Option<TokenStream>,
}

/// Reads a trait or a module. What is said in the brackets of the macro is which module of the language it belongs to.
pub(crate) fn from_tokens(arguments: TokenStream, tokens: TokenStream) -> Result<Item, Fault> {
    let mut source = Source::default();
    language_module(arguments, &mut source)?;
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

/// `module = "a.b"`
fn language_module(arguments: TokenStream, source: &mut Source) -> Result<(), Fault> {
    let mut cursor = Cursor::new(arguments, Span::call_site());
    if cursor.is_at_end() {
        return Ok(());
    }
    let expected = "expected `module = \"name\"`";
    let Some(keyword) = cursor.eat_word("module") else { return cursor.fault(expected) };
    cursor.mark('=')?;
    let span = cursor.span();
    let name = cursor.eat_literal().and_then(|literal| unquoted(&literal));
    let (Some(name), true) = (name, cursor.is_at_end()) else { return Err(Fault::new(expected, span)) };
    source.push("module", keyword);
    source.push(&name, span);
    source.push(";", span);
    Ok(())
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
        let said = Said::read(cursor, source)?;
        visibility(cursor);
        if let Some(span) = cursor.eat_word("trait") {
            source.push("interface", span);
            block(cursor, source, said, &TRAIT)?;
        } else if let Some(span) = cursor.eat_word("struct") {
            source.push("struct", span);
            block(cursor, source, said, &STRUCT)?;
        } else if let Some(span) = cursor.eat_word("enum") {
            enumeration(span, cursor, source, said)?;
        } else if let Some(span) = cursor.eat_word("const") {
            constant(span, cursor, source)?;
            said.end("a constant")?;
        } else if let Some(span) = cursor.eat_word("use") {
            return Err(Fault::new(
                "what is declared elsewhere is not known here: declare it in the same module, without `use`",
                span,
            ));
        } else {
            return cursor.fault("expected a trait, a struct with named fields, an enum or a constant");
        }
    }
    Ok(())
}

/// What is declared with a block, and what is in the block.
struct Block {
    name: &'static str,
    place: &'static str,
    part: fn(&mut Cursor, &mut Source, Said) -> Result<(), Fault>,
}

const TRAIT: Block = Block { name: "the name of the interface", place: "an interface", part: method };
const STRUCT: Block = Block { name: "the name of the struct", place: "a struct", part: field };
const ENUM: Block = Block { name: "the name of the enum", place: "an enum", part: variant };
const UNION: Block = Block { name: "the name of the enum", place: "an enum", part: member };

/// `Name { part part .. }`
fn block(cursor: &mut Cursor, source: &mut Source, mut said: Said, what: &Block) -> Result<(), Fault> {
    let name = cursor.word(what.name)?;
    source.push(&bare(&name), name.span());
    let body = cursor
        .group(Delimiter::Brace, "`{`: supertraits, generics and tuples have no place in an interface")?;
    source.push("{", body.span_open());
    if what.place != STRUCT.place {
        said.write_reserved(source)?;
    }
    said.end(what.place)?;
    let mut inside = Cursor::inside(&body);
    while !inside.is_at_end() {
        let said = Said::read(&mut inside, source)?;
        (what.part)(&mut inside, source, said)?;
    }
    source.push("}", body.span_close());
    Ok(())
}

/// `const NAME: Type = value;`
fn constant(span: Span, cursor: &mut Cursor, source: &mut Source) -> Result<(), Fault> {
    source.push("const", span);
    let name = cursor.word("the name of the constant")?;
    cursor.mark(':')?;
    // `&'static str`
    if cursor.eat_mark('&') && cursor.eat_mark('\'') {
        cursor.word("a lifetime")?;
    }
    write_owned(&Type::read(cursor)?, source)?;
    source.push(&bare(&name), name.span());
    source.push("=", cursor.span());
    cursor.mark('=')?;
    let value = cursor.up_to(';');
    let end = cursor.span();
    Cursor::new(value.into_iter().collect(), end).values(source)?;
    cursor.mark(';')?;
    source.push(";", end);
    Ok(())
}

/// `fn name(&mut self, name: Type) -> Type;`
fn method(cursor: &mut Cursor, source: &mut Source, mut said: Said) -> Result<(), Fault> {
    if cursor.eat_word("fn").is_none() {
        return cursor.fault("expected a method: `fn name(&mut self, ..);`");
    }
    let name = cursor.word("the name of the method")?;
    method_name(&name, said.take("name"), source)?;
    said.write("ordinal", "@", source)?;
    let answer = said.take("answer");
    said.end("a method")?;
    let list = cursor.group(Delimiter::Parenthesis, "the parameters")?;
    source.push("(", list.span_open());
    parameters(&list, source)?;
    source.push(")", list.span_close());
    if cursor.arrow()? {
        response(Type::read(cursor)?, answer, source)?;
    } else if let Some(answer) = answer {
        return Err(Fault::new("a method without `->` has no answer", answer.span));
    }
    let end = cursor.span();
    if cursor.eat_group(Delimiter::Brace).is_some() {
        return Err(Fault::new("a method of an interface has no body here: whoever implements it has", end));
    }
    cursor.mark(';')?;
    source.push(";", end);
    Ok(())
}

/// `fetch_url` is called `FetchUrl` on the wire, or as it is said.
fn method_name(name: &Ident, on_the_wire: Option<Word>, source: &mut Source) -> Result<(), Fault> {
    let in_rust = bare(name);
    let Some(on_the_wire) = on_the_wire else {
        source.push(&camel_case(&in_rust), name.span());
        return Ok(());
    };
    let (said, span) = on_the_wire.into_name()?;
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    if plain(&said) != plain(&in_rust) {
        return Err(Fault::new(format!("`{said}` is not `{in_rust}` with other capitals"), span));
    }
    source.push(&said, span);
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
        let said = Said::read(&mut cursor, source)?;
        let name = cursor.word("the name of a parameter")?;
        typed(&name, said, "a parameter", &mut cursor, source)?;
    }
    if cursor.is_at_end() { Ok(()) } else { cursor.fault("expected `,`") }
}

/// `: Type`, written as `Type name = default`.
fn typed(
    name: &Ident,
    mut said: Said,
    place: &str,
    cursor: &mut Cursor,
    source: &mut Source,
) -> Result<(), Fault> {
    cursor.mark(':')?;
    write_shared(&Type::read(cursor)?, source)?;
    source.push(&bare(name), name.span());
    said.write("default", "=", source)?;
    said.end(place)
}

/// `=> (Type value) error Type`; `names` are those of the values.
fn response(answer: Type, names: Option<Word>, source: &mut Source) -> Result<(), Fault> {
    let span = answer.span;
    let (answer, error) = answer.into_result();
    source.push("=>", span);
    source.push("(", span);
    let values = answer.into_tuple();
    let is_single = values.len() == 1;
    let mut names = names.map(Word::cursor);
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            source.push(",", span);
        }
        let Some(names) = &mut names else {
            write_shared(value, source)?;
            let name = if is_single { "value".to_owned() } else { format!("value{position}") };
            source.push(&name, value.span);
            continue;
        };
        if names.is_at_end() {
            return names.fault("there are more values in the answer than names");
        }
        if position > 0 {
            names.mark(',')?;
        }
        let mut said = Said::read(names, source)?;
        write_shared(value, source)?;
        let name = names.word("a name for each value of the answer")?;
        source.push(&bare(&name), name.span());
        said.write("default", "=", source)?;
        said.end("a value of the answer")?;
    }
    if let Some(names) = &mut names
        && !names.is_at_end()
    {
        return names.fault("there are more names than values in the answer");
    }
    source.push(")", span);
    if let Some(error) = error {
        source.push("error", error.span);
        write_owned(&error, source)?;
    }
    Ok(())
}

/// `name: Type,` of a struct.
fn field(cursor: &mut Cursor, source: &mut Source, said: Said) -> Result<(), Fault> {
    visibility(cursor);
    let name = cursor.word("the name of a field")?;
    typed(&name, said, "a field", cursor, source)?;
    end_of_part(cursor, ";", source)
}

fn end_of_part(cursor: &mut Cursor, end: &str, source: &mut Source) -> Result<(), Fault> {
    source.push(end, cursor.span());
    if cursor.eat_mark(',') || cursor.is_at_end() { Ok(()) } else { cursor.fault("expected `,`") }
}

/// An enum whose variants have values is a union.
fn enumeration(span: Span, cursor: &mut Cursor, source: &mut Source, said: Said) -> Result<(), Fault> {
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
    block(&mut cursor, source, said, if is_union { &UNION } else { &ENUM })
}

/// `Name = number,` of an enum.
fn variant(cursor: &mut Cursor, source: &mut Source, said: Said) -> Result<(), Fault> {
    said.end("a variant without a value")?;
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
fn member(cursor: &mut Cursor, source: &mut Source, mut said: Said) -> Result<(), Fault> {
    let name = cursor.word("the name of a variant")?;
    let value = cursor.group(Delimiter::Parenthesis, "`(Type)`: every variant of a union has one value")?;
    let mut inside = Cursor::inside(&value);
    write_shared(&Type::read(&mut inside)?, source)?;
    if !inside.is_at_end() {
        return inside.fault("every variant of a union has one value");
    }
    source.push(&snake_case(&bare(&name)), name.span());
    said.write("ordinal", "@", source)?;
    said.end("a variant")?;
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
