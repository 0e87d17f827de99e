// SPDX-License-Identifier: Apache-2.0

/** The tunnel of a packet: the one that it came by, or the one that a program set. */
export interface TunnelState {
  /** `struct bpf_tunnel_key`, 44 bytes. */
  readonly key: Uint8Array | undefined;
  /** Whether its addresses are of IPv6. */
  readonly ipv6: boolean;
  /** Whether a program set it, for the packet to be sent by. */
  readonly sent: boolean;
  readonly options: Uint8Array | undefined;
}

/** What a program said of the message at hand. */
export interface MessageState {
  /** Bytes that its verdict counts for (`bpf_msg_apply_bytes`). */
  readonly applyBytes: number;
  /** Bytes that there must be before it is asked again (`bpf_msg_cork_bytes`). */
  readonly corkBytes: number;
}

/** What a packet has that came by no tunnel and has been given none. */
export const NO_TUNNEL: TunnelState = { key: undefined, ipv6: false, sent: false, options: undefined };

/** Of a message that its program said nothing of: the verdict counts for all of it. */
export const NO_MESSAGE: MessageState = { applyBytes: 0, corkBytes: 0 };
