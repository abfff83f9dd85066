//! Types of Rust, as the interface language calls them.

use proc_macro2::{Delimiter, Span};

use crate::cursor::{Cursor, Fault};
use crate::source::Source;

/// A type as it is written.
pub(crate) struct Type {
    kind: Kind,
    pub(crate) span: Span,
}

enum Kind {
    /// The last word of a path, and what is in its brackets.
    Path(String, Vec<Type>),
    /// `[T; 3]`, or `[T]`.
    Array(Box<Type>, Option<(String, Span)>),
    Tuple(Vec<Type>),
    /// How many of something there may be.
    Number(String),
}

/// The words for what is called otherwise there.
const WORDS: [(&str, &str); 22] = [
    ("i8", "int8"),
    ("i16", "int16"),
    ("i32", "int32"),
    ("i64", "int64"),
    ("u8", "uint8"),
    ("u16", "uint16"),
    ("u32", "uint32"),
    ("u64", "uint64"),
    ("f32", "float"),
    ("f64", "double"),
    ("String", "string"),
    ("str", "string"),
    ("ByteString", "string"),
    ("Bytes", "bytes"),
    ("Vec", "array"),
    ("BTreeMap", "map"),
    ("OwnedFd", "handle"),
    ("PendingRemote", "pending_remote"),
    ("PendingReceiver", "pending_receiver"),
    ("StreamReceiver", "stream"),
    ("MessagePipe", "MessagePipe"),
    ("bool", "bool"),
];

impl Type {
    /// Reads a type. How deep it is nested is bounded by how deep the compiler that runs this reads.
    pub(crate) fn read(cursor: &mut Cursor) -> Result<Self, Fault> {
        let span = cursor.span();
        if let Some(group) = cursor.eat_group(Delimiter::Bracket) {
            let mut inside = Cursor::inside(&group);
            let element = Self::read(&mut inside)?;
            let length = if inside.eat_mark(';') {
                let place = inside.span();
                inside.next().map(|token| (token.to_string(), place))
            } else {
                None
            };
            return Ok(Self { kind: Kind::Array(Box::new(element), length), span });
        }
        if let Some(group) = cursor.eat_group(Delimiter::Parenthesis) {
            let mut inside = Cursor::inside(&group);
            let mut parts = Vec::new();
            while !inside.is_at_end() {
                parts.push(Self::read(&mut inside)?);
                if !inside.eat_mark(',') && !inside.is_at_end() {
                    return inside.fault("expected `,`");
                }
            }
            return Ok(Self { kind: Kind::Tuple(parts), span });
        }
        if let Some(number) = cursor.eat_literal() {
            return Ok(Self { kind: Kind::Number(number), span });
        }
        let _ = cursor.eat_word("dyn");
        Self::read_path(cursor)
    }

    fn read_path(cursor: &mut Cursor) -> Result<Self, Fault> {
        loop {
            while cursor.eat_mark(':') {}
            let name = cursor.word("a type")?;
            let span = name.span();
            if cursor.at_mark(':') {
                continue;
            }
            let mut arguments = Vec::new();
            if cursor.eat_mark('<') {
                while !cursor.at_mark('>') {
                    arguments.push(Self::read(cursor)?);
                    if !cursor.eat_mark(',') && !cursor.at_mark('>') {
                        return cursor.fault("expected `,` or `>`");
                    }
                }
                cursor.mark('>')?;
            }
            let name = name.to_string().trim_start_matches("r#").to_owned();
            return Ok(Self { kind: Kind::Path(name, arguments), span });
        }
    }

    /// `Result<T, E>` as what it is made of.
    pub(crate) fn into_result(self) -> (Self, Option<Self>) {
        match self.kind {
            Kind::Path(name, mut arguments) if name == "Result" && arguments.len() == 2 => {
                let error = arguments.pop();
                match arguments.pop() {
                    Some(value) => (value, error),
                    None => (Self { kind: Kind::Tuple(Vec::new()), span: self.span }, error),
                }
            }
            kind => (Self { kind, span: self.span }, None),
        }
    }

    /// The parts of a tuple; anything else is one part.
    pub(crate) fn into_tuple(self) -> Vec<Self> {
        match self.kind {
            Kind::Tuple(parts) => parts,
            kind => vec![Self { kind, span: self.span }],
        }
    }

