//! From frames to bytes.

use super::header::{
    ABOUT_GUEST_BYTES, CRITICAL, DESCRIPTOR_BYTES_MAX, HANDLES_LOST, Kind, MAGIC, USER_OVERHEAD_MAX,
};
use super::names::Names;
use super::put::{Head, Put};
use crate::core::{Body, Control, Count, Descriptor, Ends, Frame, Hello, Parcel, Side, Welcome, Window};

/// Set in a descriptor whose end is the second of its pipe.
pub(super) const SECOND: u8 = 1;
/// Set in a descriptor whose end nobody listens to.
pub(super) const MUTE: u8 = 2;

/// Appends the bytes of one frame to `out`, and its handles to `handles`.
///
/// The caller sends the handles with the first byte of the frame.
pub(crate) fn encode<H>(frame: Frame<H>, names: Names, out: &mut Vec<u8>, handles: &mut Vec<H>) {
    let start = out.len();
    let handles_before = handles.len();
    let kind = Kind::of(&frame).number();
    let flags = if frame.has_lost_handles() { CRITICAL | HANDLES_LOST } else { CRITICAL };
    reserve(&frame, out);
    let mut head = Head::new();
    head.put([0, 0, 0, 0, kind, flags, 0, 0]);
    match frame {
        Frame::Endpoint { to, from, body } => {
            names.put_endpoint(to, &mut head);
            names.put_own_endpoint(from, &mut head);
            put_body(body, names, head, out, handles);
        }
        Frame::Control(control) => {
            out.extend_from_slice(head.bytes());
            put_control(control, names, out, handles);
        }
    }
    seal(out, start, handles.len() - handles_before);
}

/// The kernel does not pass the handles of the first frame in `encoded`: makes of it what can be said without them, a
/// message that says so or a refusal in the place of a socket. False if that is nothing.
pub(crate) fn lose_handles(encoded: &mut Vec<u8>) -> bool {
    const USER: u8 = Kind::User.number();
    const INTRODUCE: u8 = Kind::Introduce.number();
    const ADMIT: u8 = Kind::Admit.number();
    let Some([a, b, c, d, kind, flags, handles, ..]) = encoded.get_mut(..) else { return false };
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    match *kind {
        USER => *flags |= HANDLES_LOST,
        INTRODUCE => *kind = Kind::IntroductionFailed.number(),
        ADMIT => *kind = Kind::RefuseAdmission.number(),
        _ => return false,
    }
    *handles = 0;
    if *kind == Kind::RefuseAdmission.number() {
        // The guest's name is not said.
        [*a, *b, *c, *d] = u32::try_from(ABOUT_GUEST_BYTES).unwrap_or(u32::MAX).to_le_bytes();
        encoded.drain(ABOUT_GUEST_BYTES..length.min(encoded.len()));
    }
    true
}

/// Makes room for a message at once; the other frames are small.
fn reserve<H>(frame: &Frame<H>, out: &mut Vec<u8>) {
    if let Frame::Endpoint { body: Body::User(parcel), .. } = frame {
        let ends = parcel.ends.len() * DESCRIPTOR_BYTES_MAX;
        out.reserve(USER_OVERHEAD_MAX.min(128 + ends) + parcel.bytes.len());
    }
}

/// Writes into the header what is known only now. A number that does not fit is written as the largest, which every
/// receiver refuses: nothing is ever cut short in silence.
fn seal(out: &mut [u8], start: usize, handles: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some([a, b, c, d, _kind, _flags, count, ..]) = out.get_mut(start..) {
        [*a, *b, *c, *d] = length.to_le_bytes();
        *count = saturated(handles);
    }
}

