//! A number that two builds of one interface share and two different interfaces do not.
//!
//! It is FNV-1a, 64 bits, over the canonical form of the interface: one line of text for the interface and one for each
//! method, each ended by a line feed, with the names and types as they are written in the `.magen` file and no spaces
//! but the ones shown. Comments and the names of parameters and response values are not part of it, since they do not
//! change what travels:
//!
//! ```text
//! interface NetworkProcess
//! 0 FetchURL(string)
//! 1 Ask(int)=>(string)
//! 2 Done()=>()
//! ```

use std::collections::BTreeSet;

use crate::schema::{DefinitionId, Field, Interface, Kind, Schema, ValueType};

/// The fingerprint of the interface `id`: the same on every machine and in every build.
pub(crate) fn fingerprint(id: DefinitionId, schema: &Schema<'_>) -> u64 {
    fnv_1a(canonical_form(id, schema).as_bytes())
}

fn canonical_form(id: DefinitionId, schema: &Schema<'_>) -> String {
    let mut form = Form { schema, used: BTreeSet::new(), rest: Vec::new() };
    let mut text = format!("interface {}\n", schema.qualified_name(id));
    if let Kind::Interface(interface) = &schema.definition(id).kind {
        form.methods(interface, &mut text);
    }
    let mut next = 0;
    while let Some(id) = form.rest.get(next).copied() {
        form.definition(id, &mut text);
        next += 1;
    }
    text
}

/// The types that are used, in the order in which they are met.
struct Form<'a> {
    schema: &'a Schema<'a>,
    used: BTreeSet<DefinitionId>,
    rest: Vec<DefinitionId>,
}

impl Form<'_> {
    fn methods(&mut self, interface: &Interface<'_>, text: &mut String) {
        let mut methods: Vec<_> = interface.methods.iter().collect();
        methods.sort_by_key(|method| method.ordinal);
        for method in methods {
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

    fn definition(&mut self, id: DefinitionId, text: &mut String) {
        let (schema, name) = (self.schema, self.schema.qualified_name(id));
        match &schema.definition(id).kind {
            Kind::Struct(structure) => {
                let extensible = if structure.is_extensible { "extensible " } else { "" };
                text.push_str(&format!("{extensible}struct {name}({})\n", self.types(&structure.fields)));
            }
            Kind::Union(union) => {
                let extensible = if union.is_extensible { "extensible " } else { "" };
                // An addition is nothing that an older peer would misunderstand.
                let mut members: Vec<_> =
                    union.members.iter().filter(|member| member.min_version == 0).collect();
                members.sort_by_key(|member| member.ordinal);
                let members: Vec<String> = members
                    .iter()
                    .map(|member| format!("{} {}", member.ordinal, self.type_text(&member.value_type)))
                    .collect();
                text.push_str(&format!("{extensible}union {name}({})\n", members.join(",")));
            }
            // What an extensible enum has of values may differ.
            Kind::Enum(enumeration) if enumeration.is_extensible => {
                text.push_str(&format!("extensible enum {name}\n"));
            }
            Kind::Enum(enumeration) => {
                let mut numbers: Vec<i32> = enumeration.values.iter().map(|value| value.number).collect();
                numbers.sort_unstable();
                let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
                text.push_str(&format!("enum {name}({})\n", numbers.join(",")));
            }
            Kind::Interface(_) | Kind::Const(_) => {}
        }
    }

    fn types(&mut self, fields: &[Field<'_>]) -> String {
        let original = fields.iter().filter(|field| field.min_version == 0);
        let types: Vec<String> = original.map(|field| self.type_text(&field.value_type)).collect();
        types.join(",")
    }

    fn type_text(&mut self, value_type: &ValueType) -> String {
        let max = |bound: &Option<u32>| bound.map(|bound| format!(" max {bound}")).unwrap_or_default();
        match value_type {
            ValueType::Text(Some(bound)) => format!("string<{bound}>"),
            ValueType::Bytes(Some(bound)) => format!("bytes<{bound}>"),
            ValueType::Named(id) => {
                if self.used.insert(*id) {
                    self.rest.push(*id);
                }
                self.schema.qualified_name(*id)
            }
            // What travels is the end of a pipe; what is said over it has a fingerprint of its own.
            ValueType::PendingRemote(id) => format!("pending_remote<{}>", self.schema.qualified_name(*id)),
            ValueType::PendingReceiver(id) => {
                format!("pending_receiver<{}>", self.schema.qualified_name(*id))
            }
            ValueType::Array(element, bound) => format!("array<{}>{}", self.type_text(element), max(bound)),
            ValueType::FixedArray(element, count) => format!("array<{},{count}>", self.type_text(element)),
            ValueType::Map(key, value, bound) => {
                format!("map<{},{}>{}", self.type_text(key), self.type_text(value), max(bound))
            }
            ValueType::Optional { inner, .. } => format!("{}?", self.type_text(inner)),
            other => other.word().unwrap_or_default().to_owned(),
        }
    }
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Reporter;
    use crate::schema::SourceFile;

    fn interface_of<T>(source: &str, inspect: impl FnOnce(DefinitionId, &Schema<'_>) -> T) -> T {
        let mut reporter = Reporter::default();
        let file = crate::parser::parse(source, &mut reporter);
        let mut schema = Schema::default();
        let source_file = SourceFile { module: None, rust_module: String::new() };
        crate::check::check(file, source_file, &[], &mut schema, &mut reporter);
        let schema = reporter.finish(schema, "test.magen", source).unwrap();
        let is_interface = |(_, definition): &(_, &crate::schema::Definition<'_>)| {
            matches!(definition.kind, Kind::Interface(_))
        };
        let (id, _) = schema.ids().find(is_interface).unwrap();
        inspect(id, &schema)
    }

    const SOURCE: &str =
        "interface NetworkProcess { FetchURL(string url); Ask(int a) => (string b); Done() => (); }";

    #[test]
    fn the_canonical_form_is_the_documented_one() {
        let form = interface_of(SOURCE, canonical_form);
        assert_eq!(
            form,
            "interface NetworkProcess\n0 FetchURL(string)\n1 Ask(int)=>(string)\n2 Done()=>()\n"
        );
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The vectors of the algorithm's authors.
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn only_what_travels_counts() {
        let original = interface_of(SOURCE, fingerprint);
        let renamed = SOURCE.replace("string url", "\n// which one\nstring address");
        assert_eq!(interface_of(&renamed, fingerprint), original);
        for (from, to) in
            [("int a", "long a"), ("Done", "Finish"), ("NetworkProcess", "Network"), (" => ();", ";")]
        {
            assert_ne!(interface_of(&SOURCE.replace(from, to), fingerprint), original, "{from} -> {to}");
        }
    }

    #[test]
    fn additions_do_not_count() {
        let old =
            "[Extensible] struct S { int a; } [Extensible] union U { int a; } interface I { F(S s, U u); }";
        let new = old.replace("int a; }", "int a; [MinVersion=1] int b = 1; }");
        let new = new.replace("[MinVersion=1] int b = 1; } interface", "[MinVersion=1] int b; } interface");
        assert_eq!(interface_of(old, fingerprint), interface_of(&new, fingerprint));
        assert_ne!(
            interface_of(old, fingerprint),
            interface_of(&old.replace("[Extensible] ", ""), fingerprint)
        );
        assert_ne!(
            interface_of(old, fingerprint),
            interface_of(&old.replace("int a", "long a"), fingerprint)
        );
    }
}
