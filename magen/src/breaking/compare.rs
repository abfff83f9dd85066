//! The rules.

use std::collections::BTreeMap;

use super::report::{Break, BreakKind, Breaks, Place};
use crate::fingerprint::type_text;
use crate::schema::{Definition, DefinitionId, Enum, Field, Interface, Kind, Method, Schema, ValueType};
use crate::span::Span;

pub(super) fn compare(old: &Schema<'_>, new: &Schema<'_>) -> Breaks {
    let mut breaks = Breaks::default();
    let by_name: BTreeMap<String, DefinitionId> =
        new.ids().map(|(id, _)| (new.qualified_name(id), id)).collect();
    for (id, definition) in old.ids().filter(|(_, definition)| !matches!(definition.kind, Kind::Const(_))) {
        let name = old.qualified_name(id);
        match by_name.get(&name) {
            None => {
                let message = format!("the {} `{name}` was removed", keyword(definition));
                let place = Place::new(old, id, definition.span, "it was here");
                let found = Break::new(BreakKind::RemovedDeclaration, name, message).at(None, Some(place));
                breaks.push(
                    found.help(
                        "older builds still use it; the name and the module are part of what they check",
                    ),
                );
            }
            Some(new_id) => {
                let subject =
                    Subject { old, new, old_id: id, new_id: *new_id, name, version: newest(old, id) };
                subject.compare(&mut breaks);
            }
        }
    }
    breaks
}

fn keyword(definition: &Definition<'_>) -> &'static str {
    match definition.kind {
        Kind::Interface(_) => "interface",
        Kind::Struct(_) => "struct",
        Kind::Union(_) => "union",
        Kind::Enum(_) => "enum",
        Kind::Const(_) => "constant",
    }
}

fn newest(schema: &Schema<'_>, id: DefinitionId) -> u32 {
    schema.versions(id).last().copied().unwrap_or_default()
}

/// One declaration, as it was and as it is.
struct Subject<'a> {
    old: &'a Schema<'a>,
    new: &'a Schema<'a>,
    old_id: DefinitionId,
    new_id: DefinitionId,
    name: String,
    /// The newest version of the old one.
    version: u32,
}

/// Something that has a number, or a place in a list.
#[derive(Clone, Copy)]
struct Part<'a> {
    name: &'a str,
    span: Span,
    since: u32,
    value_type: Option<&'a ValueType>,
}

impl<'a> Part<'a> {
    fn field(field: &'a Field<'_>) -> Self {
        Self {
            name: field.name,
            span: field.span,
            since: field.min_version,
            value_type: Some(&field.value_type),
        }
    }

    fn method(method: &'a Method<'_>) -> Self {
        Self { name: method.name, span: method.span, since: method.min_version, value_type: None }
    }
}

impl<'a> Subject<'a> {
    fn old_place(&self, span: Span, label: &'static str) -> Option<Place> {
        Some(Place::new(self.old, self.old_id, span, label))
    }

    fn new_place(&self, span: Span) -> Option<Place> {
        Some(Place::new(self.new, self.new_id, span, ""))
    }

    fn found(&self, kind: BreakKind, message: String) -> Break {
        Break::new(kind, self.name.clone(), message)
    }

