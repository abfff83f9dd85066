//! Diagnostics as text, in the form of `rustc`.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::lines::Lines;
use super::{Diagnostic, Diagnostics, Label, RenderStyle};
use crate::limits::EXCERPT_BYTES_MAX;
use crate::span::Span;

/// All of `diagnostics` and a last line that counts them.
pub(super) fn render(diagnostics: &Diagnostics, style: RenderStyle) -> String {
    let renderer = match style {
        RenderStyle::Plain => Renderer::plain(),
        RenderStyle::Coloured => Renderer::styled(),
    };
    let file = File {
        name: &diagnostics.file_name,
        source: &diagnostics.source,
        lines: Lines::new(&diagnostics.source),
    };
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        text.push_str(&renderer.render(&[file.group(diagnostic)]));
        text.push_str("\n\n");
    }
    let count = match (diagnostics.diagnostics.len(), diagnostics.truncated) {
        (count, true) => format!("more than {count} errors"),
        (1, false) => "1 error".to_owned(),
        (count, false) => format!("{count} errors"),
    };
    let summary = format!("could not compile `{}`: {count}", diagnostics.file_name);
    text.push_str(&renderer.render(&[Group::with_title(Level::ERROR.primary_title(summary))]));
    text.push('\n');
    text
}

/// What the diagnostics are about.
struct File<'a> {
    name: &'a str,
    source: &'a str,
    lines: Lines<'a>,
}

impl<'a> File<'a> {
    /// One diagnostic: title, source with carets, help.
    fn group(&self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.kind.name());
        let group = match diagnostic.position {
            Some((line, column)) => title.element(Origin::path(self.name).line(line).char_column(column)),
            None => {
                self.with_source(Group::with_title(title), &diagnostic.primary, diagnostic.secondary.as_ref())
            }
        };
        group.elements(diagnostic.helps.iter().map(|help| Level::HELP.message(help.as_str())))
    }

    /// Adds the lines that the labels are about; only the position of the first one when they are too long to show.
    fn with_source(&self, group: Group<'a>, primary: &'a Label, secondary: Option<&'a Label>) -> Group<'a> {
        let mut excerpt = self.lines.around(primary.span);
        let mut shown = secondary;
        if let Some(secondary) = secondary {
            let first = primary.span.start.min(secondary.span.start);
            let last = primary.span.end.max(secondary.span.end);
            let both = self.lines.around(Span::new(first, last));
            if both.end - both.start <= EXCERPT_BYTES_MAX {
                excerpt = both;
            } else {
                shown = None;
            }
        }
        let line = self.lines.number(excerpt.start);
        if excerpt.end - excerpt.start > EXCERPT_BYTES_MAX {
            let before = Span::new(excerpt.start, primary.span.start);
            let column = 1 + before.text(self.source).chars().count();
            return group.element(Origin::path(self.name).line(line).char_column(column));
        }
        let snippet = Snippet::source(excerpt.text(self.source)).path(self.name).line_start(line);
        group.element(
            snippet
                .annotation(annotation(AnnotationKind::Primary, primary, excerpt))
                .annotations(shown.map(|label| annotation(AnnotationKind::Context, label, excerpt))),
        )
    }
}

/// The carets under `label`, in `excerpt`.
fn annotation<'a>(kind: AnnotationKind, label: &'a Label, excerpt: Span) -> Annotation<'a> {
    let span = label.span.start - excerpt.start..label.span.end - excerpt.start;
    kind.span(span).label(Some(label.text.as_str()).filter(|text| !text.is_empty()))
}
