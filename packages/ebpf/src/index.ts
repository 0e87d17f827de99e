// SPDX-License-Identifier: Apache-2.0

export type {
  AttachTarget,
  PerfEventSource,
  PerfEventTarget,
  RawTracepointTarget,
  TpBtfTarget,
  TracepointTarget,
} from "./attach-target.ts";
export { AttachType } from "./attach-type.ts";
export { BatchCursor, type BpfMap, type UpdateMode } from "./bpf-map.ts";
export type { Btf } from "./btf/btf.ts";
export { essentialName } from "./btf/essential-name.ts";
export { readBtf } from "./btf/read-btf.ts";
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
export { perCpuCodec } from "./codec/per-cpu-codec.ts";
export { rawCodec } from "./codec/raw-codec.ts";
export type { Codec } from "./codec.ts";
export { codecFor } from "./codec-for.ts";
export { Collection, type CollectionParts, LoadedProgram, LoadedVariable } from "./collection.ts";
export type { CollectionSpec } from "./collection-spec.ts";
export type { ColumnEncoding, ColumnLayout } from "./columns/column-layout.ts";
export { columnsOf } from "./columns/columns-of.ts";
export { type DecodedBatch, RecordDecoder, type RecordDecoderOptions } from "./columns/record-decoder.ts";
export { applyCoreRelocations } from "./core/apply-core-relocations.ts";
export { CoreRelocationKind, coreRelocationName } from "./core/relocation-kind.ts";
export { ByteCursor, type ByteOrder } from "./cursor.ts";
export { describeTarget } from "./describe-target.ts";
export { helperName } from "./disassemble/helper-names.ts";
export { type DisassembleOptions, disassemble } from "./disassemble.ts";
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
export type { Capabilities, Engine, Link, LoadableProgram, Program, TypesHandle } from "./engine.ts";
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
export { type LoadOptions, load } from "./load.ts";
export type { MapData, MapSpec } from "./map-spec.ts";
export { isPerCpu, isRecordMap, MapType, mapTypeName } from "./map-type.ts";
export { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "./object/data-sections.ts";
export { parseObject } from "./parse-object.ts";
export type { CoreRelocation, FunctionInfo, LineInfo, MapReference, ProgramSpec } from "./program-spec.ts";
export { ProgramType, programTypeName } from "./program-type.ts";
export type { ReaderCounters, RecordBatch, RecordReader, RecordReaderOptions } from "./record-batch.ts";
export { identifyObject, RECORDING_MAGIC, type RecordedObject, type RecordingHeader } from "./recording/format.ts";
export { PlayerEngine } from "./recording/player.ts";
export { type Recording, readRecording } from "./recording/read-recording.ts";
export { RecordingEngine, type RecordingEngineOptions } from "./recording/recorder.ts";
export type { PlaybackOptions } from "./recording/timeline.ts";
export { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, type SectionMeaning, sectionMeaning } from "./section-names.ts";
export type { VariableSpec } from "./variable-spec.ts";
export type { BytesVector, ColumnType, ScalarVector, Vector } from "./vector.ts";
