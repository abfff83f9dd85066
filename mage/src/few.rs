//! [`Few`]: things of which there is nearly always one, or none.

/// Things of which there is nearly always one, or none. The first takes no memory of its own.
#[derive(Clone, Debug)]
pub(crate) struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Few<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None, others: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.others.push(item);
        }
    }

    /// Hands all of them to `take`, in the order in which they came.
    #[inline]
    pub(crate) fn each(self, mut take: impl FnMut(T)) {
        self.first.into_iter().for_each(&mut take);
        if !self.others.is_empty() {
            self.others.into_iter().for_each(take);
        }
    }
}

impl<T> Extend<T> for Few<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}
