//! Values: constants, defaults, bounds, and the numbers of enums.

use super::Checker;
use super::names::Names;
use crate::ast::{self, Literal, LiteralKind, Number, Type};
use crate::check::attributes::Place;
use crate::check::fields::Addition;
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::{Const, Enum, EnumValue, Integer, Kind, Value, ValueType};
use crate::suggest;

impl<'source> Checker<'source, '_> {
    pub(super) fn constant(&mut self, written: &Type<'source>, value: Literal<'source>) -> Const<'source> {
        let Some(value_type) = self.value_type(written) else {
            return Const { value_type: ValueType::Bool, value: None };
        };
        let is_simple = matches!(
            value_type,
            ValueType::Bool
                | ValueType::Integer(_)
                | ValueType::Float
                | ValueType::Double
                | ValueType::Text(None)
        );
        if !is_simple {
            self.reporter.report(
                Diagnostic::new(
                    DiagnosticKind::InvalidValue,
                    written.span,
                    "a constant cannot have this type",
                )
                .help("constants are numbers, `bool` and `string`"),
            );
            return Const { value_type, value: None };
        }
        let value = self.value(value, &value_type);
        Const { value_type, value }
    }

    pub(super) fn enumeration(
        &mut self,
        values: Vec<ast::EnumValue<'source>>,
        reserved: &[Number],
        is_extensible: bool,
    ) -> Enum<'source> {
        let mut names = Names::new(DiagnosticKind::DuplicateMember, "value");
        let mut numbers: Vec<(i32, crate::span::Span)> = Vec::new();
        let mut checked = Vec::with_capacity(values.len());
        let mut next = Some(0_i32);
        let additions: Vec<_> =
            values.iter().map(|value| Addition::new(value.name, &value.attributes)).collect();
        self.check_additions(&additions, is_extensible, None);
        for value in values {
            let min_version = self.attributes(&value.attributes, Place::EnumValue).min_version;
            names.declare(value.name, self.reporter);
            self.check_variant(value.name, is_extensible);
            let written = value.value.map(|literal| self.value(literal, &ValueType::Integer(Integer::INT)));
            while next.is_some_and(|next| is_reserved(next, reserved)) {
                next = next.and_then(|next| next.checked_add(1));
            }
            let number = match (written, next) {
                (Some(Some(Value::Integer(number))), _) => i32::try_from(number).ok(),
                (Some(_), _) => None,
                (None, next) => {
                    if next.is_none() {
                        self.out_of_range(value.name.span, "the value after this one", Integer::INT);
                    }
                    next
                }
            };
            let Some(number) = number else { continue };
            next = number.checked_add(1);
            numbers.push((number, value.name.span));
            let ast::Name { text: name, span } = value.name;
            checked.push(EnumValue { docs: value.docs, name, span, number, min_version });
        }
        let numbers = numbers.into_iter().map(|(number, span)| (i64::from(number), span)).collect();
        self.check_numbers(numbers, reserved, "value");
        Enum { values: checked, is_extensible }
    }

    /// The name of a value or a member becomes a variant; one that is extensible has a variant for what is unknown.
    pub(super) fn check_variant(&mut self, name: ast::Name<'source>, is_extensible: bool) {
        let variant = naming::camel_case(name.text);
        if is_extensible && variant == naming::UNKNOWN {
            let why = "what is extensible keeps this name for everything that is not known here";
            super::report::reserved(name, why, self.reporter);
        } else if variant == "Self" || variant.is_empty() {
            super::report::reserved(name, "Rust keeps it for itself", self.reporter);
        }
    }

    /// What `literal` means where a value of this type is wanted; `None` if it does not mean anything there.
    pub(super) fn value(
        &mut self,
        literal: Literal<'source>,
        value_type: &ValueType,
    ) -> Option<Value<'source>> {
        if let ValueType::Optional { inner, .. } | ValueType::Shared(inner) = value_type {
            return self.value(literal, inner);
        }
        if let ValueType::Named(id) = value_type
            && let Kind::Enum(enumeration) = &self.schema.definition(*id).kind
        {
            let name = self.schema.definition(*id).name;
            let wanted = literal.text.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            let wanted = wanted.unwrap_or(literal.text);
            let position = enumeration.values.iter().position(|value| value.name == wanted);
            if let Some(position) = position {
                return Some(Value::Variant(*id, position));
            }
            let names: Vec<&str> = enumeration.values.iter().map(|value| value.name).collect();
            let meant = suggest::closest(wanted, names);
            let message = format!("the enum `{name}` has no value `{wanted}`");
            let diagnostic = Diagnostic::new(DiagnosticKind::InvalidValue, literal.span, message);
            self.reporter.report(match meant {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic,
            });
            return None;
        }
        match literal.kind {
            LiteralKind::Name if matches!(literal.text, "true" | "false") => {
                self.of_type(Value::Bool(literal.text == "true"), literal, value_type)
            }
            LiteralKind::Name => {
                let value = self.named_constant(literal)?;
                self.of_type(value, literal, value_type)
            }
            LiteralKind::Text => self.of_type(Value::Text(literal.text), literal, value_type),
            LiteralKind::Number => {
                let value = whole(literal.text).map_or(Value::Real(literal.text), Value::Integer);
                self.of_type(value, literal, value_type)
            }
        }
    }

    /// The value of the constant that `literal` names.
    fn named_constant(&mut self, literal: Literal<'source>) -> Option<Value<'source>> {
        let found = self.symbols.get(literal.text).map(|id| &self.schema.definition(*id).kind);
        if let Some(Kind::Const(constant)) = found {
            if constant.value.is_none() {
                let message = format!("the constant `{}` has no value here", literal.text);
                self.reporter.report(
                    Diagnostic::new(DiagnosticKind::UnknownName, literal.span, message)
                        .help("a constant can only be used by constants that are declared after it"),
                );
            }
            return constant.value;
        }
        let message = format!("there is no constant `{}`", literal.text);
        let constants =
            self.symbols.iter().filter(|(_, id)| matches!(self.schema.definition(**id).kind, Kind::Const(_)));
        let meant =
            suggest::closest(literal.text, constants.map(|(name, _)| name.as_str())).map(str::to_owned);
        let diagnostic = Diagnostic::new(DiagnosticKind::UnknownName, literal.span, message);
        self.reporter.report(match meant {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic.help("constants are declared with `const type NAME = value;`"),
        });
        None
    }

    fn of_type(
        &mut self,
        value: Value<'source>,
        literal: Literal<'source>,
        value_type: &ValueType,
    ) -> Option<Value<'source>> {
        let is_right = match (value, value_type) {
            (Value::Bool(_), ValueType::Bool) => true,
            (Value::Integer(number), ValueType::Integer(integer)) => {
                if !integer.contains(number) {
                    self.out_of_range(literal.span, "this number", *integer);
                    return None;
                }
                true
            }
            (Value::Integer(_) | Value::Real(_), ValueType::Float | ValueType::Double) => {
                if !is_finite(value, matches!(value_type, ValueType::Float)) {
                    let message =
                        "this number does not fit: a floating point number of this size is infinite";
                    self.reporter.report(Diagnostic::new(
                        DiagnosticKind::InvalidValue,
                        literal.span,
                        message,
                    ));
                    return None;
                }
                true
            }
            (Value::Text(text), ValueType::Text(bound)) => {
                bound.is_none_or(|bound| text.len() as u64 <= u64::from(bound))
            }
            _ => false,
        };
        if is_right {
            return Some(value);
        }
        let message = format!("`{}` is not a value of this type", short(literal.text));
        let help = match value_type {
            ValueType::Bool => "write `true` or `false`",
            ValueType::Integer(_) => "write a whole number, or the name of a constant",
            ValueType::Float | ValueType::Double => "write a number, or the name of a constant",
            ValueType::Text(_) => "write a text in quotes, no longer than the type allows",
            _ => "only numbers, `bool`, `string` and enums can have a default",
        };
        self.reporter.report(Diagnostic::new(DiagnosticKind::InvalidValue, literal.span, message).help(help));
        None
    }

    fn out_of_range(&mut self, span: crate::span::Span, what: &str, integer: Integer) {
        let (min, max) = integer.range();
        let message = format!("{what} does not fit: the values go from {min} to {max}");
        self.reporter.report(Diagnostic::new(DiagnosticKind::InvalidValue, span, message));
    }
}

fn is_reserved(number: i32, reserved: &[Number]) -> bool {
    reserved.iter().any(|reserved| i64::from(reserved.value) == i64::from(number))
}

fn short(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| &text[..end])
}

/// Whether a `float`, or else a `double`, has this value.
fn is_finite(value: Value<'_>, is_float: bool) -> bool {
    match value {
        Value::Real(text) if is_float => text.parse().is_ok_and(f32::is_finite),
        Value::Real(text) => text.parse().is_ok_and(f64::is_finite),
        Value::Integer(number) => number.abs() < TOO_LARGE,
        _ => true,
    }
}

/// Stands for all whole numbers that are too large for any type.
const TOO_LARGE: i128 = i128::MAX / 2;

/// A whole number in decimal or hexadecimal.
fn whole(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    // What has too many digits for any type is out of its range in any case.
    let too_large = digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x');
    match magnitude {
        Ok(magnitude) => Some(sign * magnitude),
        Err(_) => (too_large && !digits.contains(['.', 'e', 'E'])).then_some(sign * TOO_LARGE),
    }
}
