//! Values, with the names that they have in the schema.

use std::fmt;

/// The body of a message: what follows the header, and what travels beside it.
///
/// Pipes and handles are numbers of the user's choosing, such as their places in a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The bytes behind the header.
    pub bytes: Vec<u8>,
    /// The pipes, in their order.
    pub pipes: Vec<u32>,
    /// The handles, in their order.
    pub handles: Vec<u32>,
}

/// A value of any type. `Display` shows it in one line, with its names.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A `bool`.
    Bool(bool),
    /// A whole number of any width.
    Integer(i128),
    /// A `float`.
    Float(f32),
    /// A `double`.
    Double(f64),
    /// A `string`.
    Text(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// A `MessagePipe`, a `pending_remote` or a `pending_receiver`.
    Pipe(u32),
    /// A `handle`.
    Handle(u32),
    /// The elements of an `array`, with or without a length.
    Array(Vec<Self>),
    /// The keys and values of a `map`, in the order in which they travel.
    Map(Vec<(Self, Self)>),
    /// Something that may be absent.
    Optional(Option<Box<Self>>),
    /// The fields of a struct, or the values of a list, in order.
    Struct(Vec<(&'a str, Self)>),
    /// A member of a union.
    Union {
        /// The number of the member.
        number: u32,
        /// Its name and value; `None` for a member that the schema does not know.
        member: Option<(&'a str, Box<Self>)>,
    },
    /// A value of an enum.
    Enum {
        /// Its number.
        number: i32,
        /// Its name; `None` for one that the schema does not know.
        name: Option<&'a str>,
    },
    /// What was asked for, or the error.
    Result(Result<Box<Self>, Box<Self>>),
}

impl Value<'_> {
    /// The field of this name, if it is a struct or a list and has one.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Float(value) => value.fmt(formatter),
            Self::Double(value) => value.fmt(formatter),
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Bytes(bytes) => write!(formatter, "\"{}\"", bytes.escape_ascii()),
            Self::Pipe(place) => write!(formatter, "pipe {place}"),
            Self::Handle(place) => write!(formatter, "handle {place}"),
            Self::Optional(None) => formatter.write_str("absent"),
            Self::Optional(Some(value)) => value.fmt(formatter),
            Self::Array(elements) => list(formatter, ["[", "]"], elements, |element, f| element.fmt(f)),
            Self::Map(entries) => {
                list(formatter, ["{", "}"], entries, |(key, value), f| write!(f, "{key}: {value}"))
            }
            Self::Struct(fields) => {
                list(formatter, ["{ ", " }"], fields, |(name, value), f| write!(f, "{name}: {value}"))
            }
            Self::Union { member: Some((name, value)), .. } => write!(formatter, "{name}({value})"),
            Self::Union { number, member: None } => write!(formatter, "unknown member {number}"),
            Self::Enum { name: Some(name), .. } => formatter.write_str(name),
            Self::Enum { number, name: None } => write!(formatter, "unknown value {number}"),
            Self::Result(Ok(value)) => value.fmt(formatter),
            Self::Result(Err(error)) => write!(formatter, "error {error}"),
        }
    }
}

fn list<T>(
    formatter: &mut fmt::Formatter<'_>,
    [open, close]: [&str; 2],
    elements: &[T],
    show: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if elements.is_empty() {
        return write!(formatter, "{}{}", open.trim(), close.trim());
    }
    formatter.write_str(open)?;
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            formatter.write_str(", ")?;
        }
        show(element, formatter)?;
    }
    formatter.write_str(close)
}
