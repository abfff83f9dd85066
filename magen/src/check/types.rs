//! Types, as they are written, to what they mean.

use super::Checker;
use crate::ast::{Argument, Literal, LiteralKind, Name, Type};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::{DefinitionId, GENERIC, Integer, Kind, Value, ValueType};
use crate::span::Span;
use crate::suggest;

impl<'source> Checker<'source, '_> {
    /// The type that is meant; `None` if there is none, which has been reported.
    pub(super) fn value_type(&mut self, written: &Type<'source>) -> Option<ValueType> {
        let mut value_type = self.bare_type(written)?;
        if let Some(literal) = written.bound {
            let bound = self.count(literal)?;
            match &mut value_type {
                ValueType::Array(_, length) | ValueType::Map(_, _, length) => *length = Some(bound),
                _ => {
                    return self.wrong_arguments(
                        literal.span,
                        "only arrays and maps have a `max`",
                        "write `array<T> max 1000`, `string<64>` or `bytes<4096>`",
                    );
                }
            }
        }
        Some(match written.optional {
            Some(_) => ValueType::Optional { inner: Box::new(value_type), is_boxed: false },
            None => value_type,
        })
    }

    /// The type without its bound and its `?`.
    fn bare_type(&mut self, written: &Type<'source>) -> Option<ValueType> {
        let arguments = written.arguments.as_slice();
        match (written.head.text, arguments) {
            ("array", [Argument::Type(element)]) => {
                let element = self.value_type(element)?;
                Some(ValueType::Array(Box::new(element), None))
            }
            ("array", [Argument::Type(element), count]) => {
                let (element, count) = (self.value_type(element)?, self.argument_count(count)?);
                Some(ValueType::FixedArray(Box::new(element), count))
            }
            ("array", _) => {
                self.wrong_arguments(written.span, "an array of what?", "write `array<T>` or `array<T, 3>`")
            }
            ("map", [Argument::Type(key), Argument::Type(value)]) => self.map(key, value),
            ("map", _) => self.wrong_arguments(written.span, "a map from what to what?", "write `map<K, V>`"),
            ("string", [count]) => Some(ValueType::Text(Some(self.argument_count(count)?))),
            ("bytes", [count]) => Some(ValueType::Bytes(Some(self.argument_count(count)?))),
            ("pending_remote", [Argument::Type(interface)]) => {
                self.interface_named(interface).map(ValueType::PendingRemote)
            }
            ("pending_receiver", [Argument::Type(interface)]) => {
                self.interface_named(interface).map(ValueType::PendingReceiver)
            }
            ("pending_remote" | "pending_receiver", _) => self.wrong_arguments(
                written.span,
                "an end of which interface?",
                "write `pending_remote<Foo>` or `pending_receiver<Foo>`",
            ),
            ("stream", [Argument::Type(value)]) => {
                Some(ValueType::Stream(Box::new(self.streamed_type(value)?), None))
            }
            ("stream", [Argument::Type(value), Argument::Type(error)]) => {
                let (value, error) = (self.streamed_type(value)?, self.streamed_type(error)?);
                Some(ValueType::Stream(Box::new(value), Some(Box::new(error))))
            }
            ("stream", _) => self.wrong_arguments(
                written.span,
                "a stream of what?",
                "write `stream<T>`, or `stream<T, E>` if it may fail with an `E`",
            ),
            (name, []) => match ValueType::from_word(name) {
                Some(value_type) => Some(value_type),
                None => self.named_type(written.head),
            },
            ("handle", _) => self.wrong_arguments(
                written.span,
                "there are no typed handles",
                "a `handle` is any descriptor; what may stand in its brackets is kept for later",
            ),
            (name, _) => {
                let message = format!("`{name}` takes nothing in `<` and `>`");
                let help =
                    "`array`, `map`, `string`, `bytes`, `stream`, `pending_remote` and `pending_receiver` do";
                self.wrong_arguments(written.span, &message, help)
            }
        }
    }

    /// What comes out of a stream, one at a time.
    fn streamed_type(&mut self, written: &Type<'source>) -> Option<ValueType> {
        let value_type = self.value_type(written)?;
        if value_type.has_bound() {
            let help = "declare a struct, and put the value into it";
            return self.wrong_arguments(written.span, "what is in a stream has no bounds", help);
        }
        Some(value_type)
    }

    fn map(&mut self, key: &Type<'source>, value: &Type<'source>) -> Option<ValueType> {
        let key_span = key.span;
        let (key, value) = (self.value_type(key)?, self.value_type(value)?);
        let is_key = match &key {
            ValueType::Bool | ValueType::Integer(_) | ValueType::Text(_) => true,
            ValueType::Named(id) => matches!(self.schema.definition(*id).kind, Kind::Enum(_)),
            _ => false,
        };
        if !is_key {
            self.reporter.report(
                Diagnostic::new(DiagnosticKind::MapKey, key_span, "this type cannot be the key of a map")
                    .help("keys are whole numbers, `bool`, `string` and enums"),
            );
            return None;
        }
        Some(ValueType::Map(Box::new(key), Box::new(value), None))
    }

    fn named_type(&mut self, name: Name<'source>) -> Option<ValueType> {
        let id = self.lookup(name)?;
        match &self.schema.definition(id).kind {
            Kind::Struct(_) | Kind::Union(_) | Kind::Enum(_) => Some(ValueType::Named(id)),
            Kind::Interface(_) => {
                let message = format!("the interface `{}` is not a type", name.text);
                self.reporter.report(
                    Diagnostic::new(DiagnosticKind::WrongArguments, name.span, message).help(format!(
                        "one end of it is: `pending_remote<{0}>` or `pending_receiver<{0}>`",
                        name.text
                    )),
                );
                None
            }
            Kind::Const(_) => {
                let message = format!("the constant `{}` is not a type", name.text);
                self.reporter.report(Diagnostic::new(DiagnosticKind::WrongArguments, name.span, message));
                None
            }
        }
    }

    fn interface_named(&mut self, written: &Type<'source>) -> Option<DefinitionId> {
        let name = written.head;
        let is_bare = written.arguments.is_empty() && written.bound.is_none() && written.optional.is_none();
        let is_word = ValueType::from_word(name.text).is_some();
        let id = if is_word || !is_bare { None } else { Some(self.lookup(name)?) };
        match id {
            Some(id) if matches!(self.schema.definition(id).kind, Kind::Interface(_)) => Some(id),
            _ => {
                let message = format!("`{}` is not an interface", name.text);
                self.wrong_arguments(written.span, &message, "only interfaces have ends that can be sent")
            }
        }
    }

    fn lookup(&mut self, name: Name<'source>) -> Option<DefinitionId> {
        if let Some([first, second]) = self.ambiguous.get(name.text) {
            let (first, second) = (self.schema.qualified_name(*first), self.schema.qualified_name(*second));
            let message = format!("`{}` is declared by two imported files", name.text);
            self.reporter.report(
                Diagnostic::new(DiagnosticKind::AmbiguousName, name.span, message)
                    .help(format!("with its module it is clear: `{first}` or `{second}`")),
            );
            return None;
        }
        let found = self.symbols.get(name.text).copied();
        if found.is_none() {
            self.unknown_type(name);
        }
        found
    }

    fn unknown_type(&mut self, name: Name<'source>) {
        let message = format!("unknown type `{}`", name.text);
        let diagnostic = Diagnostic::new(DiagnosticKind::UnknownType, name.span, message);
        let types = self.symbols.iter().filter(|(_, id)| {
            matches!(self.schema.definition(**id).kind, Kind::Struct(_) | Kind::Union(_) | Kind::Enum(_))
        });
        let words: Vec<&str> = ValueType::words().chain(GENERIC).collect();
        let names = words.into_iter().chain(types.map(|(name, _)| name.as_str()));
        let meant = same_in_other_languages(name.text).or_else(|| suggest::closest(name.text, names));
        let diagnostic = match meant {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => {
                let words: Vec<String> = ValueType::words().map(|word| format!("`{word}`")).collect();
                diagnostic.help(format!(
                    "the types are {}, `array<T>`, `map<K, V>`, `stream<T>`, `pending_remote<I>`, `pending_receiver<I>` \
                     and what the file declares",
                    words.join(", ")
                ))
            }
        };
        self.reporter.report(diagnostic);
    }

    fn argument_count(&mut self, argument: &Argument<'source>) -> Option<u32> {
        let literal = match argument {
            Argument::Literal(literal) => *literal,
            Argument::Type(Type { head, arguments, bound: None, optional: None, .. })
                if arguments.is_empty() =>
            {
                Literal { kind: LiteralKind::Name, text: head.text, span: head.span }
            }
            Argument::Type(written) => {
                return self.wrong_arguments(written.span, "a number is wanted here", "write a number");
            }
        };
        self.count(literal)
    }

    /// A length: not zero, and no more than one message could ever hold.
    fn count(&mut self, literal: Literal<'source>) -> Option<u32> {
        let unsigned = ValueType::Integer(Integer { is_signed: false, bits: 32 });
        let Value::Integer(number) = self.value(literal, &unsigned)? else { return None };
        if number == 0 {
            return self.wrong_arguments(
                literal.span,
                "nothing would be left of this type",
                "a length is at least 1",
            );
        }
        u32::try_from(number).ok()
    }

    fn wrong_arguments<T>(&mut self, span: Span, message: &str, help: &str) -> Option<T> {
        self.reporter.report(Diagnostic::new(DiagnosticKind::WrongArguments, span, message).help(help));
        None
    }
}

/// What somebody means who comes from Rust, C++ or Mojo.
fn same_in_other_languages(name: &str) -> Option<&'static str> {
    Some(match name {
        "boolean" => "bool",
        "i8" | "int8_t" => "int8",
        "i16" | "int16_t" | "short" => "int16",
        "i32" | "int32_t" => "int32",
        "i64" | "int64_t" => "int64",
        "u8" | "uint8_t" | "byte" => "uint8",
        "u16" | "uint16_t" => "uint16",
        "u32" | "uint32_t" => "uint32",
        "u64" | "uint64_t" => "uint64",
        "f32" => "float",
        "f64" | "float64" => "double",
        "str" | "String" => "string",
        "vector" | "list" | "Vec" => "array",
        "pipe" => "MessagePipe",
        _ => return None,
    })
}
