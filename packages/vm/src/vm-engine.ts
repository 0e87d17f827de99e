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
  NotFoundError,
  NotSupportedError,
  type ProgramSpec,
  SourceLines,
  type TypesHandle,
} from "@skep/ebpf";
import { checkContext } from "./code/check-context.ts";
import { Code } from "./code/code.ts";
import { type Emitters, standardEmitters } from "./code/emitters.ts";
import { FUNCTION_ADDRESS } from "./code/function-writer.ts";
import { InvalidProgramError } from "./code/invalid-program-error.ts";
import { mapHelpers, TAIL_CALL } from "./code/map-helpers.ts";
import { ModuleWriter } from "./code/module-writer.ts";
import { Opcode } from "./code/opcode.ts";
import type { TranslationOptions, TranslationUnit, WideReference } from "./code/translation-unit.ts";
import { validate } from "./code/validate.ts";
import type { ContextLayout } from "./context/context-layout.ts";
import { contextLayout } from "./context/layout-for.ts";
import { EngineCalls } from "./engine-calls.ts";
import type { Helper } from "./helper/helper.ts";
import { absentFunction, HelperSet, type HostHelper } from "./helper/helper-set.ts";
import { helperTypeRefusal } from "./helper/packet/helper-program-types.ts";
import { packetHelpers } from "./helper/packet/packet-helpers.ts";
import type { VmNetwork } from "./helper/packet/packet-world.ts";
import { packetRuntimeHelpers } from "./helper/packet/runtime-packet-helpers.ts";
import { SocketTable } from "./helper/packet/socket-table.ts";
import type { TraceSink } from "./helper/print-helpers.ts";
import { runtimeHelperFunctions } from "./helper/runtime-helpers.ts";
import { standardHelpers } from "./helper/standard-helpers.ts";
import { nobody, type TaskInfo } from "./helper/task-helpers.ts";
import { platformClock, type VmClock } from "./helper/time-helpers.ts";
import { TimerSet } from "./helper/timer-set.ts";
import { indirectHelpers } from "./map/indirect-helpers.ts";
import { MapSpace } from "./map/map-space.ts";
import { runtimeHelpers } from "./map/runtime-helpers.ts";
import { VmMap } from "./map/vm-map.ts";
import { VmMemory } from "./memory/vm-memory.ts";
import { compileRuntime } from "./runtime/compile-runtime.ts";
import type { RuntimeFunction } from "./runtime/runtime-function.ts";
import { VmProgram } from "./vm-program.ts";
import { supportsMemory64 } from "./wasm/supports-memory64.ts";
import { Worker } from "./worker.ts";

/** How an engine is to be. */
export interface VmEngineOptions {
  /** Bytes of memory for stacks, maps and packets: 256 MiB unless given, less than 4 GiB. What is not used costs nothing. */
  readonly memory?: number;
  /** Width of WebAssembly addresses: 64 where the runtime has it, unless given. */
  readonly addressBits?: 32 | 64;
  /**
   * Whether each access is checked to be in the program's stack, its context, its packet, or a map's value. True unless given:
   * without, a program can read and write the maps and stacks of others in this engine, though never anything outside.
   */
  readonly regions?: boolean;
  /** Instructions that a run may take, about; 100 million unless given. `false`: no limit, and programs that never end. */
  readonly fuel?: number | false;
  /** The task that programs find themselves in (`bpf_get_current_pid_tgid` and its kin): nobody unless given. */
  readonly task?: TaskInfo;
  /** The clock of `bpf_ktime_get_ns` and of timers: the platform's unless given. */
  readonly clock?: VmClock;
  /** What programs print (`bpf_printk`) goes here; nowhere unless given. */
  readonly trace?: TraceSink;
  /** Told what the callback of a `bpf_timer` threw: nobody waits for it. It is traced unless given. */
  readonly timerFailed?: (error: unknown) => void;
  /** Functions of the host that programs may call. */
  readonly helpers?: Iterable<HostHelper>;
  /** What programs of packets find around them: devices, routes, cgroups. A loopback device alone, unless given. */
  readonly network?: VmNetwork;
  /** How opcodes are translated: for tests that want it wrong. */
  readonly emitters?: Emitters;
}

const DEFAULT_MEMORY = 256 * 2 ** 20;
const DEFAULT_FUEL = 100_000_000;

/** Types as they are: there is no kernel to hand them to, and nothing to close. */
class VmTypes implements TypesHandle {
  readonly btf: Btf;

  constructor(btf: Btf) {
    this.btf = btf;
  }

