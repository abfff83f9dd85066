//! The shortest of everything.
use mage::{Receiver, Remote};
use mage_tests::fixtures::{Echo, EchoMessage};
use mage_tests::{Stage, on_every_scheduler};

struct Impl;
impl Echo for Impl {
    fn text(&mut self, text: String, reply: mage::Reply<String>) {
        let _ = reply.send(text);
    }
    fn numbers(&mut self, a: bool, b: i32, c: i64, d: f64, e: u8, reply: mage::Reply<mage_tests::fixtures::EchoNumbersResponse>) {
        let _ = reply.send(mage_tests::fixtures::EchoNumbersResponse { a, b, c, d, e });
    }
    fn pipe(&mut self, pipe: mage::MessagePipe, reply: mage::Reply<mage::MessagePipe>) {
        let _ = reply.send(pipe);
    }
    fn never(&mut self, _reply: mage::Reply<()>) {}
    fn exit(&mut self, _code: i32) {}
}

async fn local_call(stage: Stage) {
    let node = stage.node();
    let (a, b) = node.create_message_pipes();
    let remote = Remote::<dyn Echo>::new(a);
    stage.spawn(async move { Receiver::<dyn Echo>::new(b).serve(&mut Impl).await.unwrap() });
    assert_eq!(remote.text("hi").await.unwrap(), "hi");
}

async fn two_nodes(stage: Stage) {
    let (left, right) = (stage.node(), stage.node());
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let remote = Remote::<dyn Echo>::new(left.send_invitation(ours).unwrap());
    let first = remote.text("early");
    let pipe = right.accept_invitation(theirs).await.unwrap();
    let serving = right.clone();
    stage.spawn(async move { Receiver::<dyn Echo>::new(pipe).serve(&mut Impl).await.unwrap(); drop(serving) });
    assert_eq!(first.await.unwrap(), "early");
    for i in 0..100 {
        let text = format!("x{i}");
        assert_eq!(remote.text(&text).await.unwrap(), text);
    }
    // a pipe there and back
    let (a, b) = left.create_message_pipes();
    let kept = Remote::<dyn Echo>::new(a);
    let call = kept.text("through");
    let mut b = b;
    for _ in 0..20 { b = remote.pipe(b).await.unwrap(); }
    stage.spawn(async move { Receiver::<dyn Echo>::new(b).serve(&mut Impl).await.unwrap() });
    assert_eq!(call.await.unwrap(), "through");
    println!("{} {}", left.inspect(), right.inspect());
    let _: Option<EchoMessage> = None;
    assert!(matches!(remote.never().await, Err(mage::CallError::NoReply)));
}

on_every_scheduler! { local_call two_nodes }
