//! How large values are, and what they have in common: known once it is known that none contains itself.

use std::collections::{BTreeMap, BTreeSet};

use super::FieldSpans;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::limits::{INLINE_BYTES_MAX, INLINE_DEPTH_MAX, RECURSIVE_BYTES_MAX};
use crate::schema::{DefinitionId, Field, Kind, Method, Schema, Traits, ValueType};

/// What one value takes in place.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// The least on the wire, in bytes and attachments.
    wire_min: u64,
    /// About how many bytes of memory.
    inline: u64,
    /// How many types are nested in it.
    depth: u32,
}

pub(super) fn check(
    first: usize,
    schema: &mut Schema<'_>,
    field_spans: &FieldSpans,
    reporter: &mut Reporter,
) {
    settle_traits(first, schema);
    let mut sizes: BTreeMap<DefinitionId, Size> = BTreeMap::new();
    for index in 0..schema.definitions.len() {
        measure(DefinitionId(index), schema, &mut sizes);
    }
    for index in first..schema.definitions.len() {
        let id = DefinitionId(index);
        let Some(size) = sizes.get(&id).copied() else { continue };
        let definition = &schema.definitions[index];
        let is_recursive = schema.traits(id).is_recursive;
        let bytes_max = if is_recursive { RECURSIVE_BYTES_MAX } else { INLINE_BYTES_MAX };
        let is_too_much = size.inline > bytes_max || size.depth > INLINE_DEPTH_MAX;
        if is_too_much
            && let Some(span) = field_spans.get(&(id, largest(definition_fields(&definition.kind), &sizes)))
        {
            let name = definition.name;
            let kibibytes = bytes_max / 1024;
            let message = if is_recursive && size.inline > bytes_max {
                format!(
                    "a `{name}` is too large for what contains itself: it has more than {kibibytes} KiB in place"
                )
            } else {
                format!(
                    "a `{name}` is too large: it has more than {kibibytes} KiB in place, or is nested more than \
                     {INLINE_DEPTH_MAX} deep"
                )
            };
            reporter.report(
                Diagnostic::new(DiagnosticKind::TypeTooLarge, *span, message)
                    .label("most of it is here")
                    .help("an `array<T>` without a length keeps its elements elsewhere"),
            );
            return;
        }
        check_additions(id, schema, field_spans, reporter);
        check_mapped(id, schema, field_spans, reporter);
        if let Some(traits) = traits_mut(&mut schema.definitions[index].kind) {
            traits.size_min = u32::try_from(size.wire_min).unwrap_or(u32::MAX);
        }
    }
}

/// What a type of the user's stands for can be had from a reference to it: it contains no pipe and no handle.
fn check_mapped(id: DefinitionId, schema: &Schema<'_>, field_spans: &FieldSpans, reporter: &mut Reporter) {
    for (index, field) in all_fields(&schema.definition(id).kind).into_iter().enumerate() {
        if !matches!(field.value_type, ValueType::Mapped(..)) || schema.is_plain(&field.value_type) {
            continue;
        }
        let Some(span) = field_spans.get(&(id, index)) else { continue };
        let message = format!("`{}` contains a pipe or a handle, and is to be a type of Rust", field.name);
        reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidAttribute, *span, message)
                .help("only what can be copied is converted; take what is in it, and convert that by hand"),
        );
    }
}

/// The fields of a definition, or those of its methods, one list behind the other.
fn all_fields<'a, 'source>(kind: &'a Kind<'source>) -> Vec<&'a Field<'source>> {
    match kind {
        Kind::Struct(structure) => structure.fields.iter().collect(),
        Kind::Union(union) => union.members.iter().collect(),
        Kind::Interface(interface) => interface.methods.iter().flat_map(Method::fields).collect(),
        Kind::Enum(_) | Kind::Const(_) => Vec::new(),
    }
}

/// What was added later must have a value where an older peer sends none.
fn check_additions(id: DefinitionId, schema: &Schema<'_>, field_spans: &FieldSpans, reporter: &mut Reporter) {
    let fields: Vec<&Field<'_>> = match &schema.definition(id).kind {
        Kind::Struct(structure) => structure.fields.iter().collect(),
        Kind::Interface(interface) => interface.methods.iter().flat_map(Method::fields).collect(),
        _ => return,
    };
    for (index, field) in fields.into_iter().enumerate() {
        let has_default = field.default.is_some() || schema.has_default(&field.value_type);
        if field.min_version == 0 || has_default {
            continue;
        }
        let Some(span) = field_spans.get(&(id, index)) else { continue };
        let message = format!("the addition `{}` has no default", field.name);
        reporter.report(
            Diagnostic::new(DiagnosticKind::NeedsDefault, *span, message)
                .label("what is it when an older peer does not send it?")
                .help("write a default, or make it optional with `?`"),
        );
    }
}

fn definition_fields<'a, 'source>(kind: &'a Kind<'source>) -> &'a [Field<'source>] {
    match kind {
        Kind::Struct(structure) => &structure.fields,
        Kind::Union(union) => &union.members,
        _ => &[],
    }
}

fn traits_mut<'a>(kind: &'a mut Kind<'_>) -> Option<&'a mut Traits> {
    match kind {
        Kind::Struct(structure) => Some(&mut structure.traits),
        Kind::Union(union) => Some(&mut union.traits),
        _ => None,
    }
}

