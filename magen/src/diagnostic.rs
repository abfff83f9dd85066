//! What is wrong with a `.magen` file, and how it is shown.

mod lines;
mod render;

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::limits::DIAGNOSTICS_MAX;
use crate::span::Span;

/// Everything that is wrong with one source, in source order; never empty.
///
/// `Display` shows it the way `rustc` does, without colours: message, file, line, column, the line itself with
/// carets under the fault, and help.
///
/// ```
/// let diagnostics = magen::generate("interface Logger { Log(strng text); }", "logger.magen").unwrap_err();
/// assert_eq!(diagnostics.iter().count(), 1);
/// assert!(diagnostics.to_string().starts_with("error[unknown-type]: unknown type `strng`\n --> logger.magen:1:24"));
/// ```
#[derive(Clone, Debug)]
pub struct Diagnostics {
    file_name: String,
    source: String,
    diagnostics: Vec<Diagnostic>,
    truncated: bool,
}

impl Diagnostics {
    /// The diagnostics, in source order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter()
    }

    /// The name of the source, as it was given to the compiler.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Whether there was more to report than the limit of 100 diagnostics per file.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The text that `Display` gives, with ANSI colours if asked for; it ends with a line break.
    pub fn render(&self, style: RenderStyle) -> String {
        render::render(self, style)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(RenderStyle::Plain))
    }
}

impl Error for Diagnostics {}

/// How [`Diagnostics::render`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderStyle {
    /// Plain text, for logs and for build scripts.
    Plain,
    /// With ANSI colours, for terminals.
    Coloured,
}

/// One fault of a source.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    kind: DiagnosticKind,
    message: String,
    primary: Label,
    secondary: Option<Label>,
    /// The line and the column, from 1, where the source is not a text that could be shown.
    position: Option<(usize, usize)>,
    helps: Vec<String>,
}

impl Diagnostic {
    /// What kind of fault it is.
    pub fn kind(&self) -> DiagnosticKind {
        self.kind
    }

    /// The message of the first line, without the kind.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the fault is: a range of bytes of the source, empty if something is missing there, or if the source is no text, or
    /// too long a one, from there on.
    pub fn range(&self) -> Range<usize> {
        self.primary.span.range()
    }

    /// Lines of advice.
    pub fn helps(&self) -> impl Iterator<Item = &str> {
        self.helps.iter().map(String::as_str)
    }

    /// A second place, such as that of an earlier declaration, and what is said about it.
    pub fn related(&self) -> Option<(Range<usize>, &str)> {
        self.secondary.as_ref().map(|label| (label.span.range(), label.text.as_str()))
    }

    pub(crate) fn new(kind: DiagnosticKind, span: Span, message: impl Into<String>) -> Self {
        let primary = Label { span, text: String::new() };
        Self { kind, message: message.into(), primary, secondary: None, position: None, helps: Vec::new() }
    }

    /// A fault of a source that cannot be shown, at the byte that follows these.
    pub(crate) fn behind(kind: DiagnosticKind, before: &[u8], message: impl Into<String>) -> Self {
        let end = before.len();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |line_break| line_break + 1);
        // Every character has one byte that does not continue another, even among bytes that are no text.
        let begins_character = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        let column = 1 + before.iter().skip(start).filter(begins_character).count();
        Self { position: Some((line, column)), ..Self::new(kind, Span::new(end, end), message) }
    }

    /// Says `text` beside the carets.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Points at a second place, such as an earlier declaration.
    pub(crate) fn and_at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary = Some(Label { span, text: text.into() });
        self
    }

    /// Adds a line of advice below the source.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }
}

/// A place in the source and what is said about it.
#[derive(Clone, Debug)]
struct Label {
    span: Span,
    text: String,
}

