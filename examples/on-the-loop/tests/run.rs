//! The example runs to its end and says what it should, and it needs no runtime.

use std::process::{Command, Stdio};

#[test]
fn three_greetings_and_a_leave() {
    let program = env!("CARGO_BIN_EXE_on-the-loop");
    let output = Command::new(program).stdin(Stdio::null()).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for line in ["Hello, Ada!", "Hello, Barbara!", "Nobody was not greeted: "] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("The child has ended: exit status: 0."), "{text}");
}

#[test]
fn no_runtime_among_the_dependencies() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--package=on-the-loop", "--edges=normal", "--prefix=none", "--offline"];
    let output = Command::new(cargo).args(arguments).output().expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.contains("mage-loop"), "{output:?}");
    for runtime in ["tokio ", "smol ", "async-io ", "async-executor ", "mio "] {
        assert!(!tree.lines().any(|line| line.starts_with(runtime)), "{tree}");
    }
}
