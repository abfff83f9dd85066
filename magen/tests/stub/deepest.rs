//! Values as large as one that may contain itself can be, and as deep in each other as a peer can send them, on half the stack
//! of an ordinary thread.

use mage::codegen::Decode;

mod deep {
    include!(DEEPEST);
}

/// Values of so many bytes, each the only element of the last field of the one around it.
fn nested(bytes: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for depth in 1..=64 {
        message.extend(std::iter::repeat_n(0, bytes));
        message.extend(u32::from(depth < 64).to_le_bytes());
    }
    message
}

fn decode<T: Decode>(bytes: usize) {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let decoded = thread.spawn(move || mage::decode_bytes::<T>(&nested(bytes)).map(drop)).unwrap().join().unwrap();
    assert!(decoded.is_ok(), "{decoded:?}");
}

fn main() {
    decode::<deep::Numbers>(NUMBERS * 8);
    decode::<deep::Texts>(TEXTS * 4);
    decode::<deep::Slices>(SLICES * 4);
}
