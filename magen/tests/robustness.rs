//! Whatever the input, the compiler ends in code or in diagnostics that can be shown; it does not panic, does not exhaust
//! the stack, and does not take its time. A failing case is printed with the seed that repeats it.

use std::fs;
use std::path::Path;

use magen::{Diagnostics, RenderStyle};
use proptest::prelude::*;

/// Shows what is wrong with `source`, if anything is.
fn exercise(source: &[u8]) {
    if let Err(diagnostics) = magen::generate(source, "random.magen") {
        assert_shown(&diagnostics);
    }
}

fn assert_shown(diagnostics: &Diagnostics) {
    let count = diagnostics.iter().count();
    assert!((1..=100).contains(&count));
    assert!(diagnostics.render(RenderStyle::Plain).matches("error[").count() >= count);
    diagnostics.render(RenderStyle::Coloured);
}

/// What the fuzzer in `fuzz` does with an input, with the inputs that are kept.
#[test]
fn seeds_of_the_fuzzer() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/magen");
    let mut tried = 0;
    for entry in fs::read_dir(seeds).expect("the seeds are in the repository") {
        let source = fs::read(entry.expect("it can be listed").path()).expect("a seed can be read");
        exercise(&source);
        if let Ok(code) = magen::generate(&source, "seed.magen") {
            let formatted = magen::format(&source, "seed.magen").expect("what is accepted can be formatted");
            assert_eq!(magen::generate(&formatted, "seed.magen").expect("it means the same"), code);
            assert_eq!(magen::format(&formatted, "seed.magen").expect("it is text"), formatted);
        }
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} seeds were found");
}

/// A piece of a `.magen` file, right or nearly so.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "interface",
        "interfce",
        "int",
        "long",
        "bool",
        "double",
        "char",
        "string",
        "MessagePipe",
        "strng",
        "Log",
        "Type",
        "Self",
        "self",
        "crate",
        "reply",
        "A",
        "a",
        "FetchURL",
        "fetch_url",
        "_",
        "2nd",
        "Über",
        "ß",
        "LogProxy",
        "{",
        "}",
        "(",
        ")",
        ",",
        ";",
        "=>",
        "->",
        "=",
        "/",
        "//",
        "///",
        "// x\n",
        "/// x\n",
        "////\n",
        "/*",
        "*/",
        "#",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\u{feff}",
        "\0",
        "\u{202e}",
        "日本",
        "🧙",
        "e\u{301}",
        "\u{2028}",
        "<",
        ">",
        "\"",
        "struct",
        "union",
        "enum",
        "const",
        "module",
        "import",
        "reserved",
        "error",
        "max",
        "array<",
        "map<",
        "pending_remote<",
        "string<",
        "bytes",
        "handle",
        "?",
        "@",
        "[",
        "]",
        "[Extensible]",
        ".",
        "0",
        "1",
        "-5",
        "0xff",
        "1.5e-3",
        "4294967296",
        "\"text\"",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

/// A method that is right on its own.
fn method() -> impl Strategy<Value = String> {
    let field = (prop::sample::select(vec!["int", "string", "MessagePipe"]), "[a-z]{1,12}[A-Z]{0,3}[0-9]?");
    let fields =
        prop::collection::vec(field.prop_map(|(value_type, name)| format!("{value_type} {name}")), 0..6);
    let response = prop::option::of(fields.clone().prop_map(|fields| format!(" => ({})", fields.join(", "))));
    ("[A-Z][a-zA-Z0-9]{0,20}", fields, response).prop_map(|(name, fields, response)| {
        format!("{name}({}){};\n", fields.join(", "), response.unwrap_or_default())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_survived(source in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&source);
    }

    #[test]
    fn random_text_is_survived(letters in prop::collection::vec(any::<char>(), 0..60)) {
        exercise(letters.iter().collect::<String>().as_bytes());
    }

    #[test]
    fn random_tokens_are_survived(pieces in prop::collection::vec(piece(), 0..120), glue in "[ \n]?") {
        exercise(pieces.join(&glue).as_bytes());
    }

    #[test]
    fn tokens_inside_an_interface_are_survived(pieces in prop::collection::vec(piece(), 0..60), end in "[)};\n]{0,4}") {
        exercise(format!("interface Log {{ Log(int a, {}{end}", pieces.join(" ")).as_bytes());
    }

    #[test]
    fn methods_in_any_number_are_compiled_or_clash(methods in prop::collection::vec(method(), 0..12)) {
        let source = format!("interface Random {{\n{}}}\n", methods.concat());
        match magen::generate(&source, "random.magen") {
            Ok(code) => prop_assert_eq!(code, magen::generate(&source, "random.magen").unwrap()),
            Err(diagnostics) => {
                // Random names clash now and then; nothing else can be wrong with such a file.
                for diagnostic in diagnostics.iter() {
                    prop_assert!(diagnostic.kind().name().starts_with("duplicate-"), "{}", diagnostics);
                }
            }
        }
    }
}

#[test]
fn deep_nesting_is_survived() {
    let deep = format!("interface A {{ B({}int{} a); }}", "array<".repeat(10_000), ">".repeat(10_000));
    exercise(deep.as_bytes());
    let chain: String = (0..10_000).map(|n| format!("struct S{n} {{ S{} s; }}\n", n + 1)).collect();
    exercise(format!("{chain}struct S10000 {{ int a; }}").as_bytes());
    exercise(format!("{chain}struct S10000 {{ S0 a; }}").as_bytes());
    let chain: String = (0..10_000).map(|n| format!("struct S{n} {{ array<S{}> s; }}\n", n + 1)).collect();
    exercise(format!("{chain}struct S10000 {{ S0 a; }}").as_bytes());
    let chain: String = (1..10_000).map(|n| format!("const int C{n} = C{};\n", n - 1)).collect();
    exercise(format!("const int C0 = 1;\n{chain}").as_bytes());
}

#[test]
fn large_inputs_are_survived() {
    let megabyte = |text: &str| text.repeat(1024 * 1024 / text.len());
    for text in [
        "{",
        "}",
        "(",
        ")",
        "interface ",
        "interface A {",
        "struct A { A a; }",
        "enum A { B, ",
        "union A { int ",
        "const int A = ",
        "reserved 1, ",
        "array<",
        "array<int>? ",
        "[A=1]",
        "@1",
        "\"",
        "-",
        "1",
        "1.",
        "import \"a\";",
        "a.b.",
        "/",
        "\n",
        "a",
        "a ",
        "é",
        "///\n",
        "A();",
        "=>",
        "@ ",
    ] {
        exercise(megabyte(text).as_bytes());
        exercise(format!("interface A {{ B(int a, {}", megabyte(text)).as_bytes());
    }
}

#[test]
fn a_large_file_compiles() {
    let mut source = String::new();
    for interface in 0..1000 {
        source += &format!("/// Number {interface}.\ninterface Interface{interface} {{\n");
        for method in 0..17 {
            source += &format!("  Method{method}(int a, string text) => (bool ok);\n");
        }
        source += "}\n";
    }
    assert!(source.lines().count() >= 20_000);
    // How fast, is in docs/PERFORMANCE.md.
    magen::generate(&source, "large.magen").unwrap();
}
