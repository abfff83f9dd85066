//! Generated code holds up as Rust: it compiles without a warning, in a library and in a program, in a module that
//! shadows whatever it can; rustfmt and clippy have nothing to say; and what is sent is what arrives.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Every lint that a careful project may have switched on and that concerns generated code.
const LINTS: [&str; 9] = [
    "warnings",
    "missing_docs",
    "missing_debug_implementations",
    "elided_lifetimes_in_paths",
    "unreachable_pub",
    "unused_qualifications",
    "unused",
    "nonstandard_style",
    "rust_2018_idioms",
];

/// A directory with the stub of `mage`, compiled.
fn workshop() -> TempDir {
    workshop_with("-Copt-level=0")
}

fn workshop_with(optimisation: &str) -> TempDir {
    let workshop = tempfile::tempdir().unwrap();
    let mut rustc = common::tool("rustc");
    rustc.args(["--edition=2024", "--crate-type=rlib", "--crate-name=mage", "--cap-lints=allow"]);
    rustc.arg(optimisation).arg("--out-dir").arg(workshop.path());
    rustc.arg(common::directory("stub").join("mage.rs"));
    common::assert_clean(&rustc.output().unwrap(), "the stub");
    workshop
}

/// A module for every golden file, in `path`.
fn write_modules(path: &Path, prologue: &str) {
    let mut text = "//! Every golden file.\n".to_owned();
    for golden in common::files("golden", "rs") {
        let name = golden.file_stem().unwrap().to_str().unwrap();
        text += &format!("/// One.\npub mod {name} {{\n{prologue}\ninclude!({golden:?});\n}}\n");
    }
    if path.file_stem().is_some_and(|stem| stem == "program") {
        text = text.replace("pub mod", "mod") + "fn main() {}\n";
    }
    fs::write(path, text).unwrap();
}

fn compiler(mut command: Command, workshop: &TempDir, source: &Path, edition: &str) -> Command {
    let mut library = std::ffi::OsString::from("mage=");
    library.push(workshop.path().join("libmage.rlib"));
    command.arg(format!("--edition={edition}")).arg("--extern").arg(library);
    command.arg("--out-dir").arg(workshop.path()).arg(source);
    command
}

fn assert_compiles(workshop: &TempDir, source: &Path, crate_type: &str, edition: &str) {
    let mut rustc = compiler(common::tool("rustc"), workshop, source, edition);
    rustc.args(["--emit=metadata", &format!("--crate-type={crate_type}")]);
    rustc.args(LINTS.map(|lint| format!("-D{lint}")));
    common::assert_clean(&rustc.output().unwrap(), &format!("{crate_type}, edition {edition}"));
}

#[test]
fn it_compiles_without_warnings() {
    let workshop = workshop();
    let library = workshop.path().join("library.rs");
    write_modules(&library, "");
    let program = workshop.path().join("program.rs");
    write_modules(&program, "");
    for edition in ["2021", "2024"] {
        assert_compiles(&workshop, &library, "lib", edition);
        assert_compiles(&workshop, &program, "bin", edition);
    }
}

#[test]
fn the_examples_of_the_reference_compile() {
    let Some(page) = common::reference() else {
        return;
    };
    // What maps a type of the program's is compiled with one, in `tests/tests/reference.rs`.
    let mut examples = common::blocks(&page, "magen");
    examples.retain(|example| !example.contains("[Rust="));
    let workshop = workshop();
    let mut text = "//! Every example.\n".to_owned();
    for path in common::write_examples(&examples, workshop.path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let code = magen::generate_file(&path).unwrap_or_else(|error| panic!("{error}"));
        text += &format!("/// One.\npub mod {name} {{\n{code}\n}}\n");
    }
    let library = workshop.path().join("examples.rs");
    fs::write(&library, text).unwrap();
    assert_compiles(&workshop, &library, "lib", "2024");
}

