//! Makes pairs of an older and a newer interface, and the code that serves and calls each. `MAGE_PAIRS=first..end` takes
//! the pairs of other seeds.

#[path = "../../magen/tests/common/pairs.rs"]
mod pairs;

use std::env;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::Path;

use pairs::{Method, Pair, Schema};

const SEEDS: Range<u64> = 0..40;

fn main() {
    println!("cargo::rerun-if-env-changed=MAGE_PAIRS");
    println!("cargo::rerun-if-changed=../../magen/tests/common/pairs.rs");
    let mut text = String::new();
    let [mut table, mut serve, mut connect] = [const { String::new() }; 3];
    for (index, seed) in seeds().enumerate() {
        let pair = Pair::new(seed);
        let _ = writeln!(text, "pub(crate) mod p{index} {{");
        for (side, module, schema) in [("Old", "old", &pair.old), ("New", "new", &pair.new)] {
            let source = schema.text();
            let code = magen::generate(&source, "pair.magen").unwrap_or_else(|error| panic!("{error}"));
            let _ = writeln!(text, "pub(crate) mod {module} {{\n{code}\n}}");
            let path = format!("p{index}::{module}");
            write_server(&mut serve, side, index, &path, schema);
            let _ = writeln!(
                connect,
                "(Side::{side}, {index}) => Box::new(Remote::<dyn {path}::Pair>::new(pipe)),"
            );
        }
        text.push_str("}\n");
        let Pair { old, new, change, expected } = pair;
        let (old, new) = (old.text(), new.text());
        let expected = match expected {
            None => "None".to_owned(),
            Some((definition, method, member)) => format!("Some(({definition:?}, {method:?}, {member:?}))"),
        };
        let _ = writeln!(
            table,
            "Pair {{ seed: {seed}, change: {change:?}, old: {old:?}, new: {new:?}, expected: {expected} }},"
        );
    }
    let _ = write!(
        text,
        "/// All pairs.\npub static PAIRS: &[Pair] = &[\n{table}];\n\n\
         pub(crate) fn serve(side: Side, index: usize, pipe: MessagePipe) -> Serving {{\n\
         match (side, index) {{\n{serve}_ => Box::pin(async {{ Ok(()) }}),\n}}\n}}\n\n\
         pub(crate) fn connect(side: Side, index: usize, pipe: MessagePipe) -> Box<dyn Connection> {{\n\
         match (side, index) {{\n{connect}_ => panic!(\"there is no pair {{index}}\"),\n}}\n}}\n"
    );
    let directory = env::var_os("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&directory).join("pairs.rs"), text).expect("it can be written");
}

fn seeds() -> Range<u64> {
    let Ok(range) = env::var("MAGE_PAIRS") else { return SEEDS };
    let (first, end) = range.split_once("..").expect("MAGE_PAIRS=first..end");
    first.parse().expect("a number")..end.parse().expect("a number")
}

/// A receiver that answers with what it was sent.
fn write_server(code: &mut String, side: &str, index: usize, path: &str, schema: &Schema) {
    let _ = writeln!(
        code,
        "(Side::{side}, {index}) => Box::pin(async move {{\n\
         let mut receiver = Receiver::<dyn {path}::Pair>::new(pipe);\n\
         while let Some(message) = receiver.recv().await? {{\nmatch message {{"
    );
    for Method { name, list, is_answered, has_error, .. } in &schema.methods {
        let fields: Vec<&str> = list.iter().map(|item| item.name.as_str()).collect();
        let fields = fields.join(", ");
        let answer = format!("{path}::Pair{name}Response {{ {fields} }}");
        let answer = if *has_error { format!("Ok({answer})") } else { answer };
        let _ = match is_answered {
            true => writeln!(
                code,
                "{path}::PairMessage::{name} {{ {fields}, reply }} => {{ let _ = reply.send({answer}); }}"
            ),
            false => writeln!(code, "{path}::PairMessage::{name} {{ .. }} => {{}}"),
        };
    }
    code.push_str("}\n}\nOk(())\n}),\n");
}
