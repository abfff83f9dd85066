//! Interfaces as they are written in earnest, in `corpus/`: each is laid out and right, all are compiled by rustc, every
//! value and every message makes the way there and back, and their decoders are fed with whatever comes.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(directory).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn every_file_has_the_canonical_layout() {
    assert!(corpus().len() >= 60);
    for path in corpus() {
        let source = fs::read_to_string(&path).unwrap();
        let formatted = magen::format(&source, stem(&path)).unwrap_or_else(|error| panic!("{error}"));
        common::assert_file(&path, &formatted);
    }
}

/// The names that stand between `before` and `after` on a line of `code`.
fn names<'code>(code: &'code str, before: &str, after: &str) -> Vec<&'code str> {
    code.lines().filter_map(|line| line.strip_prefix(before)?.strip_suffix(after)).collect()
}

/// The lines of the block that the line `first` opens.
fn block<'code>(code: &'code str, first: &str) -> Vec<&'code str> {
    let lines = code.lines().skip_while(|line| *line != first).skip(1);
    lines.take_while(|line| *line != "}").collect()
}

/// The name that a line with this indentation begins with, if it begins with one, and the rest of the line.
fn name_at<'code>(line: &'code str, indentation: &str) -> Option<(&'code str, &'code str)> {
    let line = line.strip_prefix(indentation)?;
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("fn ").unwrap_or(line);
    let end = line.find(|letter: char| !letter.is_alphanumeric() && !"_#".contains(letter))?;
    (end > 0).then(|| line.split_at(end))
}

/// The fields of the struct, or of the variant whose lines these are.
fn fields<'code>(lines: &[&'code str], indentation: &str) -> Vec<&'code str> {
    let named = lines.iter().filter_map(|line| name_at(line, indentation));
    named.filter(|(_, rest)| rest.starts_with(':') && !rest.starts_with("::")).map(|(name, _)| name).collect()
}

/// An `impl Sample` for everything that `code` declares, in the module `module`.
fn samples(code: &str, module: &str) -> String {
    let mut text = String::new();
    let mut implement = |name: &str, value: String| {
        let body = format!("random.inside(|random| {value})");
        writeln!(
            text,
            "impl Sample for {module}::{name} {{ fn sample(random: &mut Random) -> Self {{ {body} }} }}"
        )
    };
    // Some have nothing in them, and one line.
    for name in names(code, "pub struct ", " {").into_iter().chain(names(code, "pub struct ", " {}")) {
        if name.ends_with("Proxy") {
            continue;
        }
        let fields = fields(&block(code, &format!("pub struct {name} {{")), "    ");
        let drawn: Vec<String> =
            fields.iter().map(|field| format!("{field}: Sample::sample(random)")).collect();
        implement(name, format!("{{ let _ = &random; Self {{ {} }} }}", drawn.join(", "))).unwrap();
    }
    for name in names(code, "pub enum ", " {") {
        if name.ends_with("Message") {
            continue;
        }
        let lines = block(code, &format!("pub enum {name} {{"));
        let variants = lines.iter().filter_map(|line| name_at(line, "    "));
        let drawn: Vec<String> = variants
            .filter_map(|(variant, rest)| match rest.as_bytes().first()? {
                b',' => Some(format!("Self::{variant}")),
                // Of an enum, a number that nothing has; of a union, a member that cannot be sent.
                b'(' if variant == "Unknown" && rest.contains("i32") => {
                    Some("Self::Unknown(-77_777)".to_owned())
                }
                b'(' if variant == "Unknown" => None,
                b'(' => Some(format!("Self::{variant}(Sample::sample(random))")),
                _ => None,
            })
            .collect();
        let arms: Vec<String> =
            drawn.iter().enumerate().map(|(index, value)| format!("{index} => {value},")).collect();
        let last = drawn.first().expect("it has a variant");
        implement(name, format!("match random.below({}) {{ {} _ => {last} }}", drawn.len(), arms.concat()))
            .unwrap();
    }
    text
}