  close(): undefined {
    return undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

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
  readonly #clock: VmClock;
  readonly #timers: TimerSet;
  readonly #space: MapSpace;
  readonly #runtimeHelpers: ReadonlyMap<
    number,
    ReturnType<typeof runtimeHelperFunctions> extends ReadonlyMap<number, infer F> ? F : never
  >;
  readonly #maps = new Map<number, VmMap>();
  readonly #programs = new Set<VmProgram>();
  /** Whether maps have their functions in the table. */
  #indirect = false;
  #modules = 0;
  #closed = false;

  constructor(options: VmEngineOptions = {}) {
    const addressBits = options.addressBits ?? (supportsMemory64() ? 64 : 32);
    const regions = options.regions ?? true;
    const fuel = options.fuel ?? DEFAULT_FUEL;
    if (fuel !== false && !(Number.isSafeInteger(fuel) && fuel > 0)) {
      throw new InvalidValueError(`the fuel is ${fuel}; wanted is a positive number of instructions, or false`);
    }
    const memory = new VmMemory({ size: options.memory ?? DEFAULT_MEMORY, addressBits, shared: false, regions });
    this.memory = memory;
    // The structs of the maps come first.
    this.#space = new MapSpace({
      memory,
      cpus: 1,
      cpu: 0,
      compile: (functions) => compileRuntime(this.#worker, this.#options, functions).calls,
    });
    this.#worker = new Worker(memory, 0);
    this.#options = {
      addressBits,
      memorySize: memory.bytes.length,
      maps: this.#space,
      shared: false,
      regions,
      fuel: fuel === false ? undefined : fuel,
      emitters: options.emitters ?? standardEmitters(),
      hashFactor: (crypto.getRandomValues(new BigUint64Array(1))[0] as bigint) | 1n,
    };
    this.#runtimeHelpers = new Map([
      ...runtimeHelpers(this.#space),
      ...runtimeHelperFunctions(),
      ...packetRuntimeHelpers(),
    ]);
    this.#clock = options.clock ?? platformClock;
    const calls = new EngineCalls(this.#runtimeHelpers, (functions) =>
      compileRuntime(this.#worker, this.#options, functions),
    );
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

  createMap(spec: MapSpec, _types: TypesHandle | undefined, btf: Btf | undefined): BpfMap {
    this.#checkOpen();
    const map = VmMap.create(this.#space, spec, btf);
    this.#maps.set(map.address, map);
    if (this.#indirect) this.#giveTable(map);
    return map;
  }

  /** Puts a map's functions where programs find them that do not know which map they have. */
  #giveTable(map: VmMap): void {
    const functions = [...new Set(map.functions.values())];
    const { entries } = compileRuntime(this.#worker, this.#options, [...functions, absent, notSupported]);
    const first = this.#worker.reserve(indirectHelpers.length);
    for (const [i, id] of indirectHelpers.entries()) {
      const { name } = map.functions.get(id) ?? (lookups.has(id) ? absent : notSupported);
      this.#worker.table.set(first + i, entries[name] as never);
    }
    map.table = first;
  }

  /** From now on all maps can be called by programs that find them out when they run. */
  #allowIndirect(): void {
    if (this.#indirect) return;
    this.#indirect = true;
    for (const map of this.#maps.values()) if (!map.closed) this.#giveTable(map);
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
      packet: layout?.packet,
    };
    const translated = new ModuleWriter(this.#options, unit).program(unit);
    const loadTimes = { validate: valid - begun, translate: performance.now() - valid };
    if (translated.indirect) this.#allowIndirect();
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
      (address) => this.#maps.get(address),
      () => {
        this.#programs.delete(program);
        for (const hold of held) hold[Symbol.dispose]();
        this.#worker.release(tableIndex, count);
      },
    );
    this.#programs.add(program);
    return program;
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

/** What is printed and nobody asked for. */
const ignore: TraceSink = () => undefined;

/** `r0 = value; exit`. */
function constantFunction(name: string, value: number): RuntimeFunction {
  const instructions = new Uint8Array(16);
  instructions[0] = 0xb7;
  new DataView(instructions.buffer).setInt32(4, value, true);
  instructions[8] = 0x95;
  return { name, instructions, constants: undefined };
}

/** In the place of what a map cannot do: lookups find nothing, all others are -EOPNOTSUPP. */
const absent: RuntimeFunction = constantFunction("absent", 0);
const notSupported: RuntimeFunction = constantFunction("not_supported", -95);
const lookups: ReadonlySet<number> = new Set([1, 131, 195]);

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
