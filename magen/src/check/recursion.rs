//! Types that contain themselves: behind an array, a map or a `?` they may, in place they cannot.

use std::collections::{BTreeMap, BTreeSet};

use super::FieldSpans;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::schema::{DefinitionId, Field, Kind, Schema, ValueType};

/// Which types contain which.
type Edges = BTreeMap<DefinitionId, BTreeSet<DefinitionId>>;

pub(super) fn check(
    first: usize,
    schema: &mut Schema<'_>,
    field_spans: &FieldSpans,
    reporter: &mut Reporter,
) {
    // Two files never contain each other's types in a circle, so those of this one are enough.
    let all = cyclic(edges(first, schema, true));
    let inline = cyclic(edges(first, schema, false));
    if let Some(start) = inline.keys().next() {
        report_cycle(*start, &inline, schema, field_spans, reporter);
    }
    for id in all.keys() {
        let mut kind =
            std::mem::replace(&mut schema.definitions[id.0].kind, Kind::Interface(Default::default()));
        let (fields, traits) = match &mut kind {
            Kind::Struct(structure) => (&mut structure.fields, &mut structure.traits),
            Kind::Union(union) => (&mut union.members, &mut union.traits),
            _ => continue,
        };
        traits.is_recursive = true;
        for field in fields {
            box_optionals(&mut field.value_type, &all);
        }
        schema.definitions[id.0].kind = kind;
    }
}

fn fields_of<'a, 'source>(kind: &'a Kind<'source>) -> &'a [Field<'source>] {
    match kind {
        Kind::Struct(structure) => &structure.fields,
        Kind::Union(union) => &union.members,
        _ => &[],
    }
}

/// Which types contain which in place, and, if `also_elsewhere`, behind an array, a map or a `?`.
fn edges(first: usize, schema: &Schema<'_>, also_elsewhere: bool) -> Edges {
    let mut edges = Edges::new();
    for (id, definition) in schema.ids().skip(first) {
        let mut contained = BTreeSet::new();
        let mut rest: Vec<&ValueType> =
            fields_of(&definition.kind).iter().map(|field| &field.value_type).collect();
        while let Some(value_type) = rest.pop() {
            match value_type {
                ValueType::Named(named) if named.0 >= first => _ = contained.insert(*named),
                ValueType::FixedArray(element, _) | ValueType::Mapped(element, _) => rest.push(element),
                _ if also_elsewhere => rest.extend(value_type.parts()),
                _ => {}
            }
        }
        edges.insert(id, contained);
    }
    edges
}

/// What is left of `edges` without everything that contains nothing, or that nothing contains, of what is left.
fn cyclic(edges: Edges) -> Edges {
    let reversed = reverse(&edges);
    let kept = trim(trim(edges.keys().copied().collect(), &edges, &reversed), &reversed, &edges);
    let within = |contained: BTreeSet<DefinitionId>| contained.intersection(&kept).copied().collect();
    let left = edges.into_iter().filter(|(id, _)| kept.contains(id));
    left.map(|(id, contained)| (id, within(contained))).collect()
}

fn reverse(edges: &Edges) -> Edges {
    let mut reversed: Edges = edges.keys().map(|id| (*id, BTreeSet::new())).collect();
    for (id, contained) in edges {
        for inner in contained {
            reversed.entry(*inner).or_default().insert(*id);
        }
    }
    reversed
}

/// Takes away, again and again, what has no edge to anything that is left.
fn trim(mut left: BTreeSet<DefinitionId>, forward: &Edges, backward: &Edges) -> BTreeSet<DefinitionId> {
    let mut counts: BTreeMap<DefinitionId, usize> = BTreeMap::new();
    for id in &left {
        counts.insert(*id, forward[id].intersection(&left).count());
    }
    let mut empty: Vec<DefinitionId> =
        counts.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    while let Some(id) = empty.pop() {
        left.remove(&id);
        for before in &backward[&id] {
            if let Some(count) = counts.get_mut(before).filter(|_| left.contains(before)) {
                *count -= 1;
                if *count == 0 {
                    empty.push(*before);
                }
            }
        }
    }
    left
}

/// Follows the first edge of each until one comes again, and shows that circle.
fn report_cycle(
    start: DefinitionId,
    inline: &Edges,
    schema: &Schema<'_>,
    field_spans: &FieldSpans,
    reporter: &mut Reporter,
) {
    let mut path = vec![start];
    let circle = loop {
        let Some(next) = path.last().and_then(|last| inline.get(last)?.first().copied()) else { return };
        if let Some(position) = path.iter().position(|id| *id == next) {
            break &path[position..];
        }
        path.push(next);
    };
    let (owner, inner) = (circle[0], circle.get(1).copied().unwrap_or(circle[0]));
    let is_culprit = |field: &Field<'_>| field.value_type.all_parts().contains(&&ValueType::Named(inner));
    let fields = fields_of(&schema.definition(owner).kind);
    let position = fields.iter().position(is_culprit).unwrap_or_default();
    let Some(span) = field_spans.get(&(owner, position)) else { return };
    let names: Vec<String> = circle
        .iter()
        .take(8)
        .skip(1)
        .chain([&owner])
        .map(|id| format!("`{}`", schema.definition(*id).name))
        .collect();
    let name = schema.definition(owner).name;
    let message = format!("a `{name}` would contain itself: it contains {}", names.join(", which contains "));
    reporter.report(
        Diagnostic::new(DiagnosticKind::RecursiveType, *span, message)
            .label("would need space without end")
            .help("put a `?` behind the type, or an `array<..>` around it"),
    );
}

/// What is optional and may contain its owner is kept in a box.
fn box_optionals(value_type: &mut ValueType, recursive: &Edges) {
    match value_type {
        ValueType::Optional { inner, is_boxed } => {
            *is_boxed = inner
                .all_parts()
                .into_iter()
                .any(|part| matches!(part, ValueType::Named(id) if recursive.contains_key(id)));
            box_optionals(inner, recursive);
        }
        ValueType::Array(element, _) | ValueType::FixedArray(element, _) => box_optionals(element, recursive),
        ValueType::Map(_, value, _) => box_optionals(value, recursive),
        _ => {}
    }
}
