//! The canonical form: text that is the same for two builds if what they send each other is.

use std::collections::BTreeSet;

use crate::schema::{DefinitionId, Enum, Field, Interface, Kind, Method, Schema, Union, ValueType};

/// Writes definitions as they were in one version, and notes which others they use.
pub(super) struct Form<'a> {
    schema: &'a Schema<'a>,
    version: u32,
    met: BTreeSet<DefinitionId>,
    /// The types that are used, in the order in which they are met.
    used: Vec<DefinitionId>,
    /// How many of them have been taken.
    taken: usize,
}

impl<'a> Form<'a> {
    pub(super) fn new(schema: &'a Schema<'a>, version: u32) -> Self {
        Self { schema, version, met: BTreeSet::new(), used: Vec::new(), taken: 0 }
    }

    /// The next type that was met and has not been taken.
    pub(super) fn next(&mut self) -> Option<DefinitionId> {
        let next = self.used.get(self.taken).copied();
        self.taken += usize::from(next.is_some());
        next
    }

    /// The definition and everything that it uses.
    pub(super) fn reach(mut self, id: DefinitionId) -> Vec<DefinitionId> {
        let mut text = String::new();
        self.definition(id, &mut text);
        while let Some(id) = self.next() {
            text.clear();
            self.definition(id, &mut text);
        }
        let mut reached = self.used;
        reached.insert(0, id);
        reached
    }

    pub(super) fn definition(&mut self, id: DefinitionId, text: &mut String) {
        let (schema, name) = (self.schema, self.schema.qualified_name(id));
        let extensible = if schema.is_extensible(id) { "extensible " } else { "" };
        match &schema.definition(id).kind {
            Kind::Interface(interface) => {
                text.push_str(&format!("{extensible}interface {name}\n"));
                self.methods(interface, text);
            }
            Kind::Struct(structure) => {
                text.push_str(&format!("{extensible}struct {name}({})\n", self.types(&structure.fields)));
            }
            Kind::Union(union) => {
                text.push_str(&format!("{extensible}union {name}({})\n", self.members(union)));
            }
            Kind::Enum(enumeration) => {
                text.push_str(&format!("{extensible}enum {name}({})\n", self.values(enumeration)));
            }
            Kind::Const(_) => {}
        }
    }

    fn methods(&mut self, interface: &Interface<'_>, text: &mut String) {
        let mut methods: Vec<&Method<'_>> =
            interface.methods.iter().filter(|method| method.min_version <= self.version).collect();
        methods.sort_by_key(|method| method.ordinal);
        for method in methods {
            text.push_str(&since(method.min_version));
            text.push_str(&format!("{} {}({})", method.ordinal, method.name, self.types(&method.parameters)));
            if let Some(response) = &method.response {
                text.push_str(&format!("=>({})", self.types(response)));
            }
            if let Some(error) = &method.error {
                text.push_str(&format!("error {}", self.type_text(error)));
            }
            text.push('\n');
        }
    }

    fn members(&mut self, union: &Union<'_>) -> String {
        let mut members: Vec<&Field<'_>> =
            union.members.iter().filter(|member| member.min_version <= self.version).collect();
        members.sort_by_key(|member| member.ordinal);
        let members = members.into_iter().map(|member| {
            let value_type = self.type_text(&member.value_type);
            format!("{}{} {value_type}", since(member.min_version), member.ordinal)
        });
        members.collect::<Vec<_>>().join(",")
    }

    fn values(&self, enumeration: &Enum<'_>) -> String {
        let values = enumeration.values.iter().filter(|value| value.min_version <= self.version);
        let mut numbers: Vec<(i32, u32)> = values.map(|value| (value.number, value.min_version)).collect();
        numbers.sort_unstable();
        let numbers = numbers.into_iter().map(|(number, version)| format!("{}{number}", since(version)));
        numbers.collect::<Vec<_>>().join(",")
    }

    fn types(&mut self, fields: &[Field<'_>]) -> String {
        let fields = fields.iter().filter(|field| field.min_version <= self.version);
        let fields: Vec<&Field<'_>> = fields.collect();
        let types = fields.into_iter().map(|field| {
            let value_type = self.type_text(&field.value_type);
            format!("{}{value_type}", since(field.min_version))
        });
        types.collect::<Vec<_>>().join(",")
    }

    fn type_text(&mut self, value_type: &ValueType) -> String {
        for part in value_type.all_mentioned() {
            if let ValueType::Named(id) = part
                && self.met.insert(*id)
            {
                self.used.push(*id);
            }
        }
        type_text(value_type, self.schema)
    }
}

/// What stands before an addition.
fn since(version: u32) -> String {
    if version == 0 { String::new() } else { format!("since {version}:") }
}

/// A type, with the first of the words for it.
pub(crate) fn type_text(value_type: &ValueType, schema: &Schema<'_>) -> String {
    let inner = |value_type| type_text(value_type, schema);
    let max = |bound: &Option<u32>| bound.map(|bound| format!(" max {bound}")).unwrap_or_default();
    match value_type {
        ValueType::Text(Some(bound)) => format!("string<{bound}>"),
        ValueType::Bytes(Some(bound)) => format!("bytes<{bound}>"),
        ValueType::Named(id) => schema.qualified_name(*id),
        // What travels is the end of a pipe; what is said over it has a fingerprint of its own.
        ValueType::PendingRemote(id) => format!("pending_remote<{}>", schema.qualified_name(*id)),
        ValueType::PendingReceiver(id) => format!("pending_receiver<{}>", schema.qualified_name(*id)),
        // What it is in Rust is nobody else's business.
        ValueType::Mapped(wire, _) | ValueType::Shared(wire) => inner(wire),
        ValueType::Stream(value, None) => format!("stream<{}>", inner(value)),
        ValueType::Stream(value, Some(error)) => format!("stream<{},{}>", inner(value), inner(error)),
        ValueType::Array(element, bound) => format!("array<{}>{}", inner(element), max(bound)),
        ValueType::FixedArray(element, count) => format!("array<{},{count}>", inner(element)),
        ValueType::Map(key, value, bound) => {
            format!("map<{},{}>{}", inner(key), inner(value), max(bound))
        }
        ValueType::Optional { inner: value, .. } => format!("{}?", inner(value)),
        other => other.word().unwrap_or_default().to_owned(),
    }
}
