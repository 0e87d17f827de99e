// SPDX-License-Identifier: Apache-2.0

import {
  type Btf,
  BtfKind,
  ClosedError,
  type ExternSpec,
  essentialName,
  InvalidValueError,
  type LoadableProgram,
  NotSupportedError,
  Opcode,
  POISONED_CALL,
  PseudoCall,
  PseudoLoad,
  SkepError,
  signatureDifference,
} from "@skep/ebpf";
import type { FileDescriptor } from "@skep/linux";
import { kernelBtf } from "./kernel-btf.ts";
import { KernelSymbols } from "./kernel-symbols.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { moduleTypes, openModuleTypes } from "./module-types.ts";

/** What an extern is in the running kernel. */
type Resolved =
  | { readonly kind: "address"; readonly address: bigint }
  /** A type id of the kernel, or of a module's BTF. */
  | { readonly kind: "type"; readonly id: number; readonly module: string | undefined }
  | { readonly kind: "missing" };

/** Descriptors of modules' BTF that a program's instructions refer to; open until the program is loaded. */
export class ModuleDescriptors implements Disposable {
  readonly #open: (readonly [module: string, fd: FileDescriptor])[] = [];
  #closed = false;

  /** `fd_array` of BPF_PROG_LOAD (5.14): 0 stands for the kernel itself. Undefined when no module is referred to. */
  get array(): Int32Array | undefined {
    this.#checkOpen();
    return this.#open.length === 0 ? undefined : Int32Array.from([0, ...this.#open.map(([, fd]) => fd.number)]);
  }

  /** Where in the array the module's BTF is. */
  indexOf(module: string): number {
    this.#checkOpen();
    const known = this.#open.findIndex(([name]) => name === module);
    if (known !== -1) return known + 1;
    const fd = openModuleTypes(module);
    if (fd === undefined) throw new SkepError("ERR_NOT_FOUND", `module "${module}" was removed meanwhile`);
    return this.#open.push([module, fd]);
  }

