//! What the editor says to what it is told: no input, no output.

use gen_lsp_types::{
    CompletionOptions, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    InitializeParams, InitializeResult, RenameOptions, ServerCapabilities, ServerInfo,
    TextDocumentContentChangeEvent as ContentChange, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkspaceFolders,
};
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use serde_json::Value;

use super::answers::{self, Refusal};
use super::documents::Documents;

/// How far the conversation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    New,
    Running,
    ShuttingDown,
    Ended {
        /// Whether the editor has said before that it would leave.
        in_order: bool,
    },
}

#[derive(Debug, Default)]
pub(super) struct Server {
    state: State,
    documents: Documents,
}

impl Server {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Takes one message, and gives what is to be sent.
    pub(super) fn handle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Request(request) => vec![self.request(request).into()],
            Message::Notification(notification) => self.notification(notification),
            // Nothing is ever asked of the editor.
            Message::Response(_) => Vec::new(),
        }
    }

    fn request(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        match self.answer(request) {
            Ok(value) => Response::new_ok(id, value),
            Err(Refusal { code, message }) => Response::new_err(id, code as i32, message),
        }
    }

    fn answer(&mut self, request: Request) -> Result<Value, Refusal> {
        match (self.state, request.method.as_str()) {
            (State::New, "initialize") => self.initialize(request.params),
            (State::New, _) => Err(Refusal::new(ErrorCode::ServerNotInitialized, "not initialized")),
            (State::Running, "shutdown") => {
                self.state = State::ShuttingDown;
                Ok(Value::Null)
            }
            (State::Running, _) => self.question(request),
            _ => Err(Refusal::new(ErrorCode::InvalidRequest, "shut down already")),
        }
    }

    fn question(&self, request: Request) -> Result<Value, Refusal> {
        let (documents, parameters) = (&self.documents, request.params);
        match request.method.as_str() {
            "textDocument/hover" => answers::hover(documents, &read(parameters)?).and_then(written),
            "textDocument/definition" => answers::definition(documents, &read(parameters)?).and_then(written),
            "textDocument/completion" => answers::completion(documents, &read(parameters)?).and_then(written),
            "textDocument/prepareRename" => {
                answers::prepare_rename(documents, &read(parameters)?).and_then(written)
            }
            "textDocument/rename" => answers::rename(documents, &read(parameters)?).and_then(written),
            "textDocument/formatting" => answers::formatting(documents, &read(parameters)?).and_then(written),
            method => Err(Refusal::new(ErrorCode::MethodNotFound, format!("no method is called {method:?}"))),
        }
    }

    fn initialize(&mut self, parameters: Value) -> Result<Value, Refusal> {
        let parameters: InitializeParams = read(parameters)?;
        let folders = parameters.workspace_folders_initialize_params.workspace_folders;
        if let Some(WorkspaceFolders::WorkspaceFolderList(folders)) = folders {
            folders.iter().for_each(|folder| self.documents.add_folder(&folder.uri));
        }
        #[expect(deprecated, reason = "editors that know no folders have a root")]
        if let Some(root) = &parameters.root_uri {
            self.documents.add_folder(root);
        }
        self.state = State::Running;
        let sync = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Full),
            ..Default::default()
        };
        let triggers = ["<", "[", "=", ".", "("].map(str::to_owned);
        let completion =
            CompletionOptions { trigger_characters: Some(triggers.into()), ..Default::default() };
        let rename = RenameOptions { prepare_provider: Some(true), ..Default::default() };
        let capabilities = ServerCapabilities {
            text_document_sync: Some(sync.into()),
            hover_provider: Some(true.into()),
            definition_provider: Some(true.into()),
            completion_provider: Some(completion),
            rename_provider: Some(rename.into()),
            document_formatting_provider: Some(true.into()),
            ..Default::default()
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let info = ServerInfo { name: "magen".to_owned(), version: Some(version) };
        written(InitializeResult { capabilities, server_info: Some(info) })
    }

    fn notification(&mut self, notification: Notification) -> Vec<Message> {
        if notification.method == "exit" {
            self.state = State::Ended { in_order: self.state == State::ShuttingDown };
        }
        if self.state != State::Running {
            return Vec::new();
        }
        // What cannot be understood cannot be answered either: it is passed over, as are notifications of other kinds.
        let understood = self.told(notification);
        if understood.is_some() { self.documents.publish() } else { Vec::new() }
    }

    /// Takes in what the editor tells, if it is anything that makes a difference.
    fn told(&mut self, notification: Notification) -> Option<()> {
        let documents = &mut self.documents;
        let told = notification.params;
        match notification.method.as_str() {
            "textDocument/didOpen" => {
                let opened: DidOpenTextDocumentParams = serde_json::from_value(told).ok()?;
                documents.open(opened.text_document.uri, opened.text_document.text);
                Some(())
            }
            "textDocument/didChange" => {
                let changed: DidChangeTextDocumentParams = serde_json::from_value(told).ok()?;
                let uri = changed.text_document.text_document_identifier.uri;
                // Only whole documents are sent: nothing else was asked for.
                match changed.content_changes.into_iter().next_back()? {
                    ContentChange::TextDocumentContentChangeWholeDocument(whole) => {
                        documents.change(&uri, whole.text)
                    }
                    ContentChange::TextDocumentContentChangePartial(_) => None,
                }
            }
            "textDocument/didClose" => {
                let closed: DidCloseTextDocumentParams = serde_json::from_value(told).ok()?;
                documents.close(&closed.text_document.uri)
            }
            // What is on the disk may have changed, and be imported.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => Some(()),
            _ => None,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(parameters: Value) -> Result<T, Refusal> {
    serde_json::from_value(parameters)
        .map_err(|error| Refusal::new(ErrorCode::InvalidParams, error.to_string()))
}

fn written(answer: impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorCode::InternalError, error.to_string()))
}
