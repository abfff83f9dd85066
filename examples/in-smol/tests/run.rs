//! The example runs to its end and says what it should.

use std::process::{Command, Stdio};

#[test]
fn four_answers() {
    let program = env!("CARGO_BIN_EXE_in-smol");
    let output = Command::new(program).stdin(Stdio::null()).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for answer in ["4 primes below 10.", "168 primes below 1000.", "9592 primes below 100000."] {
        assert!(text.contains(answer), "{text}");
    }
    assert!(text.contains("The child has ended: exit status: 0."), "{text}");
}
