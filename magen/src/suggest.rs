//! What somebody may have meant by a misspelt name.

use crate::limits::{NAME_BYTES_MAX, SUGGESTION_EDITS_MAX};

/// Whether `written` is `meant` with a slip or two: at most 2 edits, and less than half of the word.
pub(crate) fn is_close(written: &str, meant: &str) -> bool {
    let edits = edits_between(written, meant);
    edits <= SUGGESTION_EDITS_MAX && edits * 2 < meant.len()
}

/// The first of `candidates` that differs from `written` by the fewest edits, if it is close; rather one that begins as it does.
pub(crate) fn closest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = candidates.into_iter().filter(|candidate| is_close(written, candidate));
    let initial = |word: &str| word.bytes().next();
    close.min_by_key(|candidate| (edits_between(written, candidate), initial(candidate) != initial(written)))
}

/// How many letters must be inserted, removed or replaced to get from one word to the other; case is not counted.
fn edits_between(left: &str, right: &str) -> usize {
    if left.len() > NAME_BYTES_MAX {
        return usize::MAX / 2;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, left) in left.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (column, right) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits_between("", "abc"), 3);
        assert_eq!(edits_between("kitten", "sitting"), 3);
        assert_eq!(edits_between("STRING", "string"), 0);
        assert_eq!(edits_between("messagePipes", "MessagePipe"), 1);
    }

    #[test]
    fn the_closest_wins() {
        assert_eq!(closest("strin", ["int", "string"]), Some("string"));
        assert_eq!(closest("url", ["int", "string"]), None);
        assert_eq!(closest("Pint", ["int", "Point"]), Some("Point"));
    }
}
