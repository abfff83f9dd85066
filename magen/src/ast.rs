//! A `.magen` file as it is written: nothing is looked up or converted yet.

use crate::span::Span;

/// One source file.
#[derive(Debug, Default)]
pub(crate) struct File<'source> {
    pub(crate) interfaces: Vec<Interface<'source>>,
}

/// `interface Name { .. }`
#[derive(Debug)]
pub(crate) struct Interface<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: Name<'source>,
    pub(crate) methods: Vec<Method<'source>>,
}

/// `Name(..);` or `Name(..) => (..);`
#[derive(Debug)]
pub(crate) struct Method<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: Name<'source>,
    pub(crate) parameters: Vec<Parameter<'source>>,
    /// `None` is a one-way method; `Some` of nothing is `=> ()`.
    pub(crate) response: Option<Vec<Parameter<'source>>>,
}

/// `type name`, in a list of parameters or of response values.
#[derive(Debug)]
pub(crate) struct Parameter<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) type_name: Name<'source>,
    pub(crate) name: Name<'source>,
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
