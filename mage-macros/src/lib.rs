//! Interfaces of mage in place, for programs that have only a few: no file, no build script.
//!
//! Both macros write down a source of the interface language and give it to the compiler that also runs in build scripts, so
//! that they understand the same things and find the same faults, and show them where they are. They come with the feature
//! `macros` of `mage-ipc`, as `mage::magen!` and `mage::interface`.

#![forbid(unsafe_code)]

mod compile;
mod cursor;
mod magen_source;
mod rust_attributes;
mod rust_source;
mod rust_types;
mod source;

use proc_macro::TokenStream;
use proc_macro2::Span;

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

/// Makes an interface of a trait, or of a module of traits and types, for those who want Rust as their only language.
///
/// ```
/// #[mage_macros::interface]
/// pub trait Store {
///     /// Keeps a value.
///     fn put(&mut self, key: String, value: Vec<u8>);
///     /// Waits until everything is kept.
///     fn flush(&mut self) -> ();
///     fn get(&mut self, key: String) -> Result<Vec<u8>, String>;
/// }
/// use mage::Reply;
///
/// struct Nothing;
/// impl Store for Nothing {
///     fn put(&mut self, _key: String, _value: Vec<u8>) {}
///     fn flush(&mut self, reply: Reply<()>) {
///         let _ = reply.send(());
///     }
///     fn get(&mut self, key: String, reply: Reply<Result<Vec<u8>, String>>) {
///         let _ = reply.send(Err(format!("there is no {key}")));
///     }
/// }
/// ```
///
/// The trait says what the interface is, and the one of that name that takes its place is the handler's: a method with an
/// answer gets a `Reply` and returns nothing. A method without `->` is one-way. What an answer may be instead is the error of a
/// `Result`; several values are a tuple.
///
/// The types are those of the interface language, as Rust calls them: numbers, `bool`, `String`, `Vec<T>`, `[T; 3]`,
/// `BTreeMap<K, V>`, `Option<T>`, `MessagePipe`, `OwnedFd`, `PendingRemote<dyn Foo>`, `PendingReceiver<dyn Foo>`,
/// `StreamReceiver<T>`; `ByteString` and `Bytes` are texts and bytes that are slices of their message. Structs and enums are declared
/// beside the traits, in a module:
///
/// ```
/// #[mage_macros::interface]
/// pub mod screen {
///     struct Point { x: i32, y: i32 }
///     #[mage(Extensible)]
///     enum Button { Left, Right }
///     enum Event { Moved(Point), Pressed(Button) }
///     trait Observer { fn happened(&mut self, event: Event); }
///     trait Screen { fn observe(&mut self, observer: PendingRemote<dyn Observer>); }
/// }
/// let event = screen::Event::Moved(screen::Point { x: 1, y: 2 });
/// assert_eq!(event, event.clone());
/// ```
///
/// What Rust has no words for is said in `#[mage(..)]`: `Extensible`, `MinVersion = 1`, `Rust = ".."`, `Shared`, `default = 7`, `ordinal = 10`,
/// `reserved(2, 3)`, `answer(names, of, values)` and `name = OnTheWire`. Bounds are in the type: `Max<String, 64>` is a `String` of at
/// most 64 bytes. The macro itself may say what `module a.b;` says in a file.
///
/// ```
/// #[mage_macros::interface(module = "shop")]
/// #[mage(Extensible, reserved(1))]
/// trait Store {
///     #[mage(name = PutURL, ordinal = 5)]
///     fn put_url(&mut self, url: Max<String, 2048>, #[mage(MinVersion = 1, default = true)] lasts: bool);
///     #[mage(answer(items, bytes))]
///     fn size(&mut self) -> (i32, i64);
/// }
/// # fn sent(store: &mage::Remote<dyn Store>) -> Result<(), mage::SendError> {
/// store.put_url("http://example.com/", false)?;
/// # Ok(())
/// # }
/// # async fn asked(store: &mage::Remote<dyn Store>) -> Result<i64, mage::CallError> {
/// let StoreSizeResponse { items, bytes } = store.size().await?;
/// # Ok(bytes + i64::from(items))
/// # }
/// assert_eq!(<dyn Store as mage::Interface>::NAME, "shop.Store");
/// ```
///
/// A fault is an error at its place:
///
///
/// ```compile_fail
/// #[mage_macros::interface]
/// trait Store { fn put(&mut self, key: Strin); } // did you mean `string`?
/// ```
///
/// ```
/// #[mage_macros::interface]
/// trait Store { fn put(&mut self, key: String); }
/// ```
#[proc_macro_attribute]
pub fn interface(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let read = rust_source::from_tokens(arguments.into(), item.into());
    let item = match read {
        Ok(item) => item,
        Err(fault) => return compile::compile_error(&fault.message, (fault.span, fault.span)).into(),
    };
    let code = compile::compile(&item.source, "#[interface]");
    match item.module {
        None => code.into(),
        Some(module) => compile::in_module(module, code, Span::call_site()).into(),
    }
}
