// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfTable } from "../btf/btf-table.ts";
import { essentialName } from "../btf/essential-name.ts";
import { InvalidValueError, MalformedError, NotSupportedError, SkepError } from "../errors.ts";
import { Instructions } from "../instruction.ts";
import type { CoreRelocation, ProgramSpec } from "../program-spec.ts";
import { type AccessPath, describeAccess, readAccess } from "./access-path.ts";
import { sameKind } from "./compatibility.ts";
import { matchAccess } from "./match-access.ts";
import { patchInstruction, poisonInstruction } from "./patch-instruction.ts";
import { CoreRelocationKind, coreRelocationName } from "./relocation-kind.ts";
import { type RelocationValue, relocationValue } from "./relocation-value.ts";

/** A relocation understood in the object's own types. */
interface Local {
  readonly relocation: CoreRelocation;
  readonly path: AccessPath;
  readonly value: RelocationValue;
}

/** A type that a local one may stand for. */
interface Candidate {
  readonly btf: Btf;
  readonly id: number;
}

/** What it comes to in the target; `value` is undefined when the instruction must not be reached. */
interface Fixup {
  readonly value: RelocationValue | undefined;
  readonly missing: boolean;
}

/**
 * A program's instructions with its CO-RE relocations applied: offsets, sizes and existence of the fields, types
 * and enum values that it was compiled against (`local`, the object's BTF) become those of `target`, the running
 * kernel's.
 *
 * Candidates for a local type are the types of the same kind and name, flavours (`___x`) aside. The one that
 * leaves the fewest relocations of that type unanswered is taken. An access to what no candidate has is poisoned:
 * the verifier refuses it when it can be reached.
 *
 * `more` holds further types to look for candidates in, such as those of modules, as `readSplitBtf` reads them: of
 * split BTF only its own types count. It is walked only for types that `target` lacks or leaves questions of unanswered.
 * A table there that turns out broken counts as one without the type. Ids of types from there mean nothing to the kernel,
 * so questions for them are poisoned.
 *
 * Throws InvalidValueError when several candidates are equally good and disagree, or when an instruction cannot
 * hold its value; NotSupportedError for kinds of relocations after `bpf_core_type_matches`; MalformedError for relocations that
 * contradict the object's types. The messages name program, instruction, type and field.
 */
export function applyCoreRelocations(
  program: ProgramSpec,
  local: Btf,
  target: Btf,
  more: Iterable<Btf> = [],
): Uint8Array {
  const bytes = program.instructions.slice();
  const code = new Instructions(bytes, local.byteOrder);
  const byType = new Map<number, Local[]>();
  for (const relocation of program.coreRelocations) {
    const understood = understand(program, relocation, local, code.length);
    const group = byType.get(relocation.typeId);
    if (group === undefined) byType.set(relocation.typeId, [understood]);
    else group.push(understood);
  }
  for (const [typeId, group] of byType) {
    const answer = (candidate: Candidate): Answer => answerOf(group, local, target, candidate);
    const known = findCandidates(local, typeId, target).map(answer);
    const satisfied = (known.length === 0 ? [answerOf(group, local, target, undefined)] : known).some(
      ({ missing }) => missing === 0,
    );
    const answers = satisfied ? known : [...known, ...furtherAnswers(local, typeId, more, answer)];
    const fixups = chooseFixups(program, group, local, answers) ?? answerOf(group, local, target, undefined).fixups;
    group.forEach((entry, i) => {
      const { instruction } = entry.relocation;
      const value = fixups[i]?.value;
      if (value === undefined) {
        poisonInstruction(code, instruction);
        return;
      }
      const problem = patchInstruction(code, instruction, entry.value, value);
      if (problem !== undefined) throw new InvalidValueError(`${describe(program, entry, local)}: ${problem}`);
    });
  }
  return bytes;
}

