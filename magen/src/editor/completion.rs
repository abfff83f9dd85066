//! What could be written at a place.

use super::SymbolKind;
use crate::ast::{Body, File};
use crate::check::ATTRIBUTES;
use crate::diagnostic::Reporter;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::loader::Sources;
use crate::parser::{self, KEYWORDS, STATEMENTS};
use crate::schema::{GENERIC, ValueType};

/// Something that could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What would be written.
    pub text: String,
    /// What it names; `None` for a word of the language.
    pub kind: Option<SymbolKind>,
}

pub(super) fn completions(sources: &Sources, offset: usize) -> Vec<Completion> {
    let Some(source) = sources.iter().next() else { return Vec::new() };
    let mut silent = Reporter::default();
    let text = crate::decoded(&source.text, &mut silent);
    let before = text.get(..offset).unwrap_or(text);
    let imported = source.imports.iter().filter_map(|import| match import.found {
        Some(Ok(place)) => sources.iter().nth(place),
        _ => None,
    });
    let own = parser::parse(text, &mut silent);
    let imported: Vec<File<'_>> = imported
        .map(|source| parser::parse(crate::decoded(&source.text, &mut silent), &mut silent))
        .collect();
    let mut list = List { entries: Vec::new() };
    match context(before) {
        Context::Nothing => {}
        Context::Attribute => ATTRIBUTES.iter().for_each(|name| list.word(name)),
        Context::Declaration => KEYWORDS.iter().chain(&STATEMENTS).for_each(|word| list.word(word)),
        Context::Module(module) => {
            for file in imported.iter().filter(|file| file.module.is_some_and(|name| name.text == module)) {
                list.declarations(file, "", |_| true);
            }
            for file in [&own].into_iter().chain(&imported) {
                list.values_of(file, &module);
            }
        }
        Context::Type => {
            ValueType::words().chain(GENERIC).for_each(|word| list.word(word));
            list.visible(&own, &imported, |kind| kind != SymbolKind::Const);
        }
        Context::Interface => list.visible(&own, &imported, |kind| kind == SymbolKind::Interface),
        Context::Value => {
            ["true", "false"].into_iter().for_each(|word| list.word(word));
            list.visible(&own, &imported, |kind| matches!(kind, SymbolKind::Const | SymbolKind::Enum));
        }
    }
    list.entries.sort_by(|left, right| left.text.cmp(&right.text));
    list.entries.dedup();
    list.entries
}

/// What is wanted at a place.
enum Context {
    /// The name of something new, a comment or a text.
    Nothing,
    Attribute,
    Declaration,
    Type,
    Interface,
    Value,
    /// What stands behind the name of this module, or of this enum, and a dot.
    Module(String),
}

