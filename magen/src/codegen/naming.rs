//! From the names of a `.magen` file to names in Rust.

use crate::schema::{Field, Schema};

/// The argument through which a handler answers.
pub(crate) const REPLY: &str = "reply";

/// The variant for what is not known here.
pub(crate) const UNKNOWN: &str = "Unknown";

/// Keywords of every edition, also the reserved ones; all of them can be raw identifiers.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Whether `name`, in `snake_case`, is one of the keywords that cannot even be a raw identifier.
pub(crate) fn is_never_a_name(name: &str) -> bool {
    matches!(name, "self" | "super" | "crate")
}

/// `FetchURL` as `fetch_url`.
pub(crate) fn snake_case(name: &str) -> String {
    words(name).join("_").to_ascii_lowercase()
}

/// `FetchURL` as `FetchUrl`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for word in words(name) {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(&letters.as_str().to_ascii_lowercase());
    }
    camel
}

/// `maxSize` as `MAX_SIZE`.
pub(crate) fn constant_case(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// `name` in `snake_case` as it stands in code: `r#type` for `type`.
pub(crate) fn identifier(name: &str) -> String {
    let name = snake_case(name);
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

/// A variable of generated code: `wanted`, or with underscores behind it until no parameter has that name.
pub(super) fn variable(wanted: &str, parameters: &[&Field<'_>]) -> String {
    let mut name = wanted.to_owned();
    while parameters.iter().any(|parameter| snake_case(parameter.name) == name) {
        name.push('_');
    }
    name
}

pub(crate) fn message_type(interface: &str) -> String {
    format!("{interface}Message")
}

/// What stands in for a handler in tests.
pub(crate) fn mock_type(interface: &str) -> String {
    format!("{interface}Mock")
}

/// The function that feeds the readers of an interface.
pub(crate) fn fuzz_function(interface: &str) -> String {
    format!("fuzz_{}", snake_case(interface))
}

/// The name of a type parameter, such that it hides nothing that the file declares: no declaration may have an underscore.
pub(super) fn handler_parameter(schema: &Schema<'_>) -> &'static str {
    if declares(schema, "H") { "_H" } else { "H" }
}

/// What a handler of this interface is called and has to be: it may be behind a pointer.
pub(super) fn unsized_handler(interface: &str, schema: &Schema<'_>) -> String {
    let sized = if declares(schema, "Sized") { "::core::marker::Sized" } else { "Sized" };
    format!("{}: {interface} + ?{sized}", handler_parameter(schema))
}

fn declares(schema: &Schema<'_>, name: &str) -> bool {
    schema.own_definitions().any(|(_, definition)| definition.name == name)
}

pub(crate) fn proxy_type(interface: &str) -> String {
    format!("{interface}Proxy")
}

/// The struct of a response with two or more values.
pub(crate) fn response_type(interface: &str, method: &str) -> String {
    format!("{interface}{}Response", camel_case(method))
}

/// The words of a name. A word begins after `_`, at a capital after a small letter or a digit, and at the last capital
/// of several if a small letter follows (`HTTPServer`: `HTTP`, `Server`), unless it is the `s` of a plural (`URLs`).
fn words(name: &str) -> Vec<&str> {
    let bytes = name.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for position in 0..bytes.len() {
        if bytes[position] == b'_' {
            words.push(&name[start..position]);
            start = position + 1;
        } else if position > start && begins_word(bytes, position) {
            words.push(&name[start..position]);
            start = position;
        }
    }
    words.push(&name[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the byte at `position`, which is not the first of `name`, is a capital that begins a word.
fn begins_word(name: &[u8], position: usize) -> bool {
    let at = |position: usize| name.get(position).copied().unwrap_or(b'_');
    if !at(position).is_ascii_uppercase() {
        return false;
    }
    if !at(position - 1).is_ascii_uppercase() {
        return true;
    }
    let is_plural = at(position + 1) == b's' && !at(position + 2).is_ascii_lowercase();
    at(position + 1).is_ascii_lowercase() && !is_plural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case_and_camel_case() {
        for (name, snake, camel) in [
            ("FetchURL", "fetch_url", "FetchUrl"),
            ("NavigateToURL", "navigate_to_url", "NavigateToUrl"),
            ("OnURLFetched2", "on_url_fetched2", "OnUrlFetched2"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("FetchURLs", "fetch_urls", "FetchUrls"),
            ("GetIDsNow", "get_ids_now", "GetIdsNow"),
            ("URLSaver", "url_saver", "UrlSaver"),
            ("IsOpen", "is_open", "IsOpen"),
            ("Utf8Decode", "utf8_decode", "Utf8Decode"),
            ("Get2D", "get2_d", "Get2D"),
            ("A", "a", "A"),
            ("AB", "ab", "Ab"),
            ("child_remote", "child_remote", "ChildRemote"),
            ("childRemote", "child_remote", "ChildRemote"),
            ("MAX_SIZE", "max_size", "MaxSize"),
            ("odd__name_", "odd_name", "OddName"),
        ] {
            assert_eq!(snake_case(name), snake, "{name}");
            assert_eq!(camel_case(name), camel, "{name}");
        }
    }

    #[test]
    fn keywords_become_raw() {
        assert_eq!(identifier("Type"), "r#type");
        assert_eq!(identifier("gen"), "r#gen");
        assert_eq!(identifier("union"), "union");
    }
}
