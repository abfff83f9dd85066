//! The attributes: a closed set.

use super::Checker;
use crate::ast::Attribute;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::suggest;

/// What an attribute may stand before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Interface,
    Struct,
    Union,
    Enum,
    Const,
    Method,
    Parameter,
    Field,
    Member,
    EnumValue,
}

impl Place {
    /// How a message names it.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Interface => "an interface",
            Self::Struct => "a struct",
            Self::Union => "a union",
            Self::Enum => "an enum",
            Self::Const => "a constant",
            Self::Method => "a method",
            Self::Parameter => "a parameter or response value",
            Self::Field => "a field",
            Self::Member => "a member of a union",
            Self::EnumValue => "a value of an enum",
        }
    }
}

/// What the attributes of one place say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes {
    pub(super) is_extensible: bool,
}

const EXTENSIBLE: &str = "Extensible";

impl<'source> Checker<'source, '_> {
    pub(super) fn attributes(&mut self, attributes: &[Attribute<'source>], place: Place) -> Attributes {
        let mut found = Attributes::default();
        for attribute in attributes {
            if attribute.name.text != EXTENSIBLE {
                self.unknown_attribute(attribute);
                continue;
            }
            if !matches!(place, Place::Struct | Place::Union | Place::Enum) {
                let help = "`[Extensible]` stands before a struct, a union or an enum";
                self.misplaced_attribute(attribute, place, help);
            } else if let Some(value) = attribute.value {
                self.reporter.report(
                    Diagnostic::new(
                        DiagnosticKind::InvalidAttribute,
                        value.span,
                        "`Extensible` takes no value",
                    )
                    .help("write `[Extensible]`"),
                );
            } else if found.is_extensible {
                self.reporter.report(
                    Diagnostic::new(
                        DiagnosticKind::InvalidAttribute,
                        attribute.name.span,
                        "`Extensible` is there twice",
                    )
                    .help("remove one of them"),
                );
            }
            found.is_extensible = true;
        }
        found
    }

    fn unknown_attribute(&mut self, attribute: &Attribute<'source>) {
        let name = attribute.name;
        let message = format!("unknown attribute `{}`", name.text);
        let diagnostic = Diagnostic::new(DiagnosticKind::UnknownAttribute, name.span, message);
        self.reporter.report(match suggest::closest(name.text, [EXTENSIBLE]) {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic.help("the only attribute is `Extensible`"),
        });
    }

    fn misplaced_attribute(&mut self, attribute: &Attribute<'source>, place: Place, help: &str) {
        let message = format!("`{}` does not stand before {}", attribute.name.text, place.description());
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidAttribute, attribute.name.span, message).help(help),
        );
    }
}