/// What the tokens in `before` lead up to, the word that is being written left out.
fn context(before: &str) -> Context {
    let mut silent = Reporter::default();
    let mut lexer = Lexer::with_comments(before);
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        let token = lexer.next(&mut silent);
        if token.kind == TokenKind::EndOfFile {
            break;
        }
        tokens.push(token);
    }
    let is_unfinished = |token: &Token| token.span.end == before.len();
    if let Some(last) = tokens.last().filter(|token| is_unfinished(token)) {
        match last.kind {
            TokenKind::Name => _ = tokens.pop(),
            TokenKind::Comment | TokenKind::DocComment | TokenKind::Number | TokenKind::Text => {
                return Context::Nothing;
            }
            _ => {}
        }
    }
    tokens.retain(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::DocComment));
    let is_in_braces = tokens.iter().fold(0_usize, |depth, token| match token.kind {
        TokenKind::OpenBrace => depth + 1,
        TokenKind::CloseBrace => depth.saturating_sub(1),
        _ => depth,
    }) > 0;
    let word = |token: &Token| token.span.text(before);
    let last = tokens.last().map(|token| (token.kind, word(token)));
    let Some((kind, text)) = last else { return Context::Declaration };
    match kind {
        TokenKind::Dot => {
            let names = tokens.iter().rev().skip(1);
            let names = names.take_while(|token| matches!(token.kind, TokenKind::Name | TokenKind::Dot));
            let mut names: Vec<&str> = names.map(word).collect();
            names.reverse();
            // The type of a field and its name are two names without a dot between them.
            let start = names.windows(2).rposition(|pair| pair[0] != "." && pair[1] != ".");
            Context::Module(names.get(start.map_or(0, |start| start + 1)..).unwrap_or_default().concat())
        }
        TokenKind::Equals => Context::Value,
        TokenKind::OpenBracket => Context::Attribute,
        TokenKind::Comma if is_within(&tokens, TokenKind::OpenBracket) => Context::Attribute,
        TokenKind::CloseBracket if is_within(&tokens, TokenKind::OpenParenthesis) => Context::Type,
        TokenKind::LessThan => match tokens.iter().rev().nth(1).map(word) {
            Some("pending_remote" | "pending_receiver") => Context::Interface,
            Some("string" | "bytes") => Context::Value,
            _ => Context::Type,
        },
        TokenKind::Name if text == "max" => Context::Value,
        TokenKind::Name if matches!(text, "const" | "error") => Context::Type,
        TokenKind::Name | TokenKind::GreaterThan | TokenKind::Question | TokenKind::Number => {
            Context::Nothing
        }
        TokenKind::OpenParenthesis | TokenKind::Comma => match innermost(&tokens, before) {
            Some("enum") => Context::Nothing,
            _ => Context::Type,
        },
        TokenKind::Semicolon | TokenKind::OpenBrace | TokenKind::CloseBracket | TokenKind::CloseBrace
            if is_in_braces =>
        {
            match innermost(&tokens, before) {
                Some("struct" | "union") => Context::Type,
                _ => Context::Nothing,
            }
        }
        TokenKind::Semicolon | TokenKind::CloseBrace | TokenKind::CloseBracket => Context::Declaration,
        _ => Context::Nothing,
    }
}

/// Whether the last bracket that is open at the end is this one.
fn is_within(tokens: &[Token], open: TokenKind) -> bool {
    let mut closed = 0_usize;
    let last = tokens.iter().rev().find(|token| match token.kind {
        TokenKind::CloseParenthesis | TokenKind::CloseBracket | TokenKind::CloseBrace => {
            closed += 1;
            false
        }
        TokenKind::OpenParenthesis | TokenKind::OpenBracket | TokenKind::OpenBrace if closed > 0 => {
            closed -= 1;
            false
        }
        kind => matches!(kind, TokenKind::OpenParenthesis | TokenKind::OpenBracket | TokenKind::OpenBrace),
    });
    last.is_some_and(|token| token.kind == open)
}

/// The keyword of the block that is open at the end.
fn innermost<'text>(tokens: &[Token], text: &'text str) -> Option<&'text str> {
    let open = tokens.iter().rposition(|token| token.kind == TokenKind::OpenBrace)?;
    let keyword = open.checked_sub(2).and_then(|place| tokens.get(place))?;
    Some(keyword.span.text(text))
}

struct List {
    entries: Vec<Completion>,
}

impl List {
    fn word(&mut self, word: &str) {
        self.entries.push(Completion { text: word.to_owned(), kind: None });
    }

    /// What can be named without a module, and with one.
    fn visible(&mut self, own: &File<'_>, imported: &[File<'_>], is_wanted: impl Fn(SymbolKind) -> bool) {
        self.declarations(own, "", &is_wanted);
        for file in imported {
            self.declarations(file, "", &is_wanted);
            if let Some(module) = file.module {
                self.declarations(file, &format!("{}.", module.text), &is_wanted);
            }
        }
    }

    fn declarations(&mut self, file: &File<'_>, prefix: &str, is_wanted: impl Fn(SymbolKind) -> bool) {
        for declaration in &file.declarations {
            let kind = super::index::kind_of(&declaration.body);
            if is_wanted(kind) {
                let text = format!("{prefix}{}", declaration.name.text);
                self.entries.push(Completion { text, kind: Some(kind) });
            }
        }
    }

    fn values_of(&mut self, file: &File<'_>, name: &str) {
        for declaration in file.declarations.iter().filter(|declaration| declaration.name.text == name) {
            let Body::Enum { values, .. } = &declaration.body else { continue };
            self.entries.extend(values.iter().map(|value| Completion {
                text: value.name.text.to_owned(),
                kind: Some(SymbolKind::EnumValue),
            }));
        }
    }
}