function understand(program: ProgramSpec, relocation: CoreRelocation, local: Btf, length: number): Local {
  const { instruction, kind } = relocation;
  const place = `program "${program.name}", instruction ${instruction}`;
  if (kind > CoreRelocationKind.TYPE_MATCHES) throw new NotSupportedError(`${place}: CO-RE relocation kind ${kind}`);
  if (instruction >= length) throw new MalformedError(place, undefined, `the program has ${length} slots`);
  try {
    const path = readAccess(local, relocation);
    const value = relocationValue(local, path, kind);
    if (value === undefined) throw new MalformedError(place, undefined, "the access has no value in its own types");
    return { relocation, path, value };
  } catch (cause) {
    if (!(cause instanceof SkepError)) throw cause;
    throw new MalformedError(place, undefined, cause.message, { cause });
  }
}

function findCandidates(local: Btf, typeId: number, btf: Btf): Candidate[] {
  const type = local.typeById(typeId);
  // The types of its base are those of the target.
  const first = btf instanceof BtfTable ? btf.firstId : 1;
  return btf
    .idsByEssentialName(essentialName(type.name))
    .filter((id) => id >= first && sameKind(type, btf.typeById(id)))
    .map((id) => ({ btf, id }));
}

/** What one candidate, or none, says to all relocations of a local type. */
interface Answer {
  readonly candidate: Candidate | undefined;
  readonly fixups: readonly Fixup[];
  readonly missing: number;
}

function answerOf(group: readonly Local[], local: Btf, target: Btf, candidate: Candidate | undefined): Answer {
  const fixups = group.map((entry) => fixup(entry, local, target, candidate));
  return { candidate, fixups, missing: fixups.filter((entry) => entry.missing).length };
}

/** The answers of other tables than the kernel's own. One module's broken types are no reason to fail for all. */
function* furtherAnswers(
  local: Btf,
  typeId: number,
  more: Iterable<Btf>,
  answer: (candidate: Candidate) => Answer,
): Generator<Answer> {
  for (const btf of more) {
    try {
      yield* findCandidates(local, typeId, btf).map(answer);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
  }
}

/** The fixups of the best candidate for all relocations of one local type; undefined when there is no candidate. */
function chooseFixups(
  program: ProgramSpec,
  group: readonly Local[],
  local: Btf,
  answers: readonly Answer[],
): readonly Fixup[] | undefined {
  let best: Answer | undefined;
  for (const answer of answers) {
    if (best === undefined || answer.missing < best.missing) {
      best = answer;
    } else if (answer.missing === best.missing) {
      const differs = group.findIndex((_, i) => !agree(best?.fixups[i], answer.fixups[i]));
      const entry = group[differs];
      if (entry !== undefined) {
        throw new InvalidValueError(
          `${describe(program, entry, local)}: ambiguous relocation, types ${best.candidate?.id} and ${answer.candidate?.id} of the kernel disagree`,
        );
      }
    }
  }
  return best?.fixups;
}

function fixup(entry: Local, local: Btf, target: Btf, candidate: Candidate | undefined): Fixup {
  const { kind } = entry.relocation;
  // The object's types go to the kernel as they are, so that their ids stay.
  if (kind === CoreRelocationKind.TYPE_ID_LOCAL) return { value: entry.value, missing: false };
  const btf = candidate?.btf ?? target;
  const path = candidate === undefined ? undefined : matchAccess(local, entry.path, btf, candidate.id, kind);
  const foreign = kind === CoreRelocationKind.TYPE_ID_TARGET && path !== undefined && btf !== target;
  return { value: foreign ? undefined : relocationValue(btf, path, kind), missing: path === undefined };
}

function agree(a: Fixup | undefined, b: Fixup | undefined): boolean {
  return a?.value?.value === b?.value?.value && a?.value?.field?.size === b?.value?.field?.size;
}

function describe(program: ProgramSpec, entry: Local, local: Btf): string {
  const { relocation, path } = entry;
  return `program "${program.name}", instruction ${relocation.instruction}: ${coreRelocationName(relocation.kind)} of ${describeAccess(local, path)}`;
}