    /// Where something in it is a slice of its message, and where a text or bytes are not.
    fn slices(&self) -> [Option<Span>; 2] {
        let parts: &[Self] = match &self.kind {
            Kind::Path(name, arguments) => match (name.as_str(), arguments.as_slice()) {
                ("Bytes" | "ByteString", []) => return [Some(self.span), None],
                ("String" | "str", []) => return [None, Some(self.span)],
                ("Vec", [element]) if element.is_byte() => return [None, Some(self.span)],
                (_, arguments) => arguments,
            },
            Kind::Array(element, _) => std::slice::from_ref(element),
            Kind::Tuple(parts) => parts,
            Kind::Number(_) => &[],
        };
        parts.iter().fold([None, None], |[slice, other], part| {
            let [inner_slice, inner_other] = part.slices();
            [slice.or(inner_slice), other.or(inner_other)]
        })
    }

    fn is_byte(&self) -> bool {
        matches!(&self.kind, Kind::Path(name, _) if name == "u8")
    }
}

/// Writes the type of a parameter, a field or the like: with `[Shared]` before it, if slices of the message are in it.
pub(crate) fn write_shared(written: &Type, source: &mut Source) -> Result<(), Fault> {
    match written.slices() {
        [Some(_), Some(other)] => {
            let message = "in one type all texts and bytes are slices of the message, or none: write `ByteString` \
                           for `String`, and `Bytes` for `Vec<u8>`";
            return Err(Fault::new(message, other));
        }
        [Some(slice), None] => ["[", "Shared", "]"].into_iter().for_each(|word| source.push(word, slice)),
        [None, _] => {}
    }
    write_type(written, source)
}

/// Writes the type of what is no slice of a message: a constant, or an error.
pub(crate) fn write_owned(written: &Type, source: &mut Source) -> Result<(), Fault> {
    if let [Some(slice), _] = written.slices() {
        let message = "only parameters, values of answers, fields and members are slices of the message: write \
                       `String` or `Vec<u8>`";
        return Err(Fault::new(message, slice));
    }
    write_type(written, source)
}

/// Writes the type as the interface language has it. A name that it has not is left to the compiler to refuse, at
/// its place.
fn write_type(written: &Type, source: &mut Source) -> Result<(), Fault> {
    let span = written.span;
    match &written.kind {
        Kind::Path(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("Vec", [element]) if element.is_byte() => source.push("bytes", span),
            ("Max", [inner, bound]) => write_bounded(inner, bound, source, span)?,
            ("Option", [inner]) => {
                write_type(inner, source)?;
                source.push("?", span);
            }
            (name, arguments) => {
                let word = WORDS.iter().find(|(rust, _)| *rust == name).map_or(name, |(_, word)| *word);
                source.push(word, span);
                write_arguments(arguments, source, span)?;
            }
        },
        Kind::Array(element, length) => {
            source.push("array", span);
            source.push("<", span);
            write_type(element, source)?;
            if let Some((length, place)) = length {
                source.push(",", span);
                source.push(length, *place);
            }
            source.push(">", span);
        }
        Kind::Number(number) => source.push(number, span),
        Kind::Tuple(_) => {
            return Err(Fault::new("only an answer can be several values: declare a struct", span));
        }
    }
    Ok(())
}

/// `Max<String, 64>` is `string<64>`, and `Max<Vec<T>, 64>` is `array<T> max 64`.
fn write_bounded(inner: &Type, bound: &Type, source: &mut Source, span: Span) -> Result<(), Fault> {
    let Kind::Path(name, arguments) = &inner.kind else {
        return Err(Fault::new(NOT_BOUNDED, inner.span));
    };
    let behind = match (name.as_str(), arguments.as_slice()) {
        ("String" | "ByteString" | "Bytes", []) => ["<", ">"],
        ("Vec", [element]) if element.is_byte() => ["<", ">"],
        ("Vec" | "BTreeMap", _) => ["max", ""],
        _ => return Err(Fault::new(NOT_BOUNDED, inner.span)),
    };
    write_type(inner, source)?;
    source.push(behind[0], span);
    write_type(bound, source)?;
    source.push(behind[1], span);
    Ok(())
}

const NOT_BOUNDED: &str =
    "only a `String`, a `ByteString`, `Bytes`, a `Vec` and a `BTreeMap` can have a bound";

fn write_arguments(arguments: &[Type], source: &mut Source, span: Span) -> Result<(), Fault> {
    for (position, argument) in arguments.iter().enumerate() {
        source.push(if position == 0 { "<" } else { "," }, span);
        write_type(argument, source)?;
    }
    if !arguments.is_empty() {
        source.push(">", span);
    }
    Ok(())
}
