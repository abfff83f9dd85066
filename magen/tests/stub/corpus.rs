//! Speaks every interface of the corpus, and feeds every decoder: with values that were encoded, and with bytes that
//! nobody encoded.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::File;
use std::os::fd::OwnedFd;

use mage::codegen::{Decode, Encode, Message, Proxy, arrive_bytes};
use mage::{ByteString, Bytes, Call, Interface, MessagePipe, PendingReceiver, PendingRemote, Reply, decode_bytes, encode_bytes};

// MODULES

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// How often each decoder is fed.
const ROUNDS: usize = 400;

/// How many values of each type, and how many messages of each method, make the way there and back.
const SAMPLES: usize = 12;

/// The same bytes in every run.
struct Random {
    state: u64,
    /// How many structs and unions are around the value that is drawn.
    depth: usize,
}

impl Random {
    fn new(state: u64) -> Self {
        Self { state, depth: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// One of `0..end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// How many elements something has: fewer and fewer further in, so that every value ends.
    fn length(&mut self) -> u64 {
        if self.depth > 4 { 0 } else { self.below(4) }
    }

    /// Draws what is inside a struct or a union.
    fn inside<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let value = draw(self);
        self.depth -= 1;
        value
    }

    /// Mostly small numbers: lengths and kinds that lead further.
    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 160;
        (0..length).map(|_| if self.next() % 8 == 0 { self.next() as u8 } else { (self.next() % 5 / 3) as u8 }).collect()
    }
}

/// Runs `decode`, which must not allocate out of proportion to what there is.
fn measured<T>(bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let before = counting::watch();
    let result = decode();
    let used = (counting::counts().bytes_max - before.bytes).unsigned_abs();
    assert!(used <= 4096 + 512 * bytes.len(), "{used} bytes for a message of {}", bytes.len());
    result
}

fn feed_message<M: Message>() {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let bytes = random.bytes();
        let _ = measured(&bytes, || arrive_bytes::<M>((round % 10) as u32, &bytes, (round % 3) as u8));
    }
}

fn feed_value<T: Decode + Debug>()
where
    for<'a> &'a T: Encode,
{
    let mut random = Random::new(0x2545_f491_4f6c_dd1d);
    let mut right = 0;
    for round in 0..ROUNDS {
        let mut bytes = random.bytes();
        let smallest = T::SIZE_MIN;
        if round % 4 == 0 {
            // Long enough for every value that is small.
            bytes = vec![0; smallest];
            let place = random.next() as usize % smallest;
            bytes[place] = (random.next() % 4) as u8;
        }
        if let Ok(value) = measured(&bytes, || decode_bytes::<T>(&bytes)) {
            assert_comes_back::<T>(value);
            right += 1;
        }
    }
    assert!(right > 0 || T::SIZE_MIN > 4, "no random bytes are a {}", std::any::type_name::<T>());
}

/// Encoding, decoding and encoding again gives the same bytes.
fn assert_comes_back<T: Decode + Debug>(value: T)
where
    for<'a> &'a T: Encode,
{
    let Ok(bytes) = encode_bytes(&value) else { panic!("{value:?} was decoded and cannot be encoded") };
    assert!(bytes.len() >= T::SIZE_MIN, "{value:?} has {} bytes", bytes.len());
    let decoded: T = decode_bytes(&bytes).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(encode_bytes(&decoded), Ok(bytes), "{value:?}");
}

/// Some value of a type, within all bounds of the corpus.
trait Sample {
    fn sample(random: &mut Random) -> Self;
}

macro_rules! sample {
    ($($type:ty, $random:ident => $value:expr;)*) => {$(
        impl Sample for $type {
            fn sample($random: &mut Random) -> Self {
                $value
            }
        }
    )*};
}

sample! {
    (), _random => ();
    bool, random => random.below(2) == 1;
    i8, random => random.next() as i8;
    i16, random => random.next() as i16;
    i32, random => random.next() as i32;
    i64, random => random.next() as i64;
    u8, random => random.next() as u8;
    u16, random => random.next() as u16;
    u32, random => random.next() as u32;
    u64, random => random.next();
    f32, random => random.next() as i32 as f32 / 8.0;
    f64, random => random.next() as i64 as f64 / 8.0;
    String, random => ["", "a", "\n", "ß", "\"\\"][random.below(5) as usize].to_owned();
    &'static str, random => String::sample(random).leak();
    ByteString, random => <&str>::sample(random).into();
    Bytes, random => Vec::sample(random).into();
    MessagePipe, random => MessagePipe(random.next() as u8);
    OwnedFd, _random => File::open("/dev/null").unwrap().into();
}

impl<T: Sample> Sample for &'static T {
    fn sample(random: &mut Random) -> Self {
        Box::leak(Box::new(T::sample(random)))
    }
}

impl<T: Sample> Sample for &'static [T] {
    fn sample(random: &mut Random) -> Self {
        Vec::sample(random).leak()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Random) -> Self {
        (0..random.length()).map(|_| T::sample(random)).collect()
    }
}

impl<T: Sample, const N: usize> Sample for [T; N] {
    fn sample(random: &mut Random) -> Self {
        std::array::from_fn(|_| T::sample(random))
    }
}

impl<K: Sample + Ord, V: Sample> Sample for BTreeMap<K, V> {
    fn sample(random: &mut Random) -> Self {
        (0..random.length()).map(|_| (K::sample(random), V::sample(random))).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Random) -> Self {
        (random.length() > 0).then(|| T::sample(random))
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(random: &mut Random) -> Self {
        Self::new(T::sample(random))
    }
}

impl<T: Sample, E: Sample> Sample for Result<T, E> {
    fn sample(random: &mut Random) -> Self {
        if random.below(3) > 0 { Ok(T::sample(random)) } else { Err(E::sample(random)) }
    }
}

impl<T: ?Sized> Sample for PendingRemote<T> {
    fn sample(random: &mut Random) -> Self {
        Self::new(Sample::sample(random))
    }
}

impl<T: ?Sized> Sample for PendingReceiver<T> {
    fn sample(random: &mut Random) -> Self {
        Self::new(Sample::sample(random))
    }
}

/// Sends one message of the interface `I`: what `send` says is what arrives.
fn carried<I: Interface + ?Sized, C>(send: impl FnOnce(&I::Proxy) -> C) -> (C, I::Message) {
    let proxy = I::Proxy::new(Default::default());
    let call = send(&proxy);
    let sent = proxy.into_channel().sent().pop().expect("a message was sent");
    (call, sent.arrive().unwrap_or_else(|error| panic!("{}: {error}", I::NAME)))
}

/// Sends an answer, which arrives as it was sent.
fn answered<T: Sample + Debug + Encode + Decode>(reply: Reply<T>, call: Call<T>, random: &mut Random) {
    let answer = T::sample(random);
    let text = format!("{answer:?}");
    reply.send(answer).unwrap();
    assert_eq!(format!("{:?}", call.take()), text);
}

/// Values that were not decoded from anything come back as they are.
fn samples_come_back<T: Sample + Decode + Debug>()
where
    for<'a> &'a T: Encode,
{
    let mut random = Random::new(0xd1b5_4a32_d192_ed03);
    for _ in 0..SAMPLES {
        let value = T::sample(&mut random);
        let bytes = encode_bytes(&value).unwrap_or_else(|error| panic!("{value:?}: {error:?}"));
        let decoded: T = decode_bytes(&bytes).unwrap_or_else(|error| panic!("{value:?}: {error}"));
        assert_eq!(format!("{value:?}"), format!("{decoded:?}"));
    }
}

// SAMPLES

fn main() {
    // CALLS
}
