//! What a file declares, with its documentation and its code, for pages about it.

use std::path::PathBuf;

use super::SymbolKind;
use super::index::{Index, kind_of, text_of};
use crate::ast::{Body, Declaration, Docs, Field, Name};
use crate::diagnostic::Reporter;
use crate::lexer::{Lexer, TokenKind};
use crate::span::Span;

/// A declaration, as it is documented.
#[derive(Clone, Debug)]
pub struct Outlined {
    /// Its name, without a module.
    pub name: String,
    /// What it declares.
    pub kind: SymbolKind,
    /// Its documentation, as Markdown.
    pub docs: String,
    /// Its code, as it is written but for comments, piece by piece.
    pub code: Vec<Piece>,
    /// The names and the documentation of what is in it, as far as that is documented; `Method.parameter` for what is in a
    /// method.
    pub members: Vec<(String, String)>,
}

/// A piece of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As it is written.
    pub text: String,
    /// The file that declares what this names, if it is the name of a declaration.
    pub declared_in: Option<PathBuf>,
}

pub(super) fn outline(index: &Index<'_>) -> Vec<Outlined> {
    let Some((text, file)) = index.first() else { return Vec::new() };
    let outlined = file.declarations.iter().map(|declaration| Outlined {
        name: declaration.name.text.to_owned(),
        kind: kind_of(&declaration.body),
        docs: text_of(&declaration.docs),
        code: code(index, text, whole(declaration, text)),
        members: members(declaration),
    });
    outlined.collect()
}

/// From the keyword, or the first attribute, to the closing brace or the semicolon.
fn whole(declaration: &Declaration<'_>, text: &str) -> Span {
    let end_kind = match declaration.body {
        Body::Const { .. } => TokenKind::Semicolon,
        _ => TokenKind::CloseBrace,
    };
    let mut silent = Reporter::default();
    let mut lexer = Lexer::at(text, declaration.name.span.end);
    let end = loop {
        let token = lexer.next(&mut silent);
        if token.kind == end_kind || token.kind == TokenKind::EndOfFile {
            break token.span.end;
        }
    };
    let keyword = declaration.body.keyword();
    let before = text.get(..declaration.name.span.start).unwrap_or_default();
    let keyword = before.rfind(keyword).unwrap_or(declaration.name.span.start);
    let attribute = declaration.attributes.first().map(|attribute| attribute.name.span.start);
    let bracket = attribute.and_then(|attribute| text.get(..attribute)?.rfind('['));
    Span::new(bracket.unwrap_or(keyword), end)
}

/// The code of `span`, without the lines that are comments and the ends of lines that are.
fn code(index: &Index<'_>, text: &str, span: Span) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |text: &str, declared_in: Option<PathBuf>| match pieces.last_mut() {
        Some(last) if last.declared_in.is_none() && declared_in.is_none() => last.text.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece { text: text.to_owned(), declared_in }),
    };
    let mut silent = Reporter::default();
    let mut lexer = Lexer::with_comments_at(text, span.start);
    let mut end = span.start;
    let mut is_behind_comment = false;
    loop {
        let token = lexer.next(&mut silent);
        if token.kind == TokenKind::EndOfFile || token.span.end > span.end {
            return pieces;
        }
        let space = text.get(end..token.span.start).unwrap_or_default();
        end = token.span.end;
        if matches!(token.kind, TokenKind::Comment | TokenKind::DocComment) {
            is_behind_comment = true;
            continue;
        }
        // What stood before a comment stands before what follows it, on a line of its own.
        let space = if is_behind_comment { space.trim_start_matches([' ', '\t', '\r']) } else { space };
        is_behind_comment = false;
        push(space, None);
        push(token.span.text(text), index.declared_in(token.span));
    }
}

fn members(declaration: &Declaration<'_>) -> Vec<(String, String)> {
    let mut members = Members(Vec::new());
    match &declaration.body {
        Body::Interface { methods, .. } => {
            for method in methods {
                members.add("", method.name, &method.docs);
                let prefix = format!("{}.", method.name.text);
                members.fields(&prefix, &method.parameters);
                members.fields(&prefix, method.response.as_deref().unwrap_or_default());
            }
        }
        Body::Struct { fields } | Body::Union { members: fields, .. } => members.fields("", fields),
        Body::Enum { values, .. } => values.iter().for_each(|value| members.add("", value.name, &value.docs)),
        Body::Const { .. } => {}
    }
    members.0
}

struct Members(Vec<(String, String)>);

impl Members {
    fn add(&mut self, prefix: &str, name: Name<'_>, docs: &Docs<'_>) {
        if !docs.lines.is_empty() {
            self.0.push((format!("{prefix}{}", name.text), text_of(docs)));
        }
    }

    fn fields(&mut self, prefix: &str, fields: &[Field<'_>]) {
        fields.iter().for_each(|field| self.add(prefix, field.name, &field.docs));
    }
}
