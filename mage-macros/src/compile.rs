//! From a source to the code that takes its place, or to errors where its faults are.

use magen::Diagnostic;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::source::Source;

pub(crate) fn compile(source: &Source, name: &str) -> TokenStream {
    match magen::generate(source.text(), name) {
        Ok(code) => code.parse().unwrap_or_else(|error| {
            let message = format!("the generated code is no Rust: {error}");
            compile_error(&message, (Span::call_site(), Span::call_site()))
        }),
        Err(faults) => faults.iter().map(|fault| show(fault, source)).collect(),
    }
}

fn show(fault: &Diagnostic, source: &Source) -> TokenStream {
    let helps = fault.helps().map(|help| format!("\nhelp: {help}"));
    let message = helps.fold(fault.message().to_owned(), |message, help| message + &help);
    compile_error(&message, source.spans(&fault.range()))
}

/// `module { code }`
pub(crate) fn in_module(module: TokenStream, code: TokenStream, span: Span) -> TokenStream {
    let mut braces = Group::new(Delimiter::Brace, code);
    braces.set_span(span);
    module.into_iter().chain([TokenTree::Group(braces)]).collect()
}

/// `::core::compile_error! { "message" }`, which the compiler shows from the first place to the last.
pub(crate) fn compile_error(message: &str, (first, last): (Span, Span)) -> TokenStream {
    let mark = |mark, spacing| {
        let mut mark = Punct::new(mark, spacing);
        mark.set_span(first);
        TokenTree::Punct(mark)
    };
    let word = |word| TokenTree::Ident(Ident::new(word, first));
    let mut text = Literal::string(message);
    text.set_span(last);
    let mut braces = Group::new(Delimiter::Brace, TokenTree::Literal(text).into());
    braces.set_span(last);
    TokenStream::from_iter([
        mark(':', Spacing::Joint),
        mark(':', Spacing::Alone),
        word("core"),
        mark(':', Spacing::Joint),
        mark(':', Spacing::Alone),
        word("compile_error"),
        mark('!', Spacing::Alone),
        TokenTree::Group(braces),
    ])
}
