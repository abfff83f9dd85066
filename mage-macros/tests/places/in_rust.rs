#[mage_macros::interface]
pub trait Store {
    /// Keeps a value.
    fn put(&mut self, key: Strin, value: Vec<Vec<u8>>);
    fn size(&mut self) -> usize;
}

#[mage_macros::interface]
mod screen {
    #[mage(Extensibl)]
    enum Button {
        Left,
    }
}

#[mage_macros::interface]
trait Pairs {
    fn add(&mut self, pair: (i32, i32));
}

#[mage_macros::interface]
trait Bodies {
    fn run(&mut self) {}
}

fn main() {}
