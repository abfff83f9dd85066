//! The bytes of one frame of each kind, pinned. `MAGE_UPDATE=1 cargo test` rewrites the file.

use std::fmt::Write;
use std::{env, fs};

use super::encoded;
use super::samples::all;

const HEAD: &str = "\
# The bytes of one frame of each kind. Rewritten by MAGE_UPDATE=1; a change here is a change of the wire format.
# The sender is the node aa.., the receiver bb.., a third node cc..; handles travel beside the bytes.
";

fn drawn() -> String {
    let mut text = HEAD.to_owned();
    for (name, frame) in all() {
        let (bytes, handles) = encoded(frame);
        write!(
            text,
            "\n{name}: {} bytes, {} handles\n",
            bytes.len(),
            handles.front().map_or(0, |batch| batch.handles.len())
        )
        .unwrap();
        for line in bytes.chunks(16) {
            let line: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, "  {}", line.join(" ")).unwrap();
        }
    }
    text
}

#[test]
fn the_bytes_of_each_kind_are_pinned() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/golden.txt");
    let found = drawn();
    if env::var_os("MAGE_UPDATE").is_some() {
        fs::write(path, &found).unwrap();
    }
    let pinned = fs::read_to_string(path).unwrap();
    assert!(found == pinned, "the wire format has changed:\n{found}");
}
