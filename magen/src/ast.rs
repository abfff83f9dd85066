//! A `.magen` file as it is written: nothing is looked up or converted yet.

use crate::span::Span;

/// One source file.
#[derive(Debug, Default)]
pub(crate) struct File<'source> {
    pub(crate) module: Option<Name<'source>>,
    pub(crate) imports: Vec<Import<'source>>,
    pub(crate) declarations: Vec<Declaration<'source>>,
}

/// `import "path";`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Import<'source> {
    /// As it stands between the quotes.
    pub(crate) path: &'source str,
    pub(crate) span: Span,
}

/// What a file is made of.
#[derive(Debug)]
pub(crate) struct Declaration<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) attributes: Vec<Attribute<'source>>,
    pub(crate) name: Name<'source>,
    pub(crate) body: Body<'source>,
}

#[derive(Debug)]
pub(crate) enum Body<'source> {
    Interface { methods: Vec<Method<'source>>, reserved: Vec<Number> },
    Struct { fields: Vec<Field<'source>> },
    Union { members: Vec<Field<'source>>, reserved: Vec<Number> },
    Enum { values: Vec<EnumValue<'source>>, reserved: Vec<Number> },
    Const { value_type: Type<'source>, value: Literal<'source> },
}

impl Body<'_> {
    /// The keyword that declares it.
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Self::Interface { .. } => "interface",
            Self::Struct { .. } => "struct",
            Self::Union { .. } => "union",
            Self::Enum { .. } => "enum",
            Self::Const { .. } => "const",
        }
    }
}

/// `Name(..);` or `Name(..) => (..) error E;`
#[derive(Debug)]
pub(crate) struct Method<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) attributes: Vec<Attribute<'source>>,
    pub(crate) name: Name<'source>,
    pub(crate) ordinal: Option<Number>,
    pub(crate) parameters: Vec<Field<'source>>,
    /// `None` is a one-way method; `Some` of nothing is `=> ()`.
    pub(crate) response: Option<Vec<Field<'source>>>,
    pub(crate) error: Option<Type<'source>>,
}

/// `type name @n = default`: in a list of parameters or of response values, in a struct or in a union.
#[derive(Debug)]
pub(crate) struct Field<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) attributes: Vec<Attribute<'source>>,
    pub(crate) value_type: Type<'source>,
    pub(crate) name: Name<'source>,
    pub(crate) ordinal: Option<Number>,
    pub(crate) default: Option<Literal<'source>>,
}

/// `NAME = number`
#[derive(Debug)]
pub(crate) struct EnumValue<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) attributes: Vec<Attribute<'source>>,
    pub(crate) name: Name<'source>,
    pub(crate) value: Option<Literal<'source>>,
}

/// `[Name]` or `[Name=value]`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'source> {
    pub(crate) name: Name<'source>,
    pub(crate) value: Option<Literal<'source>>,
}

/// `head<arguments> max bound?`
#[derive(Clone, Debug)]
pub(crate) struct Type<'source> {
    /// May have dots in it: `module.Name`.
    pub(crate) head: Name<'source>,
    pub(crate) arguments: Vec<Argument<'source>>,
    pub(crate) bound: Option<Literal<'source>>,
    pub(crate) optional: Option<Span>,
    pub(crate) span: Span,
}

/// What stands between `<` and `>`. A name may turn out to be a type or a constant.
#[derive(Clone, Debug)]
pub(crate) enum Argument<'source> {
    Type(Type<'source>),
    Literal(Literal<'source>),
}

/// A value as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<'source> {
    pub(crate) kind: LiteralKind,
    /// Of a text, what stands between the quotes.
    pub(crate) text: &'source str,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiteralKind {
    Number,
    Text,
    /// `true`, `false`, a constant or a value of an enum; may have dots in it.
    Name,
}

/// A whole number that is not negative, such as an ordinal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) value: u32,
    pub(crate) span: Span,
}

/// A name and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'source> {
    pub(crate) text: &'source str,
    pub(crate) span: Span,
}

/// The lines of a doc comment, without their slashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Docs<'source> {
    pub(crate) lines: Vec<&'source str>,
}
