//! What is written down for a trait or a module.

use super::*;

fn text(rust: &str) -> Result<String, String> {
    let item = from_tokens(TokenStream::new(), rust.parse().unwrap()).map_err(|fault| fault.message)?;
    Ok(item.source.text().split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_trait_is_an_interface() {
    let rust = "pub trait Store { fn put(&mut self, key: String, value: Vec<u8>); \
                fn get_all(&self, keys: Vec<String>) -> Result<Option<[u8; 4]>, Fault>; \
                fn flush(&mut self) -> (); fn both(&mut self) -> (i32, f64); }";
    assert_eq!(
        text(rust).unwrap(),
        "interface Store { Put ( string key , bytes value ) ; \
         GetAll ( array < string > keys ) => ( array < uint8 , 4 > ? value ) error Fault ; \
         Flush ( ) => ( ) ; Both ( ) => ( int32 value0 , double value1 ) ; }"
    );
}

#[test]
fn a_module_has_types_too() {
    let rust = "mod a { struct P { pub x: i64, r#type: bool } #[mage(Extensible)] enum E { A, B = -2 } \
                enum U { Text(String), BigPoint(P) } }";
    assert_eq!(
        text(rust).unwrap(),
        "struct P { int64 x ; bool type ; } [ Extensible ] enum E { A , B = -2 , } \
         union U { string text ; P big_point ; }"
    );
}

#[test]
fn ends_of_all_kinds() {
    let rust = "trait A { fn f(&mut self, a: mage::PendingRemote<dyn super::A>, b: PendingReceiver<dyn A>, \
                c: std::os::fd::OwnedFd, d: mage::StreamReceiver<u8, A>, e: BTreeMap<String, Vec<i8>>); }";
    assert_eq!(
        text(rust).unwrap(),
        "interface A { F ( pending_remote < A > a , pending_receiver < A > b , handle c , \
         stream < uint8 , A > d , map < string , array < int8 > > e ) ; }"
    );
}

#[test]
fn slices_of_the_message() {
    let rust = "trait A { #[mage(answer(a, #[mage(MinVersion = 1)] b))] \
                fn f(&mut self, a: Bytes, b: mage::StreamReceiver<ByteString>) -> Result<(Bytes, i8), String>; } \
                struct S { a: BTreeMap<ByteString, Vec<Option<Bytes>>>, b: Max<ByteString, 4> } \
                enum U { A([Max<Bytes, 9>; 2]), B(String) }";
    assert_eq!(
        text(rust).unwrap(),
        "interface A { F ( [ Shared ] bytes a , [ Shared ] stream < string > b ) => \
         ( [ Shared ] bytes a , [ MinVersion = 1 ] int8 b ) error string ; } \
         struct S { [ Shared ] map < string , array < bytes ? > > a ; [ Shared ] string < 4 > b ; } \
         union U { [ Shared ] array < bytes < 9 > , 2 > a ; string b ; }"
    );
}

#[test]
fn what_makes_no_sense_is_said() {
    for (rust, message) in [
        ("trait A { fn f(x: i32); }", "a method takes `&mut self` first"),
        ("trait A { fn f(&mut self) {} }", "a method of an interface has no body here"),
        ("trait A: B {}", "expected `{`: supertraits"),
        ("fn f() {}", "expected a trait"),
        ("#[derive(Debug)] trait A {}", "only documentation and attributes"),
        ("mod a { use super::B; }", "what is declared elsewhere is not known here"),
        ("trait A { fn f(&mut self, x: &str); }", "expected a type"),
        ("trait A { fn f(&mut self, x: (i32, i32)); }", "only an answer can be several values"),
        ("enum A { B(i32), C }", "expected `(Type)`"),
        ("trait A { fn f(&mut self, x: i32) -> B C; }", "expected `;`"),
        ("struct A { a: BTreeMap<String, Bytes> }", "in one type all texts and bytes are slices"),
        ("trait A { fn f(&mut self) -> Result<(), ByteString>; }", "only parameters, values of answers"),
        ("const A: ByteString = \"a\";", "only parameters, values of answers"),
    ] {
        let found = text(rust).expect_err(rust);
        assert!(found.starts_with(message), "{rust}: {found}");
    }
}