macro_rules! diagnostic_kinds {
    ($($(#[$docs:meta])* $variant:ident = $name:literal,)*) => {
        /// The kinds of faults; every one has a stable name, which stands in brackets in the first line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum DiagnosticKind {
            $($(#[$docs])* $variant,)*
        }

        impl DiagnosticKind {
            /// Every kind there is, in the order of this page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `unknown-type`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

diagnostic_kinds! {
    /// The file is larger than 16 MiB.
    FileTooLarge = "file-too-large",
    /// The file is not UTF-8.
    NotUtf8 = "not-utf8",
    /// A character that has no place in the language.
    UnexpectedCharacter = "unexpected-character",
    /// A `/* */` comment.
    BlockComment = "block-comment",
    /// A control character in a doc comment, which Rust would not accept in the generated one.
    DocControlCharacter = "doc-control-character",
    /// A text without its closing quote, or with a character that cannot be in one.
    InvalidText = "invalid-text",
    /// A name that begins with a digit or an underscore.
    InvalidName = "invalid-name",
    /// A name longer than 60 bytes.
    NameTooLong = "name-too-long",
    /// Something other than a declaration at the top level.
    ExpectedDeclaration = "expected-declaration",
    /// `module` or `import` behind what it must precede.
    MisplacedStatement = "misplaced-statement",
    /// An imported file that cannot be read.
    ImportNotFound = "import-not-found",
    /// Files that import each other.
    ImportCycle = "import-cycle",
    /// Something other than what the grammar wants next.
    UnexpectedToken = "unexpected-token",
    /// A parameter or field that has a type and no name.
    MissingName = "missing-name",
    /// A comma before a closing parenthesis.
    TrailingComma = "trailing-comma",
    /// A declaration without its closing brace.
    UnclosedDeclaration = "unclosed-declaration",
    /// A doc comment that documents nothing.
    MisplacedDocComment = "misplaced-doc-comment",
    /// An interface with more than 4096 methods.
    TooManyMethods = "too-many-methods",
    /// A method with more than 64 parameters, or a response with more than 64 values.
    TooManyParameters = "too-many-parameters",
    /// A struct, union or enum with more than 1024 members.
    TooManyMembers = "too-many-members",
    /// An interface with more than 1024 versions, those of what it uses included.
    TooManyVersions = "too-many-versions",
    /// A type that is nested more than 16 deep.
    TypeTooDeep = "type-too-deep",
    /// A type that is neither one of the language nor declared.
    UnknownType = "unknown-type",
    /// A constant that does not exist, or not yet.
    UnknownName = "unknown-name",
    /// A name that two imported files declare.
    AmbiguousName = "ambiguous-name",
    /// A type with something in `<` and `>`, or behind it, that makes no sense there.
    WrongArguments = "wrong-arguments",
    /// A map with keys that cannot be ordered.
    MapKey = "map-key",
    /// A type that contains itself in place.
    RecursiveType = "recursive-type",
    /// A type that takes more than 64 KiB in place.
    TypeTooLarge = "type-too-large",
    /// A union without members.
    EmptyUnion = "empty-union",
    /// A value that is none of its type.
    InvalidValue = "invalid-value",
    /// A default where there can be none.
    MisplacedDefault = "misplaced-default",
    /// An ordinal where there can be none.
    MisplacedOrdinal = "misplaced-ordinal",
    /// An attribute that does not exist.
    UnknownAttribute = "unknown-attribute",
    /// An attribute in the wrong place, twice, or with a value that makes no sense.
    InvalidAttribute = "invalid-attribute",
    /// A field that was added later and has no value where an older peer sends none.
    NeedsDefault = "needs-default",
    /// A declaration whose name is not written as its kind is.
    TypeName = "type-name",
    /// A name that cannot be used in the generated Rust.
    ReservedName = "reserved-name",
    /// Two declarations of one name.
    DuplicateDeclaration = "duplicate-declaration",
    /// Two methods of one name, also after conversion to Rust's way of writing names.
    DuplicateMethod = "duplicate-method",
    /// Two parameters, or two response values, of one name, also after conversion.
    DuplicateParameter = "duplicate-parameter",
    /// Two fields, members or values of one name, also after conversion.
    DuplicateMember = "duplicate-member",
    /// Two methods, members or values with one number, or a number that is reserved.
    DuplicateNumber = "duplicate-number",
    /// Two declarations that would generate one and the same Rust type.
    NameClash = "name-clash",
}

/// Takes diagnostics while a source is being read.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    diagnostics: Vec<Diagnostic>,
    truncated: bool,
}

impl Reporter {
    /// Keeps `diagnostic`, unless there are too many already.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        } else {
            self.truncated = true;
        }
    }

    /// Whether looking for more is pointless.
    pub(crate) fn is_full(&self) -> bool {
        self.truncated
    }

    /// `value` if nothing was reported, else everything that was, in source order.
    pub(crate) fn finish<T>(mut self, value: T, file_name: &str, source: &str) -> Result<T, Diagnostics> {
        if self.diagnostics.is_empty() {
            return Ok(value);
        }
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
        Err(Diagnostics {
            file_name: file_name.to_owned(),
            source: source.to_owned(),
            diagnostics: self.diagnostics,
            truncated: self.truncated,
        })
    }
}
