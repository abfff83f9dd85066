//! Diagnostics as text, in the form of `rustc`.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Label, RenderStyle};
use crate::limits::EXCERPT_BYTES_MAX;
use crate::span::Span;

/// All of `diagnostics` and a last line that counts them.
pub(super) fn render(diagnostics: &Diagnostics, style: RenderStyle) -> String {
    let renderer = match style {
        RenderStyle::Plain => Renderer::plain(),
        RenderStyle::Coloured => Renderer::styled(),
    };
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        let group = group(diagnostic, &diagnostics.file_name, &diagnostics.source);
        text.push_str(&renderer.render(&[group]));
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

/// One diagnostic: title, source with carets, help.
fn group<'a>(diagnostic: &'a Diagnostic, file_name: &'a str, source: &'a str) -> Group<'a> {
    let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.kind.name());
    let group = match &diagnostic.primary {
        None => title.element(Origin::path(file_name)),
        Some(primary) => with_source(Group::with_title(title), primary, diagnostic, file_name, source),
    };
    group.elements(diagnostic.helps.iter().map(|help| Level::HELP.message(help.as_str())))
}

/// Adds the lines that `diagnostic` points at; only their position when they are too long to show.
fn with_source<'a>(
    group: Group<'a>,
    primary: &'a Label,
    diagnostic: &'a Diagnostic,
    file_name: &'a str,
    source: &'a str,
) -> Group<'a> {
    let mut lines = lines_around(primary.span, source);
    let mut secondary = diagnostic.secondary.as_ref();
    if let Some(label) = secondary {
        let both = lines_around(
            Span::new(primary.span.start.min(label.span.start), lines.end.max(label.span.end)),
            source,
        );
        if both.end - both.start <= EXCERPT_BYTES_MAX {
            lines = both;
        } else {
            secondary = None;
        }
    }
    let line = 1 + source.bytes().take(lines.start).filter(|byte| *byte == b'\n').count();
    if lines.end - lines.start > EXCERPT_BYTES_MAX {
        let column = 1 + Span::new(lines.start, primary.span.start).text(source).chars().count();
        return group.element(Origin::path(file_name).line(line).char_column(column));
    }
    let annotation = |kind: AnnotationKind, label: &'a Label| -> Annotation<'a> {
        let span = label.span.start - lines.start..label.span.end - lines.start;
        let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
        kind.span(span).label(text)
    };
    group.element(
        Snippet::source(lines.text(source))
            .path(file_name)
            .line_start(line)
            .annotation(annotation(AnnotationKind::Primary, primary))
            .annotations(secondary.map(|label| annotation(AnnotationKind::Context, label))),
    )
}

/// The whole lines that `span` touches, without the last line break.
fn lines_around(span: Span, source: &str) -> Span {
    let bytes = source.as_bytes();
    let before = &bytes[..span.start.min(bytes.len())];
    let after = &bytes[span.end.min(bytes.len())..];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    let end = after.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| span.end + length);
    Span::new(start, end)
}
