//! The answers to what the editor asks.

use std::path::PathBuf;

use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, Definition, DefinitionParams,
    DefinitionResponse, DocumentFormattingParams, Hover, HoverParams, Location, MarkupContent, MarkupKind,
    PrepareRenameParams, PrepareRenameResult, RenameParams, TextDocumentPositionParams, TextEdit,
    WorkspaceEdit,
};
use lsp_server::ErrorCode;
use magen::editor::{self, Analysis, Symbol, SymbolKind};

use super::documents::{Documents, path_of};
use super::lines::Lines;

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A place that was asked about.
struct Asked {
    text: String,
    offset: usize,
    analysis: Analysis,
}

impl Asked {
    /// `None` if there is no such file.
    fn new(documents: &Documents, place: &TextDocumentPositionParams) -> Option<Self> {
        let path = path_of(&place.text_document.uri);
        let (text, analysis) = (documents.text(&path)?, documents.analysis(&path)?);
        let offset = Lines::new(&text).offset(place.position);
        Some(Self { text, offset, analysis })
    }

    fn symbol(&self) -> Option<Symbol> {
        self.analysis.symbol_at(self.offset)
    }

    /// What can be called something else: not a file.
    fn renamed(&self) -> Option<Symbol> {
        self.symbol().filter(|symbol| symbol.kind() != SymbolKind::File)
    }
}

pub(super) fn hover(documents: &Documents, asked: &HoverParams) -> Result<Option<Hover>, Refusal> {
    let Some(asked) = Asked::new(documents, &asked.text_document_position_params) else { return Ok(None) };
    Ok(asked.symbol().map(|symbol| {
        // A text in the code may have a fence in it.
        let longest =
            symbol.signature().split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let mut value = format!("{fence}magen\n{}\n{fence}", symbol.signature());
        if !symbol.docs().is_empty() {
            value.push_str(&format!("\n\n{}", symbol.docs()));
        }
        let contents = MarkupContent { kind: MarkupKind::Markdown, value }.into();
        Hover { contents, range: Some(Lines::new(&asked.text).range(symbol.range())) }
    }))
}

pub(super) fn definition(
    documents: &Documents,
    asked: &DefinitionParams,
) -> Result<Option<DefinitionResponse>, Refusal> {
    let asked = Asked::new(documents, &asked.text_document_position_params);
    let Some(symbol) = asked.and_then(|asked| asked.symbol()) else { return Ok(None) };
    let place = symbol.definition();
    let location = documents.uri_of(&place.path).zip(documents.text(&place.path));
    Ok(location.map(|(uri, text)| {
        let range = Lines::new(&text).range(place.range.clone());
        Definition::from(Location { uri, range }).into()
    }))
}

pub(super) fn completion(
    documents: &Documents,
    asked: &CompletionParams,
) -> Result<Option<CompletionResponse>, Refusal> {
    let Some(asked) = Asked::new(documents, &asked.text_document_position_params) else { return Ok(None) };
    let items = asked.analysis.completions(asked.offset).into_iter().map(|completion| CompletionItem {
        kind: Some(match completion.kind {
            None => CompletionItemKind::Keyword,
            Some(SymbolKind::Interface) => CompletionItemKind::Interface,
            Some(SymbolKind::Enum) => CompletionItemKind::Enum,
            Some(SymbolKind::EnumValue) => CompletionItemKind::EnumMember,
            Some(SymbolKind::Const) => CompletionItemKind::Constant,
            Some(_) => CompletionItemKind::Struct,
        }),
        label: completion.text,
        ..Default::default()
    });
    Ok(Some(items.collect::<Vec<_>>().into()))
}

pub(super) fn prepare_rename(
    documents: &Documents,
    asked: &PrepareRenameParams,
) -> Result<Option<PrepareRenameResult>, Refusal> {
    let Some(asked) = Asked::new(documents, &asked.text_document_position_params) else { return Ok(None) };
    let range = asked.renamed().map(|symbol| Lines::new(&asked.text).range(symbol.range()));
    Ok(range.map(PrepareRenameResult::from))
}

pub(super) fn rename(documents: &Documents, asked: &RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
    if !editor::is_name(&asked.new_name) {
        return Err(Refusal::new(ErrorCode::InvalidParams, format!("{:?} is not a name", asked.new_name)));
    }
    let symbol =
        Asked::new(documents, &asked.text_document_position_params).and_then(|asked| asked.renamed());
    let Some(symbol) = symbol else {
        return Err(Refusal::new(ErrorCode::RequestFailed, "there is nothing here that has a name"));
    };
    let definition = symbol.definition();
    // The file where it is defined need not be in any folder.
    let mut paths: Vec<PathBuf> = documents.all();
    paths.extend([path_of(&asked.text_document_position_params.text_document.uri), definition.path.clone()]);
    paths.sort();
    paths.dedup();
    let changes = paths.into_iter().filter_map(|path| {
        let occurrences = documents.analysis(&path)?.occurrences(definition);
        let (uri, text) = documents.uri_of(&path).zip(documents.text(&path))?;
        let lines = Lines::new(&text);
        let edits: Vec<TextEdit> = occurrences
            .into_iter()
            .map(|range| TextEdit { range: lines.range(range), new_text: asked.new_name.clone() })
            .collect();
        (!edits.is_empty()).then_some((uri, edits))
    });
    let changes = Some(changes.collect());
    Ok(Some(WorkspaceEdit { changes, ..Default::default() }))
}

/// The file laid out anew, as one change; none if it is laid out, or too faulty for it.
pub(super) fn formatting(
    documents: &Documents,
    asked: &DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let Some(text) = documents.text(&path_of(&asked.text_document.uri)) else { return Ok(None) };
    let formatted = magen::format(&text, "").ok().filter(|formatted| *formatted != text);
    Ok(formatted.map(|new_text| vec![TextEdit { range: Lines::new(&text).range(0..text.len()), new_text }]))
}
