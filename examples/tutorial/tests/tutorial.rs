//! The tutorial does what it says.

use std::process::{Command, Stdio};

#[test]
fn a_page_is_fetched() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tutorial")).stdin(Stdio::null()).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text, "<h1>http://example.com/</h1>\n1 page, 28 bytes\n");
}
