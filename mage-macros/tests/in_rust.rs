//! Whatever the interface language can say of a trait and what is in it can be said in Rust: both are the same interface.

use std::fs;
use std::path::Path;

use mage::Interface;

/// The page shows this module as it stands here.
#[mage_macros::interface]
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

#[mage_macros::interface(module = "media.player")]
mod in_rust {
    /// How many tracks there may be.
    const TRACKS_MAX: u32 = 100;
    const GREETING: &'static str = "hello";

    #[mage(Extensible, reserved(3, 4))]
    enum Codec {
        Vp9 = 9,
        Av1,
        #[mage(MinVersion = 1)]
        H266 = 12,
    }

    #[mage(Extensible)]
    struct Options {
        #[mage(default = Codec::Av1)]
        codec: Codec,
        #[mage(default = -1.5)]
        volume: f64,
        #[mage(default = "none")]
        label: Max<String, 16>,
        #[mage(MinVersion = 1, default = true)]
        repeats: bool,
    }

    #[mage(Extensible, reserved(1))]
    enum Event {
        Position(i64),
        #[mage(ordinal = 7)]
        // A slice of its message, which the other side does not notice.
        Picture(Max<Bytes, 4096>),
        #[mage(MinVersion = 1)]
        Failed(ByteString),
    }

    /// Plays.
    #[mage(Extensible, reserved(2))]
    trait Player {
        /// Opens a page.
        #[mage(name = OpenURL, answer(found, #[mage(MinVersion = 1, default = 7)] frames))]
        fn open_url(
            &mut self,
            /// Where it is.
            url: Max<String, 2048>,
            options: Options,
            #[mage(MinVersion = 1, default = true)] muted: bool,
        ) -> Result<(bool, i32), Codec>;

        #[mage(ordinal = 10)]
        fn list(
            &mut self,
            tracks: Max<Vec<Max<String, 64>>, TRACKS_MAX>,
            sizes: Max<BTreeMap<String, i64>, 5>,
        );

        #[mage(answer(events))]
        fn events(&mut self) -> StreamReceiver<Event>;

        #[mage(MinVersion = 2)]
        fn draw(&mut self, colour: Option<[u8; 4]>) -> ();
    }
}

mod in_magen {
    mage_macros::magen! {
        module media.player;

        const uint32 TRACKS_MAX = 100;
        const string GREETING = "hello";

        [Extensible]
        enum Codec { reserved 3, 4; Vp9 = 9, Av1, [MinVersion=1] H266 = 12 }

        [Extensible]
        struct Options {
            Codec codec = Av1;
            double volume = -1.5;
            string<16> label = "none";
            [MinVersion=1] bool repeats = true;
        }

        [Extensible]
        union Event {
            reserved 1;
            int64 position;
            bytes<4096> picture @7;
            [MinVersion=1] string failed;
        }

        [Extensible]
        interface Player {
            reserved 2;
            OpenURL(string<2048> url, Options options, [MinVersion=1] bool muted = true)
                => (bool found, [MinVersion=1] int frames = 7) error Codec;
            List@10(array<string<64>> max TRACKS_MAX tracks, map<string, long> max 5 sizes);
            Events() => (stream<Event> events);
            [MinVersion=2] Draw(array<uint8, 4>? colour) => ();
        }
    }
}

#[test]
fn both_say_the_same() {
    let (rust, magen) = (<dyn in_rust::Player>::DESCRIPTION, <dyn in_magen::Player>::DESCRIPTION);
    assert_eq!(rust.text, magen.text);
    assert_eq!(<dyn in_rust::Player>::NAME, "media.player.Player");
    assert_eq!(<dyn in_rust::Player>::FINGERPRINT, <dyn in_magen::Player>::FINGERPRINT);
    assert_eq!(format!("{:?}", rust.lineage), format!("{:?}", magen.lineage));
}

#[test]
fn defaults_and_constants_are_there() {
    let options = in_rust::Options::default();
    assert_eq!((options.codec, options.volume), (in_rust::Codec::Av1, -1.5));
    assert_eq!((options.label.as_str(), options.repeats), ("none", true));
    assert_eq!((in_rust::TRACKS_MAX, in_rust::GREETING), (100, "hello"));
}

struct Offline;

impl in_rust::Player for Offline {
    fn open_url(
        &mut self,
        url: String,
        options: in_rust::Options,
        muted: bool,
        reply: mage::Reply<Result<in_rust::PlayerOpenUrlResponse, in_rust::Codec>>,
    ) {
        let frames = i32::from(muted);
        let _ = reply.send(if url.is_empty() {
            Err(options.codec)
        } else {
            Ok(in_rust::PlayerOpenUrlResponse { found: false, frames })
        });
    }

    fn list(&mut self, _tracks: Vec<String>, _sizes: std::collections::BTreeMap<String, i64>) {}

    fn events(&mut self, _reply: mage::Reply<mage::StreamReceiver<in_rust::Event>>) {}

    fn draw(&mut self, _colour: Option<[u8; 4]>, reply: mage::Reply<()>) {
        let _ = reply.send(());
    }
}

#[test]
fn the_page_shows_what_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(page) = fs::read_to_string(root.join("../docs/MAGEN.md")) else {
        return;
    };
    let test = fs::read_to_string(root.join("tests/in_rust.rs")).expect("it has been compiled");
    let start = test.find("pub mod screen {").expect("it is there");
    let module = test[start..].split_inclusive("\n}\n").next().expect("it ends");
    assert!(page.contains(&format!("#[mage::interface]\n{module}")), "docs/MAGEN.md does not show\n{module}");
}
