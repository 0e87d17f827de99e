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

/** What a relocation asks, in the object's own types. Several relocations, of several programs, ask the same. */
interface Question {
  readonly kind: number;
  readonly path: AccessPath;
  readonly value: RelocationValue;
  /** What was found for it, by candidate. */
  readonly fixups: Map<Candidate | undefined, Fixup>;
}

/** A relocation and what it asks. */
interface Local {
  readonly relocation: CoreRelocation;
  readonly question: Question;
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
 * split BTF only its own types count. It is walked only for types that `target` lacks or leaves questions of unanswered,
 * and a type of it is taken only when it leaves fewer.
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
  return new CoreRelocator(local, target, () => more).relocate(program);
}

/** {@link applyCoreRelocations} for several programs of an object: what more than one of them asks is answered once. */
export class CoreRelocator {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #more: () => Iterable<Btf>;
  readonly #questions = new Map<string, Question>();
  readonly #candidates = new Map<number, readonly Candidate[]>();

  /** `more` is called anew for each type that `target` does not satisfy. */
  constructor(local: Btf, target: Btf, more: () => Iterable<Btf> = () => []) {
    this.#local = local;
    this.#target = target;
    this.#more = more;
  }

  /** The program's instructions with its relocations applied. */
  relocate(program: ProgramSpec): Uint8Array {
    const local = this.#local;
    const bytes = program.instructions.slice();
    const code = new Instructions(bytes, local.byteOrder);
    const byType = new Map<number, Local[]>();
    for (const relocation of program.coreRelocations) {
      const entry = { relocation, question: this.#understand(program, relocation, code.length) };
      const group = byType.get(relocation.typeId);
      if (group === undefined) byType.set(relocation.typeId, [entry]);
      else group.push(entry);
    }
    for (const [typeId, group] of byType) {
      const fixups = this.#fixupsFor(program, typeId, group);
      group.forEach((entry, i) => {
        const { instruction } = entry.relocation;
        const value = fixups[i]?.value;
        if (value === undefined) {
          poisonInstruction(code, instruction);
          return;
        }
        const problem = patchInstruction(code, instruction, entry.question.value, value);
        if (problem !== undefined) throw new InvalidValueError(`${describe(program, entry, local)}: ${problem}`);
      });
    }
    return bytes;
  }

  #fixupsFor(program: ProgramSpec, typeId: number, group: readonly Local[]): readonly Fixup[] {
    const [local, target] = [this.#local, this.#target];
    const answer = (candidate: Candidate | undefined): Answer => answerOf(group, local, target, candidate);
    const known = this.#candidatesOf(typeId).map(answer);
    const satisfied = (known.length === 0 ? [answer(undefined)] : known).some(({ missing }) => missing === 0);
    // Another type of the name, as a module may have, counts only where it answers more than the kernel's own.
    const fewest = Math.min(...known.map(({ missing }) => missing));
    const better = satisfied
      ? []
      : [...furtherAnswers(local, typeId, this.#more(), answer)].filter(({ missing }) => missing < fewest);
    return chooseFixups(program, group, local, better.length > 0 ? better : known) ?? answer(undefined).fixups;
  }

  #candidatesOf(typeId: number): readonly Candidate[] {
    let candidates = this.#candidates.get(typeId);
    if (candidates === undefined) {
      candidates = findCandidates(this.#local, typeId, this.#target);
      this.#candidates.set(typeId, candidates);
    }
    return candidates;
  }

  #understand(program: ProgramSpec, relocation: CoreRelocation, length: number): Question {
    const { instruction, typeId, access, kind } = relocation;
    const place = `program "${program.name}", instruction ${instruction}`;
    if (kind > CoreRelocationKind.TYPE_MATCHES) throw new NotSupportedError(`${place}: CO-RE relocation kind ${kind}`);
    if (instruction >= length) throw new MalformedError(place, undefined, `the program has ${length} slots`);
    const key = `${typeId} ${kind} ${access}`;
    const known = this.#questions.get(key);
    if (known !== undefined) return known;
    try {
      const path = readAccess(this.#local, relocation);
      const value = relocationValue(this.#local, path, kind);
      if (value === undefined) throw new MalformedError(place, undefined, "the access has no value in its own types");
      const question = { kind, path, value, fixups: new Map() };
      this.#questions.set(key, question);
      return question;
    } catch (cause) {
      if (!(cause instanceof SkepError)) throw cause;
      throw new MalformedError(place, undefined, cause.message, { cause });
    }
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
  const fixups = group.map(({ question }) => {
    let found = question.fixups.get(candidate);
    if (found === undefined) {
      found = fixup(question, local, target, candidate);
      question.fixups.set(candidate, found);
    }
    return found;
  });
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

function fixup({ kind, path: asked, value }: Question, local: Btf, target: Btf, candidate?: Candidate): Fixup {
  // The object's types go to the kernel as they are, so that their ids stay.
  if (kind === CoreRelocationKind.TYPE_ID_LOCAL) return { value, missing: false };
  const btf = candidate?.btf ?? target;
  const path = candidate === undefined ? undefined : matchAccess(local, asked, btf, candidate.id, kind);
  const foreign = kind === CoreRelocationKind.TYPE_ID_TARGET && path !== undefined && btf !== target;
  return { value: foreign ? undefined : relocationValue(btf, path, kind), missing: path === undefined };
}

function agree(a: Fixup | undefined, b: Fixup | undefined): boolean {
  return a?.value?.value === b?.value?.value && a?.value?.field?.size === b?.value?.field?.size;
}

function describe(program: ProgramSpec, entry: Local, local: Btf): string {
  const { relocation, question } = entry;
  return `program "${program.name}", instruction ${relocation.instruction}: ${coreRelocationName(question.kind)} of ${describeAccess(local, question.path)}`;
}
