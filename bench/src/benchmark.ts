// SPDX-License-Identifier: Apache-2.0

/** One measured case beside its reference. */
export interface Row {
  readonly case: string;
  /** What Skep took, in `unit`. */
  readonly value: number;
  readonly unit: string;
  /** What the reference took for the same work in the same run. */
  readonly reference: number;
  /**
   * What Skep took by what the reference took, for a unit where less is better; the inverse otherwise. 1 is as good as the
   * reference. Where both sides ran in turn it is the median over the rounds: the two of a round are neighbours in time.
   */
  readonly ratio: number;
}

/** Tells a person how far a benchmark has come. */
export type Report = (progress: string) => void;

/** A benchmark: a program that measures Skep and something real side by side. */
export interface Benchmark {
  readonly name: string;
  /** One line for the list. */
  readonly description: string;
  /** Names what the reference is, for the table's head. */
  readonly reference: string;
  run(report: Report): Promise<Row[]>;
}

/** One run of one side: what a unit of work took, and a number that both sides must agree on. */
export interface Measurement {
  readonly value: number;
  readonly checksum: number;
}

/** The two sides of a case. */
export interface Contest {
  readonly case: string;
  readonly unit: string;
  readonly ours: () => Measurement | Promise<Measurement>;
  readonly reference: () => Measurement | Promise<Measurement>;
}

/** {@link compareAll} for one case. */
export async function compare(contest: Contest, rounds: number, report: Report): Promise<Row> {
  const [row] = await compareAll([contest], rounds, report);
  if (row === undefined) throw new Error("no row");
  return row;
}

/**
 * Runs both sides of each case in turn, `rounds` times after one round of warming up, and returns the medians. A round goes
 * through all cases, so that a busy second of the machine falls on one run of a case and not on all of them, and the ratio
 * is taken within each round, so that a slow minute falls on both sides. Throws when the two sides disagree about what they
 * computed.
 */
export async function compareAll(contests: readonly Contest[], rounds: number, report: Report): Promise<Row[]> {
  const runs = contests.map((contest) => ({ contest, values: [] as number[], references: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { contest, values, references } of runs) {
      const ours = await contest.ours();
      const theirs = await contest.reference();
      if (ours.checksum !== theirs.checksum) {
        throw new Error(`${contest.case}: checksum is ${ours.checksum}, the reference's is ${theirs.checksum}`);
      }
      if (round === 0) continue;
      values.push(ours.value);
      references.push(theirs.value);
      report(`round ${round}/${rounds}, ${contest.case}`);
    }
  }
  return runs.map(({ contest, values, references }) => {
    const value = median(values);
    const reference = median(references);
    const ratio = median(values.map((each, round) => each / references[round]!));
    return { case: contest.case, value, unit: contest.unit, reference, ratio };
  });
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values to take the median of");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
