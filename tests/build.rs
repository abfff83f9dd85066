//! Compiles the interfaces that the tests talk through.

fn main() {
    let inputs = ["fixtures", "player_old", "player_new", "player_other"];
    magen::compile(inputs.map(|name| format!("magen/{name}.magen")));
    let options = magen::Options::new().mocks(true).fuzz(true);
    let reference = ["browser", "cache", "canvas", "geometry", "microphone", "player"];
    let reference = reference.map(|name| format!("magen/reference/{name}.magen"));
    let compiler = magen::Compiler::new().input("magen/asked_for.magen").inputs(reference).options(options);
    if let Err(error) = compiler.cargo_directives(true).run() {
        panic!("{error}");
    }
}
