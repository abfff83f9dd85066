//! Pages: each is one file that loads nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use magen::editor::{Outlined, Piece, SymbolKind};

use super::Module;
use super::html::{Escaped, of_markdown};

const STYLE: &str = "\
body { max-width: 60em; margin: 2em auto; padding: 0 1em; font: 1em/1.5 sans-serif; color: #222; background: #fff; }
pre, code { font: 0.95em/1.4 monospace; background: #f4f4f4; }
pre { padding: 0.8em; overflow-x: auto; }
h2 { border-bottom: 1px solid #ccc; }
dt { font-weight: bold; }
a { color: #05c; text-decoration: none; }
.fingerprint { color: #666; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #1b1b1b; }
  pre, code { background: #2a2a2a; }
  a { color: #7bf; }
  .fingerprint { color: #999; }
}
";

pub(super) fn of_module(module: &Module, pages: &BTreeMap<PathBuf, Module>) -> String {
    let mut body =
        format!("<p><a href=\"index.html\">All modules</a></p>\n<h1>{}</h1>\n", Escaped(&module.title));
    body.push_str("<ul>\n");
    for declared in &module.declared {
        let (kind, name) = (kind(declared.kind), Escaped(&declared.name));
        add(&mut body, format_args!("<li>{kind} <a href=\"#{name}\"><code>{name}</code></a></li>\n"));
    }
    body.push_str("</ul>\n");
    for declared in &module.declared {
        declaration(&mut body, declared, module, pages);
    }
    page(&module.title, &body)
}

pub(super) fn index<'a>(modules: impl Iterator<Item = &'a Module>) -> String {
    let mut body = "<h1>Modules</h1>\n<ul>\n".to_owned();
    for module in modules {
        let (file, title) = (Escaped(&module.file_name), Escaped(&module.title));
        add(&mut body, format_args!("<li><a href=\"{file}\"><code>{title}</code></a></li>\n"));
    }
    body.push_str("</ul>\n");
    page("Modules", &body)
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        Escaped(title)
    )
}

fn declaration(body: &mut String, declared: &Outlined, module: &Module, pages: &BTreeMap<PathBuf, Module>) {
    let (kind, name) = (kind(declared.kind), Escaped(&declared.name));
    add(body, format_args!("<h2 id=\"{name}\">{kind} <code>{name}</code></h2>\n"));
    body.push_str(&of_markdown(&declared.docs));
    body.push_str("<pre><code>");
    declared.code.iter().for_each(|piece| code(body, piece, pages));
    body.push_str("</code></pre>\n");
    if !declared.members.is_empty() {
        body.push_str("<dl>\n");
        for (member, docs) in &declared.members {
            let docs = of_markdown(docs);
            add(body, format_args!("<dt><code>{}</code></dt>\n<dd>{docs}</dd>\n", Escaped(member)));
        }
        body.push_str("</dl>\n");
    }
    let qualified = format!("{}.{}", module.title, declared.name);
    let fingerprint = module.fingerprints.get(&qualified).or_else(|| module.fingerprints.get(&declared.name));
    if let Some(fingerprint) = fingerprint.filter(|_| declared.kind == SymbolKind::Interface) {
        add(body, format_args!("<p class=\"fingerprint\">fingerprint {fingerprint:#018x}</p>\n"));
    }
}

/// A piece of code, as a link if there is a page about what it names.
fn code(body: &mut String, piece: &Piece, pages: &BTreeMap<PathBuf, Module>) {
    let text = Escaped(&piece.text);
    match piece.declared_in.as_ref().and_then(|path| pages.get(path)) {
        Some(module) => {
            add(body, format_args!("<a href=\"{}#{text}\">{text}</a>", Escaped(&module.file_name)));
        }
        None => add(body, format_args!("{text}")),
    }
}

fn kind(kind: SymbolKind) -> &'static str {
    match kind {
        SymbolKind::Interface => "interface",
        SymbolKind::Union => "union",
        SymbolKind::Enum => "enum",
        SymbolKind::Const => "const",
        _ => "struct",
    }
}

fn add(body: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = body.write_fmt(text);
}
