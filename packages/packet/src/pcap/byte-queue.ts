// SPDX-License-Identifier: Apache-2.0

/**
 * Bytes of a stream, pushed in chunks of any size and taken from the front. What is taken is a view that stays as it is:
 * bytes once pushed are never moved or overwritten in place. Holds at most twice what waits, and a chunk.
 */
export class ByteQueue {
  /** Offset in the stream of the next byte to be taken. */
  offset = 0;
  #buffer: Uint8Array = new Uint8Array();
  #start = 0;
  #end = 0;
  /** Whether the buffer is our own, so that what is behind the end may be written to. */
  #owned = false;

  /** Bytes that wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds a chunk. When nothing waits it is kept, not copied. */
  push(chunk: Uint8Array): void {
    const waiting = this.length;
    if (waiting === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) {
      // Doubling keeps the copying linear when chunks are tiny.
      const buffer = new Uint8Array(Math.max(waiting * 2, waiting + chunk.length));
      buffer.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = buffer;
      this.#start = 0;
      this.#end = waiting;
      this.#owned = true;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next `size` bytes, left where they are; undefined when fewer wait. */
  peek(size: number): Uint8Array | undefined {
    return this.length < size ? undefined : this.#buffer.subarray(this.#start, this.#start + size);
  }

  /** The next `size` bytes, taken out; undefined when fewer wait. */
  take(size: number): Uint8Array | undefined {
    const bytes = this.peek(size);
    if (bytes !== undefined) {
      this.#start += size;
      this.offset += size;
    }
    return bytes;
  }
}
