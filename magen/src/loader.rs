//! A file and everything that it imports, each once, and what is imported before what imports it.

mod files;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::check;
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Diagnostics, Reporter};
use crate::limits::{FILE_BYTES_MAX, FILES_MAX};
use crate::parser;
use crate::schema::{Schema, SourceFile};
use crate::span::Span;

pub use files::Unsaved;
pub(crate) use files::{Files, on_disk};

/// All sources of one compilation, in the order in which they are checked.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    sources: Vec<Source>,
    /// Places in `sources`: what is imported comes first, and the file that is compiled comes last.
    order: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Source {
    /// What diagnostics call it.
    name: String,
    /// Where it was read; `None` for a text that was given as such.
    pub(crate) path: Option<PathBuf>,
    pub(crate) text: Vec<u8>,
    pub(crate) imports: Vec<Import>,
}

#[derive(Debug)]
pub(crate) struct Import {
    path: String,
    pub(crate) span: Span,
    /// What is known of the file once it has been looked for: its place among the sources, or why there is none.
    pub(crate) found: Option<Result<usize, Box<Diagnostic>>>,
}

/// Where looking for imports has got to in one file.
struct Frame {
    source: usize,
    next: usize,
}

impl Sources {
    /// The file at `path` and its imports.
    pub(crate) fn from_path(path: &Path) -> io::Result<Self> {
        Self::from_files(&Files::Disk, path)
    }

    /// The file at `path` and its imports, wherever files are.
    pub(crate) fn from_files(files: &Files<'_>, path: &Path) -> io::Result<Self> {
        let text = files.read(path)?;
        Ok(Self::new(files, files.name(path), Some(path.to_owned()), text))
    }

    /// A text, which can import nothing.
    pub(crate) fn from_text(name: &str, text: Vec<u8>) -> Self {
        Self::new(&Files::Disk, name.to_owned(), None, text)
    }

    fn new(files: &Files<'_>, name: String, path: Option<PathBuf>, text: Vec<u8>) -> Self {
        let mut sources = Self::default();
        let mut places = BTreeMap::new();
        if let Some(path) = &path {
            places.insert(files.identity(path), 0);
        }
        sources.sources.push(Source::new(name, path, text));
        let mut stack = vec![Frame { source: 0, next: 0 }];
        while let Some(frame) = stack.last_mut() {
            let (source, next) = (frame.source, frame.next);
            frame.next += 1;
            if next == sources.sources[source].imports.len() {
                sources.order.push(source);
                stack.pop();
                continue;
            }
            let known = sources.sources.len();
            let found = sources.find(files, source, next, &mut places, &stack);
            if found.as_ref().is_ok_and(|found| *found == known) {
                stack.push(Frame { source: known, next: 0 });
            }
            sources.sources[source].imports[next].found = Some(found);
        }
        sources
    }

    /// The place of an imported file, which is read if it is new.
    fn find(
        &mut self,
        files: &Files<'_>,
        importer: usize,
        import: usize,
        places: &mut BTreeMap<PathBuf, usize>,
        stack: &[Frame],
    ) -> Result<usize, Box<Diagnostic>> {
        let source = &self.sources[importer];
        let Import { path: written, span, .. } = &source.imports[import];
        let fault =
            |kind, message: String, help: &str| Box::new(Diagnostic::new(kind, *span, message).help(help));
        let Some(importer_path) = &source.path else {
            let message = "only a file can import another".to_owned();
            let help = "what is given as a text has no place that the path could start from";
            return Err(fault(DiagnosticKind::ImportNotFound, message, help));
        };
        let path = importer_path.with_file_name(written);
        let identity = files.identity(&path);
        if let Some(place) = places.get(&identity) {
            let Some(position) = stack.iter().position(|frame| frame.source == *place) else {
                return Ok(*place);
            };
            let names: Vec<String> = stack[position..]
                .iter()
                .skip(1)
                .map(|frame| self.sources[frame.source].name.clone())
                .collect();
            let message = format!("`{written}` is being imported already");
            let help = match names.is_empty() {
                true => "a file need not import itself".to_owned(),
                false => format!("it imports this one, by way of {}", names.join(", ")),
            };
            return Err(fault(DiagnosticKind::ImportCycle, message, &help));
        }
        if self.sources.len() == FILES_MAX {
            let message = format!("more than {FILES_MAX} files are imported");
            return Err(fault(DiagnosticKind::ImportNotFound, message, "split what they describe"));
        }
        let text = files.read(&path).map_err(|error| {
            let message = format!("cannot read `{}`: {error}", path.display());
            fault(DiagnosticKind::ImportNotFound, message, "the path is relative to the file that imports")
        })?;
        let place = self.sources.len();
        places.insert(identity, place);
        self.sources.push(Source::new(files.name(&path), Some(path), text));
        Ok(place)
    }

    /// The files that were read, except the first.
    pub(crate) fn imported_paths(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().skip(1).filter_map(|source| source.path.as_deref())
    }

    /// Every file that was read; the first is the one that is compiled.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// Checks every file, and hands the schema to `use_it` if nothing is wrong with any.
    pub(crate) fn check<T>(&self, use_it: impl FnOnce(&Schema<'_>) -> T) -> Result<T, Vec<Diagnostics>> {
        let mut schema = Schema::default();
        let mut faults = Vec::new();
        // Where each source is in the schema; what imports a faulty one is not checked.
        let mut checked: BTreeMap<usize, usize> = BTreeMap::new();
        for place in &self.order {
            let source = &self.sources[*place];
            let mut reporter = Reporter::default();
            let text = crate::decoded(&source.text, &mut reporter);
            let file = parser::parse(text, &mut reporter);
            let mut imports = Vec::new();
            let mut is_complete = true;
            for import in &source.imports {
                match &import.found {
                    Some(Ok(imported)) => match checked.get(imported) {
                        Some(imported) => imports.push(*imported),
                        None => is_complete = false,
                    },
                    Some(Err(fault)) => {
                        reporter.report(fault.as_ref().clone());
                        is_complete = false;
                    }
                    None => {}
                }
            }
            if is_complete {
                let index = schema.files.len();
                let module = file.module.map(|name| name.text);
                let rust_module = rust_module(&source.name);
                let source_file = SourceFile { name: &source.name, text, module, rust_module };
                check::check(file, source_file, &imports, &mut schema, &mut reporter);
                checked.insert(*place, index);
            }
            if let Err(diagnostics) = reporter.finish((), &source.name, text) {
                checked.remove(place);
                faults.push(diagnostics);
            }
        }
        if faults.is_empty() { Ok(use_it(&schema)) } else { Err(faults) }
    }
}

impl Source {
    fn new(name: String, path: Option<PathBuf>, text: Vec<u8>) -> Self {
        // What is wrong with it is found, and said, when it is checked.
        let mut silent = Reporter::default();
        let file = parser::parse(crate::decoded(&text, &mut silent), &mut silent);
        let imports = file.imports.iter().map(|import| Import {
            path: import.path.to_owned(),
            span: import.span,
            found: None,
        });
        let imports = imports.collect();
        Self { name, path, text, imports }
    }
}

/// The Rust module that the code of a file is expected in.
fn rust_module(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let letters = stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
    naming::identifier(&letters.collect::<String>())
}

/// Everything that `reader` gives, up to one byte more than the 16 MiB that a source may have: enough to see that it is too
/// large.
///
/// # Errors
///
/// If reading fails.
pub fn read(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}
