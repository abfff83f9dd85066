//! What is open in the editor, what lies in its folders, and what it has been told of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gen_lsp_types::{
    self as lsp, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Notification as _,
    PublishDiagnosticsNotification, PublishDiagnosticsParams, Uri,
};
use lsp_server::{Message, Notification};
use magen::Diagnostics;
use magen::editor::{self, Analysis, Unsaved};

use super::lines::Lines;

/// How many files are looked for in the folders of an editor, and how many directories for them.
const FOUND_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Documents {
    folders: Vec<PathBuf>,
    unsaved: Unsaved,
    /// What the editor calls the files that it has open.
    uris: BTreeMap<PathBuf, Uri>,
    /// What the editor has been told is wrong.
    published: BTreeMap<PathBuf, Vec<lsp::Diagnostic>>,
}

impl Documents {
    pub(super) fn add_folder(&mut self, uri: &Uri) {
        let folder = path_of(uri);
        if !self.folders.contains(&folder) {
            self.folders.push(folder);
        }
    }

    pub(super) fn open(&mut self, uri: Uri, text: String) {
        let path = path_of(&uri);
        self.unsaved.insert(path.clone(), text);
        self.published.remove(&path);
        self.uris.insert(path, uri);
    }

    /// `None` if it is not open.
    pub(super) fn change(&mut self, uri: &Uri, text: String) -> Option<()> {
        let path = path_of(uri);
        let old = self.unsaved.get_mut(&path)?;
        *old = text;
        self.published.remove(&path);
        Some(())
    }

    /// `None` if it is not open.
    pub(super) fn close(&mut self, uri: &Uri) -> Option<()> {
        self.unsaved.remove(&path_of(uri)).map(drop)
    }

    pub(super) fn analysis(&self, path: &Path) -> Option<Analysis> {
        Analysis::new(path, &self.unsaved).ok()
    }

    /// The text of a file, as it would be if everything were saved.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        let unsaved = self.unsaved.get(path).cloned();
        unsaved.or_else(|| String::from_utf8(magen::read(fs::File::open(path).ok()?).ok()?).ok())
    }

    /// What the editor calls a file.
    pub(super) fn uri_of(&self, path: &Path) -> Option<Uri> {
        self.uris.get(path).cloned().or_else(|| Uri::from_file_path(path).ok())
    }

    /// Every file that there may be: what is open, and what lies in the folders.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = self.unsaved.keys().cloned().collect();
        let mut directories = self.folders.clone();
        let mut seen = 0;
        while let Some(directory) = directories.pop().filter(|_| seen < FOUND_MAX) {
            seen += 1;
            let Ok(entries) = fs::read_dir(directory) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && !is_hidden && entry.file_name() != "target" => {
                        directories.push(path);
                    }
                    Ok(kind) if kind.is_file() && path.extension().is_some_and(|it| it == "magen") => {
                        found.push(editor::canonical(&path));
                    }
                    _ => {}
                }
            }
            if found.len() >= FOUND_MAX {
                break;
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Looks at everything that is open, and says what has changed in what is wrong.
    pub(super) fn publish(&mut self) -> Vec<Message> {
        let mut wrong: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> =
            self.unsaved.keys().map(|path| (path.clone(), Vec::new())).collect();
        for path in self.unsaved.keys() {
            for faults in self.analysis(path).iter().flat_map(Analysis::diagnostics) {
                let path = editor::canonical(Path::new(faults.file_name()));
                let shown = self.shown(&path, &faults);
                wrong.insert(path, shown);
            }
        }
        // What was wrong and is not looked at any more is not wrong any more.
        for path in self.published.keys() {
            wrong.entry(path.clone()).or_default();
        }
        let mut messages = Vec::new();
        for (path, diagnostics) in wrong {
            let is_known = self.published.get(&path) == Some(&diagnostics);
            if !is_known && let Some(uri) = self.uri_of(&path) {
                let told = PublishDiagnosticsParams { uri, version: None, diagnostics: diagnostics.clone() };
                let method = PublishDiagnosticsNotification::METHOD.as_str().to_owned();
                messages.push(Notification::new(method, told).into());
            }
            if diagnostics.is_empty() && !self.unsaved.contains_key(&path) {
                self.published.remove(&path);
            } else {
                self.published.insert(path, diagnostics);
            }
        }
        self.uris.retain(|path, _| self.unsaved.contains_key(path));
        messages
    }

    fn shown(&self, path: &Path, faults: &Diagnostics) -> Vec<lsp::Diagnostic> {
        let text = self.text(path).unwrap_or_default();
        let lines = Lines::new(&text);
        let uri = self.uri_of(path);
        let shown = faults.iter().map(|fault| {
            let helps = fault.helps().map(|help| format!("\nhelp: {help}"));
            let related = fault.related().zip(uri.clone()).map(|((range, message), uri)| {
                let location = Location { uri, range: lines.range(range) };
                vec![DiagnosticRelatedInformation { location, message: message.to_owned() }]
            });
            lsp::Diagnostic {
                range: lines.range(fault.range()),
                severity: Some(DiagnosticSeverity::Error),
                code: Some(fault.kind().name().to_owned().into()),
                source: Some("magen".to_owned()),
                message: (fault.message().to_owned() + &helps.collect::<String>()).into(),
                related_information: related,
                ..Default::default()
            }
        });
        shown.collect()
    }
}

/// The path of a file, or what stands for one where the editor has something else open.
pub(super) fn path_of(uri: &Uri) -> PathBuf {
    uri.to_file_path().map_or_else(|()| PathBuf::from(uri.as_str()), |path| editor::canonical(&path))
}
