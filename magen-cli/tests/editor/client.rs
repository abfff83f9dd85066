//! An editor: a client library of the protocol, at the other end of the real program's standard input and output.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_lsp::lsp_types::notification::PublishDiagnostics;
use async_lsp::lsp_types::{
    CompletionParams, CompletionResponse, Diagnostic, DidChangeTextDocumentParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentFormattingParams, GotoDefinitionParams,
    GotoDefinitionResponse, HoverContents, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, Location, Position, PublishDiagnosticsParams, Range, RenameParams,
    TextDocumentContentChangeEvent, TextDocumentIdentifier, TextDocumentItem, TextDocumentPositionParams,
    TextEdit, Url, VersionedTextDocumentIdentifier, WorkspaceEdit, WorkspaceFolder,
};
use async_lsp::router::Router;
use async_lsp::{LanguageServer, MainLoop, ServerSocket};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver};
use smol::process::{Child, Command};
use tempfile::TempDir;

/// How long a conversation may take, in seconds: only so that one that hangs ends.
const WATCHDOG_SECONDS: u64 = 120;

pub(crate) struct Client {
    pub(crate) server: ServerSocket,
    pub(crate) workshop: TempDir,
    diagnostics: UnboundedReceiver<PublishDiagnosticsParams>,
    child: Child,
}

