// SPDX-License-Identifier: Apache-2.0

/**
 * eBPF objects, types and the interface of engines, without a system call: it runs in a browser too. `parseObject` reads an
 * object, `load` brings it to life in an `Engine`, a `Collection` holds its programs, maps and links.
 *
 * @module ebpf
 */
export { assemble, parseAssembly } from "./asm/assemble.ts";
export type { AssemblyInstruction } from "./asm/assembly-instruction.ts";
export { decodeProgram } from "./asm/decode-program.ts";
export { type EditOptions, editProgram } from "./asm/edit-program.ts";
export { type EncodedProgram, encodeProgram } from "./asm/encode-program.ts";
export { ProgramEditor } from "./asm/program-editor.ts";
export type {
  AttachTarget,
  PerfEventSource,
  PerfEventTarget,
  RawTracepointTarget,
  TracepointTarget,
} from "./attach-target.ts";
export { AttachType } from "./attach-type.ts";
export {
  BatchCursor,
  type BpfMap,
  type LookupOptions,
  type MapMemory,
  type UpdateMode,
  type UpdateOptions,
} from "./bpf-map.ts";
export type { Btf } from "./btf/btf.ts";
export { BtfBuilder, writeBtf } from "./btf/btf-builder.ts";
export type { BtfExtension, SectionExtension } from "./btf/btf-ext.ts";
export { type PrintCOptions, printC, vmlinuxHeader } from "./btf/c/print-c.ts";
export { type DeduplicatedBtf, deduplicateBtf } from "./btf/deduplicate.ts";
export { essentialName } from "./btf/essential-name.ts";
export { openBtf, readBtf, readSplitBtf } from "./btf/read-btf.ts";
export {
  type BtfArray,
  type BtfComposite,
  type BtfDataSection,
  type BtfDeclTag,
  type BtfEnum,
  type BtfEnumValue,
  type BtfFloat,
  type BtfForward,
  type BtfFunction,
  type BtfFunctionProto,
  type BtfInt,
  BtfKind,
  type BtfMember,
  type BtfParameter,
  type BtfReference,
  type BtfSectionVariable,
  type BtfType,
  type BtfVariable,
  type BtfVoid,
} from "./btf/types.ts";
export { writeBtfExtension } from "./btf/write-btf-ext.ts";
export { perCpuCodec } from "./codec/per-cpu-codec.ts";
export { rawCodec } from "./codec/raw-codec.ts";
export { sumCpus } from "./codec/sum-cpus.ts";
export type { Codec } from "./codec.ts";
export { codecFor } from "./codec-for.ts";
export { objectFromBase64 } from "./codegen/base64.ts";
export { type GenerateOptions, generate, generateJavaScript, type JavaScriptModule } from "./codegen/generate.ts";
export { moduleNameOf } from "./codegen/module-names.ts";
export { type PrintTypeScriptOptions, printTypeScript } from "./codegen/print-typescript.ts";
export { Collection, type CollectionParts, LoadedLink, LoadedProgram, LoadedStructOps } from "./collection.ts";
export type { CollectionSpec } from "./collection-spec.ts";
export type { ColumnEncoding, ColumnLayout } from "./columns/column-layout.ts";
export { columnsOf } from "./columns/columns-of.ts";
export { type DecodedBatch, RecordDecoder, type RecordDecoderOptions } from "./columns/record-decoder.ts";
export { applyCoreRelocations } from "./core/apply-core-relocations.ts";
export { explainPoison, POISONED_CALL, type PoisonExplanation } from "./core/extern-poison.ts";
export { CoreRelocationKind, coreRelocationName } from "./core/relocation-kind.ts";
export { signatureDifference } from "./core/signature-difference.ts";
export { typeMatches } from "./core/type-matches.ts";
export { ByteCursor, type ByteOrder } from "./cursor.ts";
export { describeTarget } from "./describe-target.ts";
export { helperName } from "./disassemble/helper-names.ts";
export { helperVersion } from "./disassemble/helper-versions.ts";
export { functionOf, SourceLines } from "./disassemble/source-lines.ts";
export { type SourceLine, sourcePlace } from "./disassemble/source-place.ts";
export {
  type DisassembledInstruction,
  type DisassembledProgram,
  type DisassembleOptions,
  disassemble,
  disassembleInstructions,
} from "./disassemble.ts";
export { ElementMemory, type ElementMemoryParts } from "./element-memory.ts";
export {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  RelocationType,
  SectionFlag,
  SectionIndex,
  SectionType,
  SymbolBinding,
  SymbolType,
  SymbolVisibility,
} from "./elf/elf-file.ts";
export { readElf } from "./elf/read-elf.ts";
export { type NewRelocation, type NewSection, type NewSymbol, writeElf } from "./elf/write-elf.ts";
export type { Capabilities, Engine, IteratorReader, Link, LoadableProgram, Program, TypesHandle } from "./engine.ts";
export {
  ClosedError,
  InvalidValueError,
  MalformedError,
  NotFoundError,
  NotSupportedError,
  ObjectConflictError,
  SkepError,
  type SkepErrorOptions,
  VerifierError,
} from "./errors.ts";
export type { ExternKind, ExternSpec } from "./extern-spec.ts";
export { INSTRUCTION_SIZE, InstructionClass, Instructions, Opcode, PseudoCall, PseudoLoad } from "./instruction.ts";
export type { KernelConfig } from "./kernel-config.ts";
export type { LinkInfo, LinkInfoBase, PerfEventInfo } from "./link-info.ts";
export type { ObjectInput } from "./linker/link-input.ts";
export { linkObjects } from "./linker/link-objects.ts";
export { type LoadOptions, load } from "./load.ts";
export { LoadedVariable } from "./loaded-variable.ts";
export type { MapContent, MapData, MapSpec } from "./map-spec.ts";
export { isPerCpu, isRecordMap, MapType, mapTypeName } from "./map-type.ts";
export { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "./object/data-sections.ts";
export { parseObject } from "./parse-object.ts";
export type { RunOptions, RunResult } from "./program-run.ts";
export type {
  CoreRelocation,
  ExternReference,
  FunctionInfo,
  LineInfo,
  MapReference,
  ProgramSpec,
} from "./program-spec.ts";
export { ProgramType, programTypeName } from "./program-type.ts";
export {
  copyRecord,
  type ReaderCounters,
  type RecordBatch,
  type RecordReader,
  type RecordReaderOptions,
  recordOf,
} from "./record-batch.ts";
export { RecordLease } from "./record-lease.ts";
export { recordValues } from "./record-values.ts";
export { identifyObject, RECORDING_MAGIC, type RecordedObject, type RecordingHeader } from "./recording/format.ts";
export { PlayerEngine } from "./recording/player.ts";
export { type Recording, readRecording } from "./recording/read-recording.ts";
export { RecordingEngine, type RecordingEngineOptions } from "./recording/recorder.ts";
export type { PlaybackOptions } from "./recording/timeline.ts";
export { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, type SectionMeaning, sectionMeaning } from "./section-names.ts";
export { isFunctionPointer, type StructOpsSection, StructOpsSpec } from "./struct-ops-spec.ts";
export type { CgroupTarget } from "./targets/cgroup.ts";
export type {
  InterfacePoint,
  NetfilterPoint,
  NetfilterTarget,
  NetkitPoint,
  NetkitTarget,
  NetnsTarget,
  TcPoint,
  TcTarget,
  TcxPoint,
  TcxTarget,
  XdpPoint,
  XdpTarget,
} from "./targets/network.ts";
export type { Anchor, AnchorReference, Ordering } from "./targets/ordering.ts";
export type {
  KprobeMultiPoints,
  KprobeMultiTarget,
  KprobeTarget,
  KretprobeTarget,
  KretsyscallTarget,
  KsyscallTarget,
  ProbeMoment,
  UprobeMultiPoints,
  UprobeMultiTarget,
  UprobeTarget,
  UretprobeTarget,
  UsdtProbe,
  UsdtTarget,
  UserCode,
} from "./targets/probes.ts";
export type { ReuseportTarget, SocketFilterTarget, SockmapTarget } from "./targets/socket.ts";
export type { StructOpsTarget } from "./targets/struct-ops.ts";
export type {
  FentryTarget,
  FexitTarget,
  FmodRetTarget,
  FreplacePoint,
  FreplaceTarget,
  IteratorPoint,
  IteratorTarget,
  LsmTarget,
  TpBtfTarget,
} from "./targets/tracing.ts";
export type { VariableSpec } from "./variable-spec.ts";
export type { BytesVector, ColumnType, ScalarVector, Vector } from "./vector.ts";
export { letsThrough, Verdict, type VerdictName, verdictName, verdictNames } from "./verdict.ts";
export { diagnoseVerifierLog, type VerifiedProgram } from "./verifier/diagnose.ts";
export { explainVerifierError } from "./verifier/explain-verifier-error.ts";
export type { RegisterFinding, VerifierFinding } from "./verifier/finding.ts";
export type { VerifierLogLevel, VerifierLogPart } from "./verifier/log-level.ts";
