// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  type Btf,
  type Capabilities,
  ClosedError,
  type Engine,
  INSTRUCTION_SIZE,
  InvalidValueError,
  type Link,
  type LoadableProgram,
  type MapSpec,
  MapType,
  NotFoundError,
  NotSupportedError,
  type ProgramSpec,
  SourceLines,
  type TypesHandle,
} from "@skep/ebpf";
import { checkContext } from "./code/check-context.ts";
import { Code } from "./code/code.ts";
import { standardEmitters } from "./code/emitters.ts";
import { FUNCTION_ADDRESS } from "./code/function-writer.ts";
import { InvalidProgramError } from "./code/invalid-program-error.ts";
import { mapHelpers, TAIL_CALL } from "./code/map-helpers.ts";
import { ModuleWriter } from "./code/module-writer.ts";
import { Opcode } from "./code/opcode.ts";
import type { TranslatedPacket, TranslationOptions, TranslationUnit, WideReference } from "./code/translation-unit.ts";
import { validate } from "./code/validate.ts";
import type { ContextLayout, PacketFields } from "./context/context-layout.ts";
import { contextLayout } from "./context/layout-for.ts";
import { EngineCalls } from "./engine-calls.ts";
import type { Helper } from "./helper/helper.ts";
import { absentFunction, HelperSet } from "./helper/helper-set.ts";
import { helperTypeRefusal } from "./helper/packet/helper-program-types.ts";
import { packetHelpers } from "./helper/packet/packet-helpers.ts";
import { enterPacket, packetLoad, packetRuntimeHelpers } from "./helper/packet/runtime-packet-helpers.ts";
import { SocketTable } from "./helper/packet/socket-table.ts";
import type { TraceSink } from "./helper/print-helpers.ts";
import { runtimeHelperFunctions } from "./helper/runtime-helpers.ts";
import { standardHelpers } from "./helper/standard-helpers.ts";
import { nobody } from "./helper/task-helpers.ts";
import { platformClock, type VmClock } from "./helper/time-helpers.ts";
import { TimerSet } from "./helper/timer-set.ts";
import type { MapBlock } from "./map/map-block.ts";
import { MapSpace } from "./map/map-space.ts";
import { abandonRecords } from "./map/ring-reader.ts";
import { runtimeHelpers } from "./map/runtime-helpers.ts";
import type { SharedMap } from "./map/shared-map.ts";
import { VmMap } from "./map/vm-map.ts";
import { firstIndexAfterMaps, MapTables } from "./map-tables.ts";
import { VmMemory } from "./memory/vm-memory.ts";
import { type CompiledRuntime, compileRuntime } from "./runtime/compile-runtime.ts";
import type { RuntimeFunction } from "./runtime/runtime-function.ts";
import { type EngineShape, engineShape, partSize, type VmEngineHandle } from "./vm-engine-handle.ts";
import type { VmEngineOptions, VmThreadOptions } from "./vm-engine-options.ts";
import { VmProgram } from "./vm-program.ts";
import { VmTypes } from "./vm-types.ts";
import { supportsMemory64 } from "./wasm/supports-memory64.ts";
import { Worker } from "./worker.ts";

const DEFAULT_MEMORY = 256 * 2 ** 20;

/**
 * Runs eBPF without a kernel: programs become WebAssembly, in Node and in a browser, without any privilege. All programs and
 * maps of an engine share its memory; nothing else does.
 */
export class VmEngine implements Engine {
  readonly name = "vm";
  readonly capabilities: Capabilities = { recording: false, kernelTypes: false };
  readonly memory: VmMemory;
  /** The sockets that programs find by lookups, and that maps of sockets hold. */
  readonly sockets: SocketTable;
  readonly #worker: Worker;
  readonly #options: TranslationOptions;
  readonly #helpers: HelperSet;
  readonly #packetLoad: RuntimeFunction = packetLoad();
  readonly #clock: VmClock;
  readonly #timers: TimerSet;
  readonly #space: MapSpace;
  readonly #runtimeHelpers: ReadonlyMap<
    number,
    ReturnType<typeof runtimeHelperFunctions> extends ReadonlyMap<number, infer F> ? F : never
  >;
  readonly #maps = new Map<number, VmMap>();
  readonly #programs = new Set<VmProgram>();
  readonly #tables: MapTables;
  readonly #shape: EngineShape;
  /** Of the maps that other threads were told of: they stay until this engine is closed. */
  readonly #told = new Set<MapBlock>();
  /** Where each other worker's part of the memory lies. */
  readonly #parts: readonly number[];
  /** The maps that another thread made, until they are asked for. */
  readonly #offered: SharedMap[] = [];
  #modules = 0;
  #closed = false;

