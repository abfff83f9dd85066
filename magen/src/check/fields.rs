//! Parameters, response values, fields of structs and members of unions.

use std::collections::BTreeMap;

use super::Checker;
use super::attributes::{MIN_VERSION, Place};
use super::names::Names;
use crate::ast::{self, Name, Number};
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::{Field, ValueType};
use crate::span::Span;

impl<'source> Checker<'source, '_> {
    pub(super) fn fields(&mut self, fields: Vec<ast::Field<'source>>, place: Place) -> Vec<Field<'source>> {
        let (kind, what) = match place {
            Place::Parameter => (DiagnosticKind::DuplicateParameter, "parameter"),
            _ => (DiagnosticKind::DuplicateMember, "field"),
        };
        self.named_fields(fields, place, Names::new(kind, what))
    }

    pub(super) fn named_fields(
        &mut self,
        fields: Vec<ast::Field<'source>>,
        place: Place,
        mut names: Names<'source>,
    ) -> Vec<Field<'source>> {
        let mut checked = Vec::with_capacity(fields.len());
        for field in fields {
            let attributes = self.attributes(&field.attributes, place);
            let min_version = attributes.min_version;
            names.declare(field.name, self.reporter);
            if place != Place::Member && naming::is_never_a_name(&naming::snake_case(field.name.text)) {
                let why = "it becomes a Rust keyword that can never be a name";
                super::report::reserved(field.name, why, self.reporter);
            }
            if let Some(ordinal) = field.ordinal.filter(|_| place != Place::Member) {
                self.reporter.report(
                    Diagnostic::new(
                        DiagnosticKind::MisplacedOrdinal,
                        ordinal.span,
                        format!("{} has no ordinal", place.description()),
                    )
                    .help("the order of the list is the order on the wire; methods and members of unions have ordinals"),
                );
            }
            let Some(value_type) = self.value_type(&field.value_type) else { continue };
            let value_type = match attributes.shared {
                Some(span) => self.shared_type(value_type, span),
                None => value_type,
            };
            let value_type = match attributes.rust {
                Some(rust) => ValueType::Mapped(Box::new(value_type), rust.to_owned()),
                None => value_type,
            };
            let default = match field.default {
                Some(literal) if place == Place::Member || place == Place::Parameter && min_version == 0 => {
                    let message = format!("{} has no default", place.description());
                    self.reporter
                        .report(Diagnostic::new(DiagnosticKind::MisplacedDefault, literal.span, message).help(
                        "fields of structs have defaults, and what is added to a list with `[MinVersion=n]`",
                    ));
                    None
                }
                Some(literal) if attributes.rust.is_some() => {
                    let message = "a value of a type of Rust has no default";
                    self.reporter.report(
                        Diagnostic::new(DiagnosticKind::MisplacedDefault, literal.span, message)
                            .help("what it would be in Rust is not known here"),
                    );
                    None
                }
                Some(literal) => self.value(literal, &value_type),
                None => None,
            };
            let ordinal = field.ordinal.map_or(0, |ordinal| ordinal.value);
            checked.push(Field {
                docs: field.docs,
                name: field.name.text,
                span: Span::new(field.value_type.span.start, field.name.span.end),
                value_type,
                default,
                ordinal,
                min_version,
            });
        }
        checked
    }

    pub(super) fn members(
        &mut self,
        union: Name<'source>,
        members: Vec<ast::Field<'source>>,
        reserved: &[Number],
        is_extensible: bool,
    ) -> Vec<Field<'source>> {
        if members.is_empty() {
            let message = format!("the union `{}` has no member", union.text);
            self.reporter.report(
                Diagnostic::new(DiagnosticKind::EmptyUnion, union.span, message)
                    .help("a value of it could not exist"),
            );
        }
        let written: Vec<_> = members.iter().map(|member| (member.name, member.ordinal)).collect();
        for member in &members {
            self.check_variant(member.name, is_extensible);
        }
        let ordinals = self.ordinals(&written, reserved, "member");
        let names = Names::new(DiagnosticKind::DuplicateMember, "member");
        let mut checked = self.named_fields(members, Place::Member, names);
        for member in &mut checked {
            member.ordinal = ordinals.get(member.name).copied().unwrap_or_default();
        }
        checked
    }

    /// What is added needs something extensible around it. In a list, which begins with what is there since version
    /// `oldest`, it also needs a place behind everything that is older.
    pub(super) fn check_additions(
        &mut self,
        written: &[Addition<'source>],
        is_extensible: bool,
        oldest: Option<u32>,
    ) {
        let mut newest = 0;
        for Addition { name, since } in written {
            let Some((since, span)) = since else {
                if newest > 0 && oldest.is_some() {
                    self.misplaced_addition(
                        name.span,
                        format!("`{}` stands behind what is newer", name.text),
                    );
                }
                continue;
            };
            if !is_extensible {
                let message = format!("`{}` is an addition to what is not `[Extensible]`", name.text);
                self.misplaced_addition(*span, message);
            } else if oldest.is_some() && *since < newest {
                self.misplaced_addition(*span, format!("`{}` stands behind what is newer", name.text));
            } else if oldest.is_some_and(|oldest| *since <= oldest) {
                let message = format!("`{}` is no newer than what it is added to", name.text);
                self.misplaced_addition(*span, message);
            }
            newest = newest.max(*since);
        }
    }

    fn misplaced_addition(&mut self, span: Span, message: String) {
        self.reporter.report(Diagnostic::new(DiagnosticKind::InvalidAttribute, span, message).help(
            "fields, parameters and response values are added at the end of the list, older ones first; all that is \
             added belongs to what is `[Extensible]`",
        ));
    }

    /// The ordinal of every name: the one that is written, or else the next behind the one before that is not reserved.
    pub(super) fn ordinals(
        &mut self,
        names: &[(Name<'source>, Option<Number>)],
        reserved: &[Number],
        what: &str,
    ) -> BTreeMap<&'source str, u32> {
        let mut next = 0_u32;
        let mut ordinals = BTreeMap::new();
        let mut numbers = Vec::with_capacity(names.len());
        for (name, written) in names {
            while reserved.iter().any(|number| number.value == next) {
                next = next.saturating_add(1);
            }
            let ordinal = written.map_or(next, |number| number.value);
            numbers.push((i64::from(ordinal), written.map_or(name.span, |number| number.span)));
            ordinals.insert(name.text, ordinal);
            next = ordinal.saturating_add(1);
        }
        self.check_numbers(numbers, reserved, what);
        ordinals
    }

    /// No number is there twice, and none is a reserved one.
    pub(super) fn check_numbers(&mut self, numbers: Vec<(i64, Span)>, reserved: &[Number], what: &str) {
        let mut taken: BTreeMap<i64, (Span, String)> = BTreeMap::new();
        for number in reserved {
            taken.insert(i64::from(number.value), (number.span, "reserved here".to_owned()));
        }
        for (number, span) in numbers {
            let Some((first, label)) = taken.get(&number) else {
                taken.insert(number, (span, format!("the other {what} that has it")));
                continue;
            };
            let message = format!("the number {number} is taken");
            self.reporter.report(
                Diagnostic::new(DiagnosticKind::DuplicateNumber, span, message)
                    .label(format!("this {what} has it"))
                    .and_at(*first, label.as_str()),
            );
        }
    }
}

/// Something that may have been added in a later version.
pub(super) struct Addition<'source> {
    name: Name<'source>,
    /// The version, and where it is written.
    since: Option<(u32, Span)>,
}

impl<'source> Addition<'source> {
    pub(super) fn new(name: Name<'source>, attributes: &[ast::Attribute<'source>]) -> Self {
        let written = attributes.iter().find(|attribute| attribute.name.text == MIN_VERSION);
        let since = written.and_then(|attribute| {
            let version = attribute.value.and_then(|value| value.text.parse().ok());
            version.filter(|version| *version > 0).map(|version| (version, attribute.name.span))
        });
        Self { name, since }
    }
}

pub(super) fn additions_of<'source>(fields: &[ast::Field<'source>]) -> Vec<Addition<'source>> {
    fields.iter().map(|field| Addition::new(field.name, &field.attributes)).collect()
}
