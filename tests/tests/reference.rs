//! The Rust that `docs/MAGEN.md` shows, with what it takes around it. That nothing else is shown there, `magen/tests/reference.rs`
//! sees.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::StreamExt;
use futures::executor::block_on;
use futures::future::join;
use mage::event_loop::EventLoop;
use mage::sched::Scheduler;
use mage::{
    ByteString, Bytes, CallError, Dispatch, Mapped, MessagePipe, Node, Receiver, Remote, Reply, StreamError,
    StreamReceiver,
};
use mage_tests::Percent;

use browser::{Browser, BrowserMock, BrowserNavigateResponse};
use cache::Cache;
use microphone::{Lost, Microphone, Sample};
use player::{OpenError, Player, PlayerMessage, PlayerMock};

mod browser {
    mage::include_magen!("browser");
}

mod cache {
    mage::include_magen!("cache");
}

mod microphone {
    mage::include_magen!("microphone");
}

mod player {
    mage::include_magen!("player");
}

mage::include_magen!(
    mod geometry;
    mod canvas;
);

mage::magen! {
    /// Fetches pages.
    interface Fetcher {
        Fetch(string<2048> url) => (bytes page) error string;
    }
}

/// A screen, in Rust.
#[mage::interface]
pub mod screen {
    const NAME_BYTES_MAX: u32 = 64;

    struct Point {
        x: i32,
        y: i32,
    }

    #[mage(Extensible)]
    enum Button {
        Left,
        Right,
        #[mage(MinVersion = 1)]
        Middle,
    }

    // Its variants have values: a union.
    enum Event {
        Moved(Point),
        #[mage(ordinal = 4)]
        Pressed(Button),
    }

    trait Observer {
        fn happened(&mut self, event: Event); // one-way
    }

    #[mage(Extensible, reserved(2))]
    trait Screen {
        fn name(&mut self, name: Max<String, NAME_BYTES_MAX>);

        #[mage(answer(size, #[mage(MinVersion = 1, default = 1.0)] scale))]
        fn observe(&mut self, observer: PendingRemote<dyn Observer>) -> Result<(Point, f64), String>;

        #[mage(name = ShowURL, ordinal = 10)]
        fn show_url(&mut self, url: String, #[mage(MinVersion = 2, default = true)] is_full: bool);
    }
}

/// Where a page is.
#[derive(Clone, Debug, PartialEq)]
pub struct Url(String);

/// What is wrong with a text that should be a [`Url`].
#[derive(Debug)]
pub struct ParseError;

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("there is no scheme")
    }
}

impl Url {
    fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, ParseError> {
        if text.contains("://") { Ok(Self(text.to_owned())) } else { Err(ParseError) }
    }
}

impl Mapped<String> for Url {
    type Error = ParseError;

