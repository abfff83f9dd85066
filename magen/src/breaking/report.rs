//! What breaks, and how it is shown: where it is now, and where it was.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::RenderStyle;
use crate::schema::{DefinitionId, Schema};
use crate::span::Span;

macro_rules! break_kinds {
    ($($(#[$docs:meta])* $variant:ident = $name:literal,)*) => {
        /// The kinds of changes that break; every one has a stable name, which stands in brackets in the first line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum BreakKind {
            $($(#[$docs])* $variant,)*
        }

        impl BreakKind {
            /// Every kind there is, in the order of this page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `changed-type`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

break_kinds! {
    /// An interface, a struct, a union or an enum is gone, or has another name.
    RemovedDeclaration = "removed-declaration",
    /// A declaration is of another sort: an enum that was a struct.
    ChangedDeclaration = "changed-declaration",
    /// `[Extensible]` came or went.
    ChangedExtensible = "changed-extensible",
    /// A method is gone.
    RemovedMethod = "removed-method",
    /// A method has another name.
    RenamedMethod = "renamed-method",
    /// A parameter, a response value, a field, a member or a value is gone.
    RemovedMember = "removed-member",
    /// Something has another place or number, and what is there now has its old one.
    MovedMember = "moved-member",
    /// Something has another type.
    ChangedType = "changed-type",
    /// A method is answered that was not, or the reverse.
    ChangedAnswer = "changed-answer",
    /// `[MinVersion=n]` has another number.
    ChangedVersion = "changed-version",
    /// Something is new and does not say so, or says that it is as old as something else.
    UnversionedAddition = "unversioned-addition",
}

/// Everything that breaks; empty if nothing does.
///
/// `Display` shows it the way `rustc` does: the place in the new file, and below it the one in the old file.
#[derive(Clone, Debug, Default)]
pub struct Breaks {
    breaks: Vec<Break>,
}

impl Breaks {
    /// What breaks, in the order of the old declarations.
    pub fn iter(&self) -> impl Iterator<Item = &Break> {
        self.breaks.iter()
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.breaks.is_empty()
    }

    /// The text that `Display` gives, with ANSI colours if asked for.
    pub fn render(&self, style: RenderStyle) -> String {
        self.breaks.iter().map(|found| found.render(style)).collect()
    }

    pub(super) fn push(&mut self, found: Break) {
        self.breaks.push(found);
    }
}

impl fmt::Display for Breaks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(RenderStyle::Plain))
    }
}

/// One change that breaks.
#[derive(Clone, Debug)]
pub struct Break {
    kind: BreakKind,
    message: String,
    definition: String,
    method: Option<String>,
    member: Option<String>,
    /// In the new file.
    place: Option<Place>,
    old_place: Option<Place>,
    help: Option<String>,
}

/// Lines of a file with a part of them marked.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: String,
    /// The whole lines around what is marked.
    excerpt: String,
    line: usize,
    mark: Span,
    label: &'static str,
}

impl Place {
    /// In the file of a definition.
    pub(super) fn new(schema: &Schema<'_>, id: DefinitionId, span: Span, label: &'static str) -> Self {
        let file = schema.files.get(schema.definition(id).file);
        let text = file.map_or("", |file| file.text);
        let before = text.get(..span.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
        let behind = text.get(span.end..).unwrap_or_default();
        let end = span.end + behind.find('\n').unwrap_or(behind.len());
        Self {
            file: file.map_or("", |file| file.name).to_owned(),
            excerpt: text.get(start..end).unwrap_or_default().to_owned(),
            line: 1 + before.matches('\n').count(),
            mark: Span::new(span.start - start, span.end - start),
            label,
        }
    }

    fn snippet(&self, kind: AnnotationKind) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let label = Some(self.label).filter(|label| !label.is_empty());
        Snippet::source(self.excerpt.as_str())
            .path(self.file.as_str())
            .line_start(self.line)
            .annotation(kind.span(self.mark.range()).label(label))
    }
}

impl Break {
    pub(super) fn new(kind: BreakKind, definition: String, message: String) -> Self {
        Self {
            kind,
            message,
            definition,
            method: None,
            member: None,
            place: None,
            old_place: None,
            help: None,
        }
    }

    pub(super) fn in_method(mut self, method: Option<&str>) -> Self {
        self.method = method.map(str::to_owned);
        self
    }

    pub(super) fn in_member(mut self, member: Option<&str>) -> Self {
        self.member = member.map(str::to_owned);
        self
    }

    pub(super) fn at(mut self, place: Option<Place>, old_place: Option<Place>) -> Self {
        (self.place, self.old_place) = (place, old_place);
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What kind of change it is.
    pub fn kind(&self) -> BreakKind {
        self.kind
    }

    /// The message of the first line, without the kind.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The interface, struct, union or enum, with its module.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The method, if it is one that changed or that the change is in.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The parameter, response value, field, member or value, if it is one that changed.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// The line in the new file, from 1; `None` if what is gone has left no place.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    /// It alone, as it stands among the others.
    pub fn render(&self, style: RenderStyle) -> String {
        let renderer = match style {
            RenderStyle::Plain => Renderer::plain(),
            RenderStyle::Coloured => Renderer::styled(),
        };
        renderer.render(&[self.group()]) + "\n\n"
    }

    fn group(&self) -> Group<'_> {
        let title = Level::ERROR.primary_title(self.message.as_str()).id(self.kind.name());
        let group = Group::with_title(title);
        let group = match (&self.place, &self.old_place) {
            (Some(place), Some(old)) => {
                let new = place.snippet(AnnotationKind::Primary);
                group.element(new).element(old.snippet(AnnotationKind::Context))
            }
            (Some(place), None) | (None, Some(place)) => {
                group.element(place.snippet(AnnotationKind::Primary))
            }
            (None, None) => group,
        };
        group.elements(self.help.as_deref().map(|help| Level::HELP.message(help)))
    }
}