  /** The descriptor of the module's BTF. */
  descriptorOf(module: string): number {
    return this.#open[this.indexOf(module) - 1]?.[1].number ?? -1;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    using all = new DisposableStack();
    for (const [, fd] of this.#open.splice(0)) all.use(fd);
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("types of the kernel's modules");
  }
}

/**
 * Writes into the instructions what the program's externs are in the running kernel: addresses from /proc/kallsyms,
 * variables and functions by their type ids. What is weak and missing has the address 0, and its calls are poisoned.
 *
 * Throws SkepError `ERR_NOT_FOUND` for a strong extern that the kernel lacks, InvalidValueError when it has another
 * signature than the object declares.
 */
export function writeExterns(program: LoadableProgram, bytes: Uint8Array): ModuleDescriptors {
  const { spec, externs } = program;
  using unwind = new DisposableStack();
  const modules = unwind.use(new ModuleDescriptors());
  const symbols = new KernelSymbols();
  const resolved = new Map<string, Resolved>();
  for (const [index, { instruction, name }] of spec.externReferences.entries()) {
    const symbol = externs?.symbols.get(name);
    if (externs === undefined || symbol === undefined) {
      throw new InvalidValueError(
        `program "${spec.name}" refers to extern "${name}", which the object does not declare`,
      );
    }
    const known = resolved.get(name) ?? resolve(spec.name, symbol, externs.btf, symbols);
    resolved.set(name, known);
    const opcode = bytes[instruction * 8];
    const size = opcode === Opcode.LD_IMM64 ? 16 : 8;
    if ((opcode !== Opcode.CALL && opcode !== Opcode.LD_IMM64) || instruction * 8 + size > bytes.length) {
      throw new InvalidValueError(
        `program "${spec.name}": instruction ${instruction} refers to extern "${name}" but is neither a call nor ld_imm64`,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset + instruction * 8, size);
    if (opcode === Opcode.CALL) writeCall(view, known, index, modules);
    else writeLoad(view, known, symbol, modules);
  }
  unwind.move();
  return modules;
}

function writeCall(view: DataView, resolved: Resolved, index: number, modules: ModuleDescriptors): void {
  const found = resolved.kind === "type";
  view.setUint8(1, (found ? PseudoCall.KFUNC : PseudoCall.HELPER) << 4);
  view.setInt16(2, found && resolved.module !== undefined ? modules.indexOf(resolved.module) : 0, true);
  view.setInt32(4, found ? resolved.id : POISONED_CALL + index, true);
}

function writeLoad(view: DataView, resolved: Resolved, { kind }: ExternSpec, modules: ModuleDescriptors): void {
  const destination = view.getUint8(1) & 0xf;
  const write = (source: number, low: number, high: number): void => {
    view.setUint8(1, (source << 4) | destination);
    view.setUint32(4, low, true);
    view.setUint32(12, high, true);
  };
  if (resolved.kind === "missing") {
    write(0, 0, 0);
  } else if (resolved.kind === "address") {
    write(0, Number(BigInt.asUintN(32, resolved.address)), Number(resolved.address >> 32n));
  } else if (kind === "function" && newerThanKernel("6.4") !== undefined) {
    // Older kernels take variables only; the address of a function serves to ask whether there is one.
    write(0, 1, 0);
  } else {
    const fd = resolved.module === undefined ? 0 : modules.descriptorOf(resolved.module);
    write(PseudoLoad.BTF_ID, resolved.id, fd);
  }
}

function resolve(program: string, symbol: ExternSpec, local: Btf, symbols: KernelSymbols): Resolved {
  const { name, kind, weak } = symbol;
  if (kind === "untyped variable") {
    const address = symbols.addressOf(name);
    if (address !== undefined) return { kind: "address", address };
    if (weak) return { kind: "missing" };
    throw missing(program, `symbol "${name}" in /proc/kallsyms`);
  }
  const base = kernelBtf();
  if (base === undefined) {
    throw new NotSupportedError(
      `program "${program}": extern "${name}", kernel types in /sys/kernel/btf/vmlinux`,
      "5.4",
    );
  }
  let difference: string | undefined;
  for (const { id, btf, module } of candidates(symbol, base)) {
    const found = btf.typeById(id);
    const type = found.kind === BtfKind.FUNC || found.kind === BtfKind.VAR ? found.type : 0;
    const problem = signatureDifference(local, symbol.typeId, btf, type);
    // A kernel built without CONFIG_KALLSYMS_ALL describes variables whose addresses it does not know.
    if (problem === undefined && weak && kind === "typed variable" && !symbols.has(found.name)) break;
    if (problem === undefined) return { kind: "type", id, module };
    difference ??= problem;
  }
  // An object may declare several flavours of a function, each weak, and call the one that there is.
  if (weak) return { kind: "missing" };
  const what = kind === "function" ? "function" : "variable";
  if (difference === undefined) throw missing(program, `${what} "${name}" in its types or those of its modules`);
  throw new InvalidValueError(`program "${program}": the kernel's ${what} "${name}" is another: ${difference}`);
}

/** What has the name: in the kernel, and where that has nothing, in its modules. */
function* candidates(
  { name, kind }: ExternSpec,
  base: Btf,
): Generator<{ readonly id: number; readonly btf: Btf; readonly module: string | undefined }> {
  const wanted = kind === "function" ? BtfKind.FUNC : BtfKind.VAR;
  const idsIn = (btf: Btf, first: number): number[] =>
    btf.idsByName(essentialName(name), wanted).filter((id) => id >= first);
  const own = idsIn(base, 1);
  for (const id of own) yield { id, btf: base, module: undefined };
  if (own.length > 0) return;
  for (const { module, btf } of moduleTypes()) {
    for (const id of idsIn(btf, base.typeCount)) yield { id, btf, module };
  }
}

function missing(program: string, what: string): SkepError {
  return new SkepError(
    "ERR_NOT_FOUND",
    `program "${program}": this kernel has no ${what}; declare it __weak to do without`,
  );
}
