//! What is shown, and where.

use std::env;
use std::io::{self, IsTerminal, Write};

use magen::RenderStyle;

/// Colours for terminals, unless the user does not want any.
pub(crate) fn style() -> RenderStyle {
    let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stderr().is_terminal() && !is_refused { RenderStyle::Coloured } else { RenderStyle::Plain }
}

/// Writes `text` to the standard output; when nobody listens any more, there is nobody to tell either.
pub(crate) fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Writes `text` to the standard error.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
