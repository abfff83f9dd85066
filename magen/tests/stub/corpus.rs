//! Feeds every decoder of the corpus: with values that were encoded, and with bytes that nobody encoded.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

use mage::codegen::{Decode, Encode, Message, arrive_bytes};
use mage::{decode_bytes, encode_bytes};

// MODULES

/// Counts the bytes that are allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 3000;

/// The same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Mostly small numbers: lengths and kinds that lead further.
    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 160;
        (0..length).map(|_| if self.next() % 8 == 0 { self.next() as u8 } else { (self.next() % 5 / 3) as u8 }).collect()
    }
}

/// Runs `decode`, which must not allocate out of proportion to what there is.
fn measured<T>(bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = decode();
    let used = PEAK.load(Ordering::Relaxed) - before;
    assert!(used <= 4096 + 512 * bytes.len(), "{used} bytes for a message of {}", bytes.len());
    result
}

fn feed_message<M: Message>() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let bytes = random.bytes();
        let _ = measured(&bytes, || arrive_bytes::<M>((round % 10) as u32, &bytes, (round % 3) as u8));
    }
}

fn feed_value<T: Decode + Debug>()
where
    for<'a> &'a T: Encode,
{
    let mut random = Random(0x2545_f491_4f6c_dd1d);
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

fn main() {
    // CALLS
}