    fn to_wire(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_wire(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

#[test]
fn types_of_the_program() {
    let (browser, receiver) = mage::testing::pair::<dyn Browser>();
    let mut mock = BrowserMock::default();
    mock.navigate.once(|(url, reply)| {
        assert_eq!(url.as_str(), "http://here");
        reply.send(BrowserNavigateResponse { progress: Percent(7) }).expect("the caller waits");
    });
    let test = async move {
        let answer = browser.navigate(&Url("http://here".to_owned())).await.expect("it answers");
        assert_eq!(answer.progress, Percent(7));
        // It is sent as it is, and refused where it arrives.
        browser.navigate(&Url("here".to_owned())).await.expect_err("that is no place")
    };
    let (served, error) = block_on(join(receiver.serve(&mut mock), test));
    assert!(matches!(error, CallError::BadMessage(_)), "{error:?}");
    assert!(served.is_err() && mock.is_satisfied());
}

/// Keeps what it is given.
#[derive(Default)]
struct Memory {
    entries: BTreeMap<ByteString, Bytes>,
}

impl Cache for Memory {
    fn put(&mut self, key: ByteString, value: Bytes) {
        // Both stay where they arrived.
        self.entries.insert(key, value);
    }

    fn get(&mut self, keys: Vec<ByteString>, reply: Reply<BTreeMap<ByteString, Bytes>>) {
        let found = keys.into_iter().filter_map(|key| Some((key.clone(), self.entries.get(&key)?.clone())));
        let _ = reply.send(found.collect());
    }
}

#[test]
fn slices_of_the_message() {
    let (cache, receiver) = mage::testing::pair::<dyn Cache>();
    let mut memory = Memory::default();
    let test = async move {
        cache.put("one", b"1").expect("there is room");
        cache.put("two", &vec![2; 100_000]).expect("there is room");
        cache.get(&["two".into(), "three".into()]).await.expect("it answers")
    };
    let (served, found) = block_on(join(receiver.serve(&mut memory), test));
    served.expect("the caller left");
    assert_eq!(found, BTreeMap::from([("two".into(), vec![2; 100_000].into())]));
}

/// Hears three samples.
struct Device {
    node: Node,
    scheduler: Arc<dyn Scheduler>,
}

async fn next_sample() -> Option<Sample> {
    static TIME: AtomicI64 = AtomicI64::new(0);
    let time = TIME.fetch_add(1, Ordering::Relaxed);
    (time < 3).then_some(Sample { time, level: 0.5 })
}

impl Microphone for Device {
    fn listen(&mut self, reply: Reply<StreamReceiver<Sample, Lost>>) {
        let (mut sender, receiver) = mage::stream(&self.node);
        let _ = reply.send(receiver);
        self.scheduler.spawn(Box::pin(async move {
            while let Some(sample) = next_sample().await {
                // Waits for room, and fails when the reader is gone.
                if sender.send(sample).await.is_err() {
                    return;
                }
            }
            // Or `finish`, when that was all.
            let _ = sender.fail(Lost::DeviceGone).await;
        }));
    }

    fn play(&mut self, _samples: StreamReceiver<Sample>) {}
}

/// Why there is nothing more to show.
struct Ended(String);

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        Self(error.to_string())
    }
}

impl From<StreamError<Lost>> for Ended {
    fn from(error: StreamError<Lost>) -> Self {
        Self(format!("{error:?}"))
    }
}

async fn show_all(microphone: Remote<dyn Microphone>, mut show: impl FnMut(Sample)) -> Result<(), Ended> {
    let mut samples = microphone.listen().await?;
    // A `futures::Stream` of results.
    while let Some(sample) = samples.next().await {
        show(sample?);
    }
    Ok(())
}

#[test]
fn a_stream() {
    let mut event_loop = EventLoop::new().expect("there is a loop");
    let scheduler: Arc<dyn Scheduler> = event_loop.scheduler();
    let mut device = Device { node: Node::new(Arc::clone(&scheduler)), scheduler };
    // An end of a stream travels through pipes of its own node.
    let (near, far) = device.node.create_message_pipes();
    let (microphone, receiver) = (Remote::new(near), Receiver::<dyn Microphone>::new(far));
    let mut times = Vec::new();
    let listened = show_all(microphone, |sample| times.push(sample.time));
    let (served, ended) = event_loop.run_until(join(receiver.serve(&mut device), listened));
    served.expect("the caller left");
    assert_eq!(ended.map_err(|Ended(why)| why), Err("Failed(DeviceGone)".to_owned()));
    assert_eq!(times, [0, 1, 2]);
}

async fn open(url: &str) -> Result<i64, OpenError> {
    if url == "here" { Ok(24) } else { Err(OpenError::NotFound) }
}

async fn play(pipe: MessagePipe, mut rest: PlayerMock) -> Result<PlayerMock, Box<dyn Error>> {
    let mut receiver = Receiver::<dyn Player>::new(pipe);
    while let Some(message) = receiver.recv().await? {
        match message {
            // The next message waits meanwhile.
            PlayerMessage::Open { url, reply } => reply.send(open(&url).await)?,
            other => other.dispatch(&mut rest),
        }
    }
    Ok(rest)
}

#[test]
fn messages() {
    let (near, far) = mage::testing::lonely_node().create_message_pipes();
    let mut rest = PlayerMock::default();
    rest.stop.once(|()| {});
    let test = async {
        let player = Remote::<dyn Player>::new(near);
        assert_eq!(player.open("here").await.expect("it answers"), Ok(24));
        assert_eq!(player.open("there").await.expect("it answers"), Err(OpenError::NotFound));
        player.stop().expect("there is room");
    };
    let (played, ()) = block_on(join(play(far, rest), test));
    assert!(played.expect("the caller left").is_satisfied());
}

async fn test(player: Remote<dyn Player>) -> Result<Result<i64, OpenError>, CallError> {
    player.open("nowhere").await
}

#[test]
fn a_mock() {
    block_on(async {
        // In memory, without a scheduler.
        let (player, receiver) = mage::testing::pair::<dyn Player>();
        let mut mock = PlayerMock::default();
        mock.open.once(|(_url, reply)| reply.send(Err(OpenError::NotFound)).expect("the caller waits"));
        let (served, answer) = join(receiver.serve(&mut mock), test(player)).await;
        assert!(mock.is_satisfied());

        served.expect("the caller left");
        assert_eq!(answer.expect("it answers"), Err(OpenError::NotFound));
    });
}
