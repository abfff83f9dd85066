//! Text to HTML. Whatever comes from a file of interfaces goes through here: nothing of it is markup.

use std::fmt;

use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd, html};

/// A text, with every character that means something to HTML written as what it stands for.
pub(super) struct Escaped<'text>(pub(super) &'text str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                letter => fmt::Write::write_char(formatter, letter)?,
            }
        }
        Ok(())
    }
}

/// Documentation as HTML. What is HTML in it is shown as it is written, links go to the web or stay on the page, and pictures are
/// their descriptions: a page loads nothing.
pub(super) fn of_markdown(markdown: &str) -> String {
    // Whether each of the links around a place is written as one.
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new(markdown).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let is_kept = is_harmless(dest_url);
            links.push(is_kept);
            is_kept.then_some(event)
        }
        Event::End(TagEnd::Link) => links.pop().unwrap_or_default().then_some(event),
        Event::Start(Tag::Image { .. }) => Some(Event::Text(CowStr::Borrowed("["))),
        Event::End(TagEnd::Image) => Some(Event::Text(CowStr::Borrowed("]"))),
        event => Some(event),
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

/// Whether a link goes to a page of the web, or to a place of this one.
fn is_harmless(link: &str) -> bool {
    ["https://", "http://", "#"].iter().any(|start| link.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_markdown_is_markup() {
        for (markdown, expected) in [
            ("a *b* `<c>` & d", "<p>a <em>b</em> <code>&lt;c&gt;</code> &amp; d</p>\n"),
            ("a <b onclick=\"x\">c</b>", "<p>a &lt;b onclick=\"x\"&gt;c&lt;/b&gt;</p>\n"),
            ("<script>\nx\n</script>", "<p>&lt;script&gt;\nx\n&lt;/script&gt;</p>\n"),
            ("[a](javascript:b) [c](data:d) [e](//f)", "<p>a c e</p>\n"),
            ("[a](https://b/\"c) [d](#e)", "<p><a href=\"https://b/%22c\">a</a> <a href=\"#e\">d</a></p>\n"),
            ("![a](https://b)", "<p>[a]</p>\n"),
        ] {
            assert_eq!(of_markdown(markdown), expected, "{markdown}");
        }
        assert_eq!(Escaped("<a b=\"c\" d='e'>&").to_string(), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
    }
}
