// SPDX-License-Identifier: Apache-2.0
import type { ParseFault } from "./dissection.ts";
import type { Layer, LayerKind, LayerOf } from "./layer.ts";

/** A packet and the layers found in it, from the outermost to the innermost. Made by `parsePacket`. */
export class ParsedPacket {
  /** The packet, not copied. */
  readonly bytes: Uint8Array;
  /** Headers, then `payload` and `trailer` if there are such bytes; together they cover the packet without gaps. */
  readonly layers: readonly Layer[];
  /** Where bytes are missing or contradict each other; empty for a whole packet. */
  readonly faults: readonly ParseFault[];

  constructor(bytes: Uint8Array, layers: readonly Layer[], faults: readonly ParseFault[]) {
    this.bytes = bytes;
    this.layers = layers;
    this.faults = faults;
  }

  /** The outermost layer of a kind, undefined when there is none. */
  layer<Kind extends LayerKind>(kind: Kind): LayerOf<Kind> | undefined {
    return this.layers.find((layer): layer is LayerOf<Kind> & Layer => layer.kind === kind);
  }

  /** The innermost layer of a kind: in a tunnel, that of the packet inside. */
  innermost<Kind extends LayerKind>(kind: Kind): LayerOf<Kind> | undefined {
    return this.layers.findLast((layer): layer is LayerOf<Kind> & Layer => layer.kind === kind);
  }

  /** What the innermost header carries, a view of the packet; empty when it carries nothing. */
  get payload(): Uint8Array {
    return this.layer("payload")?.bytes ?? this.bytes.subarray(this.bytes.length);
  }
}
