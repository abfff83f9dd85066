//! The attributes: a closed set.

use super::Checker;
use crate::ast::{Attribute, LiteralKind};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::ValueType;
use crate::span::Span;
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

    /// Whether it is written with a type.
    fn has_type(self) -> bool {
        matches!(self, Self::Parameter | Self::Field | Self::Member)
    }

    /// Whether such a thing can be added in a later version.
    fn is_added_to(self) -> bool {
        matches!(self, Self::Method | Self::Parameter | Self::Field | Self::Member | Self::EnumValue)
    }
}

/// What the attributes of one place say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes<'source> {
    pub(super) is_extensible: bool,
    /// Since which version there is such a thing; 0 is the first.
    pub(super) min_version: u32,
    /// The path of the user's type that stands for it in Rust.
    pub(super) rust: Option<&'source str>,
    /// Where it says that texts and bytes are slices of their message.
    pub(super) shared: Option<Span>,
}

const EXTENSIBLE: &str = "Extensible";
pub(super) const MIN_VERSION: &str = "MinVersion";
const RUST: &str = "Rust";
const SHARED: &str = "Shared";

/// Every attribute there is.
pub(crate) const ATTRIBUTES: [&str; 4] = [EXTENSIBLE, MIN_VERSION, RUST, SHARED];

impl<'source> Checker<'source, '_> {
    pub(super) fn attributes(
        &mut self,
        attributes: &[Attribute<'source>],
        place: Place,
    ) -> Attributes<'source> {
        let mut found = Attributes::default();
        for (position, attribute) in attributes.iter().enumerate() {
            let name = attribute.name.text;
            if attributes[..position].iter().any(|before| before.name.text == name) {
                let message = format!("`{name}` is there twice");
                self.invalid_attribute(attribute.name.span, &message, "remove one of them");
                continue;
            }
            match name {
                EXTENSIBLE => found.is_extensible = self.extensible(attribute, place),
                MIN_VERSION => found.min_version = self.min_version(attribute, place),
                RUST => found.rust = self.rust_type(attribute, place),
                SHARED => found.shared = self.shared(attribute, place),
                _ => self.unknown_attribute(attribute),
            }
        }
        found
    }

    fn extensible(&mut self, attribute: &Attribute<'source>, place: Place) -> bool {
        if !matches!(place, Place::Interface | Place::Struct | Place::Union | Place::Enum) {
            let help = "`[Extensible]` stands before an interface, a struct, a union or an enum";
            self.misplaced_attribute(attribute, place, help);
        } else if let Some(value) = attribute.value {
            self.invalid_attribute(value.span, "`Extensible` takes no value", "write `[Extensible]`");
        }
        true
    }

    fn min_version(&mut self, attribute: &Attribute<'source>, place: Place) -> u32 {
        if !place.is_added_to() {
            let help = "`[MinVersion=1]` stands before what is added: a method, a parameter, a response value, a field, \
                        a member or a value of what is `[Extensible]`";
            self.misplaced_attribute(attribute, place, help);
            return 0;
        }
        let number = attribute.value.filter(|value| value.kind == LiteralKind::Number);
        let version = number.and_then(|value| value.text.parse().ok());
        if !matches!(version, Some(1..)) {
            let span = attribute.value.map_or(attribute.name.span, |value| value.span);
            let message = "`MinVersion` takes the number of a version, from 1";
            let help = "write `[MinVersion=1]` for the first addition; what was always there has none";
            self.invalid_attribute(span, message, help);
        }
        version.unwrap_or_default()
    }

    /// The path of a type: absolute, because the code may be included anywhere.
    fn rust_type(&mut self, attribute: &Attribute<'source>, place: Place) -> Option<&'source str> {
        if !place.has_type() {
            let help =
                "`[Rust=\"crate::Url\"]` stands before a parameter, a response value, a field or a member";
            self.misplaced_attribute(attribute, place, help);
            return None;
        }
        let value =
            attribute.value.filter(|value| value.kind == LiteralKind::Text && is_rust_path(value.text));
        if value.is_none() {
            let span = attribute.value.map_or(attribute.name.span, |value| value.span);
            let help =
                "write `[Rust=\"crate::Url\"]`, or `[Rust=\"::url::Url\"]` for a type of another crate";
            self.invalid_attribute(span, "`Rust` takes the path of a type", help);
        }
        value.map(|value| value.text)
    }

    fn shared(&mut self, attribute: &Attribute<'source>, place: Place) -> Option<Span> {
        if !place.has_type() {
            let help = "`[Shared]` stands before a parameter, a response value, a field or a member";
            self.misplaced_attribute(attribute, place, help);
            return None;
        }
        if let Some(value) = attribute.value {
            self.invalid_attribute(value.span, "`Shared` takes no value", "write `[Shared]`");
        }
        Some(attribute.name.span)
    }

    /// The type of something before which `[Shared]` stands: there has to be something to share.
    pub(super) fn shared_type(&mut self, value_type: ValueType, shared: Span) -> ValueType {
        let is_text = |part: &ValueType| matches!(part, ValueType::Text(_) | ValueType::Bytes(_));
        if !value_type.all_mentioned().into_iter().any(is_text) {
            let help = "a struct, a union or an enum says of its own fields and members what is shared";
            self.invalid_attribute(shared, "there is neither `string` nor `bytes` in this type", help);
        }
        value_type.shared()
    }

    fn unknown_attribute(&mut self, attribute: &Attribute<'source>) {
        let name = attribute.name;
        let message = format!("unknown attribute `{}`", name.text);
        let diagnostic = Diagnostic::new(DiagnosticKind::UnknownAttribute, name.span, message);
        self.reporter.report(match suggest::closest(name.text, ATTRIBUTES) {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic.help("the attributes are `Extensible`, `MinVersion`, `Rust` and `Shared`"),
        });
    }

    fn misplaced_attribute(&mut self, attribute: &Attribute<'source>, place: Place, help: &str) {
        let message = format!("`{}` does not stand before {}", attribute.name.text, place.description());
        self.invalid_attribute(attribute.name.span, &message, help);
    }

    fn invalid_attribute(&mut self, span: Span, message: &str, help: &str) {
        self.reporter.report(Diagnostic::new(DiagnosticKind::InvalidAttribute, span, message).help(help));
    }
}

/// Whether this is the path of a type that means the same in every module, or is written from where the code is.
fn is_rust_path(text: &str) -> bool {
    let mut words = text.strip_prefix("::").unwrap_or(text).split("::").peekable();
    let begins_well = text.starts_with("::") || matches!(words.peek(), Some(&("crate" | "super")));
    let is_word = |word: &str| {
        word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    begins_well && words.clone().count() > 1 && words.all(is_word)
}
