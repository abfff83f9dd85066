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

#[mage_macros::interface]
trait Words {
    #[mage(ordinl = 3)]
    fn run(&mut self);
}

#[mage_macros::interface]
trait Numbers {
    #[mage(ordinal = -3)]
    fn run(&mut self);
    #[mage(ordinal = 1)]
    fn walk(&mut self, #[mage(default = "a")] far: i32, #[mage(MinVersion = 1)] fast: bool);
}

#[mage_macros::interface]
trait Misplaced {
    #[mage(default = 3)]
    fn run(&mut self);
}

#[mage_macros::interface]
trait Twice {
    #[mage(ordinal = 3, ordinal = 4)]
    fn run(&mut self);
}

#[mage_macros::interface]
trait Names {
    #[mage(answer(a))]
    fn run(&mut self) -> (i32, i32);
}

#[mage_macros::interface]
trait MoreNames {
    #[mage(answer(a, b))]
    fn run(&mut self) -> i32;
}

#[mage_macros::interface]
trait Called {
    #[mage(name = Walk)]
    fn run(&mut self);
}

#[mage_macros::interface]
trait Bounds {
    fn run(&mut self, far: Max<i32, 5>);
}

#[mage_macros::interface]
trait BoundNames {
    fn run(&mut self, far: Max<String, LIMIT>);
}

#[mage_macros::interface(modul = "a")]
trait Modules {}

#[mage_macros::interface(module = "a b")]
trait Spaces {}

#[mage_macros::interface]
trait Mixed {
    fn run(&mut self, far: BTreeMap<String, Bytes>);
}

#[mage_macros::interface]
trait Errors {
    fn run(&mut self) -> Result<(), ByteString>;
}

fn main() {}
