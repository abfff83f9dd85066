//! The interface compiler: whatever the input, it ends in code or in diagnostics. What it accepts, it formats, and what it has
//! formatted means the same and is as it would format it.
#![no_main]

use magen::RenderStyle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let code = match magen::generate(data, "fuzzed.magen") {
        Ok(code) => code,
        Err(diagnostics) => {
            // Most of the time would go into showing what is wrong.
            if data.len() % 8 == 0 {
                assert!(!diagnostics.render(RenderStyle::Plain).is_empty());
            }
            return;
        }
    };
    let formatted = magen::format(data, "fuzzed.magen").expect("what is accepted can be formatted");
    let again = magen::generate(&formatted, "fuzzed.magen").expect("formatted text is accepted");
    assert_eq!(again, code, "formatted, it means something else");
    let settled = magen::format(&formatted, "fuzzed.magen").expect("it can be formatted again");
    assert_eq!(settled, formatted, "it is not as it would be formatted");
});
