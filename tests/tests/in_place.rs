//! Values that take over the buffer of their message: what arrives, and what does not.

use mage::{BadMessage, MessagePipe, RawMessage, Receiver, RecvError, Remote};
use mage_tests::fixtures::{Notes, NotesMessage};
use mage_tests::{Stage, next, on_every_scheduler};

on_every_scheduler! {
    what_is_sent_arrives
    what_is_wrong_does_not
}

/// A pipe within a node, and one between two.
async fn pipes(stage: &Stage) -> ([(MessagePipe, MessagePipe); 2], [mage::Node; 3]) {
    let node = stage.node();
    let ((first, near), (second, far)) = stage.linked().await;
    ([node.create_message_pipes(), (near, far)], [node, first, second])
}

async fn what_is_sent_arrives(stage: Stage) {
    let (pipes, _nodes) = pipes(&stage).await;
    for (near, far) in pipes {
        let (remote, mut receiver) = (Remote::<dyn Notes>::new(near), Receiver::<dyn Notes>::new(far));
        for length in [0, 1, 64, 300, 64 << 10] {
            let (said, kept) = ("\u{fc}".repeat(length), vec![7; length]);
            remote.say(&said).expect("there is room");
            assert!(matches!(next(&mut receiver).await, NotesMessage::Say { text } if text == said));
            remote.keep(-1, &kept, 9).expect("there is room");
            assert!(matches!(
                next(&mut receiver).await,
                NotesMessage::Keep { position: -1, data, mark: 9 } if data == kept
            ));
            // The first of two may take over; with much behind it, it does not.
            let call = remote.name("a name", &said);
            match next(&mut receiver).await {
                NotesMessage::Name { name, comment, reply } => {
                    assert_eq!((name.as_str(), &comment), ("a name", &said));
                    reply.send(comment).expect("there is room");
                }
                other => panic!("not a name: {other:?}"),
            }
            assert_eq!(call.await.expect("it answers"), said);
        }
    }
}

async fn what_is_wrong_does_not(stage: Stage) {
    type Row = (&'static str, fn(&Remote<dyn Notes>), fn(&mut Vec<u8>), BadMessage);
    let say: fn(&Remote<dyn Notes>) = |notes| notes.say("a text").expect("there is room");
    let keep: fn(&Remote<dyn Notes>) = |notes| notes.keep(1, &[7; 100], 2).expect("there is room");
    let name: fn(&Remote<dyn Notes>) = |notes| notes.name(&"x".repeat(64), "").detach();
    // The first message of an end is longer at the front, so that all counting is from the back.
    fn at(bytes: &mut [u8], from_behind: usize) -> &mut u8 {
        let place = bytes.len() - from_behind;
        &mut bytes[place]
    }
    let rows: [Row; 7] = [
        ("no text", say, |bytes| *at(bytes, 1) = 0xff, BadMessage::InvalidText),
        ("a text that goes on", say, |bytes| *at(bytes, 10) += 1, BadMessage::Truncated),
        ("a text without end", say, |bytes| *at(bytes, 7) = 0xff, BadMessage::Truncated),
        ("half a text", say, |bytes| bytes.truncate(bytes.len() - 3), BadMessage::Truncated),
        ("more than there is", say, |bytes| bytes.push(0), BadMessage::TrailingData),
        ("bytes that swallow a number", keep, |bytes| *at(bytes, 108) += 1, BadMessage::Truncated),
        (
            "a name that is too long",
            name,
            |bytes| *at(bytes, 72) += 1,
            BadMessage::OutOfBounds { length: 65, length_max: 64 },
        ),
    ];
    for (what, send, spoil, expected) in rows {
        let (pipes, nodes) = pipes(&stage).await;
        for (near, far) in pipes {
            let (ours, theirs) = nodes[0].create_message_pipes();
            send(&Remote::new(ours));
            let mut bytes = theirs.recv().await.expect("it arrives").bytes;
            spoil(&mut bytes);
            near.try_send(RawMessage { bytes, ..RawMessage::default() }).expect("there is room");
            let received = Receiver::<dyn Notes>::new(far).recv().await;
            assert!(
                matches!(&received, Err(RecvError::BadMessage(bad)) if *bad == expected),
                "{what}: {received:?}"
            );
        }
    }
}
