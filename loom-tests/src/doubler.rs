//! `interface Doubler { Double(int number) => (int twice); }`, as the generator would write it.

use mage::codegen::{Channel, DecodeError, Description, Incoming, Message, Proxy};
use mage::{Call, Interface, Reply};

/// Answers with twice the number.
pub trait Doubler {}

/// Calls a [`Doubler`].
#[derive(Debug)]
pub struct DoublerProxy {
    channel: Channel,
}

impl DoublerProxy {
    /// Asks for twice the number.
    pub fn double(&self, number: i32) -> Call<i32> {
        self.channel.call(0, |writer| writer.put(number))
    }
}

impl Proxy for DoublerProxy {
    fn new(channel: Channel) -> Self {
        Self { channel }
    }

    fn channel(&self) -> &Channel {
        &self.channel
    }

    fn into_channel(self) -> Channel {
        self.channel
    }
}

/// The one message of a [`Doubler`].
#[derive(Debug)]
pub struct Double {
    /// What to double.
    pub number: i32,
    /// Where the answer goes.
    pub reply: Reply<i32>,
}

impl Message for Double {
    fn decode(incoming: &mut Incoming) -> Result<Self, DecodeError> {
        match incoming.method() {
            0 => Ok(Self { number: incoming.take()?, reply: incoming.reply()? }),
            other => Err(incoming.unknown_method(other)),
        }
    }
}

impl Interface for dyn Doubler + '_ {
    const NAME: &'static str = "Doubler";
    const FINGERPRINT: u64 = 0xd0;
    const DESCRIPTION: &'static Description =
        &Description { version: 0, is_extensible: false, lineage: &[], text: "interface Doubler\n" };
    type Proxy = DoublerProxy;
    type Message = Double;
}
