//! The types of the language.

use super::DefinitionId;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Bool,
    Integer(Integer),
    Float,
    Double,
    /// At most so many bytes long.
    Text(Option<u32>),
    /// At most so many bytes long.
    Bytes(Option<u32>),
    MessagePipe,
    Handle,
    PendingRemote(DefinitionId),
    PendingReceiver(DefinitionId),
    /// The end of a stream that values come out of: what they are, and what its sender may fail with.
    Stream(Box<Self>, Option<Box<Self>>),
    /// What travels, and the path of the user's type that stands for it in Rust. Only a field as a whole has one.
    Mapped(Box<Self>, String),
    /// A text or bytes that are a slice of the message in Rust.
    Shared(Box<Self>),
    /// A struct, a union or an enum.
    Named(DefinitionId),
    /// At most so many elements.
    Array(Box<Self>, Option<u32>),
    /// Exactly so many elements.
    FixedArray(Box<Self>, u32),
    /// At most so many entries.
    Map(Box<Self>, Box<Self>, Option<u32>),
    Optional {
        inner: Box<Self>,
        /// Whether it would contain itself in place, and is kept in a box instead.
        is_boxed: bool,
    },
}

/// A whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub(crate) is_signed: bool,
    pub(crate) bits: u32,
}

impl Integer {
    pub(crate) const INT: Self = Self { is_signed: true, bits: 32 };

    /// The type in Rust.
    pub(crate) fn rust_name(self) -> &'static str {
        match (self.is_signed, self.bits) {
            (true, 8) => "i8",
            (true, 16) => "i16",
            (true, 32) => "i32",
            (true, _) => "i64",
            (false, 8) => "u8",
            (false, 16) => "u16",
            (false, 32) => "u32",
            (false, _) => "u64",
        }
    }

    /// Whether `value` is one of its values.
    pub(crate) fn contains(self, value: i128) -> bool {
        let (min, max) = self.range();
        (min..=max).contains(&value)
    }

    /// The least and the greatest value.
    pub(crate) fn range(self) -> (i128, i128) {
        let all = 1_i128 << self.bits;
        if self.is_signed { (-all / 2, all / 2 - 1) } else { (0, all - 1) }
    }
}

/// Everything that is written as one word, the preferred one first where two mean the same.
static WORDS: [(&str, ValueType); 18] = [
    ("bool", ValueType::Bool),
    ("int", ValueType::Integer(Integer::INT)),
    ("long", integer(true, 64)),
    ("double", ValueType::Double),
    ("char", integer(false, 8)),
    ("string", ValueType::Text(None)),
    ("MessagePipe", ValueType::MessagePipe),
    ("int8", integer(true, 8)),
    ("int16", integer(true, 16)),
    ("int32", integer(true, 32)),
    ("int64", integer(true, 64)),
    ("uint8", integer(false, 8)),
    ("uint16", integer(false, 16)),
    ("uint32", integer(false, 32)),
    ("uint64", integer(false, 64)),
    ("float", ValueType::Float),
    ("bytes", ValueType::Bytes(None)),
    ("handle", ValueType::Handle),
];

/// The words for types that take others in brackets.
pub(crate) const GENERIC: [&str; 5] = ["array", "map", "stream", "pending_remote", "pending_receiver"];

const fn integer(is_signed: bool, bits: u32) -> ValueType {
    ValueType::Integer(Integer { is_signed, bits })
}

impl ValueType {
    /// The words for types that take no arguments.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, _)| *word)
    }

    /// The type that is written as this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(name, _)| *name == word).map(|(_, value_type)| value_type.clone())
    }

    /// The word for a type that has one, whatever its bound.
    pub(crate) fn word(&self) -> Option<&'static str> {
        let unbounded = match self {
            Self::Text(_) => &Self::Text(None),
            Self::Bytes(_) => &Self::Bytes(None),
            other => other,
        };
        WORDS.iter().find(|(_, value_type)| value_type == unbounded).map(|(word, _)| *word)
    }

    /// The types that it is made of directly. What comes out of a stream is not in it.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Array(element, _) | Self::FixedArray(element, _) => vec![element],
            Self::Optional { inner, .. } | Self::Mapped(inner, _) | Self::Shared(inner) => vec![inner],
            Self::Map(key, value, _) => vec![key, value],
            _ => Vec::new(),
        }
    }

    /// Itself, with each text and each `bytes` in it, also of what comes out of a stream, as a slice of its message.
    pub(crate) fn shared(self) -> Self {
        let shared = |inner: Box<Self>| Box::new(inner.shared());
        match self {
            text @ (Self::Text(_) | Self::Bytes(_)) => Self::Shared(Box::new(text)),
            Self::Array(element, bound) => Self::Array(shared(element), bound),
            Self::FixedArray(element, count) => Self::FixedArray(shared(element), count),
            Self::Map(key, value, bound) => Self::Map(shared(key), shared(value), bound),
            Self::Optional { inner, is_boxed } => Self::Optional { inner: shared(inner), is_boxed },
            Self::Stream(value, error) => Self::Stream(shared(value), error.map(shared)),
            other => other,
        }
    }

    /// Itself and everything that it is made of.
    pub(crate) fn all_parts(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(part) = all.get(next).copied() {
            all.extend(part.parts());
            next += 1;
        }
        all
    }

    /// Itself, everything that it is made of, and everything that comes out of streams in it.
    pub(crate) fn all_mentioned(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(part) = all.get(next).copied() {
            all.extend(part.parts());
            if let Self::Stream(value, error) = part {
                all.push(value);
                all.extend(error.as_deref());
            }
            next += 1;
        }
        all
    }

    /// Whether it, or something that it is made of, has a bound that must be checked or is a type of the user's.
    pub(crate) fn has_bound(&self) -> bool {
        self.all_parts().into_iter().any(|part| {
            matches!(
                part,
                Self::Mapped(..)
                    | Self::Text(Some(_))
                    | Self::Bytes(Some(_))
                    | Self::Array(_, Some(_))
                    | Self::Map(_, _, Some(_))
            )
        })
    }
}