/// Has a conversation with a server whose folder has these files.
pub(crate) fn converse(files: &[(&str, &str)], talk: impl AsyncFnOnce(&mut Client)) {
    let workshop = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(workshop.path().join(name), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_magen"));
    command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (sender, diagnostics) = mpsc::unbounded();
    let (main_loop, server) = MainLoop::new_client(|_| {
        let mut router = Router::new(sender);
        router.notification::<PublishDiagnostics>(|sender, told| {
            let _ = sender.unbounded_send(told);
            ControlFlow::Continue(())
        });
        router
    });
    let run = async {
        // It ends when the server does.
        let _ = main_loop.run_buffered(output, input).await;
        futures::future::pending::<()>().await;
    };
    let talk = async {
        let mut client = Client { server, workshop, diagnostics, child };
        client.initialize().await;
        talk(&mut client).await;
        client.leave().await;
    };
    let watchdog = async {
        smol::Timer::after(Duration::from_secs(WATCHDOG_SECONDS)).await;
        panic!("the conversation hangs");
    };
    smol::block_on(smol::future::or(talk, smol::future::or(run, watchdog)));
}

impl Client {
    async fn initialize(&mut self) -> InitializeResult {
        let folder =
            WorkspaceFolder { uri: Url::from_file_path(self.workshop.path()).unwrap(), name: String::new() };
        let parameters = InitializeParams { workspace_folders: Some(vec![folder]), ..Default::default() };
        let result = self.server.initialize(parameters).await.unwrap();
        self.server.initialized(InitializedParams {}).unwrap();
        result
    }

    /// The orderly end, which the server must have lived to see.
    async fn leave(&mut self) {
        self.server.shutdown(()).await.unwrap();
        self.server.exit(()).unwrap();
        assert!(self.child.status().await.unwrap().success());
    }

    pub(crate) fn uri(&self, name: &str) -> Url {
        Url::from_file_path(self.workshop.path().canonicalize().unwrap().join(name)).unwrap()
    }

    pub(crate) fn open(&mut self, name: &str, text: &str) {
        let text_document = TextDocumentItem::new(self.uri(name), "magen".to_owned(), 1, text.to_owned());
        self.server.did_open(DidOpenTextDocumentParams { text_document }).unwrap();
    }

    pub(crate) fn change(&mut self, name: &str, text: &str) {
        let text_document = VersionedTextDocumentIdentifier::new(self.uri(name), 2);
        let change =
            TextDocumentContentChangeEvent { range: None, range_length: None, text: text.to_owned() };
        let parameters = DidChangeTextDocumentParams { text_document, content_changes: vec![change] };
        self.server.did_change(parameters).unwrap();
    }

    pub(crate) fn close(&mut self, name: &str) {
        let text_document = TextDocumentIdentifier::new(self.uri(name));
        self.server.did_close(DidCloseTextDocumentParams { text_document }).unwrap();
    }

    /// What is wrong with the next file of which that is said.
    pub(crate) async fn told(&mut self) -> (String, Vec<Diagnostic>) {
        let told = self.diagnostics.next().await.expect("the server is there");
        let path = told.uri.to_file_path().unwrap();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), told.diagnostics)
    }

    /// The names of what is wrong with the files of which that is said next, so many of them.
    pub(crate) async fn told_codes(&mut self, count: usize) -> BTreeMap<String, Vec<String>> {
        let mut codes = BTreeMap::new();
        for _ in 0..count {
            let (name, diagnostics) = self.told().await;
            codes.insert(name, diagnostics.iter().map(code).collect());
        }
        codes
    }

    pub(crate) fn at(&self, name: &str, position: Position) -> TextDocumentPositionParams {
        TextDocumentPositionParams::new(TextDocumentIdentifier::new(self.uri(name)), position)
    }

    pub(crate) async fn hover(&mut self, name: &str, position: Position) -> Option<(String, Range)> {
        let parameters = HoverParams {
            text_document_position_params: self.at(name, position),
            work_done_progress_params: Default::default(),
        };
        let hover = self.server.hover(parameters).await.unwrap()?;
        let HoverContents::Markup(content) = hover.contents else { panic!("no markup") };
        Some((content.value, hover.range.unwrap()))
    }

    pub(crate) async fn definition(&mut self, name: &str, position: Position) -> Option<Location> {
        let parameters = GotoDefinitionParams {
            text_document_position_params: self.at(name, position),
            work_done_progress_params: Default::default(),
            partial_result_params: Default::default(),
        };
        match self.server.definition(parameters).await.unwrap()? {
            GotoDefinitionResponse::Scalar(location) => Some(location),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn completions(&mut self, name: &str, position: Position) -> Vec<String> {
        let parameters = CompletionParams {
            text_document_position: self.at(name, position),
            work_done_progress_params: Default::default(),
            partial_result_params: Default::default(),
            context: None,
        };
        match self.server.completion(parameters).await.unwrap() {
            Some(CompletionResponse::Array(items)) => items.into_iter().map(|item| item.label).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn rename(
        &mut self,
        name: &str,
        position: Position,
        new_name: &str,
    ) -> async_lsp::Result<Option<WorkspaceEdit>> {
        let parameters = RenameParams {
            text_document_position: self.at(name, position),
            new_name: new_name.to_owned(),
            work_done_progress_params: Default::default(),
        };
        self.server.rename(parameters).await
    }

    pub(crate) async fn format(&mut self, name: &str) -> Option<Vec<TextEdit>> {
        let parameters = DocumentFormattingParams {
            text_document: TextDocumentIdentifier::new(self.uri(name)),
            options: Default::default(),
            work_done_progress_params: Default::default(),
        };
        self.server.formatting(parameters).await.unwrap()
    }
}

pub(crate) fn code(diagnostic: &Diagnostic) -> String {
    match &diagnostic.code {
        Some(async_lsp::lsp_types::NumberOrString::String(code)) => code.clone(),
        other => panic!("{other:?}"),
    }
}

/// Where the first `$` of `text` is, and the text without it.
pub(crate) fn marked(text: &str) -> (String, Position) {
    let place = text.find('$').expect("there is a mark");
    (text.replacen('$', "", 1), position(text, place))
}

/// Where the byte at `place` is, in lines and units of UTF-16.
pub(crate) fn position(text: &str, place: usize) -> Position {
    let before = &text[..place];
    let line = before.rsplit('\n').next().unwrap();
    Position::new(before.matches('\n').count() as u32, line.encode_utf16().count() as u32)
}

/// The part of `text` that a range covers.
pub(crate) fn covered(text: &str, range: Range) -> &str {
    let place = |position: Position| {
        let line: usize = text.split_inclusive('\n').take(position.line as usize).map(str::len).sum();
        let units = text[line..].char_indices().scan(0, |units, (place, letter)| {
            let before = *units;
            *units += letter.len_utf16() as u32;
            Some((place, before))
        });
        let mut units = units.filter(|(_, units)| *units >= position.character);
        line + units.next().map_or(text.len() - line, |(place, _)| place)
    };
    &text[place(range.start)..place(range.end)]
}

pub(crate) fn read(client: &Client, name: &str) -> String {
    fs::read_to_string(Path::new(client.workshop.path()).join(name)).unwrap()
}

/// The text with these edits made.
pub(crate) fn edited(text: &str, edits: &[TextEdit]) -> String {
    let mut edits: Vec<&TextEdit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start.line, edit.range.start.character));
    let mut text = text.to_owned();
    for edit in edits.into_iter().rev() {
        let start = covered(&text, Range::new(Position::new(0, 0), edit.range.start)).len();
        let length = covered(&text, edit.range).len();
        text.replace_range(start..start + length, &edit.new_text);
    }
    text
}
