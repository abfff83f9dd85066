//! What a codec does to names: inside a node it is "here", on the wire it has its real name.

use super::token::Token;
use crate::core::frame::{Body, Control, Descriptor, Ends, Frame, Parcel, Welcome};
use crate::core::name::{Address, EndpointName, NodeName, PipeName};

/// A frame as it leaves the node `me`.
pub(super) fn outward(frame: Frame<Token>, me: Option<NodeName>) -> Frame<Token> {
    let map = Map { from: NodeName::LOCAL, to: me };
    map.frame(frame)
}

/// A frame as it enters the node `me`; before the welcome a node has no name that could occur.
pub(super) fn inward(frame: Frame<Token>, me: Option<NodeName>) -> Frame<Token> {
    match me {
        Some(me) => Map { from: me, to: Some(NodeName::LOCAL) }.frame(frame),
        None => frame,
    }
}

struct Map {
    from: NodeName,
    to: Option<NodeName>,
}

impl Map {
    fn node(&self, name: NodeName) -> NodeName {
        if name == self.from {
            self.to.expect("a link without a name speaks only of the handshake")
        } else {
            name
        }
    }

    fn endpoint(&self, name: EndpointName) -> EndpointName {
        EndpointName { creator: self.node(name.creator), ..name }
    }

    fn address(&self, address: Address) -> Address {
        Address { node: self.node(address.node), endpoint: self.endpoint(address.endpoint) }
    }

    fn descriptor(&self, descriptor: Descriptor) -> Descriptor {
        Descriptor {
            pipe: PipeName { creator: self.node(descriptor.pipe.creator), ..descriptor.pipe },
            peer: self.address(descriptor.peer),
            origin: self.endpoint(descriptor.origin),
            ..descriptor
        }
    }

    fn descriptors(&self, descriptors: Vec<Descriptor>) -> Vec<Descriptor> {
        descriptors.into_iter().map(|descriptor| self.descriptor(descriptor)).collect()
    }

    fn frame(&self, frame: Frame<Token>) -> Frame<Token> {
        match frame {
            Frame::Endpoint { to, from, body } => {
                Frame::Endpoint { to: self.endpoint(to), from: self.endpoint(from), body: self.body(body) }
            }
            Frame::Control(control) => Frame::Control(self.control(control)),
        }
    }

    fn body(&self, body: Body<Token>) -> Body<Token> {
        match body {
            Body::User(parcel) => {
                let ends = match parcel.ends {
                    Ends::Here(_) => unreachable!("a message to another node describes its ends"),
                    Ends::Moved(descriptors) => Ends::Moved(self.descriptors(descriptors.into_vec()).into()),
                };
                Body::User(Parcel { ends, ..parcel })
            }
            Body::PrevIs(address) => Body::PrevIs(self.address(address)),
            Body::PrevIsPlace(address) => Body::PrevIsPlace(self.address(address)),
            Body::Bypass(address) => Body::Bypass(self.address(address)),
            body => body,
        }
    }

    fn control(&self, control: Control<Token>) -> Control<Token> {
        match control {
            Control::Hello(hello) => Control::Hello(hello),
            // The names that a welcome gives are never "here": they are what the words mean from now on.
            Control::Welcome(welcome) => {
                let pipes =
                    welcome.pipes.into_iter().map(|(label, end)| (label, self.descriptor(end))).collect();
                Control::Welcome(Welcome { pipes, ..welcome })
            }
            Control::RequestIntroduction { name } => Control::RequestIntroduction { name: self.node(name) },
            Control::Introduce { name, socket } => Control::Introduce { name: self.node(name), socket },
            Control::IntroductionFailed { name } => Control::IntroductionFailed { name: self.node(name) },
            Control::RequestAdmission { guest } => Control::RequestAdmission { guest },
            Control::Admit { guest, name, socket } => Control::Admit { guest, name: self.node(name), socket },
            Control::RefuseAdmission { guest } => Control::RefuseAdmission { guest },
        }
    }
}
