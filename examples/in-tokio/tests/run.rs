//! The example runs to its end and says what it should.

use std::process::{Command, Stdio};

#[test]
fn five_readings_and_a_timeout() {
    let program = env!("CARGO_BIN_EXE_in-tokio");
    let output = Command::new(program).stdin(Stdio::null()).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text.matches("It is 2").count(), 5, "{text}");
    assert!(text.contains("No calibration today"), "{text}");
    assert!(text.contains("The child has ended: exit status: 0."), "{text}");
}
