//! `magen breaking`: what keeps an older build and this one from talking to each other.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use lexopt::{Arg, Parser};
use magen::CompileError;
use magen::breaking::{self, Source, Tree};

use crate::arguments;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    let mut inputs = Vec::new();
    let mut against: Option<OsString> = None;
    while let Some(argument) = arguments::next(&mut parser)? {
        match argument {
            Arg::Long("against") if against.is_none() => against = Some(parser.value()?),
            Arg::Value(value) => inputs.push(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(against) = against else {
        return Err(Failure::usage("`magen breaking` needs `--against` a file, a directory or a revision"));
    };
    if inputs.is_empty() {
        return Err(Failure::usage("`magen breaking` needs an input"));
    }
    let before = Before::find(against)?;
    let mut faults = Vec::new();
    for input in &inputs {
        for pair in before.pairs(input)? {
            pair.compare(&mut faults);
        }
    }
    // What several files import is compared with each, and shown once.
    let mut shown = Vec::new();
    for fault in faults {
        if !shown.contains(&fault) {
            shown.push(fault);
        }
    }
    Failure::check(shown)
}

/// Where the older files are.
enum Before {
    File(PathBuf),
    Directory(PathBuf),
    /// The `.magen` files of a revision, by their paths from where we are.
    Revision(Tree),
}

/// An older and a newer file; `None` for one that there is not any more.
struct Pair<'a> {
    old: Old<'a>,
    new: Option<PathBuf>,
}

enum Old<'a> {
    File(PathBuf),
    InTree(&'a Tree, PathBuf),
}

impl Before {
    fn find(against: OsString) -> Result<Self, Failure> {
        let path = PathBuf::from(&against);
        if path.is_dir() {
            return Ok(Self::Directory(path));
        }
        if path.is_file() {
            return Ok(Self::File(path));
        }
        read_revision(&against).map(Self::Revision)
    }

    /// What `input` is compared with. Files that are new have nothing to be compared with.
    fn pairs(&self, input: &Path) -> Result<Vec<Pair<'_>>, Failure> {
        if !input.is_dir() {
            let new = Some(input.to_owned());
            let old = match self {
                Self::File(path) => Some(Old::File(path.clone())),
                Self::Directory(directory) => {
                    let name = input.file_name().unwrap_or(input.as_os_str());
                    Some(directory.join(name)).filter(|path| path.exists()).map(Old::File)
                }
                Self::Revision(tree) => in_tree(tree, input).map(|path| Old::InTree(tree, path)),
            };
            return Ok(old.into_iter().map(|old| Pair { old, new: new.clone() }).collect());
        }
        let existing = |path: PathBuf| Some(path).filter(|path| path.exists());
        match self {
            Self::File(_) => Err(Failure::usage("a directory is compared with a directory or a revision")),
            Self::Directory(directory) => {
                let mut paths = Vec::new();
                find_files(directory, &mut paths).map_err(|error| unreadable(directory, &error))?;
                let pairs = paths.into_iter().map(|path| {
                    let relative = path.strip_prefix(directory).unwrap_or(&path).to_owned();
                    Pair { old: Old::File(path), new: existing(input.join(relative)) }
                });
                Ok(pairs.collect())
            }
            Self::Revision(tree) => {
                let prefix = plain(input);
                let paths = tree.paths().filter(|path| path.starts_with(&prefix));
                let pairs = paths.map(|path| Pair {
                    old: Old::InTree(tree, path.to_owned()),
                    new: existing(path.to_owned()),
                });
                Ok(pairs.collect())
            }
        }
    }
}

impl Pair<'_> {
    fn compare(&self, faults: &mut Vec<String>) {
        let Some(new) = &self.new else {
            faults.push(format!("error[removed-file]: `{}` is not there any more\n\n", self.old.name()));
            return;
        };
        let compared = self.old.source().and_then(|old| breaking::compare(&old, &Source::file(new)?));
        match compared {
            Ok(breaks) => {
                faults.extend(breaks.iter().map(|found| found.render(output::style())));
                let count = breaks.iter().count();
                if count > 0 {
                    let s = if count == 1 { "" } else { "s" };
                    faults.push(format!(
                        "error: `{}` breaks with `{}` in {count} place{s}\n",
                        new.display(),
                        self.old.name()
                    ));
                }
            }
            Err(error) => faults.push(error.render(output::style())),
        }
    }
}

impl Old<'_> {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::InTree(tree, path) => format!("{}:{}", tree.revision(), path.display()),
        }
    }

    fn source(&self) -> Result<Source, CompileError> {
        match self {
            Self::File(path) => Source::file(path),
            Self::InTree(tree, path) => Source::in_tree(tree, path),
        }
    }
}

fn in_tree(tree: &Tree, path: &Path) -> Option<PathBuf> {
    let path = plain(path);
    tree.paths().find(|known| *known == path).map(Path::to_owned)
}

/// The path without `.` in it, and from where we are if it leads there from the root.
fn plain(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).components().filter(|part| part.as_os_str() != ".").collect()
}

/// Every `.magen` file in a directory, and in those in it.
fn find_files(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else if path.extension() == Some(OsStr::new("magen")) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::fault(format!("error: cannot read `{}`: {error}\n", path.display()))
}

/// What git has of `.magen` files in this directory, and in those in it.
fn read_revision(revision: &OsStr) -> Result<Tree, Failure> {
    let name = revision.to_string_lossy().into_owned();
    if name.starts_with('-') {
        return Err(Failure::usage(format!("`{name}` is neither a file nor a directory nor a revision")));
    }
    let listed =
        git(&[OsStr::new("ls-tree"), OsStr::new("-rz"), OsStr::new("--name-only"), revision], &name)?;
    let mut tree = Tree::new(name.as_str());
    for path in listed.split(|byte| *byte == 0).filter(|path| path.ends_with(b".magen")) {
        let path = String::from_utf8_lossy(path).into_owned();
        let object = OsString::from(format!("{name}:./{path}"));
        let text = git(&[OsStr::new("show"), &object], &name)?;
        tree.insert(path, text);
    }
    Ok(tree)
}

/// What a git command writes.
fn git(arguments: &[&OsStr], revision: &str) -> Result<Vec<u8>, Failure> {
    let run = Command::new("git").args(arguments).output();
    let run = run.map_err(|error| {
        Failure::fault(format!("error: `{revision}` is no file, and `git` cannot be run: {error}\n"))
    })?;
    if run.status.success() {
        return Ok(run.stdout);
    }
    let said = String::from_utf8_lossy(&run.stderr);
    Err(Failure::fault(format!("error: `{revision}` is no file, and git says: {}\n", said.trim())))
}
