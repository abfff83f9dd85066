//! `magen doc`: a page for each file of interfaces.

mod html;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lexopt::Parser;
use magen::editor::{self, Analysis, Outlined, Unsaved};
use magen::{FileError, dynamic};

use crate::arguments::InputsAndOutput;
use crate::failure::Failure;
use crate::{input, output};

/// What a page is about.
#[derive(Debug)]
struct Module {
    /// The name of the module, or of the file.
    title: String,
    /// The name of the page.
    file_name: String,
    declared: Vec<Outlined>,
    fingerprints: BTreeMap<String, u64>,
}

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    let arguments = InputsAndOutput::read("doc", &mut parser, |_| false)?;
    let Some(directory) = arguments.output.map(PathBuf::from) else {
        return Err(Failure::usage("`magen doc` needs a directory as `--output`"));
    };
    let mut pages: BTreeMap<PathBuf, Module> = BTreeMap::new();
    let mut taken: BTreeMap<String, &Path> = BTreeMap::new();
    for input in &arguments.inputs {
        let module = read(input)?;
        if let Some(other) = taken.insert(module.file_name.clone(), input) {
            let (first, second) = (other.display(), input.display());
            let message =
                format!("error: `{first}` and `{second}` would be one page: `{}`\n", module.file_name);
            return Err(Failure::fault(message));
        }
        pages.insert(editor::canonical(input), module);
    }
    let mut files: Vec<(&str, String)> =
        pages.values().map(|module| (module.file_name.as_str(), page::of_module(module, &pages))).collect();
    files.push(("index.html", page::index(pages.values())));
    let failed = |path: &Path, error| to_failure(FileError::Write { path: path.to_owned(), error });
    fs::create_dir_all(&directory).map_err(|error| failed(&directory, error))?;
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn to_failure(error: FileError) -> Failure {
    Failure::fault(error.render(output::style()))
}

/// The file, laid out as `magen fmt` does, and what it declares.
fn read(input: &Path) -> Result<Module, Failure> {
    if input::is_stdin(input) {
        return Err(Failure::usage("`magen doc` reads files: what they import is looked for beside them"));
    }
    let render = |error: magen::CompileError| Failure::fault(error.render(output::style()));
    let fingerprints = dynamic::with_file(input, |types| {
        types.interfaces().map(|interface| (interface.name(), interface.fingerprint())).collect()
    });
    let fingerprints = fingerprints.map_err(render)?;
    let source = input::read(input).map_err(to_failure)?;
    let name = input::name(input);
    let formatted =
        magen::format(&source, &name).map_err(|faults| to_failure(FileError::Diagnostics(faults)))?;
    let unsaved = Unsaved::from([(editor::canonical(input), formatted)]);
    let analysis = Analysis::new(input, &unsaved)
        .map_err(|error| to_failure(FileError::Read { path: input.to_owned(), error }))?;
    let stem = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let title = analysis.module().unwrap_or(stem);
    // Names of modules are names of files anywhere; those of files may be anything.
    let file_name: String = title
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' })
        .collect();
    // Every system has names that it keeps for itself, and `index.html` is taken.
    Ok(Module {
        title,
        file_name: format!("module.{file_name}.html"),
        declared: analysis.outline(),
        fingerprints,
    })
}