/// A function for each interface that sends each of its messages, and answers it.
fn conversations(code: &str, module: &str) -> Vec<(String, String)> {
    let plain = |name: &str| name.trim_start_matches("r#").replace('_', "").to_lowercase();
    let mut functions = Vec::new();
    for interface in names(code, "pub enum ", "Message {") {
        let function = format!("talk_{module}_{interface}");
        let proxy = block(code, &format!("impl {interface}Proxy {{"));
        let lines = block(code, &format!("pub enum {interface}Message {{"));
        let mut text = format!("#[allow(non_snake_case)]\nfn {function}(random: &mut Random) {{\n");
        for (index, line) in lines.iter().enumerate() {
            let Some((variant, _)) = name_at(line, "    ") else { continue };
            let end = lines[index + 1..].iter().position(|line| name_at(line, "    ").is_some());
            let of_variant = &lines[index + 1..end.map_or(lines.len(), |end| index + 1 + end)];
            let mut arguments = fields(of_variant, "        ");
            let has_reply = of_variant.iter().any(|line| line.trim() == "/// Answers the call.");
            if has_reply {
                assert_eq!(arguments.pop(), Some("reply"));
            }
            let methods = proxy.iter().filter(|line| line.starts_with("    pub fn "));
            let mut methods = methods.filter_map(|line| name_at(line, "    "));
            let (method, _) =
                methods.find(|(method, _)| plain(method) == plain(variant)).expect("it can be sent");
            let each =
                |write: &dyn Fn(usize) -> String| -> String { (0..arguments.len()).map(write).collect() };
            text += &each(&|number| format!("    let sent{number} = Sample::sample(random);\n"));
            text += &format!(
                "    let texts: Vec<String> = vec![{}];\n",
                each(&|number| format!("format!(\"{{sent{number}:?}}\"), "))
            );
            text += &format!(
                "    let (call, message) = carried::<dyn {module}::{interface}, _>(|proxy| proxy.{method}({}));\n",
                each(&|number| format!("sent{number}, "))
            );
            let taken = each(&|number| format!("{}: got{number}, ", arguments[number]));
            let reply = if has_reply { "reply" } else { "" };
            let braces = format!("{{ {taken}{reply} }}");
            text += &format!(
                "    #[allow(irrefutable_let_patterns)]\n    \
                 let {module}::{interface}Message::{variant} {braces} = message else {{ panic!(\"{method}\") }};\n"
            );
            let got = each(&|number| format!("format!(\"{{got{number}:?}}\"), "));
            text +=
                &format!("    assert_eq!(texts, Vec::<String>::from([{got}]), \"{interface}.{method}\");\n");
            text += match has_reply {
                true => "    answered(reply, call, random);\n",
                false => "    call.unwrap();\n",
            };
        }
        functions.push((function, text + "}\n"));
    }
    functions
}

#[test]
fn every_value_and_message_comes_back_and_every_decoder_survives_everything() {
    let workshop = tempfile::tempdir().unwrap();
    let counting = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/src/counting.rs");
    let mut modules = format!("#[path = {counting:?}]\nmod counting;\n");
    let (mut values, mut calls) = (String::new(), String::new());
    for path in corpus() {
        let code = magen::generate_file(&path).unwrap_or_else(|error| panic!("{error}"));
        let module = stem(&path);
        for message in names(&code, "pub enum ", "Message {") {
            calls += &format!("    feed_message::<{module}::{message}Message>();\n");
        }
        for value in names(&code, "impl ::mage::codegen::Encode for &", " {") {
            calls += &format!("    feed_value::<{module}::{value}>();\n");
            calls += &format!("    samples_come_back::<{module}::{value}>();\n");
        }
        let defaults = names(&code, "impl ::core::default::Default for ", " {");
        for value in defaults.into_iter().filter(|value| code.contains(&format!("Encode for &{value} "))) {
            calls += &format!("    assert_comes_back::<{module}::{value}>(Default::default());\n");
        }
        values += &samples(&code, module);
        for (function, text) in conversations(&code, module) {
            values += &text;
            calls += &format!(
                "    for round in 1..=SAMPLES {{ {function}(&mut Random::new(round as u64 * 0x9e37_79b9)); }}\n"
            );
        }
        modules += &format!("#[allow(dead_code)]\nmod {module} {{\n{code}\n}}\n");
    }
    assert!(calls.lines().count() > 1000, "{calls}");
    let text = fs::read_to_string(common::directory("stub").join("corpus.rs")).unwrap();
    let text = text.replace("// MODULES", &modules).replace("// SAMPLES\n", &values);
    let program = workshop.path().join("program.rs");
    fs::write(&program, text.replace("    // CALLS\n", &calls)).unwrap();

    let stub = common::directory("stub").join("mage.rs");
    for (source, arguments) in
        [(stub, ["--crate-type=rlib", "-Copt-level=1"]), (program, ["--crate-type=bin", "--extern=mage"])]
    {
        let mut rustc = common::tool("rustc");
        rustc.args(["--edition=2024", "--cap-lints=allow", "-Cdebuginfo=0"]).args(arguments);
        rustc.arg("--out-dir").arg(workshop.path()).arg("-L").arg(workshop.path()).arg(&source);
        let output = rustc.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    common::assert_clean(&Command::new(workshop.path().join("program")).output().unwrap(), "the program");
}
