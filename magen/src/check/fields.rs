//! Parameters, response values, fields of structs and members of unions.

use std::collections::BTreeMap;

use super::Checker;
use super::attributes::Place;
use super::names::Names;
use crate::ast::{self, Name, Number};
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::Field;
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
            let min_version = self.attributes(&field.attributes, place).min_version;
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
            let default = match field.default {
                Some(literal) if place != Place::Field => {
                    let message = format!("{} has no default", place.description());
                    self.reporter.report(
                        Diagnostic::new(DiagnosticKind::MisplacedDefault, literal.span, message)
                            .help("only fields of structs have defaults"),
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

    /// Additions need an envelope around them, and in a struct a place behind everything that is older.
    pub(super) fn check_additions(
        &mut self,
        written: &[(Vec<ast::Attribute<'source>>, Name<'source>)],
        fields: &[Field<'source>],
        is_extensible: bool,
        is_struct: bool,
    ) {
        let mut newest = 0;
        for field in fields {
            let is_late = is_struct && field.min_version < newest;
            newest = newest.max(field.min_version);
            let message = match (field.min_version, is_extensible) {
                (1.., false) => format!("`{}` is an addition to what is not `[Extensible]`", field.name),
                _ if is_late => format!("`{}` stands behind what is newer", field.name),
                _ => continue,
            };
            let place = written.iter().find(|(_, name)| name.text == field.name);
            let Some((attributes, name)) = place else { continue };
            let span = attributes.first().map_or(name.span, |attribute| attribute.name.span);
            self.reporter.report(Diagnostic::new(DiagnosticKind::InvalidAttribute, span, message).help(
                "fields are added at the end of an `[Extensible]` struct, members to an `[Extensible]` union",
            ));
        }
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
