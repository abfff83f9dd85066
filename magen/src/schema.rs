//! A `.magen` file that has been checked: every type is known, every name can be generated.

use crate::ast::Docs;

/// Every interface of a file, in order of declaration.
#[derive(Debug)]
pub(crate) struct Schema<'source> {
    pub(crate) interfaces: Vec<Interface<'source>>,
}

#[derive(Debug)]
pub(crate) struct Interface<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    /// The position of a method in this list is its ordinal: the number it has on the wire.
    pub(crate) methods: Vec<Method<'source>>,
}

#[derive(Debug)]
pub(crate) struct Method<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    pub(crate) parameters: Vec<Field<'source>>,
    pub(crate) response: Option<Vec<Field<'source>>>,
}

/// A parameter, or a value of a response.
#[derive(Debug)]
pub(crate) struct Field<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    pub(crate) value_type: ValueType,
}

/// The types of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Bool,
    Int,
    Long,
    Double,
    /// One byte: the `char` of the C++ that the language was made for, not a Unicode character.
    Char,
    String,
    MessagePipe,
}

impl ValueType {
    pub(crate) const ALL: [Self; 7] =
        [Self::Bool, Self::Int, Self::Long, Self::Double, Self::Char, Self::String, Self::MessagePipe];

    /// How the type is written in a `.magen` file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Char => "char",
            Self::String => "string",
            Self::MessagePipe => "MessagePipe",
        }
    }

    /// The type written `name`, if there is one.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value_type| value_type.name() == name)
    }
}
