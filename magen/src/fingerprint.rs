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

use crate::schema::{Field, Interface};

/// The fingerprint of `interface`: the same on every machine and in every build.
pub(crate) fn fingerprint(interface: &Interface<'_>) -> u64 {
    fnv_1a(canonical_form(interface).as_bytes())
}

fn canonical_form(interface: &Interface<'_>) -> String {
    let mut text = format!("interface {}\n", interface.name);
    for (ordinal, method) in interface.methods.iter().enumerate() {
        text.push_str(&format!("{ordinal} {}({})", method.name, types(&method.parameters)));
        if let Some(response) = &method.response {
            text.push_str(&format!("=>({})", types(response)));
        }
        text.push('\n');
    }
    text
}

fn types(fields: &[Field<'_>]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.value_type.name()).collect();
    names.join(",")
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

    fn interface_of<T>(source: &str, inspect: impl FnOnce(&Interface<'_>) -> T) -> T {
        let mut reporter = Reporter::default();
        let file = crate::parser::parse(source, &mut reporter);
        let schema = crate::check::check(file, &mut reporter);
        let schema = reporter.finish(schema, "test.magen", source).unwrap();
        inspect(&schema.interfaces[0])
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
}