#[test]
fn it_compiles_in_a_module_that_shadows_everything() {
    const SHADOWS: &str = "
        #[allow(dead_code)] type Vec<T> = T;
        #[allow(dead_code, non_snake_case)] fn Ok() {}
        #[allow(dead_code, non_snake_case)] fn Err() {}
        #[allow(dead_code)] mod mage {}
        #[allow(dead_code)] mod core {}
        #[allow(dead_code)] mod std {}
        #[allow(dead_code)] trait Blanket {
            fn fetch_url(&mut self) {} fn ask(&mut self) {} fn dispatch(&mut self) {} fn clone(&mut self) {}
        }
        impl<T: ?::core::marker::Sized> Blanket for T {}
    ";
    let workshop = workshop();
    let library = workshop.path().join("library.rs");
    write_modules(&library, SHADOWS);
    assert_compiles(&workshop, &library, "lib", "2024");
}

#[test]
fn clippy_has_nothing_to_say() {
    let clippy = common::tool("clippy-driver");
    let workshop = workshop();
    for (name, crate_type) in [("library", "lib"), ("program", "bin")] {
        let source = workshop.path().join(name).with_extension("rs");
        write_modules(&source, "");
        let mut command = Command::new(clippy.get_program());
        // The first argument makes it take the place of rustc.
        command.arg("rustc");
        let mut command = compiler(command, &workshop, &source, "2024");
        command.args(["--emit=metadata", &format!("--crate-type={crate_type}"), "-Dwarnings"]);
        command.args([
            "-Dclippy::all",
            "-Dclippy::pedantic",
            "-Dclippy::allow_attributes",
            "-Dclippy::use_self",
        ]);
        // How many parameters have one letter is for the author of the interface to say.
        command.arg("-Aclippy::many-single-char-names");
        // What can be borrowed is, however small it is.
        command.arg("-Aclippy::trivially-copy-pass-by-ref");
        common::assert_clean(&command.output().unwrap(), &format!("clippy, {name}"));
    }
}

fn assert_formatted(files: &[PathBuf]) {
    let mut rustfmt = common::tool("rustfmt");
    // Not the configuration of this workspace, but an empty one: what counts is rustfmt's default style.
    let configuration = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    rustfmt.args(["--check", "--edition=2024", "--config-path"]).arg(configuration.path()).args(files);
    common::assert_clean(&rustfmt.output().unwrap(), "rustfmt");
}

#[test]
fn it_is_formatted() {
    assert_formatted(&common::files("golden", "rs"));
    assert_formatted(&common::files("options", "rs"));
    let workshop = tempfile::tempdir().unwrap();
    let asked_for = common::files("golden", "magen").into_iter().map(|path| {
        let code = common::everything().generate_file(&path).unwrap();
        let path = workshop.path().join(path.file_name().unwrap()).with_extension("rs");
        fs::write(&path, code).unwrap();
        path
    });
    assert_formatted(&asked_for.collect::<Vec<_>>());
}

/// Declarations of every width, so that every rule for breaking lines is met on both sides of its limit.
#[test]
fn it_is_formatted_at_every_width() {
    let workshop = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for width in 1..=60 {
        let interface = format!("I{}", "x".repeat(width - 1));
        let mut source = format!("interface {interface} {{\n");
        for parameters in 0..=7 {
            for (method, response) in
                [("", ";"), ("R", "=> ();"), ("V", "=> (string a);"), ("S", "=> (int a, int b);")]
            {
                let name = format!("M{}{method}{parameters}", "y".repeat((width * 7 + parameters) % 57));
                // Where the name of the response type fills a line, rustfmt writes `>{`.
                if response.contains(',') && interface.len() + name.len() > 80 {
                    continue;
                }
                let list: Vec<String> = (0..parameters)
                    .map(|index| {
                        let value_type = ["int", "string", "bool", "MessagePipe"][(width + index) % 4];
                        format!("{value_type} p{}{index}", "z".repeat((width + index * parameters) % 58))
                    })
                    .collect();
                source += &format!("{name}({}) {response}\n", list.join(", "));
            }
        }
        source += "}\n";
        let path = workshop.path().join(format!("width_{width}.rs"));
        fs::write(&path, magen::generate(source, "width.magen").unwrap()).unwrap();
        files.push(path);
    }
    assert_formatted(&files);
}

