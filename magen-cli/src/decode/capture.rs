//! What was captured: one message, or everything that went over a link in one direction.

/// One message, with the number of its attachments.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) pipes: u32,
    pub(super) handles: u32,
}

/// The bytes that `text` is in hexadecimal, if it is nothing else: two digits for each, with white space anywhere between
/// them.
pub(super) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    (rest.is_empty() && !pairs.is_empty()).then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// What is left of a frame.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// The name of a node: one of the two on the link, or in full.
    fn node(&mut self) -> Option<()> {
        match self.byte()? {
            0 | 1 => Some(()),
            2 => self.take(16).map(drop),
            _ => None,
        }
    }

    /// The name of an endpoint, or of a pipe.
    fn endpoint(&mut self) -> Option<()> {
        self.node()?;
        self.take(8).map(drop)
    }

    /// A pipe end on its way.
    fn descriptor(&mut self) -> Option<()> {
        // Its number, its flags, and four counts of messages and bytes.
        self.take(8 + 1 + 4 * 16)?;
        self.endpoint()?; // the pipe
        self.node()?; // where the peer is
        self.endpoint()?; // the peer
        self.endpoint() // the origin
    }

    /// The rest of a frame that carries a message.
    fn user(&mut self, handles: u8) -> Option<Message> {
        self.endpoint()?; // to
        self.endpoint()?; // from
        self.take(8 + 2)?; // sequence and hops
        let pipes = self.byte()?;
        (0..pipes).try_for_each(|_| self.descriptor())?;
        Some(Message { bytes: self.0.to_vec(), pipes: pipes.into(), handles: handles.into() })
    }
}

/// The kind of frames that carry messages.
const USER: u8 = 32;

const FRAME_HEADER_BYTES: usize = 8;

/// The frames of a link in one direction, from the beginning of one of them.
#[derive(Debug)]
pub(super) struct Frames {
    pub(super) messages: Vec<Message>,
    /// How many frames carry no message.
    pub(super) others: usize,
    /// Where the stream stops making sense, if it does.
    pub(super) fault: Option<usize>,
}

impl Frames {
    pub(super) fn read(stream: &[u8]) -> Self {
        let mut frames = Self { messages: Vec::new(), others: 0, fault: None };
        let mut rest = Reader(stream);
        while !rest.0.is_empty() {
            let place = stream.len() - rest.0.len();
            if frames.read_one(&mut rest).is_none() {
                frames.fault = Some(place);
                break;
            }
        }
        frames
    }

    fn read_one(&mut self, rest: &mut Reader<'_>) -> Option<()> {
        let length = u32::from_le_bytes(*rest.0.first_chunk()?);
        let length = usize::try_from(length).ok().filter(|length| *length >= FRAME_HEADER_BYTES)?;
        let mut frame = Reader(rest.take(length)?);
        let [.., kind, _flags, handles, _reserved] = *frame.take(FRAME_HEADER_BYTES)?.first_chunk::<8>()?;
        if kind == USER {
            self.messages.push(frame.user(handles)?);
        } else {
            self.others += 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_told_from_everything_else() {
        assert_eq!(from_hex(b"00 fF\n10"), Some(vec![0, 255, 16]));
        for text in [&b""[..], b" ", b"0", b"0x10", b"\xff\x00", b"00 1"] {
            assert_eq!(from_hex(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_stream_that_ends_anywhere_names_the_frame_that_is_cut_off() {
        let other = [9, 0, 0, 0, 38, 1, 0, 0, 7];
        let mut user = vec![8 + 9 + 25 + 11 + 2, 0, 0, 0, USER, 1, 3, 0];
        user.extend([0; 9]); // to
        user.push(2);
        user.extend([5; 16 + 8]); // from
        user.extend([0; 10]); // sequence and hops
        user.push(0); // pipes
        user.extend(*b"hi");
        let stream = [&other[..], &user].concat();
        let frames = Frames::read(&stream);
        assert_eq!((frames.others, frames.fault), (1, None));
        let [message] = &frames.messages[..] else { panic!("{frames:?}") };
        assert_eq!((message.bytes.as_slice(), message.pipes, message.handles), (&b"hi"[..], 0, 3));
        for length in 0..stream.len() {
            let start = if length < other.len() { 0 } else { other.len() };
            let expected = if length == 0 || length == other.len() { None } else { Some(start) };
            assert_eq!(Frames::read(&stream[..length]).fault, expected, "{length}");
        }
    }
}
