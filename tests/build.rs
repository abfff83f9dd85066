//! Compiles the interfaces that the tests talk through.

fn main() {
    magen::compile(["magen/fixtures.magen"]);
    let options = magen::Options::new().mocks(true).fuzz(true);
    let compiler = magen::Compiler::new().input("magen/asked_for.magen").options(options);
    if let Err(error) = compiler.cargo_directives(true).run() {
        panic!("{error}");
    }
}
