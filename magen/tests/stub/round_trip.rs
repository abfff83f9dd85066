//! Sends every type and looks at what arrives; `EVERY_TYPE` stands for the path of the generated code.

use mage::codegen::{Channel, Proxy};
use mage::{Dispatch, Interface, MessagePipe, Reply};

include!(EVERY_TYPE);

#[derive(Default)]
struct Handler {
    calls: Vec<String>,
}

impl EveryType for Handler {
    fn one_way(&mut self, a: bool, b: i32, c: i64, d: f64, e: u8, f: String, g: MessagePipe) {
        self.calls.push(format!("{a} {b} {c} {d} {e} {f} {g:?}"));
    }

    fn call(
        &mut self,
        a: bool,
        b: i32,
        c: i64,
        d: f64,
        e: u8,
        f: String,
        g: MessagePipe,
        reply: Reply<EveryTypeCallResponse>,
    ) {
        reply.send(EveryTypeCallResponse { a: !a, b: -b, c: -c, d: -d, e: e + 1, f: f + "!", g: MessagePipe(g.0 + 1) }).unwrap();
    }

    fn bool(&mut self, value: bool, reply: Reply<bool>) {
        reply.send(!value).unwrap();
    }

    fn int(&mut self, value: i32, reply: Reply<i32>) {
        reply.send(value + 1).unwrap();
    }

    fn long(&mut self, value: i64, reply: Reply<i64>) {
        reply.send(value + 1).unwrap();
    }

    fn double(&mut self, value: f64, reply: Reply<f64>) {
        reply.send(value * 2.0).unwrap();
    }

    fn char(&mut self, value: u8, reply: Reply<u8>) {
        reply.send(value + 1).unwrap();
    }

    fn string(&mut self, value: String, reply: Reply<String>) {
        reply.send(value.to_uppercase()).unwrap();
    }

    fn message_pipe(&mut self, value: MessagePipe, reply: Reply<MessagePipe>) {
        reply.send(value).unwrap();
    }
}

fn main() {
    let proxy = <dyn EveryType as Interface>::Proxy::new(Channel::default());
    proxy.one_way(true, -1, 1 << 40, 0.5, 7, "seven", MessagePipe(9)).unwrap();
    let call = proxy.call(true, 1, 2, 3.5, 4, "five", MessagePipe(6));
    let bool = proxy.bool(true);
    let int = proxy.int(1);
    let long = proxy.long(1);
    let double = proxy.double(1.5);
    let char = proxy.char(b'a');
    let string = proxy.string("text");
    let pipe = proxy.message_pipe(MessagePipe(3));

    let mut handler = Handler::default();
    for sent in proxy.into_channel().sent() {
        sent.arrive::<EveryTypeMessage>().unwrap().dispatch(&mut handler);
    }
    assert_eq!(handler.calls, ["true -1 1099511627776 0.5 7 seven MessagePipe(9)"]);
    let answer = call.take();
    assert_eq!((answer.a, answer.b, answer.c, answer.d, answer.e), (false, -1, -2, -3.5, 5));
    assert_eq!((answer.f.as_str(), answer.g), ("five!", MessagePipe(7)));
    assert!(!bool.take());
    assert_eq!((int.take(), long.take(), double.take(), char.take()), (2, 2, 3.0, b'b'));
    assert_eq!((string.take().as_str(), pipe.take()), ("TEXT", MessagePipe(3)));

    let unknown = Channel::default();
    unknown.notify(9, |_| {}).unwrap();
    let error = unknown.sent().remove(0).arrive::<EveryTypeMessage>().unwrap_err();
    assert_eq!(error, mage::BadMessage::UnknownMethod { interface: "", method: 9 });
    assert_eq!(<dyn EveryType as Interface>::NAME, "EveryType");
}
