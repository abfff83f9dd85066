//! Values and faults, for readers.

use std::fmt::Write;

use magen::dynamic::Value;

/// The widest line that a value is shown in as a whole.
const WIDTH_MAX: usize = 90;

/// How many bytes stand in one line of a dump.
const DUMP_BYTES: usize = 16;

/// The fields of a list, one below the other.
pub(super) fn list(value: &Value<'_>) -> String {
    let mut text = String::new();
    match value {
        Value::Struct(fields) => {
            for (name, value) in fields {
                entry(&mut text, 1, &format!("{name}: "), value);
            }
        }
        Value::Result(Ok(value)) => return list(value),
        Value::Result(Err(error)) => entry(&mut text, 1, "error: ", error),
        value => entry(&mut text, 1, "", value),
    }
    text
}

/// One value behind its name; over several lines if one is not enough.
fn entry(text: &mut String, depth: usize, name: &str, value: &Value<'_>) {
    let indentation = "  ".repeat(depth);
    let line = format!("{indentation}{name}{value}");
    if line.chars().count() <= WIDTH_MAX || !has_parts(value) {
        text.push_str(&line);
        text.push('\n');
        return;
    }
    let [open, close] = match value {
        Value::Array(_) => ["[", "]"],
        _ => ["{", "}"],
    };
    match value {
        Value::Optional(Some(value)) => return entry(text, depth, name, value),
        Value::Union { member: Some((member, value)), .. } => {
            return entry(text, depth, &format!("{name}{member} = "), value);
        }
        _ => {}
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{indentation}{name}{open}");
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                entry(text, depth + 1, &format!("{index}: "), element);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                entry(text, depth + 1, &format!("{key}: "), value);
            }
        }
        Value::Struct(fields) => {
            for (name, value) in fields {
                entry(text, depth + 1, &format!("{name}: "), value);
            }
        }
        _ => {}
    }
    let _ = writeln!(text, "{indentation}{close}");
}

fn has_parts(value: &Value<'_>) -> bool {
    match value {
        Value::Optional(Some(value)) | Value::Union { member: Some((_, value)), .. } => has_parts(value),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => true,
        _ => false,
    }
}

/// The lines of a dump around the byte at `offset`, with a mark under it.
pub(super) fn dump(bytes: &[u8], offset: usize) -> String {
    let mut text = String::new();
    let line = offset / DUMP_BYTES;
    for number in line.saturating_sub(1)..=line {
        let shown = bytes.iter().skip(number * DUMP_BYTES).take(DUMP_BYTES);
        let hex: String = shown.clone().map(|byte| format!("{byte:02x} ")).collect();
        let letters: String = shown
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        let _ = writeln!(text, "  {:6} | {hex:48}| {letters}", number * DUMP_BYTES);
    }
    let _ = writeln!(text, "         | {}^^", "   ".repeat(offset % DUMP_BYTES));
    text
}