/// The position of the field that takes most.
fn largest(fields: &[Field<'_>], sizes: &BTreeMap<DefinitionId, Size>) -> usize {
    let mut largest = (0, 0);
    for (index, field) in fields.iter().enumerate() {
        let size = size_of(&field.value_type, sizes).unwrap_or(Size { wire_min: 0, inline: 0, depth: 0 });
        largest = largest.max((size.inline.max(u64::from(size.depth) * 2048), index));
    }
    largest.1
}

/// Finds the size of `id`, after those of everything that it contains, without calling itself.
fn measure(id: DefinitionId, schema: &Schema<'_>, sizes: &mut BTreeMap<DefinitionId, Size>) {
    let mut stack = vec![id];
    let mut visited = BTreeSet::new();
    while let Some(id) = stack.last().copied() {
        if sizes.contains_key(&id) {
            stack.pop();
            continue;
        }
        let is_second_visit = !visited.insert(id);
        let kind = &schema.definition(id).kind;
        let mut missing = Vec::new();
        let mut parts: Vec<&ValueType> =
            definition_fields(kind).iter().map(|field| &field.value_type).collect();
        while let Some(part) = parts.pop() {
            match part {
                ValueType::Named(id) if !sizes.contains_key(id) && !visited.contains(id) => missing.push(*id),
                ValueType::FixedArray(inner, _)
                | ValueType::Mapped(inner, _)
                | ValueType::Optional { inner, is_boxed: false } => {
                    parts.push(inner);
                }
                _ => {}
            }
        }
        if !missing.is_empty() && !is_second_visit {
            stack.extend(missing);
            continue;
        }
        stack.pop();
        sizes.insert(id, size_of_kind(kind, sizes));
    }
}

fn size_of_kind(kind: &Kind<'_>, sizes: &BTreeMap<DefinitionId, Size>) -> Size {
    let (Kind::Struct(_) | Kind::Union(_)) = kind else {
        return Size { wire_min: 4, inline: 8, depth: 0 };
    };
    let fields = definition_fields(kind).iter();
    let of_fields: Vec<Size> = fields.filter_map(|field| size_of(&field.value_type, sizes)).collect();
    let depth = 1 + of_fields.iter().map(|size| size.depth).max().unwrap_or_default();
    let inline = of_fields.iter().fold(8, |sum: u64, size| sum.saturating_add(size.inline));
    let wire_min = match kind {
        Kind::Struct(structure) if structure.is_extensible => 6,
        Kind::Struct(_) => {
            of_fields.iter().fold(0, |sum: u64, size| sum.saturating_add(size.wire_min)).max(1)
        }
        _ => 5,
    };
    Size { wire_min, inline, depth }
}

/// `None` if it is not known, because what it contains contains it.
fn size_of(value_type: &ValueType, sizes: &BTreeMap<DefinitionId, Size>) -> Option<Size> {
    let plain = |wire_min, inline| Some(Size { wire_min, inline, depth: 0 });
    match value_type {
        ValueType::Bool => plain(1, 1),
        ValueType::Integer(integer) => plain(u64::from(integer.bits / 8), u64::from(integer.bits / 8)),
        ValueType::Float => plain(4, 4),
        ValueType::Double => plain(8, 8),
        ValueType::Text(_) | ValueType::Bytes(_) | ValueType::Array(..) | ValueType::Map(..) => plain(4, 24),
        ValueType::MessagePipe
        | ValueType::PendingRemote(_)
        | ValueType::PendingReceiver(_)
        | ValueType::Stream(..) => plain(1, 48),
        ValueType::Handle => plain(1, 4),
        ValueType::Named(id) => sizes.get(id).copied(),
        ValueType::Mapped(wire, _) => size_of(wire, sizes),
        ValueType::Shared(_) => plain(4, 32),
        ValueType::Optional { is_boxed: true, .. } => plain(1, 8),
        ValueType::Optional { inner, .. } => {
            let size = size_of(inner, sizes)?;
            Some(Size { wire_min: 1, inline: size.inline + 8, ..size })
        }
        ValueType::FixedArray(element, count) => {
            let size = size_of(element, sizes)?;
            let count = u64::from(*count);
            Some(Size {
                wire_min: size.wire_min.saturating_mul(count),
                inline: size.inline.saturating_mul(count),
                depth: size.depth + 1,
            })
        }
    }
}

/// Finds for every type whether it is plain, has equality, has a default and shares its message: until nothing changes any more.
fn settle_traits(first: usize, schema: &mut Schema<'_>) {
    loop {
        let mut has_changed = false;
        for index in first..schema.definitions.len() {
            let kind = &schema.definitions[index].kind;
            let Some(old) = (match kind {
                Kind::Struct(structure) => Some(structure.traits),
                Kind::Union(union) => Some(union.traits),
                _ => None,
            }) else {
                continue;
            };
            let fields = definition_fields(kind);
            let new = Traits {
                is_plain: fields.iter().all(|field| schema.is_plain(&field.value_type)),
                is_eq: fields.iter().all(|field| schema.is_eq(&field.value_type)),
                is_shared: schema.shares(fields),
                has_default: matches!(kind, Kind::Struct(_))
                    && fields
                        .iter()
                        .all(|field| field.default.is_some() || schema.has_default(&field.value_type)),
                ..old
            };
            has_changed |= new != old;
            if let Some(traits) = traits_mut(&mut schema.definitions[index].kind) {
                *traits = new;
            }
        }
        if !has_changed {
            return;
        }
    }
}
