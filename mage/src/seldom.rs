//! [`Seldom`]: a list that is nearly always empty.

use std::ops::Deref;
use std::{slice, vec};

/// A list that is nearly always empty, and then one word that costs nothing to move or to drop. Messages are moved many
/// times on their way, and few carry anything but bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::box_collection, reason = "a vector alone is three words")]
pub(crate) struct Seldom<T>(Option<Box<Vec<T>>>);

impl<T> Seldom<T> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.0.as_ref().map_or(0, |list| list.capacity())
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        self.0.map_or_else(Vec::new, |list| *list)
    }

    /// The same list of something else.
    #[inline]
    pub(crate) fn map<U>(self, convert: impl FnMut(T) -> U) -> Seldom<U> {
        match self.0 {
            None => Seldom(None),
            Some(list) => list.into_iter().map(convert).collect(),
        }
    }
}

impl<T> From<Vec<T>> for Seldom<T> {
    fn from(list: Vec<T>) -> Self {
        Self(if list.is_empty() { None } else { Some(Box::new(list)) })
    }
}

impl<T> FromIterator<T> for Seldom<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T> IntoIterator for Seldom<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self.0.map(|list| list.into_iter()))
    }
}

/// What is left of it. `None` is as good as nothing.
#[derive(Clone, Debug)]
pub(crate) struct IntoIter<T>(Option<vec::IntoIter<T>>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.as_mut()?.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Seldom<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Deref for Seldom<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |list| list)
    }
}

#[cfg(test)]
impl<T> std::ops::DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_mut().map_or(&mut [], |list| list)
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self::new()
    }
}
