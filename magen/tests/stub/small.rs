//! Stands in for the crate `smallvec`, as far as it fills arrays.

/// Elements of the array `A`, up to all of them.
pub struct SmallVec<A: Array>(Vec<A::Item>);

/// An array.
pub trait Array: TryFrom<Vec<Self::Item>> {
    /// What it has.
    type Item;
}

impl<T, const LENGTH: usize> Array for [T; LENGTH] {
    type Item = T;
}

impl<A: Array> SmallVec<A> {
    /// None.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    pub fn push(&mut self, element: A::Item) {
        self.0.push(element);
    }

    /// The array, if all are there.
    pub fn into_inner(self) -> Result<A, ()> {
        self.0.try_into().map_err(drop)
    }
}
