//! Every limit, with its name, its default and its reason, in one place.
//!
//! A limit that only the owner of a node can feel is a field of [`Limits`]; one that both ends of a link must agree
//! on is a constant of the wire format, and changing it is a new version of that format.

use static_assertions::const_assert;

/// Most endpoints (pipe ends) in one message.
pub const MESSAGE_PIPES_MAX: usize = 64;
/// Most handles (file descriptors) in one message: well below the kernel's 253 per `sendmsg`.
pub const MESSAGE_HANDLES_MAX: usize = 64;
/// The longest text with which a handler rejects a message, in bytes; more is cut off.
pub const REJECTION_BYTES_MAX: usize = 512;
/// The longest name of a pipe within an invitation, in bytes.
pub const PIPE_LABEL_BYTES_MAX: usize = 64;
/// Guests of one member that the broker admits at the same time.
pub const PENDING_ADMISSIONS_MAX: usize = 1024;
/// A text or a run of bytes that takes over the buffer of its message keeps so many bytes, beside twice its own length, at most: room
/// for the header and a few small values. Where it would be more, it is copied.
pub const BUFFER_SLACK_MAX: usize = 256;
/// Nodes that one peer has named and that we ask to meet at the same time. Whom it names beyond is taken for gone, so that it cannot
/// use up the names that others need. An honest peer names few nodes within the time that an introduction takes.
pub const ASKED_NAMES_MAX: usize = 1024;
/// How deep values of an interface may contain values of their own kind, such as the nodes of a tree.
pub const VALUE_DEPTH_MAX: u32 = 64;
/// The longest description of an interface that two ends exchange when they do not understand each other, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 256 << 10;
/// Answers that a peer may have caused and left unread on its link. An honest one reads between any two writes, and has
/// at most some ten thousand.
pub const UNREAD_ANSWERS_MAX: usize = 1 << 18;
/// Answers to nothing that was asked, which a remote passes over before it takes their sender for one that breaks the rules. An honest
/// one answers what was asked before the pipe was bound here, and there is no more of that than of unanswered calls and unread messages.
pub const STRAY_ANSWERS_MAX: u64 = 1 << 16;
/// How often a message that carries pipe ends may be forwarded. Two pipes that carry each other chase one another
/// without end; this ends them. Honest bouncing of an end 100 times took 201 hops in the worst schedule found.
pub const HOPS_MAX: u16 = 1024;
/// No sender may ever be allowed to run this far ahead of its reader, in messages, whatever the reader's node is
/// configured to. It bounds what a descriptor or a credit may claim.
pub const WINDOW_MESSAGES_CAP: u64 = 1 << 20;
/// The same in bytes.
pub const WINDOW_BYTES_CAP: u64 = 1 << 34;
/// How many of its own windows a node keeps of one pipe at most, whatever it is told: of an end that says on arrival that
/// a reader has granted more, and of credit that does; at a place that only forwards, of one origin's messages for a sender it does not yet know; and of what one
/// place has passed on to a link that is not read.
/// Windows in one network should not differ by more than this.
pub const HELD_WINDOWS: u64 = 4;
/// Origins of one sending node whose frames an endpoint keeps before it knows whether it is to hear them. An origin is the node that
/// gave the sending end its name, and anybody can name any number of nodes.
pub const HELD_ORIGINS_MAX: usize = 16;
/// What one attached pipe counts for in the byte window, beside the payload.
pub const PIPE_COST: u64 = 256;
/// What one attached handle counts for there. It is what bounds the descriptors that wait in one pipe: with the default window,
/// its sender is told `Full` when 128 are unread.
pub const HANDLE_COST: u64 = 64 << 10;
/// The largest frame that can be declared on a link. Larger is a violation before a byte of it is stored.
pub const FRAME_BYTES_CAP: u32 = 64 << 20;
/// The largest frame of a kind that is not known here and may be skipped. One that is larger is a violation, so that nobody has to read
/// on for the sake of what it will not understand.
pub const SKIPPED_BYTES_MAX: usize = 64 << 10;
/// Faults of peers that a node remembers for whoever inspects it.
pub const FAULTS_KEPT_MAX: usize = 64;
/// Live pipe ends that one unread carrier may have brought, by the number of unread carriers above it. It bounds
/// trees of ends in messages of ends in messages; over it, the carrier's pipe is ended.
pub const CARRIED_MAX: [u32; 9] = [16_384, 4_096, 1_024, 256, 64, 16, 4, 1, 0];

const_assert!(MESSAGE_HANDLES_MAX <= 253);
const_assert!(HOPS_MAX < u16::MAX);

/// What one node lets its peers and its own users consume.
///
/// The defaults suit a desktop program; every field may be changed before the node is made.
///
/// ```
/// let limits = mage::Limits { message_bytes_max: 1 << 20, ..mage::Limits::default() };
/// assert!(limits.window_messages > 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload of one message, in bytes.
    pub message_bytes_max: usize,
    /// Unread messages a pipe may hold per direction before its sender is told `Full`. Where one node of a network has more than
    /// [`HELD_WINDOWS`] times as many as another, their pipes end with [`Why::BrokenRules`](crate::Why::BrokenRules); the same holds for bytes.
    pub window_messages: u64,
    /// Unread bytes a pipe may hold per direction; the message that crosses the line is still taken.
    pub window_bytes: u64,
    /// Calls that one remote may have unanswered, those that nobody waits for any more included. At most half of
    /// `window_messages`, so that replies always have room.
    pub pending_calls_max: usize,
    /// Calls of one pipe that its receiver may have unanswered. A caller that makes more breaks the rules, for an honest
    /// one keeps to its own `pending_calls_max`.
    pub open_requests_max: usize,
    /// Control frames of one origin that an endpoint keeps for a sender it does not yet know to be its own.
    pub held_controls_max: usize,
    /// Frames that wait for an introduction to one node.
    pub pending_frames_max: usize,
    /// Bytes of messages that wait for an introduction to one node.
    pub pending_bytes_max: usize,
    /// Names of nodes that are remembered, the lost ones included.
    pub known_nodes_max: usize,
    /// Descriptors that came over one link and that nobody has read yet, nor another link passed on. With more, a message that
    /// brings any ends its pipe with [`Why::HandlesLost`](crate::Why::HandlesLost). Together with the next it keeps peers from
    /// filling this process's table of descriptors, which on most systems has room for 1024.
    pub link_handles_max: usize,
    /// The same over all links of this node. No link may have more of them than it leaves free, so that a few which take all they
    /// can get leave something for the others.
    pub node_handles_max: usize,
    /// As broker: guests that one member may bring into the network, those of its guests included. Each costs the broker a
    /// descriptor. Those over it stay outside.
    pub guests_max: usize,
    /// Endpoints of this node that one peer has sent here and that are still there. An end over it is dead when it arrives, and the next
    /// message with ends that comes from this peer ends its pipe with [`Why::Unreachable`](crate::Why::Unreachable).
    pub link_endpoints_max: usize,
    /// Endpoints of all pipes of this node together, over which what peers send fares likewise.
    pub endpoints_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 << 20,
            window_messages: 1024,
            window_bytes: 8 << 20,
            pending_calls_max: 512,
            open_requests_max: 1024,
            held_controls_max: 1024,
            pending_frames_max: 16_384,
            pending_bytes_max: 64 << 20,
            known_nodes_max: 65_536,
            link_handles_max: 256,
            node_handles_max: 512,
            guests_max: 256,
            link_endpoints_max: 1 << 20,
            endpoints_max: 4 << 20,
        }
    }
}
