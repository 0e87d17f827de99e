// SPDX-License-Identifier: Apache-2.0
import { field, lengthField } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { nextHeaderNumber } from "./next-header-number.ts";
import { kindOfProtocol } from "./next-layer.ts";

/** Fields of an IPv6 fragment header (RFC 8200 4.5). */
export interface FragmentFields {
  /** In bytes, a multiple of 8. Default 0. */
  readonly fragmentOffset?: number | undefined;
  /** Default false: with offset 0 an atomic fragment (RFC 6946). */
  readonly moreFragments?: boolean | undefined;
  /** 32 bits. Default 0. */
  readonly identification?: number | undefined;
  /** Default: what follows. */
  readonly nextHeader?: number | undefined;
}

/** An IPv6 fragment header as parsed. */
export interface FragmentLayer extends LayerPlace {
  readonly kind: "fragment";
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  readonly identification: number;
  readonly nextHeader: number;
}

const SIZE = 8;

/**
 * An IPv6 fragment header, 8 bytes.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function fragment(fields: FragmentFields = {}): PacketPart {
  const offset = lengthField("fragment", "fragmentOffset", fields.fragmentOffset ?? 0, 8, 13);
  const identification = field("fragment", "identification", fields.identification ?? 0, 32);
  return {
    kind: "fragment",
    size: SIZE,
    protocol: IpProtocol.FRAGMENT,
    write(place) {
      place.setU16(0, nextHeaderNumber("fragment", fields.nextHeader, place) << 8);
      place.setU16(2, (offset << 3) | (fields.moreFragments === true ? 1 : 0));
      place.setU32(4, identification);
    },
  };
}

/** Reads an IPv6 fragment header; what follows a later fragment's is payload. */
export function dissectFragment(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("fragment", SIZE)) return undefined;
  const word = dissection.u16(2);
  const fragmentOffset = word & 0xfff8;
  const moreFragments = (word & 1) !== 0;
  const nextHeader = dissection.u8(0);
  const identification = dissection.u32(4);
  const { offset } = dissection;
  dissection.add({ kind: "fragment", offset, size: SIZE, fragmentOffset, moreFragments, identification, nextHeader });
  dissection.fragmented ||= moreFragments || fragmentOffset > 0;
  return fragmentOffset > 0 ? undefined : kindOfProtocol(dissection, nextHeader);
}