    fn compare(&self, breaks: &mut Breaks) {
        let (old, new) = (self.old.definition(self.old_id), self.new.definition(self.new_id));
        let places = || (self.new_place(new.span), self.old_place(old.span, "as it was"));
        if keyword(old) != keyword(new) {
            let message = format!("`{}` was {} and is {}", self.name, a(keyword(old)), a(keyword(new)));
            let (place, old_place) = places();
            return breaks.push(self.found(BreakKind::ChangedDeclaration, message).at(place, old_place));
        }
        let was_extensible = self.old.is_extensible(self.old_id);
        if was_extensible != self.new.is_extensible(self.new_id) {
            let message = match was_extensible {
                true => format!("`{}` is not `[Extensible]` any more", self.name),
                false => format!("`{}` was not `[Extensible]` before", self.name),
            };
            let (place, old_place) = places();
            let found = self.found(BreakKind::ChangedExtensible, message).at(place, old_place);
            breaks.push(
                found.help("what may grow travels in another form, so it has to be said from the beginning"),
            );
        }
        match (&old.kind, &new.kind) {
            (Kind::Interface(old), Kind::Interface(new)) => self.methods(old, new, breaks),
            (Kind::Struct(old), Kind::Struct(new)) => {
                self.lists("field", None, (&old.fields, &new.fields), breaks);
            }
            (Kind::Union(old), Kind::Union(new)) => {
                let by_ordinal = |members: &'a [Field<'_>]| {
                    members.iter().map(|member| (i64::from(member.ordinal), Part::field(member))).collect()
                };
                self.numbered("member", &by_ordinal(&old.members), &by_ordinal(&new.members), breaks);
            }
            (Kind::Enum(old), Kind::Enum(new)) => {
                self.numbered("value", &values(old), &values(new), breaks);
            }
            _ => {}
        }
    }

    fn methods(&self, old: &'a Interface<'_>, new: &'a Interface<'_>, breaks: &mut Breaks) {
        let by_ordinal = |interface: &'a Interface<'_>| -> BTreeMap<u32, &'a Method<'_>> {
            interface.methods.iter().map(|method| (method.ordinal, method)).collect()
        };
        let (old, new) = (by_ordinal(old), by_ordinal(new));
        for (ordinal, method) in &old {
            match new.get(ordinal) {
                None => {
                    let message = format!("the method `{}` was removed", method.name);
                    let moved = new.values().find(|new| new.name == method.name);
                    let found = self.found(BreakKind::RemovedMethod, message).in_method(Some(method.name));
                    let place = moved.and_then(|moved| self.new_place(moved.span));
                    let found = found.at(place, self.old_place(method.span, "it was here"));
                    breaks.push(match moved {
                        Some(_) => found
                            .help(format!("it had the number {ordinal}: write `{}@{ordinal}(`", method.name)),
                        None => found.help("keep it, and let it do nothing; or make a new interface"),
                    });
                }
                Some(new) => self.method(method, new, breaks),
            }
        }
        for (_, method) in new.iter().filter(|(ordinal, _)| !old.contains_key(ordinal)) {
            self.addition("method", Some(method.name), Part::method(method), breaks);
        }
    }

    fn method(&self, old: &'a Method<'_>, new: &'a Method<'_>, breaks: &mut Breaks) {
        let places = || (self.new_place(new.span), self.old_place(old.span, "as it was"));
        let changed = |kind, message: String| {
            let (place, old_place) = places();
            self.found(kind, message).in_method(Some(old.name)).at(place, old_place)
        };
        if old.name != new.name {
            let message = format!("the method `{}` is called `{}` now", old.name, new.name);
            breaks.push(changed(BreakKind::RenamedMethod, message).help(format!(
                "the number {} is taken by `{}`; a new method needs a number of its own",
                old.ordinal, old.name
            )));
            return;
        }
        self.same_version("method", Some(old.name), None, Part::method(old), Part::method(new), breaks);
        let lists = (old.parameters.as_slice(), new.parameters.as_slice());
        self.lists("parameter", Some(old.name), lists, breaks);
        match (&old.response, &new.response) {
            (Some(values), Some(new_values)) => {
                self.lists("response value", Some(old.name), (values, new_values), breaks);
            }
            (None, None) => {}
            (before, _) => {
                let message = match before {
                    Some(_) => format!("`{}` is not answered any more", old.name),
                    None => format!("`{}` was not answered before", old.name),
                };
                breaks.push(changed(BreakKind::ChangedAnswer, message));
            }
        }
        let error = |schema, error: &Option<ValueType>| error.as_ref().map(|error| type_text(error, schema));
        let (before, after) = (error(self.old, &old.error), error(self.new, &new.error));
        if before != after {
            let say = |error: Option<String>| {
                error.map_or_else(|| "no error".to_owned(), |error| format!("`{error}`"))
            };
            let message = format!("the error of `{}` was {} and is {}", old.name, say(before), say(after));
            breaks.push(changed(BreakKind::ChangedType, message).in_member(Some("error")));
        }
    }

    /// Two lists, in which what is said is the order.
    fn lists(
        &self,
        what: &str,
        method: Option<&'a str>,
        (old, new): (&'a [Field<'_>], &'a [Field<'_>]),
        breaks: &mut Breaks,
    ) {
        for (index, field) in old.iter().enumerate() {
            match new.get(index) {
                Some(there) => {
                    let is_elsewhere = new.iter().any(|new| new.name == field.name);
                    let pair = (Part::field(field), Part::field(there));
                    self.same(what, method, pair, is_elsewhere, breaks);
                }
                None => self.removed(what, method, Part::field(field), breaks),
            }
        }
        // The lists of a new method are as new as it is; only those of an old one are compared.
        for field in new.iter().skip(old.len()) {
            self.addition(what, method, Part::field(field), breaks);
        }
    }

    fn numbered(
        &self,
        what: &str,
        old: &BTreeMap<i64, Part<'_>>,
        new: &BTreeMap<i64, Part<'_>>,
        breaks: &mut Breaks,
    ) {
        for (number, part) in old {
            match new.get(number) {
                Some(there) => {
                    let is_elsewhere = new.values().any(|new| new.name == part.name);
                    self.same(what, None, (*part, *there), is_elsewhere, breaks);
                }
                None => self.removed(what, None, *part, breaks),
            }
        }
        for (_, part) in new.iter().filter(|(number, _)| !old.contains_key(number)) {
            self.addition(what, None, *part, breaks);
        }
    }

    /// What had this place, and what has it now. A name may change; but one that is elsewhere now has swapped its meaning with another,
    /// which no fingerprint shows.
    fn same(
        &self,
        what: &str,
        method: Option<&str>,
        (old, new): (Part<'_>, Part<'_>),
        is_elsewhere: bool,
        breaks: &mut Breaks,
    ) {
        let text = |schema, part: Part<'_>| part.value_type.map(|value_type| type_text(value_type, schema));
        let (before, after) = (text(self.old, old), text(self.new, new));
        if before != after {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let message = format!("the {what} `{}` was `{before}` and is `{after}`", old.name);
            let found =
                self.found(BreakKind::ChangedType, message).in_method(method).in_member(Some(old.name));
            breaks.push(found.at(self.new_place(new.span), self.old_place(old.span, "as it was")));
        } else if old.name != new.name && is_elsewhere {
            let message = format!("where the {what} `{}` was is `{}` now", old.name, new.name);
            let found =
                self.found(BreakKind::MovedMember, message).in_method(method).in_member(Some(old.name));
            let found = found.at(self.new_place(new.span), self.old_place(old.span, "as it was"));
            breaks.push(found.help("older builds take the one for the other: put them back in order"));
        }
        self.same_version(what, method, Some(old.name), old, new, breaks);
    }

    fn same_version(
        &self,
        what: &str,
        method: Option<&str>,
        member: Option<&str>,
        old: Part<'_>,
        new: Part<'_>,
        breaks: &mut Breaks,
    ) {
        if old.since == new.since {
            return;
        }
        let (name, before, after) = (old.name, old.since, new.since);
        let message =
            format!("the {what} `{name}` was there since version {before}, and is since version {after}");
        let found = self.found(BreakKind::ChangedVersion, message).in_method(method).in_member(member);
        breaks.push(found.at(self.new_place(new.span), self.old_place(old.span, "as it was")));
    }

    fn removed(&self, what: &str, method: Option<&str>, part: Part<'_>, breaks: &mut Breaks) {
        let message = format!("the {what} `{}` was removed", part.name);
        let found =
            self.found(BreakKind::RemovedMember, message).in_method(method).in_member(Some(part.name));
        let owner = self.new.definition(self.new_id).span;
        let found = found.at(self.new_place(owner), self.old_place(part.span, "it was here"));
        breaks
            .push(found.help("older builds send it and expect it: keep it, even if nothing is done with it"));
    }

    fn addition(&self, what: &str, method: Option<&str>, part: Part<'_>, breaks: &mut Breaks) {
        if part.since > self.version {
            return;
        }
        let next = self.version + 1;
        let message = match part.since {
            0 => format!("the {what} `{}` is new and does not say so", part.name),
            since => {
                format!("the {what} `{}` is new, and version {since} of `{}` is not", part.name, self.name)
            }
        };
        let member = Some(part.name).filter(|_| what != "method");
        let found = self.found(BreakKind::UnversionedAddition, message).in_method(method).in_member(member);
        let found = found.at(self.new_place(part.span), None);
        breaks.push(if self.old.is_extensible(self.old_id) {
            found.help(format!("write `[MinVersion={next}]` before it"))
        } else {
            found.help(format!("`{}` is not `[Extensible]`: nothing can be added to it", self.name))
        });
    }
}

fn values<'a>(enumeration: &'a Enum<'_>) -> BTreeMap<i64, Part<'a>> {
    let part = |value: &'a crate::schema::EnumValue<'_>| Part {
        name: value.name,
        span: value.span,
        since: value.min_version,
        value_type: None,
    };
    enumeration.values.iter().map(|value| (i64::from(value.number), part(value))).collect()
}

fn a(keyword: &str) -> String {
    let article = if keyword.starts_with(['i', 'e']) { "an" } else { "a" };
    format!("{article} {keyword}")
}
