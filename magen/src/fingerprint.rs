//! Numbers that two builds of one interface share and two different interfaces do not.
//!
//! The **fingerprint** of an interface is FNV-1a, 64 bits, over its canonical form: a line of text for the interface, one
//! for each method, and one for each type that is used, each ended by a line feed, with the names and types as they are
//! written in the `.magen` file and no spaces but the ones shown. Comments and the names of parameters and response values
//! are not part of it, since they do not change what travels. Neither is what was added in a later version:
//!
//! ```text
//! interface NetworkProcess
//! 0 FetchURL(string)
//! 1 Ask(int)=>(string)
//! 2 Done()=>()
//! ```
//!
//! The additions are in the **lineage**: for each version of each definition that the interface uses, a fingerprint of
//! the definition alone as it was in that version.

mod form;

use std::collections::BTreeSet;

use crate::schema::{DefinitionId, Schema};
use form::Form;

pub(crate) use form::type_text;

/// The fingerprint of the interface `id`: the same on every machine and in every build.
pub(crate) fn fingerprint(id: DefinitionId, schema: &Schema<'_>) -> u64 {
    fnv_1a(canonical_form(id, schema).as_bytes())
}

/// One version of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stage {
    /// FNV-1a of the name of the definition, with its module.
    pub(crate) definition: u64,
    pub(crate) version: u32,
    /// FNV-1a of the canonical form of the definition in that version.
    pub(crate) fingerprint: u64,
}

/// Every version of everything that the interface `id` uses, except what its fingerprint covers, in ascending order.
pub(crate) fn lineage(id: DefinitionId, schema: &Schema<'_>) -> Vec<Stage> {
    let in_fingerprint: BTreeSet<DefinitionId> = Form::new(schema, 0).reach(id).into_iter().collect();
    let mut stages = Vec::new();
    for used in reach(id, schema) {
        let definition = fnv_1a(schema.qualified_name(used).as_bytes());
        for version in schema.versions(used) {
            if version > 0 || !in_fingerprint.contains(&used) {
                let mut text = String::new();
                Form::new(schema, version).definition(used, &mut text);
                stages.push(Stage { definition, version, fingerprint: fnv_1a(text.as_bytes()) });
            }
        }
    }
    stages.sort_unstable();
    stages
}

/// The definition and everything that it uses in any version; the definition comes first.
pub(crate) fn reach(id: DefinitionId, schema: &Schema<'_>) -> Vec<DefinitionId> {
    Form::new(schema, u32::MAX).reach(id)
}

fn canonical_form(id: DefinitionId, schema: &Schema<'_>) -> String {
    let mut form = Form::new(schema, 0);
    let mut text = String::new();
    form.definition(id, &mut text);
    while let Some(id) = form.next() {
        form.definition(id, &mut text);
    }
    text
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
    use crate::schema::{Kind, SourceFile};

    fn interface_of<T>(source: &str, inspect: impl FnOnce(DefinitionId, &Schema<'_>) -> T) -> T {
        let mut reporter = Reporter::default();
        let file = crate::parser::parse(source, &mut reporter);
        let mut schema = Schema::default();
        let source_file = SourceFile { name: "", text: source, module: None, rust_module: String::new() };
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
    fn what_comes_out_of_a_stream_counts() {
        let old = "struct P { int x; } enum E { A } interface I { F() => (stream<P, E> points); }";
        for (from, to) in [("int x", "long x"), ("{ A }", "{ A, B }"), (", E>", ">")] {
            let new = old.replace(from, to);
            assert_ne!(interface_of(old, fingerprint), interface_of(&new, fingerprint), "{from} -> {to}");
        }
    }

    #[test]
    fn additions_do_not_count() {
        let old = "[Extensible] struct S { int a; } [Extensible] union U { int a; } [Extensible] enum E { A }
                   [Extensible] interface I { F(S s, U u, E e) => (int r); }";
        let new = "[Extensible] struct S { int a; [MinVersion=1] int b = 1; }
                   [Extensible] union U { int a; [MinVersion=1] T b; } [Extensible] enum E { A, [MinVersion=3] B }
                   [Extensible] interface I { F(S s, U u, E e, [MinVersion=2] int x) => (int r, [MinVersion=2] int y);
                   [MinVersion=1] G(); } struct T { int c; }";
        assert_eq!(interface_of(old, fingerprint), interface_of(new, fingerprint));
        for (from, to) in [
            ("[Extensible] struct", "struct"),
            ("[Extensible] union", "union"),
            ("[Extensible] enum", "enum"),
            ("[Extensible] interface", "interface"),
            ("{ A }", "{ B = 1 }"),
            ("int a", "long a"),
            ("int r", "long r"),
        ] {
            assert_ne!(
                interface_of(old, fingerprint),
                interface_of(&old.replace(from, to), fingerprint),
                "{from}"
            );
        }
    }

    #[test]
    fn additions_are_in_the_lineage() {
        let old = "[Extensible] struct S { int a; [MinVersion=1] int b; }
                   [Extensible] interface I { F(S s); [MinVersion=2] G(T t); } struct T { int c; }";
        let stages = interface_of(old, lineage);
        // `S` in version 1, `I` in version 2, and `T`, which is not in the fingerprint.
        assert_eq!(stages.len(), 3);
        let new = old
            .replace("int b;", "int b; [MinVersion=2] int c;")
            .replace("G(T t);", "G(T t); [MinVersion=3] H();");
        let newer = interface_of(&new, lineage);
        assert_eq!(newer.len(), 5);
        assert!(stages.iter().all(|stage| newer.contains(stage)), "an older version stays what it was");
        for (from, to) in
            [("int b", "long b"), ("int c", "long c"), ("G(", "H("), ("=1]", "=2]"), ("=2]", "=1]")]
        {
            assert_ne!(interface_of(&old.replace(from, to), lineage), stages, "{from} -> {to}");
        }
    }
}