  /** `handle` is for {@link VmEngine.join}. */
  constructor(options: VmEngineOptions = {}, handle?: VmEngineHandle) {
    const shape = handle ?? engineShape(options);
    const { worker, workers, fuel } = shape;
    const regions = options.regions ?? true;
    const memory = new VmMemory(
      handle?.memory ?? {
        size: options.memory ?? DEFAULT_MEMORY,
        addressBits: widthOf(options.addressBits, regions),
        shared: workers !== 1,
        regions,
      },
    );
    this.memory = memory;
    this.#shape = shape;
    // The structs of the maps come first.
    this.#space = new MapSpace({
      memory,
      cpus: workers,
      cpu: worker,
      compile: (functions) => compile(functions).calls,
    });
    this.#worker = new Worker(memory, worker, firstIndexAfterMaps(this.#space));
    this.#options = {
      addressBits: memory.addressBits,
      memorySize: memory.bytes.length,
      maps: this.#space,
      shared: memory.shared,
      regions: memory.regions !== undefined,
      fuel: fuel === false ? undefined : fuel,
      emitters: options.emitters ?? standardEmitters(),
      hashFactor: shape.hashFactor,
    };
    const compile = (functions: readonly RuntimeFunction[]): CompiledRuntime =>
      compileRuntime(this.#worker, this.#options, functions);
    this.#tables = new MapTables(this.#space, this.#worker, compile);
    const others = handle === undefined ? workers - 1 : 0;
    this.#parts = Array.from({ length: others }, () => memory.allocate(partSize(memory.bytes.length, workers), 64));
    for (const shared of handle?.maps ?? []) this.#offer(shared);
    if (handle !== undefined) this.#tidy();
    this.#runtimeHelpers = new Map([
      ...runtimeHelpers(this.#space),
      ...runtimeHelperFunctions(),
      ...packetRuntimeHelpers(),
    ]);
    this.#clock = options.clock ?? platformClock;
    const calls = new EngineCalls(this.#runtimeHelpers, compile);
    const trace = options.trace ?? ignore;
    const timers = new TimerSet({
      memory,
      clock: this.#clock,
      calls,
      failed: options.timerFailed ?? ((error) => trace(`a timer's callback failed: ${String(error)}`)),
    });
    this.#timers = timers;
    const ground = { memory, clock: this.#clock, task: options.task ?? nobody, trace };
    this.sockets = new SocketTable(memory);
    const { room } = this.#worker;
    const network = options.network ?? {};
    const standard = [
      ...standardHelpers({ ...ground, calls, timers }),
      ...packetHelpers({ memory, calls, room, network, sockets: this.sockets }),
    ];
    this.#helpers = new HelperSet(standard, options.helpers);
  }

  /**
   * Another worker of an engine, in this thread: the same memory, the same maps. Programs are loaded in each thread, arrays of
   * programs are each thread's own, and so are timers and sockets. `load` finds the maps of the object as the creator of the
   * engine made them, with what they hold: initial data and `variables` are not written again. Closing it leaves the maps.
   *
   * One thread a worker; when it has ended, another may join with the same handle. A thread that is terminated leaves locked
   * what it had locked: runs that need it then end with a fault, after a second or so.
   */
  static join(handle: VmEngineHandle, options: VmThreadOptions = {}): VmEngine {
    return new VmEngine(options, handle);
  }

  /**
   * What a thread needs to join as a worker, 1 to `workers` - 1; see {@link VmEngine.join}. The maps that there are now stay
   * until this engine is closed. Throws InvalidValueError for a worker that the engine does not have.
   */
  handle(worker: number): VmEngineHandle {
    this.#checkOpen();
    const address = this.#parts[worker - 1];
    if (address === undefined) {
      const has = this.#parts.length === 0 ? "no other workers to hand out" : `workers 1 to ${this.#parts.length}`;
      throw new InvalidValueError(`worker ${worker} of an engine that has ${has}`);
    }
    const { wasm, regions, addressBits, bytes } = this.memory;
    const shared = [...this.#space.blocks].filter((block) => {
      const forgotten = block.holders === 1 && this.#told.has(block);
      return !forgotten && block.spec.type !== MapType.PROG_ARRAY;
    });
    for (const block of shared) {
      if (!this.#told.has(block)) block.hold();
      this.#told.add(block);
    }
    const size = partSize(bytes.length, this.#shape.workers);
    return {
      ...this.#shape,
      worker,
      memory: { wasm, regions, addressBits, address, size },
      maps: shared.map(({ place }) => place),
    };
  }

  /** Takes note of a map that the creator made. */
  #offer(shared: SharedMap): void {
    const map = VmMap.join(this.#space, shared);
    this.#maps.set(map.address, map);
    this.#offered.push(shared);
  }

  /** Undoes what a thread left in the maps that was this worker before and has ended. */
  #tidy(): void {
    for (const block of this.#space.blocks) {
      abandonRecords(block);
      block.giveReader();
    }
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  clockOffset(): bigint {
    return this.#clock.offset;
  }

  kernelTypes(): undefined {
    return undefined;
  }

  loadTypes(btf: Btf): TypesHandle {
    return new VmTypes(btf);
  }

  /**
   * In an engine that joined another: the map of that name which is there, of several one after the other in the order in
   * which they were made; NotFoundError when there is none, InvalidValueError when it is not alike.
   */
  createMap(spec: MapSpec, _types: TypesHandle | undefined, btf: Btf | undefined): BpfMap {
    this.#checkOpen();
    const own = this.memory.whole || spec.type === MapType.PROG_ARRAY;
    const map = own ? VmMap.create(this.#space, spec, btf) : this.#joinMap(spec, btf);
    this.#maps.set(map.address, map);
    this.#tables.add(this.#space.blockAt(map.address) as MapBlock);
    return map;
  }

  #joinMap(spec: MapSpec, btf: Btf | undefined): VmMap {
    const names = this.#offered.map((map) => map.spec.name);
    const index = names.indexOf(spec.name);
    const shared = this.#offered[index];
    if (shared === undefined) throw new NotFoundError("map", spec.name, names);
    // The next of that name comes next; the last stays.
    if (names.includes(spec.name, index + 1)) this.#offered.splice(index, 1);
    return VmMap.join(this.#space, shared, spec, btf);
  }

  /**
   * Validates and translates. Throws InvalidProgramError for what no engine would run, NotSupportedError for what only a
   * kernel has, NotFoundError for a function that neither the kernel's helpers nor the host has.
   */
  loadProgram(program: LoadableProgram): VmProgram {
    this.#checkOpen();
    const { spec, instructions, types } = program;
    const btf = types instanceof VmTypes ? types.btf : undefined;
    const layout = contextLayout(spec.type, spec.expectedAttachType);
    const maps = new Map([...program.maps].map(([name, map]) => [name, ownMap(name, map)]));
    const references = new Map<number, WideReference>();
    for (const { instruction, map: name, valueOffset } of spec.mapReferences) {
      const map = maps.get(name);
      if (map === undefined) throw new NotFoundError("map", name, maps.keys());
      references.set(instruction, referenceTo(map, valueOffset));
    }
    const lines = btf === undefined ? undefined : new SourceLines(spec.lineInfo, btf);
    return this.#load(spec, instructions, layout, references, this.#hostFunctions(program, references), maps, lines);
  }

  /** Loads bare instructions, which may be called with any r1 and r2 (`VmProgram.call`): no context, no maps. */
  loadInstructions(instructions: Uint8Array, name = "program"): VmProgram {
    this.#checkOpen();
    const spec = {
      name,
      section: "",
      type: 0,
      expectedAttachType: 0,
      flags: 0,
      attachTo: "",
      target: undefined,
      instructions,
      mapReferences: [],
      externReferences: [],
      coreRelocations: [],
      functionInfo: [],
      lineInfo: [],
      license: "",
      kernelVersion: 0,
    } as unknown as ProgramSpec;
    return this.#load(spec, instructions, undefined, new Map(), new Map(), new Map(), undefined);
  }

  #load(
    spec: ProgramSpec,
    instructions: Uint8Array,
    layout: ContextLayout | undefined,
    references: ReadonlyMap<number, WideReference>,
    hostFunctions: ReadonlyMap<number, Helper>,
    maps: ReadonlyMap<string, VmMap>,
    lines: SourceLines | undefined,
  ): VmProgram {
    const begun = performance.now();
    const code = new Code(instructions);
    const elsewhere = (id: number): boolean => id === TAIL_CALL || mapHelpers.has(id) || this.#runtimeHelpers.has(id);
    const validated = validate(spec.name, code, {
      packets: layout?.packet?.length !== undefined,
      helperProblem: (id) =>
        (layout === undefined ? undefined : helperTypeRefusal(id, layout.programType)) ??
        this.#helpers.problem(id, elsewhere),
      functionProblem: (slot) => (hostFunctions.has(slot) ? undefined : "it calls a function of the kernel"),
    });
    if (layout !== undefined) checkContext(spec.name, validated, layout);
    // A full verifier has its place here: it would prove what regions check.
    const valid = performance.now();
    const count = 1 + validated.functions.filter(({ addressTaken }) => addressTaken).length;
    const tableIndex = this.#worker.reserve(count);
    const moduleName = `skep_${++this.#modules}_${spec.name.replace(/\W/g, "_")}`;
    const unit: TranslationUnit = {
      name: moduleName,
      validated,
      references,
      helpers: this.#helpers.helpers,
      runtimeHelpers: this.#runtimeHelpers,
      hostFunctions,
      tableBase: tableIndex + 1,
      hasContext: layout !== undefined,
      narrowFields: new Map(layout?.fields.flatMap(({ offset, keeps }) => (keeps ? [[offset, keeps]] : []))),
      packet: layout?.packet === undefined ? undefined : this.#packetOf(layout, layout.packet),
    };
    const translated = new ModuleWriter(this.#options, unit).program(unit);
    const loadTimes = { validate: valid - begun, translate: performance.now() - valid };
    if (translated.indirect) this.#tables.want();
    const module = compileProgram(spec.name, translated.bytes);
    const held = [...maps.values()].map((map) => map.hold());
    const program = new VmProgram(
      {
        ...{ spec, code, translated, module, moduleName, layout, lines, tableIndex, loadTimes },
        fuel: this.#options.fuel,
        helpers: this.#helpers.helpers,
      },
      this.#worker,
      maps,
      {
        mapAt: (address) => this.#maps.get(address),
        abandonRecords: () => {
          for (const block of this.#space.blocks) abandonRecords(block);
        },
        released: () => {
          this.#programs.delete(program);
          for (const hold of held) hold[Symbol.dispose]();
          this.#worker.release(tableIndex, count);
        },
      },
    );
    this.#programs.add(program);
    return program;
  }

  #packetOf(layout: ContextLayout, { data, dataEnd, dataMeta, length }: PacketFields): TranslatedPacket {
    return { data, dataEnd, dataMeta, length, load: this.#packetLoad, enter: enterPacket(layout) };
  }

  /** The host's functions that a program names as the kernel's are named, by the slot of each call. */
  #hostFunctions(
    { spec, instructions, externs }: LoadableProgram,
    references: Map<number, WideReference>,
  ): ReadonlyMap<number, Helper> {
    const functions = new Map<number, Helper>();
    for (const { instruction, name } of spec.externReferences) {
      const symbol = externs?.symbols.get(name);
      const helper =
        externs !== undefined && symbol?.kind === "function"
          ? this.#helpers.byName(name, externs.btf, symbol.typeId)
          : undefined;
      if (helper === undefined && symbol?.weak !== true) {
        throw new NotFoundError("function of the host", name, this.#helpers.names);
      }
      if (instructions[instruction * INSTRUCTION_SIZE] === Opcode.CALL) {
        functions.set(instruction, helper ?? absentFunction(name));
      } else {
        // Asked for by `bpf_ksym_exists`: what there is has an address, and leads to no memory.
        references.set(instruction, { address: helper === undefined ? 0n : BigInt(FUNCTION_ADDRESS) });
      }
    }
    return functions;
  }

  attach(): Link {
    this.#checkOpen();
    throw new NotSupportedError("attaching programs to a kernel");
  }

  attachStructOps(): Link {
    this.#checkOpen();
    throw new NotSupportedError("attaching struct_ops");
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers[Symbol.dispose]();
    for (const program of [...this.#programs]) program.close();
    for (const map of [...this.#maps.values()]) map.close();
    for (const block of this.#told) block.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("the engine");
  }
}

/** Throws InvalidProgramError for what WebAssembly does not take: a function of more than some seven million bytes. */
function compileProgram(name: string, bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new InvalidProgramError(name, 0, `its translation is too large for WebAssembly: ${error.message}`);
  }
}

/**
 * Regions look at all 64 bits of an address anyhow, and cost less in a memory that takes them; without regions a memory of 32
 * bits needs fewer comparisons.
 */
function widthOf(asked: 32 | 64 | undefined, regions: boolean): 32 | 64 {
  if (asked === 64 && !supportsMemory64()) throw new NotSupportedError("WebAssembly memory of 64-bit addresses");
  return asked ?? (regions && supportsMemory64() ? 64 : 32);
}

/** What is printed and nobody asked for. */
const ignore: TraceSink = () => undefined;

function ownMap(name: string, map: BpfMap): VmMap {
  if (map instanceof VmMap) return map;
  throw new InvalidValueError(`map "${name}" belongs to another engine`);
}

function referenceTo(map: VmMap, valueOffset: number | undefined): WideReference {
  if (valueOffset === undefined) {
    const { keySize, valueSize } = map.spec;
    return { map: { address: map.address, keySize, valueSize, functions: map.functions } };
  }
  if (map.valuesAddress === undefined) {
    throw new InvalidValueError(`map "${map.spec.name}" has no values whose address a program could hold`);
  }
  return { address: BigInt(map.valuesAddress + valueOffset) };
}
