// SPDX-License-Identifier: Apache-2.0

export { assemble, parseAssembly } from "./asm/assemble.ts";
export type { AssemblyInstruction } from "./asm/assembly-instruction.ts";
export { decodeProgram } from "./asm/decode-program.ts";
export { type EncodedProgram, encodeProgram } from "./asm/encode-program.ts";
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
export { readBtf, readSplitBtf } from "./btf/read-btf.ts";
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
export type { Codec } from "./codec.ts";
export { codecFor } from "./codec-for.ts";
export { objectFromBase64 } from "./codegen/base64.ts";
export { type GenerateOptions, generate, moduleNameOf } from "./codegen/generate.ts";
export { type PrintTypeScriptOptions, printTypeScript } from "./codegen/print-typescript.ts";
export { Collection, type CollectionParts, LoadedLink, LoadedProgram } from "./collection.ts";
export type { CollectionSpec } from "./collection-spec.ts";
export type { ColumnEncoding, ColumnLayout } from "./columns/column-layout.ts";
export { columnsOf } from "./columns/columns-of.ts";
export { type DecodedBatch, RecordDecoder, type RecordDecoderOptions } from "./columns/record-decoder.ts";
export { applyCoreRelocations } from "./core/apply-core-relocations.ts";
export { CoreRelocationKind, coreRelocationName } from "./core/relocation-kind.ts";
export { typeMatches } from "./core/type-matches.ts";
export { ByteCursor, type ByteOrder } from "./cursor.ts";
export { describeTarget } from "./describe-target.ts";
export { helperName } from "./disassemble/helper-names.ts";
export { type DisassembleOptions, disassemble } from "./disassemble.ts";
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
export type { Capabilities, Engine, IteratorReader, Link, LoadableProgram, Program, TypesHandle } from "./engine.ts";
export {
  ClosedError,
  InvalidValueError,
  MalformedError,
  NotFoundError,
  NotSupportedError,
  SkepError,
  type SkepErrorOptions,
  VerifierError,
} from "./errors.ts";
export { INSTRUCTION_SIZE, InstructionClass, Instructions, Opcode, PseudoCall, PseudoLoad } from "./instruction.ts";
export type { LinkInfo, LinkInfoBase } from "./link-info.ts";
export { type LoadOptions, load } from "./load.ts";
export { LoadedVariable } from "./loaded-variable.ts";
export type { MapContent, MapData, MapSpec } from "./map-spec.ts";
export { isPerCpu, isRecordMap, MapType, mapTypeName } from "./map-type.ts";
export { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "./object/data-sections.ts";
export { parseObject } from "./parse-object.ts";
export type { CoreRelocation, FunctionInfo, LineInfo, MapReference, ProgramSpec } from "./program-spec.ts";
export { ProgramType, programTypeName } from "./program-type.ts";
export {
  copyRecord,
  type ReaderCounters,
  type RecordBatch,
  type RecordReader,
  type RecordReaderOptions,
  recordOf,
} from "./record-batch.ts";
export { identifyObject, RECORDING_MAGIC, type RecordedObject, type RecordingHeader } from "./recording/format.ts";
export { PlayerEngine } from "./recording/player.ts";
export { type Recording, readRecording } from "./recording/read-recording.ts";
export { RecordingEngine, type RecordingEngineOptions } from "./recording/recorder.ts";
export type { PlaybackOptions } from "./recording/timeline.ts";
export { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, type SectionMeaning, sectionMeaning } from "./section-names.ts";
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
  UserCode,
} from "./targets/probes.ts";
export type { SocketFilterTarget, SockmapTarget } from "./targets/socket.ts";
export type {
  FentryTarget,
  FexitTarget,
  FmodRetTarget,
  IteratorPoint,
  IteratorTarget,
  LsmTarget,
  TpBtfTarget,
} from "./targets/tracing.ts";
export type { TestRunOptions, TestRunResult } from "./test-run.ts";
export type { VariableSpec } from "./variable-spec.ts";
export type { BytesVector, ColumnType, ScalarVector, Vector } from "./vector.ts";
