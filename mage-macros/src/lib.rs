//! Interfaces of mage in place, for programs that have only a few: no file, no build script.
//!
//! Both macros write down a source of the interface language and give it to the compiler that also runs in build scripts, so
//! that they understand the same things and find the same faults, and show them where they are. They come with the feature
//! `macros` of `mage-ipc`, as `mage::magen!` and `mage::interface`.

#![forbid(unsafe_code)]

mod compile;
mod magen_source;
mod source;

use proc_macro::TokenStream;

/// Compiles interfaces that are written in the interface language, right here.
///
/// ```
/// mage_macros::magen! {
///     /// Fetches pages.
///     interface Fetcher {
///         Fetch(string<2048> url) => (bytes page) error string;
///     }
/// }
/// use mage::Reply;
///
/// struct Offline;
/// impl Fetcher for Offline {
///     fn fetch(&mut self, url: String, reply: Reply<Result<Vec<u8>, String>>) {
///         let _ = reply.send(Err(format!("{url} is not within reach")));
///     }
/// }
/// ```
///
/// It is as if the text stood in a file of its own: what it declares it can name, and nothing else, and it cannot import.
/// A fault is an error at its place:
///
/// ```compile_fail
/// mage_macros::magen! { interface Logger { Log(strng text); } } // did you mean `string`?
/// ```
///
/// ```
/// mage_macros::magen! { interface Logger { Log(string text); } }
/// ```
///
/// Plain comments are not seen by macros, and documentation is carried over.
#[proc_macro]
pub fn magen(input: TokenStream) -> TokenStream {
    compile::compile(&magen_source::from_tokens(input.into()), "magen!").into()
}