fn saturated(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

fn put_body<H>(body: Body<H>, names: Names, mut head: Head, out: &mut Vec<u8>, handles: &mut Vec<H>) {
    if let Body::User(parcel) = &body {
        head.put(parcel.sequence.to_le_bytes());
        head.put(parcel.hops.to_le_bytes());
        head.put([saturated(parcel.ends.len())]);
    }
    out.extend_from_slice(head.bytes());
    match body {
        Body::User(parcel) => put_parcel(parcel, names, out, handles),
        Body::End(why) => out.push(why.code()),
        Body::PrevIs(address) | Body::PrevIsPlace(address) | Body::Bypass(address) => {
            names.put_address(address, out)
        }
        Body::Credit(count) => put_count(count, out),
        Body::Accepted | Body::Ack | Body::Gone => {}
    }
}

/// What is behind the fixed fields of a message.
fn put_parcel<H>(parcel: Parcel<H>, names: Names, out: &mut Vec<u8>, handles: &mut Vec<H>) {
    let Parcel { bytes, ends, handles: attached, .. } = parcel;
    // Ends that stay on this node never get here. Should they, the count without descriptors is refused over there.
    if let Ends::Moved(descriptors) = &ends {
        put_descriptors(descriptors, names, out);
    }
    out.extend_from_slice(&bytes);
    handles.extend(attached);
}

fn put_descriptors(descriptors: &[Descriptor], names: Names, out: &mut Vec<u8>) {
    for descriptor in descriptors {
        let Descriptor { number, pipe, side, mute, peer, origin, window } = descriptor;
        let Window { sent, limit, read, granted } = *window;
        let side = if *side == Side::Second { SECOND } else { 0 };
        let mute = if *mute { MUTE } else { 0 };
        out.extend_from_slice(&number.to_le_bytes());
        out.push(side | mute);
        for count in [sent, limit, read, granted] {
            put_count(count, out);
        }
        names.put_pipe(*pipe, out);
        names.put_address(*peer, out);
        names.put_own_endpoint(*origin, out);
    }
}

fn put_count(count: Count, out: &mut Vec<u8>) {
    out.extend_from_slice(&count.messages.to_le_bytes());
    out.extend_from_slice(&count.bytes.to_le_bytes());
}

fn put_control<H>(control: Control<H>, names: Names, out: &mut Vec<u8>, handles: &mut Vec<H>) {
    match control {
        Control::Hello(hello) => put_hello(&hello, out),
        Control::Welcome(welcome) => put_welcome(welcome, names, out, handles),
        Control::RequestIntroduction { name } | Control::IntroductionFailed { name } => {
            names.put_node(name, out);
        }
        Control::Introduce { name, socket } => {
            names.put_node(name, out);
            handles.push(socket);
        }
        Control::RequestAdmission { guest } | Control::RefuseAdmission { guest } => {
            out.extend_from_slice(&guest.to_le_bytes());
        }
        Control::Admit { guest, name, socket } => {
            out.extend_from_slice(&guest.to_le_bytes());
            names.put_node(name, out);
            handles.push(socket);
        }
    }
}

fn put_hello(hello: &Hello, out: &mut Vec<u8>) {
    let Hello { version_min, version_max, features, inviting } = hello;
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&features.to_le_bytes());
    out.extend_from_slice(&version_min.to_le_bytes());
    out.extend_from_slice(&version_max.to_le_bytes());
    out.push(u8::from(*inviting));
}

/// The names of a welcome are written as they are: its receiver does not know yet which of them is its own.
fn put_welcome<H>(welcome: Welcome<H>, names: Names, out: &mut Vec<u8>, handles: &mut Vec<H>) {
    let names = Names::of_inviter(&welcome, names.mask);
    let Welcome { version, isolated, you, me, broker, socket, pipes } = welcome;
    out.extend_from_slice(&version.to_le_bytes());
    out.push(u8::from(isolated));
    for node in [you, me, broker] {
        out.extend_from_slice(&node.to_bytes());
    }
    out.push(saturated(pipes.len()));
    for (label, descriptor) in &pipes {
        out.push(saturated(label.as_str().len()));
        out.extend_from_slice(label.as_str().as_bytes());
        put_descriptors(std::slice::from_ref(descriptor), names, out);
    }
    handles.extend(socket);
}