/// What was added, of every width: how it is read where it may be missing depends on its name, its type and its default.
#[test]
fn additions_are_formatted_at_every_width() {
    let workshop = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for width in 1..=30 {
        let name = "x".repeat(width);
        // Longer ones make lines that do not fit.
        let short = "x".repeat(width % 8);
        let mut fields = String::new();
        for (number, field) in [
            format!("string? a{name};"),
            format!("int b{name} = 7;"),
            format!("string c{name} = \"{short}\";"),
            format!("string? d{short} = \"{short}\";"),
            format!("string<9> e{short};"),
            format!("array<string<9>> max 7 f{short};"),
            format!("[Shared] string<9> g{short};"),
        ]
        .into_iter()
        .enumerate()
        {
            fields += &format!("[MinVersion={}] {field}\n", number / 3 + 1);
        }
        let list = fields.trim_end().trim_end_matches(';').replace(";\n", ", ");
        let source = format!(
            "[Extensible] struct S {{ {fields} }}
             [Extensible] interface I {{ F() => (int value, {list}); G(map<string, array<bytes>> m{name}); }}"
        );
        let path = workshop.path().join(format!("width_{width}.rs"));
        fs::write(&path, magen::generate(source, "width.magen").unwrap()).unwrap();
        files.push(path);
    }
    assert_formatted(&files);
}

/// Compiles the program `tests/stub/<name>.rs` with the code of a golden file in the place of `placeholder`, and runs it.
fn assert_runs(name: &str, golden: &str, placeholder: &str) {
    let workshop = workshop();
    let program = workshop.path().join(name).with_extension("rs");
    let golden = common::directory("golden").join(golden);
    let text = fs::read_to_string(common::directory("stub").join(name).with_extension("rs")).unwrap();
    fs::write(&program, text.replace(placeholder, &format!("{golden:?}"))).unwrap();
    let mut rustc = compiler(common::tool("rustc"), &workshop, &program, "2024");
    common::assert_clean(&rustc.arg("--crate-type=bin").output().unwrap(), "the program");
    let run = Command::new(workshop.path().join(name)).output().unwrap();
    common::assert_clean(&run, "the program");
}

/// A peer decides how deep the values of a message are in each other, so the largest of them have to fit on a stack. This is
/// promised of programs as they are shipped.
#[test]
fn the_deepest_value_is_survived() {
    let fields = |count: usize, field: &str| -> String {
        (0..count).map(|number| format!("{field} f{number};")).collect()
    };
    // With one more, each would be too large.
    let (numbers, texts, slices) = (252, 84, 63);
    let source = format!(
        "struct Numbers {{ array<double, {numbers}> all; array<Numbers> more; }}
         struct Texts {{ {} array<Texts> more; }}
         struct Slices {{ {} array<Slices> more; }}",
        fields(texts, "string"),
        fields(slices, "[Shared] bytes"),
    );
    const OPTIMISED: &str = "-Copt-level=1";
    let workshop = workshop_with(OPTIMISED);
    let code = workshop.path().join("deep.rs");
    fs::write(&code, magen::generate(source, "deep.magen").unwrap()).unwrap();
    let program = workshop.path().join("deepest.rs");
    let text = fs::read_to_string(common::directory("stub").join("deepest.rs")).unwrap();
    let text = text.replace("DEEPEST", &format!("{code:?}"));
    let text = text.replace("NUMBERS", &numbers.to_string()).replace("TEXTS", &texts.to_string());
    fs::write(&program, text.replace("SLICES", &slices.to_string())).unwrap();
    let mut rustc = compiler(common::tool("rustc"), &workshop, &program, "2024");
    common::assert_clean(&rustc.args(["--crate-type=bin", OPTIMISED]).output().unwrap(), "the program");
    common::assert_clean(&Command::new(workshop.path().join("deepest")).output().unwrap(), "the program");
}

#[test]
fn what_is_sent_is_what_arrives() {
    assert_runs("round_trip", "every_type.rs", "EVERY_TYPE");
}

#[test]
fn every_value_arrives_and_no_other() {
    assert_runs("values", "values.rs", "VALUES");
}
